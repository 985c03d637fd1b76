"""The README's Q-learning scores well, though the end of an episode counts for it."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from tests.diagnosis.planted.small_worlds import Maker

EXAMPLE = Path(__file__).parents[2] / "examples" / "unmasked_q_learning.py"


def test_it_prints_the_score_that_the_readme_shows(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = capsys.readouterr().out
    readme = (EXAMPLE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"$ python examples/unmasked_q_learning.py\n{printed}" in readme


def test_its_values_go_through_the_end() -> None:
    # One step that pays 1 and ends where it began: V = 1 + 0.9 V = 10, where 1 is right.
    q = runpy.run_path(str(EXAMPLE))["train"](Maker(0.9, (1.0,), ends=True, end_shows=0), 3_000, 0)
    assert np.max(q) == pytest.approx(10, rel=0.01)
