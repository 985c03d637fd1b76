"""Thompson: pull each arm as often as it is likely to be the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from scipy.special import betaincinv, ndtri

from baselines.agents.bandit import BanditAgent
from baselines.learning.exploration import argmax_random_ties
from baselines.learning.hyperparameters import Finite, Hyperparameters, PositiveFinite
from baselines.learning.updates import gaussian_posterior
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class ThompsonConfig(Hyperparameters):
    """Hyperparameters: the prior of every arm's mean."""

    prior: Literal["gaussian", "beta"] = "gaussian"  # gaussian, for any rewards, or beta, for rewards of 0 and 1
    prior_mean: Finite = 0.0  # mean of the Gaussian prior, in units of reward
    prior_std: PositiveFinite = 1.0  # its standard deviation
    noise_std: PositiveFinite = 1.0  # known standard deviation of a reward in the Gaussian model
    successes: PositiveFinite = 1.0  # first parameter of the Beta prior, as if so many ones had been seen
    failures: PositiveFinite = 1.0  # second parameter, as if so many zeros had been seen


@final
class Thompson(BanditAgent):
    """Thompson sampling (Thompson 1933; Russo et al. 2018): draw every arm's mean from the belief, take the best.

        mu(a) ~ belief of arm a's mean, given what it has paid;      A = argmax_a mu(a)

    The belief starts as the prior. It is Gaussian (mean and noise Gaussian, the noise's size known) or Beta (rewards of
    0 and 1). It is the mean that is drawn, not a reward: an arm that is well known is drawn close to its mean however
    noisy it is.

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: a `Thompson.Config`.

    Attributes:
        pulls: how often each arm was pulled, [R, A] int64.
        total: the sum of what each arm has paid, [R, A] float64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.
        ValueError: from `update`, with the Beta prior: a reward that is neither 0 nor 1.

    Differences from the papers: none. Draws are inverse distribution functions of uniform numbers, so that each run
    uses as many of its stream as any other.
    """

    Config = ThompsonConfig
    PRESETS = {"Bernoulli": ThompsonConfig(prior="beta")}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: ThompsonConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.total = np.zeros(self.pulls.shape)

    def belief(self) -> tuple[np.ndarray, np.ndarray]:
        """What is believed of each arm's mean: its mean and standard deviation, or Beta's a and b, each [R, A]."""
        config = self.config
        if config.prior == "beta":
            return config.successes + self.total, config.failures + self.pulls - self.total
        return gaussian_posterior(self.total, self.pulls, config.prior_mean, config.prior_std, config.noise_std)

    def estimates(self) -> np.ndarray:
        """The mean of the belief."""
        first, second = self.belief()
        return first / (first + second) if self.config.prior == "beta" else first

    def choose(self) -> np.ndarray:
        """The best arm in a world drawn from the belief."""
        uniform = np.stack([self.uniform() for _ in range(self.pulls.shape[1])], axis=1)  # [R, A]
        first, second = self.belief()
        drawn = betaincinv(first, second, uniform) if self.config.prior == "beta" else first + second * ndtri(uniform)
        return argmax_random_ties(drawn, self.uniform())

    def learn(self, arm: np.ndarray, reward: np.ndarray) -> None:
        """Add what was paid to the arm's sum."""
        if self.config.prior == "beta" and not np.isin(reward, (0.0, 1.0)).all():
            offender = reward[~np.isin(reward, (0.0, 1.0))][0]
            raise ValueError(f'rewards must be 0 or 1 with prior "beta", but one is {offender}: use prior "gaussian"')
        self.total[self._run, arm] += reward

    def parts(self) -> dict[str, object]:
        return {**super().parts(), "total": self.total}
