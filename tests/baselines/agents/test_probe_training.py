"""The registered agents as training functions: what they learn on a chain, and which of them cannot take part.

Rewards 1, 10 and 100 in turn and then an end, discount 1/2: s2 = 100, s1 = 10 + 100/2 = 60, s0 = 1 + 60/2 = 31.
"""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from baselines.agents.probe_training import REFUSED, ProbeTask, ProbeTraining, learned
from baselines.registry import AGENTS
from rl_envs.diagnosis.adapters import read
from tests.diagnosis.planted.small_worlds import ruler

TAKE_PART = [name for name in AGENTS if name not in REFUSED]


def training(agent: str) -> ProbeTraining:
    return ProbeTraining(AGENTS.read(agent))


def test_every_agent_takes_part_or_is_refused_with_a_reason() -> None:
    assert set(REFUSED) <= set(AGENTS)
    assert TAKE_PART == [
        "QLearning",
        "Sarsa",
        "ExpectedSarsa",
        "DoubleQLearning",
        "Reinforce",
        "DQN",
        "ActorCritic",
        "SB3DQN",
        "SB3A2C",
    ]


@pytest.mark.parametrize("agent", REFUSED)
def test_an_agent_that_cannot_take_part_is_refused(agent: str) -> None:
    with pytest.raises(ValueError, match=f"{agent} cannot take part in the exam: it"):
        training(agent)


@pytest.mark.parametrize("agent", ["QLearning", "Sarsa", "ExpectedSarsa", "DoubleQLearning", "Reinforce"])
def test_a_table_learns_the_right_values(agent: str) -> None:
    found = read(training(agent)(ruler(), 3_000, 0), np.arange(3), 2)
    values = found.values if found.q is None else found.q.max(axis=1)
    assert values == pytest.approx([31, 60, 100], rel=0.02)


@pytest.mark.parametrize("agent", TAKE_PART)
def test_what_is_given_back_holds_values(agent: str) -> None:
    found = read(training(agent)(ruler(), 64, 0), np.arange(3), 2)
    assert found.depth == "values"
    assert found.policy is not None
    assert found.policy.shape == (3, 2)


@pytest.mark.parametrize("agent", ["DQN", "ActorCritic", "SB3DQN", "Reinforce:policy='network'"])
def test_networks_take_one_hot_observations_as_well(agent: str) -> None:
    assert read(training(agent)(ruler(one_hot=True), 64, 0), np.eye(3, dtype=np.float32), 2).depth == "values"


def test_reinforce_without_a_baseline_has_a_policy_alone() -> None:
    assert read(training("Reinforce:baseline=false")(ruler(), 64, 0), np.arange(3), 2).depth == "policy"


@pytest.mark.parametrize("agent", ["QLearning", "DQN"])
def test_the_same_seed_gives_the_same_values(agent: str) -> None:
    first, again, other = (training(agent)(ruler(), 300, seed).q_values(np.arange(3)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_epsilon_falls_over_the_first_half_unless_its_steps_are_given() -> None:
    assert training("DQN").specification(3_000).config.epsilon_steps == 1_500
    assert training("SB3DQN").specification(3_000).config.epsilon_steps == 1_500
    assert training("DQN:epsilon_steps=7").specification(3_000).config.epsilon_steps == 7
    assert training("ActorCritic").specification(3_000).label == "ActorCritic"


def test_a_training_travels_to_another_process() -> None:
    there = pickle.loads(pickle.dumps(training("QLearning:epsilon=0.5")))
    assert there.agent.label == "QLearning:epsilon=0.5"


def test_the_task_has_the_spaces_and_the_discount_of_the_environment() -> None:
    task = ProbeTask.of(ruler(), discount=0.25)
    assert (task.num_observations, task.num_actions, task.discount) == (3, 2, 0.25)
    envs: Any = task.make_vector(2)
    assert envs.num_envs == 2
    assert task.make_single().action_space == task.action_space


def test_an_agent_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="Nobody must have tables, networks or a policy of its own"):
        learned(SimpleNamespace(name="Nobody"))
