"""The short corridor with switched actions, of which nothing can be seen (Sutton & Barto 2018, Example 13.1)."""

from __future__ import annotations

import numpy as np

from rl_envs.mdp.finite_mdp import Outcome, tabulate
from rl_envs.worlds.observation import Labels
from rl_envs.worlds.world import StateNumber, World

LEFT, RIGHT = 0, 1

# What the book gives: the best probability of going right, and what it is worth from the start.
BEST_PROBABILITY = 2 - np.sqrt(2)
BEST_VALUE = -(6 + 4 * np.sqrt(2))


def short_corridor() -> World:
    """Three states in a row and the end; each step costs 1, and in the middle one left is right and right left."""

    def outcomes(state: int, action: int) -> list[Outcome]:
        if state == 3:
            return [Outcome(1.0, 3, terminated=True)]
        forwards = (action == RIGHT) != (state == 1)
        next_state = state + 1 if forwards else max(state - 1, 0)
        return [Outcome(1.0, next_state, -1.0, next_state == 3)]

    return World(
        name="ShortCorridor",
        mdp=tabulate(outcomes, num_states=4, num_actions=2, start=0, discount=1.0),
        max_episode_steps=None,
        action_names=("left", "right"),
        observation=Labels([0, 0, 0, 0]),
        drawing=StateNumber(4),
    )


def going_right(probability: float) -> np.ndarray:
    """The policy that goes right with so much probability wherever it is, [S, A]."""
    return np.tile([1 - probability, probability], (4, 1))
