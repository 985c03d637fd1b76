"""The interface of learners in games.

A game agent is a population of whole tables of players: R runs, and in each of them N players who learn at the same
time, each for itself. Everything is indexed [run, player]. Each player of each run has a random stream of its own, and
all players of a run choose before any of them learns what the others chose. Settings, copies and saving are those of
agents in worlds as well: `population.py`.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from baselines.games.rollout import (
    GameRollout,
    JointTransition,
    MarkovGameRollout,
    MatrixGameRollout,
    PettingZooRollout,
)
from baselines.games.task import MARKOV_GAMES, GameTask, make_game_task
from baselines.learning.exploration import RunStreams
from baselines.system.atomic_files import StorageError
from baselines.training.agent_file import check_class, read_saved
from baselines.training.population import Population
from baselines.training.seeding import integer_seeds, run_seeds
from rl_envs.games import GAMES, NormalFormGame
from rl_envs.specification import Specification

SomeAgent = TypeVar("SomeAgent", bound="GameAgent")


class GameAgent(Population):
    """A population of R runs of N players each, who learn in a game together.

    Args:
        task: what to play: a `GameTask`, or what `make_game_task` makes one of (a name, a payoff table).
        runs: how many runs (numbered from 0), or a range of their numbers. A run's number decides its random numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: rounds that each run has learned from so far. Schedules count these.

    Raises:
        ValueError: no runs, a range with gaps, or a negative seed.
        TypeError: the Config of another agent, or a game that the agent cannot play.
    """

    task: GameTask
    _rollout: GameRollout | None

    def __init__(
        self, task: GameTask | NormalFormGame | str, *, runs: int | range = 1, seed: int = 0, config: Any = None
    ) -> None:
        game_task = make_game_task(task)
        self.check_task(game_task)
        super().__init__(game_task, runs=runs, seed=seed, config=config)
        self._streams = {
            "exploration": RunStreams(self._player_seeds("exploration", self.copies)),
            "greedy": RunStreams(self._player_seeds("greedy", 1)),
        }

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        """Raise TypeError if agents of this class cannot play the game.

        Args:
            task: the game.
        """
        return  # an agent that plays everything has nothing to refuse

    @property
    def rollout(self) -> GameRollout:
        """Where the runs play; the first episodes begin when this is first asked for."""
        if self._rollout is None:
            num_copies, task = self.num_runs * self.copies, self.task
            if isinstance(task.table, NormalFormGame):
                self._rollout = MatrixGameRollout(task.table, num_copies, task.max_cycles)
            else:
                self._rollout = MarkovGameRollout(task, num_copies, self._first_environment_seed)
        return self._rollout

    def pettingzoo_rollout(self) -> PettingZooRollout:
        """New PettingZoo environments, one for each run, that play as `rollout` does from the start."""
        num_copies = self.num_runs * self.copies
        envs = [self.task.make_parallel_env() for _ in range(num_copies)]
        seeds = range(self._first_environment_seed, self._first_environment_seed + num_copies)
        return PettingZooRollout(envs, seeds, self.task.state_seen)

    def uniform(self, *, greedy: bool = False) -> np.ndarray:
        """The next random number of every player, [R * C, N] in [0, 1); acting greedily has its own streams, [R, N]."""
        return self._streams["greedy" if greedy else "exploration"].next().reshape(-1, self.task.num_players)

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action for every player of every run, each without knowing the others'.

        Args:
            observation: the state that all players of a run see, [R] int64.
            greedy: play by `strategies` and explore nothing. This draws no number that learning would draw.

        Returns:
            Actions [R, N] int64.
        """

    @abstractmethod
    def update(self, transition: JointTransition) -> dict[str, np.ndarray]:
        """Learn from one round of every run.

        Args:
            transition: the round.

        Returns:
            Metrics by name, each [R, N].
        """

    @abstractmethod
    def strategies(self) -> tuple[np.ndarray, ...]:
        """What the players have learned, one mixed strategy a player.

        Returns:
            N arrays, [R, A_i] in a matrix game and [R, S, A_i] in a Markov game.
        """

    @classmethod
    def load(
        cls: type[SomeAgent], path: str | os.PathLike[str], *, task: GameTask | NormalFormGame | str | None = None
    ) -> SomeAgent:
        """Load an agent of this class.

        Args:
            path: a file that `save` wrote.
            task: what it plays; needed where that was a payoff table of the user's own.

        Returns:
            The agent.

        Raises:
            StorageError: no such file, a truncated or foreign file, another agent's, another game's, or arrays of the
                wrong shape.
        """
        about, arrays = read_saved(Path(path))
        check_class(path, about, cls)
        own = _task_of(path, about) if task is None else make_game_task(task)
        if about["table"] != own.table_hash:
            raise StorageError(f"{path} was trained on another table than that of {own.name}: pass its own as task=")
        # The name decides the random numbers, and the rounds of an episode stand in it: under another name the same
        # payoffs would not go on as the saved agent would have.
        trained, given = (
            Specification(game, arguments)
            for game, arguments in ((about["game"], about["arguments"]), (own.game, own.arguments))
        )
        if trained != given:
            raise StorageError(f"{path} was trained on {trained}, but the task is {given}: pass its own as task=")
        return cls._resumed(path, own, about, arrays)

    def _about_task(self) -> dict[str, Any]:
        return {
            "game": self.task.game,
            "arguments": dict(self.task.arguments),
            "table": self.task.table_hash,
        }

    @property
    def _first_environment_seed(self) -> int:
        """The seed of run 0's first copy; that of copy c of run r is C r + c higher, whatever the population."""
        base = integer_seeds(run_seeds(self.seed, self.task.name, self.name, [0], "environment"), bits=62)[0]
        return base + self.runs.start * self.copies

    def _player_seeds(self, purpose: str, copies: int) -> list[np.random.SeedSequence]:
        """A seed for each player of each copy of each run, [R * C * N]."""
        columns = [
            run_seeds(self.seed, self.task.name, self.name, self.runs, f"{purpose} of player_{player}, copy {copy}")
            for copy in range(copies)
            for player in range(self.task.num_players)
        ]
        return [seed for of_run in zip(*columns) for seed in of_run]


def _task_of(path: object, about: Mapping[str, Any]) -> GameTask:
    """The task of a saved agent, where its name is enough to make it again."""
    if about["game"] in GAMES or about["game"] in MARKOV_GAMES:
        return make_game_task(about["game"], **about["arguments"])
    raise StorageError(f"{path} was trained on {about['game']}, which is no named game: pass it as task=")
