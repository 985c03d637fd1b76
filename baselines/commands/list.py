"""`python -m baselines list`: all worlds, agents, games and game agents."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command; its flags depend on nothing."""
    return show_lists


def show_lists() -> int:
    """List all worlds, agents, games and game agents."""
    from rich.console import Console
    from rich.table import Table

    from baselines.games.registry import GAME_AGENTS
    from baselines.games.task import MARKOV_GAMES, make_game_task
    from baselines.registry import AGENTS
    from rl_envs.games import GAMES
    from rl_envs.registry import WORLDS, build

    worlds = Table("world", "states", "actions", "time limit", "discount", title="Worlds", title_justify="left")
    broken: list[str] = []
    for name, entry in WORLDS.items():
        try:
            world = build(name)
        except Exception as error:
            if entry.source is None:
                raise
            broken.append(f"{name}: {error}")
            continue
        limit = "none" if world.max_episode_steps is None else f"{world.max_episode_steps:,}"
        sizes = (f"{world.mdp.num_states:,}", f"{world.mdp.num_actions:,}")
        worlds.add_row(name, *sizes, limit, f"{world.mdp.discount:g}")
    agents = Table("agent", "description", title="Agents", title_justify="left")
    for name, agent in AGENTS.items():
        agents.add_row(name, agent.summary)
    games = Table("game", "players", "states", "actions", title="Games", title_justify="left")
    for name in (*GAMES, *MARKOV_GAMES):
        task = make_game_task(name)
        games.add_row(name, str(task.num_players), str(task.num_states), " x ".join(map(str, task.num_actions)))
    game_agents = Table("game agent", "description", title="Game agents", title_justify="left")
    for name, game_agent in GAME_AGENTS.items():
        game_agents.add_row(name, game_agent.summary)
    Console().print(worlds, agents, games, game_agents)
    for line in broken:
        print(f"Left out: {line}", file=sys.stderr)
    return 0
