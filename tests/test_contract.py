"""The contract of tests/contract.py over every registered id, and over settings that the ids alone do not reach."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import rl_envs
from rl_envs.registry import WORLDS, world_id
from tests.contract import CHECKS, Make

REPOSITORY = Path(__file__).parent.parent
IDS = [world_id(name, one_hot=one_hot) for name in WORLDS for one_hot in (False, True)]

# Beside the defaults: chance, noise, random starts, and every kind of observation and control.
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((env_id, {}) for env_id in IDS),
    ("rl_envs/LineWalk-v0", {"slip": 0.3, "size": 3, "start": -1, "discount": 1.0}),
    ("rl_envs/LineBalance-v0", {"start": "uniform", "size": 3}),
    ("rl_envs/RandomMDP-v0", {"num_states": 50, "num_actions": 4, "branching": 3, "model_seed": 7}),
    ("rl_envs/Bandit-v0", {"std": 1.0}),
    ("rl_envs/BernoulliBandit-v0", {"probabilities": [0.5, 1.0, 0.0]}),
    ("rl_envs/BanditTestbed-v0", {"num_arms": 3, "num_problems": 20, "model_seed": 1}),
    ("rl_envs/RandomWalk-v0", {"num_states": 19, "max_jump": 1}),
    ("rl_envs/RandomWalk-v0", {"observation": "position"}),
    ("rl_envs/SubtaskGrid-v0", {"slip": 0.2, "observation": "features"}),
    ("rl_envs/SubtaskGrid-v0", {"observation": "view"}),
    ("rl_envs/SubtaskGrid-v0", {"map": ["S.K", "##D", "G.."], "observation": "one_hot"}),
    ("rl_envs/FourRooms-v0", {"observation": "features"}),
    ("rl_envs/FourRooms-v0", {"observation": "view", "goal": [1, 1], "noise": 0.0}),
    ("rl_envs/RobotGrasp-v0", {"slip": 0.1, "observation": "angles"}),
    ("rl_envs/RobotGraspMulti-v0", {"slip": 0.1, "num_angles": 4}),
    ("rl_envs/RobotGraspJoint-v0", {"slip": 0.1, "num_angles": 4}),
]


def make_of(env_id: str, arguments: dict[str, Any]) -> Make:
    return lambda: gym.make(env_id, **arguments)


def name_of(setting: tuple[str, dict[str, Any]]) -> str:
    env_id, arguments = setting
    return ",".join([env_id.removeprefix("rl_envs/"), *(f"{k}={v}" for k, v in arguments.items())])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("setting", SETTINGS, ids=name_of)
def test_every_environment_keeps_the_contract(
    check: Callable[[Make], None], setting: tuple[str, dict[str, Any]]
) -> None:
    check(make_of(*setting))


def test_every_world_has_a_one_hot_twin_that_is_a_box() -> None:
    for name in WORLDS:
        twin = gym.make(world_id(name, one_hot=True))
        assert isinstance(twin.observation_space, gym.spaces.Box)
        assert twin.unwrapped.world.mdp == gym.make(world_id(name)).unwrapped.world.mdp


def test_every_world_of_simultaneous_choices_has_a_twin_with_one_choice() -> None:
    """Built in, because some libraries read the spaces of `env.unwrapped`."""
    worlds = [rl_envs.build(name) for name in WORLDS]
    several = [world for world in worlds if isinstance(world.action_space, gym.spaces.MultiDiscrete)]
    assert several
    for world in several:
        twin = gym.spaces.Discrete(world.mdp.num_actions)
        assert any(other.action_space == twin and other.mdp == world.mdp for other in worlds), world.name


def test_an_id_with_its_module_needs_no_import() -> None:
    code = "import gymnasium as gym; env = gym.make('rl_envs:rl_envs/LineWalk-v0'); print(env.reset(seed=0)[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "5"


def test_play_is_the_function_whatever_was_imported_first() -> None:
    module = importlib.import_module("rl_envs.rendering.keyboard")
    assert rl_envs.play is module.play


def test_importing_the_package_stays_light() -> None:
    """Heavy libraries are imported where they are used; scipy alone would more than double `import gymnasium`."""
    heavy = ["scipy", "pygame", "pettingzoo", "matplotlib", "torch", "pandas", "stable_baselines3", "baselines"]
    code = (
        "import sys, gymnasium; before = set(sys.modules); import rl_envs; "
        f"print([m for m in {heavy} if m in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "[]"


def test_every_check_of_the_contract_can_fail() -> None:
    """Each one is caught at least once by tests/test_faults.py, which names the check that must catch each fault."""
    from tests.test_faults import FAULTS

    assert {fault.caught_by for fault in FAULTS} >= {check.__name__ for check in CHECKS}
