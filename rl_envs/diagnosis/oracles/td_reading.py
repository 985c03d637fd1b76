"""What a function of TD targets is told, and which target is meant by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import numpy as np

import rl_envs.diagnosis.oracles.transitions as transitions
from rl_envs.diagnosis.oracles.transitions import Transitions, Worth

# What can be handed over: the axes of each, and how it is read off a batch.
FEEDS: dict[str, tuple[str, Callable[[Transitions], Any]]] = {
    "reward": ("B", lambda x: x.reward),
    "value": ("B", lambda x: x.value),
    "next value": ("B", lambda x: x.next_value),
    "second critic's value": ("B", lambda x: x.second_value),
    "next action values": ("BA", lambda x: x.next_q),
    "online network's next action values": ("BA", lambda x: x.choosing_q),
    "probabilities": ("BA", lambda x: x.policy),
    "next action": ("B", lambda x: x.next_action),
    "log-probability": ("B", lambda x: x.log_probability),
    "temperature": ("", lambda x: x.temperature),
    "terminated": ("B", lambda x: x.terminated),
    "truncated": ("B", lambda x: x.truncated),
    "ended": ("B", lambda x: x.ended),
    "going on": ("B", lambda x: ~x.terminated),
    "discounts": ("B", lambda x: x.value_discount * ~x.terminated),
    "discount": ("", lambda x: x.discount),
    "n": ("", lambda x: x.n),
}

OPTIONS: dict[str, tuple[str, ...]] = {
    "reward": ("reward",),
    "next_values": ("next value",),
    "next_or_last_value": ("next value",),
    "last_value": ("next value",),
    "next_q": ("next action values",),
    "valuing_q": ("next action values",),
    "choosing_q": ("online network's next action values",),
    "next_q1": ("next value",),
    "next_q2": ("second critic's value",),
    "policy": ("probabilities",),
    "next_action": ("next action",),
    "log_probability": ("log-probability",),
    "temperature": ("temperature",),
    "terminated": ("terminated",),
    "truncated": ("truncated",),
    "ended": ("terminated",),  # alone; beside another flag as `td_readings` has it
    "value": ("value",),
    "going_on": ("going on",),
    "discounts": ("discounts",),
    "discount": ("discount",),
    "n": ("n",),
    "length": ("n",),
}


@dataclass(frozen=True)
class TDReading:
    """One way of taking a function's parameters, and the target that it then has to give."""

    feeds: Mapping[str, str]  # parameter -> name of a feed
    fixed_n: bool = False  # whether the transitions have a number of steps that the function knows by itself

    @property
    def worth(self) -> Worth:
        """What the next observation is worth, going by what the function is told of it."""
        have = set(self.feeds.values())
        entropy = "temperature" in have
        if "next action values" in have:
            if "online network's next action values" in have:
                return transitions.double
            if "probabilities" in have:
                return transitions.soft_expected if entropy else transitions.expected
            if "next action" in have:
                return transitions.taken
            return transitions.soft_largest if entropy else transitions.largest
        if "second critic's value" in have:
            return transitions.soft_smaller_of_two if entropy else transitions.smaller_of_two
        return transitions.soft if entropy else transitions.given_value

    @property
    def whole_episodes(self) -> bool:
        """Whether it can only be told of experience that ends with an episode: transitions are told one by one."""
        return False

    @property
    def flags(self) -> str:
        """Whether it is told of "no" end, of ends by "one" flag, or of "both" kinds."""
        kinds = {feed for feed in self.feeds.values() if feed in {"terminated", "truncated", "ended", "going on"}}
        if len(kinds) > 1:
            return "both"
        return "one" if kinds or "discounts" in self.feeds.values() else "no"

    def view(self, x: Transitions) -> Transitions:
        """The batch as the function sees it: of transitions it can be told of, of one step where it takes no n."""
        told = np.ones(len(x.reward), dtype=bool)
        if self.flags == "no":
            told = ~x.terminated
        if self.flags == "one":
            told = ~x.truncated
        x = rows(x, np.flatnonzero(told))
        if "n" not in self.feeds.values() and not self.fixed_n:
            x = replace(x, n=1, value_discount=x.discount)
        return x

    def notes(self) -> tuple[str, ...]:
        """What the function cannot be told, and was therefore not tried on."""
        if self.flags == "one":
            flag = " and ".join(
                name for name, feed in self.feeds.items() if feed in {"terminated", "ended", "going on", "discounts"}
            )
            return (
                f"it cannot tell time limits from ends: it takes one flag ({flag}), and is judged on terminations "
                "alone; hand it terminated, never terminated or truncated",
            )
        if self.flags == "no":
            return ("it takes no flag: it is judged on steps that do not terminate",)
        return ()

    def describe(self) -> str:
        """Which parameter was given what, and what was asked for."""
        meant = self.worth.__doc__.rstrip(".") if self.worth.__doc__ else self.worth.__name__
        given = ", ".join(f"{parameter}: {feed}" for parameter, feed in self.feeds.items())
        return f"{given}; asked for: {meant}"


def rows(x: Transitions, index: np.ndarray) -> Transitions:
    """Some transitions of a batch."""
    arrays = {field.name: getattr(x, field.name) for field in fields(x)}
    return replace(x, **{name: array[index] for name, array in arrays.items() if isinstance(array, np.ndarray)})


def td_readings(meanings: Mapping[str, str], *, fixed_n: bool = False) -> Iterator[TDReading]:
    """Every way of taking the parameters of a function of TD targets, the likeliest first.

    Args:
        meanings: {parameter: meaning}, as `read_signature` gives them.
        fixed_n: whether the transitions have a number of steps that the function knows by itself.

    Yields:
        Readings.
    """
    have = set(meanings.values())
    # Beside terminated or truncated, `done` says that the episode ended either way; alone, that it terminated.
    options = dict(OPTIONS)
    if "terminated" in have:
        options["ended"] = ("ended",)
    elif "truncated" in have:
        options["ended"] = ("ended", "terminated")
    tells_next = {"next_values", "next_or_last_value", "last_value", "next_q", "valuing_q", "next_q1"}
    options["value"] = ("value",) if have & tells_next else ("next value",)
    for choice in product(*(options[meaning] for meaning in meanings.values())):
        yield TDReading(dict(zip(meanings, choice)), fixed_n)
