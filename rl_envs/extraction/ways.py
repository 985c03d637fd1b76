"""How an attribute is kept in the content of a state, found out from its value."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl_envs.extraction.content import ATOMS
from rl_envs.extraction.draws import Draw
from rl_envs.extraction.refusal import NotTabular

Slot = tuple[int, str]  # which layer, and the attribute's name

# The cheapest way first: one object for all contents; the value itself; a copy of an array or of a list of plain
# values; pickled bytes. Attributes only ever move down the list.
SHARED, PLAIN, ARRAY, DEEP = "shared", "plain", "array", "deep"
ORDER = [SHARED, PLAIN, ARRAY, DEEP]


class _Missing:
    """Stands for an attribute that a content does not have."""

    def __repr__(self) -> str:
        return "missing"

    def __reduce__(self) -> str:
        return "MISSING"  # there is only one


MISSING = _Missing()
PLAIN_TYPES = ATOMS | {_Missing}


def way_of(value: Any, name: str = "") -> str:
    """The cheapest way in which a value can be kept.

    Args:
        value: of an attribute.
        name: of the attribute, for the error.

    Returns:
        PLAIN, ARRAY or DEEP.

    Raises:
        NotTabular: a random number that is not known.
    """
    if isinstance(value, Draw):
        raise continuous(name, value)
    if type(value) in PLAIN_TYPES:
        return PLAIN
    if type(value) is tuple:
        parts = {way_of(part, name) for part in value if type(part) is not tuple}
        nested = {way_of(part, name) for part in value if type(part) is tuple}
        return ARRAY if parts <= {PLAIN} and nested <= {ARRAY} else DEEP
    if type(value) is np.ndarray and value.dtype != object and value.base is None:
        return ARRAY
    if type(value) is list and PLAIN_TYPES.issuperset(map(type, value)):
        return ARRAY
    return DEEP


def further(one: str, other: str) -> str:
    """The costlier of two ways."""
    return max(one, other, key=ORDER.index)


def continuous(name: str, value: Draw) -> NotTabular:
    """The error for a random number in the state."""
    return NotTabular(
        f"a state must be one of finitely many, but {value.origin} is kept in {name}: the state is continuous, and has "
        "no exact table"
    )
