"""Presets are settings that their agents have."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from baselines.agents import presets
from baselines.registry import AGENTS, make_agent

CASES = [
    (agent, name, settings)
    for agent, of_agent in {
        "DQN": presets.DQN,
        "ActorCritic": presets.ACTOR_CRITIC,
        "QLearning": presets.TABULAR,
        "ExpectedSarsa": presets.TABULAR,
    }.items()
    for name, settings in of_agent.items()
]


@pytest.mark.parametrize(("agent", "name", "settings"), CASES)
def test_a_preset_is_the_defaults_with_its_settings(agent: str, name: str, settings: dict[str, object]) -> None:
    defaults = asdict(AGENTS.load(agent).Config())
    assert asdict(AGENTS.load(agent).PRESETS[name]) == {**defaults, **settings}


@pytest.mark.parametrize("agent", ["DQN", "ActorCritic"])
def test_cart_pole_has_settings_of_its_own_that_are_chosen_by_name(agent: str) -> None:
    made = make_agent(f"{agent}:preset=CartPole", "CartPole-v1")
    assert made.config == AGENTS.load(agent).PRESETS["CartPole"] != AGENTS.load(agent).Config()
