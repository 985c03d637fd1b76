"""How far ahead one must look, beyond what uniform random play is worth, to act optimally."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rl_envs.inspection.table_view import TableView
from rl_envs.mdp.bellman import TIE_TOLERANCE
from rl_envs.mdp.evaluation import action_values, evaluate_policy
from rl_envs.mdp.solve import worst_values

# Beyond so many backups the search ends.
FURTHEST = 100


def lookahead(view: TableView) -> int | None:
    """The smallest k such that every policy that is greedy for Q^k is optimal from the start.

    Q^1 are the action values of the uniform random policy, and Q^(k+1) is the Bellman optimality backup of Q^k. In a
    world of k = 1 it is enough to play at random and then to prefer the actions that did best.

    Args:
        view: the table.

    Returns:
        k; None where it is larger than `FURTHEST`.

    Raises:
        ValueError: at discount 1 uniform random play has no finite value.

    Source: Laidlaw, Russell & Dragan (2023), "Bridging RL Theory and Practice with the Effective Horizon", definition
        5.1 (k-QVI-solvable), here for the discounted return instead of a finite horizon.
    """
    mdp = view.mdp
    uniform = np.full((mdp.num_states, mdp.num_actions), 1 / mdp.num_actions)
    v = evaluate_policy(mdp, uniform)
    if not np.isfinite(v[view.reachable]).all():
        raise ValueError("at discount 1 uniform random play must have a finite value, but it has none")
    q = action_values(mdp, v)
    for k in range(1, FURTHEST + 1):
        scale = float(np.abs(q[view.reachable]).max(initial=0.0))
        greedy = q >= q.max(axis=1, keepdims=True) - TIE_TOLERANCE * scale
        if _all_optimal(view, greedy):
            return k
        q = action_values(mdp, q.max(axis=1))
    return None


def _all_optimal(view: TableView, greedy: np.ndarray) -> bool:
    """Whether every policy of the greedy pairs [S, A] is optimal from the start."""
    met = view.forward(view.mdp.start > 0, greedy) & view.playing
    if (greedy & ~view.optimal_pairs)[met].any():
        return False
    if view.mdp.discount < 1:
        return True
    # Without discount, actions that lose nothing may lead in a circle: the worst policy of the greedy pairs decides.
    first = np.where(greedy, np.arange(greedy.shape[1]), greedy.argmax(axis=1)[:, None])  # [S, A]
    rows = np.arange(len(first))[:, None]
    mdp = view.mdp
    only = replace(
        mdp,
        probability=mdp.probability[rows, first],
        next_state=mdp.next_state[rows, first],
        reward=mdp.reward[rows, first],
        terminated=mdp.terminated[rows, first],
        reward_std=None,
    )
    lost = view.from_start(view.solution.v_star) - view.from_start(worst_values(only))
    return bool(lost <= view.tolerance * 10)
