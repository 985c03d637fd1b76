"""Every game agent, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baselines.games.agent import GameAgent
from baselines.games.task import GameTask
from baselines.training.registration import Entry, config_of
from baselines.training.specification import parse
from rl_envs.games import NormalFormGame
from rl_envs.names import unknown

GAME_AGENTS: dict[str, Entry] = {
    "IndependentQ": Entry("baselines.games.independent_q:IndependentQ", "Q-learners that know nothing of each other"),
    "FictitiousPlay": Entry("baselines.games.fictitious_play:FictitiousPlay", "best response to all play so far"),
    "RegretMatching": Entry("baselines.games.regret_matching:RegretMatching", "in proportion to regret"),
    "MinimaxQ": Entry("baselines.games.minimax_q:MinimaxQ", "Q-learning for two-player zero-sum games"),
}


def game_agent_class(name: str) -> type[GameAgent]:
    """The class of a registered game agent; raises ValueError naming the nearest for an unknown name."""
    if name not in GAME_AGENTS:
        raise ValueError(unknown("game agent", name, GAME_AGENTS))
    return GAME_AGENTS[name].load()


def make_game_config(name: str, settings: Mapping[str, Any]) -> Any:
    """A registered game agent's Config; arguments and errors are those of `baselines.registry.make_config`."""
    return config_of(game_agent_class(name), settings)


def game_agent_meant(specification: str) -> object:
    """What a specification of a game agent comes to, its class's name and its Config; raises as `make_game_config`."""
    name, settings = parse(specification)
    return name, make_game_config(name, settings)


def make_game_agent(
    specification: str, task: GameTask | NormalFormGame | str, *, runs: int | range = 1, seed: int = 0
) -> GameAgent:
    """Make a registered game agent.

    Args:
        specification: its name, perhaps with settings: "IndependentQ", "IndependentQ:exploration=softmax".
        task: what it is to play.
        runs: how many runs, or a range of their numbers.
        seed: the base seed.

    Returns:
        The agent.

    Raises:
        ValueError: an unknown name or setting, naming the nearest, or a value out of range.
        TypeError: a value of the wrong type, or a game that the agent cannot play.
    """
    name, settings = parse(specification)
    return game_agent_class(name)(task, runs=runs, seed=seed, config=make_game_config(name, settings))


def players_of(task: GameTask) -> tuple[str, ...]:
    """The names of the registered agents that can play a game."""
    return tuple(name for name in GAME_AGENTS if _can_play(name, task))


def _can_play(name: str, task: GameTask) -> bool:
    try:
        game_agent_class(name).check_task(task)
    except TypeError:
        return False
    return True
