"""docs/oracles.md tells the truth: its code runs and prints what stands below it, and its tables are computed."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from rl_envs.diagnosis import oracles
from rl_envs.diagnosis.asserts import SequentialTest
from rl_envs.diagnosis.oracles.signature import MEANINGS, NAMES, ROLES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "oracles.md").read_text()
# Each block of code, and the block of text right below it, if there is one.
EXAMPLES = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", PAGE, re.DOTALL)


def rows(header: str) -> list[list[str]]:
    """The cells of the table that begins with such a header."""
    table = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.mark.parametrize(("code", "text"), EXAMPLES)
def test_an_example_prints_what_stands_below_it(code: str, text: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/oracles.md", "exec"), {})
    assert printed.getvalue() == text


def test_one_example_is_right_and_one_is_wrong() -> None:
    verdicts = [text.splitlines()[0].rpartition(": ")[2] for _, text in EXAMPLES if text]
    assert verdicts == ["right", "wrong"]


def test_every_role_and_only_names_that_are_understood_are_listed() -> None:
    listed = rows("| role |")
    assert [role for role, _, _ in listed] == list(ROLES)
    for role, _, names in listed:
        for name in re.findall(r"`(\w+)`", names):
            # next_value alone stands for two roles; the page says so below the table.
            assert MEANINGS[name] == role, name
    assert "next_value" in NAMES["next_or_last_value"].split()


def test_checks_and_references_are_listed() -> None:
    for check, _, reference in rows("| check |"):
        names = [check.strip("`"), *re.findall(r"`(\w+)`", reference)]
        for name in names:
            assert name in oracles.__all__
    listed = {check.strip("`") for check, _, _ in rows("| check |")}
    assert listed == {name for name in oracles.__all__ if name.startswith("check_")}


def test_rates_of_error_are_those_of_the_test() -> None:
    for runs, failures, right, half, none, needed in rows("| at most so many runs |"):
        test = SequentialTest(int(runs))
        assert int(failures) == test.failures_to_fail
        assert right == f"{test.false_alarm_rate:.2g}"
        assert half == f"{test.power(0.5):.2g}"
        assert none == f"{test.power(0):.2g}"
        assert needed == f"{test.expected_runs(0.95):.1f}"
