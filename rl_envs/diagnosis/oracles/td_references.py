"""Exact reference functions for TD targets: what a value or an action value is moved towards.

Only `terminated` masks the next observation: after a time limit it is worth what it was. Every target takes n for
transitions of n steps, whose reward is the discounted sum of theirs: the value that follows is discounted by gamma^n.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def td_targets(
    reward: Any, terminated: Any, next_value: Any, *, discount: float, n: int | np.ndarray = 1
) -> np.ndarray:
    """The target R + gamma^n V(S').

    Args:
        reward: the discounted sum of the n rewards, [B].
        terminated: whether the last step ended the episode by the world's rules, [B] bool.
        next_value: the value of the true next observation, [B]; not read where terminated.
        discount: gamma, in [0, 1].
        n: how many steps each transition has, one number or [B].

    Returns:
        Targets [B], in units of discounted reward.

    Raises:
        ValueError: shapes differ, gamma is outside [0, 1], or n is below 1.

    Source: Sutton & Barto (2018), eq. 6.2 and 7.1.
    """
    reward = np.asarray(reward, dtype=np.float64)
    terminated = np.asarray(terminated, dtype=bool)
    next_value = np.asarray(next_value, dtype=np.float64)
    for name, array in (("terminated", terminated), ("next_value", next_value)):
        if array.shape != reward.shape:
            raise ValueError(f"every array must have the shape of reward, {reward.shape}, but {name} has {array.shape}")
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], but is {discount}")
    if np.any(np.asarray(n) < 1):
        raise ValueError(f"n must be at least 1, but is {n}")
    return reward + discount ** np.asarray(n) * np.where(terminated, 0.0, next_value)


def max_td_targets(
    reward: Any, terminated: Any, next_q: Any, *, discount: float, n: int | np.ndarray = 1
) -> np.ndarray:
    """The target of Q-learning, R + gamma^n max_a Q(S', a).

    Args:
        reward: [B].
        terminated: [B] bool.
        next_q: action values of the true next observation, [B, A].
        discount: gamma, in [0, 1].
        n: how many steps each transition has.

    Returns:
        Targets [B].

    Raises:
        ValueError: as `td_targets`.

    Source: Sutton & Barto (2018), eq. 6.8.
    """
    return td_targets(reward, terminated, np.max(next_q, axis=-1), discount=discount, n=n)


def expected_td_targets(
    reward: Any, terminated: Any, next_q: Any, policy: Any, *, discount: float, n: int | np.ndarray = 1
) -> np.ndarray:
    """The target of Expected Sarsa, R + gamma^n sum_a pi(a | S') Q(S', a).

    Args:
        reward: [B].
        terminated: [B] bool.
        next_q: action values of the true next observation, [B, A].
        policy: the probabilities of its actions, [B, A].
        discount: gamma, in [0, 1].
        n: how many steps each transition has.

    Returns:
        Targets [B].

    Raises:
        ValueError: as `td_targets`.

    Source: Sutton & Barto (2018), eq. 6.9.
    """
    mean = (np.asarray(policy, dtype=np.float64) * np.asarray(next_q, dtype=np.float64)).sum(axis=-1)
    return td_targets(reward, terminated, mean, discount=discount, n=n)


def double_td_targets(
    reward: Any, terminated: Any, choosing_q: Any, valuing_q: Any, *, discount: float, n: int | np.ndarray = 1
) -> np.ndarray:
    """The target of Double Q-learning, R + gamma^n Q_valuing(S', argmax_a Q_choosing(S', a)).

    Args:
        reward: [B].
        terminated: [B] bool.
        choosing_q: the online network's action values, [B, A]: the argmax is taken here, the first where tied.
        valuing_q: the target network's, [B, A]: the value is read here.
        discount: gamma, in [0, 1].
        n: how many steps each transition has.

    Returns:
        Targets [B].

    Raises:
        ValueError: as `td_targets`.

    Source: van Hasselt, Guez & Silver (2016), Deep reinforcement learning with double Q-learning, eq. 4.
    """
    action = np.argmax(choosing_q, axis=-1)
    value = np.take_along_axis(np.asarray(valuing_q, dtype=np.float64), action[..., None], axis=-1)[..., 0]
    return td_targets(reward, terminated, value, discount=discount, n=n)


def soft_td_targets(
    reward: Any,
    terminated: Any,
    next_q: Any,
    policy: Any,
    *,
    temperature: float,
    discount: float,
    n: int | np.ndarray = 1,
) -> np.ndarray:
    """The target with an entropy bonus, R + gamma^n sum_a pi(a | S') [Q(S', a) - alpha log pi(a | S')].

    The bonus belongs to the next observation, so that it is masked with its value where the episode terminated.

    Args:
        reward: [B].
        terminated: [B] bool.
        next_q: action values of the true next observation, [B, A].
        policy: the probabilities of its actions, [B, A].
        temperature: alpha, what a unit of entropy is worth.
        discount: gamma, in [0, 1].
        n: how many steps each transition has.

    Returns:
        Targets [B].

    Raises:
        ValueError: as `td_targets`.

    Source: Haarnoja et al. (2018), Soft actor-critic, eq. 2 and 3; Christodoulou (2019) for finite actions.
    """
    policy = np.asarray(policy, dtype=np.float64)
    logarithm = np.log(np.where(policy > 0, policy, 1.0))
    worth = (policy * (np.asarray(next_q, dtype=np.float64) - temperature * logarithm)).sum(axis=-1)
    return td_targets(reward, terminated, worth, discount=discount, n=n)
