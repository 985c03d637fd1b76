"""What a few hundred steps of random play show of an environment's attributes, before it is walked.

Which of them no step changes; which count the steps; and which decide nothing: were such an attribute another, every
outcome would be the same but for itself. What is found here is only supposed: the walk checks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from rl_envs.extraction.aliases import united
from rl_envs.extraction.attributes import Content
from rl_envs.extraction.chance import SampledChance
from rl_envs.extraction.contents import Contents, Reclassified
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.stepping import Arrival, Stepper
from rl_envs.extraction.ways import ARRAY, DEEP, PLAIN, Slot

# Random play lasts so many steps, in episodes of at most so many. Only a very slow environment meets the limit in
# seconds: what is found must not depend on how busy the machine is.
STEPS, EPISODE, SECONDS = 300, 40, 20.0

# Each attribute is exchanged in so many contents, and the whole search ends after so many seconds.
EXCHANGES, SEARCH_SECONDS = 8, 60.0

# A clock that ends the episode is looked for up to so many steps.
LONGEST = 2**22

# What an exchange of an attribute's value may change besides attributes.
REWARD, END, OBSERVATION, CHANCE = "the reward", "the end", "the observation", "chance"


@dataclass(frozen=True)
class Clock:
    """An attribute that counts the steps of an episode.

    Attributes:
        slot: which attribute.
        first: its value after reset.
        tick: what a step adds to it.
        limit: the number of the step that it ends the episode with, or None.
        terminates: whether it then says `terminated`, which is for ends that the task has, and not `truncated`.
    """

    slot: Slot
    first: Any
    tick: float
    limit: int | None = None
    terminates: bool = False

    def after(self, steps: int) -> Any:
        """Its value after so many steps of an episode, of the type that it has."""
        return type(self.first)(self.first + steps * self.tick)


@dataclass
class Probe:
    """What random play showed.

    Attributes:
        contents: of moments in which an episode was running.
        episodes: the contents of each episode, in order.
        clocks: attributes that count steps.
    """

    contents: list[Content] = field(default_factory=list)
    episodes: list[list[Content]] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)


def probe(stepper: Stepper, actions: Sequence[Any], *, seed: int, max_branches: int) -> Probe:
    """Play at random, and learn how to keep the environment's attributes.

    Args:
        stepper: runs the environment; its contents learn.
        actions: the actions there are.
        seed: of the play.
        max_branches: a draw of more values is refused.

    Returns:
        What was seen, with the clocks; nothing is ignored yet.
    """
    contents, generator = stepper.contents, stepper.generator
    chance = generator.chance
    generator.chance = SampledChance(seed=seed, max_branches=max_branches)
    try:
        contents.rewind()
        contents.learn()
        _retried(contents, lambda: _share_what_stays(stepper, actions, np.random.default_rng(seed)))
        found = _retried(contents, lambda: _collect(stepper, actions, np.random.default_rng(seed)))
        contents.rewind()
    finally:
        generator.chance = chance
    found.clocks = _clocks(contents, found)
    return found


def _retried(contents: Contents, work: Callable[[], Any]) -> Any:
    """Do a piece of work again until no attribute needs to be kept in another way than before."""
    while True:
        contents.rewind()
        try:
            return work()
        except Reclassified:
            contents.learn()


def _episodes(stepper: Stepper, actions: Sequence[Any], rng: np.random.Generator) -> Iterator[Iterator[bool]]:
    """Episodes of random play, each an iterator that stands still after reset and after each step until asked on.

    It gives whether the episode goes on.
    """
    began, steps = time.monotonic(), 0

    def episode() -> Iterator[bool]:
        nonlocal steps
        stepper.reset()
        yield True
        for _ in range(EPISODE):
            stepper.generator.chance.begin()
            try:
                ended = stepper.play(actions[int(rng.integers(len(actions)))])
            except NotTabular:
                raise
            except Exception:  # noqa: BLE001  (the walk will come to it, and say how)
                return
            steps += 1
            yield not ended
            if ended:
                return

    while steps < STEPS and (time.monotonic() - began < SECONDS or steps < 20):
        stepper.generator.chance.begin()
        yield episode()
        steps += 1


def _share_what_stays(stepper: Stepper, actions: Sequence[Any], rng: np.random.Generator) -> None:
    """Share the attributes that no step changed, and join those that hold the same objects."""
    contents = stepper.contents
    copied = {*contents.slots(ARRAY), *contents.slots(DEEP)}
    groups: list[set[Slot]] = []
    first: Content | None = None
    for episode in _episodes(stepper, actions, rng):
        objects: dict[Slot, Any] = {}
        for _ in episode:
            content, _ = contents.take()
            first = content if first is None else first
            if not objects:
                objects = {slot: contents.current(slot) for slot in copied}
            # What reset makes anew, but always the same, is no change.
            copied = {
                slot
                for slot in copied
                if contents.current(slot) is objects[slot] and contents.equal(first, content, slot)
            }
        groups += contents.sharing_groups()
    joint = united(groups)
    for group in joint:
        if group - copied:
            copied -= group  # it holds an object that is changed by way of another attribute
    contents.share(copied)
    contents.join([group for group in joint if group - copied])


def _collect(stepper: Stepper, actions: Sequence[Any], rng: np.random.Generator) -> Probe:
    """The contents of some episodes of random play, up to their ends."""
    found = Probe()
    for episode in _episodes(stepper, actions, rng):
        found.episodes.append([stepper.contents.take()[0] for goes_on in episode if goes_on])
    found.contents = [content for episode in found.episodes for content in episode]
    return found


def _clocks(contents: Contents, found: Probe) -> list[Clock]:
    """The attributes that every step adds the same number to, whatever happens."""
    clocks = []
    if sum(len(episode) - 1 for episode in found.episodes) < 10:
        return []
    for slot in contents.slots(PLAIN):
        values = [[contents.value(content, slot) for content in episode] for episode in found.episodes]
        if any(not isinstance(value, (Real, np.number)) or isinstance(value, bool) for row in values for value in row):
            continue
        ticks = {b - a for row in values for a, b in pairwise(row)}
        if len(ticks) == 1 and ticks != {0} and len({row[0] for row in values}) == 1:
            clocks.append(Clock(slot, values[0][0], ticks.pop()))
    return clocks


def influences(stepper: Stepper, found: Probe, actions: Sequence[Any], slots: Sequence[Slot]) -> dict[Slot, set[Any]]:
    """What changes in the outcomes of a step where an attribute has another value.

    Args:
        stepper: runs the environment.
        found: the contents that values are exchanged in.
        actions: the actions there are.
        slots: which attributes.

    Returns:
        For each attribute what it was seen to change: other attributes, the reward, the end, the observation, chance.
        An attribute of which only one value was seen is left out, as are those for which there was no time.
    """
    contents = stepper.contents
    began = time.monotonic()
    rng = np.random.default_rng(0)
    tried = list(actions) if len(actions) <= 8 else [actions[i] for i in rng.choice(len(actions), 8, replace=False)]
    laws: dict[tuple[int, int], list[Arrival] | None] = {}
    effects: dict[Slot, set[Any]] = {}
    for slot in slots:
        by_value: dict[Any, list[int]] = {}
        for i, content in enumerate(found.contents):
            by_value.setdefault(contents.key_of(content, slot), []).append(i)
        if len(by_value) < 2:
            continue
        changed: set[Any] = set()
        values = list(by_value)
        for _ in range(EXCHANGES):
            own, other = rng.choice(len(values), 2, replace=False)
            i, j = rng.choice(by_value[values[own]]), rng.choice(by_value[values[other]])
            exchanged = contents.with_value(found.contents[i], slot, contents.value(found.contents[j], slot))
            for k, action in enumerate(tried):
                if (i, k) not in laws:
                    laws[i, k] = _attempt(stepper, found.contents[i], action)
                law = laws[i, k]
                if law is not None:  # where the step fails, the walk will say so
                    changed |= _changes(contents, law, _attempt(stepper, exchanged, action)) - {slot}
            if time.monotonic() - began > SEARCH_SECONDS:
                return effects
        effects[slot] = changed
    return effects


def inert(effects: dict[Slot, set[Any]]) -> frozenset[Slot]:
    """The attributes that change nothing but one another."""
    found = set(effects)
    while True:
        out = {slot for slot in found if effects[slot] - found}
        if not out:
            return frozenset(found)
        found -= out


def with_limit(stepper: Stepper, found: Probe, actions: Sequence[Any], clock: Clock) -> Clock:
    """The clock with the step at which it ends every episode, if it does.

    Args:
        stepper: runs the environment.
        found: where episodes were running.
        actions: the actions there are.
        clock: an attribute that counts steps.

    Returns:
        The clock.
    """
    running = found.episodes[0][:3]

    def ends(steps: int) -> list[Arrival] | None:
        """The outcomes of the step that follows so many, if all of them end the episode."""
        arrivals: list[Arrival] = []
        for content in running:
            moved = stepper.contents.with_value(content, clock.slot, clock.after(steps))
            some = _ends_of(stepper, moved, actions[0])
            if some is None:
                return None
            arrivals += some
        return arrivals or None

    if ends(0) is not None:
        return clock
    last, high = 0, 1
    while high <= LONGEST and ends(high) is None:
        last, high = high, 2 * high
    if high > LONGEST:
        # `if steps == limit` ends it there and nowhere beyond.
        high = next((steps for steps in range(1, 3000) if ends(steps) is not None), 0)
        if not high:
            return clock
        last = high - 1
    while high - last > 1:
        middle = (last + high) // 2
        last, high = (last, middle) if ends(middle) is not None else (middle, high)
    arrivals = ends(high) or []
    return replace(clock, limit=high + 1, terminates=not any(one.truncated for one in arrivals))


def _attempt(stepper: Stepper, content: Content, action: Any) -> list[Arrival] | None:
    """The outcomes of a step from a content that the environment never made itself; None where it fails."""
    try:
        return stepper.steps_from(content, action)
    except Reclassified:
        raise
    except Exception:  # noqa: BLE001  (whatever it is, the exchange has changed what happens)
        return None


def _ends_of(stepper: Stepper, content: Content, action: Any) -> list[Arrival] | None:
    """The outcomes of a step that always ends the episode, or fails; None at the first outcome that goes on."""
    arrivals: list[Arrival] = []
    try:
        for arrival in stepper.each_step_from(content, action):
            if not (arrival.terminated or arrival.truncated):
                return None
            arrivals.append(arrival)
    except Reclassified:
        raise
    except Exception:  # noqa: BLE001  (the content is one that the environment never made itself)
        return []
    return arrivals


def _changes(contents: Contents, one: list[Arrival], other: list[Arrival] | None) -> set[Any]:
    """What differs between two lists of outcomes, branch by branch."""
    if other is None or [a.probability for a in one] != [b.probability for b in other]:
        return {CHANCE}
    changed: set[Any] = set()
    for a, b in zip(one, other):
        if (a.reward, a.reward_std) != (b.reward, b.reward_std):
            changed.add(REWARD)
        if (a.terminated, a.truncated) != (b.terminated, b.truncated):
            changed.add(END)
        if a.seen != b.seen:
            changed.add(OBSERVATION)
        if a.content is not None and b.content is not None:
            changed.update(contents.differences(a.content, b.content))
    return changed
