"""Softmax: the better an arm has paid, the more often it is pulled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.bandit import ValueBandit, ValueConfig
from baselines.learning.exploration import sample_action, softmax
from baselines.learning.schedules import harmonic


@dataclass(frozen=True)
class SoftmaxConfig(ValueConfig):
    """Hyperparameters, besides those of the arms' values."""

    temperature: float = 0.2  # tau at step 0, in units of reward: arms closer than this are pulled about equally often
    temperature_half_life: float = float("inf")  # steps until half of it is left, decaying harmonically; inf for never

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.temperature < np.inf:
            raise ValueError(f"temperature must be positive and finite, but is {self.temperature}")
        if not self.temperature_half_life > 0:
            raise ValueError(f"temperature_half_life must be positive, but is {self.temperature_half_life}")


@final
class Softmax(ValueBandit):
    """Boltzmann exploration over action values (Luce 1959; Sutton & Barto 2018, section 2.10 and its history).

        P(a) = exp(Q(a) / tau) / sum_b exp(Q(b) / tau);      Q(A) <- Q(A) + (R - Q(A)) / N(A)

    Bad arms are pulled less than middling ones, unlike under epsilon-greedy. Only differences of values count, so the
    largest is subtracted before the exponentials are taken, and no reward is too large for them.

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `Softmax.Config`.

    Attributes:
        pulls: how often each arm was pulled, N, [R, A] int64.
        value: what each arm is thought to pay, Q, [R, A] float64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.

    Differences from the book: tau may fall.
    """

    Config = SoftmaxConfig

    @property
    def temperature(self) -> float:
        """Tau at this step."""
        return harmonic(self.steps, self.config.temperature, self.config.temperature_half_life)

    def choose(self) -> np.ndarray:
        """An arm drawn in proportion to the exponentials of value / tau."""
        return sample_action(softmax(self.value / self.temperature), self.uniform())
