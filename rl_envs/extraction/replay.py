"""The proof that a table is the environment: real steps, drawn by a real generator, looked up in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_envs.extraction.frequencies import LEAST_LIKELY, Frequencies
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.walk import Walk

if TYPE_CHECKING:
    from rl_envs.extraction.session import Session

# Random play starts a new episode after so many steps, so that one without end does not hide the others.
LONGEST = 1_000

# Rewards may differ by rounding, noise by so many standard deviations.
ROUNDING, DEVIATIONS = 1e-9, 8.0


@dataclass(frozen=True)
class Proof:
    """How real steps fared in the table.

    Attributes:
        steps: how many were taken.
        episodes: how many episodes they make.
        states: how many different states they passed.
        p_value: of the chi-square test that outcomes are as frequent as the table says; 1 where there is no chance.
    """

    steps: int
    episodes: int
    states: int
    p_value: float


def replay(session: Session, walk: Walk, actions: Sequence[Any], steps: int, *, clock: str | None) -> Proof:
    """Take random steps in the real environment, with its own generator, and look each up in the table.

    Args:
        session: the environment that was walked.
        walk: what was found.
        actions: the actions there are.
        steps: how many steps to take.
        clock: what was done with an attribute that counts steps; one that was stopped is stopped here too.

    Returns:
        How they fared.

    Raises:
        NotTabular: a step that the table says cannot happen, or frequencies that it does not have.
    """
    rng = np.random.default_rng(0)
    stepper, env = session.stepper, session.layers.outermost
    lookup = Lookup(walk)
    counts = Frequencies()
    passed: set[int] = set()
    episodes = taken = 0
    stopped = walk.clock if clock == "stopped" else None
    session.play_for_real(int(rng.integers(2**31)))
    while taken < steps:
        observation = session.real_reset(episodes, rng)
        episodes += 1
        state = lookup.state(session.real_key(observation))
        if state is None or state not in walk.start:
            raise NotTabular(_no_start(taken, state))
        if session.seed is None:
            counts.add(list(walk.start.values()), list(walk.start).index(state), "start")
        for _ in range(LONGEST):
            passed.add(state)
            number = int(rng.integers(len(actions)))
            observation, reward, terminated, truncated = env.step(actions[number])[:4]
            taken += 1
            if stopped is not None:
                session.layers.parts[stopped.slot[0]].__dict__[stopped.slot[1]] = stopped.first
            if truncated and not terminated and clock != "layers":
                break  # by a count of steps, which the table does not have
            outcomes = walk.table.outcomes(state * len(actions) + number)
            if terminated or truncated:
                arrived: int | None = lookup.end(stepper.see(observation))
                if arrived is None and lookup.by_clock(session):
                    break
            else:
                arrived = lookup.state(session.real_key(observation))
            k = _which(outcomes, arrived, float(reward), bool(terminated or truncated))
            if k is None:
                if (terminated or truncated) and lookup.by_clock(session):
                    break
                raise NotTabular(_impossible(state, actions[number], taken, arrived, float(reward), outcomes))
            counts.add([p for p, *_ in outcomes], k)
            if terminated or truncated or taken >= steps:
                break
            assert arrived is not None
            state = arrived
    p_value = counts.p_value()
    if p_value < LEAST_LIKELY:
        raise NotTabular(
            f"real outcomes must be as frequent as the table says, but those of {taken:,} steps would be so with "
            f"probability {p_value:.1e}: something outside the environment's attributes and np_random decides"
        )
    return Proof(taken, episodes, len(passed), p_value)


class Lookup:
    """Finds states and ends in what was walked."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def state(self, key: Any) -> int | None:
        """The number of the state with this key."""
        return self._walk.index.get(key)

    def end(self, seen: Any) -> int | None:
        """The number of the end that looks like this."""
        end = self._walk.ends.get(seen)
        return None if end is None else self._walk.states - 1 - end

    def by_clock(self, session: Session) -> bool:
        """Whether the episode ended because its count of steps reached the limit."""
        clock = self._walk.clock
        if clock is None or clock.limit is None:
            return False
        value = session.layers.parts[clock.slot[0]].__dict__.get(clock.slot[1])
        return bool(value == clock.after(clock.limit))


def _no_start(taken: int, state: int | None) -> str:
    """What is wrong with a real episode that starts where no walked one does."""
    if taken:
        return (
            f"a reset after {taken:,} steps led to a start that a new environment never has: reset() keeps something "
            "from earlier episodes, in an attribute or elsewhere"
        )
    where = "a state that was not walked" if state is None else f"state {state}"
    return (
        f"real episodes must start as the table says, but the first starts in {where}: something outside the "
        "environment's attributes and np_random decides"
    )


def _which(
    outcomes: list[tuple[float, int, float, float, bool]], arrived: int | None, reward: float, ended: bool
) -> int | None:
    """The outcome that happened, or None where none of them did."""
    for k, (_, next_state, mean, std, terminated) in enumerate(outcomes):
        near = abs(reward - mean) <= ROUNDING * max(1.0, abs(mean)) + DEVIATIONS * std
        if next_state == arrived and terminated == ended and near:
            return k
    return None


def _impossible(
    state: int,
    action: Any,
    taken: int,
    arrived: int | None,
    reward: float,
    outcomes: list[tuple[float, int, float, float, bool]],
) -> str:
    where = "a state that was not walked" if arrived is None else f"state {arrived}"
    known = "; ".join(f"state {s} with reward {r:g}" for _, s, r, _, _ in outcomes[:4])
    return (
        f"every real step must be possible in the table, but step {taken:,} of the check, action "
        f"{np.asarray(action).tolist()} in state {state}, leads to {where} with reward {reward:g}, where the table has "
        f"{known}: something outside the environment's attributes and np_random decides"
    )
