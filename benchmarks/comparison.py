"""What a comparison needs: its peak memory on two processes, what a cell costs, and how long the report of many takes.

    python benchmarks/comparison.py [--quick]

Memory is that of all processes of the comparison together, sampled ten times a second: the proportional set size, which
counts what processes share once, and the plain sum of resident sizes, which counts it again for each.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from baselines.comparison.cells import WorldCell
from baselines.comparison.comparison import Comparison
from baselines.comparison.provenance import provenance
from baselines.comparison.result_files import FILE_FORMAT, execution_metadata
from baselines.comparison.results import read_results
from baselines.report.contents import Contents
from baselines.report.writing import write_report
from baselines.system.atomic_files import write_atomically
from baselines.system.threads import one_thread

GIB = 2**30

# Whose cells are timed.
AGENTS_MEASURED = ("Random", "QLearning", "Reinforce", "DQN", "ActorCritic", "SB3DQN", "SB3A2C")

# The report of many cells: of worlds whose names differ in a setting, so that their tables are small and their own.
MANY_WORLDS, MANY_AGENTS, MANY_RUNS, MANY_CHECKPOINTS = 50, 20, 30, 40


def peak_memory(command: list[str]) -> tuple[float, float, float]:
    """Run a command to its end.

    Returns:
        Peak proportional and resident size of it and its descendants, in bytes, and its seconds.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak_shared = peak_resident = 0.0
    while process.poll() is None:
        shared = resident = 0.0
        try:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        for member in family:
            try:
                usage = member.memory_full_info()
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue  # it has ended meanwhile
            shared, resident = shared + usage.pss, resident + usage.rss
        peak_shared, peak_resident = max(peak_shared, shared), max(peak_resident, resident)
        time.sleep(0.1)
    if process.wait():
        raise SystemExit(f"{command} failed with exit code {process.returncode}")
    return peak_shared, peak_resident, time.perf_counter() - started


def cell_costs() -> Iterator[tuple[str, int, float]]:
    """What a cell costs, scoring included: agent, its runs, and seconds of one core, the median of three."""
    comparison = Comparison(worlds=("LineWalk",), agents=AGENTS_MEASURED)
    measured = set()
    for cell in comparison.cells():
        assert isinstance(cell, WorldCell)
        if str(cell.agent) not in measured:
            measured.add(str(cell.agent))
            yield str(cell.agent), cell.num_runs, statistics.median(_seconds(cell) for _ in range(3))


def _seconds(cell: WorldCell) -> float:
    started = time.process_time()
    with one_thread():
        cell.compute()
    return time.process_time() - started


def many_cells(folder: Path) -> Comparison:
    """Write the results of a comparison of a thousand cells, with made-up learning curves."""
    comparison = Comparison(
        worlds=tuple(f"FourRooms:noise={i / 100}" if i % 2 else f"LineWalk:size={i + 11}" for i in range(MANY_WORLDS)),
        agents=("Random", "Optimal", *(f"QLearning:epsilon={i / 100}" for i in range(1, MANY_AGENTS - 1))),
        runs=MANY_RUNS,
        checkpoints=MANY_CHECKPOINTS,
    )
    rng = np.random.default_rng(0)
    cells = comparison.cells()
    (folder / "cells").mkdir(parents=True)
    steps = np.linspace(0, comparison.steps, MANY_CHECKPOINTS + 1).round().astype(np.int64)
    for cell in cells:
        assert isinstance(cell, WorldCell)
        truth = cell.world.task.truth
        speed = rng.uniform(0.0003, 0.003, MANY_RUNS)
        scores = 1 - np.exp(-steps[:, None] * speed) + rng.normal(0, 0.01, (len(steps), MANY_RUNS))
        error = truth.v_star * rng.uniform(0, 1, len(truth.v_star))
        arrays = {"steps": steps, "scores": scores, "exact": np.array(True), "seconds": np.array(1.0)}
        cell.write({**arrays, "value_error": error}, folder / "cells", execution_metadata())
    record = provenance(comparison, folder, cells, None, 2, "joblib")
    assert record["format"] == FILE_FORMAT
    write_atomically(folder / "comparison.json", json.dumps(record).encode())
    return comparison


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the quick preset in place of the default comparison")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        preset = "quick" if quick else "default"
        typed = [sys.executable, "-m", "baselines", "compare", "--preset", preset, "--workers", "2"]
        shared, resident, seconds = peak_memory([*typed, "--out", str(folder / "full")])
        print(f"comparison, preset {preset}, two processes: {seconds:.0f} s")
        print(f"  peak memory {shared / GIB:.2f} GiB (wanted: under 2), sum of resident sizes {resident / GIB:.2f} GiB")
        for agent, runs, seconds in cell_costs():
            print(f"cell of {runs} runs of {agent} on LineWalk, 6,000 steps: {seconds:.2f} s of one core")

        many_cells(folder / "many")
        size = sum(path.stat().st_size for path in (folder / "many" / "cells").iterdir())
        started = time.perf_counter()
        results = read_results(folder / "many")
        reading = time.perf_counter() - started
        started = time.perf_counter()
        write_report(Contents(results), folder / "many")
        writing = time.perf_counter() - started
        page = (folder / "many" / "report.html").stat().st_size
        count = MANY_WORLDS * MANY_AGENTS
        print(
            f"report of {count:,} cells: {reading + writing:.1f} s (wanted: under 20), of which reading {reading:.1f} s"
        )
        print(f"  page {page / 2**20:.1f} MiB, result files {size / count / 1024:.1f} KiB each")


if __name__ == "__main__":
    main()
