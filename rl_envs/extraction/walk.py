"""Every state of an environment, reached from its starts by every action and every branch of chance."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.contents import Contents, Reclassified
from rl_envs.extraction.probing import (
    OBSERVATION,
    Clock,
    Probe,
    inert,
    influences,
    probe,
    with_limit,
)
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.stepping import Arrival, Stepper
from rl_envs.extraction.table import GrowingTable
from rl_envs.extraction.ways import Slot

# Two laws are the same if no probability differs by more.
LAW_TOLERANCE = 1e-9

# Each attribute that is left out of the key is compared in every state where it was met with two values; so many
# other contents of a state are looked at for that.
MOST_CONTENTS = 3

# What is shared between all contents is looked at again after 1, 2, 4, ... states, and at the latest after so many.
LOOK_AGAIN = 2_000


@dataclass
class Walk:
    """What the walk saw.

    Attributes:
        states: how many states an episode can go on in.
        table: the outcomes of their actions.
        start: probability of starting in each of them.
        contents: what the environment remembers in each state, then at each end.
        observations: what is seen there.
        seen: their fingerprints.
        left_out: the mass of chance that was left out, by pair; empty where none was.
        start_left_out: the same for the start.
        clock: the attribute that limits the length of an episode or counts its steps, or None.
        ignored: names of attributes that decide nothing.
        steps: how many steps were run.
        seconds: how long it took.
    """

    num_actions: int
    table: GrowingTable
    states: int = 0
    start: dict[int, float] = field(default_factory=dict)
    contents: list[Content] = field(default_factory=list)
    observations: list[Any] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    left_out: dict[int, float] = field(default_factory=dict)
    start_left_out: float = 0.0
    clock: Clock | None = None
    ignored: list[str] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    index: dict[Hashable, int] = field(default_factory=dict)  # from a state's key to its number
    ends: dict[Hashable, int] = field(default_factory=dict)  # from an observation at an end to its number


@dataclass(frozen=True)
class Limits:
    """How far a walk goes.

    Attributes:
        max_states: more states raise NotTabular.
        max_branches: more ways for one step to go raise NotTabular.
        skip_below: branches of chance less likely than this are left out.
    """

    max_states: int
    max_branches: int
    skip_below: float


class Walker:
    """Walks an environment.

    Args:
        stepper: runs it.
        actions: the actions there are.
        limits: how far to go.
        ignore: names of attributes to leave out of the key.
        clock: "layers" to keep an attribute that counts steps in the state, "stopped" to hold it at its first value,
            None to find out.
        check: raises where something outside the environment was changed.
        progress: told the number of states found, of those done, and the seconds since the start.
    """

    def __init__(
        self,
        stepper: Stepper,
        actions: Sequence[Any],
        limits: Limits,
        *,
        ignore: Sequence[str],
        clock: str | None,
        check: Callable[[], None],
        progress: Callable[[int, int, float], None] | None,
    ) -> None:
        self._stepper = stepper
        self._contents: Contents = stepper.contents
        self._actions = actions
        self._limits = limits
        self._ignore = ignore
        self._clock_mode = clock
        self._check = check
        self._progress = progress
        self._decisive: set[Slot] = set()  # attributes once left out that turned out to decide something
        self._clock: Clock | None = None
        self._found: Probe | None = None
        self._left_out: frozenset[Slot] = frozenset()  # attributes that the key does not tell apart

    def walk(self) -> Walk:
        """Walk it, from the beginning whenever something turns out other than supposed."""
        began = time.monotonic()
        while True:
            try:
                self._prepare()
                walk = self._walk()
                break
            except Reclassified:
                continue
        walk.seconds = time.monotonic() - began
        walk.steps = self._stepper.steps
        return walk

    # What is left out of the key ------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Find out what decides nothing, and what counts steps."""
        stepper, contents = self._stepper, self._contents
        contents.ignore(())
        found = self._found = probe(stepper, self._actions, seed=0, max_branches=self._limits.max_branches)
        self._check()
        contents.rewind()
        stepper.give_generator()
        stepper.before_reset = contents.take()[0]
        slots = [slot for slot in contents.copied_slots() if slot not in self._decisive]
        effects = influences(stepper, found, self._actions, slots)
        clocks = [clock for clock in found.clocks if clock.slot not in self._decisive]
        self._clock = self._choose_clock(clocks, effects)
        out = set() if stepper.state is not None else set(inert(effects))
        for name in self._ignore:
            named = contents.named(name)
            if not named:
                raise ValueError(f"ignore must name attributes of the environment, but it has no {name!r}")
            out |= set(named)
        if self._clock is not None:
            out.add(self._clock.slot)
        elif self._clock_mode == "layers":
            out -= {clock.slot for clock in clocks}
        contents.ignore(out)
        # With a state of the user's, whatever is not in it may be left out.
        left_out = contents.copied_slots() if stepper.state is not None else contents.ignored
        clock_slot = {self._clock.slot} if self._clock is not None else set()
        self._left_out = frozenset(left_out) - clock_slot - contents.generators()

    def _choose_clock(self, clocks: list[Clock], effects: dict[Slot, set[Any]]) -> Clock | None:
        """The clock that is held still while walking: one that ends the episode if there is any."""
        if self._clock_mode == "layers":
            return None
        assert self._found is not None
        hidden = [clock for clock in clocks if OBSERVATION not in effects.get(clock.slot, set())]
        hidden = [clock for clock in hidden if not self._in_users_state(clock)]
        limited = [with_limit(self._stepper, self._found, self._actions, clock) for clock in hidden]
        limited = [clock for clock in limited if clock.limit is not None] or limited
        return min(limited, key=lambda clock: clock.limit or 0) if limited else None

    def _in_users_state(self, clock: Clock) -> bool:
        """Whether the state that the user asked for contains the clock."""
        stepper = self._stepper
        if stepper.state is None or self._found is None:
            return False
        content = self._found.contents[0]
        keys = []
        for steps in (0, 1):
            self._contents.put_back(self._contents.with_value(content, clock.slot, clock.after(steps)))
            keys.append(stepper.key(None))
        return bool(keys[0] != keys[1])

    # The walk itself ------------------------------------------------------------------------------------------------

    def _walk(self) -> Walk:
        contents, stepper = self._contents, self._stepper
        walk = self._result = Walk(len(self._actions), GrowingTable(len(self._actions)))
        walk.clock = self._clock
        self._seen: list[Any] = []  # fingerprints of what is seen in each state
        self._from: array[int] = array("q")  # the pair that each state was first reached by
        self._also: dict[int, list[Content]] = {}  # other contents of a state, until they are checked
        self._alike: dict[int, frozenset[Slot]] = {}  # attributes that were the same whenever a state was met
        self._looked: dict[int, int] = {}  # at how many contents of a state
        self._ends: list[tuple[Content, Any]] = []
        for arrival in stepper.starts():
            if arrival.terminated or arrival.truncated:
                raise NotTabular("reset() must start an episode, but gave one that has ended")
            state = self._arrive(arrival, -1)
            walk.start[state] = walk.start.get(state, 0.0) + arrival.probability
        walk.start_left_out = stepper.chance.left_out
        began, look = time.monotonic(), 1
        rng = np.random.default_rng(0)
        state = 0
        while state < len(walk.contents):
            content = walk.contents[state]
            others = self._others(state, content, rng)
            for number, action in enumerate(self._actions):
                pair = state * len(self._actions) + number
                arrivals = self._step(content, action, pair)
                if stepper.chance.left_out:
                    walk.left_out[pair] = stepper.chance.left_out
                for other in others:
                    self._check_pair(pair, content, arrivals, other)
                walk.table.add(self._law(arrivals, pair))
            state += 1
            if state == look:
                contents.put_back(content)
                contents.check_shared()
                self._check()
                look += min(look, LOOK_AGAIN)
            if self._progress is not None and state % 100 == 0:
                self._progress(len(walk.contents), state, time.monotonic() - began)
        contents.put_back(walk.contents[0])
        contents.check_shared()
        self._check_late()
        self._check()
        walk.states = len(walk.contents)
        walk.table.number_ends(walk.states)
        walk.seen = [*self._seen, *walk.ends]
        walk.contents += [content for content, _ in self._ends]
        walk.observations += [observation for _, observation in self._ends]
        walk.ignored = sorted({name for _, name in contents.ignored} - {"_np_random", "_np_random_seed"})
        if self._progress is not None:
            self._progress(walk.states, walk.states, time.monotonic() - began)
        return walk

    def _arrive(self, arrival: Arrival, pair: int) -> int:
        """The number of the state arrived in, a new one if need be."""
        walk = self._result
        state = walk.index.get(arrival.key)
        if state is None:
            state = walk.index[arrival.key] = len(walk.contents)
            if state >= self._limits.max_states:
                raise NotTabular(self._too_many())
            walk.contents.append(self._still(arrival.content))
            walk.observations.append(arrival.observation)
            self._seen.append(arrival.seen)
            self._from.append(pair)
        elif self._seen[state] != arrival.seen:
            self._decides(state, walk.contents[state], arrival.content, "show different observations")
        elif self._left_out:
            self._keep_other(state, arrival.content)
        return state

    def _still(self, content: Content) -> Content:
        """The content with its clock at the start."""
        clock = self._clock
        return content if clock is None else self._contents.with_value(content, clock.slot, clock.first)

    def _keep_other(self, state: int, content: Content) -> None:
        """Keep a content for the check if an attribute differs in it that did not differ before."""
        alike = self._alike.get(state, self._left_out)
        if not alike or self._looked.get(state, 0) >= MOST_CONTENTS:
            return
        content = self._still(content)
        differing = alike.intersection(self._contents.differences(self._result.contents[state], content, alike))
        if differing:
            self._also.setdefault(state, []).append(content)
            self._alike[state] = alike - differing
            self._looked[state] = self._looked.get(state, 0) + 1

    def _law(self, arrivals: list[Arrival], pair: int) -> dict[tuple[int, float, float, bool], float]:
        """The outcomes of a pair, added up."""
        law: dict[tuple[int, float, float, bool], float] = {}
        for arrival in arrivals:
            if arrival.terminated or (arrival.truncated and self._clock_mode == "layers"):
                # Ends are numbered below 0 until it is known how many states there are.
                end = self._result.ends.get(arrival.seen)
                if end is None:
                    end = self._result.ends[arrival.seen] = -1 - len(self._ends)
                    self._ends.append((arrival.content, arrival.observation))
                key = (end, arrival.reward, arrival.reward_std, True)
            elif arrival.truncated:
                raise NotTabular(
                    f"an episode must be truncated by a count of steps, but {self._story(pair)} truncates it: say "
                    'terminated where the task ends, or pass clock="layers"'
                )
            else:
                key = (self._arrive(arrival, pair), arrival.reward, arrival.reward_std, False)
            law[key] = law.get(key, 0.0) + arrival.probability
        if not law:
            raise NotTabular(
                f"a step must have an outcome more likely than skip_below={self._limits.skip_below:g}, but "
                f"{self._story(pair)} has none"
            )
        return law

    def _step(self, content: Content, action: Any, pair: int) -> list[Arrival]:
        try:
            return self._stepper.steps_from(content, action)
        except (NotTabular, Reclassified):
            raise
        except Exception as error:
            raise NotTabular(
                f"step() must not fail, but {self._story(pair)} raises {type(error).__name__}: {error}"
            ) from error

    # Checks ---------------------------------------------------------------------------------------------------------

    def _others(self, state: int, content: Content, rng: np.random.Generator) -> list[Content]:
        """Other contents of a state, at another time, that must have the same law."""
        others = self._also.pop(state, [])
        clock = self._clock
        if clock is None or self._clock_mode == "stopped":
            return others
        latest = 1000 if clock.limit is None else clock.limit - 2
        if latest < 1:
            return others
        later = clock.after(int(rng.integers(1, latest + 1)))
        return [self._contents.with_value(other, clock.slot, later) for other in others or [content]]

    def _check_pair(self, pair: int, content: Content, arrivals: list[Arrival], other: Content) -> None:
        """See that another content with the state's key has the same law of outcomes."""
        state, number = divmod(pair, len(self._actions))
        action = self._actions[number]
        left_out = self._stepper.chance.left_out
        others = self._step(other, action, pair)
        self._stepper.chance.left_out = left_out
        one, two = _comparable(arrivals), _comparable(others)
        if _same_law(one, two):
            return
        clock = self._clock
        if clock is not None:
            moved = self._contents.with_value(content, clock.slot, self._contents.value(other, clock.slot))
            late = self._step(moved, action, pair)
            if not _same_law(one, _comparable(late)):
                self._clock_decides(pair, clock, moved, arrivals, late)
        self._decides(state, content, other, f"go on differently: action {_plain(action)} {_law_difference(one, two)}")

    def _clock_decides(
        self, pair: int, clock: Clock, moved: Content, arrivals: list[Arrival], late: list[Arrival]
    ) -> None:
        """The clock is an attribute as any other, or one that the reward depends on and nothing shows."""
        rewards = [sorted({one.reward for one in some}) for some in (arrivals, late)]
        if {one.seen for one in arrivals} != {one.seen for one in late} or rewards[0] == rewards[1]:
            self._decisive.add(clock.slot)
            raise Reclassified
        name = self._contents.name(clock.slot)
        step = round((self._contents.value(moved, clock.slot) - clock.first) / clock.tick) + 1
        raise NotTabular(
            f"the reward must not depend on how long the episode has lasted, but {self._story(pair)} pays "
            f"{_listed(rewards[0])} at step 1 and {_listed(rewards[1])} at step {step}, where {name} is another. "
            f'clock="layers" keeps {name} in the state (a finite horizon, so many times the states); clock="stopped" '
            "holds it at its first value, and so tabulates the environment as it is in the first step"
        )

    def _check_late(self) -> None:
        """Check the states that were reached with another content only after they were done."""
        walk = self._result
        for state, others in sorted(self._also.items()):
            for number, action in enumerate(self._actions):
                pair = state * len(self._actions) + number
                content = walk.contents[state]
                arrivals = self._step(content, action, pair)
                for other in others:
                    self._check_pair(pair, content, arrivals, other)

    def _decides(self, state: int, content: Content, other: Content, what: str) -> None:
        """Two contents with one key are not one state: keep what differs in the key, or refuse the user's key."""
        differing = self._contents.differences(content, self._still(other))
        asked = {slot for name in self._ignore for slot in self._contents.named(name)}
        own = [slot for slot in differing if slot in self._contents.ignored and slot not in asked]
        if own and self._stepper.state is None:
            alone = [slot for slot in own if self._matters(slot, content, other)]
            self._decisive.update(alone or own)
            raise Reclassified
        shown = [
            f"{self._contents.name(slot)} = {_short(self._contents.value(content, slot))} or "
            f"{_short(self._contents.value(other, slot))}"
            for slot in differing[:4]
        ]
        rule = "state=" if self._stepper.state is not None else "ignore="
        raise NotTabular(
            f"two states with one key must have one law of outcomes, but with the {rule} given "
            f"{self._story(None, state)} comes in two kinds, with {'; '.join(shown)}, which {what}"
        )

    def _matters(self, slot: Slot, content: Content, other: Content) -> bool:
        """Whether one attribute alone, exchanged, makes another law."""
        exchanged = self._contents.with_value(content, slot, self._contents.value(other, slot))
        for action in self._actions:
            try:
                two = _comparable(self._stepper.steps_from(exchanged, action))
            except NotTabular:
                return True
            if not _same_law(two, _comparable(self._stepper.steps_from(content, action))):
                return True
        return False

    # Words ----------------------------------------------------------------------------------------------------------

    def _story(self, pair: int | None, state: int | None = None) -> str:
        """A pair in words: the action, and the actions that lead to its state."""
        num_actions = len(self._actions)
        actions: list[Any] = []
        if pair is not None:
            state = pair // num_actions
        place = state
        while place is not None and place >= 0 and place < len(self._from) and self._from[place] >= 0:
            place, action = divmod(self._from[place], num_actions)
            actions.append(self._actions[action])
        way = "the first state" if not actions else f"the state after actions {_path(actions[::-1])}"
        return way if pair is None else f"action {_plain(self._actions[pair % num_actions])} in {way}"

    def _too_many(self) -> str:
        """What to say when there are more states than allowed: which attributes take how many values."""
        walk, contents = self._result, self._contents
        sample = walk.contents[:: max(1, len(walk.contents) // 2000)]
        counts = []
        for slot in contents.copied_slots():
            if slot not in contents.ignored:
                counts.append((len({contents.key_of(content, slot) for content in sample}), contents.name(slot)))
        counts.sort(reverse=True)
        most = ", ".join(f"{name} ({count:,} values among {len(sample):,} states)" for count, name in counts[:3])
        return (
            f"there must be at most max_states={self._limits.max_states:,} states, but there are more after "
            f"{len(walk.table) // len(self._actions):,} of them were walked. Most varied: {most}. An attribute that "
            "decides nothing can be left out with ignore=; state= names what tells states apart"
        )


def _comparable(arrivals: list[Arrival]) -> dict[Any, float]:
    """A law of outcomes: what is arrived in or what an end looks like, reward, its noise, ends; to probability."""
    law: dict[Any, float] = {}
    for one in arrivals:
        where = one.seen if one.terminated or one.truncated else one.key
        key = (where, one.reward, one.reward_std, one.terminated, one.truncated)
        law[key] = law.get(key, 0.0) + one.probability
    return law


def _same_law(one: dict[Any, float], two: dict[Any, float]) -> bool:
    return one.keys() == two.keys() and all(abs(one[key] - two[key]) <= LAW_TOLERANCE for key in one)


def _plain(action: Any) -> Any:
    return np.asarray(action).tolist()


def _path(actions: list[Any]) -> str:
    shown = [str(_plain(action)) for action in actions]
    return ", ".join(shown) if len(shown) <= 20 else f"{', '.join(shown[:8])}, ... ({len(shown)} in all)"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _listed(values: list[float]) -> str:
    return " or ".join(f"{value:g}" for value in values[:3])


def _law_difference(one: dict[Any, float], two: dict[Any, float]) -> str:
    """In words, how two laws of outcomes differ."""
    rewards = [sum(p * key[1] for key, p in law.items()) for law in (one, two)]
    if abs(rewards[0] - rewards[1]) > LAW_TOLERANCE:
        return f"pays {rewards[0]:.6g} or {rewards[1]:.6g} on average"
    ends = [sum(p for key, p in law.items() if key[3] or key[4]) for law in (one, two)]
    if abs(ends[0] - ends[1]) > LAW_TOLERANCE:
        return f"ends the episode with probability {ends[0]:.6g} or {ends[1]:.6g}"
    return "leads to other states"
