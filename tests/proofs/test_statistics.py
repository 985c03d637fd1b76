"""How often each interval holds the truth, with many draws."""

from __future__ import annotations

import pytest

from tests.baselines.interval_cases import CASES, FEW_RUNS, Case, coverage, standard_error

pytestmark = pytest.mark.proofs

DRAWS = 5_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_intervals_hold_the_truth_as_often_as_is_said(case: Case) -> None:
    found = coverage(case, DRAWS, seed=1)
    print(f"{case.says}: 95% intervals hold the truth in {found:.4f} of {DRAWS:,} draws")
    # Two measurements of so many draws each, the one that is said and this one.
    assert abs(found - case.covered) < 4 * 2**0.5 * standard_error(case.covered, DRAWS)
    # What bootstraps of some tens of runs are known to fall short by.
    assert 0.91 < found < 0.985


@pytest.mark.parametrize("case", FEW_RUNS, ids=lambda case: case.says)
def test_intervals_of_few_runs_are_as_much_too_narrow_as_reports_say(case: Case) -> None:
    found = coverage(case, DRAWS, seed=3)
    print(f"{case.says}: 95% intervals hold the truth in {found:.4f} of {DRAWS:,} draws")
    # What is said is rounded to a hundredth.
    assert abs(found - case.covered) < 0.005 + 4 * 2**0.5 * standard_error(case.covered, DRAWS)
    assert found < 0.91
