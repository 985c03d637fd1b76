"""Specifications: a name with settings, as it is typed and as tables and files show it.

    LineWalk                          a name
    LineWalk:size=9,slip=0.1          a name with settings
    my_module:MyEnv-v0:size=3         the Gymnasium id of an environment that a module of your own registers
    path/to/file.py:make_env:size=3   a function of a file

Settings are values of TOML or Python: true or True, numbers, inf, None, strings with or without quotes, and lists in
square or round brackets.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from rl_envs.names import nearest

# A function of a file, an id of a module, or a plain name; then the settings.
_GRAMMAR = re.compile(r"(?P<name>.+?\.py:[^\W\d]\w*|[\w.]+:[\w./-]+-v\d+|[^:]*)(?::(?P<settings>.*))?", re.DOTALL)

# Values that are words in TOML or Python, beside True, False and None.
_WORDS = {"true": True, "false": False, "inf": math.inf, "nan": math.nan}

# What values of a type are called.
KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    tuple: "a list",
}


class Specification:
    """A name with settings. Two are equal if they have the same label.

    Args:
        name: of a world, an agent or a game; "module:EnvId-v0" or "file.py:function" for a user's own environment.
        settings: values by name.

    Attributes:
        name: the same.
        settings: the same, in alphabetical order and read-only; lists are tuples.
    """

    def __init__(self, name: str, settings: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.settings: Mapping[str, Any] = MappingProxyType(
            {key: _plain(value) for key, value in sorted((settings or {}).items())}
        )

    @classmethod
    def parse(cls, text: str) -> Specification:
        """Read a specification.

        Args:
            text: "Name" or "Name:key=value,key=value".

        Raises:
            TypeError: what is no string.
            ValueError: a setting that is not of the form key=value, one given twice, or a list or string without an
                end.
        """
        if not isinstance(text, str):
            raise TypeError(f"a specification must be a string, but is {text!r}")
        found = _GRAMMAR.fullmatch(text)
        if found is None:  # the last form of a name takes any text
            raise AssertionError(text)
        settings: dict[str, Any] = {}
        for part in _split(found["settings"]) if found["settings"] else []:
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not (equals and value and key.isidentifier()):
                raise ValueError(f"a setting must have the form key=value, but {text!r} has {part!r}")
            if key in settings:
                raise ValueError(f"a setting must be given once, but {text!r} gives {key!r} twice")
            try:
                settings[key] = read_value(value)
            except ValueError as error:
                raise ValueError(f"{error}, but {text!r} has {part.strip()!r}") from None
        return cls(found["name"].strip(), settings)

    @cached_property
    def label(self) -> str:
        """The text that stands for it in tables and files, and from which `parse` makes an equal one."""
        if not self.settings:
            return self.name
        return f"{self.name}:" + ",".join(f"{key}={_text(value)}" for key, value in self.settings.items())

    def also(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with arguments that a caller gives beside them; raises TypeError for one that both have."""
        for key in arguments:
            if key in self.settings:
                raise TypeError(f"a setting must be given once, but {key} is given both in {self} and as an argument")
        return {**self.settings, **arguments}

    def with_settings(self, settings: Mapping[str, Any]) -> Specification:
        """The same name with these settings over its own."""
        return Specification(self.name, {**self.settings, **settings})

    def __str__(self) -> str:
        return self.label

    def __repr__(self) -> str:
        return f"Specification({self.label!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Specification) and self.label == other.label

    def __hash__(self) -> int:
        return hash(self.label)

    def __reduce__(self) -> tuple[Any, ...]:
        return Specification, (self.name, dict(self.settings))  # a read-only mapping has no pickle


def read_value(text: str) -> Any:
    """Read a value as TOML or Python writes it; a word needs no quotes.

    Args:
        text: "9", "0.1", "true", "inf", "(0, 1)", "'one hot'", "one_hot".

    Returns:
        A number, a bool, None, a string, a tuple or a dictionary.

    Raises:
        ValueError: a list or a quoted string that does not end, or holds what is no value; the message is the rule.
    """
    if text.lstrip("+-") in ("inf", "nan"):
        return float(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python's news about a text that is no Python
            return _plain(ast.literal_eval(_Words().visit(ast.parse(text, mode="eval"))))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        if text[:1] in tuple("([{\"'"):
            raise ValueError("a list or a quoted string must be closed and hold nothing but values") from None
        return text


class _Words(ast.NodeTransformer):
    """Replaces the words of TOML by Python's values, also inside lists."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = self.visit(node.operand)
        is_infinite = isinstance(operand, ast.Constant) and operand.value == math.inf
        if is_infinite and isinstance(node.op, ast.USub):
            return ast.Constant(-math.inf)
        return ast.UnaryOp(node.op, operand)


@contextmanager
def named(specification: Specification | str) -> Iterator[None]:
    """Put a specification before what is wrong with it, unless the message holds its name already.

    Raises:
        ValueError, TypeError: as the block does, which may know a setting and not whose it is.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        name = specification if isinstance(specification, str) else specification.name
        if name in str(error):
            raise
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{specification}: {error}") from error


def check_no_word(what: str, value: object, parameter: inspect.Parameter) -> None:
    """Refuse a string where a bool or a number is meant: it would count as true, or fail much later.

    Args:
        what: is set, such as "FrozenLake-v1's is_slippery".
        value: what it is set to.
        parameter: what takes it, which tells by its default what is meant, and by its annotation whether a string is.

    Raises:
        TypeError: the message has the nearest of true and false, where one is near.
    """
    annotation = parameter.annotation if isinstance(parameter.annotation, str) else repr(parameter.annotation)
    is_number = isinstance(parameter.default, (bool, int, float))
    if isinstance(value, str) and is_number and not re.search(r"\bstr\b|Literal", annotation):
        refuse(what, value, parameter.default)


def refuse(what: str, value: object, default: object) -> NoReturn:
    """Say of which type a setting must be.

    Args:
        what: is set.
        value: what it is set to.
        default: a value of the right type.

    Raises:
        TypeError: always.
    """
    near = nearest(value, ["true", "false"]) if isinstance(value, str) and isinstance(default, bool) else []
    hint = f". Did you mean {near[0]}?" if near else ""
    raise TypeError(f"{what} must be {KINDS.get(type(default), type(default).__name__)}, but is {value!r}{hint}")


def _plain(value: Any) -> Any:
    """The value with lists as tuples, which mean the same, and numbers of NumPy as Python's."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _text(value: Any) -> str:
    """A value as `read_value` reads it; a string has quotes only where it would be read as something else."""
    text = str(value)
    if isinstance(value, str) and (_split(value) != [value] or value != value.strip() or not _is_word(value)):
        return repr(value)
    return text


def _is_word(text: str) -> bool:
    """Whether a string without quotes is read as itself."""
    try:
        return text != "" and read_value(text) == text
    except ValueError:
        return False


def _split(text: str) -> list[str]:
    """Split at the commas that are neither inside brackets nor inside quotes: "means=(0,1),std=1" has two parts."""
    parts, depth, quote, escaped = [""], 0, "", False
    for character in text:
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif character in "\"'" and parts[-1].rstrip()[-1:] in ("", "=", "(", "[", "{", ",", ":"):
            quote = character  # inside a word an apostrophe is no quote
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts
