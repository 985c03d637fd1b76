"""The deterministic tables of the BRIDGE data set (Atari, Procgen and MiniGrid levels) as worlds.

A file `consolidated.npz` holds `transitions` [S, A], the next state, -1 where the episode ends, and `rewards` [S, A];
episodes start in state 0. Its horizon is not in the file: levels named `freeway_10_fs30` have one of 10 steps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import StateNumber, World


def load_bridge(path: str | Path, *, discount: float = 1.0, max_episode_steps: int | None = None) -> World:
    """Load a table of the BRIDGE data set.

    Args:
        path: of a `consolidated.npz`.
        discount: gamma; the data set's own results have none.
        max_episode_steps: the horizon.

    Returns:
        The world; its last state only stands for the end.

    Raises:
        ValueError: a file without `transitions` and `rewards`, or with others than the data set's.

    Source: Laidlaw, Russell & Dragan (2023), "Bridging RL Theory and Practice with the Effective Horizon".
    """
    with np.load(path, allow_pickle=False) as file:
        missing = [name for name in ("transitions", "rewards") if name not in file.files]
        if missing:
            raise ValueError(f"a table of BRIDGE must have transitions and rewards, but {path} has no {missing[0]}")
        transitions, rewards = np.asarray(file["transitions"]), np.asarray(file["rewards"], dtype=np.float64)
    if transitions.ndim != 2 or rewards.shape != transitions.shape:
        raise ValueError(
            f"transitions and rewards must have one shape [states, actions], but have {transitions.shape} and "
            f"{rewards.shape}"
        )
    num_states, num_actions = transitions.shape
    if transitions.min() < -1 or transitions.max() >= num_states:
        raise ValueError(
            f"transitions must be -1 or a state 0..{num_states - 1}, but go from {transitions.min()} to "
            f"{transitions.max()}"
        )
    end = np.full((1, num_actions), num_states)
    next_state = np.concatenate([np.where(transitions < 0, num_states, transitions), end])[:, :, None]
    start = np.zeros(num_states + 1)
    start[0] = 1.0
    mdp = FiniteMDP(
        probability=np.ones(next_state.shape),
        next_state=next_state,
        reward=np.concatenate([rewards, np.zeros((1, num_actions))])[:, :, None],
        terminated=next_state == num_states,
        start=start,
        discount=discount,
    )
    return World(
        name=Path(path).parent.name or Path(path).stem,
        mdp=mdp,
        max_episode_steps=max_episode_steps,
        action_names=tuple(f"action {action}" for action in range(num_actions)),
        observation=Index(num_states + 1),
        drawing=StateNumber(num_states + 1),
    )
