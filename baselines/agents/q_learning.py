"""Q-learning with tables: learn the value of the best policy while following another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.tabular import WORLD_PRESETS, TabularAgent, TabularConfig
from baselines.learning.transition import Transition
from baselines.learning.updates import q_learning_target


@dataclass(frozen=True)
class QLearningConfig(TabularConfig):
    """What can be set: as for every agent with a table."""


@final
class QLearning(TabularAgent):
    """Tabular Q-learning with epsilon-greedy exploration (Watkins 1989; Sutton & Barto 2018, section 6.5).

        Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]

    The target takes the best next action, whatever the agent then does: it learns about the greedy policy while it
    explores (off-policy).

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: a `QLearning.Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.

    Differences from the paper: alpha and epsilon fall on schedules, alpha for each action in each state by itself; ties
    are broken at random; where the time limit cuts an episode off, the target bootstraps from the last observation, for
    the episode could have gone on.
    """

    Config = QLearningConfig
    PRESETS = {world: QLearningConfig(**settings) for world, settings in WORLD_PRESETS.items()}

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move each run's value of what it did towards its target.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", [R].
        """
        next_q = self.values(self.task.observation_index(transition.next_observation))
        target = q_learning_target(transition.reward, transition.terminated, next_q, self.task.discount)
        td_error = self.learn(
            self.entry(self.task.observation_index(transition.observation), transition.action), target
        )
        self.steps += 1
        return {"td_error": td_error}
