"""Every action with the same probability: the floor of every table."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from baselines.learning.exploration import uniform_action
from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.task import TaskLike


@final
class Random(Agent):
    """The uniform policy. It learns nothing, and its score is 0 by the definition of the score.

    Args:
        task: what to play; its actions must be Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: there is nothing to configure.
    """

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self._num_actions = self.task.num_actions

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Any action, whatever is observed."""
        return uniform_action(self._num_actions, self.uniform(greedy=greedy))

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn nothing."""
        self.steps += 1
        return {}

    def policy(self) -> np.ndarray:
        """Equal probabilities, [R, S, A]."""
        num_states = len(self.task.observation_index_in_state)
        return np.full((self.num_runs, num_states, self._num_actions), 1 / self._num_actions)
