"""The check that two contents with one key are one state: that whatever is done in them has the same outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.contents import Reclassified
from rl_envs.extraction.key_choice import KeyChoice
from rl_envs.extraction.probing import Clock
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.stepping import Arrival, Stepper
from rl_envs.extraction.story import Story, plain_action
from rl_envs.extraction.ways import Slot

# Two laws are the same if no probability differs by more.
TOLERANCE = 1e-9

# Each attribute that is left out of the key is compared in every state where it was met with two values; so many
# other contents of a state are looked at for that.
MOST_CONTENTS = 3

# A pair with more branches than this is compared in one of so many states only: running it twice would double the
# time of walking games of cards.
MANY_BRANCHES, ONE_IN = 50, 10

# The outcomes of a pair: from next state, reward, its noise and whether it ends, to probability.
Law = Mapping[tuple[Any, float, float, bool], float]


class SameLaw:
    """Collects contents of states that differ in what their key leaves out, and compares their laws.

    Args:
        stepper: runs the environment.
        actions: the actions there are.
        choice: what the key leaves out.
        story: how states are reached, for the errors.
        contents_of: the first content met of each state.
        each_step: the ways in which a pair can go from a content.
        law_of: the law that such ways make, in the table's terms.
        ignore: the attributes that the user asked to leave out.
        clock_mode: "layers", "stopped" or None.
        decisive: attributes that turn out to decide something are added to it.
    """

    def __init__(
        self,
        stepper: Stepper,
        actions: Sequence[Any],
        choice: KeyChoice,
        story: Story,
        *,
        contents_of: Sequence[Content],
        each_step: Callable[[Content, int], Iterator[Arrival]],
        law_of: Callable[[Iterator[Arrival]], Law],
        ignore: Sequence[str],
        clock_mode: str | None,
        decisive: set[Slot],
    ) -> None:
        self._stepper = stepper
        self._contents = stepper.contents
        self._actions = actions
        self._clock = choice.clock
        self._left_out = choice.left_out
        self._story = story
        self._contents_of = contents_of
        self._each_step = each_step
        self._law_of = law_of
        self._ignore = ignore
        self._clock_mode = clock_mode
        self._decisive = decisive
        self._rng = np.random.default_rng(0)
        self._also: dict[int, list[Content]] = {}  # other contents of a state, until they are checked
        self._alike: dict[int, frozenset[Slot]] = {}  # attributes that were the same whenever a state was met
        self._looked: dict[int, int] = {}  # at how many contents of a state

    def still(self, content: Content) -> Content:
        """The content with its clock at the start."""
        clock = self._clock
        return content if clock is None else self._contents.with_value(content, clock.slot, clock.first)

    def met_again(self, state: int, content: Content) -> None:
        """Keep a content for the check if an attribute differs in it that did not differ before."""
        if not self._left_out:
            return
        alike = self._alike.get(state, self._left_out)
        if not alike or self._looked.get(state, 0) >= MOST_CONTENTS:
            return
        content = self.still(content)
        differing = alike.intersection(self._contents.differences(self._contents_of[state], content, alike))
        if differing:
            self._also.setdefault(state, []).append(content)
            self._alike[state] = alike - differing
            self._looked[state] = self._looked.get(state, 0) + 1

    def others(self, state: int) -> list[Content]:
        """Other contents of a state, at another time, that must have the same law."""
        others = self._also.pop(state, [])
        clock = self._clock
        if clock is None or self._clock_mode == "stopped":
            return others
        latest = 1000 if clock.limit is None else clock.limit - 2
        if latest < 1:
            return others
        later = clock.after(int(self._rng.integers(1, latest + 1)))
        contents = others or [self._contents_of[state]]
        return [self._contents.with_value(other, clock.slot, later) for other in contents]

    def late(self) -> list[tuple[int, list[Content]]]:
        """The states that were reached with another content only after they were done, with these contents."""
        return sorted(self._also.items())

    def compare(self, pair: int, law: Law, branches: int, others: Sequence[Content]) -> None:
        """See that other contents with the state's key have its law of outcomes.

        Args:
            pair: number of state and action.
            law: of the first content, as it is in the table.
            branches: how many ways there are for it to go.
            others: the other contents.

        Raises:
            Reclassified: a law differs, so what was left out must be kept.
            NotTabular: a law differs, and what differs was left out by the user.
        """
        if not others or (branches > MANY_BRANCHES and self._rng.integers(ONE_IN)):
            return
        state, number = divmod(pair, len(self._actions))
        for other in others:
            two = self._law_of(self._each_step(other, pair))
            if not same(law, two):
                self._differs(state, number, law, other, two)

    def looks_different(self, state: int, other: Content, one: Any, two: Any) -> NoReturn:
        """Two contents with one key are seen as these two observations."""
        differing = self._contents.differences(self._contents_of[state], self.still(other))
        if differing or self._stepper.state is not None:
            self.differs(state, other, "show different observations")
        kinds = [_kind(observation) for observation in (one, two)]
        outside = "" if kinds[0] != kinds[1] else ", or something outside the environment's attributes decides"
        raise NotTabular(
            f"one state must have one observation, but {self._story.of_state(state)} is shown as {_plain(one)} "
            f"({kinds[0]}) and as {_plain(two)} ({kinds[1]}): reset() and step() build it differently{outside}"
        )

    def differs(self, state: int, other: Content, what: str) -> NoReturn:
        """Two contents with one key are not one state: keep what differs in the key, or refuse the user's key."""
        content = self._contents_of[state]
        differing = self._contents.differences(content, self.still(other))
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
        rule = "state=" if self._stepper.state is not None else "ignore=" if self._ignore else None
        given = "" if rule is None else f"with the {rule} given "
        apart = f", with {'; '.join(shown)}" if shown else ""
        raise NotTabular(
            f"two states with one key must have one law of outcomes, but {given}"
            f"{self._story.of_state(state)} comes in two kinds{apart}, which {what}"
        )

    def _differs(self, state: int, number: int, law: Law, other: Content, two: Law) -> NoReturn:
        clock, content, action = self._clock, self._contents_of[state], self._actions[number]
        if clock is not None:
            moved = self._contents.with_value(content, clock.slot, self._contents.value(other, clock.slot))
            late = self._stepper.steps_from(moved, action)
            if not same(law, self._law_of(iter(late))):
                pair = state * len(self._actions) + number
                self._clock_decides(pair, clock, moved, self._stepper.steps_from(content, action), late)
        self.differs(state, other, f"go on differently: action {plain_action(action)} {_difference(law, two)}")

    def _clock_decides(
        self, pair: int, clock: Clock, moved: Content, arrivals: list[Arrival], late: list[Arrival]
    ) -> NoReturn:
        """The clock is an attribute as any other, or one that the reward depends on and nothing shows."""
        rewards = [sorted({one.reward for one in some}) for some in (arrivals, late)]
        if {one.seen for one in arrivals} != {one.seen for one in late} or rewards[0] == rewards[1]:
            self._decisive.add(clock.slot)
            raise Reclassified
        name = self._contents.name(clock.slot)
        step = round((self._contents.value(moved, clock.slot) - clock.first) / clock.tick) + 1
        raise NotTabular(
            f"the reward must not depend on how long the episode has lasted, but {self._story.of_pair(pair)} pays "
            f"{_listed(rewards[0])} at step 1 and {_listed(rewards[1])} at step {step}, where {name} is another. "
            f'clock="layers" keeps {name} in the state (a finite horizon, so many times the states); clock="stopped" '
            "holds it at its first value, and so tabulates the environment as it is in the first step"
        )

    def _matters(self, slot: Slot, content: Content, other: Content) -> bool:
        """Whether one attribute alone, exchanged, makes another law."""
        exchanged = self._contents.with_value(content, slot, self._contents.value(other, slot))
        for action in self._actions:
            try:
                two = self._law_of(self._stepper.each_step_from(exchanged, action))
            except NotTabular:
                return True
            if not same(two, self._law_of(self._stepper.each_step_from(content, action))):
                return True
        return False


def same(one: Law, two: Law) -> bool:
    """Whether two laws have the same outcomes with the same probabilities."""
    return one.keys() == two.keys() and all(abs(one[key] - two[key]) <= TOLERANCE for key in one)


def _difference(one: Law, two: Law) -> str:
    """In words, how two laws of outcomes differ."""
    rewards = [sum(p * key[1] for key, p in law.items()) for law in (one, two)]
    if abs(rewards[0] - rewards[1]) > TOLERANCE:
        return f"pays {rewards[0]:.6g} or {rewards[1]:.6g} on average"
    ends = [sum(p for key, p in law.items() if key[3]) for law in (one, two)]
    if abs(ends[0] - ends[1]) > TOLERANCE:
        return f"ends the episode with probability {ends[0]:.6g} or {ends[1]:.6g}"
    return "leads to other states"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _kind(observation: Any) -> str:
    """Of what type an observation is."""
    return str(observation.dtype) if isinstance(observation, np.ndarray) else type(observation).__name__


def _plain(observation: Any) -> str:
    return _short(observation.tolist() if isinstance(observation, np.ndarray) else observation)


def _listed(values: list[float]) -> str:
    return " or ".join(f"{value:g}" for value in values[:3])
