"""A comparison that is killed twenty times loses nothing but time."""

from __future__ import annotations

import pytest

from baselines.comparison.running import compare
from tests.baselines.kills import MEASURED, killed_and_resumed, twenty
from tests.baselines.processes import to_the_byte

pytestmark = pytest.mark.proofs


def test_a_comparison_killed_at_random_moments_and_resumed_equals_an_unbroken_one_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    unbroken = to_the_byte(compare(MEASURED, tmp_path_factory.mktemp("unbroken"), workers=1))
    killed = 0
    cells = len(MEASURED.cells())
    for moment in twenty(seed=0):
        outcome = killed_and_resumed(tmp_path_factory.mktemp("killed"), *moment)
        assert to_the_byte(outcome.results) == unbroken
        assert outcome.reused >= outcome.files_at_kill
        killed += outcome.killed
        what, results, seconds, workers = moment
        where = {"start": "after the start", "results": f"after {results} results", "writing": "while one is written"}
        print(
            f"{workers} workers, {seconds:.2f} s {where[what]}: {'killed' if outcome.killed else 'had ended'} with "
            f"{outcome.files_at_kill} of {cells} results, {outcome.reused} were used"
        )
    print(f"{killed} of 20 killed while they ran; every resumed comparison equals the unbroken one to the byte")
    assert killed >= 15
