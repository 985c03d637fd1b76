"""What a comparison might have found, made by hand: every kind of row that a report must cope with."""

from __future__ import annotations

import numpy as np

from baselines.comparison.game_rows import GameRow
from baselines.comparison.results import Results
from baselines.comparison.rows import Row
from baselines.games.loop import GameRecord
from baselines.games.task import make_game_task
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification

on = WorldSpecification.read

# Names are what users type: these must stay text wherever they are written.
WICKED_AGENT = 'mine </script><script>window.wicked = 1</script><b class="wicked">*|`&"'
WICKED_WORLD = "Mine<!--<script>-v0|*"

STEPS = np.arange(0, 1_001, 100)
RUNS = 10

# How good each agent is at the end, and how soon.
AGENTS = {
    "Random": (0.0, 1.0),
    "Optimal": (1.0, 0.0),
    "QLearning": (1.0, 3.0),
    "Sarsa": (0.9, 6.0),
    "SB3DQN": (0.7, 4.0),
}

ABOUT = {
    "format": 4,
    "command": "python -m baselines compare --preset quick",
    "repeat": "python -m baselines compare --worlds LineWalk --seed 7",
    "comparison": {"worlds": ["LineWalk"], "agents": list(AGENTS), "runs": RUNS, "seed": 7},
    "configs": {"QLearning": {"epsilon": 0.125, "final_epsilon": 0.01}},
    "game_configs": {"FictitiousPlay": {}},
    "versions": {"numpy": "2.1.0", "rl_envs": "0.1.0"},
    "machines": [{"platform": "Linux-6.1", "processor": "x86_64", "cpus": 2}],
    "first": "2026-01-02T03:04:05+00:00",
    "last": "2026-01-03T00:04:05+00:00",
    "backend": "joblib",
    "workers": 2,
}


def curves(agent: str, *, seed: int = 0) -> np.ndarray:
    """Scores [C, R] that rise to the agent's own end; the last run of those that learn never leaves 0."""
    end, speed = AGENTS[agent]
    if agent in ("Random", "Optimal"):
        return np.full((len(STEPS), RUNS), end)
    part = 1 - np.exp(-speed * STEPS / STEPS[-1])
    scores = end * part[:, None] / part[-1] * np.linspace(0.9, 1.0, RUNS)
    scores[:, -1] = 0.0
    return scores


def row(world: str, agent: str, **more: object) -> Row:
    """All runs of an agent on a world."""
    return Row(on(world), Specification.parse(agent), STEPS, curves(agent), True, 2.0, **more)


def results() -> Results:
    """Worlds with a picture, without one and without a table; a bandit; a user's own agent; games."""
    rows = []
    for world in ("LineWalk", "FourRooms", "Bandit"):
        states = WorldSpecification.read(world).task.truth.mdp.num_states
        for agent, (end, _) in AGENTS.items():
            error = (1 - end) * np.linspace(0, 1, states)
            regret = None
            if world == "Bandit" and agent != "SB3DQN":
                regret = (1 - end + 0.1) * STEPS[:, None] * np.linspace(0.5, 1, RUNS)
            rows.append(row(world, agent, value_error=error, regret=regret))
    rows.append(
        Row(on("LineWalk"), Specification.parse(WICKED_AGENT), STEPS[-1:], np.linspace(0.2, 0.6, RUNS)[None], True, 1.0)
    )
    rows += [row(WICKED_WORLD, agent) for agent in ("Random", "QLearning")]
    returns = 20 + 480 * curves("QLearning")
    rows.append(Row(on("CartPole-v1"), Specification.parse("QLearning"), STEPS, returns, False, 3.0))
    rows.append(
        Row(on("CartPole-v1"), Specification.parse("Random"), STEPS, np.full((len(STEPS), RUNS), 22.0), False, 1.0)
    )
    return Results(tuple(rows), (game("climbing", "IndependentQ", 2), game("climbing", "FictitiousPlay", 0)), ABOUT)


def game(name: str, agent: str, action: int) -> GameRow:
    """All runs of an agent in a matrix game, which all end with everybody's action of this number."""
    task = make_game_task(name)
    play = np.zeros((RUNS, *task.num_actions), dtype=np.int64)
    play[:, action, action] = 100
    exploitability = np.linspace(3.0, 0.5 * action, len(STEPS))[:, None] * np.linspace(0.8, 1.2, RUNS)
    return GameRow(name, agent, task, GameRecord(STEPS, exploitability, play, play, np.ones((RUNS, 2)), 1.0))
