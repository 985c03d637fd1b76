"""Stable-Baselines3 takes every environment as it is: learn, save, load, evaluate, without a warning."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import rl_envs
from rl_envs.registry import WORLDS, world_id

IDS = [world_id(name, one_hot=one_hot) for name in WORLDS for one_hot in (False, True)]
SETTINGS = {
    DQN: {"learning_starts": 20, "buffer_size": 200, "train_freq": 8, "batch_size": 16},
    A2C: {"n_steps": 8},
    PPO: {"n_steps": 32, "batch_size": 16, "n_epochs": 1},
}


@pytest.mark.parametrize("env_id", IDS)
def test_the_checker_has_nothing_to_say(env_id: str) -> None:
    check_env(gym.make(env_id), warn=True, skip_render_check=True)


@pytest.mark.parametrize("algorithm", SETTINGS, ids=lambda algorithm: algorithm.__name__)
@pytest.mark.parametrize("env_id", IDS)
def test_an_algorithm_learns_saves_loads_and_is_evaluated(env_id: str, algorithm: type, tmp_path: Path) -> None:
    env = Monitor(gym.make(env_id, max_episode_steps=25))
    if algorithm is DQN and not isinstance(env.action_space, gym.spaces.Discrete):
        with pytest.raises(AssertionError, match="only supports"):  # and there is a Discrete twin for it
            algorithm("MlpPolicy", env)
        return
    model = algorithm("MlpPolicy", env, seed=0, device="cpu", policy_kwargs={"net_arch": [8]}, **SETTINGS[algorithm])
    model.learn(64)
    model.save(tmp_path / "model.zip")
    loaded = algorithm.load(tmp_path / "model.zip", env=env, device="cpu")
    everywhere = loaded.env.observation_space
    observation = np.array([everywhere.sample() for _ in range(5)])
    np.testing.assert_array_equal(
        model.predict(observation, deterministic=True)[0], loaded.predict(observation, deterministic=True)[0]
    )
    mean, _ = evaluate_policy(loaded, env, n_eval_episodes=2)
    assert np.isfinite(mean)
    answer = rl_envs.truth(env_id)
    assert answer.worst_value - 1e-9 <= answer.value(loaded) <= answer.optimal_value + 1e-9


def test_vectorised_copies_report_their_episodes_and_success() -> None:
    env = DummyVecEnv(
        [lambda: Monitor(gym.make("rl_envs/LineWalk-v0"), info_keywords=("is_success",)) for _ in range(3)]
    )
    env.seed(0)
    env.reset()
    for _ in range(5):
        _, _, dones, infos = env.step(np.ones(3, dtype=np.int64))
    assert dones.all()
    for info in infos:
        assert info["episode"]["r"] == 1.0
        assert info["episode"]["l"] == 5
        assert info["episode"]["is_success"] == 1
        assert info["terminal_observation"] == 10
        assert info["TimeLimit.truncated"] is False
