"""What an environment showed in each state, kept as it was shown."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rl_envs.worlds.observation import Observation


class Recorded(Observation):
    """The observation that the environment itself gave in each state; equal ones are kept once.

    Args:
        space: the environment's observation space.
        distinct: the different observations, as `stacked` gives them.
        which: for each state the number of its own, [S] int.
    """

    def __init__(self, space: spaces.Space[Any], distinct: Any, which: np.ndarray) -> None:
        self.space = space
        self.distinct = distinct
        self.which = np.asarray(which, dtype=np.int64)  # [S]
        self._plain = isinstance(space, spaces.Discrete)

    def of(self, state: int) -> Any:
        if self._plain:
            return int(self.distinct[self.which[state]])
        return copy.deepcopy(taken(self.distinct, self.which[state]))

    def batch(self, states: np.ndarray) -> Any:
        return taken(self.distinct, self.which[np.asarray(states)])

    def first_alike(self, num_states: int) -> np.ndarray:
        _, first, inverse = np.unique(self.which, return_index=True, return_inverse=True)
        return first[inverse].astype(np.int64)


def stacked(space: spaces.Space[Any], observations: Sequence[Any]) -> Any:
    """Observations as one array [n, ...]; as a dictionary or tuple of such arrays where the space is one."""
    if isinstance(space, spaces.Dict):
        return {name: stacked(part, [o[name] for o in observations]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(stacked(part, [o[i] for o in observations]) for i, part in enumerate(space.spaces))
    if space.shape is None:  # texts, graphs and sequences
        array = np.empty(len(observations), dtype=object)
        array[:] = list(observations)
        return array
    return np.array([np.asarray(o, dtype=space.dtype) for o in observations], dtype=space.dtype)


def taken(stack: Any, index: Any) -> Any:
    """Entries of what `stacked` gives, in the same form."""
    if isinstance(stack, dict):
        return {name: taken(part, index) for name, part in stack.items()}
    if isinstance(stack, tuple):
        return tuple(taken(part, index) for part in stack)
    return stack[index]
