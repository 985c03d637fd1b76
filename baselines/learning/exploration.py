"""Choosing actions: greedily, with ties broken at random, and with exploration.

The rules are pure functions of values and uniform random numbers. The numbers come from `RunStreams`, a stream a run,
so that what one run draws never depends on how many others there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_envs.envs.random_streams import Streams


def argmax_random_ties(values: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """The action of the largest value; among several, each with the same probability.

    Taking the first one instead would send every run the same way wherever nothing has been learned yet.

    Args:
        values: [R, A].
        uniform: a number in [0, 1) for each run, [R].

    Returns:
        Actions [R] of int64.
    """
    tied = values == values.max(axis=-1, keepdims=True)
    # Of n tied actions, number floor(uniform * n) is taken: the first with more than that many tied up to itself.
    # Going action by action is faster than a cumulative sum, because actions are few and runs are many.
    remaining = uniform * tied.sum(axis=-1)
    action = np.zeros(len(values), dtype=np.int64)
    for tied_here in tied.T[:-1]:
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


class RunStreams:
    """A stream of uniform random numbers for each run, drawn in step.

    All runs have drawn equally many numbers at any time, so one count beside the seeds is the whole state: PCG64 can
    jump straight to its n-th number.

    Args:
        seeds: one seed sequence a run.
    """

    def __init__(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        self._seeds = list(seeds)
        self.jump(0)

    def jump(self, drawn: int) -> None:
        """Go to where so many numbers of each stream are used up."""
        self.drawn = drawn
        self._streams = Streams([np.random.Generator(np.random.PCG64(seed).advance(drawn)) for seed in self._seeds])

    def next(self) -> np.ndarray:
        """The next number of every run, [R] in [0, 1)."""
        self.drawn += 1
        return self._streams.next()
