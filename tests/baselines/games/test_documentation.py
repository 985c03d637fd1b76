"""What the page on learners in games shows is what happens."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "learners_in_games.md"


def test_the_examples_of_the_page_are_true() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0
