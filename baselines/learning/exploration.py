"""Choosing actions: greedily, with ties broken at random, and with exploration.

The rules are pure functions of values and uniform random numbers. An agent has a stream of these for each run, so that
what one run draws never depends on how many others there are.
"""

from __future__ import annotations

import numpy as np

from baselines.learning.action_values import by_action


def argmax_random_ties(values: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The action of the largest value; among several, each with the same probability.

    Taking the first one instead would send every run the same way wherever nothing has been learned yet.

    Args:
        values: [R, A].
        uniform: a number in [0, 1) for each run, [R].

    Returns:
        Actions [R] of int64.
    """
    columns = by_action(values)  # [A, R]
    tied = columns == columns.max(axis=0)
    # Of n tied actions, number floor(uniform * n) is taken: the first with more than that many tied up to itself.
    remaining = uniform * tied.sum(axis=0)
    action = np.zeros(len(values), dtype=np.int64)
    for tied_here in tied[:-1]:
        remaining -= tied_here
        action += remaining >= 0
    return action


def uniform_action(num_actions: int, uniform: np.ndarray) -> np.ndarray:
    """Any action, each with the same probability.

    Args:
        num_actions: A.
        uniform: a number in [0, 1) for each run, [R].

    Returns:
        Actions [R] of int64.
    """
    return (uniform * num_actions).astype(np.int64)


def epsilon_greedy(values: np.ndarray, epsilon: float, explore: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """With probability epsilon any action, otherwise the greedy one with ties broken at random.

    Args:
        values: [R, A].
        epsilon: probability of exploring.
        explore: a number in [0, 1) for each run that decides whether it explores, [R].
        choice: another that decides which action it takes, [R].

    Returns:
        Actions [R] of int64.

    Source: Sutton & Barto (2018), section 2.2.
    """
    greedy = argmax_random_ties(values, choice)
    return np.where(explore < epsilon, uniform_action(values.shape[-1], choice), greedy)


def softmax(preferences: np.ndarray) -> np.ndarray:
    """Probabilities in proportion to the exponentials of preferences.

    Args:
        preferences: finite numbers [..., A], as large as they may be.

    Returns:
        Probabilities [..., A].

    Source: Sutton & Barto (2018), eq. 2.11.
    """
    # Only differences count. With the largest at 0, no exponential overflows.
    weights = np.exp(preferences - preferences.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def sample_action(probabilities: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """An action drawn from a policy.

    Args:
        probabilities: of each action, [n, A]; they need not sum to 1 exactly.
        uniform: a number in [0, 1) for each row, [n].

    Returns:
        Actions [n] of int64; none of probability 0.
    """
    cumulative = np.cumsum(probabilities, axis=-1)
    # At least the sum as it is, so that rounding never leads past the last action that can be taken.
    threshold = uniform * cumulative[:, -1]
    return (cumulative <= threshold[:, None]).sum(axis=-1)


def epsilon_greedy_policy(values: np.ndarray, epsilon: float) -> np.ndarray:
    """The probabilities with which `epsilon_greedy` takes each action, the greedy part shared equally among ties.

    Args:
        values: [..., A].
        epsilon: probability of exploring.

    Returns:
        Probabilities [..., A].

    Source: Sutton & Barto (2018), section 5.4.
    """
    return epsilon / values.shape[-1] + (1 - epsilon) * greedy_policy(values)


def greedy_policy(q: np.ndarray) -> np.ndarray:
    """The policy that is greedy with respect to action values, its probability shared equally among ties.

    Args:
        q: [..., A].

    Returns:
        Probabilities [..., A].
    """
    tied = q == q.max(axis=-1, keepdims=True)
    return tied / tied.sum(axis=-1, keepdims=True)
