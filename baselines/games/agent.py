"""The interface of agents in games.

A game agent is a population of R runs, in each of which N players learn at the same time, each for itself. Everything
is indexed [run, player]. Each player of each run has its own random stream, and all players choose before any of them
sees the others' actions. Hyperparameters, random numbers and saving are shared with agents on worlds: `population.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from baselines.games.rollout import (
    GameRollout,
    JointTransition,
    MarkovGameRollout,
    MatrixGameRollout,
    PettingZooRollout,
)
from baselines.games.task import GameTask, make_game_task, registered_game_task
from baselines.training.population import Population
from baselines.training.seeding import integer_seeds, run_seeds
from rl_envs.games import NormalFormGame


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

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        """Raise TypeError if agents of this class cannot play the game.

        Args:
            task: the game.
        """
        return  # an agent that plays everything has nothing to refuse

    @property
    def rollout(self) -> GameRollout:
        """The games of the runs; first use begins the first episodes."""
        if self._rollout is None:
            num_envs, task = self.num_runs * self.num_envs, self.task
            if isinstance(task.table, NormalFormGame):
                self._rollout = MatrixGameRollout(task.table, num_envs, task.max_cycles)
            else:
                self._rollout = MarkovGameRollout(task, num_envs, self._first_environment_seed)
        return self._rollout

    def pettingzoo_rollout(self) -> PettingZooRollout:
        """New PettingZoo environments, one for each run, that play as `rollout` does from the start."""
        num_envs = self.num_runs * self.num_envs
        envs = [self.task.make_parallel_env() for _ in range(num_envs)]
        seeds = range(self._first_environment_seed, self._first_environment_seed + num_envs)
        return PettingZooRollout(envs, seeds, self.task.state_seen)

    def uniform(self, *, greedy: bool = False) -> np.ndarray:
        """The next random number of every player, [R * C, N] in [0, 1); acting greedily has its own streams, [R, N]."""
        return self.streams["greedy" if greedy else "exploration"].next().reshape(-1, self.task.num_players)

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action for every player of every run, each without knowing the others'.

        Args:
            observation: the state that all players of a run see, [R] int64.
            greedy: play `strategies`, without exploration, from a random stream of its own.

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
        """The learned mixed strategies, one per player.

        Returns:
            N arrays, [R, A_i] in a matrix game and [R, S, A_i] in a Markov game.
        """

    @classmethod
    def registered_task(cls, metadata: Mapping[str, Any]) -> GameTask | None:
        """The game that a saved agent's metadata names; None where nothing is registered by that name."""
        return registered_game_task(metadata)

    @property
    def _first_environment_seed(self) -> int:
        """The seed of run 0's first copy; that of copy c of run r is C r + c higher, whatever the population."""
        base = integer_seeds(run_seeds(self.seed, self.task.name, self.name, [0], "environment"), bits=62)[0]
        return base + self.runs.start * self.num_envs

    def stream_seeds(self, purpose: str, num_envs: int) -> list[np.random.SeedSequence]:
        """A seed for each player of each copy of each run, [R * C * N]."""
        columns = [
            self.seeds(f"{purpose} of player_{player}, copy {copy}")
            for copy in range(num_envs)
            for player in range(self.task.num_players)
        ]
        return [seed for of_run in zip(*columns) for seed in of_run]
