"""Worlds as agents meet them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from baselines.agents.optimal import Optimal
from baselines.agents.q_learning import QLearning
from baselines.training.loop import train
from baselines.training.task import make_task
from rl_envs.registry import WORLDS, build, world_id


def test_a_world_is_found_by_name_by_id_and_as_itself() -> None:
    by_name, by_id, itself = make_task("LineWalk"), make_task("rl_envs/LineWalk-v0"), make_task(build("LineWalk"))
    assert by_name.table_hash == by_id.table_hash == itself.table_hash
    assert by_name.name == by_id.name == itself.name == "LineWalk"
    assert (by_name.num_observations, by_name.num_actions, by_name.max_episode_steps) == (11, 2, 100)
    assert make_task(by_name) is by_name


@pytest.mark.parametrize("name", WORLDS)
def test_the_one_hot_twin_is_the_same_world_seen_otherwise(name: str) -> None:
    twin, world = make_task(world_id(name, one_hot=True)), make_task(name)
    assert (twin.table_hash, twin.discount, twin.max_episode_steps) == (
        world.table_hash,
        world.discount,
        world.max_episode_steps,
    )
    assert twin.name == f"{name}:observation=one_hot"
    assert twin.observation_space == gym.make(world_id(name, one_hot=True)).observation_space


def test_the_optimum_is_played_in_the_one_hot_twin_too(tmp_path: Path) -> None:
    agent = Optimal("rl_envs/LineWalkOneHot-v0", runs=2)
    np.testing.assert_allclose(train(agent, steps=20, checkpoints=1).scores, 1, atol=1e-12)
    agent.save(tmp_path / "optimal")
    assert Optimal.load(tmp_path / "optimal").task.name == agent.task.name


def test_arguments_change_the_world_and_its_name() -> None:
    task = make_task("LineWalk", size=2, discount=0.5)
    assert task.name == "LineWalk:discount=0.5,size=2"
    assert task.num_observations == 5
    assert task.discount == 0.5 == task.truth.mdp.discount


def test_an_environment_of_others_with_a_table_has_exact_answers() -> None:
    task = make_task("FrozenLake-v1", discount=1.0)
    assert task.truth.optimal_value == pytest.approx(14 / 17, abs=1e-9)
    np.testing.assert_array_equal(task.observation_index_in_state, np.arange(16))
    assert task.revealed() is task


def test_an_environment_without_a_table_says_so() -> None:
    task = make_task("CartPole-v1")
    assert task.truth is None
    assert task.table_hash is None
    assert (task.discount, task.max_episode_steps) == (0.99, 500)
    with pytest.raises(TypeError, match=r"the observations of CartPole-v1 must be Discrete or MultiDiscrete"):
        QLearning(task)
    with pytest.raises(TypeError, match="CartPole-v1 has no table, so its states cannot be listed"):
        _ = task.observation_index_in_state
    with pytest.raises(TypeError, match="CartPole-v1 has no table, so its state cannot be shown"):
        task.revealed()


def test_actions_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(TypeError, match=r"the actions of RobotGraspMulti must be Discrete, but are MultiDiscrete"):
        QLearning("RobotGraspMulti")


@pytest.mark.parametrize(
    ("name", "space", "message"),
    [
        ("action_space", spaces.Discrete(2, start=1), r"the actions of LineWalk must be numbered from 0, but are Disc"),
        ("observation_space", spaces.Discrete(11, start=5), r"numbered from 0 and lie in a row to be counted, but are"),
        ("observation_space", spaces.MultiDiscrete([2, 2], start=[1, 0]), r"numbered from 0 .*but are MultiDiscrete"),
        ("observation_space", spaces.MultiDiscrete([[2, 2], [2, 2]]), r"lie in a row to be counted, but are Multi"),
    ],
    ids=str,
)
def test_numbers_that_do_not_begin_at_0_are_refused(name: str, space: spaces.Space, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        QLearning(replace(make_task("LineWalk"), **{name: space}))


def test_several_numbers_in_an_observation_are_counted_as_one() -> None:
    task = make_task("RobotGrasp")
    numbers = task.observation_index_in_state
    assert len(np.unique(numbers)) == len(numbers)
    assert numbers.max() < task.num_observations


def test_a_hidden_state_is_shown_only_where_it_is_asked_for() -> None:
    task = make_task("BanditTestbed", num_problems=5)
    assert task.num_observations == 1
    np.testing.assert_array_equal(task.observation_index_in_state, np.zeros(5))
    assert task.revealed().num_observations == 5
    assert task.revealed().table_hash == task.table_hash


@pytest.mark.parametrize("environment", ["LineWalk", "FrozenLake-v1"])
def test_copies_reset_in_the_step_that_ends_their_episode(environment: str) -> None:
    envs = make_task(environment).make_vector(3)
    assert envs.num_envs == 3
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.close()


def test_a_single_copy_keeps_its_time_limit() -> None:
    env = make_task("LineBalance").make_single()
    env.reset(seed=0)
    ends = [env.step(1)[3] for _ in range(20)]
    assert ends == [False] * 19 + [True]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ("LineWlk", "unknown world 'LineWlk'. Did you mean 'LineWalk'"),
        ("CliffWalking", "unknown world 'CliffWalking'. Did you mean 'CliffWalking-v"),
        ("CartPol-v1", "unknown world 'CartPol-v1'. Did you mean 'CartPole-v"),
    ],
)
def test_an_unknown_name_lists_the_nearest(environment: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_task(environment)


def test_an_environment_that_cannot_be_made_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"cannot make FrozenLake-v1:map_name=9x9: KeyError: '9x9'"):
        make_task("FrozenLake-v1", map_name="9x9")

    def without_its_package(*arguments: object, **keywords: object) -> None:
        raise gym.error.DependencyNotInstalled("Box2D is not installed")

    monkeypatch.setattr(gym, "make", without_its_package)
    with pytest.raises(ValueError, match=r"cannot make LunarLander-v3: DependencyNotInstalled: Box2D is not installed"):
        make_task("LunarLander-v3")


def test_what_is_no_environment_is_refused() -> None:
    with pytest.raises(TypeError, match="environment must be a name, an id or a World, but is 3"):
        make_task(3)
    with pytest.raises(TypeError, match="a World is built already and takes neither arguments nor a discount"):
        make_task(build("LineWalk"), size=3)
    with pytest.raises(ValueError, match="discount must be in"):
        make_task("CartPole-v1", discount=1.5)
