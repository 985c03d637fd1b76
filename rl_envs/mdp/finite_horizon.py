"""Exact values over a finite horizon: those of a given policy, and the optimum by backward induction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rl_envs.mdp.bellman import TIE_TOLERANCE, Dynamics
from rl_envs.mdp.finite_mdp import FiniteMDP, check_discount, check_integer, read_only
from rl_envs.mdp.policy import as_probabilities


@dataclass(frozen=True, eq=False)
class FiniteHorizon:
    """The optimal values and actions for each number of steps left."""

    v: np.ndarray  # [horizon + 1, S] float64: v[h] with h steps left
    optimal_actions: np.ndarray  # [horizon, S, A] bool: with h + 1 steps left


def finite_horizon_values(mdp: FiniteMDP, policy: np.ndarray, horizon: int, *, discount: float = 1.0) -> np.ndarray:
    """The expected return of a policy from each state within a number of steps; later rewards do not count.

    Guarantee: exact but for rounding; each step adds one backup.

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.
        horizon: number of steps, at least 0.
        discount: gamma of this return, not the table's; by default 1, the undiscounted return.

    Returns:
        Values [S], or [R, S] for a batch.

    Raises:
        ValueError: no policy of this table, or a horizon or discount out of range.

    Source: Puterman (1994), section 4.2.
    """
    check_integer("horizon", horizon, low=0)
    discount = check_discount(discount)
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    weights = np.ascontiguousarray(np.moveaxis(batch, 0, 2))  # [S, A, R]
    v = np.zeros((mdp.num_states, len(batch)))
    for _ in range(horizon):
        v = (weights * dynamics.action_values(v, discount)).sum(axis=1)
    return v.T.reshape(probabilities.shape[:-1])


def backward_induction(mdp: FiniteMDP, horizon: int, *, discount: float = 1.0) -> FiniteHorizon:
    """The largest expected return within a number of steps, and every action that attains it.

    Guarantee: exact up to rounding, over all policies, including time-dependent ones.

    Args:
        mdp: the table.
        horizon: number of steps, at least 0.
        discount: gamma of this return, not the table's; by default 1, the undiscounted return.

    Returns:
        Values and optimal actions for every number of steps left.

    Raises:
        ValueError: a horizon or discount out of range.

    Source: Puterman (1994), section 4.5.
    """
    check_integer("horizon", horizon, low=0)
    v = np.zeros((horizon + 1, mdp.num_states))
    optimal = np.zeros((horizon, mdp.num_states, mdp.num_actions), dtype=np.bool_)
    for h, q in enumerate(_backups(mdp, horizon, check_discount(discount))):
        v[h + 1] = q.max(axis=1)
        optimal[h] = q >= v[h + 1][:, None] - TIE_TOLERANCE * max(np.abs(q).max(), 0.0)
    return FiniteHorizon(read_only(v), read_only(optimal))


def best_finite_horizon_values(mdp: FiniteMDP, horizon: int, *, discount: float = 1.0) -> np.ndarray:
    """The largest expected return from each state within a number of steps: the last row of `backward_induction`.

    Args and Raises: as `backward_induction`.

    Returns:
        Values [S].
    """
    check_integer("horizon", horizon, low=0)
    v = np.zeros(mdp.num_states)
    for q in _backups(mdp, horizon, check_discount(discount)):
        v = q.max(axis=1)
    return v


def _backups(mdp: FiniteMDP, horizon: int, discount: float) -> Iterator[np.ndarray]:
    """The action values [S, A] with 1, 2, ..., horizon steps left."""
    dynamics = Dynamics.of(mdp)
    v = np.zeros(mdp.num_states)
    for _ in range(horizon):
        q = dynamics.action_values(v, discount)
        yield q
        v = q.max(axis=1)
