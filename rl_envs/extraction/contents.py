"""Everything that an environment remembers, taken down and put back many thousand times a second.

What the attributes are is found out, not configured: plain values and arrays are kept as they are, anything else is
pickled, and what no step has changed is shared by all contents. A change that was not expected raises `Reclassified`:
the walk starts again, knowing better.
"""

from __future__ import annotations

import pickle
import types
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from rl_envs.extraction.content import ATOMS, References, Unkeyable, fingerprint
from rl_envs.extraction.draws import Draw
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.refusal import NotTabular


class _Missing:
    """Stands for an attribute that a content does not have."""

    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()
_PLAIN = ATOMS | {_Missing}

# How an attribute is kept, the cheapest way first. Attributes only ever move down the list.
SHARED, PLAIN, ARRAY, DEEP = "shared", "plain", "array", "deep"

# What Gymnasium keeps of an environment's random generator: no part of the state, whose chance is walked instead.
_GENERATOR = ("_np_random", "_np_random_seed")

Slot = tuple[int, str]  # which layer, and the attribute's name


class Content(NamedTuple):
    """What an environment remembers at one moment."""

    plain: tuple[Any, ...]
    arrays: tuple[Any, ...]
    deep: tuple[bytes, ...]


class Reclassified(Exception):
    """An attribute turned out to need another way of keeping it."""


class Contents:
    """Takes down and puts back what an environment remembers.

    Args:
        layers: the environment and its wrappers.
        references: what is never copied.
    """

    def __init__(self, layers: Layers, references: References) -> None:
        self._layers = layers
        self.references = references
        self.ways: dict[Slot, str] = {}
        self.ignored: frozenset[Slot] = frozenset()
        self._groups: dict[Slot, Slot] = {}  # attributes that share objects, by the first of each group
        self._pristine = {
            (i, name): self._pack((i, name), value)
            for i, part in enumerate(layers.parts)
            for name, value in part.__dict__.items()
        }
        self._original = dict(self._pristine)
        self._shared: dict[Slot, Any] = {}
        self._digests: dict[bytes, bytes] = {}
        self.keyed = True  # whether keys are asked for at all
        self._incomplete = False  # whether any content lacks an attribute that others have
        self._lay_out()
        self.rewind()  # the environment's own objects are left alone from here on

    def rewind(self, real: tuple[Any, Any] | None = None) -> None:
        """Go back to what the environment remembered at first; with generators of NumPy's and Python's own if given."""
        if real is not None:
            self.references.generator, self.references.python_generator = real
        for i, d in enumerate(self._dicts):
            d.clear()
            for (layer, name), data in self._original.items():
                if layer == i:
                    # What is shared holds the generator of the walk.
                    shared = real is None and (i, name) in self._shared
                    d[name] = self._shared[i, name] if shared else self._unpack(data)

    # Finding out ----------------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Look at every attribute as it is now, and keep those of a new kind in a way that fits."""
        for i, part in enumerate(self._layers.parts):
            for name, value in part.__dict__.items():
                self._move((i, name), _way(value, self.name((i, name))))
        self._lay_out()

    def share(self, slots: Iterable[Slot]) -> None:
        """Share attributes between all contents from now on, as they are now."""
        for slot in slots:
            self.ways[slot] = SHARED
            self._pristine[slot] = self._pack(slot, self._value(slot))
        self._lay_out()

    def join(self, groups: Iterable[set[Slot]]) -> None:
        """Keep attributes together that hold the same objects."""
        for group in groups:
            for slot in group:
                self.ways[slot] = DEEP
                self._groups[slot] = min(group)
        self._lay_out()

    def ignore(self, slots: Iterable[Slot]) -> None:
        """Leave attributes out of the key."""
        self.ignored = frozenset({*slots, *self.generators()})
        self._lay_out()

    def slots(self, way: str | None = None) -> list[Slot]:
        """The attributes that are kept in a way, or all of them."""
        return sorted(slot for slot, kept in self.ways.items() if way is None or kept == way)

    def copied_slots(self) -> list[Slot]:
        """The attributes that every content has of its own."""
        return sorted(slot for slot, kept in self.ways.items() if kept != SHARED)

    def named(self, name: str) -> list[Slot]:
        """The attributes of this name, in any layer."""
        return [slot for slot in self.ways if slot[1] == name]

    def check_shared(self) -> None:
        """Look whether an attribute that is shared was changed after all; raises Reclassified where one was."""
        changed = [slot for slot in self.slots(SHARED) if self._pack(slot, self._value(slot)) != self._pristine[slot]]
        for slot in changed:
            self._set(slot, self._unpack(self._pristine[slot]))
            self._move(slot, _way(self._value(slot)))
        if changed:
            self._lay_out()
            raise Reclassified

    def sharing_groups(self) -> list[set[Slot]]:
        """Which attributes of those that are copied now hold the same objects."""
        owner: dict[int, Slot] = {}
        groups: dict[Slot, set[Slot]] = {}
        for slot in [*self.slots(ARRAY), *self.slots(DEEP)]:
            group = groups[slot] = {slot}
            for part in _mutable_parts(self._value(slot), self.references):
                other = owner.setdefault(part, slot)
                if groups[other] is not group:
                    group |= groups[other]
                    for member in group:
                        groups[member] = group
                    owner = {key: slot if value == other else value for key, value in owner.items()}
        return [set(group) for group in {id(group): group for group in groups.values()}.values() if len(group) > 1]

    # Taking down and putting back -----------------------------------------------------------------------------------

    def take(self, *, own: bool = True) -> tuple[Content, Any]:
        """Take down what the environment remembers now.

        Args:
            own: whether the attributes are those that were put back; those of a real episode are not.

        Returns:
            The content and its key.

        Raises:
            Reclassified: an attribute was found that must be kept in another way.
        """
        if own:
            self._check_names()
        dicts = self._dicts
        plain = tuple([dicts[i].get(name, MISSING) for i, name in self._plain])
        kinds = set(map(type, plain))
        if not _PLAIN.issuperset(kinds):
            self._reclassify(self._plain, plain)
        if _Missing in kinds:
            self._incomplete = True
        key = self._kept_plain(plain)
        if not self._rest:
            return Content(plain, (), ()), key
        arrays = tuple([self._copied(slot, dicts[slot[0]].get(slot[1], MISSING)) for slot in self._arrays])
        if _Missing in map(type, arrays):
            self._incomplete = True
        deep, digests = [], []
        for group in self._deep:
            values = [dicts[i].get(name, MISSING) for i, name in group]
            data = self._pack(group[0], values)
            digest = self._digests.get(data) if self.keyed else b""
            if digest is None:
                digest = self._digest(group, values)
                self._incomplete |= any(value is MISSING for value in values)
                if len(self._digests) < 500_000:
                    self._digests[data] = digest
            deep.append(data)
            digests.append(digest)
        parts = tuple([_array_key(arrays[j]) for j in self._kept_arrays])
        return Content(plain, arrays, tuple(deep)), (key, parts, tuple(digests))

    def put_back(self, content: Content) -> None:
        """Let the environment remember what it remembered then."""
        dicts = self._dicts
        for d, shared in zip(dicts, self._shared_by_layer, strict=True):
            d.clear()
            d.update(shared)
        if len(dicts) == 1:
            dicts[0].update(zip(self._plain_names, content.plain))
        else:
            for (i, name), value in zip(self._plain, content.plain):
                dicts[i][name] = value
        if self._rest:
            for (i, name), value in zip(self._arrays, content.arrays):
                dicts[i][name] = value.copy() if isinstance(value, np.ndarray) else value
            for group, data in zip(self._deep, content.deep):
                for (i, name), value in zip(group, self._unpack(data)):
                    dicts[i][name] = value
        if self._incomplete:
            for i, name in self._may_be_missing:
                if dicts[i].get(name) is MISSING:
                    del dicts[i][name]

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
            return _array_key(content.arrays[self._arrays.index(slot)])
        return self._print(slot, self.value(content, slot))

    def equal(self, one: Content, other: Content, slot: Slot) -> bool:
        """Whether an attribute is the same in two contents."""
        for k, group in enumerate(self._deep):
            if group == [slot]:
                if one.deep[k] == other.deep[k]:
                    return True
                break
        return bool(self.key_of(one, slot) == self.key_of(other, slot))

    def current(self, slot: Slot) -> Any:
        """The object that an attribute is now."""
        return self._value(slot)

    def with_value(self, content: Content, slot: Slot, value: Any) -> Content:
        """The content with another value of a plain attribute or an array."""
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
            if a is not b and _array_key(a) != _array_key(b)
        ]
        for group, a, b in zip(self._deep, one.deep, other.deep):
            if a != b and (among is None or not among.isdisjoint(group)):
                for slot, x, y in zip(group, self._unpack(a), self._unpack(b)):
                    if self._print(slot, x) != self._print(slot, y):
                        found.append(slot)
        return found

    def generators(self) -> set[Slot]:
        """The attributes in which Gymnasium keeps an environment's random generator."""
        return {slot for slot in self.ways if slot[1] in _GENERATOR}

    # Inside ---------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """Work out the lists that taking down and putting back run over."""
        self._dicts = [part.__dict__ for part in self._layers.parts]
        self._plain = self.slots(PLAIN)
        self._plain_names = [name for _, name in self._plain]
        self._arrays = self.slots(ARRAY)
        deep: dict[Slot, list[Slot]] = {}
        for slot in self.slots(DEEP):
            deep.setdefault(self._groups.get(slot, slot), []).append(slot)
        self._deep = list(deep.values())
        self._rest = bool(self._arrays or self._deep)
        self._may_be_missing = [*self._plain, *self._arrays, *(slot for group in self._deep for slot in group)]
        self._shared = {slot: self._value(slot) for slot in self.slots(SHARED)}
        self._shared_by_layer: list[dict[str, Any]] = [{} for _ in self._dicts]
        for (i, name), value in self._shared.items():
            self._shared_by_layer[i][name] = value
        self._known = [{name for j, name in self.ways if j == i} for i in range(len(self._dicts))]
        kept = [j for j, slot in enumerate(self._plain) if slot not in self.ignored]
        self._kept_plain = _getter(kept)
        self._kept_arrays = [j for j, slot in enumerate(self._arrays) if slot not in self.ignored]
        self._digests.clear()

    def _check_names(self) -> None:
        """Raise Reclassified where an attribute is new, or one that is shared is another object now."""
        for i, d in enumerate(self._dicts):
            if not self._known[i].issuperset(d):
                for name in d.keys() - self._known[i]:
                    self._move((i, name), _way(d[name], self.name((i, name))))
                self._lay_out()
                raise Reclassified
            for name, value in self._shared_by_layer[i].items():
                now = d.get(name, MISSING)
                if now is not value:
                    if type(now) is type(value) and self._pack((i, name), now) == self._pristine[i, name]:
                        d[name] = value  # made anew with the same content
                        continue
                    self._move((i, name), max(_way(now), _way(value), key=_ORDER.index))
                    self._set((i, name), value)
                    self._lay_out()
                    raise Reclassified

    def _reclassify(self, slots: list[Slot], values: tuple[Any, ...]) -> None:
        for slot, value in zip(slots, values):
            self._move(slot, _way(value, self.name(slot)))
        self._lay_out()
        raise Reclassified

    def _move(self, slot: Slot, way: str) -> None:
        now = self.ways.get(slot, SHARED)
        self.ways[slot] = max(now, way, key=_ORDER.index)

    def _copied(self, slot: Slot, value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype != object:
            return value.copy()
        if _way(value, self.name(slot)) != DEEP:
            return value
        self._move(slot, DEEP)
        self._lay_out()
        raise Reclassified

    def _digest(self, group: list[Slot], values: list[Any]) -> bytes:
        kept = [value for slot, value in zip(group, values) if slot not in self.ignored]
        return self._print(group[0], kept) if kept else b""

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

    def _value(self, slot: Slot) -> Any:
        return self._dicts[slot[0]].get(slot[1], MISSING)

    def _set(self, slot: Slot, value: Any) -> None:
        self._dicts[slot[0]][slot[1]] = value

    def name(self, slot: Slot) -> str:
        """An attribute in words: its class and name."""
        return f"{type(self._layers.parts[slot[0]]).__name__}.{slot[1]}"


_ORDER = [SHARED, PLAIN, ARRAY, DEEP]


def continuous(name: str, value: Draw) -> NotTabular:
    """The error for a random number in the state."""
    return NotTabular(
        f"a state must be one of finitely many, but {value.origin} is kept in {name}: the state is continuous, and has "
        "no exact table"
    )


def _way(value: Any, name: str = "") -> str:
    if isinstance(value, Draw):
        raise continuous(name, value)
    if type(value) in _PLAIN:
        return PLAIN
    if type(value) is tuple:
        return (
            ARRAY
            if all(_way(part, name) == PLAIN or (type(part) is tuple and _way(part) == ARRAY) for part in value)
            else DEEP
        )
    if type(value) is np.ndarray and value.dtype != object and value.base is None:
        return ARRAY
    return DEEP


def _array_key(value: Any) -> Any:
    return (value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else value


def _getter(places: list[int]) -> Any:
    if not places:
        return lambda values: ()
    if len(places) == 1:
        place = places[0]
        return lambda values: (values[place],)
    return itemgetter(*places)


def _mutable_parts(value: Any, references: References) -> set[int]:
    """The identities of all objects inside a value that could be changed."""
    found: dict[int, Any] = {}
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if type(part) in _PLAIN or id(part) in found or references.holds(part):
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
