"""The suite itself: pytest-xdist runs nothing when two of its workers collect tests of different names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest


def unsteady(item: Any) -> bool:
    """Whether a test is named by the text of a set or of an object, which is another in every process."""
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return " at 0x" in item.name or any(
        isinstance(value, (set, frozenset)) and str(value) in item.name for value in values
    )


def test_every_test_has_the_same_name_in_every_process(request: pytest.FixtureRequest) -> None:
    """Two short sets agree by chance half of the time: the suite would pass on one machine and stop on the next."""
    assert not [item.nodeid for item in request.session.items if unsteady(item)]


def test_a_name_that_changes_would_be_seen() -> None:
    def named(name: str, value: Any) -> Any:
        return SimpleNamespace(name=name, callspec=SimpleNamespace(params={"value": value}))

    actions = {"left", "right"}
    assert unsteady(named(f"test_x[{actions}]", actions))
    assert unsteady(named(f"test_x[{object()}]", 0))
    assert not unsteady(named("test_x[actions]", actions))
    assert not unsteady(SimpleNamespace(name="test_x"))
