"""Where a function comes from: what tells it from another of the same name, and from itself after a change.

A result of a user's function is kept as long as nothing that decides it has changed, as far as that can be read: the
file it stands in, what it was given beforehand (a closure, an object's attributes, `functools.partial`), and the
versions of the libraries that its source imports.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

PLAIN = (type(None), bool, int, float, complex, str, bytes, Path)


@dataclass(frozen=True)
class Origin:
    """Where a function comes from; a change of any of this makes it another agent.

    Attributes:
        name: of the function.
        source: a hash of the text that it and what it was given stand in, and of the values among them.
        libraries: distributions that the text imports; their versions decide too.
    """

    name: str
    source: str
    libraries: tuple[str, ...]


def origin_of(function: Any) -> Origin:
    """Tell where a function, a method, a `partial` or an object that can be called comes from.

    Raises:
        ValueError: its source cannot be read or has changed since it was imported, or it was given something beforehand
            that cannot be told from another of its kind.
    """
    plain = function
    while isinstance(plain, partial):
        plain = plain.func
    name = getattr(plain, "__qualname__", type(plain).__qualname__)
    account = _Account(name)
    account.add(function)
    return Origin(name, account.digest(), tuple(sorted(account.libraries())))


class _Account:
    """Gathers everything that a function rests on, as text.

    Args:
        name: of the function, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._texts: dict[str, None] = {}  # in the order in which they were met
        self._met: list[Any] = []  # kept alive, so that no two have the same id

    def digest(self) -> str:
        """A hash of all of it."""
        return hashlib.sha256("\0".join([*self._texts, *self._parts]).encode()).hexdigest()

    def libraries(self) -> set[str]:
        """Distributions whose modules the texts import, anywhere; those of this project are left out."""
        modules = {module for text in self._texts for module in _imported(text)}
        owners = _owners()
        return {owner.lower() for module in modules - {"rl_envs", "baselines"} for owner in owners.get(module, ())}

    def add(self, value: Any) -> None:
        """Take account of a value and of all that is in it."""
        if isinstance(value, PLAIN):
            self._parts.append(f"{type(value).__name__} {value!r}")
            return
        if any(value is met for met in self._met):
            self._parts.append("again")
            return
        self._met.append(value)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype != object:
            array = np.ascontiguousarray(value)
            self._parts.append(f"array {array.dtype} {array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}")
        elif isinstance(value, (list, tuple)):
            self._add_all(type(value).__name__, value)
        elif isinstance(value, (set, frozenset)):
            self._add_all(type(value).__name__, sorted(value, key=repr))
        elif isinstance(value, Mapping):
            self._add_all(type(value).__name__, [part for item in value.items() for part in item])
        elif isinstance(value, partial):
            self._add_all("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, MethodType):
            self._add_all("method", [value.__func__, value.__self__])
        elif isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, (BuiltinFunctionType, ModuleType, np.ufunc)):
            self._parts.append(f"{getattr(value, '__module__', None)} {value.__name__}")
        elif isinstance(value, type):
            self._add_class(value)
        elif hasattr(value, "__dict__") and _is_python(type(value)):
            self._add_all("object", [type(value), vars(value)])
        else:
            raise ValueError(
                f"{self._name} rests on {value!r}, and it cannot be told whether that is the same the next time: give "
                "it plain values, or make what it needs inside of it"
            )

    def _add_all(self, kind: str, values: Any) -> None:
        self._parts.append(f"{kind} {len(values)}")
        for value in values:
            self.add(value)

    def _add_function(self, function: FunctionType) -> None:
        text = self._text_of(function, function.__qualname__)
        self._texts[text] = None
        self._parts.append(f"function {function.__qualname__}")
        cells = [cell.cell_contents for cell in function.__closure__ or () if cell.cell_contents is not function]
        for given in (function.__defaults__, function.__kwdefaults__, cells):
            self.add(given)
        for name in sorted(_names_in(function.__code__)):
            found = function.__globals__.get(name)
            if _is_plain(found):
                self.add((name, found))
            elif isinstance(found, FunctionType) and found.__module__ == function.__module__:
                self.add(found)  # in a notebook it stands in a text of its own

    def _add_class(self, cls: type) -> None:
        self._parts.append(f"class {cls.__qualname__}")
        try:
            self._texts[self._text_of(cls, cls.__qualname__)] = None
        except ValueError:
            if cls.__module__ == "__main__":
                raise
            self._parts.append(cls.__module__)  # a library's, which is told by its version

    def _text_of(self, thing: Any, qualname: str) -> str:
        """The text of the file in which it stands, for it may rest on anything there; else its own text."""
        try:
            file = inspect.getsourcefile(thing)
            if file is None or not Path(file).is_file():
                return textwrap.dedent(inspect.getsource(thing))
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, TypeError):
            raise ValueError(
                f"the source of {qualname} cannot be read, so its results could not be told from those of another "
                "version of it: define it in a file"
            ) from None
        if isinstance(thing, FunctionType):
            _check_unchanged(thing, text, file)
        return text


_owners = lru_cache(metadata.packages_distributions)


def _is_plain(value: Any) -> bool:
    """Whether it is a plain value or holds nothing else."""
    if isinstance(value, Mapping):
        return all(_is_plain(part) for item in value.items() for part in item)
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)


def _is_python(cls: type) -> bool:
    """Whether objects of a class hold nothing but attributes: all classes above it are written in Python, and so."""
    above = [one for one in cls.__mro__ if one is not object]
    return bool(above) and all(_written_in_python(one) and "__slots__" not in vars(one) for one in above)


def _written_in_python(cls: type) -> bool:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return cls.__module__ == "__main__" or str(file).endswith(".py")


def _check_unchanged(function: FunctionType, text: str, file: str) -> None:
    """Refuse a file that has changed since: what runs would be stored under the name of what now stands there."""
    if any(name.startswith("@py") for name in _names_in(function.__code__)):
        return  # pytest has rewritten its assertions
    try:
        now = list(_codes_in(compile(text, file, "exec", dont_inherit=True)))
    except SyntaxError:
        now = []
    if not any(_same_code(function.__code__, code) for code in now):
        raise ValueError(
            f"{file} has changed since {function.__qualname__} was imported from it: start again, so that what runs is "
            "what stands there"
        )


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two compiled functions do the same, wherever in the file they stand."""
    if (one.co_name, one.co_names, one.co_varnames, one.co_freevars) != (
        other.co_name,
        other.co_names,
        other.co_varnames,
        other.co_freevars,
    ):
        return False
    if one.co_code != other.co_code or len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        _same_code(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else type(a) is type(b) and a == b
        for a, b in zip(one.co_consts, other.co_consts)
    )


def _names_in(code: CodeType) -> set[str]:
    """Names of globals that a function and the functions in it may use."""
    return set(code.co_names).union(*(set(inner.co_names) for inner in _codes_in(code)))


def _imported(text: str) -> set[str]:
    """The modules that a text imports, anywhere in it, by the first part of their names."""
    modules = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module.partition(".")[0])
    return modules
