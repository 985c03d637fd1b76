"""The suite itself: pytest-xdist runs nothing when two of its workers collect tests of different names."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest


def unsteady(item: Any) -> bool:
    """Whether a test is named by the text of a set or of an object, which is another in every process."""
    values = item.callspec.params if hasattr(item, "callspec") else {}
    return " at 0x" in item.name or any(str(found) in item.name for found in sets_in(values))


def sets_in(value: Any) -> Iterator[set[Any] | frozenset[Any]]:
    """The sets in a value that have an order to choose, however deep inside it."""
    if isinstance(value, (set, frozenset)) and len(value) > 1:
        yield value
    elif isinstance(value, (tuple, list, set, frozenset, dict)):
        for inside in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from sets_in(inside)


def test_every_test_has_the_same_name_in_every_process(request: pytest.FixtureRequest) -> None:
    """Two short sets agree by chance half of the time: the suite would pass on one machine and stop on the next."""
    assert not [item.nodeid for item in request.session.items if unsteady(item)]


def test_a_name_that_changes_would_be_seen() -> None:
    def named(name: str, value: Any) -> Any:
        return SimpleNamespace(name=name, callspec=SimpleNamespace(params={"value": value}))

    actions = {"left", "right"}
    assert unsteady(named(f"test_x[{actions}]", actions))
    for around in ((1, actions), [{"legal": actions}], {frozenset(actions): 1}, {frozenset(actions)}):
        assert unsteady(named(f"test_x[{around}]", around))
        assert not unsteady(named("test_x[actions]", around))
    assert unsteady(named(f"test_x[{object()}]", 0))
    assert not unsteady(named("test_x[actions]", actions))
    assert not unsteady(named("test_x[{'left'}]", {"left"}))
    assert not unsteady(SimpleNamespace(name="test_x"))
