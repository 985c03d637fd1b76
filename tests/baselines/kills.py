"""A comparison that is killed at a moment, and goes on."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines.comparison.comparison import Comparison
from baselines.comparison.provenance import repeating_command
from baselines.comparison.result_files import CELLS
from baselines.comparison.results import Results
from baselines.comparison.running import compare
from tests.baselines.processes import Command

# A comparison of seven cells, some tenths of a second each, with everything that can be in a result.
MEASURED = Comparison(
    worlds=("LineWalk", "RandomMDP", "Bandit"),
    agents=("QLearning", "Random"),
    runs=50,
    steps=4_000,
    checkpoints=5,
    games=("climbing",),
    game_agents=("IndependentQ",),
    rounds=1_000,
)

# When to kill: so many seconds after the start, or after a number of results; or while one is being written.
Moment = tuple[str, int, float, int]  # what, results, seconds, processes

FEW: list[Moment] = [
    ("start", 0, 0.7, 2),
    ("results", 1, 0.03, 2),
    ("results", 3, 0.0, 1),
    ("writing", 1, 0.0, 2),
]


def twenty(seed: int) -> list[Moment]:
    """Moments spread at random over the start, the cells and the writing of results."""
    chance = np.random.default_rng(seed)
    moments: list[Moment] = [("start", 0, float(chance.uniform(0.0, 2.0)), 2) for _ in range(6)]
    moments += [("results", int(chance.integers(0, 7)), float(chance.uniform(0.0, 0.3)), 2) for _ in range(8)]
    moments += [("results", int(chance.integers(0, 7)), float(chance.uniform(0.0, 0.3)), 1) for _ in range(3)]
    return moments + [("writing", int(chance.integers(0, 6)), 0.0, 2) for _ in range(3)]


@dataclass(frozen=True)
class Outcome:
    """What came of a kill.

    Attributes:
        killed: whether the comparison was still running.
        files_at_kill: how many results there were.
        reused: how many of them were used afterwards.
        results: of the comparison that went on.
    """

    killed: bool
    files_at_kill: int
    reused: int
    results: Results


def words(comparison: Comparison, workers: int) -> list[str]:
    """The command line of a comparison, without its folder."""
    return [*shlex.split(repeating_command(comparison, Path("there")))[3:-2], "--workers", str(workers)]


def killed_and_resumed(folder: Path, what: str, results: int, seconds: float, workers: int) -> Outcome:
    """Start the comparison, kill it at a moment, see that no process is left, and go on."""
    command = Command.start(*words(MEASURED, workers), out=folder)
    if what != "start":
        command.wait_for(lambda: (folder / CELLS).is_dir() and len(command.result_files()) >= results)
    if what == "writing":
        command.wait_for(lambda: any((folder / CELLS).glob(".*.tmp")))
    time.sleep(seconds)
    killed = command.process.poll() is None
    files = len(command.result_files())
    command.process.kill()
    command.end()
    command.nobody_is_left()
    told: list[str] = []
    results = compare(MEASURED, folder, on_cell=lambda what, cell: told.append(what), workers=1)
    return Outcome(killed, files, told.count("reused"), results)
