"""A world of others as an environment with the time limit that the world itself has.

Worlds of this package are registered with their limits. Those of others are not built before they are used, so their
limits are not known when they are registered.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.wrappers import TimeLimit

from rl_envs.envs.tabular_env import TabularEnv


def limited_env(world: str, **arguments: Any) -> gym.Env[Any, Any]:
    """Make a registered world's environment, with a time limit if the world has one.

    Args:
        world: its name.
        **arguments: for `TabularEnv`.

    Returns:
        The environment.

    Raises:
        ValueError, TypeError: as `TabularEnv`.
    """
    env = TabularEnv(world, **arguments)
    limit = env.world.max_episode_steps
    return env if limit is None else TimeLimit(env, limit)
