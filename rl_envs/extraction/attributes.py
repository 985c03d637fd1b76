"""One attribute of a content by itself: looked at, compared, exchanged."""

from __future__ import annotations

import pickle
import types
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rl_envs.extraction.content import References, Unkeyable, fingerprint
from rl_envs.extraction.draws import Draw
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.ways import Slot, continuous


class Content(NamedTuple):
    """What an environment remembers at one moment."""

    plain: tuple[Any, ...]
    arrays: tuple[Any, ...]
    deep: tuple[bytes, ...]


class Attributes:
    """The attributes that contents are made of, in order, and what can be done with one of them.

    Args:
        layers: the environment and its wrappers, outermost first.
        references: what is never copied.
    """

    def __init__(self, layers: Sequence[Any], references: References) -> None:
        self.references = references
        self._layers = layers
        self._groups: dict[Slot, Slot] = {}  # attributes that share objects, by the first of each group
        self._plain: list[Slot] = []
        self._arrays: list[Slot] = []
        self._deep: list[list[Slot]] = []
        self._shared: dict[Slot, Any] = {}

    def name(self, slot: Slot) -> str:
        """An attribute in words: its class and name."""
        return f"{type(self._layers[slot[0]]).__name__}.{slot[1]}"

    def value(self, content: Content, slot: Slot) -> Any:
        """What an attribute is in a content; not to be changed."""
        if slot in self._plain:
            return content.plain[self._plain.index(slot)]
        if slot in self._arrays:
            return content.arrays[self._arrays.index(slot)]
        for group, data in zip(self._deep, content.deep):
            if slot in group:
                return self._unpack(data)[group.index(slot)]
        return self._shared[slot]

    def key_of(self, content: Content, slot: Slot) -> Any:
        """What one attribute adds to the key of a content."""
        if slot in self._plain:
            return content.plain[self._plain.index(slot)]
        if slot in self._arrays:
            return array_key(content.arrays[self._arrays.index(slot)])
        return self._print(slot, self.value(content, slot))

    def equal(self, one: Content, other: Content, slot: Slot) -> bool:
        """Whether an attribute is the same in two contents."""
        for k, group in enumerate(self._deep):
            if group == [slot]:
                if one.deep[k] == other.deep[k]:
                    return True
                break
        return bool(self.key_of(one, slot) == self.key_of(other, slot))

    def with_value(self, content: Content, slot: Slot, value: Any) -> Content:
        """The content with another value of one attribute."""
        if slot in self._plain:
            j = self._plain.index(slot)
            return content._replace(plain=(*content.plain[:j], value, *content.plain[j + 1 :]))
        if slot in self._arrays:
            j = self._arrays.index(slot)
            return content._replace(arrays=(*content.arrays[:j], value, *content.arrays[j + 1 :]))
        for k, group in enumerate(self._deep):
            if slot in group:
                values = self._unpack(content.deep[k])
                values[group.index(slot)] = value
                data = self._pack(slot, values)
                return content._replace(deep=(*content.deep[:k], data, *content.deep[k + 1 :]))
        raise KeyError(slot)

    def differences(self, one: Content, other: Content, among: frozenset[Slot] | None = None) -> list[Slot]:
        """The attributes that are not equal in two contents, of some or of all."""
        found = [slot for slot, a, b in zip(self._plain, one.plain, other.plain) if not (a is b or a == b)]
        found += [
            slot
            for slot, a, b in zip(self._arrays, one.arrays, other.arrays)
            if a is not b and array_key(a) != array_key(b)
        ]
        for group, a, b in zip(self._deep, one.deep, other.deep):
            if a is not b and a != b and (among is None or not among.isdisjoint(group)):
                for slot, x, y in zip(group, self._unpack(a), self._unpack(b)):
                    if self._print(slot, x) != self._print(slot, y):
                        found.append(slot)
        return found

    # Copies and fingerprints ----------------------------------------------------------------------------------------

    def _print(self, slot: Slot, value: Any) -> bytes:
        try:
            return fingerprint(value, self.references)
        except (Unkeyable, ValueError) as error:
            raise NotTabular(
                f"a state must have content that can be compared, but attribute {self.name(slot)} holds {error}: "
                f"leave it out with ignore=({slot[1]!r},), or pass state="
            ) from None

    def _pack(self, slot: Slot, value: Any) -> bytes:
        if isinstance(value, Draw):
            raise continuous(self.name(slot), value)
        if isinstance(value, types.GeneratorType):
            raise NotTabular(
                f"a state must be something that can be copied, but attribute {self.name(slot)} holds a generator, "
                "whose place is hidden: keep a list and an index instead"
            )
        try:
            return self.references.pack(value)
        except NotTabular:
            raise
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
            # A window, a lock or a file: it cannot be copied, so all contents hold the same one.
            if isinstance(value, list) and slot in self._groups:
                for part in value:
                    self.references.keep(part)
            else:
                self.references.keep(value[0] if isinstance(value, list) and len(value) == 1 else value)
            return self.references.pack(value)

    def _unpack(self, data: bytes) -> Any:
        return self.references.unpack(data)


def array_key(value: Any) -> Any:
    """An array or a list as something that can be looked up; a tuple as it is."""
    if type(value) is list:
        return (list, *value)
    return (value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else value
