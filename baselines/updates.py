"""Learning rules as pure functions: numbers in, numbers out, nothing remembered.

The names are those of Sutton & Barto (2018). A rule works on a whole batch at once, one row a run; it masks the
bootstrap by `terminated` only, for a time limit ends an episode and not the future: what would have come after is
still worth something.
"""

from __future__ import annotations

import numpy as np


def td_target(reward: np.ndarray, terminated: np.ndarray, next_value: np.ndarray, discount: float) -> np.ndarray:
    """The one-step target R + gamma V(S'), where V(S') counts as 0 if the episode terminated.

    Args:
        reward: [R].
        terminated: whether the step ended the episode by the world's rules, [R] bool. Truncation has no part in it.
        next_value: the estimated value of the true next state, [R]; not read where terminated, so it may be anything.
        discount: gamma.

    Returns:
        Targets [R], in units of discounted reward.

    Source: Sutton & Barto (2018), eq. 6.2.
    """
    return reward + discount * np.where(terminated, 0.0, next_value)


def q_learning_target(reward: np.ndarray, terminated: np.ndarray, next_q: np.ndarray, discount: float) -> np.ndarray:
    """The target of Q-learning, R + gamma max_a Q(S', a).

    Args:
        reward: [R].
        terminated: [R] bool.
        next_q: the estimated action values of the true next state, [R, A].
        discount: gamma.

    Returns:
        Targets [R].

    Source: Sutton & Barto (2018), eq. 6.8.
    """
    return td_target(reward, terminated, next_q.max(axis=-1), discount)
