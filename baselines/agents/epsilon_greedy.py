"""EpsilonGreedy: the arm that has paid best so far, and now and then any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.bandit import ValueBandit, ValueConfig
from baselines.learning.exploration import epsilon_greedy
from baselines.learning.schedules import harmonic
from rl_envs.mdp.finite_mdp import check_probability


@dataclass(frozen=True)
class EpsilonGreedyConfig(ValueConfig):
    """Hyperparameters, besides those of the arms' values."""

    epsilon: float = 0.1  # probability of pulling any arm at step 0; 0 for greedy
    epsilon_half_life: float = float("inf")  # steps until half of it is left, decaying harmonically; inf for never

    def __post_init__(self) -> None:
        super().__post_init__()
        check_probability("epsilon", self.epsilon)
        if not self.epsilon_half_life > 0:
            raise ValueError(f"epsilon_half_life must be positive, but is {self.epsilon_half_life}")


@final
class EpsilonGreedy(ValueBandit):
    """Epsilon-greedy action values (Sutton & Barto 2018, sections 2.2 to 2.6).

        A = argmax_a Q(a) with probability 1 - epsilon, else any arm;      Q(A) <- Q(A) + (R - Q(A)) / N(A)

    With constant epsilon its regret grows by epsilon times the mean gap a step, for ever; greedy (`epsilon=0`) may
    settle on a bad arm, unless it starts optimistic (`initial_value` above what arms pay, with a constant `step_size`).

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: an `EpsilonGreedy.Config`.

    Attributes:
        pulls: how often each arm was pulled, N, [R, A] int64.
        value: what each arm is thought to pay, Q, [R, A] float64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.

    Differences from the book: epsilon may fall.
    """

    Config = EpsilonGreedyConfig

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        return harmonic(self.steps, self.config.epsilon, self.config.epsilon_half_life)

    def choose(self) -> np.ndarray:
        """Epsilon-greedy in the values; ties are broken at random."""
        return epsilon_greedy(self.value, self.epsilon, explore=self.uniform(), choice=self.uniform())
