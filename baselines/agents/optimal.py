"""The solver's own policy: the ceiling of every table."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.task import TaskLike, make_task


@final
class Optimal(Agent):
    """Plays the exact optimal policy. It learns nothing.

    It sees the state even where other agents see less (BanditTestbed), because scores are normalised by the optimum
    with a known state.

    Args:
        task: what to play; it must have a table.
        runs: see `Agent`.
        seed: see `Agent`.
        config: there is nothing to configure.

    Raises:
        TypeError: the task has no table.
    """

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        task = make_task(task)
        if task.truth is None:
            raise TypeError(f"Optimal needs a world with a table, but {task.name} has none")
        super().__init__(task.revealed(), runs=runs, seed=seed, config=config)
        self._actions = task.truth.optimal_policy  # [S]
        self._num_actions = self.task.num_actions

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """The optimal action in each run's state."""
        return self._actions[observation]

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn nothing."""
        self.steps += 1
        return {}

    def policy(self) -> np.ndarray:
        """The optimal action with certainty, [R, S, A]."""
        policy = np.eye(self._num_actions)[self._actions]
        return np.broadcast_to(policy, (self.num_runs, *policy.shape))
