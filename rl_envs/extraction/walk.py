"""Every state of an environment, reached from its starts by every action and every branch of chance."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.contents import Reclassified
from rl_envs.extraction.key_choice import KeyChoice, choose_key
from rl_envs.extraction.probing import Clock, probe
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.same_law import Law, SameLaw
from rl_envs.extraction.stepping import Arrival, Stepper, copied
from rl_envs.extraction.story import Story, too_many
from rl_envs.extraction.table import GrowingTable
from rl_envs.extraction.ways import Slot

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
        self._contents = stepper.contents
        self._actions = actions
        self._limits = limits
        self._ignore = ignore
        self._clock_mode = clock
        self._check = check
        self._progress = progress
        self._decisive: set[Slot] = set()  # attributes once left out that turned out to decide something

    def walk(self) -> Walk:
        """Walk it, from the beginning whenever something turns out other than supposed."""
        began = time.monotonic()
        while True:
            try:
                walk = self._walk(self._prepare())
                break
            except Reclassified:
                continue
        walk.seconds = time.monotonic() - began
        walk.steps = self._stepper.steps
        return walk

    def _prepare(self) -> KeyChoice:
        """Find out what decides nothing, and what counts steps."""
        stepper, contents = self._stepper, self._contents
        contents.ignore(())
        found = probe(stepper, self._actions, seed=0, max_branches=self._limits.max_branches)
        self._check()
        contents.rewind()
        stepper.give_generator()
        stepper.before_reset = contents.take()[0]
        return choose_key(
            stepper,
            found,
            self._actions,
            ignore=self._ignore,
            clock_mode=self._clock_mode,
            decisive=self._decisive,
        )

    def _walk(self, choice: KeyChoice) -> Walk:
        contents, chance, num_actions = self._contents, self._stepper.chance, len(self._actions)
        walk = self._result = Walk(num_actions, GrowingTable(num_actions), clock=choice.clock)
        self._seen: list[Any] = []  # fingerprints of what is seen in each state
        self._ends: list[tuple[Content, Any]] = []
        self._story = Story(self._actions)
        self._same_law = SameLaw(
            self._stepper,
            self._actions,
            choice,
            self._story,
            contents_of=walk.contents,
            each_step=self._each_step,
            law_of=self._known_law,
            ignore=self._ignore,
            clock_mode=self._clock_mode,
            decisive=self._decisive,
        )
        for arrival in self._stepper.each_start():
            if arrival.terminated or arrival.truncated:
                raise NotTabular("reset() must start an episode, but gave one that has ended")
            state = self._arrive(arrival, -1)
            walk.start[state] = walk.start.get(state, 0.0) + arrival.probability
        walk.start_left_out = chance.left_out
        began, look = time.monotonic(), 1
        state = 0
        while state < len(walk.contents):
            content = walk.contents[state]
            others = self._same_law.others(state)
            for pair in range(state * num_actions, (state + 1) * num_actions):
                law, branches = self._law(content, pair)
                if chance.left_out:
                    walk.left_out[pair] = chance.left_out
                walk.table.add(law, branches)
                self._same_law.compare(pair, law, branches, others)
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
        for state, others in self._same_law.late():
            for pair in range(state * num_actions, (state + 1) * num_actions):
                outcomes = walk.table.outcomes(pair)
                law = {(end, reward, std, ended): p for p, end, reward, std, ended in outcomes}
                self._same_law.compare(pair, law, walk.table.branches[pair], others)
        self._check()
        walk.states = len(walk.contents)
        walk.table.number_ends(walk.states)
        walk.seen = [*self._seen, *walk.ends]
        walk.contents += [content for content, _ in self._ends]
        walk.observations += [observation for _, observation in self._ends]
        walk.ignored = sorted({name for _, name in contents.ignored - contents.generators()})
        if self._progress is not None:
            self._progress(walk.states, walk.states, time.monotonic() - began)
        return walk

    def _arrive(self, arrival: Arrival, pair: int) -> int:
        """The number of the state arrived in, a new one if need be."""
        walk = self._result
        assert arrival.content is not None
        state = walk.index.get(arrival.key)
        if state is None:
            state = walk.index[arrival.key] = len(walk.contents)
            if state >= self._limits.max_states:
                done = len(walk.table) // len(self._actions)
                raise NotTabular(too_many(self._contents, walk.contents, done, self._limits.max_states))
            walk.contents.append(self._same_law.still(arrival.content))
            walk.observations.append(arrival.observation)
            self._seen.append(arrival.seen)
            self._story.reached(pair)
        elif self._seen[state] != arrival.seen:
            self._same_law.looks_different(state, arrival.content, walk.observations[state], arrival.observation)
        else:
            self._same_law.met_again(state, arrival.content)
        return state

    def _law(self, content: Content, pair: int) -> tuple[Law, int]:
        """The outcomes of a pair, added up as they come, and how many branches they come in."""
        law: dict[tuple[Any, float, float, bool], float] = {}
        branches = 0
        for arrival in self._each_step(content, pair):
            branches += 1
            if arrival.terminated or (arrival.truncated and self._clock_mode == "layers"):
                key = (self._end(arrival), arrival.reward, arrival.reward_std, True)
            elif arrival.truncated:
                raise NotTabular(
                    f"an episode must be truncated by a count of steps, but {self._story.of_pair(pair)} truncates it: "
                    'say terminated where the task ends, or pass clock="layers"'
                )
            else:
                key = (self._arrive(arrival, pair), arrival.reward, arrival.reward_std, False)
            law[key] = law.get(key, 0.0) + arrival.probability
        if not law:
            raise NotTabular(
                f"a step must have an outcome more likely than skip_below={self._limits.skip_below:g}, but "
                f"{self._story.of_pair(pair)} has none"
            )
        total = sum(law.values())
        return {key: probability / total for key, probability in law.items()}, branches

    def _end(self, arrival: Arrival) -> int:
        """The number of an end; below 0 until it is known how many states there are."""
        end = self._result.ends.get(arrival.seen)
        if end is None:
            end = self._result.ends[arrival.seen] = -1 - len(self._ends)
            # The environment still is where it has just arrived.
            self._ends.append((self._contents.take()[0], copied(arrival.observation)))
        return end

    def _known_law(self, arrivals: Iterator[Arrival]) -> Law:
        """The law of arrivals by the numbers of states and ends met so far, or by what they are where they are new."""
        walk = self._result
        left_out = self._stepper.chance.left_out
        law: dict[tuple[Any, float, float, bool], float] = {}
        for one in arrivals:
            where: Any
            if one.terminated or (one.truncated and self._clock_mode == "layers"):
                where = walk.ends.get(one.seen, ("end", one.seen))
            elif one.truncated:
                where = ("truncated", one.seen)
            else:
                where = walk.index.get(one.key, ("state", one.key))
            key = (where, one.reward, one.reward_std, one.terminated or one.truncated)
            law[key] = law.get(key, 0.0) + one.probability
        self._stepper.chance.left_out = left_out
        total = sum(law.values())
        return {key: probability / total for key, probability in law.items()}

    def _each_step(self, content: Content, pair: int) -> Iterator[Arrival]:
        """The ways in which a pair can go; an exception of the environment's own is told with the way there."""
        try:
            yield from self._stepper.each_step_from(content, self._actions[pair % len(self._actions)])
        except (NotTabular, Reclassified):
            raise
        except Exception as error:
            raise NotTabular(
                f"step() must not fail, but {self._story.of_pair(pair)} raises {type(error).__name__}: {error}"
            ) from error
