"""Double Q-learning with tables: one table chooses the best next action, the other says what it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.tabular import WORLD_PRESETS, TabularAgent, TabularConfig
from baselines.learning.exploration import RunStreams, greedy_policy
from baselines.learning.transition import Transition
from baselines.learning.updates import double_q_target
from baselines.training.task import Task
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class DoubleQLearningConfig(TabularConfig):
    """What can be set: as for every agent with a table."""


@final
class DoubleQLearning(TabularAgent):
    """Tabular Double Q-learning, epsilon-greedy in the sum of its tables (van Hasselt 2010; Sutton & Barto 2018, 6.7).

        with probability 1/2   Q1(S, A) <- Q1(S, A) + alpha [R + gamma Q2(S', argmax_a Q1(S', a)) - Q1(S, A)]
        otherwise              the same with Q1 and Q2 exchanged

    The maximum of noisy estimates is too high on average, and Q-learning believes it. Here the noise that makes one
    table choose an action is not in the other table, which values it.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: a `DoubleQLearning.Config`.

    Attributes:
        q: both tables of estimated action values, [R, 2, S, A] float64, where S counts the observations.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.

    Differences from the paper: alpha and epsilon fall on schedules, alpha for each action in each state by itself; ties
    are broken at random when acting, and the target takes the mean over actions that are tied in the choosing table;
    where the time limit cuts an episode off, the target bootstraps from the last observation, for the episode could
    have gone on.
    """

    Config = DoubleQLearningConfig
    PRESETS = {
        "SubtaskGrid": DoubleQLearningConfig(**WORLD_PRESETS["SubtaskGrid"]),
        "FourRooms": DoubleQLearningConfig(**WORLD_PRESETS["FourRooms"]),
        # What looks good untried does so in each table until that one has learned, so more is left to chance.
        "RobotGrasp": DoubleQLearningConfig(
            step_size_half_life=math.inf, initial_value=0.5, epsilon=0.3, final_epsilon=0.3
        ),
    }

    def __init__(
        self,
        task: Task | World | str,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: DoubleQLearningConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self._streams["coin"] = RunStreams(self.seeds("coin"))

    def table_shape(self) -> tuple[int, ...]:
        """Two tables a run."""
        return 2, *super().table_shape()

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move one of each run's two values of what it did towards its target.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", [R].
        """
        learner = (self._streams["coin"].next() < 0.5).astype(np.int64)  # [R] which table learns: it chooses too
        next_state = self.task.observation_index(transition.next_observation)
        target = double_q_target(
            transition.reward,
            transition.terminated,
            choosing_q=self.table_values(next_state, learner),
            valuing_q=self.table_values(next_state, 1 - learner),
            discount=self.task.discount,
        )
        entry = self.entry(self.task.observation_index(transition.observation), transition.action, learner)
        td_error = self.learn(entry, target)
        self.steps += 1
        return {"td_error": td_error}

    def values(self, state: np.ndarray) -> np.ndarray:
        """The sum of both tables, by which the agent acts, [R, A]."""
        return self.table_values(state, 0) + self.table_values(state, 1)

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q1 + Q2, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.q.sum(axis=1))[:, self.task.observation_index_in_state]
