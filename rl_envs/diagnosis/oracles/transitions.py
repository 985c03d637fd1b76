"""A batch of transitions as a TD target reads it, and the rules for what the next observation is worth.

    target = reward + gamma^n * bootstraps * worth

`bootstraps` is 0 after a termination and 1 elsewhere: a time limit has no part in a TD target. The rules differ only in
what they take the next observation to be worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Transitions:
    """B transitions, of n steps each.

    Attributes:
        reward: of the n steps together, already discounted, [B].
        terminated, truncated: how the last of them ended its episode, [B] bool.
        value: V of the observation before them, which is moved towards the target, [B].
        next_value: V of the observation after them, or one critic's value of the action taken there, [B].
        second_value: the other critic's, [B].
        next_q: action values of that observation, by the target network where there are two, [B, A].
        choosing_q: the online network's, [B, A].
        policy: the probabilities of its actions, [B, A].
        next_action: the action taken there, [B] int.
        log_probability: the logarithm of its probability, [B].
        discount: gamma.
        temperature: alpha, what a unit of entropy is worth.
        n: the number of steps.
        bootstraps: 1.0 where the next observation counts, 0.0 elsewhere, [B].
        value_discount: gamma^n.
    """

    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    value: np.ndarray
    next_value: np.ndarray
    second_value: np.ndarray
    next_q: np.ndarray
    choosing_q: np.ndarray
    policy: np.ndarray
    next_action: np.ndarray
    log_probability: np.ndarray
    discount: float
    temperature: float
    n: int
    bootstraps: np.ndarray
    value_discount: float

    @property
    def ended(self) -> np.ndarray:
        """Whether each transition ended an episode, either way, [B] bool."""
        return self.terminated | self.truncated


Worth = Callable[[Transitions], np.ndarray]


def td_target(x: Transitions, worth: Worth) -> np.ndarray:
    """The target of each transition, [B], where `worth` says what the next observation is worth."""
    return x.reward + x.value_discount * x.bootstraps * worth(x)


def td_error(x: Transitions, worth: Worth) -> np.ndarray:
    """How far each target is from the value that is moved towards it, [B]."""
    return td_target(x, worth) - x.value


def given_value(x: Transitions) -> np.ndarray:
    """The value that was handed in, V(s')."""
    return x.next_value


def largest(x: Transitions) -> np.ndarray:
    """Q-learning: max_a Q(s', a)."""
    return x.next_q.max(axis=1)


def taken(x: Transitions) -> np.ndarray:
    """Sarsa: Q(s', a'), with the action really taken next."""
    return x.next_q[np.arange(len(x.next_q)), x.next_action]


def expected(x: Transitions) -> np.ndarray:
    """Expected Sarsa: sum_a pi(a | s') Q(s', a)."""
    return (x.policy * x.next_q).sum(axis=1)


def double(x: Transitions) -> np.ndarray:
    """Double Q-learning: the online network chooses the action, the target network values it."""
    return x.next_q[np.arange(len(x.next_q)), x.choosing_q.argmax(axis=1)]


def smaller_of_two(x: Transitions) -> np.ndarray:
    """Clipped double Q-learning (TD3): the smaller of two critics' values."""
    return np.minimum(x.next_value, x.second_value)


def soft(x: Transitions) -> np.ndarray:
    """The value with the entropy bonus of the action drawn: V(s') - alpha log pi(a' | s')."""
    return x.next_value - x.temperature * x.log_probability


def soft_smaller_of_two(x: Transitions) -> np.ndarray:
    """Soft actor-critic: the smaller of two critics' values, and the entropy bonus of the action drawn."""
    return smaller_of_two(x) - x.temperature * x.log_probability


def soft_expected(x: Transitions) -> np.ndarray:
    """Soft actor-critic over finite actions: sum_a pi(a | s') [Q(s', a) - alpha log pi(a | s')]."""
    logarithm = np.log(np.where(x.policy > 0, x.policy, 1.0))
    return (x.policy * (x.next_q - x.temperature * logarithm)).sum(axis=1)


def soft_largest(x: Transitions) -> np.ndarray:
    """Soft Q-learning: alpha log sum_a exp(Q(s', a) / alpha)."""
    top = x.next_q.max(axis=1)
    spread = np.exp((x.next_q - top[:, None]) / x.temperature).sum(axis=1)
    return top + x.temperature * np.log(spread)
