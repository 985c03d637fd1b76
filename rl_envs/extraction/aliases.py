"""Which attributes hold the same objects: they must be copied together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rl_envs.extraction.content import References
from rl_envs.extraction.ways import PLAIN_TYPES, Slot


def sharing_groups(values: Mapping[Slot, Any], references: References) -> list[set[Slot]]:
    """The groups of attributes that hold the same objects now.

    Args:
        values: of the attributes that are copied.
        references: what is never copied, and so may be held by several.

    Returns:
        Groups of two or more.
    """
    owner: dict[int, Slot] = {}
    groups: list[set[Slot]] = []
    for slot, value in values.items():
        group = {slot}
        for part in _mutable_parts(value, references):
            group.add(owner.setdefault(part, slot))
        groups.append(group)
    return [group for group in united(groups) if len(group) > 1]


def united(groups: Iterable[set[Slot]]) -> list[set[Slot]]:
    """Groups with a member in common as one."""
    result: list[set[Slot]] = []
    for group in groups:
        apart = [other for other in result if not other & group]
        result = [*apart, group.union(*(other for other in result if other & group))]
    return result


def _mutable_parts(value: Any, references: References) -> set[int]:
    """The identities of all objects inside a value that could be changed."""
    found: dict[int, Any] = {}
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if type(part) in PLAIN_TYPES or id(part) in found or references.holds(part):
            continue
        if isinstance(part, np.ndarray):
            found[id(part)] = part
            if part.base is not None:
                waiting.append(part.base)
            if part.dtype == object:
                waiting.extend(part.ravel().tolist())
            continue
        if isinstance(part, (tuple, frozenset)):
            waiting.extend(part)
            continue
        found[id(part)] = part
        if isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, (list, set)):
            waiting.extend(part)
        elif hasattr(part, "__dict__"):
            waiting.extend(vars(part).values())
    return set(found)
