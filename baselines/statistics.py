"""What can be said of many runs: means with intervals, how bad the bad runs are, how many runs got there and when.

Every statistic takes complete data: a run that is missing or NaN is an error that names it, never dropped, for runs
that fail are not missing at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Confidence of every interval.
CONFIDENCE = 0.95

# Resamples of a bootstrap: enough that the ends of an interval hardly depend on the seed.
RESAMPLES = 9_999

# How far apart equal scores may be: they come from linear solves, whose last digits differ.
ROUNDING = 1e-12


class Interval(NamedTuple):
    """An estimate between the ends of its interval."""

    estimate: float
    low: float
    high: float


def mean_interval(*strata: np.ndarray, confidence: float = CONFIDENCE, seed: int = 0) -> Interval:
    """The mean of the means of one or more groups of runs, with a stratified bootstrap interval.

    Runs are resampled within their own group (one world's, say), so that every resample holds as many runs of each
    group as were made. The interval is bias-corrected and accelerated. Runs that are all alike within every group give
    an interval of length 0: the bootstrap knows no more than what it was shown.

    Args:
        strata: scores of the runs of each group, each [R], at least two runs.
        confidence: the share of such intervals that hold the true mean.
        seed: of the resampling.

    Returns:
        The mean with its interval.

    Raises:
        ValueError: no groups, fewer than two runs in one, or a run that is NaN or infinite.

    Source: `scipy.stats.bootstrap`; Efron (1987), Better bootstrap confidence intervals.
    """
    groups = [complete(runs, f"group {i}") for i, runs in enumerate(strata)]
    if not groups:
        raise ValueError("a mean needs at least one group of runs, but there is none")
    _need_two(groups)
    estimate = float(np.mean([group.mean() for group in groups]))
    if _all_alike(groups):
        return Interval(estimate, estimate, estimate)

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean([sample.mean(axis=axis) for sample in samples], axis=0)

    return Interval(estimate, *_bootstrap(groups, statistic, confidence, seed))


def difference_interval(
    first: np.ndarray, second: np.ndarray, *, confidence: float = CONFIDENCE, seed: int = 0
) -> Interval:
    """The mean of the first runs minus that of the second, with a bootstrap interval; the two are independent.

    Args:
        first: scores [R1], at least two.
        second: scores [R2], at least two.
        confidence: the share of such intervals that hold the true difference.
        seed: of the resampling.

    Returns:
        The difference with its interval.

    Raises:
        ValueError: fewer than two runs on a side, or a run that is NaN or infinite.
    """
    groups = [complete(first, "the first group"), complete(second, "the second group")]
    _need_two(groups)
    estimate = float(groups[0].mean() - groups[1].mean())
    if _all_alike(groups):
        return Interval(estimate, estimate, estimate)

    def statistic(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.mean(axis=axis) - b.mean(axis=axis)

    return Interval(estimate, *_bootstrap(groups, statistic, confidence, seed))


def wilson_interval(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's interval, which holds what it promises near 0 and 1 too.

    Args:
        successes: how many runs succeeded.
        trials: how many runs there were, at least 1.
        confidence: the share of such intervals that hold the true probability.

    Returns:
        The share with its interval.

    Raises:
        ValueError: no runs, or more successes than runs.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    from scipy.stats import binomtest

    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes must be in 0..trials and trials at least 1, but are {successes} and {trials}")
    interval = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return Interval(successes / trials, float(interval.low), float(interval.high))


def worst_decile(scores: np.ndarray) -> float:
    """The mean of the worst tenth of the runs, at least one of them: what one must be ready for.

    Args:
        scores: [R].
    """
    runs = np.sort(complete(scores, "the group"))
    return float(runs[: max(1, len(runs) // 10)].mean())


def share_within(scores: np.ndarray, tolerance: float = 0.01) -> Interval:
    """The share of runs that end within so much of the optimum, whose score is 1, with Wilson's interval.

    Args:
        scores: [R].
        tolerance: the score that a run may lack.
    """
    runs = complete(scores, "the group")
    # Scores are exact up to rounding, so a run exactly at the edge counts.
    return wilson_interval(int((runs >= 1 - tolerance - 1e-9).sum()), len(runs))


def steps_to(steps: np.ndarray, scores: np.ndarray, threshold: float = 0.95) -> np.ndarray:
    """When each run first scored the threshold or more at a checkpoint.

    Args:
        steps: environment steps at the checkpoints, [C].
        scores: [C, R].
        threshold: the score to reach.

    Returns:
        Steps [R] of float64; infinite where a run never got there.
    """
    _check_curves(steps, scores)
    reached = scores >= threshold
    return np.where(reached.any(axis=0), np.asarray(steps, dtype=np.float64)[reached.argmax(axis=0)], np.inf)


def area_under_curve(steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mean score over the whole of training, by the trapezoidal rule.

    Args:
        steps: environment steps at the checkpoints, rising, [C] with C at least 2.
        scores: [C, R].

    Returns:
        Means [R], in units of score.
    """
    _check_curves(steps, scores)
    widths = np.diff(np.asarray(steps, dtype=np.float64))
    return widths @ ((scores[1:] + scores[:-1]) / 2) / widths.sum()


def complete(scores: np.ndarray, where: str, runs: Sequence[int] | None = None) -> np.ndarray:
    """The scores themselves, once it is sure that each run has one.

    Args:
        scores: the last axis is runs, [R] or [C, R].
        where: what they belong to, for the message.
        runs: the numbers of the runs there should be; 0, 1, ... when left out.

    Returns:
        The scores as float64.

    Raises:
        ValueError: no runs, a run missing, or one that is NaN or infinite.
    """
    scores = np.asarray(scores, dtype=np.float64)
    numbers = range(scores.shape[-1] if scores.ndim else 0) if runs is None else runs
    if scores.ndim == 0 or len(numbers) == 0:
        raise ValueError(f"there must be at least one run, but {where} has none")
    if scores.shape[-1] != len(numbers):
        raise ValueError(f"every run must have a score, but {where} has {scores.shape[-1]} of {len(numbers)}")
    wrong = ~np.isfinite(scores).reshape(-1, len(numbers)).all(axis=0)
    if wrong.any():
        bad = int(np.flatnonzero(wrong)[0])
        value = scores.reshape(-1, len(numbers))[:, bad]
        raise ValueError(
            f"every run must have a finite score, but run {numbers[bad]} of {where} has {value[~np.isfinite(value)][0]}"
        )
    return scores


def _bootstrap(
    groups: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], confidence: float, seed: int
) -> tuple[float, float]:
    """The ends of the bias-corrected and accelerated interval, each group resampled within itself."""
    from scipy.stats import bootstrap

    interval = bootstrap(
        groups,
        statistic,
        n_resamples=RESAMPLES,
        vectorized=True,
        axis=-1,
        confidence_level=confidence,
        method="BCa",
        random_state=np.random.default_rng(seed),  # SciPy before 1.15 knows no `rng`
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _all_alike(groups: Sequence[np.ndarray]) -> bool:
    """Whether the runs of each group are equal but for rounding, from which the bootstrap would only get NaN."""
    return all(np.ptp(group) <= ROUNDING * max(1.0, float(np.abs(group).max())) for group in groups)


def _need_two(groups: Sequence[np.ndarray]) -> None:
    for i, group in enumerate(groups):
        if group.ndim != 1 or len(group) < 2:
            raise ValueError(f"an interval needs at least two runs, but group {i} has shape {group.shape}")


def _check_curves(steps: np.ndarray, scores: np.ndarray) -> None:
    complete(scores, "the learning curves")
    if scores.ndim != 2 or len(steps) != len(scores) or len(steps) < 2:
        raise ValueError(
            f"scores must have shape [checkpoints, runs] with at least two checkpoints, "
            f"but there are {len(steps)} steps and scores of shape {scores.shape}"
        )
