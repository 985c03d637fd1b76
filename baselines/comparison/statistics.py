"""What can be said of many runs: means with intervals, how bad the bad runs are, how many runs got there and when.

Every statistic takes complete data: a run that is missing or NaN is an error that names it, never dropped, for runs
that fail are not missing at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Confidence of every interval.
CONFIDENCE = 0.95

# Resamples of a bootstrap: enough that the ends of an interval hardly depend on the seed.
RESAMPLES = 9_999

# Resamples over all runs of many worlds, each of which costs as much as all of its runs. The ends of an interval then
# depend on the seed by about a twentieth of its half length.
RESAMPLES_OF_WORLDS = 2_000

# How far apart equal scores may be: they come from linear solves, whose last digits differ.
ROUNDING = 1e-12

# A score that misses a threshold by no more than this has reached it, for the same reason.
EDGE = 1e-9

# With fewer runs than this that do not do as the most of their world, a share is not left to the bootstrap.
FEW = 10


class Interval(NamedTuple):
    """An estimate between the ends of its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Profile:
    """How many runs score how much: a share of runs, with its band, at each of some thresholds.

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


def mean_interval(
    *strata: np.ndarray, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of the means of one or more groups of runs, with a stratified bootstrap interval.

    Runs are resampled within their own group (one world's, say), so that every resample holds as many runs of each
    group as were made. The interval is bias-corrected and accelerated. Runs that are all alike within every group give
    an interval of length 0: the bootstrap knows no more than what it was shown.

    Args:
        strata: scores of the runs of each group, each [R], at least two runs.
        confidence: the share of such intervals that hold the true mean.
        seed: of the resampling.
        resamples: how many.

    Returns:
        The mean with its interval.

    Raises:
        ValueError: no groups, fewer than two runs in one, a run that is NaN or infinite, a confidence
            outside (0, 1), or no resamples.

    Source: `scipy.stats.bootstrap`; Efron (1987), Better bootstrap confidence intervals.
    """
    groups = _groups(strata, at_least=2)
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
        resamples: how many.

    Returns:
        The difference with its interval.

    Raises:
        ValueError: fewer than two runs on a side, a run that is NaN or infinite, a confidence outside (0, 1),
            or no resamples.
    """
    groups = [_runs(first, "the first group", at_least=2), _runs(second, "the second group", at_least=2)]
    estimate = float(groups[0].mean() - groups[1].mean())

    def statistic(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.mean(axis=axis) - b.mean(axis=axis)

    return _bootstrap(groups, estimate, statistic, confidence, seed, resamples)


def interquartile_mean(
    *strata: np.ndarray, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """The mean of the middle half of all runs of several worlds, with a stratified bootstrap interval.

    It is for many worlds at once, where a few very hard or very easy ones would rule the mean. Of one world it would
    hide up to a quarter of failed runs, so that is refused; read it beside the worst decile in any case.

    `middle_half_mean` is the estimate. Runs are resampled within their own world, and the interval is bias-corrected
    and accelerated. Where that interval does not exist (every resample has the same middle half, as when all runs but a
    few reach the optimum) the percentile interval stands in its place.

    Args:
        strata: scores of the runs of each world, each [R], at least two worlds of at least two runs.
        confidence: the share of such intervals that hold the true value.
        seed: of the resampling.
        resamples: how many.

    Returns:
        The interquartile mean with its interval.

    Raises:
        ValueError: a single world or none, fewer than two runs in one, a run that is NaN or infinite, a confidence
            outside (0, 1), or no resamples.

    Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice.
    """
    estimate = middle_half_mean(*strata)
    groups = _groups(strata, at_least=2)

    def statistic(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return _mean_of_part(samples, 0.25, 0.75, axis=axis)

    return _bootstrap(groups, estimate, statistic, confidence, seed, resamples)


def middle_half_mean(*strata: np.ndarray) -> float:
    """The mean of the runs between the first and the third quartile, all worlds put together: what rliable calls IQM.

    Worlds weigh alike whatever their number of runs: a run of a world of R runs among W worlds has weight 1 / (W R). A
    quarter of the weight is cut off at either end; a run at the edge counts for the part of it that is inside. With
    worlds of equal size whose runs number a multiple of four this is `scipy.stats.trim_mean` at 0.25, as in
    rliable; with other numbers that function cuts whole runs only, and keeps more than half.

    Args:
        strata: scores of the runs of each world, each [R], at least two worlds.

    Returns:
        The mean, in units of score.

    Raises:
        ValueError: a single world or none, no runs in one, or a run that is NaN or infinite.

    Source: Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice.
    """
    if len(strata) < 2:
        raise ValueError(
            f"an interquartile mean needs at least two worlds, but there is {len(strata) or 'none'}: "
            "of one world it hides up to a quarter of failed runs, and the mean and the worst decile do not"
        )
    return float(_mean_of_part(_groups(strata), 0.25, 0.75))


def performance_profile(
    thresholds: np.ndarray,
    *strata: np.ndarray,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    resamples: int = RESAMPLES_OF_WORLDS,
) -> Profile:
    """The share of runs that score each threshold or more, worlds counting alike, with a band.

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
        resamples: how many.

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
    groups = _groups(strata, at_least=min(2, len(strata)))
    reached = [_reaches(group[:, None], thresholds) for group in groups]
    share = np.mean([group.mean(axis=0) for group in reached], axis=0)
    low, high = _wilson(share, len(groups) ** 2 / sum(1 / len(group) for group in groups), confidence)
    if len(groups) > 1:
        minority = sum(np.minimum(group.sum(axis=0), (~group).sum(axis=0)) for group in reached)
        few = minority < FEW
        resampled = _bootstrap_shares(reached, confidence, seed, resamples)
        low, high = np.where(few, low, resampled[0]), np.where(few, high, resampled[1])
    return Profile(thresholds, share, low, high)


def wilson_interval(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's interval, which holds what it promises near 0 and 1 too.

    Args:
        successes: how many runs succeeded.
        trials: how many runs there were, at least 1.
        confidence: the share of such intervals that hold the true probability.

    Returns:
        The share with its interval.

    Raises:
        ValueError: no runs, more successes than runs, or a confidence outside (0, 1).

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes must be in 0..trials and trials at least 1, but are {successes} and {trials}")
    low, high = _wilson(np.array(successes / trials), trials, confidence)
    return Interval(successes / trials, float(low), float(high))


def worst_decile(*strata: np.ndarray) -> float:
    """The mean of the worst tenth of the runs, or the worst run if a tenth is less than one: what to be ready for.

    Where a tenth of the runs is not a whole number, the run at the edge counts for the part of it that is inside. Of
    several worlds it is the worst tenth of all their runs put together, worlds weighing alike.

    Args:
        strata: scores of the runs of each group, each [R].

    Returns:
        The mean, in units of score.

    Raises:
        ValueError: no groups, no runs in one, or a run that is NaN or infinite.
    """
    return float(_mean_of_part(_groups(strata), 0.0, 0.1))


def share_within(scores: np.ndarray, tolerance: float = 0.01) -> Interval:
    """The share of runs that end within so much of the optimum, whose score is 1, with Wilson's interval.

    Args:
        scores: [R].
        tolerance: the score that a run may lack.

    Returns:
        The share with its interval.

    Raises:
        ValueError: no runs, or a run that is NaN or infinite.
    """
    runs = _runs(scores, "the group")
    return wilson_interval(int(_reaches(runs, 1 - tolerance).sum()), len(runs))


def steps_to(steps: np.ndarray, scores: np.ndarray, threshold: float = 0.95) -> np.ndarray:
    """When each run first scored the threshold or more at a checkpoint.

    Args:
        steps: environment steps at the checkpoints, rising, [C] with C at least 2.
        scores: [C, R].
        threshold: the score to reach.

    Returns:
        Steps [R] of float64; infinite where a run never got there.

    Raises:
        ValueError: shapes that do not fit, steps that do not rise, or a run that is NaN or infinite.
    """
    steps, scores = _curves(steps, scores)
    reached = _reaches(scores, threshold)
    return np.where(reached.any(axis=0), steps[reached.argmax(axis=0)], np.inf)


def area_under_curve(steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mean score over the whole of training, by the trapezoidal rule.

    Args:
        steps: environment steps at the checkpoints, rising, [C] with C at least 2.
        scores: [C, R].

    Returns:
        Means [R], in units of score.

    Raises:
        ValueError: shapes that do not fit, steps that do not rise, or a run that is NaN or infinite.
    """
    steps, scores = _curves(steps, scores)
    widths = np.diff(steps)
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
    masked = np.ma.isMaskedArray(scores)  # a masked run is a missing one
    scores = np.ma.filled(scores.astype(np.float64), np.nan) if masked else np.asarray(scores, dtype=np.float64)
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
    groups: Sequence[np.ndarray],
    estimate: float,
    statistic: Callable[..., np.ndarray],
    confidence: float,
    seed: int,
    resamples: int,
) -> Interval:
    """The estimate with its bias-corrected and accelerated interval, each group resampled within itself."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    tails = _tails(confidence)
    _check_resamples(resamples)
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
        resamples: how many.
    """
    tails = _tails(confidence)
    _check_resamples(resamples)
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


def _wilson(share: np.ndarray, trials: float, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of Wilson's interval for each share of so many trials."""
    from scipy.special import ndtri

    z = float(ndtri(_tails(confidence)[1]))
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / (1 + z**2 / trials)
    # At 0 and 1 the ends are these but for rounding.
    return np.where(share == 0, 0.0, centre - half), np.where(share == 1, 1.0, centre + half)


def _mean_of_part(samples: Sequence[np.ndarray], low: float, high: float, *, axis: int = -1) -> np.ndarray:
    """The mean of the runs between two shares of them in rising order, samples weighing alike.

    A run is a piece of the line from 0 to 1, as long as its weight; it counts for the length inside [low, high].

    Args:
        samples: each [..., R].
        low: the share of the weight that lies below.
        high: the share of the weight that lies below or inside.
        axis: of the runs; `scipy.stats.bootstrap` gives the last.
    """
    pooled = np.concatenate([np.moveaxis(sample, axis, -1) for sample in samples], axis=-1)
    sizes = [sample.shape[axis] for sample in samples]
    if len(set(sizes)) == 1:  # equal weights need no order, and sorting alone is many times faster
        values = np.sort(pooled, axis=-1)
        ends = np.arange(pooled.shape[-1] + 1) / pooled.shape[-1]
        lengths = np.diff(np.clip(ends, low, high))
        return values @ (lengths / lengths.sum())
    order = np.argsort(pooled, axis=-1)
    weights = np.repeat([1 / (len(sizes) * size) for size in sizes], sizes)[order]
    ends = np.cumsum(weights, axis=-1)
    lengths = np.clip(ends, low, high) - np.clip(ends - weights, low, high)
    return (np.take_along_axis(pooled, order, axis=-1) * lengths).sum(axis=-1) / lengths.sum(axis=-1)


def _reaches(scores: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    return scores >= threshold - EDGE


def _tails(confidence: float) -> tuple[float, float]:
    """The shares of a distribution below the two ends of an interval with so much inside."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, but is {confidence}")
    return (1 - confidence) / 2, (1 + confidence) / 2


def _check_resamples(resamples: int) -> None:
    if resamples < 1:
        raise ValueError(f"there must be at least one resample, but there are {resamples}")


def _groups(strata: Sequence[np.ndarray], *, at_least: int = 1) -> list[np.ndarray]:
    """The groups of runs, each complete and of so many runs."""
    if not strata:
        raise ValueError("there must be at least one group of runs, but there is none")
    return [_runs(runs, f"group {i}", at_least=at_least) for i, runs in enumerate(strata)]


def _runs(scores: np.ndarray, where: str, *, at_least: int = 1) -> np.ndarray:
    """One score a run, [R], all there and so many."""
    runs = complete(scores, where)
    if runs.ndim != 1:
        raise ValueError(f"there must be one score a run, but {where} has shape {runs.shape}")
    if len(runs) < at_least:
        raise ValueError(f"an interval needs at least two runs, but {where} has {len(runs)}")
    return runs


def _all_alike(groups: Sequence[np.ndarray]) -> bool:
    """Whether the runs of each group are equal but for rounding: nothing would come of resampling the last digits."""
    return all(np.ptp(group) <= ROUNDING * max(1.0, float(np.abs(group).max())) for group in groups)


def _curves(steps: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps [C] and scores [C, R] of complete learning curves, as float64."""
    steps, scores = np.asarray(steps, dtype=np.float64), complete(scores, "the learning curves")
    if scores.ndim != 2 or steps.shape != scores.shape[:1] or len(steps) < 2:
        raise ValueError(
            f"scores must have shape [checkpoints, runs] with at least two checkpoints, "
            f"but there are {steps.size} steps and scores of shape {scores.shape}"
        )
    if not (np.diff(steps) > 0).all():
        raise ValueError(f"the steps of checkpoints must rise, but are {steps}")
    return steps, scores
