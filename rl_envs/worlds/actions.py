"""The table's index of an action that a library sends, and the errors for an invalid one."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction


def action_index(action: Any, space: spaces.Discrete | spaces.MultiDiscrete) -> int:
    """The table's index of one action.

    Args:
        action: an int, a NumPy integer or a 0-d integer array; m integers for a MultiDiscrete space.
        space: the environment's action space, counted from 0.

    Returns:
        The index 0..A-1; of several choices, the last one varies fastest.

    Raises:
        InvalidAction: another type or shape, NaN, or out of range.
    """
    return int(_indices(action, space, ()))


def action_indices(actions: Any, space: spaces.Discrete | spaces.MultiDiscrete, num_envs: int) -> np.ndarray:
    """The table's index of each of many actions.

    Args:
        actions: integers [n], or [n, m] for a MultiDiscrete space of m choices.
        space: the action space of one copy.
        num_envs: n.

    Returns:
        Indices [n] of int64.

    Raises:
        InvalidAction: another type or shape, NaN, or out of range; the message names the copy.
    """
    return _indices(actions, space, (num_envs,))


def _indices(actions: Any, space: spaces.Discrete | spaces.MultiDiscrete, copies: tuple[int, ...]) -> np.ndarray:
    """The indices of actions in an array of the given shape."""
    sizes = np.asarray(space.nvec if isinstance(space, spaces.MultiDiscrete) else space.n)
    shape = (*copies, *sizes.shape)
    try:
        array = np.asarray(actions)
    except ValueError:  # rows of unequal length
        raise InvalidAction(f"an action must be integers of shape {shape}, but is {_shown(actions)}") from None
    if type(actions) is int and array.dtype.kind == "O":  # an int too large for any array
        raise InvalidAction(f"an action must be in {space}, but {actions} is out of range")
    if array.dtype.kind not in "iu" and type(actions) is not bool:
        kind = f"array of {array.dtype}" if isinstance(actions, np.ndarray) else type(actions).__name__
        raise InvalidAction(f"an action must be an integer of {space}, but is {_shown(actions)} of type {kind}")
    if array.shape != shape:
        raise InvalidAction(f"an action must have shape {shape}, but {_shown(actions)} has shape {array.shape}")
    wrong = (array < 0) | (array >= sizes)
    if wrong.any():
        offender = array[tuple(np.argwhere(wrong)[0])]
        copy = f" in copy {np.argwhere(wrong)[0][0]}" if copies else ""
        raise InvalidAction(f"an action must be in {space}, but {offender} is out of range{copy}")
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(array, -1, 0)), tuple(sizes)))
    return array.astype(np.int64, copy=False)


def _shown(value: Any) -> str:
    """A value for an error message, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
