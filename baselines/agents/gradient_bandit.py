"""GradientBandit: prefer what has paid more than usual. The simplest policy gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.bandit import BanditAgent
from baselines.learning.exploration import sample_action, softmax
from baselines.learning.hyperparameters import Hyperparameters, PositiveFinite
from baselines.learning.updates import gradient_bandit_step, sample_average
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class GradientBanditConfig(Hyperparameters):
    """Hyperparameters."""

    step_size: PositiveFinite = 0.1  # alpha, above 0, per unit of reward
    baseline: bool = True  # whether to subtract the mean reward so far


@final
class GradientBandit(BanditAgent):
    """Gradient ascent on the mean reward of a softmax policy (Sutton & Barto 2018, section 2.8).

        pi(a) = exp(H(a)) / sum_b exp(H(b));     H(a) <- H(a) + alpha (R - baseline) (1[a = A] - pi(a))  for every arm a

    Preferences H are no estimates of rewards: only their differences mean anything. The baseline is the mean of the
    rewards before this one (in the first step it is the reward itself, and nothing moves); without it, rewards that are
    all large drown the difference between arms.

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `GradientBandit.Config`.

    Attributes:
        pulls: how often each arm was pulled, [R, A] int64.
        preference: H, [R, A] float64.
        mean_reward: the mean of all rewards so far, [R] float64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.

    Differences from the book: none (its errata leave the present reward out of the baseline, as here).
    """

    Config = GradientBanditConfig

    def __init__(
        self,
        task: TaskLike,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: GradientBanditConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.preference = np.zeros(self.pulls.shape)
        self.mean_reward = np.zeros(self.num_runs)

    def estimates(self) -> np.ndarray:
        """The preferences."""
        return self.preference

    def choose(self) -> np.ndarray:
        """An arm drawn from the softmax of the preferences."""
        return sample_action(softmax(self.preference), self.uniform())

    def learn(self, arm: np.ndarray, reward: np.ndarray) -> None:
        """Move all preferences, then the mean reward."""
        count = self.pulls.sum(axis=1)
        if self.config.baseline:
            baseline = np.where(count == 1, reward, self.mean_reward)
        else:
            baseline = np.zeros(self.num_runs)
        probabilities = softmax(self.preference)
        self.preference += self.config.step_size * gradient_bandit_step(probabilities, arm, reward, baseline)
        self.mean_reward = sample_average(self.mean_reward, reward, count)

    def parts(self) -> dict[str, object]:
        return {**super().parts(), "preference": self.preference, "mean_reward": self.mean_reward}
