"""The comparison: what is run, what is kept, and what an interruption costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines import comparison as compare_module
from baselines.comparison import PRESETS, Comparison, command_line, compare, longest_first
from baselines.registry import AGENTS
from baselines.results import Cell, Result, write_result
from baselines.rows import Row, gather
from baselines.storage import StorageError

SMALL = Comparison(worlds=("LineWalk", "Bandit"), agents=("Random", "QLearning"), runs=4, steps=200, checkpoints=2)


def by_cell(rows: list[Row]) -> dict[tuple[str, str], np.ndarray]:
    return {(row.world, row.agent): row.scores for row in rows}


def test_there_is_a_row_for_each_world_and_agent_in_their_order(tmp_path: Path) -> None:
    rows = compare(SMALL, tmp_path)
    assert [(row.world, row.agent) for row in rows] == [(w, a) for w in SMALL.worlds for a in SMALL.agents]
    for row in rows:
        assert row.scores.shape == (3, 4)
        np.testing.assert_array_equal(row.steps, [0, 100, 200])
        assert row.exact
        assert row.steps_per_second == pytest.approx(800 / row.seconds)
    np.testing.assert_allclose(by_cell(rows)["LineWalk", "Random"], 0.0, atol=1e-12)


def test_finished_cells_are_not_computed_again(tmp_path: Path) -> None:
    first = compare(SMALL, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    told = []
    second = compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(what))
    assert told == ["kept"] * 4
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    for one, two in zip(first, second):
        np.testing.assert_array_equal(one.scores, two.scores)
        assert one.seconds == two.seconds


def test_a_new_world_or_agent_moves_no_old_one(tmp_path: Path) -> None:
    compare(SMALL, tmp_path)
    told = []
    wider = replace(SMALL, worlds=("LineBalance", *SMALL.worlds), agents=("QLearning:epsilon=0.5", *SMALL.agents))
    rows = compare(wider, tmp_path, on_cell=lambda what, cell: told.append(what))
    assert (told.count("kept"), told.count("finished")) == (4, 5)
    for cell, scores in by_cell(compare(SMALL, tmp_path)).items():
        np.testing.assert_array_equal(scores, by_cell(rows)[cell])


def test_run_i_does_not_depend_on_how_many_there_are_nor_on_how_they_are_cut_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = by_cell(compare(SMALL, tmp_path / "whole"))
    monkeypatch.setattr(compare_module, "LIBRARY_RUNS_PER_CELL", 3)
    monkeypatch.setattr(compare_module, "LibraryAgent", object)  # as if every agent were a library's
    cut = Comparison(**{**SMALL.__dict__, "library_runs": 7})
    assert sorted({cell.num_runs for cell in cut.cells()}) == [1, 3]
    for cell, scores in by_cell(compare(cut, tmp_path / "cut")).items():
        assert scores.shape == (3, 7)
        np.testing.assert_array_equal(scores[:, :4], whole[cell])


def test_several_processes_give_the_same_results_as_one(tmp_path: Path) -> None:
    one, two = compare(SMALL, tmp_path / "1"), compare(SMALL, tmp_path / "2", workers=2)
    for cell, scores in by_cell(one).items():
        np.testing.assert_array_equal(scores, by_cell(two)[cell])


def test_how_it_was_made_is_written_down(tmp_path: Path) -> None:
    compare(SMALL, tmp_path)
    about = json.loads((tmp_path / "comparison.json").read_text())
    assert about["comparison"]["worlds"] == ["LineWalk", "Bandit"]
    assert about["configs"]["QLearning"]["step_size"] > 0
    assert {"rl_envs", "numpy", "gymnasium", "torch", "stable-baselines3", "scipy"} <= set(about["versions"])
    assert about["command"]
    assert about["machine"]["cpus"] >= 1


def test_the_command_is_what_can_be_typed_again() -> None:
    typed = ["/somewhere/baselines/__main__.py", "compare", "--out", "my results"]
    assert command_line(typed) == "python -m baselines compare --out 'my results'"
    assert command_line(["script.py", "-x"]) == "python script.py -x"


def test_libraries_train_in_small_cells_which_come_first() -> None:
    comparison = Comparison(worlds=("LineWalk",), runs=30, library_runs=5)
    cells = comparison.cells()
    assert [(cell.agent, cell.first_run, cell.num_runs) for cell in cells if cell.agent == "SB3DQN"] == [
        ("SB3DQN", 0, 2),
        ("SB3DQN", 2, 2),
        ("SB3DQN", 4, 1),
    ]
    assert [cell.num_runs for cell in cells if cell.agent == "QLearning"] == [30]
    heavy = [bool(AGENTS[cell.agent_name].libraries) for cell in longest_first(cells)]
    assert heavy == sorted(heavy, reverse=True)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_worlds_and_agents_that_there_are(preset: str) -> None:
    cells = PRESETS[preset].cells()
    assert len({cell.key for cell in cells}) == len(cells)
    assert len(PRESETS[preset].worlds) == 4


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"worlds": ("LineWlk",)}, ValueError, "unknown world 'LineWlk'. Did you mean 'LineWalk'"),
        ({"agents": ("QLerning",)}, ValueError, "unknown agent 'QLerning'. Did you mean 'QLearning'"),
        ({"agents": ("QLearning:alpha=1",)}, ValueError, "unknown setting of QLearning 'alpha'"),
        ({"worlds": ("LineWalk:length=1",)}, TypeError, "unknown argument of LineWalk 'length'"),
        ({"worlds": ()}, ValueError, "worlds must name at least one, but is empty"),
        ({"agents": ("Random", "Random")}, ValueError, "agents must name each once, but names 'Random' more often"),
        (
            {"worlds": ("LineWalk:size=3,slip=0.1", "LineWalk:slip=0.1,size=3")},
            ValueError,
            "worlds must name each once",
        ),
        ({"worlds": ("CartPole-v1",)}, TypeError, "the observations of CartPole-v1 must be Discrete"),
        ({"runs": 0}, ValueError, "runs must be at least 1, but is 0"),
        ({"steps": 1.5}, TypeError, "steps must be an integer, but is 1.5"),
        ({"seed": -1}, ValueError, "seed must be at least 0, but is -1"),
    ],
    ids=str,
)
def test_mistakes_are_found_before_anything_runs(
    changed: dict[str, object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        compare(replace(SMALL, **changed), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_corrupt_file_is_found_before_anything_runs(tmp_path: Path) -> None:
    compare(SMALL, tmp_path)
    victim = sorted((tmp_path / "cells").iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:-50])
    told = []
    with pytest.raises(StorageError, match=f"result file {victim} is corrupt"):
        compare(replace(SMALL, seed=0), tmp_path, on_cell=lambda what, cell: told.append(what))
    assert "started" not in told
    victim.unlink()
    compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(what))
    assert told.count("finished") == 1


def test_a_missing_and_a_nan_run_are_errors_that_name_it(tmp_path: Path) -> None:
    cell = Cell("LineWalk", "Random", first_run=4, num_runs=2, steps=10, checkpoints=1, seed=0)
    with pytest.raises(ValueError, match=r"every run must have a result, but LineWalk · Random · runs 4-5 have none"):
        gather([cell], tmp_path)
    scores = np.array([[0.0, 0.0], [0.0, np.nan]])
    write_result(cell, Result(np.array([0, 10]), scores, exact=True, seconds=1.0), tmp_path)
    with pytest.raises(ValueError, match="run 5 of Random on LineWalk has nan"):
        gather([cell], tmp_path)


# In processes of their own, killed for real.

LONGER = Comparison(worlds=("LineWalk", "RandomMDP", "Bandit"), agents=("QLearning",), runs=50)
ARGUMENTS = ["--worlds", *LONGER.worlds, "--agents", *LONGER.agents, "--runs", "50"]


def start(out: Path, mark: str, workers: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "baselines", "compare", *ARGUMENTS, "--out", str(out), "--workers", str(workers)],
        env={**os.environ, "PYTHONPATH": ".", "MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def orphans(mark: str) -> list[str]:
    """Numbers of the processes that carry the mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_loses_at_most_the_cells_it_was_in(workers: int, tmp_path: Path) -> None:
    mark = str(uuid.uuid4())
    process = start(tmp_path / "killed", mark, workers)
    wait_for(lambda: list((tmp_path / "killed").glob("cells/*.npz")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = len(list((tmp_path / "killed").glob("cells/*.npz")))
    if Path("/proc/self/environ").exists():
        wait_for(lambda: not orphans(mark))
    told = []
    resumed = compare(LONGER, tmp_path / "killed", on_cell=lambda what, cell: told.append(what))
    assert told.count("kept") >= kept >= 1
    assert told.count("kept") + told.count("finished") == 3
    for cell, scores in by_cell(compare(LONGER, tmp_path / "unbroken")).items():
        np.testing.assert_array_equal(scores, by_cell(resumed)[cell])


def test_an_interrupt_ends_everything_and_says_how_to_go_on(tmp_path: Path) -> None:
    mark = str(uuid.uuid4())
    process = start(tmp_path, mark, 2)
    wait_for(lambda: list(tmp_path.glob("cells/*.npz")))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process at once
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"Finished cells are kept in {tmp_path}; the same command goes on from there." in output
    assert "Traceback" not in output
    if Path("/proc/self/environ").exists():
        wait_for(lambda: not orphans(mark))
