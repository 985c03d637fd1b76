"""Runs a comparison cell by cell, into a folder from which an interrupted one resumes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np

from baselines.comparison.cells import Cell
from baselines.comparison.comparison import Comparison
from baselines.comparison.provenance import command_line, provenance
from baselines.comparison.result_files import CELLS, execution_metadata
from baselines.comparison.results import PROVENANCE, Results, read_results
from baselines.system.atomic_files import make_folder, remove_leftovers, write_atomically
from baselines.system.folder_lock import locked
from baselines.system.threads import one_thread
from baselines.system.workers import Event, JobError, WorkerError, cores, run_jobs
from baselines.training.custom_agent import TrainFunction
from baselines.training.task import task_of
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.names import unknown

# Where cells are computed: in processes of this machine, or on a Ray cluster.
Backend = Literal["joblib", "ray"]
BACKENDS: tuple[Backend, ...] = ("joblib", "ray")

# Called when a cell's state changes, with the new state ("reused", "started", "finished" or "failed") and the cell.
Progress = Callable[[str, Cell], None]


# A worker's answer: the cell's key as computed there, the result, and the execution metadata.
_Answer = tuple[str, dict[str, np.ndarray], dict[str, Any]]


def compare(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    functions: Mapping[str, TrainFunction] | None = None,
    workers: int | None = None,
    backend: Backend = "joblib",
    address: str | None = None,
    fresh: bool = False,
    on_cell: Progress | None = None,
) -> Results:
    """Run every cell that has no result yet, and gather the results.

    Every process computes on one thread; a library that is first imported during the call stays on one thread.

    Args:
        comparison: what to run.
        folder: where results go; made if missing. Cells that are already finished there are not recomputed.
        functions: your own agents by name, train(env_fn, steps, seed) -> policy; see
            `baselines.training.custom_agent`.
        workers: number of processes on this machine; all cores by default. With 1, cells run in this process.
        backend: "joblib", or "ray" for a Ray cluster; the results are the same.
        address: address of a running Ray cluster; by default one is started on this machine.
        fresh: delete this comparison's results in the folder, and recompute them.
        on_cell: called when the state of a cell changes.

    Returns:
        A row for each world and agent, and for each game and game agent, in their order.

    Raises:
        ValueError: an unknown name; the message names the nearest.
        TypeError: an agent that cannot learn one of the worlds, or an argument of the wrong type.
        StorageError: a folder or file cannot be written, a result file is corrupt, or the folder is in use.
        JobError: an agent failed in training, or returned NaN; the other cells are computed and stored anyway.
        WorkerError: a process died, or there is no cluster.
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(f"comparison must be a Comparison, but is {comparison!r}")
    workers = cores() if workers is None else check_integer("workers", workers, low=1)
    if backend not in BACKENDS:
        raise ValueError(unknown("backend", backend, BACKENDS))
    if address is not None and backend != "ray":
        raise ValueError(f"an address is for the backend 'ray', but the backend is {backend!r}")
    # Tables that cells share are solved again here, on one thread; cached ones may have been solved on several.
    with one_thread():
        task_of.cache_clear()
        cells = comparison.cells(functions)
        folder = make_folder(folder)
        with locked(folder, command_line(sys.argv)):
            results = make_folder(folder / CELLS)
            for place in (results, folder):
                remove_leftovers(place)
            if fresh:
                for cell in cells:
                    cell.file(results).unlink(missing_ok=True)
            content = provenance(comparison, folder, cells, functions, workers, backend)
            missing = _missing(cells, results, on_cell or _silence)
            write_atomically(folder / PROVENANCE, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
            with closing(_run(missing, workers, backend, address)) as events:
                _store(events, results, on_cell or _silence)
            return read_results(folder)


def _missing(cells: Sequence[Cell], results: Path, tell: Progress) -> list[Cell]:
    """The cells without a result, the most expensive first."""
    missing = []
    for cell in cells:
        # Reads the whole file, to find a corrupt one now and not at the end.
        if cell.read(results) is None:
            missing.append(cell)
        else:
            tell("reused", cell)
    return sorted(missing, key=lambda cell: cell.cost, reverse=True)  # so that no long cell runs alone at the end


def _store(events: Iterable[Event[Cell, _Answer]], results: Path, tell: Progress) -> None:
    """Write each result as it arrives; raises JobError at the end if any cell failed."""
    failures = []
    for what, cell, answer in events:
        if isinstance(answer, JobError):
            failures.append((cell, answer))
        elif answer is not None:
            key, arrays, execution = answer
            _check_same(cell, key)
            cell.write(arrays, results, execution)
        tell(what, cell)
    if failures:
        raise JobError(_failure_message(failures))


def _failure_message(failures: Sequence[tuple[Cell, JobError]]) -> str:
    """What failed: the first cell with its traceback, the others by name."""
    (_, first), *others = failures
    more = "".join(f"\n{cell}" for cell, _ in others)
    return f"{first}\n{len(others)} more failed:{more}" if others else str(first)


def _run(
    cells: Sequence[Cell], workers: int, backend: Backend, address: str | None
) -> Generator[Event[Cell, _Answer], None, None]:
    if backend == "joblib":
        yield from run_jobs(cells, compute, workers)
    elif cells:
        from baselines.system.ray_workers import run_on_ray

        yield from run_on_ray(cells, compute, workers, address)


def compute(cell: Cell) -> _Answer:
    """Compute a cell, wherever this runs."""
    return cell.key, cell.compute(), execution_metadata()


def _check_same(cell: Cell, key: str) -> None:
    """Refuse the result of a worker with other versions, which would differ under the same name."""
    if key != cell.key:
        raise WorkerError(
            f"every worker must have the same versions as the process that sends it cells, but one has others: {cell} "
            f"has key {cell.key} here and {key} there"
        )


def _silence(what: str, cell: Cell) -> None:
    pass
