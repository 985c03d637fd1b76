"""The actions of all players in many copies of a game, checked before they are played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction


def checked_joint_actions(actions: Any, num_copies: int, num_actions: Sequence[int]) -> np.ndarray:
    """The actions as an array, if the players have them.

    Args:
        actions: [n, N] integers, player i's action in column i.
        num_copies: how many copies, n.
        num_actions: how many actions each player has, [N].

    Returns:
        The actions, [n, N].

    Raises:
        InvalidAction: if the actions have another shape, are no integers, or one is out of range.
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
