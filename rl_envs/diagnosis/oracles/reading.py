"""What a function of rollouts is told, and what is right given no more than that.

A parameter's meaning may leave open what is handed over: `next_value` is CleanRL's one value after the last step, and
elsewhere an array; `values` may have T entries or T + 1. Each possibility is a `Reading`. It says which array goes to
which parameter, and turns a rollout into the one the function sees: a function that takes one flag cannot tell time
limits from ends, so it is judged on rollouts without time limits, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from rl_envs.diagnosis.oracles.rollout import Rollout

# What can be handed over: the axes of each, and how it is read off a rollout.
FEEDS: dict[str, tuple[str, Callable[[Rollout], Any]]] = {
    "reward": ("TB", lambda x: x.reward),
    "value": ("TB", lambda x: x.value),
    "value and last value": ("TB", lambda x: np.concatenate([x.value, x.next_value[-1:]])),
    "next value": ("TB", lambda x: x.next_value),
    "masked next value": ("TB", lambda x: x.bootstraps * x.next_value),
    "last value": ("B", lambda x: x.next_value[-1]),
    "terminated": ("TB", lambda x: x.terminated),
    "truncated": ("TB", lambda x: x.truncated),
    "ended": ("TB", lambda x: x.ended),
    "ended before": ("TB", lambda x: _before(x.ended, False)[:-1]),
    "ended before and after": ("TB", lambda x: _before(x.ended, False)),
    "episode start": ("TB", lambda x: _before(x.ended, True)[:-1]),
    "last ended": ("B", lambda x: x.ended[-1]),
    "going on": ("TB", lambda x: ~x.ended),
    "going on before": ("TB", lambda x: _before(~x.ended, True)),
    "discounts": ("TB", lambda x: x.discount * ~x.ended),
    "discount": ("", lambda x: x.discount),
    "trace decay": ("", lambda x: x.trace_decay),
    "n": ("", lambda x: x.n),
    "length": ("", lambda x: len(x.reward)),
}

# The feeds that tell how the last step of a rollout ended.
TELL_LAST_END = {
    "terminated",
    "ended",
    "ended before and after",
    "last ended",
    "going on",
    "going on before",
    "discounts",
}
# Those that say it either way, of every step: beside a flag of one kind of end they tell both kinds.
TELL_EVERY_END = {"ended", "ended before and after", "going on", "going on before"}

# The feeds with the value of what was seen after every step, the final observations among them.
NEXT_VALUES = ("next value", "masked next value")


# What a parameter may be given, by its meaning; the first is the likeliest.
OPTIONS: dict[str, tuple[str, ...]] = {
    "reward": ("reward",),
    "value": ("value and last value", "value"),
    "next_values": ("next value", "last value"),
    "next_or_last_value": ("last value", "next value"),
    "masked_next_values": ("masked next value",),
    "last_value": ("last value",),
    "terminated": ("terminated",),
    "truncated": ("truncated",),
    "ended": ("ended", "ended before and after"),
    "going_on": ("going on", "going on before"),
    "next_ended": ("last ended", "ended"),
    "episode_starts": ("episode start",),
    "discounts": ("discounts",),
    "discount": ("discount",),
    "trace_decay": ("trace decay",),
    "n": ("n",),
    "length": ("length",),
}


def _before(flags: np.ndarray, first: bool) -> np.ndarray:
    """Flags of T steps moved to the step after each, [T + 1]."""
    return np.concatenate([np.full_like(flags[:1], first), flags])


@dataclass(frozen=True)
class Reading:
    """One way of taking a function's parameters: which feed each of them is given."""

    feeds: Mapping[str, str]  # parameter -> name of a feed

    def _has(self, *feeds: str) -> bool:
        return any(feed in feeds for feed in self.feeds.values())

    def _parameter(self, *feeds: str) -> str:
        return " and ".join(parameter for parameter, feed in self.feeds.items() if feed in feeds)

    @property
    def flags(self) -> str:
        """Whether it is told of "no" end, of ends by "one" flag, or of "both" kinds."""
        kinds = {
            "ended" if feed in TELL_EVERY_END else feed
            for feed in self.feeds.values()
            if feed in {"terminated", "truncated", *TELL_EVERY_END}
        }
        if len(kinds) > 1 or (kinds and self._has("masked next value")):
            return "both"
        return "one" if self._has(*TELL_LAST_END, "ended before", "episode start", "truncated") else "no"

    @property
    def knows_values(self) -> bool:
        """Whether it is told any value at all: without, nothing is bootstrapped, and all ends are alike."""
        return self._has("value") or self.knows_last_value

    @property
    def knows_last_value(self) -> bool:
        """Whether it is told what the observation after the last step is worth."""
        return self._has("last value", *NEXT_VALUES, "value and last value")

    @property
    def whole_episodes(self) -> bool:
        """Whether it knows values but none after the last step, so that the rollout must end with an episode."""
        return self._has("value") and not self.knows_last_value

    def view(self, x: Rollout) -> Rollout:
        """The rollout as the function sees it: of copies it can be told of, with values that it knows."""
        told = np.ones(x.reward.shape[1], dtype=bool)
        if self.flags == "no":
            told &= ~x.ended[:-1].any(axis=0)
        if self.flags == "one" and self.knows_values:
            told &= ~x.truncated.any(axis=0)
        if self.whole_episodes:
            told &= x.terminated[-1]
        x = columns(x, np.flatnonzero(told))
        next_value, bootstraps = x.next_value, x.bootstraps
        if self._has("masked next value"):
            next_value = bootstraps * next_value
        elif not self._has("next value"):
            following = x.value[1:] if self._has("value", "value and last value") else np.zeros_like(x.value[1:])
            last = next_value[-1:] if self.knows_last_value else np.zeros_like(next_value[-1:])
            next_value = np.concatenate([following, last])
            # Inside the rollout the final observation's value is not there to bootstrap from.
            bootstraps = np.concatenate([bootstraps[:-1] * ~x.truncated[:-1], bootstraps[-1:]])
        if not self._has(*TELL_LAST_END):  # then the last value comes masked
            next_value = np.concatenate([next_value[:-1], next_value[-1:] * ~x.terminated[-1:]])
        return replace(x, next_value=next_value, bootstraps=bootstraps)

    def notes(self) -> tuple[str, ...]:
        """What the function cannot be told, and was therefore not tried on."""
        notes = []
        if self.flags == "one" and self.knows_values:
            flag = self._parameter(*TELL_LAST_END, "ended before", "episode start")
            notes.append(
                f"it cannot tell time limits from ends: it takes one flag ({flag}), and is judged on terminations "
                "alone. Set at a time limit, that flag takes the limit for an end; Stable-Baselines3 therefore adds "
                "discount * value of the final observation to the reward beforehand"
            )
        if self.flags == "no":
            notes.append("it takes no flag: it is judged on one episode at a time, with a last value of 0 at its end")
        if self.flags == "both" and not self._has(*NEXT_VALUES):
            notes.append(
                "inside a rollout it cannot bootstrap at a time limit, for no argument has the value of the final "
                "observation: cutting there is counted as right; pass next_values, or add discount * that value to the "
                "reward beforehand"
            )
        if self._has("going on"):
            mask = self._parameter("going on")
            notes.append(f"{mask}[t] is read as whether the episode goes on after step t")
        for feed in ("going on before", "ended before and after"):
            if self._has(feed):
                flag = self._parameter(feed)
                notes.append(f"{flag} is read as T + 1 entries, of which {flag}[t + 1] belongs to step t")
        if self.whole_episodes:
            notes.append(
                "it is told no value after the last step: right for rollouts that end with an episode, and no others"
            )
        elif not self.knows_values:
            notes.append("it is told no value: what comes after the last step of a rollout counts as 0")
        return tuple(notes)

    def describe(self) -> str:
        """Which parameter was given what."""
        return ", ".join(f"{parameter}: {feed}" for parameter, feed in self.feeds.items())


def columns(x: Rollout, index: np.ndarray) -> Rollout:
    """Some of the copies of a rollout."""
    arrays = ("reward", "value", "next_value", "terminated", "truncated", "bootstraps", "continues")
    return replace(x, **{name: getattr(x, name)[:, index] for name in arrays})


def readings(meanings: Mapping[str, str]) -> Iterator[Reading]:
    """Every way of taking a function's parameters, the likeliest first.

    Args:
        meanings: {parameter: meaning}, as `read_signature` gives them.

    Yields:
        Readings.
    """
    have = set(meanings.values())
    # A name in the singular beside `reward` in the singular is one of many, as in `reward, value, next_value`.
    singular = "reward" in meanings
    options = dict(OPTIONS)
    options["value"] = _value_feeds(have)
    if singular:
        options["next_or_last_value"] = ("next value", "last value")
    if "next_ended" in have:
        options["ended"] = options["terminated"] = ("ended before",)
    elif "episode_starts" in have:
        options["ended"] = options["terminated"] = ("last ended", "ended")
    elif "truncated" in have and "terminated" not in have:
        options["ended"] = ("ended", "terminated")
    for choice in product(*(options[meaning] for meaning in meanings.values())):
        yield Reading(dict(zip(meanings, choice)))


def _value_feeds(have: set[str]) -> tuple[str, ...]:
    if have & {"next_values", "masked_next_values", "next_or_last_value", "last_value"}:
        return ("value", "value and last value")
    return ("value and last value", "value")
