"""Q-learning with tables: learn the value of the best policy while following another."""

from __future__ import annotations

from typing import final

import numpy as np

from baselines.agents.tabular import TabularAgent
from baselines.learning.action_values import max_over_actions
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy
from baselines.learning.transition import Transition


@final
class QLearning(TabularAgent):
    """Tabular Q-learning with epsilon-greedy exploration (Watkins 1989; Sutton & Barto 2018, section 6.5).

        for each step of an episode:
            A  <- any action with probability epsilon, otherwise argmax_a Q(S, a)
            R, S' <- take action A in state S
            Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]    with Q(S', .) = 0 if S' is terminal

    The target takes the best next action, whatever the agent then does: it learns about the greedy policy while it
    explores (off-policy).

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
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

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        run, state = np.arange(self.num_runs), self.task.observation_index(observation)
        q = self.q[run, state]  # [R, A]
        if greedy:
            return argmax_random_ties(q, self.uniform(greedy=True))
        return epsilon_greedy(q, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move each run's value of what it did towards its target; gives "td_error", [R]."""
        run = np.arange(self.num_runs)
        state, action = self.task.observation_index(transition.observation), transition.action
        next_state = self.task.observation_index(transition.next_observation)

        next_value = np.where(transition.terminated, 0.0, max_over_actions(self.q[run, next_state]))
        target = transition.reward + self.task.discount * next_value
        td_error = target - self.q[run, state, action]
        self.q[run, state, action] += self.step_size(self.updates[run, state, action]) * td_error
        self.updates[run, state, action] += 1

        self.steps += 1
        return {"td_error": td_error}
