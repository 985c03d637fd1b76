"""Expected Sarsa with tables: Sarsa without the chance in its next action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.tabular import WORLD_PRESETS, TabularAgent, TabularConfig
from baselines.learning.exploration import epsilon_greedy_policy
from baselines.learning.transition import Transition
from baselines.learning.updates import expected_sarsa_target


@dataclass(frozen=True)
class ExpectedSarsaConfig(TabularConfig):
    """What can be set: as for every agent with a table."""


@final
class ExpectedSarsa(TabularAgent):
    """Tabular Expected Sarsa, epsilon-greedy (van Seijen et al. 2009; Sutton & Barto 2018, section 6.6).

        Q(S, A) <- Q(S, A) + alpha [R + gamma sum_a pi(a | S') Q(S', a) - Q(S, A)]

    pi is the epsilon-greedy policy that the agent follows, its greedy part shared equally among tied actions. Learns
    what Sarsa learns, with less variance, because the mean over the next action is taken and not a sample of it.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
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

    Config = ExpectedSarsaConfig
    PRESETS = {world: ExpectedSarsaConfig(**settings) for world, settings in WORLD_PRESETS.items()}

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move each run's value of what it did towards its target.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", [R].
        """
        next_q = self.values(self.task.observation_index(transition.next_observation))
        policy = epsilon_greedy_policy(next_q, self.epsilon)
        target = expected_sarsa_target(transition.reward, transition.terminated, next_q, policy, self.task.discount)
        td_error = self.learn(
            self.entry(self.task.observation_index(transition.observation), transition.action), target
        )
        self.steps += 1
        return {"td_error": td_error}
