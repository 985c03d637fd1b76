"""Summary measures of the scores of runs: at the end of training, over all of it, and of the worst runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A score this close below a threshold has reached it: scores come from linear solves, whose last digits
# differ.
EDGE = 1e-9


def complete(scores: np.ndarray, where: str, runs: Sequence[int] | None = None) -> np.ndarray:
    """The scores, after checking that each run has one.

    Args:
        scores: the last axis is runs, [R] or [C, R].
        where: agent and world, for the error message.
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


def one_score_a_run(scores: np.ndarray, where: str, *, at_least: int = 1) -> np.ndarray:
    """Check that there is one finite score per run, [R]."""
    runs = complete(scores, where)
    if runs.ndim != 1:
        raise ValueError(f"there must be one score a run, but {where} has shape {runs.shape}")
    if len(runs) < at_least:
        raise ValueError(f"an interval needs at least two runs, but {where} has {len(runs)}")
    return runs


def groups_of_runs(strata: Sequence[np.ndarray], *, at_least: int = 1) -> list[np.ndarray]:
    """The groups of runs, each complete and of so many runs."""
    if not strata:
        raise ValueError("there must be at least one group of runs, but there is none")
    return [one_score_a_run(runs, f"group {i}", at_least=at_least) for i, runs in enumerate(strata)]


def steps_to(steps: np.ndarray, scores: np.ndarray, threshold: float = 0.95) -> np.ndarray:
    """The steps after which each run first reached a threshold at a checkpoint.

    Args:
        steps: environment steps at the checkpoints, rising, [C] with C at least 2.
        scores: [C, R].
        threshold: the score to reach.

    Returns:
        Steps [R] of float64; infinite where a run never reached it.

    Raises:
        ValueError: shapes that do not fit, steps that do not rise, or a run that is NaN or infinite.
    """
    steps, scores = _curves(steps, scores)
    reached = reaches(scores, threshold)
    return np.where(reached.any(axis=0), steps[reached.argmax(axis=0)], np.inf)


def area_under_curve(steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The mean score over all of training, by the trapezoidal rule.

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


def worst_decile(*strata: np.ndarray) -> float:
    """The mean of the worst tenth of the runs, or the worst run if a tenth is less than one.

    Where a tenth of the runs is not a whole number, the run at the edge counts in part. Over several worlds, it is the
    worst tenth of all their runs, with equal weight for each world.

    Args:
        strata: scores of the runs of each group, each [R].

    Returns:
        The mean, in units of score.

    Raises:
        ValueError: no groups, no runs in one, or a run that is NaN or infinite.
    """
    return float(mean_of_part(groups_of_runs(strata), 0.0, 0.1))


def middle_half_mean(*strata: np.ndarray) -> float:
    """The interquartile mean (rliable's IQM): the mean of the runs between the first and third quartiles of all worlds.

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
    return float(mean_of_part(groups_of_runs(strata), 0.25, 0.75))


def mean_of_part(samples: Sequence[np.ndarray], low: float, high: float, *, axis: int = -1) -> np.ndarray:
    """The mean of the runs between two quantiles, with equal weight for each sample.

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


def reaches(scores: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    """Where scores are at least a threshold, up to rounding."""
    return scores >= threshold - EDGE


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
