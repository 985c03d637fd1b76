"""Rows of games: all runs of one agent in one game, and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.comparison.measures import complete
from baselines.comparison.statistics import Interval, mean_interval
from baselines.games.loop import GameRecord
from baselines.games.specification import GameSpecification
from baselines.games.task import GameTask
from rl_envs.games import NormalFormGame, coarse_correlated_gain


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

    @classmethod
    def of(cls, game: GameSpecification, agent: str, arrays: Mapping[str, Any]) -> GameRow:
        """The row of a cell's result.

        Args:
            game: what was played.
            agent: who played.
            arrays: the result.

        Raises:
            ValueError: a run that is missing or whose result is NaN.
        """
        record = GameRecord(**{**arrays, "seconds": float(arrays["seconds"])})
        complete(record.exploitability, f"{agent} in {game}")
        return cls(game.label, agent, game.task, record)


@dataclass(frozen=True)
class GameSummary:
    """The summary of a row.

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
    """Summarise all runs of an agent in a game."""
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
