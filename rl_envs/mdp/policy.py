"""Policies as arrays: actions or probabilities, of one policy or of a batch.

Policies are stationary. The dtype of an array decides what it holds:

    integers [S], [R, S]        the action taken in each state, by one policy or by R of them
    floats [S, A], [R, S, A]    the probability of each action in each state, likewise
"""

from __future__ import annotations

import numpy as np

# A row of a policy may sum to 1 only up to this, as in single precision; it is rescaled.
POLICY_SUM_TOLERANCE = 1e-5


def as_probabilities(policy: np.ndarray, num_states: int, num_actions: int) -> np.ndarray:
    """A policy, or a batch of them, as probabilities of actions.

    Args:
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.
        num_states: S.
        num_actions: A.

    Returns:
        Probabilities [S, A] or [R, S, A]; rows of float sum to 1 exactly where they did within 1e-5.

    Raises:
        TypeError: neither integers nor floats.
        ValueError: the wrong shape, an action that does not exist, or rows that are not distributions.
    """
    policy = np.asarray(policy)
    if policy.size == 0:
        raise ValueError(f"a policy, or a batch of them, must not be empty, but has shape {policy.shape}")
    if policy.dtype.kind in "iu":
        return _from_actions(policy, num_states, num_actions)
    if policy.dtype.kind != "f":
        raise TypeError(
            "a policy must hold integers, the action of each state, or floats, the probability of each action in each "
            f"state, but has dtype {policy.dtype}"
        )
    if policy.ndim not in (2, 3) or policy.shape[-2:] != (num_states, num_actions):
        raise ValueError(
            f"a policy of floats must have shape ({num_states}, {num_actions}) or (runs, {num_states}, {num_actions}), "
            f"but has {policy.shape}"
        )
    policy = policy.astype(np.float64)
    _refuse_row(np.asarray(~(policy >= 0).all(axis=-1)), policy, "a policy's probabilities must not be negative or NaN")
    sums = policy.sum(axis=-1)
    _refuse_row(~(np.abs(sums - 1) <= POLICY_SUM_TOLERANCE), sums, "a policy's probabilities must sum to 1")
    return policy / sums[..., None]


def _from_actions(action: np.ndarray, num_states: int, num_actions: int) -> np.ndarray:
    if action.ndim not in (1, 2) or action.shape[-1] != num_states:
        raise ValueError(
            f"a policy of integers holds actions and must have shape ({num_states},) or (runs, {num_states}), "
            f"but has {action.shape}"
        )
    wrong = (action < 0) | (action >= num_actions)
    _refuse_row(wrong, action, f"a policy's actions must be in 0..{num_actions - 1}")
    return np.equal(action[..., None], np.arange(num_actions)).astype(np.float64)


def _refuse_row(wrong: np.ndarray, values: np.ndarray, rule: str) -> None:
    """Raise an error with the rule and the first state (and run, if there are several) that breaks it."""
    if not wrong.any():
        return
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"state {index[-1]}" if len(index) == 1 else f"run {index[0]}, state {index[1]}"
    raise ValueError(f"{rule}, but {place} has {values[index]}")
