"""Statistics: known values, and intervals that hold what they promise."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from baselines.comparison.measures import area_under_curve, complete, middle_half_mean, steps_to, worst_decile
from baselines.comparison.profile import FEW, performance_profile
from baselines.comparison.statistics import (
    Interval,
    difference_interval,
    interquartile_mean,
    mean_interval,
    share_within,
    wilson_interval,
)
from tests.baselines.interval_cases import CASES, Case, coverage, standard_error


def scipys(data: tuple[np.ndarray, ...], statistic: Callable[..., np.ndarray], **settings: object) -> tuple:
    """The ends of the interval that SciPy gives when called directly."""
    rng = np.random.default_rng(7)
    found = stats.bootstrap(data, statistic, random_state=rng, **{"method": "BCa", **settings}).confidence_interval
    return found.low, found.high


def repeated_middle(*samples: np.ndarray) -> float:
    """The interquartile mean in another way: runs repeated until worlds are equal and cuts fall between runs."""
    size = 4 * math.lcm(*map(len, samples))
    pooled = np.sort(np.concatenate([np.repeat(sample, size // len(sample)) for sample in samples]))
    return float(pooled[len(pooled) // 4 : -len(pooled) // 4].mean())


SKEWED = np.random.default_rng(0).exponential(size=30)
WORLDS = (np.random.default_rng(1).normal(0, 1, 10), np.random.default_rng(2).exponential(1, 20), SKEWED[:15])


def test_the_interval_of_a_mean_is_scipys() -> None:
    found = mean_interval(SKEWED, seed=7)
    assert found.estimate == pytest.approx(SKEWED.mean(), rel=1e-15)
    assert found[1:] == pytest.approx(scipys((SKEWED,), np.mean), rel=1e-12)
    ninety = mean_interval(SKEWED, seed=7, confidence=0.9, resamples=500)
    assert ninety[1:] == pytest.approx(scipys((SKEWED,), np.mean, confidence_level=0.9, n_resamples=500), rel=1e-12)


def test_the_interval_of_a_mean_over_worlds_is_scipys() -> None:
    expected = scipys(WORLDS, lambda a, b, c: (a.mean() + b.mean() + c.mean()) / 3, vectorized=False, n_resamples=999)
    assert mean_interval(*WORLDS, seed=7, resamples=999)[1:] == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_difference_is_scipys() -> None:
    expected = scipys(WORLDS[:2], lambda a, b: a.mean() - b.mean(), vectorized=False, n_resamples=999)
    assert difference_interval(*WORLDS[:2], seed=7, resamples=999)[1:] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("worlds", [WORLDS[:2], (WORLDS[0], WORLDS[1][:10])], ids=["unequal", "equal"])
def test_the_interval_of_an_interquartile_mean_is_scipys(worlds: tuple[np.ndarray, ...]) -> None:
    expected = scipys(worlds, repeated_middle, vectorized=False, n_resamples=499)
    found = interquartile_mean(*worlds, seed=7, resamples=499)
    assert found.estimate == pytest.approx(repeated_middle(*worlds), rel=1e-12)
    assert found[1:] == pytest.approx(expected, rel=1e-12)


def test_the_bands_of_a_profile_are_scipys() -> None:
    thresholds = np.array([0.2, 0.5, 0.9])
    found = performance_profile(thresholds, *WORLDS, seed=7)
    for i, threshold in enumerate(thresholds):
        reached = tuple((world >= threshold).astype(float) for world in WORLDS)

        def share(a: np.ndarray, b: np.ndarray, c: np.ndarray, axis: int) -> np.ndarray:
            return (a.mean(axis=axis) + b.mean(axis=axis) + c.mean(axis=axis)) / 3

        expected = scipys(reached, share, method="percentile", n_resamples=2_000)
        assert found.share[i] == pytest.approx(np.mean([world.mean() for world in reached]), rel=1e-12)
        assert (found.low[i], found.high[i]) == pytest.approx(expected, rel=1e-12)


def test_wilsons_interval_is_scipys() -> None:
    for trials in (1, 7, 30):
        for successes in range(trials + 1):
            for confidence in (0.8, 0.95):
                expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
                found = wilson_interval(successes, trials, confidence=confidence)
                assert found[1:] == pytest.approx((expected.low, expected.high), abs=1e-14)


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_intervals_hold_the_truth_as_often_as_is_said(case: Case) -> None:
    # Of 400 draws the standard error is about 0.012. The seed is fixed; of all seeds one in 10,000 would fail.
    assert abs(coverage(case, 400, seed=0) - case.covered) < 4 * standard_error(case.covered, 400)


def test_wilsons_interval_covers_the_share_on_average_as_often_as_it_says() -> None:
    shares = np.linspace(0.005, 0.995, 199)
    intervals = [wilson_interval(k, 30) for k in range(31)]
    covered = [
        sum(stats.binom.pmf(k, 30, share) for k, i in enumerate(intervals) if i.low <= share <= i.high)
        for share in shares
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    assert min(covered) > 0.82  # Brown, Cai and DasGupta (2001): it dips near 0 and 1, and no further than this


def test_wilsons_interval_ends_at_0_and_1_exactly() -> None:
    for trials in range(1, 200):
        assert wilson_interval(0, trials).low == 0
        assert wilson_interval(trials, trials).high == 1


def test_wilsons_interval_by_hand() -> None:
    # p = 1, n = 30, z = 1.959964: the low end is n / (n + z^2) = 30 / 33.841459
    assert wilson_interval(30, 30) == pytest.approx((1.0, 30 / 33.841459, 1.0), abs=1e-6)
    assert wilson_interval(0, 30) == pytest.approx((0.0, 0.0, 3.841459 / 33.841459), abs=1e-6)


def test_the_worst_decile_is_the_mean_of_the_worst_tenth() -> None:
    assert worst_decile(np.arange(40.0)[::-1]) == 1.5  # of 0, 1, 2, 3
    assert worst_decile(np.array([0.3, 0.1])) == 0.1


def test_a_tenth_that_is_no_whole_number_takes_a_run_in_part() -> None:
    # Of 25 runs the worst 2.5: (0 + 1 + 2 / 2) / 2.5
    assert worst_decile(np.arange(25.0)) == pytest.approx(0.8)


def test_the_worst_decile_of_several_worlds_is_of_all_their_runs_worlds_weighing_alike() -> None:
    assert worst_decile(np.arange(20.0), np.full(20, 9.0)) == pytest.approx((0 + 1 + 2 + 3) / 4)
    # A tenth of the weight is a fifth of the first world, however many runs the other has.
    assert worst_decile(np.arange(10.0), np.full(1000, 9.0)) == pytest.approx((0 + 1) / 2)


def test_the_interquartile_mean_by_hand() -> None:
    # 0 .. 7 in two worlds, a quarter off at either end: 2, 3, 4, 5
    assert middle_half_mean(np.array([7.0, 0, 2, 5]), np.array([1.0, 3, 4, 6])) == pytest.approx(3.5)
    # Six runs: 1.5 off at either end, so (20 / 2 + 30 + 40 + 100 / 2) / 3
    assert middle_half_mean(np.array([10.0, 20, 30]), np.array([40.0, 100, 900])) == pytest.approx(130 / 3)
    # Worlds weigh alike: weights 1/4, 1/4 and 1/8 four times, so the middle half is 1 (1/4) and 2, 3 (1/8 each)
    assert middle_half_mean(np.array([0.0, 1]), np.array([2.0, 3, 4, 5])) == pytest.approx((2 * 1 + 2 + 3) / 4)


def test_the_interquartile_mean_of_a_multiple_of_four_runs_is_that_of_rliable() -> None:
    scores = np.random.default_rng(0).exponential(size=(6, 10))
    assert middle_half_mean(*scores) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None), rel=1e-12)


def test_an_interquartile_mean_of_one_world_is_refused() -> None:
    for strata, said in (((np.ones(30),), "1"), ((), "none")):
        for function in (interquartile_mean, middle_half_mean):
            with pytest.raises(
                ValueError, match=f"needs at least two worlds, but there is {said}: of one world it hides"
            ):
                function(*strata)


def test_an_interquartile_mean_that_no_single_run_changes_has_no_length() -> None:
    failed = np.array([1.0] * 29 + [0.0])
    assert interquartile_mean(failed, np.ones(30)) == Interval(1.0, 1.0, 1.0)
    assert mean_interval(failed, np.ones(30)).low < 0.99


def test_a_profile_by_hand() -> None:
    # Of the first world 3, 2, 1 of 4 runs reach the thresholds, of the second 2, 2, 0 of 2.
    found = performance_profile(np.array([0.2, 0.5, 1.0]), np.array([0, 0.2, 0.6, 1.0]), np.array([0.5, 0.9]))
    np.testing.assert_allclose(found.share, [(3 / 4 + 1) / 2, (2 / 4 + 1) / 2, (1 / 4 + 0) / 2])
    np.testing.assert_array_equal(found.thresholds, [0.2, 0.5, 1.0])
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()


def test_a_profile_counts_a_run_at_the_threshold_and_one_that_misses_it_by_rounding() -> None:
    runs = np.array([1.0, 1 - 1e-12, 1 - 1e-6])
    assert performance_profile(np.array([1.0]), runs).share == pytest.approx([2 / 3])


def test_the_band_of_one_world_is_wilsons() -> None:
    runs = np.linspace(0.1, 1, 10)
    found = performance_profile(np.array([0.05, 0.75, 1.5]), runs)
    for i, successes in enumerate((10, 3, 0)):
        assert (found.share[i], found.low[i], found.high[i]) == pytest.approx(wilson_interval(successes, 10))


def test_the_band_of_worlds_with_hardly_a_failed_run_is_wilsons_for_all_runs() -> None:
    failed = np.array([1.0] * 14 + [0.0])
    found = performance_profile(np.array([0.5]), np.ones(15), failed)
    assert (found.share[0], found.low[0], found.high[0]) == pytest.approx(wilson_interval(29, 30))
    solved = performance_profile(np.array([0.5]), np.ones(15), np.ones(15))
    assert (solved.low[0], solved.high[0]) == pytest.approx(wilson_interval(30, 30)[1:])
    # Worlds of 5 and 20 runs have the variance of 2^2 / (1 / 5 + 1 / 20) = 16 runs in worlds that are alike.
    uneven = performance_profile(np.array([0.5]), np.ones(5), np.ones(20))
    assert (uneven.low[0], uneven.high[0]) == pytest.approx(wilson_interval(16, 16)[1:])


def test_a_profile_is_left_to_the_bootstrap_from_ten_runs_in_a_minority_on() -> None:
    def band(failures: int) -> tuple[float, float]:
        found = performance_profile(np.array([0.5]), np.ones(30), np.repeat([1.0, 0.0], [30 - failures, failures]))
        return found.low[0], found.high[0]

    assert band(FEW - 1) == pytest.approx(wilson_interval(60 - FEW + 1, 60)[1:])
    assert band(FEW)[1] - band(FEW)[0] < wilson_interval(60 - FEW, 60).high - wilson_interval(60 - FEW, 60).low


def test_the_share_near_the_optimum_counts_the_edge() -> None:
    assert share_within(np.array([1.0, 0.99, 0.99 - 1e-12, 0.98])).estimate == 0.75


def test_steps_to_the_threshold_are_those_of_the_first_checkpoint_there() -> None:
    scores = np.array([[0.0, 0.0, 1.0], [0.95, 0.5, 0.0], [0.2, 0.94, 0.0]])
    np.testing.assert_array_equal(steps_to(np.array([0, 10, 20]), scores), [10.0, np.inf, 0.0])


def test_a_run_that_misses_the_threshold_by_rounding_has_reached_it() -> None:
    scores = np.array([[0.0], [0.95 - 1e-12], [1.0]])
    np.testing.assert_array_equal(steps_to(np.array([0, 10, 20]), scores), [10.0])


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
    for statistic in (mean_interval, worst_decile, share_within, lambda runs: performance_profile(np.ones(1), runs)):
        with pytest.raises(
            ValueError, match=rf"every run must have a finite score, but run 3 of (the )?group.* has {bad}"
        ):
            statistic(scores[1])
    for statistic in (mean_interval, worst_decile, interquartile_mean, middle_half_mean):
        with pytest.raises(ValueError, match=f"run 3 of group 1 has {bad}"):
            statistic(np.ones(5), scores[1])
    with pytest.raises(ValueError, match=f"run 3 of group 1 has {bad}"):
        performance_profile(np.ones(1), np.ones(5), scores[1])
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
    masked = np.ma.masked_array(np.ones(5), mask=[False, False, True, False, False])
    with pytest.raises(ValueError, match="run 2 of group 0 has nan"):
        mean_interval(masked)
    with pytest.raises(ValueError, match="run 1 of group 0 has nan"):
        mean_interval([1.0, None, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval(), "there must be at least one group of runs"),
        (lambda: mean_interval(np.ones(1)), "an interval needs at least two runs, but group 0"),
        (
            lambda: difference_interval(np.ones(2), np.ones(1)),
            "an interval needs at least two runs, but the second group has 1",
        ),
        (lambda: mean_interval(np.ones(3), np.ones((2, 3))), r"one score a run, but group 1 has shape \(2, 3\)"),
        (lambda: mean_interval(np.ones(3), confidence=95), "confidence must be between 0 and 1, but is 95"),
        (lambda: wilson_interval(1, 2, confidence=1.0), r"confidence must be between 0 and 1, but is 1\.0"),
        (lambda: mean_interval(np.ones(3), resamples=0), "at least one resample, but there are 0"),
        (lambda: worst_decile(), "there must be at least one group of runs"),
        (lambda: interquartile_mean(np.ones(3), np.ones(1)), "at least two runs, but group 1 has 1"),
        (lambda: performance_profile(np.ones(1)), "there must be at least one group of runs"),
        (lambda: performance_profile(np.ones(1), np.ones(3), np.ones(1)), "at least two runs, but group 1 has 1"),
        (lambda: performance_profile(np.ones(1), np.ones(3), np.ones(3), resamples=0), "but there are 0"),
        (lambda: performance_profile(np.array([]), np.ones(3)), "thresholds must be a row of finite scores"),
        (lambda: performance_profile(np.array([0, np.nan]), np.ones(3)), "thresholds must be a row of finite scores"),
        (lambda: performance_profile(0.5, np.ones(3)), "thresholds must be a row of finite scores"),
        (lambda: area_under_curve(np.array([0, 5, 5]), np.ones((3, 2))), r"steps of checkpoints must rise, but are \["),
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
        assert interval.estimate == pytest.approx(1.0, abs=1e-15)
        assert interval.low == interval.estimate == interval.high


def test_intervals_of_extreme_runs_hold_the_estimate_without_a_warning() -> None:
    rng = np.random.default_rng(0)
    values = [0.0, 1.0, 0.5, 1 - 1e-13, 1e-300, 1e15, -1e15]
    for _ in range(40):
        a, b = rng.choice(values, rng.integers(2, 5)), rng.choice(values, rng.integers(2, 9))
        for interval in (
            mean_interval(a, resamples=99),
            mean_interval(a, b, resamples=99),
            difference_interval(a, b, resamples=99),
            interquartile_mean(a, b, resamples=99),
            interquartile_mean(b, b[::-1] * 2, resamples=99),
        ):
            rounding = 1e-12 * max(1.0, abs(interval.estimate))
            assert interval.low - rounding <= interval.estimate <= interval.high + rounding


def test_the_seed_alone_decides_the_resamples() -> None:
    for function in (mean_interval, difference_interval, interquartile_mean):
        assert function(*WORLDS[:2], seed=1) == function(*WORLDS[:2], seed=1)
        assert function(*WORLDS[:2], seed=1) != function(*WORLDS[:2], seed=2)
