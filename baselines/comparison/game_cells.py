"""Games in a comparison: games x game agents, a cell each, and what the runs of each come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from baselines.comparison.cells import Cell, versions_of
from baselines.comparison.results import FILE_FORMAT
from baselines.comparison.statistics import Interval, complete, mean_interval
from baselines.games.loop import GameRecord, play
from baselines.games.registry import (
    game_agent_class,
    game_agent_meant,
    make_game_agent,
    make_game_config,
    players_of,
)
from baselines.games.task import GameTask, make_game_task
from baselines.registry import each_once
from baselines.training.specification import named, parse
from rl_envs.games import NormalFormGame, coarse_correlated_gain
from rl_envs.mdp.finite_mdp import check_integer


@dataclass(frozen=True)
class GameCell(Cell):
    """All runs of one game agent in one game.

    Args:
        game: a game's name with settings: "penalty:k=-10".
        agent: a game agent's name with settings: "IndependentQ:exploration=softmax".
        num_runs: how many runs.
        rounds: rounds of each run.
        checkpoints: how often to score, evenly spaced, besides once at the start.
        seed: the base seed.
    """

    game: str
    agent: str
    num_runs: int
    rounds: int
    checkpoints: int
    seed: int

    ARRAYS: ClassVar[Set[str]] = frozenset(field.name for field in fields(GameRecord))

    @property
    def runs(self) -> range:
        """The numbers of the runs."""
        return range(self.num_runs)

    @property
    def title(self) -> str:
        """The game and the agent."""
        return f"{self.game} · {self.agent}"

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
            "versions": versions_of(),
        }

    @property
    def cost(self) -> float:
        """The runs advance together."""
        return self.rounds

    def compute(self) -> dict[str, np.ndarray]:
        """Play the runs."""
        agent = make_game_agent(self.agent, self.task(), runs=self.num_runs, seed=self.seed)
        record = play(agent, steps=self.rounds, checkpoints=self.checkpoints)
        complete(record.exploitability, f"{self.agent} in {self.game}", self.runs)
        return {name: np.asarray(getattr(record, name)) for name in self.ARRAYS}


def game_cells(
    games: Sequence[str],
    agents: Sequence[str],
    *,
    runs: int,
    rounds: int,
    checkpoints: int,
    seed: int,
) -> list[GameCell]:
    """All cells of games, in the order of the table.

    Args:
        games: names of games, with settings after a colon: "penalty:k=-10".
        agents: names of game agents, with settings; none for all that can play the game.
        runs: independent runs of each.
        rounds: rounds of each run.
        checkpoints: how often each run is scored, besides once before it starts.
        seed: the base seed.

    Raises:
        ValueError: a number out of range, a name given twice, agents without a game, or an unknown game, agent or
            setting, naming the nearest.
        TypeError: an agent that cannot play one of the games.
    """
    for name, number in (("runs", runs), ("rounds", rounds), ("checkpoints", checkpoints)):
        check_integer(name, number, low=1)
    check_integer("seed", seed, low=0)
    named_agents = each_once("game agents", agents, game_agent_meant)
    if named_agents and not games:
        raise ValueError(f"game agents must have games to play, but games is empty beside {', '.join(named_agents)}")
    cells = []
    for game in each_once("games", games, _game_meant):
        task = _named_game_task(game)
        for agent in named_agents or players_of(task):
            with named(agent):
                make_game_agent(agent, task)  # raises here what would otherwise be raised in the middle of the night
            cells.append(GameCell(game, agent, runs, rounds, checkpoints, seed))
    return cells


def _named_game_task(game: str) -> GameTask:
    """The task of a name with settings; raises as `make_game_task`."""
    name, settings = parse(game)
    with named(game):
        return make_game_task(name, **settings)


def _game_meant(game: str) -> object:
    """What a specification of a game comes to: the game, its table, and how many rounds an episode has."""
    task = _named_game_task(game)
    return task.game, task.table_hash, task.max_cycles


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
    def of(cls, game: str, agent: str, arrays: Mapping[str, Any]) -> GameRow:
        """The row that a cell's result makes.

        Raises:
            ValueError: a run that is missing or whose result is NaN.
        """
        record = GameRecord(**{**arrays, "seconds": float(arrays["seconds"])})
        complete(record.exploitability, f"{agent} in {game}")
        name, settings = parse(game)
        return cls(game, agent, make_game_task(name, **settings), record)


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
