"""Overlays of a world's picture: its exact solution, visit counts, or an agent's values and policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rl_envs.drawing.overlay import Overlay
from rl_envs.names import unknown

if TYPE_CHECKING:
    from rl_envs.mdp.finite_mdp import FiniteMDP

KINDS = ("value", "policy", "visits")


def check_kind(kind: str | None) -> None:
    """Raise ValueError with the nearest names unless this is None or a known overlay."""
    if kind is not None and kind not in KINDS:
        raise ValueError(unknown("render_overlay", kind, KINDS))


def optimal_values(mdp: FiniteMDP, v_star: np.ndarray, q_star: np.ndarray) -> Overlay:
    """The overlay of a world's optimal values.

    Args:
        mdp: the world's table.
        v_star: optimal values [S].
        q_star: optimal action values [S, A].

    Returns:
        v* and q*. Terminal states have none, and infinite values are left out.
    """
    ended = mdp.terminal_states
    return Overlay(
        "v*",
        values=np.where(ended | ~np.isfinite(v_star), np.nan, v_star),
        action_values=np.where(ended[:, None] | ~np.isfinite(q_star), np.nan, q_star),
    )


def optimal_policy(mdp: FiniteMDP, optimal_actions: np.ndarray) -> Overlay:
    """The overlay of the sets of optimal actions, [S, A] bool; empty in terminal states."""
    return Overlay("optimal actions", policy=np.where(mdp.terminal_states[:, None], 0.0, optimal_actions))


def visits(mdp: FiniteMDP, state_counts: np.ndarray) -> Overlay:
    """The overlay of how often each state was visited, [S]."""
    return Overlay("visits", values=np.where(mdp.terminal_states, np.nan, state_counts))


def given(mdp: FiniteMDP, *, values: Any, policy: Any, title: str) -> Overlay:
    """An agent's values or policy as an overlay.

    Args:
        mdp: the table of the world.
        values: of states [S] or of states and actions [S, A]; None for none.
        policy: an action for every state [S], or probabilities [S, A]; None for none.
        title: what they are, for the legend.

    Returns:
        The overlay. With action values, a state's value is that of its best action.

    Raises:
        ValueError: an array of the wrong shape or with impossible entries; the message names the state.
    """
    state_values = action_values = probabilities = None
    if values is not None:
        table = _numbers(values, mdp)
        table[mdp.terminal_states] = np.nan
        state_values = table if table.ndim == 1 else table.max(axis=1)
        action_values = table if table.ndim == 2 else None
    if policy is not None:
        from rl_envs.mdp.policy import as_probabilities

        probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
        if probabilities.ndim != 2:
            raise ValueError(f"an overlay shows one policy, but was given {len(probabilities)}")
        probabilities[mdp.terminal_states] = 0.0
    return Overlay(title, state_values, action_values, probabilities)


def _numbers(values: Any, mdp: FiniteMDP) -> np.ndarray:
    """Finite float64 numbers of shape [S] or [S, A], copied."""
    table = np.array(values, dtype=np.float64)
    shapes = (mdp.num_states,), (mdp.num_states, mdp.num_actions)
    if table.shape not in shapes:
        raise ValueError(f"values must have shape {shapes[0]} or {shapes[1]}, but have {table.shape}")
    wrong = np.argwhere(~np.isfinite(table))
    if len(wrong):
        raise ValueError(f"values must be finite, but state {wrong[0][0]} has {table[tuple(wrong[0])]}")
    return table
