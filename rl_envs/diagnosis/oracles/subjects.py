"""The two kinds of experience a function may be tried on: rollouts and batches of transitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

import rl_envs.diagnosis.oracles.problems as problems
import rl_envs.diagnosis.oracles.reading as reading
import rl_envs.diagnosis.oracles.td_reading as td_reading
from rl_envs.diagnosis.oracles.calling import Form
from rl_envs.diagnosis.oracles.results import Example
from rl_envs.diagnosis.oracles.rollout import Rollout
from rl_envs.diagnosis.oracles.transitions import Transitions

# How many copies of a rollout a function gets at once where it takes [T, B]: a number that no short rollout has steps.
COPIES = 5


class Reading(Protocol):
    """One way of taking a function's parameters."""

    @property
    def feeds(self) -> Mapping[str, str]:
        """Which feed each parameter is given."""

    @property
    def whole_episodes(self) -> bool:
        """Whether it can only be told of experience that ends with an episode."""

    def view(self, x: Any) -> Any:
        """The experience as the function sees it."""

    def notes(self) -> tuple[str, ...]:
        """What it cannot be told."""

    def describe(self) -> str:
        """Which parameter was given what."""


class Subject(Protocol):
    """What a function is tried on."""

    @property
    def layouts(self) -> tuple[str, ...]:
        """The layouts in which it may be handed over."""

    @property
    def feeds(self) -> Mapping[str, tuple[str, Callable[[Any], Any]]]:
        """What may be handed over: the axes of each, and how it is read off."""

    def problems(self) -> Iterable[Any]:
        """Everything to try a function on, the simplest first."""

    def prepare(self, x: Any, layout: str) -> Any:
        """What the function sees, made fit to be handed over in a layout; None where nothing is left of it."""

    def pieces(self, x: Any) -> Iterator[Any]:
        """What is handed over in one call each."""

    def copies(self, x: Any) -> int:
        """How many columns of numbers belong to it."""

    def shapes(self, x: Any, form: Form) -> list[tuple[int, ...]]:
        """The shapes that an answer may have, the usual one first."""

    def example(self, x: Any, column: int, gave: np.ndarray | None, right: np.ndarray) -> Example:
        """One column of numbers, to be shown."""

    def describe(self) -> str:
        """What there is to be tried on, in words."""


@dataclass(frozen=True)
class RolloutSubject(Subject):
    """Rollouts with every pattern of ends.

    Args:
        discount, trace_decay: what the function has fixed, or None.
        n: likewise; "all" where its returns reach to the end of the rollout.
        windows: whether it may give one number for a rollout, or no number for the last n - 1 steps.
        uses_trace_decay, uses_n: what to show in an example.
    """

    discount: float | None = None
    trace_decay: float | None = None
    n: int | str | None = None
    windows: bool = False
    uses_trace_decay: bool = False
    uses_n: bool = False

    layouts = ("T", "TB", "BT")
    feeds = reading.FEEDS

    def problems(self) -> Iterator[Rollout]:
        n = self.n if isinstance(self.n, int) else None
        for x in problems.rollouts(self.discount, self.trace_decay, n):
            if self.n == "all":
                yield replace(x, n=len(x.reward))
            elif x.n <= len(x.reward):
                yield x

    def prepare(self, x: Rollout, layout: str) -> Rollout | None:
        count = x.reward.shape[1]
        if count == 0:
            return None
        if layout == "T":
            return x
        whole = -(-count // COPIES) * COPIES
        return replace(reading.columns(x, np.resize(np.arange(count), whole)), copies_at_once=COPIES)

    def pieces(self, x: Rollout) -> Iterator[Rollout]:
        for first in range(0, x.reward.shape[1], x.copies_at_once):
            yield reading.columns(x, np.arange(first, first + x.copies_at_once))

    def copies(self, x: Rollout) -> int:
        return x.reward.shape[1]

    def shapes(self, x: Rollout, form: Form) -> list[tuple[int, ...]]:
        length, copies = x.reward.shape

        def shape(*times: int) -> tuple[int, ...]:
            return {"T": times, "TB": (*times, copies), "BT": (copies, *times)}[form.layout]

        shapes = [shape(length)]
        if self.windows:
            shapes += [shape(), shape(length - x.n + 1)]
        return shapes

    def example(self, x: Rollout, column: int, gave: np.ndarray | None, right: np.ndarray) -> Example:
        settings = {"discount": x.discount}
        if self.uses_trace_decay:
            settings["lambda"] = x.trace_decay
        if self.uses_n:
            settings["n"] = x.n
        count = len(right) if gave is None else len(gave)
        return Example(
            settings,
            {
                "step": [str(t) for t in range(len(x.reward))],
                "reward": x.reward[:, column].tolist(),
                "value": x.value[:, column].tolist(),
                "next value": x.next_value[:, column].tolist(),
                "ends": _ends(x.terminated[:, column], x.truncated[:, column]),
            },
            None if gave is None else gave[:, column].tolist(),
            right[:count, column].tolist(),
        )

    def describe(self) -> str:
        return f"every pattern of ends of {problems.SHORT[0]} to {problems.SHORT[-1]} steps, and longer ones"


@dataclass(frozen=True)
class TransitionSubject(Subject):
    """Batches of transitions with every kind of end.

    Args:
        discount, n, temperature: what the function has fixed, or None.
        shown: the parts of a transition that an example shows beside reward and end.
    """

    discount: float | None = None
    n: int | None = None
    temperature: float | None = None
    shown: tuple[str, ...] = ()

    layouts = ("B", "B1")
    feeds = td_reading.FEEDS

    def problems(self) -> Iterator[Transitions]:
        yield from problems.transitions(self.discount, self.n, self.temperature)

    def prepare(self, x: Transitions, layout: str) -> Transitions | None:
        return x if len(x.reward) else None

    def pieces(self, x: Transitions) -> Iterator[Transitions]:
        yield x

    def copies(self, x: Transitions) -> int:
        return len(x.reward)

    def shapes(self, x: Transitions, form: Form) -> list[tuple[int, ...]]:
        flat = (len(x.reward),)
        return [flat] if form.layout == "B" else [(*flat, 1), flat]

    def example(self, x: Transitions, column: int, gave: np.ndarray | None, right: np.ndarray) -> Example:
        settings: dict[str, float] = {"discount": x.discount}
        if x.n > 1:
            settings["n"] = x.n
        rows: dict[str, list[Any]] = {
            "transition": [str(column)],
            "reward": [float(x.reward[column])],
            "end": _ends(x.terminated[[column]], x.truncated[[column]]),
        }
        for name in self.shown:
            part = getattr(x, name)
            numbers = part if isinstance(part, float) else np.atleast_1d(part[column])
            rows[name.replace("_", " ")] = [" ".join(f"{number:.4g}" for number in np.atleast_1d(numbers))]
        return Example(
            settings,
            rows,
            None if gave is None else [float(gave[0, column])],
            [float(right[0, column])],
        )

    def describe(self) -> str:
        return "batches of 4 to 16 transitions with every kind of end"


def _ends(terminated: np.ndarray, truncated: np.ndarray) -> list[str]:
    return [problems.KINDS[int(a) + 2 * int(b)].replace("goes on", "-") for a, b in zip(terminated, truncated)]
