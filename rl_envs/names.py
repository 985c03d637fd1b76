"""The message for a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """What to say about an unknown name.

    Args:
        what: what it should have named, such as "world".
        name: what was given.
        known: the names there are.

    Returns:
        A message with the nearest name, where one is near, and all that are known.
    """
    names = list(known)
    nearest = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"unknown {what} {name!r}.{hint} Known: {', '.join(names)}"
