"""Which attributes are no part of a state's key: those that decide nothing, those the user names, and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.probing import OBSERVATION, Clock, Probe, inert, influences, with_limit
from rl_envs.extraction.stepping import Stepper
from rl_envs.extraction.ways import Slot


@dataclass(frozen=True)
class KeyChoice:
    """What a state's key leaves out.

    Attributes:
        clock: the attribute that counts steps and is held still, or None.
        left_out: the other attributes that the key does not tell apart.
    """

    clock: Clock | None
    left_out: frozenset[Slot]


def choose_key(
    stepper: Stepper,
    found: Probe,
    actions: Sequence[Any],
    *,
    ignore: Sequence[str],
    clock_mode: str | None,
    decisive: set[Slot],
) -> KeyChoice:
    """Choose what the key leaves out, and tell the contents.

    Args:
        stepper: runs the environment.
        found: what random play showed.
        actions: the actions there are.
        ignore: names of attributes that the user wants left out.
        clock_mode: "layers", "stopped" or None.
        decisive: attributes once left out that turned out to decide something.

    Returns:
        The choice.

    Raises:
        ValueError: a name in `ignore` that no attribute has.
    """
    contents = stepper.contents
    slots = [slot for slot in contents.copied_slots() if slot not in decisive]
    effects = influences(stepper, found, actions, slots)
    clocks = [clock for clock in found.clocks if clock.slot not in decisive]
    clock = None if clock_mode == "layers" else _held_still(stepper, found, actions, clocks, effects)
    out = set() if stepper.state is not None else set(inert(effects))
    for name in ignore:
        named = contents.named(name)
        if not named:
            raise ValueError(f"ignore must name attributes of the environment, but it has no {name!r}")
        out |= set(named)
    if clock is not None:
        out.add(clock.slot)
    elif clock_mode == "layers":
        out -= {clock.slot for clock in clocks}
    contents.ignore(out)
    # With a state of the user's, whatever is not in it may be left out.
    left_out = contents.copied_slots() if stepper.state is not None else contents.ignored
    still = {clock.slot} if clock is not None else set()
    return KeyChoice(clock, frozenset(left_out) - still - contents.generators())


def _held_still(
    stepper: Stepper, found: Probe, actions: Sequence[Any], clocks: list[Clock], effects: dict[Slot, set[Any]]
) -> Clock | None:
    """The clock that is held still while walking: one that ends the episode if there is any."""
    hidden = [clock for clock in clocks if OBSERVATION not in effects.get(clock.slot, set())]
    hidden = [clock for clock in hidden if not _in_users_state(stepper, found.contents[0], clock)]
    limited = [with_limit(stepper, found, actions, clock) for clock in hidden]
    limited = [clock for clock in limited if clock.limit is not None] or limited
    return min(limited, key=lambda clock: clock.limit or 0) if limited else None


def _in_users_state(stepper: Stepper, content: Content, clock: Clock) -> bool:
    """Whether the state that the user asked for contains the clock."""
    if stepper.state is None:
        return False
    keys = []
    for steps in (0, 1):
        stepper.contents.put_back(stepper.contents.with_value(content, clock.slot, clock.after(steps)))
        keys.append(stepper.key(None))
    return bool(keys[0] != keys[1])
