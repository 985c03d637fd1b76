"""The message for an unknown name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

# Up to this many names are all listed; of more, only the first ones and the number of the others.
FEW, FIRST = 25, 12

# How similar a name must be to be suggested, from 0 to 1; how much less similar than the nearest one the others may be;
# and how many are suggested.
LIKE, BESIDE, OFFERED = 0.6, 0.02, 3

# What a name counts as that begins or ends with the other, or the other with it; shorter parts tell nothing.
PART, SHORTEST_PART = 0.9, 3


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """The message for an unknown name.

    Args:
        what: the kind of name, such as "world".
        name: the unknown name.
        known: all known names.

    Returns:
        A message with the nearest names, if any are near, and the known ones, unless there are many.
    """
    names = list(known)
    near = nearest(str(name), names)
    message = f"unknown {what} {name!r}."
    if near:
        *others, last = map(repr, near)
        message += f" Did you mean {', '.join(others) + ' or ' if others else ''}{last}?"
    if len(names) <= FEW:
        return f"{message} Known: {', '.join(names)}"
    return message if near else f"{message} Known: {', '.join(names[:FIRST])}, and {len(names) - FIRST} more"


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """The names most similar to another, the most similar first; of several versions only the newest.

    Args:
        name: what was given.
        known: the names there are.

    Returns:
        At most `OFFERED`; empty where none is like it. Namespaces and versions of Gymnasium ids do not count, nor
        does case.
    """
    newest: dict[str, str] = {}
    for candidate in known:
        stem = _stem(candidate)
        if stem not in newest or _version(candidate) > _version(newest[stem]) >= 0:
            newest[stem] = candidate
    likeness = {candidate: _likeness(_stem(name), stem) for stem, candidate in newest.items()}
    threshold = max([LIKE, *(value - BESIDE for value in likeness.values())])
    near = sorted((one for one in likeness if likeness[one] >= threshold), key=lambda one: -likeness[one])
    return near[:OFFERED]


def _likeness(one: str, other: str) -> float:
    """How alike two stems are: 1 if they are the same."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    part = len(short) >= SHORTEST_PART and (long.startswith(short) or long.endswith(short))
    return max(PART if part else 0.0, difflib.SequenceMatcher(None, one, other).ratio())


def _stem(name: str) -> str:
    """A name without the namespace and the version of a Gymnasium id: "rl_envs/LineWalk-v0" is "linewalk"."""
    return re.sub(r"-v\d+$", "", name.rpartition("/")[2]).casefold()


def _version(name: str) -> int:
    """The number after -v; -1 if there is none."""
    found = re.search(r"-v(\d+)$", name)
    return int(found[1]) if found else -1
