"""Statistics: known values, and intervals that hold what they promise."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from baselines.statistics import (
    Interval,
    area_under_curve,
    complete,
    difference_interval,
    mean_interval,
    share_within,
    steps_to,
    wilson_interval,
    worst_decile,
)


def test_the_interval_of_a_mean_is_scipys() -> None:
    runs = np.random.default_rng(0).exponential(size=30)
    expected = stats.bootstrap(
        (runs,), np.mean, method="BCa", random_state=np.random.default_rng(0)
    ).confidence_interval
    found = mean_interval(runs)
    assert found.estimate == pytest.approx(runs.mean(), rel=1e-15)
    assert found[1:] == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_the_bootstrap_is_stratified() -> None:
    # Each group is constant, so resampling within groups changes nothing; resampling over all of them would.
    assert mean_interval(np.zeros(5), np.ones(5)) == Interval(0.5, 0.5, 0.5)
    rng = np.random.default_rng(0)
    near_0, near_1 = rng.normal(0, 0.01, 20), rng.normal(1, 0.01, 20)
    stratified = mean_interval(near_0, near_1)
    assert stratified.high - stratified.low < 0.02
    assert stratified.estimate == pytest.approx((near_0.mean() + near_1.mean()) / 2)


def test_groups_count_alike_whatever_their_size() -> None:
    assert mean_interval(np.zeros(2), np.ones(50)).estimate == 0.5


def coverage(intervals: list[Interval], truth: float) -> float:
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


def test_intervals_of_a_mean_cover_it_as_often_as_they_say() -> None:
    # 250 samples of 30 runs; a share of 0.95 is measured to within 0.028 (two standard errors).
    rng = np.random.default_rng(0)
    normal = [mean_interval(rng.normal(3, 2, 30), seed=i) for i in range(250)]
    assert 0.91 <= coverage(normal, 3.0) <= 0.98
    # Skewed scores, as of runs of which some fail, are the hard case: the bootstrap falls a little short there.
    skewed = [mean_interval(1 - rng.exponential(0.1, 30), seed=i) for i in range(250)]
    assert 0.88 <= coverage(skewed, 0.9) <= 0.98


def test_a_stratified_interval_covers_the_mean_over_worlds() -> None:
    rng = np.random.default_rng(1)
    intervals = [mean_interval(rng.normal(0, 1, 10), rng.normal(5, 3, 20), seed=i) for i in range(150)]
    assert 0.89 <= coverage(intervals, 2.5) <= 0.985


def test_intervals_of_a_difference_cover_it_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    intervals = [difference_interval(rng.normal(1, 1, 30), rng.normal(0, 2, 20), seed=i) for i in range(150)]
    assert 0.89 <= coverage(intervals, 1.0) <= 0.985


def test_wilsons_interval_covers_the_share_on_average_as_often_as_it_says() -> None:
    shares = np.linspace(0.005, 0.995, 199)
    intervals = [wilson_interval(k, 30) for k in range(31)]
    covered = [
        sum(stats.binom.pmf(k, 30, share) for k, i in enumerate(intervals) if i.low <= share <= i.high)
        for share in shares
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.82  # Brown, Cai and DasGupta (2001): it dips near 0 and 1, and no further than this


def test_wilsons_interval_by_hand() -> None:
    # p = 1, n = 30, z = 1.959964: the low end is n / (n + z^2) = 30 / 33.841459
    assert wilson_interval(30, 30) == pytest.approx((1.0, 30 / 33.841459, 1.0), abs=1e-6)
    assert wilson_interval(0, 30) == pytest.approx((0.0, 0.0, 3.841459 / 33.841459), abs=1e-6)


def test_the_worst_decile_is_the_mean_of_the_worst_tenth() -> None:
    assert worst_decile(np.arange(40.0)[::-1]) == 1.5  # of 0, 1, 2, 3
    assert worst_decile(np.array([0.3, 0.1])) == 0.1


def test_the_share_near_the_optimum_counts_the_edge() -> None:
    assert share_within(np.array([1.0, 0.99, 0.99 - 1e-12, 0.98])).estimate == 0.75


def test_steps_to_the_threshold_are_those_of_the_first_checkpoint_there() -> None:
    scores = np.array([[0.0, 0.0, 1.0], [0.95, 0.5, 0.0], [0.2, 0.94, 0.0]])
    np.testing.assert_array_equal(steps_to(np.array([0, 10, 20]), scores), [10.0, np.inf, 0.0])


def test_the_area_under_a_curve_is_its_mean_height() -> None:
    # Trapezoids on uneven steps: (0 + 1) / 2 * 10 + (1 + 1) / 2 * 30 = 35, over 40 steps
    np.testing.assert_allclose(area_under_curve(np.array([0, 10, 40]), np.array([[0.0], [1.0], [1.0]])), [35 / 40])


def test_runs_all_alike_give_an_interval_without_length_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mean_interval(np.ones(30)) == Interval(1.0, 1.0, 1.0)
        assert difference_interval(np.ones(3), np.zeros(4)) == Interval(1.0, 1.0, 1.0)
        found = difference_interval(np.ones(10), np.array([1.0] * 9 + [0.5]))
        assert found.estimate == pytest.approx(0.05)
        assert 0 <= found.low < found.estimate < found.high


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_run_without_a_finite_score_is_named(bad: float) -> None:
    scores = np.ones((2, 5))
    scores[1, 3] = bad
    with pytest.raises(ValueError, match=f"run 13 of QLearning on LineWalk has {bad}"):
        complete(scores, "QLearning on LineWalk", range(10, 15))
    for statistic in (mean_interval, worst_decile, share_within):
        with pytest.raises(ValueError, match=r"every run must have a finite score, but run 3"):
            statistic(scores[1])
    with pytest.raises(ValueError, match="run 3 of the second group"):
        difference_interval(np.ones(3), scores[1])
    for statistic in (steps_to, area_under_curve):
        with pytest.raises(ValueError, match="run 3 of the learning curves"):
            statistic(np.array([0, 1]), scores)


def test_a_missing_run_is_an_error() -> None:
    with pytest.raises(ValueError, match="every run must have a score, but X has 4 of 5"):
        complete(np.ones((2, 4)), "X", range(5))
    with pytest.raises(ValueError, match="there must be at least one run, but X has none"):
        complete(np.ones((2, 0)), "X")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval(), "there must be at least one group of runs"),
        (lambda: mean_interval(np.ones(1)), "an interval needs at least two runs, but group 0"),
        (
            lambda: difference_interval(np.ones(2), np.ones(1)),
            "an interval needs at least two runs, but the second group has 1",
        ),
        (lambda: wilson_interval(3, 2), r"successes must be in 0\.\.trials"),
        (lambda: wilson_interval(0, 0), r"successes must be in 0\.\.trials"),
        (lambda: steps_to(np.array([0]), np.ones((1, 2))), "at least two checkpoints"),
        (lambda: area_under_curve(np.array([0, 1, 2]), np.ones((2, 2))), "3 steps and scores of shape"),
    ],
)
def test_too_little_to_go_on_is_an_error(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_runs_that_differ_by_rounding_alone_are_alike() -> None:
    runs = np.array([1.0, 1.0 + 2e-16, 1.0 - 1e-16])
    for interval in (mean_interval(runs), difference_interval(runs, np.zeros(3) + [0, 1e-17, 0])):
        assert interval == pytest.approx((1.0, 1.0, 1.0), abs=1e-15)
