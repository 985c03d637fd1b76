"""Double Q-learning with tables: one table chooses the best next action, the other says what it is worth."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.learning.action_values import value_of_best_action
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.learning.transition import Transition
from baselines.training.task import TaskLike


@final
class DoubleQLearning(TabularAgent):
    """Tabular Double Q-learning, epsilon-greedy in the sum of its tables (van Hasselt 2010; Sutton & Barto 2018, 6.7).

        for each step of an episode:
            A  <- any action with probability epsilon, otherwise argmax_a Q1(S, a) + Q2(S, a)
            R, S' <- take action A in state S
            with probability 1/2:
                Q1(S, A) <- Q1(S, A) + alpha [R + gamma Q2(S', argmax_a Q1(S', a)) - Q1(S, A)]
            otherwise the same with Q1 and Q2 exchanged;    Q1(S', .) = Q2(S', .) = 0 if S' is terminal

    The maximum of noisy estimates is too high on average, and Q-learning believes it. Here the noise that makes one
    table choose an action is not in the other table, which values it.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
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

    PRESETS = {
        **TabularAgent.PRESETS,
        # What looks good untried does so in each table until that one has learned, so more is left to chance.
        "RobotGrasp": TabularConfig(step_size_half_life=math.inf, initial_value=0.5, epsilon=0.3, final_epsilon=0.3),
    }

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: TabularConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.add_stream("coin")

    def table_shape(self) -> tuple[int, ...]:
        """Two tables a run."""
        return 2, *super().table_shape()

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy in the sum of both tables, or greedy; ties are broken at random in either case."""
        run, state = np.arange(self.num_runs), self.task.observation_index(observation)
        q = self.q[run, 0, state] + self.q[run, 1, state]  # [R, A]
        if greedy:
            return argmax_random_ties(q, self.uniform(greedy=True))
        return epsilon_greedy(q, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move one of each run's two values of what it did towards its target; gives "td_error", [R]."""
        run = np.arange(self.num_runs)
        state, action = self.task.observation_index(transition.observation), transition.action
        next_state = self.task.observation_index(transition.next_observation)

        table = (self.streams["coin"].next() < 0.5).astype(np.int64)  # [R] which one learns, 0 or 1
        choosing_q = self.q[run, table, next_state]  # [R, A]
        valuing_q = self.q[run, 1 - table, next_state]  # [R, A]
        next_value = np.where(transition.terminated, 0.0, value_of_best_action(choosing_q, valuing_q))
        target = transition.reward + self.task.discount * next_value
        td_error = target - self.q[run, table, state, action]
        self.q[run, table, state, action] += self.step_size(self.updates[run, table, state, action]) * td_error
        self.updates[run, table, state, action] += 1

        self.steps += 1
        return {"td_error": td_error}

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q1 + Q2, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.q.sum(axis=1))[:, self.task.observation_index_in_state]
