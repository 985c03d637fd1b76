"""Exact answers by the plainest means, to hold the solver's against: fractions, sums over outcomes, elimination.

Slow and obvious on purpose, and written without a line of `rl_envs.mdp.solve`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP

Matrix = list[list[Fraction]]


def solve_fractions(matrix: Matrix, right: list[Fraction]) -> list[Fraction]:
    """The solution of a linear system, by Gauss-Jordan elimination without rounding."""
    rows = [[*row, b] for row, b in zip(matrix, right)]
    for i in range(len(rows)):
        pivot = next(k for k in range(i, len(rows)) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [entry / rows[i][i] for entry in rows[i]]
        for k in range(len(rows)):
            if k != i and rows[k][i] != 0:
                factor = rows[k][i]
                rows[k] = [entry - factor * top for entry, top in zip(rows[k], rows[i])]
    return [row[-1] for row in rows]


def chain(mdp: FiniteMDP, policy: np.ndarray, reward: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Transitions that do not end the episode [S, S] and mean rewards [S] under a policy [S, A]; sums of outcomes."""
    num_states, num_actions, num_outcomes = mdp.probability.shape
    reward = mdp.reward if reward is None else reward
    matrix, mean = np.zeros((num_states, num_states)), np.zeros(num_states)
    for a in range(num_actions):
        for k in range(num_outcomes):
            weight = policy[:, a] * mdp.probability[:, a, k]
            mean += weight * reward[:, a, k]
            np.add.at(matrix, (np.arange(num_states), mdp.next_state[:, a, k]), weight * ~mdp.terminated[:, a, k])
    return matrix, mean


def values(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The discounted value of a policy [S, A] in every state, [S], by one elimination."""
    matrix, mean = chain(mdp, policy)
    return np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * matrix, mean)


def mean_lengths(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The expected number of steps to the end of the episode under a policy [S, A], [S], where it is sure to end."""
    matrix, steps = chain(mdp, policy, reward=np.ones_like(mdp.reward))
    return np.linalg.solve(np.eye(mdp.num_states) - matrix, steps)


def best_values(mdp: FiniteMDP, sweeps: int) -> np.ndarray:
    """v* [S] by so many sweeps of value iteration from 0, each a sum over outcomes."""
    return _sweep(mdp, sweeps, mdp.discount, lambda q: q.max(axis=1))


def best_within(mdp: FiniteMDP, horizon: int) -> np.ndarray:
    """The best undiscounted return within so many steps from every state, [S]."""
    return _sweep(mdp, horizon, 1.0, lambda q: q.max(axis=1))


def uniform_within(mdp: FiniteMDP, horizon: int) -> np.ndarray:
    """The uniform policy's undiscounted return within so many steps from every state, [S]."""
    return _sweep(mdp, horizon, 1.0, lambda q: q.mean(axis=1))


def uniform(mdp: FiniteMDP) -> np.ndarray:
    """The policy [S, A] that takes every action with the same probability."""
    return np.full((mdp.num_states, mdp.num_actions), 1 / mdp.num_actions)


def always(mdp: FiniteMDP, action: int) -> np.ndarray:
    """The policy [S, A] that takes one action everywhere."""
    return np.repeat(np.eye(mdp.num_actions)[action][None], mdp.num_states, axis=0)


def _sweep(mdp: FiniteMDP, sweeps: int, discount: float, backup: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    v = np.zeros(mdp.num_states)
    weight = mdp.probability * discount * ~mdp.terminated
    reward = (mdp.probability * mdp.reward).sum(axis=2)
    for _ in range(sweeps):
        v = backup(reward + (weight * v[mdp.next_state]).sum(axis=2))
    return v
