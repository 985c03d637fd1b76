"""Confidence intervals over runs: means, differences, interquartile means, and shares of runs.

Every statistic needs complete data. A missing or NaN run is an error that names it and is never dropped, because runs
that fail are not missing at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from baselines.comparison.measures import (
    groups_of_runs,
    mean_of_part,
    middle_half_mean,
    one_score_a_run,
    reaches,
)

# Confidence of every interval.
CONFIDENCE = 0.95

# Resamples of a bootstrap: enough that the ends of an interval hardly depend on the seed.
RESAMPLES = 9_999

# Resamples over all runs of many worlds, each of which costs as much as all of its runs. The ends of an interval then
# depend on the seed by about a twentieth of its half length.
RESAMPLES_OF_WORLDS = 2_000

# Tolerance for equal scores: they come from linear solves, whose last digits differ.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """An estimate between the ends of its interval."""

    estimate: float
    low: float
    high: float


def mean_interval(
    *strata: np.ndarray, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of the means of one or more groups of runs, with a stratified bootstrap interval.

    Runs are resampled within their own group (a world, say), so that every resample has as many runs of each group as
    the data. The interval is bias-corrected and accelerated. If the runs of every group are all equal, its length is 0:
    a bootstrap cannot show variation that is not in the data.

    Args:
        strata: scores of the runs of each group, each [R], at least two runs.
        confidence: the share of such intervals that hold the true mean.
        seed: of the resampling.
        resamples: number of bootstrap resamples.

    Returns:
        The mean with its interval.

    Raises:
        ValueError: no groups, fewer than two runs in one, a run that is NaN or infinite, a confidence
            outside (0, 1), or no resamples.

    Source: `scipy.stats.bootstrap`; Efron (1987), Better bootstrap confidence intervals.
    """
    groups = groups_of_runs(strata, at_least=2)
    estimate = float(np.mean([group.mean() for group in groups]))

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean([sample.mean(axis=axis) for sample in samples], axis=0)

    return _bootstrap(groups, estimate, statistic, confidence, seed, resamples)


def difference_interval(
    first: np.ndarray,
    second: np.ndarray,
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of the first runs minus that of the second, with a bootstrap interval; the two are independent.

    Args:
        first: scores [R1], at least two.
        second: scores [R2], at least two.
        confidence: the share of such intervals that hold the true difference.
        seed: of the resampling.
        resamples: number of bootstrap resamples.

    Returns:
        The difference with its interval.

    Raises:
        ValueError: fewer than two runs on a side, a run that is NaN or infinite, a confidence outside (0, 1),
            or no resamples.
    """
    groups = [
        one_score_a_run(first, "the first group", at_least=2),
        one_score_a_run(second, "the second group", at_least=2),
    ]
    estimate = float(groups[0].mean() - groups[1].mean())

    def statistic(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.mean(axis=axis) - b.mean(axis=axis)

    return _bootstrap(groups, estimate, statistic, confidence, seed, resamples)


def interquartile_mean(
    *strata: np.ndarray, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of the middle half of all runs of several worlds, with a stratified bootstrap interval.

    Use it for many worlds, where a few very hard or very easy ones would dominate the mean. On one world it could hide
    failures of up to a quarter of the runs, so that is refused. Always read it with the worst decile.

    `middle_half_mean` is the estimate. Runs are resampled within their own world, and the interval is bias-corrected
    and accelerated. Where that interval does not exist (every resample has the same middle half, as when all runs but a
    few reach the optimum) the percentile interval stands in its place.

    Args:
        strata: scores of the runs of each world, each [R], at least two worlds of at least two runs.
        confidence: the share of such intervals that hold the true value.
        seed: of the resampling.
        resamples: number of bootstrap resamples.

    Returns:
        The interquartile mean with its interval.

    Raises:
        ValueError: a single world or none, fewer than two runs in one, a run that is NaN or infinite, a confidence
            outside (0, 1), or no resamples.

    Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice.
    """
    estimate = middle_half_mean(*strata)
    groups = groups_of_runs(strata, at_least=2)

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return mean_of_part(samples, 0.25, 0.75, axis=axis)

    return _bootstrap(groups, estimate, statistic, confidence, seed, resamples)


def wilson_interval(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's interval, whose coverage holds near 0 and 1 too.

    Args:
        successes: number of successful runs.
        trials: number of runs, at least 1.
        confidence: the share of such intervals that hold the true probability.

    Returns:
        The share with its interval.

    Raises:
        ValueError: no runs, more successes than runs, or a confidence outside (0, 1).

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes must be in 0..trials and trials at least 1, but are {successes} and {trials}")
    low, high = wilson_ends(np.array(successes / trials), trials, confidence)
    return Interval(successes / trials, float(low), float(high))


def share_within(scores: np.ndarray, tolerance: float = 0.01) -> Interval:
    """The solve rate: the share of runs within a tolerance of the optimal score 1, with Wilson's interval.

    Args:
        scores: [R].
        tolerance: how far below 1 a score may be.

    Returns:
        The share with its interval.

    Raises:
        ValueError: no runs, or a run that is NaN or infinite.
    """
    runs = one_score_a_run(scores, "the group")
    return wilson_interval(int(reaches(runs, 1 - tolerance).sum()), len(runs))


def _bootstrap(
    groups: Sequence[np.ndarray],
    estimate: float,
    statistic: Callable[..., np.ndarray],
    confidence: float,
    seed: int,
    resamples: int,
) -> Interval:
    """The estimate with its bias-corrected and accelerated interval, each group resampled separately."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    tails = tails_of(confidence)
    check_resamples(resamples)
    if _all_alike(groups):
        return Interval(estimate, estimate, estimate)
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)  # answered below
        result = bootstrap(
            groups,
            statistic,
            n_resamples=resamples,
            vectorized=True,
            axis=-1,
            confidence_level=confidence,
            method="BCa",
            random_state=np.random.default_rng(seed),  # SciPy before 1.15 knows no `rng`
        )
    ends = result.confidence_interval
    if np.isnan(ends.low) or np.isnan(ends.high):
        # The acceleration is 0 / 0 where no single run matters to the statistic.
        return Interval(estimate, *np.quantile(result.bootstrap_distribution, tails).tolist())
    return Interval(estimate, float(ends.low), float(ends.high))


def wilson_ends(share: np.ndarray, trials: float, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of Wilson's interval for each share of so many trials."""
    from scipy.special import ndtri

    z = float(ndtri(tails_of(confidence)[1]))
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / (1 + z**2 / trials)
    # At 0 and 1 these are the exact ends, without rounding.
    return np.where(share == 0, 0.0, centre - half), np.where(share == 1, 1.0, centre + half)


def tails_of(confidence: float) -> tuple[float, float]:
    """The shares of a distribution below the two ends of an interval with so much inside."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, but is {confidence}")
    return (1 - confidence) / 2, (1 + confidence) / 2


def check_resamples(resamples: int) -> None:
    """Raise ValueError for no resamples."""
    if resamples < 1:
        raise ValueError(f"there must be at least one resample, but there are {resamples}")


def _all_alike(groups: Sequence[np.ndarray]) -> bool:
    """Whether the runs of each group are equal up to rounding, so that resampling would be meaningless."""
    return all(np.ptp(group) <= ROUNDING * max(1.0, float(np.abs(group).max())) for group in groups)
