"""Exact results about bandits: the regret of the uniform policy, and bounds on the regret of learning.

Regret here is the expected pseudo-regret of T pulls: the sum over pulls of mu* - mu(arm pulled), where mu* is the
largest of the arms' means. It never falls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rl_envs.mdp.finite_mdp import check_integer


def gaps(means: Sequence[float] | np.ndarray) -> np.ndarray:
    """How much less each arm pays on average than the best one: the pseudo-regret of a pull.

    Args:
        means: mean rewards [..., A].

    Returns:
        Array [..., A], 0 for the best arm.
    """
    array = np.asarray(means, dtype=np.float64)
    return array.max(axis=-1, keepdims=True) - array


def uniform_regret(means: Sequence[float] | np.ndarray, pulls: int) -> float:
    """The expected regret of the uniform policy: T times the mean gap.

    Args:
        means: mean reward of each arm, [A].
        pulls: T, at least 0.

    Returns:
        The regret, in units of reward.

    Raises:
        ValueError: no arms, a mean that is not finite, or a negative number of pulls.
        TypeError: an argument of the wrong type.
    """
    arms = check_arms("means", means)
    return check_integer("pulls", pulls, low=0) * float(gaps(arms).mean())


def lai_robbins_gaussian(means: Sequence[float] | np.ndarray, std: float = 1.0) -> float:
    """The Lai-Robbins constant for Gaussian rewards with a known standard deviation.

    No algorithm whose regret is o(T^a) on every such bandit for every a > 0 has a regret that grows more slowly than
    this constant times ln(T). Each arm with a gap adds gap / KL, with KL = gap^2 / (2 std^2) between it and the best
    arm.

    Args:
        means: mean reward of each arm, [A].
        std: standard deviation of every arm's reward, at least 0. Without noise one pull per arm is enough: the
            constant is 0.

    Returns:
        The constant; 0 where all arms are equally good.

    Raises:
        ValueError: no arms, a number that is not finite, or a negative standard deviation.
        TypeError: an argument of the wrong type.

    Source: Lai & Robbins (1985), Asymptotically efficient adaptive allocation rules, theorem 1.
    """
    gap = gaps(check_arms("means", means))
    return float((2 * check_std(std) ** 2 / gap[gap > 0]).sum())


def lai_robbins_bernoulli(probabilities: Sequence[float] | np.ndarray) -> float:
    """The Lai-Robbins constant for rewards of 0 or 1.

    As `lai_robbins_gaussian`, with the divergence of Bernoulli distributions. If the best probability is exactly 1, a
    single 0 rules an arm out: the divergence is infinite, and the constant is 0.

    Args:
        probabilities: each arm's probability of paying 1, [A].

    Returns:
        The constant; 0 where all arms are equally good.

    Raises:
        ValueError: no arms, or a probability outside [0, 1].
        TypeError: an argument of the wrong type.

    Source: Lai & Robbins (1985), Asymptotically efficient adaptive allocation rules, theorem 1.
    """
    arms = check_arms("probabilities", probabilities, low=0.0, high=1.0)
    best = float(arms.max())
    return math.fsum((best - p) / bernoulli_divergence(p, best) for p in arms.tolist() if p < best)


def bernoulli_divergence(p: float, q: float) -> float:
    """The Kullback-Leibler divergence from a Bernoulli(p) to a Bernoulli(q) variable.

    Args:
        p: probability of 1 under the true distribution.
        q: probability of 1 under the other.

    Returns:
        The divergence in nats; infinite where q rules out what p allows.

    Raises:
        ValueError: a probability outside [0, 1].
    """
    total = 0.0
    for here, there in ((p, q), (1 - p, 1 - q)):
        if not (0 <= here <= 1 and 0 <= there <= 1):
            raise ValueError(f"probabilities must be in [0, 1], but are {p} and {q}")
        if here > 0:
            total += here * math.log(here / there) if there > 0 else math.inf
    return total


def ucb1_regret_bound(means: Sequence[float] | np.ndarray, pulls: int) -> float:
    """The proven upper bound on UCB1's regret after any number of pulls.

    It is 8 ln(T) times the sum of 1 / gap, plus (1 + pi^2 / 3) times the sum of gaps, over arms with a gap, for the
    algorithm that pulls every arm once and then the one with the largest mean + sqrt(2 ln(t) / pulls of it).

    Args:
        means: mean reward of each arm, [A], in [0, 1]; the proof needs every reward to be inside [0, 1] too.
        pulls: T, at least 1.

    Returns:
        The bound, in units of reward; 0 where all arms are equally good.

    Raises:
        ValueError: no arms, a mean outside [0, 1], or no pulls.
        TypeError: an argument of the wrong type.

    Source: Auer, Cesa-Bianchi & Fischer (2002), Finite-time analysis of the multiarmed bandit problem, theorem 1.
    """
    gap = gaps(check_arms("means", means, low=0.0, high=1.0))
    gap = gap[gap > 0]
    log_pulls = math.log(check_integer("pulls", pulls, low=1))
    return float(8 * log_pulls * (1 / gap).sum() + (1 + math.pi**2 / 3) * gap.sum())


def check_arms(
    name: str, values: Sequence[float] | np.ndarray, *, low: float = -math.inf, high: float = math.inf
) -> np.ndarray:
    """One finite number per arm as an array [A]; otherwise a ValueError or TypeError that names the argument."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal length
        raise TypeError(f"{name} must be numbers, one per arm, but is {values!r}") from None
    if array.dtype.kind not in "fiu" and array.size:
        raise TypeError(f"{name} must be numbers, one per arm, but is {values!r}")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a list with a number for each of at least one arm, but is {values!r}")
    for arm, value in enumerate(array.tolist()):
        if not (math.isfinite(value) and low <= value <= high):
            rule = "finite" if math.isinf(low) else f"in [{low:g}, {high:g}]"
            raise ValueError(f"{name} must be {rule}, but arm {arm} has {value}")
    return array.astype(np.float64)


def check_std(std: float) -> float:
    """A standard deviation as a float; raises ValueError or TypeError unless it is finite and at least 0."""
    if isinstance(std, bool) or not isinstance(std, (int, float, np.integer, np.floating)):
        raise TypeError(f"std must be a number, but is {std!r}")
    if not 0 <= std < math.inf:
        raise ValueError(f"std must be finite and at least 0, but is {std}")
    return float(std)
