"""Tables for the tests of the solver, and slow answers that use nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP, tabulate


def table(rows: dict[int, list[list[tuple[Any, ...]]]], *, discount: float, start: Any = 0) -> FiniteMDP:
    """A table written out: for each state a list of actions, for each action a list of outcomes."""
    return tabulate(
        lambda s, a: rows[s][a], num_states=len(rows), num_actions=len(rows[0]), start=start, discount=discount
    )


def random_mdp(seed: int, num_states: int, num_actions: int, num_outcomes: int, discount: float) -> FiniteMDP:
    """Random rows, one outcome in five terminal."""
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, num_outcomes)
    return FiniteMDP(
        probability=rng.dirichlet(np.ones(num_outcomes), size=shape[:2]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.standard_normal(shape),
        terminated=rng.random(shape) < 0.2,
        start=rng.dirichlet(np.ones(num_states)),
        discount=discount,
    )


def undiscounted_mdp(seed: int, num_states: int, num_actions: int) -> FiniteMDP:
    """Discount 1 with everything that makes it hard: free loops, paid loops, loops that cancel, ends out of reach."""
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, 2)
    certain = rng.random(shape[:2]) < 0.6
    return FiniteMDP(
        probability=np.where(certain[:, :, None], [1.0, 0.0], [0.5, 0.5]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.choice([-2.0, -1.0, 0.0, 0.0, 0.0, 1.0], size=shape),
        terminated=rng.random(shape) < 0.15,
        start=np.full(num_states, 1 / num_states),
        discount=1.0,
    )


def loop_chain(mdp: FiniteMDP, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A policy's chain and rewards by the definition, outcome after outcome; policy [S] or [S, A]."""
    p, r = np.zeros((mdp.num_states, mdp.num_states)), np.zeros(mdp.num_states)
    for s, a, k in np.ndindex(*mdp.probability.shape):
        chosen = policy[s, a] if policy.ndim == 2 else float(policy[s] == a)
        weight = chosen * mdp.probability[s, a, k]
        r[s] += weight * mdp.reward[s, a, k]
        if not mdp.terminated[s, a, k]:
            p[s, mdp.next_state[s, a, k]] += weight
    return p, r


def loop_values(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    p, r = loop_chain(mdp, policy)
    return np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * p, r)


def all_policies(mdp: FiniteMDP) -> Iterator[np.ndarray]:
    return (np.array(actions) for actions in itertools.product(range(mdp.num_actions), repeat=mdp.num_states))


def totals(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """Undiscounted totals by adding up 2^40 steps; nan where the sum neither settles nor grows without bound.

    Two maps v -> r + p v after each other are again one, so 40 doublings suffice; nothing of the solver is used.
    """
    p, r = loop_chain(mdp, policy)
    step_p, step_r = p, r
    for _ in range(40):
        r, p = r + p @ r, p @ p
    later, doubled = step_r + step_p @ r, r + p @ r
    settled = np.isclose(later, r, atol=1e-6) & np.isclose(doubled, r, atol=1e-6)
    total = np.where(settled, r, np.nan)
    total[~settled & (r > 1e6) & (doubled > 1.5 * r)] = np.inf
    total[~settled & (r < -1e6) & (doubled < 1.5 * r)] = -np.inf
    # Which states are seen for ever from each: whatever the powers, one after the other, still lead to.
    for_ever = np.zeros_like(p)
    for _ in range(12):  # 12 is a multiple of every period up to 4, and covers those up to 6
        for_ever += p
        p = p @ step_p
    paid = ((for_ever > 1e-9) & (step_r != 0)).any(axis=1)
    # Gains and losses that never end have no total, though the mean of their sum may settle; nor have both infinities.
    both = ((for_ever > 1e-9) & (total == np.inf)).any(axis=1) & ((for_ever > 1e-9) & (total == -np.inf)).any(axis=1)
    total[(paid & np.isfinite(total)) | both] = np.nan
    never = ((for_ever > 1e-9) & np.isnan(total)).any(axis=1)
    total[never] = np.nan
    return total
