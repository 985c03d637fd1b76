"""Expected Sarsa with tables: Sarsa without the chance in its next action."""

from __future__ import annotations

from typing import final

import numpy as np

from baselines.agents.tabular import TabularAgent
from baselines.learning.action_values import mean_over_actions
from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, epsilon_greedy_policy
from baselines.learning.transition import Transition


@final
class ExpectedSarsa(TabularAgent):
    """Tabular Expected Sarsa, epsilon-greedy (van Seijen et al. 2009; Sutton & Barto 2018, section 6.6).

        for each step of an episode:
            A  <- any action with probability epsilon, otherwise argmax_a Q(S, a)
            R, S' <- take action A in state S
            Q(S, A) <- Q(S, A) + alpha [R + gamma sum_a pi(a | S') Q(S', a) - Q(S, A)]
                       with Q(S', .) = 0 if S' is terminal

    pi is the epsilon-greedy policy that the agent follows, its greedy part shared equally among tied actions. Learns
    what Sarsa learns, with less variance, because the mean over the next action is taken and not a sample of it.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: an `ExpectedSarsa.Config`.

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

        next_q = self.q[run, next_state]  # [R, A]
        next_policy = epsilon_greedy_policy(next_q, self.epsilon)  # [R, A]
        next_value = np.where(transition.terminated, 0.0, mean_over_actions(next_q, next_policy))
        target = transition.reward + self.task.discount * next_value
        td_error = target - self.q[run, state, action]
        self.q[run, state, action] += self.step_size(self.updates[run, state, action]) * td_error
        self.updates[run, state, action] += 1

        self.steps += 1
        return {"td_error": td_error}
