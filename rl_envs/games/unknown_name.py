"""The message for a name nobody knows: the name, the nearest ones, or all there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name_message(kind: str, name: object, known: Iterable[str]) -> str:
    """What to say about an unknown name.

    Args:
        kind: what the name should have named, such as "game".
        name: what was given.
        known: the names there are.

    Returns:
        A message that lists the nearest names, or all where none is near.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(names)}"
    return f"unknown {kind} {name!r}: {hint}"
