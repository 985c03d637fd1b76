"""Samples whose truth is known, for counting how often an interval holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from baselines.comparison.profile import performance_profile
from baselines.comparison.statistics import (
    Interval,
    difference_interval,
    interquartile_mean,
    mean_interval,
    share_within,
)
from baselines.report.wording import COVERAGE

# Fewer resamples than a report takes: the ends move about more, and hold the truth as often.
RESAMPLES = 999


@dataclass(frozen=True)
class Case:
    """An interval of samples drawn afresh.

    Attributes:
        says: what is drawn.
        draw: draws the samples and gives their interval.
        truth: what the interval should hold.
        covered: how often it does, from 5,000 draws (tests/proofs/test_statistics.py): not far from 0.95; how far
            depends on how few and how skewed the runs are.
    """

    says: str
    draw: Callable[[np.random.Generator], Interval]
    truth: float
    covered: float


def middle_of_powers(power: float) -> float:
    """The mean of the middle half of U ** (1 / power), that is of the distribution Beta(power, 1)."""
    exponent = 1 + 1 / power
    return 2 * (0.75**exponent - 0.25**exponent) / exponent


def profile_at_half(rng: np.random.Generator, sizes: tuple[int, ...], chances: tuple[float, ...]) -> Interval:
    """The share of runs that score at least 0.5, of worlds whose runs score 1 with these chances and 0 otherwise."""
    strata = [(rng.random(size) < chance).astype(float) for size, chance in zip(sizes, chances, strict=True)]
    profile = performance_profile(np.array([0.5]), *strata, resamples=RESAMPLES)
    return Interval(profile.share[0], profile.low[0], profile.high[0])


CASES = [
    Case(
        "mean of 30 normal runs",
        lambda rng: mean_interval(rng.normal(3, 2, 30), resamples=RESAMPLES),
        3.0,
        0.932,
    ),
    Case(
        "mean of 30 runs of which some fail badly (exponential)",
        lambda rng: mean_interval(1 - rng.exponential(0.1, 30), resamples=RESAMPLES),
        0.9,
        0.921,
    ),
    Case(
        "mean over worlds of 10 and 20 runs",
        lambda rng: mean_interval(rng.normal(0, 1, 10), rng.normal(5, 3, 20), resamples=RESAMPLES),
        2.5,
        0.925,
    ),
    Case(
        "difference of 30 and 20 runs",
        lambda rng: difference_interval(rng.normal(1, 1, 30), rng.normal(0, 2, 20), resamples=RESAMPLES),
        1.0,
        0.933,
    ),
    Case(
        "interquartile mean over worlds of 10 and 20 runs",
        lambda rng: interquartile_mean(rng.uniform(0, 1, 10), rng.uniform(1, 2, 20), resamples=RESAMPLES),
        1.0,
        0.933,
    ),
    Case(
        "interquartile mean over 4 worlds of 10 runs, skewed",
        lambda rng: interquartile_mean(*rng.beta(5, 1, (4, 10)), resamples=RESAMPLES),
        middle_of_powers(5),
        0.934,
    ),
    Case(
        "profile over 4 worlds of 15 runs that differ",
        lambda rng: profile_at_half(rng, (15, 15, 15, 15), (0.9, 0.5, 0.7, 0.3)),
        0.6,
        0.949,
    ),
    Case(
        "profile over 4 worlds of 15 runs that hardly ever fail",
        lambda rng: profile_at_half(rng, (15, 15, 15, 15), (0.99, 0.99, 0.99, 0.99)),
        0.99,
        0.977,
    ),
    Case(
        "profile over worlds of 5 and 30 runs",
        lambda rng: profile_at_half(rng, (5, 30), (0.8, 0.8)),
        0.8,
        0.972,
    ),
    Case(
        "profile of one world of 30 runs",
        lambda rng: profile_at_half(rng, (30,), (0.9,)),
        0.9,
        0.974,
    ),
    Case(
        "share near the optimum, of 30 runs",
        lambda rng: share_within((rng.random(30) < 0.7).astype(float)),
        0.7,
        0.930,
    ),
]


def mean_of_normal(runs: int) -> Callable[[np.random.Generator], Interval]:
    """Draws so many normally distributed runs of mean 3, and gives the interval of their mean."""
    return lambda rng: mean_interval(rng.normal(3, 2, runs), resamples=RESAMPLES)


# What reports say of intervals of few runs.
FEW_RUNS = [Case(f"mean of {runs} normal runs", mean_of_normal(runs), 3.0, held) for runs, held in COVERAGE.items()]


def coverage(case: Case, draws: int, seed: int) -> float:
    """How often the interval holds the truth."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(draws):
        interval = case.draw(rng)
        held += interval.low <= case.truth <= interval.high
    return held / draws


def standard_error(share: float, draws: int) -> float:
    """Of a share measured with so many draws."""
    return float(np.sqrt(share * (1 - share) / draws))
