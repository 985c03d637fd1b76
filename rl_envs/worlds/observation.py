"""What an agent sees in each state: a table too, indexed by the state and never by anything else.

A world offers several kinds by name (`observation="index"`, `"one_hot"`, ...); the environments, one copy or many, and
the exact evaluator all read the same object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rl_envs.names import unknown


class Observation(ABC):
    """The map from a state to what is seen there.

    Attributes:
        space: the Gymnasium space of one observation.
    """

    space: spaces.Space[Any]

    @abstractmethod
    def of(self, state: int) -> Any:
        """What is seen in one state: a Python int or a freshly made array of the space's shape and dtype."""

    @abstractmethod
    def batch(self, states: np.ndarray) -> np.ndarray:
        """What is seen in each of many states.

        Args:
            states: indices [n] of int64.

        Returns:
            Freshly made array [n, *space.shape] of the space's dtype.
        """

    def first_alike(self, num_states: int) -> np.ndarray:
        """For each state the first one that looks the same.

        Args:
            num_states: S.

        Returns:
            States [S] of int64.
        """
        first: dict[bytes, int] = {}
        rows = self.batch(np.arange(num_states)).reshape(num_states, -1)
        return np.array([first.setdefault(row.tobytes(), state) for state, row in enumerate(rows)], dtype=np.int64)


class Index(Observation):
    """The state's own index: `Discrete(num_states)`."""

    space: spaces.Discrete

    def __init__(self, num_states: int) -> None:
        self.space = spaces.Discrete(num_states)

    def of(self, state: int) -> int:
        return state

    def batch(self, states: np.ndarray) -> np.ndarray:
        return np.array(states, dtype=np.int64)

    def first_alike(self, num_states: int) -> np.ndarray:
        return np.arange(num_states)


class Labels(Observation):
    """A number for each state; several states may share one, and then look alike.

    Args:
        labels: the number seen in each state, [S] int, counted from 0 without gaps.

    Raises:
        ValueError: labels of another shape, below 0, or that leave out a number.
        TypeError: labels that are not integers.
    """

    def __init__(self, labels: np.ndarray | Sequence[int]) -> None:
        table = np.asarray(labels)
        if table.dtype.kind not in "iu":
            raise TypeError(f"labels must be integers, but have dtype {table.dtype}")
        if table.ndim != 1 or table.size == 0:
            raise ValueError(f"labels must have shape [states], but have {table.shape}")
        self._labels = table.astype(np.int64)  # [S]
        if self._labels.min() < 0:
            raise ValueError(f"labels must count from 0, but one is {self._labels.min()}")
        unused = np.setdiff1d(np.arange(self._labels.max()), self._labels)
        if unused.size:
            raise ValueError(f"labels must count from 0 without gaps, but no state has label {unused[0]}")
        self._list: list[int] = self._labels.tolist()
        self.space = spaces.Discrete(int(self._labels.max()) + 1)

    def of(self, state: int) -> int:
        return self._list[state]

    def batch(self, states: np.ndarray) -> np.ndarray:
        return self._labels[states]


class Features(Observation):
    """A row of numbers for each state: `Box` for float32 rows, `MultiDiscrete` for int64 rows.

    Args:
        rows: [S, m]; integers from 0 give a MultiDiscrete, floats a Box.
        sizes: how many values each integer may take, a number or [m]; by default as many as the table has.
        low: lower bound of each Box entry, a number or [m]; by default the smallest in the table.
        high: upper bound likewise.

    Raises:
        ValueError: rows of another shape, or entries that are not finite or outside their bounds.
        TypeError: rows that are not numbers.
    """

    def __init__(
        self,
        rows: np.ndarray | Sequence[Sequence[float]],
        *,
        sizes: int | np.ndarray | Sequence[int] | None = None,
        low: float | np.ndarray | None = None,
        high: float | np.ndarray | None = None,
    ) -> None:
        table = np.array(rows)
        if table.dtype.kind not in "iuf":
            raise TypeError(f"rows must be integers or floats, but have dtype {table.dtype}")
        if table.ndim != 2 or table.size == 0:
            raise ValueError(f"rows must have shape [states, features], but have {table.shape}")
        if table.dtype.kind in "iu":
            self._rows = table.astype(np.int64)
            counts = self._rows.max(axis=0) + 1 if sizes is None else np.broadcast_to(sizes, self._rows.shape[1:])
            _check_bounds(self._rows, np.zeros_like(counts), counts - 1)
            self.space = spaces.MultiDiscrete(counts)
        else:
            self._rows = table.astype(np.float32)
            lowest = self._rows.min(axis=0) if low is None else np.broadcast_to(low, self._rows.shape[1:])
            highest = self._rows.max(axis=0) if high is None else np.broadcast_to(high, self._rows.shape[1:])
            lowest, highest = lowest.astype(np.float32), highest.astype(np.float32)
            _check_bounds(self._rows, lowest, highest)
            self.space = spaces.Box(lowest, highest, dtype=np.float32)

    def of(self, state: int) -> np.ndarray:
        return self._rows[state].copy()

    def batch(self, states: np.ndarray) -> np.ndarray:
        return self._rows[states]


class OneHot(Observation):
    """The one-hot form of a discrete observation, one block for each number: `Box(0, 1)` of float32.

    Args:
        base: an observation in a Discrete or MultiDiscrete space.
    """

    def __init__(self, base: Observation) -> None:
        self._base = base
        if isinstance(base.space, spaces.Discrete):
            sizes = np.array([base.space.n])
        elif isinstance(base.space, spaces.MultiDiscrete):
            sizes = np.asarray(base.space.nvec)
        else:
            raise TypeError(f"a one-hot observation needs a Discrete or MultiDiscrete one, not {base.space}")
        self._width = int(sizes.sum())
        self._offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])  # [m] where each number's zeros begin
        self.space = spaces.Box(0.0, 1.0, shape=(self._width,), dtype=np.float32)

    def of(self, state: int) -> np.ndarray:
        row = np.zeros(self._width, dtype=np.float32)
        row[self._offsets + self._base.of(state)] = 1.0
        return row

    def batch(self, states: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(states), self._width), dtype=np.float32)
        columns = self._base.batch(states).reshape(len(states), -1) + self._offsets
        rows[np.arange(len(states))[:, None], columns] = 1.0
        return rows


def choose(kind: str, offered: Mapping[str, Observation]) -> Observation:
    """The observation that a builder's `observation=` keyword asks for.

    Args:
        kind: one of the names offered, or "one_hot": the one-hot form of the first discrete one.
        offered: the world's kinds of observation by name, the default first.

    Returns:
        The observation chosen.

    Raises:
        TypeError: a kind that is not a string.
        ValueError: an unknown kind; the message lists all and names the nearest.
    """
    if not isinstance(kind, str):
        raise TypeError(f"observation must be a name, one of {', '.join([*offered, 'one_hot'])}, but is {kind!r}")
    discrete = [o for o in offered.values() if isinstance(o.space, (spaces.Discrete, spaces.MultiDiscrete))]
    if kind == "one_hot" and discrete:
        return OneHot(discrete[0])
    if kind not in offered:
        raise ValueError(unknown("observation", kind, [*offered, *(["one_hot"] if discrete else [])]))
    return offered[kind]


def _check_bounds(rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Refuse the first entry outside its bounds; NaN is outside all."""
    wrong = ~((rows >= low) & (rows <= high))
    if wrong.any():
        state, feature = np.argwhere(wrong)[0]
        raise ValueError(
            f"rows must be in [{low[feature]}, {high[feature]}] in feature {feature}, "
            f"but state {state} has {rows[state, feature]}"
        )
