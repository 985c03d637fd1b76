"""Rules for whole populations, as functions of NumPy arrays: one of the styles that checks have to understand."""

from __future__ import annotations

import numpy as np


def generalised_advantages(
    reward: np.ndarray,
    terminated: np.ndarray,
    ended: np.ndarray,
    value: np.ndarray,
    next_value: np.ndarray,
    discount: float,
    trace_decay: float,
) -> np.ndarray:
    """How much better than expected each of T steps in a row was, from a mixture of n-step returns.

        delta_t = R_{t+1} + gamma V(S_{t+1}) - V(S_t),    A_t = delta_t + gamma lambda A_{t+1}

    where V counts as 0 after a termination, and nothing is carried over from one episode to the one before it.
    lambda = 1 gives the return up to the last step minus V; lambda = 0 the one-step TD error.

    Args:
        reward: [T, ...].
        terminated: [T, ...] bool.
        ended: terminated or truncated, [T, ...] bool.
        value: V of what was seen before each step, [T, ...].
        next_value: V of what was seen after it, before any reset, [T, ...]; not read where terminated.
        discount: gamma.
        trace_decay: lambda.

    Returns:
        Advantages [T, ...].

    Source: Schulman et al. (2016), eq. 16.
    """
    td_error = td_target(reward, terminated, next_value, discount) - value
    advantage = np.empty(td_error.shape, dtype=td_error.dtype)
    following = np.zeros_like(td_error[0])
    for step in reversed(range(len(td_error))):
        following = td_error[step] + discount * trace_decay * np.where(ended[step], 0.0, following)
        advantage[step] = following
    return advantage


def sarsa_target(
    reward: np.ndarray, terminated: np.ndarray, next_action_value: np.ndarray, discount: float
) -> np.ndarray:
    """The target of Sarsa, R + gamma Q(S', A'), where A' is the action really taken next.

    Args:
        reward: [R].
        terminated: [R] bool.
        next_action_value: the estimated value of that action in the true next state, [R]; not read where terminated.
        discount: gamma.

    Returns:
        Targets [R].

    Source: Sutton & Barto (2018), eq. 6.7.
    """
    return td_target(reward, terminated, next_action_value, discount)


def expected_sarsa_target(
    reward: np.ndarray, terminated: np.ndarray, next_q: np.ndarray, next_policy: np.ndarray, discount: float
) -> np.ndarray:
    """The target of Expected Sarsa, R + gamma sum_a pi(a | S') Q(S', a).

    Args:
        reward: [R].
        terminated: [R] bool.
        next_q: the estimated action values of the true next state, [R, A].
        next_policy: the probability of each action there, [R, A].
        discount: gamma.

    Returns:
        Targets [R].

    Source: Sutton & Barto (2018), eq. 6.9.
    """
    return td_target(reward, terminated, (next_policy * next_q).sum(axis=-1), discount)


def double_q_target(
    reward: np.ndarray, terminated: np.ndarray, choosing_q: np.ndarray, valuing_q: np.ndarray, discount: float
) -> np.ndarray:
    """The target of Double Q-learning for the first table, R + gamma Q2(S', argmax_a Q1(S', a)).

    Args:
        reward: [R].
        terminated: [R] bool.
        choosing_q: the first table's values of the true next state, [R, A]: the argmax is taken here.
        valuing_q: the second table's, [R, A]: the value is read here; the mean of several where the argmax is tied.
        discount: gamma.

    Returns:
        Targets [R].

    Source: van Hasselt (2010), Double Q-learning, algorithm 1; Sutton & Barto (2018), eq. 6.10.
    """
    best = choosing_q == choosing_q.max(axis=-1, keepdims=True)
    value = np.where(best, valuing_q, 0.0).sum(axis=-1) / best.sum(axis=-1)
    return td_target(reward, terminated, value, discount)


def td_target(
    reward: np.ndarray, terminated: np.ndarray, next_value: np.ndarray, discount: float | np.ndarray
) -> np.ndarray:
    """The one-step target R + gamma V(S'), where V(S') counts as 0 if the episode terminated.

    Args:
        reward: [R].
        terminated: whether the step ended the episode by the world's rules, [R] bool. Truncation has no part in it.
        next_value: the estimated value of the true next state, [R]; not read where terminated, so it may be anything.
        discount: gamma; [R] where it differs, as after n-step returns of different length.

    Returns:
        Targets [R], in units of discounted reward.

    Source: Sutton & Barto (2018), eq. 6.2.
    """
    return reward + discount * np.where(terminated, 0.0, next_value)
