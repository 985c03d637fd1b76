"""Exact reference functions for everything that is learned from a rollout: advantages and returns.

All take arrays with time first, [T] or [T, B] or [T, ...]; keep `terminated` and `truncated` apart; and want the value
of the true next observation of every step, the final one and not the one after a reset. In double precision, so that
they are right to rounding.

    terminated   the next value counts as 0, whatever it is; nothing later belongs to the step
    truncated    the next value counts; nothing later belongs to the step
    both         terminated
    last step    as truncated, where it did not terminate: what comes after it is not in the rollout
"""

from __future__ import annotations

from typing import Any

import numpy as np

import rl_envs.diagnosis.oracles.rollout as rollout


def gae(
    reward: Any,
    terminated: Any,
    truncated: Any,
    value: Any,
    next_value: Any,
    *,
    discount: float,
    trace_decay: float,
) -> np.ndarray:
    """Generalised advantage estimates: how much better each step was than its value, over all horizons at once.

        delta_t = R_{t+1} + gamma V(S_{t+1}) - V(S_t),    A_t = delta_t + gamma lambda A_{t+1}

    Args:
        reward: [T, ...].
        terminated: whether the step ended the episode by the world's rules, [T, ...] bool.
        truncated: whether a time limit ended it, [T, ...] bool.
        value: V of the observation before each step, [T, ...].
        next_value: V of the observation after it, before any reset, [T, ...]; not read where terminated.
        discount: gamma, in [0, 1].
        trace_decay: lambda, in [0, 1].

    Returns:
        Advantages [T, ...], in units of discounted reward.

    Raises:
        ValueError: shapes differ, there is no step, or gamma or lambda is outside [0, 1].

    Source: Schulman et al. (2016), High-dimensional continuous control using generalized advantage estimation, eq. 16.
    """
    return rollout.advantages(_rollout(reward, terminated, truncated, value, next_value, discount, trace_decay))


def lambda_returns(
    reward: Any,
    terminated: Any,
    truncated: Any,
    next_value: Any,
    *,
    discount: float,
    trace_decay: float,
) -> np.ndarray:
    """The lambda-return of each step: the mean of its n-step returns, each n weighted by (1 - lambda) lambda^(n-1).

        G_t = R_{t+1} + gamma [(1 - lambda) V(S_{t+1}) + lambda G_{t+1}]

    Args:
        reward: [T, ...].
        terminated: [T, ...] bool.
        truncated: [T, ...] bool.
        next_value: V of the observation after each step, before any reset, [T, ...]; not read where terminated.
        discount: gamma, in [0, 1].
        trace_decay: lambda, in [0, 1]; 0 gives one-step targets, 1 discounted returns.

    Returns:
        Returns [T, ...], in units of discounted reward.

    Raises:
        ValueError: as `gae`.

    Source: Sutton & Barto (2018), eq. 12.3 and 12.18.
    """
    return rollout.lambda_returns(
        _rollout(reward, terminated, truncated, next_value, next_value, discount, trace_decay)
    )


def n_step_returns(
    reward: Any,
    terminated: Any,
    truncated: Any,
    next_value: Any,
    *,
    discount: float,
    n: int,
) -> np.ndarray:
    """The n-step return of each step: n rewards and the value after them, fewer where the episode stops sooner.

        G_t = R_{t+1} + gamma R_{t+2} + ... + gamma^(k-1) R_{t+k} + gamma^k V(S_{t+k})

    where k is n, or the number of steps to the end of the episode or of the rollout if that is less.

    Args:
        reward: [T, ...].
        terminated: [T, ...] bool.
        truncated: [T, ...] bool.
        next_value: V of the observation after each step, before any reset, [T, ...]; not read where terminated.
        discount: gamma, in [0, 1].
        n: the most rewards to add up, at least 1.

    Returns:
        Returns [T, ...], in units of discounted reward.

    Raises:
        ValueError: as `gae`, or n is below 1.

    Source: Sutton & Barto (2018), eq. 7.1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, but is {n}")
    return rollout.n_step_returns(_rollout(reward, terminated, truncated, next_value, next_value, discount, 1.0, n))


def discounted_returns(
    reward: Any,
    terminated: Any,
    truncated: Any,
    next_value: Any = 0.0,
    *,
    discount: float,
) -> np.ndarray:
    """The discounted return from each step on, with the value of the last observation where an episode was cut off.

        G_t = R_{t+1} + gamma G_{t+1},  after a time limit or the last step  R_{t+1} + gamma V(S_{t+1})

    Args:
        reward: [T, ...].
        terminated: [T, ...] bool.
        truncated: [T, ...] bool.
        next_value: V of the observation after each step, before any reset, [T, ...], or one number for all; 0 where
            what follows is not to count. Read only where an episode was cut off.
        discount: gamma, in [0, 1].

    Returns:
        Returns [T, ...], in units of discounted reward.

    Raises:
        ValueError: as `gae`.

    Source: Sutton & Barto (2018), eq. 3.9.
    """
    next_value = np.broadcast_to(np.asarray(next_value, dtype=np.float64), np.shape(reward))
    return rollout.discounted_returns(_rollout(reward, terminated, truncated, next_value, next_value, discount, 1.0))


def _rollout(
    reward: Any,
    terminated: Any,
    truncated: Any,
    value: Any,
    next_value: Any,
    discount: float,
    trace_decay: float,
    n: int = 1,
) -> rollout.Rollout:
    arrays = {
        "reward": np.asarray(reward, dtype=np.float64),
        "terminated": np.asarray(terminated, dtype=bool),
        "truncated": np.asarray(truncated, dtype=bool),
        "value": np.asarray(value, dtype=np.float64),
        "next_value": np.asarray(next_value, dtype=np.float64),
    }
    shape = arrays["reward"].shape
    if not shape or shape[0] == 0:
        raise ValueError(f"a rollout needs at least one step, but reward has shape {shape}")
    for name, array in arrays.items():
        if array.shape != shape:
            raise ValueError(f"every array must have the shape of reward, {shape}, but {name} has {array.shape}")
    for name, number in (("discount", discount), ("trace_decay", trace_decay)):
        if not 0 <= number <= 1:
            raise ValueError(f"{name} must be in [0, 1], but is {number}")
    terminated = arrays["terminated"]
    # What follows a termination is not read: 0 times a value that is not finite would not be 0.
    arrays["next_value"] = np.where(terminated, 0.0, arrays["next_value"])
    return rollout.make_rollout(
        arrays["reward"],
        arrays["value"],
        arrays["next_value"],
        terminated,
        arrays["truncated"],
        discount=discount,
        trace_decay=trace_decay,
        n=n,
    )
