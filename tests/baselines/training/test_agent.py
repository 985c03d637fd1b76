"""The interface of agents, and saving and loading."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from baselines.agents.dqn import DQN
from baselines.agents.optimal import Optimal
from baselines.agents.q_learning import QLearning
from baselines.agents.random_policy import Random
from baselines.agents.tabular import TabularConfig
from baselines.system.atomic_files import StorageError
from baselines.training.agent import Agent
from baselines.training.loop import evaluate, train
from tests.baselines.checks import small_world

AGENTS = (Random, Optimal, QLearning)
WORLDS = ("LineWalk", "RandomMDP", "Bandit:std")


def make(cls: type[Agent], world: str, runs: int | range = 3, seed: int = 4) -> Agent:
    name, _, noisy = world.partition(":")
    from baselines.training.task import make_task

    return cls(make_task(name, std=1.0) if noisy else make_task(name), runs=runs, seed=seed)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("cls", AGENTS)
def test_a_run_resumed_from_a_file_equals_an_unbroken_one(cls: type[Agent], world: str, tmp_path: Path) -> None:
    unbroken, broken = make(cls, world), make(cls, world)
    for steps in (333, 500):
        train(unbroken, steps=steps, checkpoints=2)
        evaluate(unbroken, episodes=1, max_steps=20)
    train(broken, steps=333, checkpoints=2)
    evaluate(broken, episodes=1, max_steps=20)
    broken.save(tmp_path / "agent.safetensors")
    resumed = cls.load(tmp_path / "agent.safetensors")
    train(resumed, steps=500, checkpoints=2)
    evaluate(resumed, episodes=1, max_steps=20)
    unbroken.save(tmp_path / "unbroken.safetensors")
    resumed.save(tmp_path / "resumed.safetensors")
    assert (tmp_path / "unbroken.safetensors").read_bytes() == (tmp_path / "resumed.safetensors").read_bytes()


def test_a_loaded_agent_knows_its_config_its_runs_and_its_schedules(tmp_path: Path) -> None:
    config = TabularConfig(epsilon=0.5, epsilon_steps=100, initial_value=2.0)
    agent = QLearning("LineWalk", runs=range(5, 8), seed=9, config=config)
    train(agent, steps=40, checkpoints=1)
    agent.save(tmp_path / "agent")
    loaded = QLearning.load(tmp_path / "agent")
    assert (loaded.config, loaded.runs, loaded.seed, loaded.steps) == (config, range(5, 8), 9, 40)
    assert loaded.epsilon == agent.epsilon
    np.testing.assert_array_equal(loaded.updates, agent.updates)
    np.testing.assert_array_equal(loaded.policy(), agent.policy())


def test_an_agent_that_never_trained_can_be_saved(tmp_path: Path) -> None:
    agent = QLearning("LineWalk", runs=2)
    agent.save(tmp_path / "agent")
    loaded = QLearning.load(tmp_path / "agent")
    for each in (agent, loaded):
        train(each, steps=50, checkpoints=1)
    np.testing.assert_array_equal(loaded.q, agent.q)


def test_the_file_says_what_made_it(tmp_path: Path) -> None:
    make(QLearning, "LineWalk").save(tmp_path / "agent")
    content = (tmp_path / "agent").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    about = json.loads(header["__metadata__"]["rl_envs"])
    assert about["agent"] == "QLearning"
    assert about["config"]["step_size"] == TabularConfig().step_size
    assert about["seed"] == 4
    assert {"rl_envs", "numpy", "gymnasium", "python"} <= set(about["versions"])


def test_a_world_that_is_not_registered_is_passed_on_loading(tmp_path: Path) -> None:
    def outcomes(state: int, action: int) -> list[tuple[float, int, float, bool]]:
        return [(1.0, 1 - state, float(action), state == 1)]

    world = small_world(outcomes, num_states=2, num_actions=2, limit=None)
    agent = QLearning(world, runs=2)
    train(agent, steps=30, checkpoints=1)
    agent.save(tmp_path / "agent")
    np.testing.assert_array_equal(QLearning.load(tmp_path / "agent", task=world).q, agent.q)
    with pytest.raises(StorageError, match="was trained on another table than that of LineWalk: pass its own as task="):
        QLearning.load(tmp_path / "agent", task="LineWalk")
    with pytest.raises(StorageError, match="was trained on Small, which is not registered: pass it as task="):
        QLearning.load(tmp_path / "agent")


def test_without_a_table_the_name_tells_one_world_from_another(tmp_path: Path) -> None:
    agent = DQN("CartPole-v1", runs=1)
    agent.save(tmp_path / "agent")
    assert DQN.load(tmp_path / "agent", task="CartPole-v1").task.name == "CartPole-v1"
    with pytest.raises(StorageError, match="was trained on CartPole-v1, not on MountainCar-v0: pass its own as task="):
        DQN.load(tmp_path / "agent", task="MountainCar-v0")


def saved(tmp_path: Path) -> Path:
    make(QLearning, "LineWalk").save(tmp_path / "agent")
    return tmp_path / "agent"


def test_the_file_of_another_agent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds an agent of class QLearning, not Random"):
        Random.load(saved(tmp_path))


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_file_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StorageError, match="agent is cut short or is no safetensors file"):
        QLearning.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*nothing: No such file"):
        QLearning.load(tmp_path / "nothing")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    path.write_bytes(pickle.dumps({"q": np.zeros(3)}))
    with pytest.raises(StorageError, match="is cut short or is no safetensors file"):
        QLearning.load(path)


def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    save_file({"q": np.zeros(3)}, tmp_path / "agent")
    with pytest.raises(StorageError, match="is a safetensors file, but not one that an agent was saved to"):
        QLearning.load(tmp_path / "agent")


def rewrite(path: Path, *, arrays: dict[str, np.ndarray] | None = None, **about: object) -> None:
    """Change parts of a saved agent."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    described = {**json.loads(header["__metadata__"]["rl_envs"]), **about}
    save_file({**load_file(path), **(arrays or {})}, path, metadata={"rl_envs": json.dumps(described)})


def test_arrays_of_the_wrong_shape_kind_or_name_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    rewrite(path, arrays={"q": np.zeros((3, 10, 2))})
    with pytest.raises(StorageError, match=r"q must have shape \(3, 11, 2\) and dtype float64, but .* \(3, 10, 2\)"):
        QLearning.load(path)
    rewrite(path, arrays={"q": np.zeros((3, 11, 2), dtype=np.float32)})
    with pytest.raises(StorageError, match="and float32"):
        QLearning.load(path)
    rewrite(path, arrays={"q": np.zeros((3, 11, 2)), "more": np.zeros(1)})
    with pytest.raises(StorageError, match=r"must hold the arrays .*, but holds .*more"):
        QLearning.load(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 99}, "has file format 99, but this version reads format 2"),
        ({"agent_version": 99}, "holds version 99 of QLearning, but this is version 1"),
        ({"table": "0" * 64}, "was trained on another table than that of LineWalk"),
        ({"config": {"alpha": 1}}, "does not fit the Config of QLearning: alpha, epsilon"),
    ],
    ids=lambda value: "",
)
def test_a_file_of_another_version_is_refused(changed: dict[str, object], message: str, tmp_path: Path) -> None:
    path = saved(tmp_path)
    rewrite(path, **changed)
    with pytest.raises(StorageError, match=message):
        QLearning.load(path)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"runs": 0}, ValueError, "runs must be at least 1, but is 0"),
        ({"runs": range(0)}, ValueError, "runs must be consecutive numbers"),
        ({"runs": range(0, 4, 2)}, ValueError, "runs must be consecutive numbers"),
        ({"runs": range(-1, 2)}, ValueError, "runs must be consecutive numbers"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"config": 3}, TypeError, "the config of QLearning must be a QLearning.Config, but is 3"),
    ],
    ids=str,
)
def test_an_agent_is_not_made_of_nonsense(given: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        QLearning("LineWalk", **given)
