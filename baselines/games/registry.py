"""Every game agent, one line each."""

from __future__ import annotations

from baselines.games.agent import GameAgent
from baselines.games.task import GameTask
from baselines.training.registration import Entry, Registry
from rl_envs.games import NormalFormGame

GAME_AGENTS: Registry[GameAgent] = Registry(
    "game agent",
    {
        "IndependentQ": Entry("baselines.games.independent_q:IndependentQ", "independent Q-learning"),
        "FictitiousPlay": Entry(
            "baselines.games.fictitious_play:FictitiousPlay", "best response to the empirical play so far"
        ),
        "RegretMatching": Entry(
            "baselines.games.regret_matching:RegretMatching", "regret matching (Hart & Mas-Colell)"
        ),
        "MinimaxQ": Entry("baselines.games.minimax_q:MinimaxQ", "minimax Q-learning for two-player zero-sum games"),
    },
)


def make_game_agent(
    agent: str, task: GameTask | NormalFormGame | str, *, runs: int | range = 1, seed: int = 0
) -> GameAgent:
    """Make a registered game agent.

    Args:
        agent: its name, perhaps with settings: "IndependentQ", "IndependentQ:exploration=softmax".
        task: what it is to play; a name as `make_game_task` takes it, a payoff table or a `GameTask`.
        runs: how many runs, or a range of their numbers.
        seed: the base seed.

    Returns:
        The agent.

    Raises:
        ValueError: an unknown name or setting, naming the nearest, or a value out of range.
        TypeError: a value of the wrong type, or a game that the agent cannot play.
    """
    return GAME_AGENTS.read(agent).make(task, runs=runs, seed=seed)


def players_of(task: GameTask) -> tuple[str, ...]:
    """The names of the registered agents that can play a game."""
    return tuple(name for name in GAME_AGENTS if _can_play(name, task))


def _can_play(name: str, task: GameTask) -> bool:
    try:
        GAME_AGENTS.load(name).check_task(task)
    except TypeError:
        return False
    return True
