"""What the documentation shows is what happens."""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def test_the_examples_of_the_games_page_are_true():
    result = doctest.testfile(str(REPOSITORY / "docs" / "games.md"), module_relative=False)
    assert result.attempted > 25
    assert result.failed == 0


@pytest.mark.parametrize("arguments", [[], ["--game", "penalty", "--k", "-10"], ["--game", "chicken"]])
def test_the_example_runs(arguments):
    command = [sys.executable, "-W", "error", str(REPOSITORY / "examples" / "matrix_game.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}  # the package need not be installed
    shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert "the best deviation gains 0" in shown
    assert "exploitability" in shown
    if not arguments:
        assert "(5/16, 0, 11/16) against (5/16, 0, 11/16)  pays 55/16, 55/16" in shown
