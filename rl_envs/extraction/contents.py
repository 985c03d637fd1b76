"""Everything that an environment remembers, taken down and put back many thousand times a second.

What the attributes are is found out, not configured: plain values and arrays are kept as they are, anything else is
pickled, and what no step has changed is shared by all contents. A change that was not expected raises `Reclassified`:
the walk starts again, knowing better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import is_, itemgetter
from typing import Any

import numpy as np

from rl_envs.extraction.aliases import sharing_groups
from rl_envs.extraction.attributes import Attributes, Content, array_key
from rl_envs.extraction.content import References
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.ways import (
    ARRAY,
    DEEP,
    MISSING,
    PLAIN,
    PLAIN_TYPES,
    SHARED,
    Slot,
    further,
    way_of,
)

# What Gymnasium and PettingZoo keep of an environment's random generator. It is no part of the state: its chance is
# walked instead.
_GENERATOR = ("_np_random", "_np_random_seed", "np_random", "np_random_seed")

# What is copied by its own method; beside these an attribute may be a plain value in some contents.
_COPIED = (np.ndarray, list)

# So many pickled values are known again without looking into them.
_MOST_KNOWN = 500_000


class Reclassified(Exception):
    """An attribute turned out to need another way of keeping it."""


class Contents(Attributes):
    """Takes down and puts back what an environment remembers.

    Args:
        layers: the environment and its wrappers.
        references: what is never copied.
    """

    def __init__(self, layers: Layers, references: References) -> None:
        super().__init__(layers.parts, references)
        self.ways: dict[Slot, str] = {}
        self.ignored: frozenset[Slot] = frozenset()
        self._pristine = {
            (i, name): self._pack((i, name), value)
            for i, part in enumerate(layers.parts)
            for name, value in part.__dict__.items()
        }
        self._original = dict(self._pristine)
        self._known_data: dict[bytes, tuple[bytes, bytes]] = {}  # pickled values: the first of equal ones, its digest
        self._live: list[tuple[bytes, list[Any]]] | None = None  # what each group holds now, and its objects
        self.keyed = True  # whether keys are asked for at all
        self._missing: set[Slot] = set()  # attributes that some contents lack
        self._changed: set[Slot] = set()  # attributes that were shared until a step changed them after all
        self._lay_out()
        self.rewind()  # the environment's own objects are left alone from here on

    def rewind(self, real: tuple[Any, Any] | None = None) -> None:
        """Go back to what the environment remembered at first; with generators of NumPy's and Python's own if given."""
        self._live = None
        if real is not None:
            self.references.generator, self.references.python_generator = real
        for i, d in enumerate(self._dicts):
            d.clear()
            for (layer, name), data in self._original.items():
                if layer == i:
                    # What is shared holds the generator of the walk.
                    shared = real is None and (i, name) in self._shared
                    value = d[name] = self._shared[i, name] if shared else self._unpack(data)
                    if not shared and type(value) is np.ndarray:
                        d[name] = value.copy(order="K")  # unpacked arrays look at bytes, as if at another array

    # Finding out ----------------------------------------------------------------------------------------------------

    def learn(self) -> None:
        """Look at every attribute that is not shared, and keep those of a new kind in a way that fits."""
        for i, part in enumerate(self._layers):
            for name, value in part.__dict__.items():
                if self.ways.get((i, name)) != SHARED:
                    self._move((i, name), way_of(value, self.name((i, name))))
        self._lay_out()

    def share(self, slots: Iterable[Slot]) -> None:
        """Share attributes between all contents from now on, as they are now, but for those that once changed."""
        for slot in set(slots) - self._changed:
            self.ways[slot] = SHARED
            self._pristine[slot] = self._pack(slot, self.current(slot))
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

    def generators(self) -> set[Slot]:
        """The attributes in which Gymnasium keeps an environment's random generator."""
        return {slot for slot in self.ways if slot[1] in _GENERATOR}

    def current(self, slot: Slot) -> Any:
        """The object that an attribute is now."""
        return self._dicts[slot[0]].get(slot[1], MISSING)

    def sharing_groups(self) -> list[set[Slot]]:
        """Which attributes of those that are copied hold the same objects now."""
        copied = [*self.slots(ARRAY), *self.slots(DEEP)]
        return sharing_groups({slot: self.current(slot) for slot in copied}, self.references)

    def check_shared(self) -> None:
        """Look whether an attribute that is shared was changed after all; raises Reclassified where one was."""
        changed = [slot for slot in self.slots(SHARED) if self._pack(slot, self.current(slot)) != self._pristine[slot]]
        for slot in changed:
            self._changed.add(slot)
            self._dicts[slot[0]][slot[1]] = self._unpack(self._pristine[slot])
            self._move(slot, way_of(self.current(slot)))
        if changed:
            self._lay_out()
            raise Reclassified

    # Taking down and putting back -----------------------------------------------------------------------------------

    @property
    def keeps_objects(self) -> bool:
        """Whether `put_back` may leave objects where they are, so that what an environment returned may hold them."""
        return bool(self._deep)

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
        plain = self._plain_values()
        kinds = set(map(type, plain))
        if not PLAIN_TYPES.issuperset(kinds):
            self._reclassify(self._plain, plain)
        if type(MISSING) in kinds:
            self._note_missing(self._plain, plain)
        key = self._kept_plain(plain)
        if not self._rest:
            return Content(plain, (), ()), key
        dicts = self._dicts
        arrays = tuple([self._copied(slot, dicts[slot[0]].get(slot[1], MISSING)) for slot in self._arrays])
        if type(MISSING) in map(type, arrays):
            self._note_missing(self._arrays, arrays)
        live, digests = [], []
        for group in self._deep:
            values = [dicts[i].get(name, MISSING) for i, name in group]
            data = self._pack(group[0], values)
            known = self._known_data.get(data)
            if known is None:
                known = (data, self._digest(group, values) if self.keyed else b"")
                self._note_missing(group, values)
                if len(self._known_data) < _MOST_KNOWN:
                    self._known_data[data] = known
            live.append((known[0], values))
            digests.append(known[1])
        self._live = live if own else None
        parts = tuple([array_key(arrays[j]) for j in self._kept_arrays])
        return Content(plain, arrays, tuple([data for data, _ in live])), (key, parts, tuple(digests))

    def put_back(self, content: Content) -> None:
        """Let the environment remember what it remembered then."""
        dicts = self._dicts
        for d, shared in zip(dicts, self._shared_by_layer):
            d.clear()
            d.update(shared)
        if len(dicts) == 1:
            dicts[0].update(zip(self._plain_names, content.plain))
        else:
            for (i, name), value in zip(self._plain, content.plain):
                dicts[i][name] = value
        if self._rest:
            for (i, name), value in zip(self._arrays, content.arrays):
                dicts[i][name] = value.copy() if type(value) in _COPIED else value
            # Most steps change little of what is pickled: objects that are still as they should be stay.
            live, self._live = self._live, None
            for k, (group, data) in enumerate(zip(self._deep, content.deep)):
                values = live[k][1] if live is not None and live[k][0] == data else self._unpack(data)
                for (i, name), value in zip(group, values):
                    dicts[i][name] = value
        for i, name in self._missing:
            if dicts[i].get(name) is MISSING:
                del dicts[i][name]

    # Inside ---------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """Work out the lists that taking down and putting back run over."""
        self._dicts: list[dict[str, Any]] = [part.__dict__ for part in self._layers]
        self._plain = self.slots(PLAIN)
        self._plain_names = [name for _, name in self._plain]
        self._plain_by_layer = [
            (d, getter([name for j, name in self._plain if j == i])) for i, d in enumerate(self._dicts)
        ]
        self._arrays = self.slots(ARRAY)
        deep: dict[Slot, list[Slot]] = {}
        for slot in self.slots(DEEP):
            deep.setdefault(self._groups.get(slot, slot), []).append(slot)
        self._deep = list(deep.values())
        self._rest = bool(self._arrays or self._deep)
        self._shared = {slot: self.current(slot) for slot in self.slots(SHARED)}
        self._shared_by_layer: list[dict[str, Any]] = [{} for _ in self._dicts]
        for (i, name), value in self._shared.items():
            self._shared_by_layer[i][name] = value
        self._shared_getters = [getter(list(shared)) for shared in self._shared_by_layer]
        self._known = [{name for j, name in self.ways if j == i} for i in range(len(self._dicts))]
        self._kept_plain = getter([j for j, slot in enumerate(self._plain) if slot not in self.ignored])
        self._kept_arrays = [j for j, slot in enumerate(self._arrays) if slot not in self.ignored]
        self._known_data.clear()
        self._live = None

    def _note_missing(self, slots: Iterable[Slot], values: Iterable[Any]) -> None:
        self._missing.update(slot for slot, value in zip(slots, values) if value is MISSING)

    def _plain_values(self) -> tuple[Any, ...]:
        try:
            if len(self._plain_by_layer) == 1:
                d, values = self._plain_by_layer[0]
                return values(d)
            return tuple([value for d, values in self._plain_by_layer for value in values(d)])
        except KeyError:
            return tuple([self._dicts[i].get(name, MISSING) for i, name in self._plain])

    def _check_names(self) -> None:
        """Raise Reclassified where an attribute is new, or one that is shared is another object now."""
        for i, d in enumerate(self._dicts):
            if not self._known[i].issuperset(d):
                for name in d.keys() - self._known[i]:
                    self._move((i, name), way_of(d[name], self.name((i, name))))
                self._lay_out()
                raise Reclassified
            shared = self._shared_by_layer[i]
            try:
                if all(map(is_, self._shared_getters[i](d), shared.values())):
                    continue
            except KeyError:
                pass  # one is gone: the loop says which
            for name, value in shared.items():
                now = d.get(name, MISSING)
                if now is not value:
                    if type(now) is type(value) and self._pack((i, name), now) == self._pristine[i, name]:
                        d[name] = value  # made anew with the same content
                        continue
                    self._changed.add((i, name))
                    self._move((i, name), further(way_of(now), way_of(value)))
                    d[name] = value
                    self._lay_out()
                    raise Reclassified

    def _reclassify(self, slots: list[Slot], values: tuple[Any, ...]) -> None:
        for slot, value in zip(slots, values):
            self._move(slot, way_of(value, self.name(slot)))
        self._lay_out()
        raise Reclassified

    def _move(self, slot: Slot, way: str) -> None:
        self.ways[slot] = further(self.ways.get(slot, SHARED), way)

    def _copied(self, slot: Slot, value: Any) -> Any:
        if type(value) is np.ndarray and value.dtype != object:
            return value.copy()
        if type(value) is list and PLAIN_TYPES.issuperset(map(type, value)):
            return value.copy()
        if way_of(value, self.name(slot)) != DEEP:
            return value
        self._move(slot, DEEP)
        self._lay_out()
        raise Reclassified

    def _digest(self, group: list[Slot], values: list[Any]) -> bytes:
        kept = [value for slot, value in zip(group, values) if slot not in self.ignored]
        return self._print(group[0], kept) if kept else b""


def getter(places: list[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the entries at some places of a tuple or dictionary, as a tuple."""
    if not places:
        return lambda values: ()
    if len(places) == 1:
        place = places[0]
        return lambda values: (values[place],)
    return itemgetter(*places)
