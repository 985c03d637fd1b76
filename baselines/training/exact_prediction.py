"""Exact answers for value prediction: the error of values, and the fixed point of each method.

Where many states share few weights, no weights are exact, and each method converges to a limit of its own. For linear
values x(s) . w, both limits solve linear systems in the table, so that a learner can be checked against its own limit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rl_envs.mdp.bellman import Dynamics
from rl_envs.mdp.evaluation import occupancy
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.policy import as_probabilities


def on_policy_distribution(mdp: FiniteMDP, policy: np.ndarray, max_episode_steps: int | None = None) -> np.ndarray:
    """The share of its time that a policy spends in each state, over whole episodes: mu(s).

    Time is undiscounted. Only states in which an action is taken count, so terminal states do not.

    Args:
        mdp: the table.
        policy: actions [S] of int or probabilities [S, A] of float.
        max_episode_steps: time limit of an episode, or None where every episode ends by itself.

    Returns:
        Probabilities [S].

    Raises:
        ValueError: no policy of this table, or episodes that never end.

    Source: Sutton & Barto (2018), section 9.2, the box on the on-policy distribution in episodic tasks.
    """
    if max_episode_steps is None:
        visits = occupancy(replace(mdp, discount=1.0), policy).sum(axis=1)
    else:
        p, _ = Dynamics.of(mdp).under_policy(as_probabilities(policy, mdp.num_states, mdp.num_actions))
        now = mdp.start
        visits = np.zeros(mdp.num_states)
        for _ in range(max_episode_steps):
            visits += now
            now = now @ p
    if not np.isfinite(visits).all():
        raise ValueError(
            "the on-policy distribution needs episodes that end, but without a time limit the policy stays for ever "
            f"in state {np.argmax(~np.isfinite(visits))}"
        )
    return visits / visits.sum()


def value_error(values: np.ndarray, v: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The root of the mean squared error of values, weighted over states: sqrt(sum_s mu(s) [v(s) - values(s)]^2).

    Args:
        values: estimates [..., S], in units of discounted reward.
        v: the true values, [S].
        weight: mu, [S]; sums to 1. States of weight 0 do not count, whatever their values.

    Returns:
        Errors [...], in units of discounted reward.

    Source: Sutton & Barto (2018), eq. 9.1 (its square).
    """
    counted = weight > 0
    # Laid out row by row, so that each row adds up in the same order whatever the number of rows.
    error = np.ascontiguousarray(values[..., counted]) - v[counted]
    return np.sqrt((error**2 * weight[counted]).sum(axis=-1))


def least_squares_weights(features: np.ndarray, v: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The limit of gradient Monte Carlo: the weights with the smallest mean squared value error.

        w = argmin sum_s mu(s) [v(s) - x(s) . w]^2 = (X^T D X)^-1 X^T D v,    D = diag(mu)

    Args:
        features: x of each state, [S, D].
        v: the true values, [S].
        weight: mu, [S].

    Returns:
        Weights [D]; the shortest ones where several are equally good.

    Source: Sutton & Barto (2018), sections 9.3 and 11.4.
    """
    root = np.sqrt(weight)
    return np.linalg.lstsq(features * root[:, None], np.where(weight > 0, v, 0.0) * root, rcond=None)[0]


def td_fixed_point(
    mdp: FiniteMDP, policy: np.ndarray, features: np.ndarray, weight: np.ndarray, *, trace_decay: float = 0.0
) -> np.ndarray:
    """The fixed point of semi-gradient TD(lambda): the weights at which its mean update is 0.

        A w = b,   A = X^T D (I - gamma lambda P)^-1 (I - gamma P) X,   b = X^T D (I - gamma lambda P)^-1 r

    P leaves out transitions that end the episode, because nothing is bootstrapped from there. At lambda = 1 this is the
    least-squares solution; below, its error may be larger by a factor of up to (1 - gamma lambda) / (1 - gamma).

    Args:
        mdp: the table.
        policy: actions [S] of int or probabilities [S, A] of float.
        features: x of each state, [S, D].
        weight: mu, [S], as the policy visits the states (`on_policy_distribution`).
        trace_decay: lambda, in [0, 1]. Above 0, only where episodes end by themselves: a time limit cuts traces off.

    Returns:
        Weights [D]; the shortest ones where several are equally good.

    Source: Sutton & Barto (2018), eq. 9.11 and 9.12; Tsitsiklis & Van Roy (1997) for lambda.
    """
    dynamics = Dynamics.of(mdp)
    p, reward = dynamics.under_policy(as_probabilities(policy, mdp.num_states, mdp.num_actions))
    # States where nothing is ever done have no part in it, and with them the system might have no solution.
    acting = np.flatnonzero(weight > 0)
    p = p[acting][:, acting]
    p = p if isinstance(p, np.ndarray) else p.toarray()
    x = features[acting]
    now, later = np.eye(len(acting)), mdp.discount * p
    # z^T = x^T D (I - gamma lambda P)^-1: the mean eligibility trace in each state, times mu.
    z = np.linalg.solve((now - trace_decay * later).T, x * weight[acting][:, None])  # [S, D]
    return np.linalg.lstsq(z.T @ (now - later) @ x, z.T @ reward[acting], rcond=None)[0]
