"""The content of an attribute: a copy of it to go back to, and a fingerprint by which equal contents are known.

Copies are made with pickle, whose loops are in C; random generators, spaces, functions and the environment itself are
handed over by reference. Fingerprints are made of the content alone, so that they are equal where it is: pickled bytes
also depend on which equal strings happen to be one object.
"""

from __future__ import annotations

import collections
import copyreg
import enum
import hashlib
import io
import marshal
import pickle
import random
import types
from collections.abc import Callable
from operator import methodcaller
from typing import Any

import numpy as np
from gymnasium import spaces

# Values that cannot change and are their own key.
ATOMS = frozenset(
    {int, float, bool, str, bytes, complex, type(None), type(Ellipsis)}
    | {np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64}
    | {np.float16, np.float32, np.float64, np.str_, np.bytes_}
)

_BY_REFERENCE = (
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    random.Random,
    spaces.Space,
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    property,
)


class Unkeyable(TypeError):
    """A value that has no fingerprint."""


class References:
    """Objects that are handed over and never copied; every kind of random generator becomes one of ours.

    Args:
        generator: what stands in for NumPy's generators.
        python_generator: what stands in for those of the module `random`.
        kept: further objects to hand over: the environment and its wrappers.
    """

    def __init__(self, generator: Any, python_generator: Any, kept: list[Any]) -> None:
        self.generator = generator
        self.python_generator = python_generator
        self._kept = {id(value) for value in kept}
        self.objects: list[Any] = list(kept)
        self.tokens = {id(value): token for token, value in enumerate(kept)}
        self._types: dict[type, bool] = {}
        self._reducers = _Reducers(self)
        self._slow: set[Any] = set()  # kinds of values that hold what pickle cannot find by its name

    def holds(self, value: Any) -> bool:
        """Whether a value is handed over."""
        kind = type(value)
        by_type = self._types.get(kind)
        if by_type is None:
            by_type = self._types[kind] = issubclass(kind, _BY_REFERENCE)
        return by_type or id(value) in self._kept

    def token(self, value: Any) -> int:
        """The number under which a value is found again; below 0 for what stands in for random generators."""
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            return -1
        if isinstance(value, random.Random):
            return -2
        if id(value) not in self.tokens:
            self.tokens[id(value)] = len(self.objects)
            self.objects.append(value)
        return self.tokens[id(value)]

    def keep(self, value: Any) -> None:
        """Hand a value over from now on."""
        self._kept.add(id(value))
        self.token(value)
        self._reducers.clear()

    def keeps_a(self, kind: type) -> bool:
        """Whether an object of this very class is handed over."""
        return any(type(value) is kind for value in self.objects if id(value) in self._kept)

    def pack(self, value: Any) -> bytes:
        """A value as bytes, to be unpacked as often as needed."""
        buffer = io.BytesIO()
        kinds = tuple(map(type, value)) if type(value) is list else type(value)
        if kinds not in self._slow:
            # A table of reducers keeps pickle's loop in C: a third of the time of a method called for each object.
            pickler = pickle.Pickler(buffer, protocol=5)
            pickler.dispatch_table = self._reducers
            try:
                pickler.dump(value)
                return buffer.getvalue()
            except (pickle.PicklingError, AttributeError, TypeError):
                self._slow.add(kinds)  # a function inside a function, say
                buffer = io.BytesIO()
        _Pickler(buffer, self).dump(value)
        return buffer.getvalue()

    def unpack(self, data: bytes) -> Any:
        """A fresh copy of what was packed."""
        _ACTIVE.append(self)
        try:
            return pickle.loads(data)
        finally:
            _ACTIVE.pop()


# The references that are being unpacked with.
_ACTIVE: list[References] = []


def _referenced(token: int) -> Any:
    active = _ACTIVE[-1]
    return active.objects[token] if token >= 0 else active.generator if token == -1 else active.python_generator


class _Reducers(dict[type, Callable[[Any], Any]]):
    """How pickle takes an object of each class apart, found out when the class is first met."""

    def __init__(self, references: References) -> None:
        super().__init__()
        self._references = references

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        references = self._references
        own = copyreg.dispatch_table.get(kind) or methodcaller("__reduce_ex__", 5)

        def reduce(value: Any) -> Any:
            return (_referenced, (references.token(value),)) if references.holds(value) else own(value)

        self[kind] = reduce if issubclass(kind, _BY_REFERENCE) or references.keeps_a(kind) else own
        return self[kind]


class _Pickler(pickle.Pickler):
    """Hands over classes and functions too, whether or not pickle could find them by their names."""

    def __init__(self, buffer: io.BytesIO, references: References) -> None:
        super().__init__(buffer, protocol=5)
        self._references = references

    def reducer_override(self, value: Any) -> Any:
        if value is _referenced:
            return NotImplemented
        if self._references.holds(value):
            return _referenced, (self._references.token(value),)
        return NotImplemented


def fingerprint(value: Any, references: References) -> bytes:
    """16 bytes that are equal for equal contents.

    Args:
        value: anything.
        references: what counts by what it is and not by its content.

    Returns:
        The bytes.

    Raises:
        Unkeyable: it holds something that cannot be told apart by its content.
    """
    # Version 2 of marshal, because later ones write down which equal parts are one object.
    return hashlib.blake2b(marshal.dumps(_plain(value, references, {}), 2), digest_size=16).digest()


def _plain(value: Any, references: References, seen: dict[int, int]) -> Any:
    """A value as nested tuples of plain numbers and texts."""
    kind = type(value)
    if kind in (int, str, bool, bytes, type(None), float):
        return value
    if kind in ATOMS or isinstance(value, np.generic):
        return value.item() if isinstance(value, np.generic) else (kind.__name__, repr(value))
    if references.holds(value):
        return ("reference", references.token(value))
    if isinstance(value, enum.Enum):
        return ("enum", kind.__qualname__, value.name)
    if kind is tuple:
        return ("tuple", *(_plain(part, references, seen) for part in value))
    if id(value) in seen:
        return ("again", seen[id(value)])  # also tells apart whether two parts are one object
    seen[id(value)] = len(seen)
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return ("array", value.shape, *(_plain(part, references, seen) for part in value.ravel().tolist()))
        return ("array", value.shape, value.dtype.str, value.tobytes())
    if isinstance(value, (set, frozenset)):
        return ("set", *sorted(marshal.dumps(_plain(part, references, seen), 2) for part in value))
    if isinstance(value, (list, collections.deque)):
        return (kind.__name__, *(_plain(part, references, seen) for part in value))
    if isinstance(value, dict):
        pairs = ((_plain(k, references, seen), _plain(v, references, seen)) for k, v in value.items())
        return (kind.__qualname__, *pairs)
    if hasattr(value, "__dict__") or hasattr(kind, "__slots__"):
        slots = [name for base in kind.__mro__ for name in _slots_of(base) if hasattr(value, name)]
        parts = {**getattr(value, "__dict__", {}), **{name: getattr(value, name) for name in slots}}
        inside = () if not isinstance(value, tuple) else tuple(value)
        return (kind.__qualname__, *((k, _plain(v, references, seen)) for k, v in parts.items()), *map(repr, inside))
    try:
        reduced = value.__reduce_ex__(4)
    except TypeError:
        reduced = None
    if isinstance(reduced, tuple):  # as pickle would write it down: iterators and the like
        return (kind.__qualname__, *(_plain(part, references, seen) for part in reduced[1:3]))
    raise Unkeyable(f"a {kind.__module__}.{kind.__qualname__}")


def _slots_of(base: type) -> list[str]:
    slots = vars(base).get("__slots__", ())
    return [slots] if isinstance(slots, str) else [name for name in slots if name not in ("__dict__", "__weakref__")]
