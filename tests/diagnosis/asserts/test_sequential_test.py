"""Rates of error by a second method: every sequence of seeds, played out one by one."""

from __future__ import annotations

from itertools import product

import pytest
from scipy import stats

from rl_envs.diagnosis.asserts import SequentialTest


def played_out(test: SequentialTest, share: float) -> tuple[float, float]:
    """The probability that a test fails and the mean number of seeds, over all 2^runs sequences of outcomes."""
    failed, seeds = 0.0, 0.0
    for outcomes in product((True, False), repeat=test.runs):
        chance = share ** sum(outcomes) * (1 - share) ** (test.runs - sum(outcomes))
        tried = 0
        while (decision := test.decision(sum(outcomes[:tried]), tried - sum(outcomes[:tried]))) == "go on":
            tried += 1
        failed += chance * (decision == "fail")
        seeds += chance * tried
    return failed, seeds


@pytest.mark.parametrize("runs", [4, 7, 10])
@pytest.mark.parametrize("share", [0.95, 0.5, 0.2])
def test_rates_are_those_of_all_sequences_of_seeds(runs: int, share: float) -> None:
    test = SequentialTest(runs)
    failed, seeds = played_out(test, share)
    assert test.power(share) == pytest.approx(failed, rel=1e-12)
    assert test.expected_runs(share) == pytest.approx(seeds, rel=1e-12)


@pytest.mark.parametrize("runs", [5, 10, 20, 40])
@pytest.mark.parametrize("false_alarms", [0.05, 0.002, 0.0005])
def test_a_right_agent_fails_no_more_often_than_allowed(runs: int, false_alarms: float) -> None:
    test = SequentialTest(runs, false_alarms=false_alarms)
    assert test.false_alarm_rate <= false_alarms
    # Stopping early can only spare a right agent: all seeds without a stop give the binomial bound.
    assert test.false_alarm_rate <= stats.binom.sf(test.failures_to_fail - 1, runs, 1 - test.right) + 1e-12
    # An agent better than that fails less often still.
    assert test.power(0.99) < test.power(0.95) < test.power(0.5) < test.power(0.1)


def test_the_default_numbers_by_hand() -> None:
    """Of ten seeds four must fail. (0.95 / 0.5)^5 = 24.8 is the first ratio above 20, so five in a row pass."""
    test = SequentialTest()
    assert test.failures_to_fail == 4
    assert test.decision(4, 0) == "go on"
    assert test.decision(5, 0) == "pass"
    assert test.decision(0, 3) == "go on"
    assert test.decision(5, 4) == "fail"
    assert test.decision(7, 3) == "pass"  # no seed is left to fail


def test_settings_that_make_no_test_are_refused() -> None:
    with pytest.raises(ValueError, match="right must be above 0 and below 1, but is 1"):
        SequentialTest(right=1.0)
    with pytest.raises(ValueError, match="false_alarms must be above 0 and below 1, but is 0"):
        SequentialTest(false_alarms=0)
    with pytest.raises(ValueError, match=r"poor must be below right, but they are 0.9 and 0.8"):
        SequentialTest(right=0.8, poor=0.9)
    with pytest.raises(ValueError, match="runs must be at least 1, but is 0"):
        SequentialTest(runs=0)
    with pytest.raises(ValueError, match="evidence must be above 1, but is 1"):
        SequentialTest(evidence=1)
    with pytest.raises(
        ValueError, match=r"1 runs cannot tell a failure from bad luck: all fail with probability 0\.05"
    ):
        _ = SequentialTest(runs=1).failures_to_fail
