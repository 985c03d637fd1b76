"""Names with settings, as they stand on the command line and in tables: "LineWalk", "LineWalk:size=9,slip=0.1"."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def parse(specification: str) -> tuple[str, dict[str, Any]]:
    """Take a name and its settings apart.

    Args:
        specification: "Name" or "Name:key=value,key=value". A value is read as a Python literal where it is one, and
            as a plain string otherwise.

    Returns:
        The name and the settings.

    Raises:
        ValueError: a setting that is not of the form key=value, or one given twice.
    """
    name, _, rest = specification.partition(":")
    settings: dict[str, Any] = {}
    for part in _split(rest) if rest else []:
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key.isidentifier():
            raise ValueError(f"a setting must have the form key=value, but {specification!r} has {part!r}")
        if key in settings:
            raise ValueError(f"a setting must be given once, but {specification!r} gives {key!r} twice")
        settings[key] = _literal(value.strip())
    return name.strip(), settings


def label(name: str, settings: Mapping[str, Any]) -> str:
    """The specification that `parse` takes apart into these."""
    if not settings:
        return name
    return name + ":" + ",".join(f"{key}={_plain(value)}" for key, value in sorted(settings.items()))


@contextmanager
def named(specification: str) -> Iterator[None]:
    """Put a specification before what is wrong with it, unless the message holds its name already.

    Raises:
        ValueError, TypeError: as the block does, which may know a setting and not whose it is.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        if parse(specification)[0] in str(error):
            raise
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{specification}: {error}") from error


def _plain(value: Any) -> Any:
    """The value with lists as tuples: they mean the same, and a file gives back the one for the other."""
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def _split(text: str) -> list[str]:
    """Split at the commas that are not inside brackets: "means=(0,1),std=1" has two parts."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a word such as "one_hot" needs no quotes
