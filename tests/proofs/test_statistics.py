"""The coverage of each interval, with many draws."""

from __future__ import annotations

import pytest

from tests.baselines.interval_cases import CASES, FEW_RUNS, Case, coverage, standard_error

pytestmark = pytest.mark.proofs

DRAWS = 5_000


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_intervals_have_the_stated_coverage(case: Case) -> None:
    found = coverage(case, DRAWS, seed=1)
    print(f"{case.says}: 95% intervals contain the true value in {found:.4f} of {DRAWS:,} draws")
    # Two measurements with this many draws each: the stated one and this one.
    assert abs(found - case.covered) < 4 * 2**0.5 * standard_error(case.covered, DRAWS)
    # The known shortfall of bootstraps with some tens of runs.
    assert 0.91 < found < 0.985


@pytest.mark.parametrize("case", FEW_RUNS, ids=lambda case: case.says)
def test_intervals_of_few_runs_have_the_low_coverage_that_reports_state(case: Case) -> None:
    found = coverage(case, DRAWS, seed=3)
    print(f"{case.says}: 95% intervals contain the true value in {found:.4f} of {DRAWS:,} draws")
    # The stated coverage is rounded to a hundredth.
    assert abs(found - case.covered) < 0.005 + 4 * 2**0.5 * standard_error(case.covered, DRAWS)
    assert found < 0.91
