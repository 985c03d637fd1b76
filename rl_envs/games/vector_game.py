"""The common part of the vector games: many copies of one game, played at once in NumPy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction


class VectorGame(ABC):
    """n copies of a game. Axis 0 of every array is the copy, axis 1 the player.

    Args:
        num_actions: of each player, [N].
        num_copies: how many copies, at least 1.
        max_cycles: rounds per episode, at least 1.

    Raises:
        ValueError: if there are no copies or no rounds.
    """

    def __init__(self, num_actions: tuple[int, ...], num_copies: int, max_cycles: int) -> None:
        if num_copies < 1:
            raise ValueError(f"num_copies must be at least 1, but got {num_copies}")
        if max_cycles < 1:
            raise ValueError(f"max_cycles must be at least 1, but got {max_cycles}")
        self.num_copies = num_copies
        self.max_cycles = max_cycles
        self._num_actions = num_actions

    @abstractmethod
    def get_state(self) -> dict[str, np.ndarray]:
        """The complete state as arrays, for `set_state`."""

    @abstractmethod
    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state from `get_state`, in this object or another one of the same game.

        Args:
            saved: what `get_state` returned.

        Raises:
            ValueError: if it is not a state of this game, or has another number of copies or rounds.
        """

    def _checked(self, actions: Any) -> np.ndarray:
        """Joint actions [n, N] as integers; raises InvalidAction for a wrong shape, kind or range."""
        return checked_joint_actions(actions, self.num_copies, self._num_actions)


def checked_joint_actions(actions: Any, num_copies: int, num_actions: Sequence[int]) -> np.ndarray:
    """The actions as an array, if they are valid.

    Args:
        actions: [n, N] integers, player i's action in column i.
        num_copies: how many copies, n.
        num_actions: how many actions each player has, [N].

    Returns:
        The actions, [n, N].

    Raises:
        InvalidAction: if the actions have another shape, are not integers, or one is out of range.
    """
    array = np.asarray(actions)
    shape = (num_copies, len(num_actions))
    if array.shape != shape or array.dtype.kind not in "iu":
        raise InvalidAction(
            f"actions must be integers of shape {shape}, but have shape {array.shape} and type {array.dtype}"
        )
    wrong = (array < 0) | (array >= np.array(num_actions))
    if wrong.any():
        copy, player = np.argwhere(wrong)[0]
        raise InvalidAction(
            f"the action of player_{player} must be from 0 to {num_actions[player] - 1}, but is "
            f"{array[copy, player]} in copy {copy}"
        )
    return array
