"""The comparison: worlds x agents x runs, cell by cell, into a folder from which any interrupted one goes on."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from baselines.agent import LibraryAgent, versions
from baselines.game_comparison import GameCell, game_cells
from baselines.game_registry import make_game_config
from baselines.loop import train
from baselines.registry import AGENTS, agent_class, make_agent, make_config, normal_form
from baselines.results import Cell, Result, read_result, version, write_result
from baselines.rows import Row, gather
from baselines.specification import parse
from baselines.statistics import complete
from baselines.storage import make_folder, remove_leftovers, write_atomically
from baselines.task import named_task
from baselines.workers import run_jobs
from rl_envs.mdp import check_integer

# Runs of a library's agent in one cell: a cell of two takes seconds, and a kill loses no more than that.
LIBRARY_RUNS_PER_CELL = 2


@dataclass(frozen=True)
class Comparison:
    """What is compared with what.

    Attributes:
        worlds: names of worlds, with settings after a colon: "LineWalk:size=9".
        agents: names of agents, with settings after a colon: "QLearning:epsilon=0.2".
        runs: independent runs of each agent on each world.
        library_runs: runs of a library's agents, which train one after the other and not together.
        steps: environment steps of each run.
        checkpoints: how often each run is scored, besides once before it starts.
        seed: the base seed of everything random.
        games: names of games, with settings after a colon: "climbing", "penalty:k=-10". With games, worlds may be none.
        game_agents: names of those who play the games, with settings: "IndependentQ:exploration=softmax"; none for all
            that can play each game.
        rounds: rounds of each run of a game.
    """

    worlds: tuple[str, ...] = ("LineWalk", "LineBalance", "RandomMDP", "Bandit")
    agents: tuple[str, ...] = ("Random", "Optimal", "QLearning", "SB3DQN", "SB3A2C")
    runs: int = 30
    library_runs: int = 10
    steps: int = 6_000
    checkpoints: int = 40
    seed: int = 0
    games: tuple[str, ...] = ()
    game_agents: tuple[str, ...] = ()
    rounds: int = 10_000

    def cells(self) -> list[Cell]:
        """All cells of worlds, in the order of the table.

        Raises:
            ValueError: a number out of range, a name given twice, or an unknown world, agent or setting, naming the
                nearest.
            TypeError: an agent that cannot learn one of the worlds.
        """
        for number in ("runs", "library_runs", "steps", "checkpoints"):
            check_integer(number, getattr(self, number), low=1)
        check_integer("seed", self.seed, low=0)
        cells = []
        for world in _each_once("worlds", self.worlds) if self.worlds or not self.games else []:
            task = named_task(world)
            for agent in _each_once("agents", self.agents):
                make_agent(agent, task)  # raises here what would otherwise be raised in the middle of the night
                library = issubclass(agent_class(parse(agent)[0]), LibraryAgent)
                num_runs = self.library_runs if library else self.runs
                size = LIBRARY_RUNS_PER_CELL if library else num_runs
                cells += [
                    Cell(world, agent, first, min(size, num_runs - first), self.steps, self.checkpoints, self.seed)
                    for first in range(0, num_runs, size)
                ]
        return cells

    def game_cells(self) -> list[GameCell]:
        """All cells of games, in the order of the table; raises as `cells` does."""
        return game_cells(self.games, self.game_agents, runs=self.runs, rounds=self.rounds, seed=self.seed)


def _each_once(what: str, specifications: Sequence[str]) -> list[str]:
    """The specifications in normal form; refuses none at all, and one that stands there twice."""
    normal = [normal_form(specification) for specification in specifications]
    if not normal:
        raise ValueError(f"{what} must name at least one, but is empty")
    for specification in normal:
        if normal.count(specification) > 1:
            raise ValueError(f"{what} must name each once, but names {specification!r} more often")
    return normal


# Small enough for a look, or for a check of every change.
QUICK = Comparison(runs=10, library_runs=2, steps=3_000, checkpoints=20, rounds=2_000)

PRESETS = {"default": Comparison(), "quick": QUICK}


# Told of each cell: what became of it ("kept", "started" or "finished"), and which one.
Progress = Callable[[str, Cell], None]


def compare(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    on_cell: Progress | None = None,
) -> list[Row]:
    """Run every cell that has no result yet, and gather the results.

    Args:
        comparison: what to run.
        folder: where results lie; made if need be. Cells that are finished there already are not computed again.
        workers: how many processes. More than one needs `if __name__ == "__main__":` around a script's own code.
        on_cell: told what becomes of each cell.

    Returns:
        A row for each world and agent, in their order.

    Raises:
        ValueError: an unknown name, naming the nearest.
        StorageError: a folder or file that cannot be written, or a result file that is corrupt.
        JobError: an agent failed in training.
        WorkerError: a process died.
    """
    check_integer("workers", workers, low=1)
    tell = on_cell or _silence
    cells = comparison.cells()
    results_folder = make_folder(Path(folder) / "cells")
    for place in (results_folder, Path(folder)):
        remove_leftovers(place)
    missing = []
    for cell in cells:
        # Read whole: a corrupt file is found now and not at the end.
        if read_result(cell, results_folder) is None:
            missing.append(cell)
        else:
            tell("kept", cell)
    write_about(comparison, Path(folder))
    for what, cell in run_jobs(longest_first(missing), partial(run_cell, folder=results_folder), workers):
        tell(what, cell)
    return gather(cells, results_folder)


def run_cell(cell: Cell, folder: Path) -> None:
    """Train the runs of one cell and write its result.

    Args:
        cell: what to run.
        folder: where result files lie.

    Raises:
        StorageError: the file cannot be written.
    """
    agent = make_agent(cell.agent, cell.task(), runs=cell.runs, seed=cell.seed)
    curve = train(agent, steps=cell.steps, checkpoints=cell.checkpoints)
    scores = complete(curve.scores, f"{cell.agent} on {cell.world}", cell.runs)
    write_result(cell, Result(curve.steps, scores, curve.exact, curve.seconds), folder)


def longest_first(cells: Sequence[Cell]) -> list[Cell]:
    """Libraries' cells before the others, longest first, so that no process is left with a long one at the end."""

    def cost(cell: Cell) -> int:
        return cell.steps * (cell.num_runs * 100 if AGENTS[cell.agent_name].libraries else 1)

    return sorted(cells, key=cost, reverse=True)


def write_about(comparison: Comparison, folder: Path) -> None:
    """Write down how the results are made: the command, all settings, versions and the machine."""
    libraries = sorted({library for entry in AGENTS.values() for library in entry.libraries})
    about = {
        "command": command_line(sys.argv),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "comparison": asdict(comparison),
        "configs": {agent: asdict(make_config(*parse(agent))) for agent in comparison.agents},
        "game_configs": {agent: asdict(make_game_config(*parse(agent))) for agent in comparison.game_agents},
        "versions": {**versions(), **{library: version(library) for library in ("scipy", *libraries)}},
        "machine": {"platform": platform.platform(), "processor": platform.machine(), "cpus": os.cpu_count()},
    }
    write_atomically(folder / "comparison.json", (json.dumps(about, indent=2) + "\n").encode())


def command_line(arguments: Sequence[str]) -> str:
    """What was typed, as far as a program can know it."""
    program = Path(arguments[0])
    if program.name == "__main__.py":
        return shlex.join(["python", "-m", program.parent.name, *arguments[1:]])
    return shlex.join(["python", *arguments])


def _silence(what: str, cell: Cell) -> None:
    pass
