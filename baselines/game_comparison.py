"""Games in a comparison: games x game agents, a cell each, resumed and read back like the cells of worlds."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import rl_envs
from baselines.game_loop import GameRecord, play
from baselines.game_registry import game_agent_class, make_game_agent, make_game_config, players_of
from baselines.game_task import GameTask, make_game_task
from baselines.registry import normal_form
from baselines.results import file_of, key_of, read_arrays, version, write_arrays
from baselines.specification import parse
from baselines.statistics import Interval, complete, mean_interval
from baselines.storage import make_folder, remove_leftovers
from baselines.workers import run_jobs
from rl_envs.games import NormalFormGame, coarse_correlated_gain
from rl_envs.mdp import check_integer

# Rises when the layout of games' result files or the meaning of their numbers changes.
FILE_FORMAT = 1


@dataclass(frozen=True)
class GameCell:
    """All runs of one game agent in one game.

    Args:
        game: a game's name with settings: "penalty:k=-10".
        agent: a game agent's name with settings: "IndependentQ:exploration=softmax".
        num_runs: how many runs.
        rounds: rounds of each run.
        seed: the base seed.
    """

    game: str
    agent: str
    num_runs: int
    rounds: int
    seed: int

    def task(self) -> GameTask:
        """The task that the game's name stands for."""
        name, settings = parse(self.game)
        return make_game_task(name, **settings)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result: who plays, by which table, for how long, from which seed, with what."""
        name, settings = parse(self.agent)
        task = self.task()
        return {
            "format": FILE_FORMAT,
            **asdict(self),
            "table": task.table_hash,
            "max_cycles": task.max_cycles,
            "config": asdict(make_game_config(name, settings)),
            "agent_version": game_agent_class(name).version,
            "versions": {"rl_envs": rl_envs.__version__, "numpy": version("numpy")},
        }

    def file(self, folder: Path) -> Path:
        """Where the result lies."""
        return file_of(folder, f"{self.game}-{self.agent}", range(self.num_runs), key_of(self.identity))

    def __str__(self) -> str:
        return f"{self.game} · {self.agent} · runs 0-{self.num_runs - 1}"


def game_cells(
    games: Sequence[str],
    agents: Sequence[str],
    *,
    runs: int,
    rounds: int,
    seed: int,
) -> list[GameCell]:
    """All cells of games, in the order of the table.

    Args:
        games: names of games, with settings after a colon: "penalty:k=-10".
        agents: names of game agents, with settings; none for all that can play the game.
        runs: independent runs of each.
        rounds: rounds of each run.
        seed: the base seed.

    Raises:
        ValueError: a number out of range, a name given twice, or an unknown game, agent or setting, naming the nearest.
        TypeError: an agent that cannot play one of the games.
    """
    for name, number in (("runs", runs), ("rounds", rounds)):
        check_integer(name, number, low=1)
    check_integer("seed", seed, low=0)
    cells = []
    for game in _each_once("games", games):
        name, settings = parse(game)
        task = make_game_task(name, **settings)
        for agent in _each_once("game agents", agents) or players_of(task):
            make_game_agent(agent, task)  # raises here what would otherwise be raised in the middle of the night
            cells.append(GameCell(game, agent, runs, rounds, seed))
    return cells


def play_games(
    cells: Sequence[GameCell],
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    on_cell: Callable[[str, GameCell], None] | None = None,
) -> list[GameRow]:
    """Play every cell that has no result yet, and gather the results.

    Args:
        cells: what to play.
        folder: where results lie; made if need be. Cells that are finished there already are not played again.
        workers: how many processes.
        on_cell: told what becomes of each cell: "kept", "started" or "finished".

    Returns:
        A row for each cell.

    Raises:
        StorageError: a folder or file that cannot be written, or a result file that is corrupt.
        JobError: an agent failed in learning.
        WorkerError: a process died.
    """
    check_integer("workers", workers, low=1)
    results_folder = make_folder(Path(folder) / "cells")
    remove_leftovers(results_folder)
    missing = []
    for cell in cells:
        if read_record(cell, results_folder) is None:
            missing.append(cell)
        elif on_cell is not None:
            on_cell("kept", cell)
    for what, cell in run_jobs(missing, partial(run_game_cell, folder=results_folder), workers):
        if on_cell is not None:
            on_cell(what, cell)
    return [_row(cell, results_folder) for cell in cells]


def run_game_cell(cell: GameCell, folder: Path) -> None:
    """Play the runs of one cell and write their result.

    Args:
        cell: what to play.
        folder: where result files lie.

    Raises:
        StorageError: the file cannot be written.
    """
    agent = make_game_agent(cell.agent, cell.task(), runs=cell.num_runs, seed=cell.seed)
    record = play(agent, steps=cell.rounds)
    complete(record.exploitability, f"{cell.agent} in {cell.game}", range(cell.num_runs))
    write_record(cell, record, folder)


def write_record(cell: GameCell, record: GameRecord, folder: Path) -> None:
    """Write a cell's result file, as a whole or not at all; raises StorageError if it cannot be written."""
    arrays = {name: np.asarray(getattr(record, name)) for name in _RECORDED}
    write_arrays(cell.file(folder), cell.identity, arrays)


def read_record(cell: GameCell, folder: Path) -> GameRecord | None:
    """Read a cell's result file; None where there is none yet, StorageError if it is corrupt or another cell's."""
    arrays: dict[str, Any] | None = read_arrays(cell.file(folder), cell.identity, set(_RECORDED))
    if arrays is None:
        return None
    return GameRecord(**{**arrays, "seconds": float(arrays["seconds"])})


_RECORDED = ("steps", "exploitability", "joint_play", "late_play", "late_payoff", "seconds")


@dataclass(frozen=True, eq=False)
class GameRow:
    """All runs of one agent in one game.

    Attributes:
        game: its name.
        agent: its name.
        task: the game itself.
        record: how they played.
    """

    game: str
    agent: str
    task: GameTask
    record: GameRecord


@dataclass(frozen=True)
class GameSummary:
    """What a row comes to.

    Attributes:
        game: its name.
        agent: its name.
        runs: R.
        joint_actions: where the runs ended, each joint action's name with its share of the runs, most frequent first; a
            run's is what it played most in the last tenth of the rounds. Empty in a game with states.
        exploitability: mean over runs of what a player could gain by answering the others' learned strategies best, at
            the end; exact, 0 at an equilibrium.
        coarse_correlated_gain: mean over runs of what a player could have gained by one fixed action against all that
            was played, 0 or less at a coarse correlated equilibrium; None in a game with states.
        payoff: mean over runs of the sum of the players' payoffs a round, in the last tenth.
        social_optimum: the largest sum that there is.
        steps_per_second: rounds of all runs per second of learning.
        seconds: time of all runs together.
    """

    game: str
    agent: str
    runs: int
    joint_actions: tuple[tuple[str, float], ...]
    exploitability: Interval
    coarse_correlated_gain: float | None
    payoff: Interval
    social_optimum: float
    steps_per_second: float
    seconds: float


def summarise_game(row: GameRow) -> GameSummary:
    """The numbers that stand for all runs of an agent in a game."""
    record, table = row.record, row.task.table
    runs = len(record.late_payoff)
    gain: float | None = None
    joint_actions: tuple[tuple[str, float], ...] = ()
    best = 0.0  # the payoffs of a Markov game sum to 0
    if isinstance(table, NormalFormGame):
        gain = float(np.mean([coarse_correlated_gain(table, frequency) for frequency in record.joint_frequency]))
        joint_actions = _shares(table, record.final_joint_action)
        best = table.social_optimum().welfare
    return GameSummary(
        game=row.game,
        agent=row.agent,
        runs=runs,
        joint_actions=joint_actions,
        exploitability=_interval(record.exploitability[-1]),
        coarse_correlated_gain=gain,
        payoff=_interval(record.late_payoff.sum(axis=1)),
        social_optimum=best,
        steps_per_second=float(record.steps[-1] - record.steps[0]) * runs / max(record.seconds, 1e-9),
        seconds=record.seconds,
    )


def _shares(game: NormalFormGame, joint_actions: np.ndarray) -> tuple[tuple[str, float], ...]:
    """Names of joint actions [R, N] with their shares, most frequent first."""
    found, counts = np.unique(joint_actions, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple((game.joint_name(found[i].tolist()), float(counts[i] / len(joint_actions))) for i in order)


def _interval(runs: np.ndarray) -> Interval:
    mean = float(runs.mean())
    return mean_interval(runs) if len(runs) > 1 else Interval(mean, np.nan, np.nan)


def _row(cell: GameCell, folder: Path) -> GameRow:
    record = read_record(cell, folder)
    if record is None:
        raise ValueError(f"every run must have a result, but {cell} have none")
    return GameRow(cell.game, cell.agent, cell.task(), record)


def _each_once(what: str, specifications: Sequence[str]) -> list[str]:
    """The specifications in normal form; refuses one that stands there twice."""
    normal = [normal_form(specification) for specification in specifications]
    for specification in normal:
        if normal.count(specification) > 1:
            raise ValueError(f"{what} must name each once, but names {specification!r} more often")
    return normal
