"""Stable-Baselines3's agents behind the interface."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, DQN

from baselines.agents import sb3
from baselines.agents.sb3 import SB3A2C, SB3DQN
from baselines.learning.transition import Transition
from baselines.system.atomic_files import StorageError
from baselines.training.loop import train

BOTH = (SB3DQN, SB3A2C)


@pytest.mark.parametrize("cls", BOTH)
def test_it_is_trained_and_scored_exactly_at_each_checkpoint(cls: type[sb3.SB3Agent]) -> None:
    agent = cls("LineWalk", runs=2, seed=0)
    curve = train(agent, steps=120, checkpoints=3)
    np.testing.assert_array_equal(curve.steps, [0, 40, 80, 120])
    assert curve.scores.shape == (4, 2)
    assert curve.exact
    assert curve.seconds > 0
    assert agent.steps == 120
    truth = agent.task.truth
    np.testing.assert_array_equal(curve.scores[-1], [truth.score(model) for model in agent.models])
    np.testing.assert_array_equal(curve.scores[-1], truth.score(agent.policy()))
    seen = np.array([3, 7])
    greedy = agent.policy().argmax(axis=2)[[0, 1], seen]
    np.testing.assert_array_equal(agent.act(seen, greedy=True), greedy)


@pytest.mark.parametrize("cls", BOTH)
def test_a_run_does_not_depend_on_the_others_nor_on_the_process(cls: type[sb3.SB3Agent]) -> None:
    pair, alone = cls("RandomMDP", runs=2, seed=3), cls("RandomMDP", runs=range(1, 2), seed=3)
    both = train(pair, steps=400, checkpoints=4).scores
    random.seed(1)
    torch.manual_seed(1)
    np.testing.assert_array_equal(train(alone, steps=400, checkpoints=4).scores[:, 0], both[:, 1])
    for name, array in alone.state().items():
        if name.startswith("parameters"):
            np.testing.assert_array_equal(array[0], pair.state()[name][1])
            if array.size > 1:
                assert not np.array_equal(pair.state()[name][0], pair.state()[name][1])


@pytest.mark.parametrize("cls", BOTH)
def test_global_generators_and_threads_are_put_back(cls: type[sb3.SB3Agent]) -> None:
    torch.set_num_threads(2)
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    agent = cls("LineWalk", runs=1)
    train(agent, steps=40, checkpoints=1)
    agent.act(np.array([3]))
    after = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_equal(before[1], after[1])
    assert torch.equal(before[2], after[2])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


@pytest.mark.parametrize("cls", BOTH)
def test_a_saved_agent_acts_as_before(cls: type[sb3.SB3Agent], tmp_path: Path) -> None:
    agent = cls("LineWalk", runs=2, seed=0)
    train(agent, steps=80, checkpoints=1)
    agent.save(tmp_path / "agent")
    loaded = cls.load(tmp_path / "agent")
    np.testing.assert_array_equal(loaded.policy(), agent.policy())
    with pytest.raises(ValueError, match=f"{cls.__name__} is trained in one call, but has been trained for 80 steps"):
        train(loaded, steps=10)
    other = {SB3DQN: SB3A2C, SB3A2C: SB3DQN}[cls]
    with pytest.raises(StorageError, match=f"holds an agent of class {cls.__name__}, not {other.__name__}"):
        other.load(tmp_path / "agent")


def test_our_loop_s_update_is_refused() -> None:
    step = Transition(*[np.zeros(1)] * 6)
    with pytest.raises(TypeError, match=r"SB3DQN trains in its library's own loop: call train\(agent, steps=...\)"):
        SB3DQN("LineWalk").update(step)


def test_the_preset_of_defaults_is_the_librarys() -> None:
    dqn = SB3DQN("LineWalk", config=SB3DQN.PRESETS["defaults"]).models[0]
    a2c = SB3A2C("LineWalk", config=SB3A2C.PRESETS["defaults"]).models[0]
    for ours, theirs, names in (
        (
            dqn,
            DQN("MlpPolicy", dqn.get_env(), device="cpu"),
            "learning_rate buffer_size learning_starts batch_size train_freq gradient_steps target_update_interval "
            "exploration_initial_eps exploration_final_eps exploration_fraction tau max_grad_norm",
        ),
        (
            a2c,
            A2C("MlpPolicy", a2c.get_env(), device="cpu"),
            "learning_rate n_steps gae_lambda ent_coef vf_coef max_grad_norm normalize_advantage",
        ),
    ):
        for name in names.split():
            assert getattr(ours, name) == getattr(theirs, name), name
        shapes = [{name: p.shape for name, p in model.policy.state_dict().items()} for model in (ours, theirs)]
        assert shapes[0] == shapes[1]
        assert ours.gamma == 0.95  # the world's own


def test_epsilon_falls_over_environment_steps_however_long_the_training() -> None:
    config = sb3.SB3DQNConfig(epsilon_steps=100, final_epsilon=0.1)
    for steps in (50, 200):
        agent = SB3DQN("LineWalk", config=config)
        train(agent, steps=steps, checkpoints=1)
        # The library sets it after a rollout of 4 steps, at the latest.
        expected = max(0.1, 1 - 0.9 * steps / 100)
        assert agent.models[0].exploration_rate == pytest.approx(expected, abs=0.05)


def test_without_a_table_the_score_is_a_mean_return() -> None:
    agent = SB3A2C("CartPole-v1", runs=1)
    curve = train(agent, steps=40, checkpoints=1, episodes=2)
    assert not curve.exact
    assert (curve.scores >= 8).all()
    with pytest.raises(TypeError, match="CartPole-v1 has no table"):
        agent.policy()


def test_actions_of_several_choices_are_refused() -> None:
    with pytest.raises(TypeError, match="the actions of RobotGraspMulti must be Discrete"):
        SB3DQN("RobotGraspMulti")
