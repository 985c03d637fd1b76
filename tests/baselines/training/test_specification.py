"""Worlds, agents and games that are named, with what they stand for."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from baselines.agents.q_learning import QLearning
from baselines.games.registry import GAME_AGENTS
from baselines.games.specification import GameSpecification
from baselines.registry import AGENTS, make_agent
from baselines.training.specification import WorldSpecification, each_once
from baselines.training.task import task_of
from rl_envs.registry import build
from rl_envs.specification import Specification

READ: list[tuple[Any, str]] = [
    (WorldSpecification.read, "LineWalk:slip=0.1,size=9"),
    (AGENTS.read, "QLearning:step_size=0.5,epsilon=0.2"),
    (GameSpecification.read, "penalty:max_cycles=3,k=-10"),
    (GAME_AGENTS.read, "IndependentQ:step_size=0.5,epsilon=0.2"),
]


@pytest.mark.parametrize(("read", "text"), READ)
def test_what_is_read_is_an_object_with_the_canonical_text(read: Any, text: str) -> None:
    given = read(text)
    name, _, settings = text.partition(":")
    assert given.name == name
    assert given.label == str(given) == f"{name}:{','.join(reversed(settings.split(',')))}"
    assert read(given) is given  # it is not read twice
    assert read(given.label) == given
    assert len({read(given.label), given}) == 1
    assert read(name) != given
    with pytest.raises(FrozenInstanceError):
        given.specification = Specification("other")


@pytest.mark.parametrize(("read", "text"), READ)
def test_what_is_read_goes_to_another_process_and_finds_there_what_it_stands_for(read: Any, text: str) -> None:
    given = read(text)
    _ = given.meaning
    there = pickle.loads(pickle.dumps(given))
    assert there == given
    assert there.meaning == given.meaning
    assert b"content_hash" not in pickle.dumps(given)  # no table goes with it
    assert len(pickle.dumps(given)) < 1_000


def test_a_task_is_made_once_a_process() -> None:
    first, second = (
        WorldSpecification.read("LineWalk:size=9,slip=0.1"),
        WorldSpecification.read("LineWalk:slip=.1,size=9"),
    )
    assert first.task is second.task is task_of(Specification("LineWalk", {"slip": 0.1, "size": 9}))
    assert first.task.world.mdp.content_hash == build("LineWalk", size=9, slip=0.1).mdp.content_hash
    game = GameSpecification.read("climbing")
    assert game.task is game.task


def test_an_agent_has_its_config_and_is_made_with_it() -> None:
    agent = AGENTS.read("QLearning:epsilon=0.2")
    assert agent.agent_class is QLearning
    assert agent.config == replace(QLearning.Config(), epsilon=0.2)
    assert agent.values["epsilon"] == 0.2
    assert agent.default.config == QLearning.Config()
    assert agent.with_settings({"epsilon": 0.3, "step_size": 1}).label == "QLearning:epsilon=0.3,step_size=1"
    assert agent.with_settings({"step_size": 1}).config.step_size == 1.0
    made = agent.make(WorldSpecification.read("LineWalk:size=7").task, runs=range(2, 4), seed=3)
    same = make_agent("QLearning:epsilon=0.2", "LineWalk:size=7", runs=range(2, 4), seed=3)
    assert (made.config, made.runs, made.seed, made.task.name) == (same.config, same.runs, same.seed, same.task.name)


def test_a_registry_is_a_table_of_names() -> None:
    assert AGENTS["QLearning"].summary == "tabular Q-learning, epsilon-greedy"
    assert "QLearnin" not in AGENTS
    assert len(GAME_AGENTS) == len(list(GAME_AGENTS)) == 4
    with pytest.raises(ValueError, match=r"unknown game agent 'MinimxQ'. Did you mean 'MinimaxQ'"):
        GAME_AGENTS.load("MinimxQ")
    with pytest.raises(ValueError, match=r"unknown agent 'MinimaxQ'"):
        AGENTS.read("MinimaxQ")


@pytest.mark.parametrize(
    ("what", "read", "texts", "message"),
    [
        ("worlds", WorldSpecification.read, ("Bandit", "LineWalk", "Bandit"), "'Bandit' is given twice"),
        ("worlds", WorldSpecification.read, ("LineWalk:size=3,slip=0.5", "LineWalk:slip=.5, size=3"), "is given twice"),
        ("worlds", WorldSpecification.read, ("LineWalk", "LineWalk-v0"), "'LineWalk' and 'LineWalk-v0' are the same"),
        ("worlds", WorldSpecification.read, ("LineWalk", "LineWalk:slip=0.0"), "'LineWalk:slip=0.0' are the same"),
        (
            "worlds",
            WorldSpecification.read,
            ("FrozenLake-v1:is_slippery=true", "FrozenLake-v1"),
            "'FrozenLake-v1:is_slippery=True' and 'FrozenLake-v1' are the same",
        ),
        ("agents", AGENTS.read, ("QLearning:step_size=1", "QLearning:step_size=1.0"), "are the same"),
        ("games", GameSpecification.read, ("climbing", "climbing:max_cycles=25"), "are the same"),
    ],
)
def test_two_names_for_the_same_are_found_by_what_they_mean(
    what: str, read: Any, texts: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{what} must be different, but .*{message}$"):
        each_once(what, list(map(read, texts)))
    assert each_once(what, [read(texts[0])]) == [read(texts[0])]


def test_what_decides_how_an_environment_without_a_table_behaves_is_described() -> None:
    lazy = WorldSpecification.read("CartPole-v1:sutton_barto_reward=true")
    assert lazy.description == {
        "environment": "CartPole-v1",
        "table": None,
        "max_episode_steps": 500,
        "arguments": {"sutton_barto_reward": True},
        "discount": 0.99,
    }
    assert WorldSpecification.read("CartPole-v1:sutton_barto_reward=false").description != lazy.description


def test_a_world_refused_says_its_name() -> None:
    with pytest.raises(ValueError, match=r"^LineWalk:size=0: size must be at least 1, but is 0$"):
        _ = WorldSpecification.read("LineWalk:size=0").task
    with pytest.raises(TypeError, match=r"^FrozenLake-v1's is_slippery must be true or false, but is 'fals'. Did you"):
        _ = WorldSpecification.read("FrozenLake-v1:is_slippery=fals").task
    with pytest.raises(TypeError, match=r"^penalty's k must be a number, but is 'low'$"):
        _ = GameSpecification.read("penalty:k=low").task
    with pytest.raises(TypeError, match=r"^grid_soccer's discount must be a number, but is 'low'$"):
        _ = GameSpecification.read("grid_soccer:discount=low").task


def test_a_lake_that_is_not_slippery_is_not() -> None:
    """The shortest path takes six steps, so the optimum is 0.99**5."""
    task = WorldSpecification.read("FrozenLake-v1:is_slippery=false").task
    assert task.name == "FrozenLake-v1:is_slippery=False"
    assert task.arguments == {"is_slippery": False}
    assert np.isclose(task.truth.optimal_value, 0.99**5, atol=1e-12)
