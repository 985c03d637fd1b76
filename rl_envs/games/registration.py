"""The games' ids in PettingZoo's registry, where PettingZoo is installed and has one (from 1.27)."""

from __future__ import annotations

IDS = {
    "rl_envs/matrix_game-v0": "rl_envs.games.matrix_game",
    "rl_envs/grid_soccer-v0": "rl_envs.games.grid_soccer",
}


def register_games() -> bool:
    """Register every game with PettingZoo, once.

    The entry points are strings, so no game and no drawing library is imported before an environment is made.

    Returns:
        Whether there is a registry to register with.
    """
    try:
        from pettingzoo import aec_registry, parallel_registry, register
    except ImportError:
        return False
    for game_id, module in IDS.items():
        if game_id not in parallel_registry:
            register("parallel", game_id, entry_point=f"{module}:parallel_env")
        if game_id not in aec_registry:
            register("aec", game_id, entry_point=f"{module}:env")
    return True
