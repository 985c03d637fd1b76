"""UCB1: the arm with the highest upper confidence bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.bandit import ValueBandit, ValueConfig
from baselines.learning.exploration import argmax_random_ties
from baselines.learning.updates import upper_confidence_bound


@dataclass(frozen=True)
class UCB1Config(ValueConfig):
    """Hyperparameters, besides those of the arms' values."""

    exploration: float = math.sqrt(2)  # c, in units of reward; sqrt(2) is UCB1 for rewards in [0, 1]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.exploration < math.inf:
            raise ValueError(f"exploration must be finite and at least 0, but is {self.exploration}")


@final
class UCB1(ValueBandit):
    """Upper confidence bounds (Auer, Cesa-Bianchi & Fischer 2002; Sutton & Barto 2018, section 2.7).

        A = argmax_a Q(a) + c sqrt(ln t / N(a));      Q(A) <- Q(A) + (R - Q(A)) / N(A)

    t counts the pulls so far. Every arm is pulled once first, in random order and whatever the others pay. An arm is
    then pulled if it is good or if little is known of it. With rewards in [0, 1] and c = sqrt(2) the regret never
    exceeds `rl_envs.mdp.bandit_theory.ucb1_regret_bound`, which grows with ln t.

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `UCB1.Config`.

    Attributes:
        pulls: how often each arm was pulled, N, [R, A] int64.
        value: what each arm is thought to pay, Q, [R, A] float64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.

    Differences from the paper: ties are broken at random. (The book counts the pull that is being chosen in t.)
    """

    Config = UCB1Config

    def choose(self) -> np.ndarray:
        """The arm with the highest bound; ties are broken at random."""
        return argmax_random_ties(
            upper_confidence_bound(self.value, self.pulls, self.config.exploration), self.uniform()
        )
