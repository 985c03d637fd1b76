"""Reading an agent takes three files and under 250 lines."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

# The files in which an agent's loop, target and loss stand, and the interface that it implements. What else the agent
# calls says with its name what it does: exploration, schedules, networks, an optimiser.
READ = {
    "QLearning": ("agents/q_learning.py", "agents/tabular.py", "training/agent.py"),
    "DQN": ("agents/dqn.py", "learning/replay.py", "training/agent.py"),
    "ActorCritic": ("agents/actor_critic.py", "learning/advantages.py", "training/agent.py"),
}


def lines_of(file: str) -> list[str]:
    return (REPOSITORY / "baselines" / file).read_text().splitlines()


@pytest.mark.parametrize("agent", READ)
def test_an_agent_is_read_in_three_files_and_under_250_lines(agent: str) -> None:
    lines = {file: len(lines_of(file)) for file in READ[agent]}
    assert len(lines) <= 3
    assert sum(lines.values()) < 250, lines


@pytest.mark.parametrize("agent", READ)
def test_act_update_and_the_target_stand_in_the_agents_own_file(agent: str) -> None:
    own = "\n".join(lines_of(READ[agent][0]))
    places = [own.find(f"    {part}") for part in ("def act(", "def update(", "target = ")]
    assert -1 not in places
    assert places == sorted(places), "in the order in which they happen"
