"""Performance profiles: the share of runs above each score (Agarwal et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.comparison.measures import groups_of_runs, reaches
from baselines.comparison.statistics import (
    CONFIDENCE,
    RESAMPLES_OF_WORLDS,
    check_resamples,
    tails_of,
    wilson_ends,
)

# With fewer runs than this that do not do as the most of their world, a share is not left to the bootstrap.
FEW = 10


@dataclass(frozen=True, eq=False)
class Profile:
    """A performance profile: the share of runs at or above each threshold, with a confidence band.

    Attributes:
        thresholds: scores, [T].
        share: of runs that score the threshold or more, [T].
        low: lower ends of the intervals, one threshold at a time, [T].
        high: upper ends, [T].
    """

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def performance_profile(
    thresholds: np.ndarray,
    *strata: np.ndarray,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    resamples: int = RESAMPLES_OF_WORLDS,
) -> Profile:
    """The share of runs at or above each threshold, with equal weight for each world, and a confidence band.

    The share is of scores >= the threshold (rliable: > it), because the optimum itself, 1, is the threshold that
    matters most; scores that miss one by rounding alone, `EDGE`, have reached it.

    The band holds at each threshold by itself, not at all of them together. Of several worlds it is the stratified
    percentile bootstrap, runs resampled within their own world, as in rliable. A bootstrap knows nothing of what has
    not happened: with four worlds of 15 runs that succeed with probability 0.99, its interval holds the truth less than
    half of the time. So where fewer than `FEW` runs are on another side of the threshold than the most of their world,
    the band is Wilson's interval, for as many runs as would have the same variance in worlds that are alike (all runs,
    if worlds have equally many). That is wider than need be where worlds differ. Of one world it is Wilson's interval
    throughout: the count of runs is binomial there, and nothing needs to be drawn.

    Args:
        thresholds: scores, [T].
        strata: scores of the runs of each world, each [R]: one world of at least one run, or several of at least two.
        confidence: the share of such intervals that hold the true share, at one threshold.
        seed: of the resampling.
        resamples: number of bootstrap resamples.

    Returns:
        The profile.

    Raises:
        ValueError: thresholds that are no row of finite numbers, no groups, too few runs, a run that is NaN or
            infinite, a confidence outside (0, 1), or no resamples.

    Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice.
    """
    thresholds = np.asarray(thresholds, dtype=np.float64)
    if thresholds.ndim != 1 or not len(thresholds) or not np.isfinite(thresholds).all():
        raise ValueError(f"thresholds must be a row of finite scores, at least one, but are {thresholds}")
    groups = groups_of_runs(strata, at_least=min(2, len(strata)))
    reached = [reaches(group[:, None], thresholds) for group in groups]
    share = np.mean([group.mean(axis=0) for group in reached], axis=0)
    low, high = wilson_ends(share, len(groups) ** 2 / sum(1 / len(group) for group in groups), confidence)
    if len(groups) > 1:
        minority = sum(np.minimum(group.sum(axis=0), (~group).sum(axis=0)) for group in reached)
        few = minority < FEW
        resampled = _bootstrap_shares(reached, confidence, seed, resamples)
        low, high = np.where(few, low, resampled[0]), np.where(few, high, resampled[1])
    return Profile(thresholds, share, low, high)


def _bootstrap_shares(
    reached: Sequence[np.ndarray], confidence: float, seed: int, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the percentile intervals of the mean share over groups, as `scipy.stats.bootstrap` draws them.

    A resample is described by how often it has each run, so that its shares at all thresholds are one product of
    matrices. SciPy would hold each resample of each threshold, a hundred times as much.

    Args:
        reached: whether each run of a group reached each threshold, each [R, T].
        confidence: the share of such intervals that hold the true share.
        seed: of the resampling.
        resamples: number of bootstrap resamples.
    """
    tails = tails_of(confidence)
    check_resamples(resamples)
    rng = np.random.default_rng(seed)
    total = np.zeros((resamples, reached[0].shape[1]))
    for runs in reached:
        total += _multiplicities(len(runs), resamples, rng) @ runs.astype(np.float64) / len(runs)
    low, high = np.quantile(total / len(reached), tails, axis=0)
    return low, high


def _multiplicities(runs: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each resample has each run, [resamples, R] of float64."""
    drawn = rng.integers(0, runs, (resamples, runs)) + runs * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * runs).reshape(resamples, runs).astype(np.float64)
