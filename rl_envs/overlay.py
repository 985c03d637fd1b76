"""What can be laid over a world's picture: values as a heat map, a policy as arrows, counts of visits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_envs.names import unknown

if TYPE_CHECKING:
    from rl_envs.mdp import FiniteMDP
    from rl_envs.world import Moment, World

KINDS = ("value", "policy", "visits")


@dataclass(frozen=True, eq=False)
class Overlay:
    """Numbers about a world's states, ready to be painted.

    Attributes:
        title: what they are, for the legend.
        values: what the heat map shows, [S] float64, NaN where it shows nothing; None for no heat map.
        action_values: the same for each action, [S, A] float64, or None.
        policy: how likely each action is, or 1 for each action of a set, [S, A] float64; None for no arrows.
    """

    title: str
    values: np.ndarray | None = None  # [S] float64
    action_values: np.ndarray | None = None  # [S, A] float64
    policy: np.ndarray | None = None  # [S, A] float64

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and highest number of the heat map, of states and, where they are given, of actions."""
        parts = [table.ravel() for table in (self.values, self.action_values) if table is not None]
        numbers = np.concatenate(parts) if parts else np.zeros(0)
        numbers = numbers[~np.isnan(numbers)]
        return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)

    def level(self, value: float) -> float:
        """Where a value lies between the lowest, 0, and the highest, 1; the middle where all are alike."""
        low, high = self.range
        if high <= low:
            return 0.5
        scale = 2.0 if math.isinf(high - low) else 1.0  # values that diverge may be further apart than floats reach
        return (value / scale - low / scale) / (high / scale - low / scale)

    def number(self, state: int) -> str:
        """A state's value as text; empty where there is none."""
        return "" if self.values is None or np.isnan(self.values[state]) else short(float(self.values[state]))


def check_kind(kind: str | None) -> None:
    """Raise ValueError, naming the nearest, unless this is a kind of overlay or None."""
    if kind is not None and kind not in KINDS:
        raise ValueError(unknown("render_overlay", kind, KINDS))


def exact(world: World, kind: str) -> Overlay:
    """The overlay of a world's exact solution.

    Args:
        world: the world, solved here.
        kind: "value" or "policy".

    Returns:
        v* and q*, or the sets of optimal actions. States that only stand for an ended episode have none, and infinite
        values are left out.

    Raises:
        ValueError: the world has no exact solution; the message says why.
    """
    from rl_envs.truth import truth

    solved = truth(world)
    ended = world.mdp.terminal_states
    if kind == "policy":
        return Overlay("optimal actions", policy=np.where(ended[:, None], 0.0, solved.optimal_actions))
    v, q = solved.v_star, solved.q_star
    return Overlay(
        "v*",
        values=np.where(ended | ~np.isfinite(v), np.nan, v),
        action_values=np.where(ended[:, None] | ~np.isfinite(q), np.nan, q),
    )


def visits(world: World, moment: Moment) -> Overlay:
    """The overlay of how often each state was visited."""
    return Overlay("visits", values=np.where(world.mdp.terminal_states, np.nan, moment.state_counts))


def given(mdp: FiniteMDP, *, values: Any, policy: Any, title: str) -> Overlay:
    """An agent's own numbers as an overlay.

    Args:
        mdp: the table that they are about.
        values: of states [S] or of states and actions [S, A]; None for none.
        policy: an action for every state [S], or probabilities [S, A]; None for none.
        title: what they are, for the legend.

    Returns:
        The overlay. Where action values are given, a state's value is that of its best action.

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
        from rl_envs.solve import as_probabilities

        probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
        if probabilities.ndim != 2:
            raise ValueError(f"an overlay shows one policy, but was given {len(probabilities)}")
        probabilities[mdp.terminal_states] = 0.0
    return Overlay(title, state_values, action_values, probabilities)


def short(value: float) -> str:
    """A number in at most six characters or so: 0.8145, -12.5, 1e+06."""
    if value == round(value) and abs(value) < 1e5:
        return str(round(value))
    return f"{value:.3g}"


def _numbers(values: Any, mdp: FiniteMDP) -> np.ndarray:
    """Finite float64 numbers of shape [S] or [S, A], in an array of their own."""
    table = np.array(values, dtype=np.float64)
    shapes = (mdp.num_states,), (mdp.num_states, mdp.num_actions)
    if table.shape not in shapes:
        raise ValueError(f"values must have shape {shapes[0]} or {shapes[1]}, but have {table.shape}")
    wrong = np.argwhere(~np.isfinite(table))
    if len(wrong):
        raise ValueError(f"values must be finite, but state {wrong[0][0]} has {table[tuple(wrong[0])]}")
    return table
