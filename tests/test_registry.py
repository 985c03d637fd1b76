"""The registry: ids, limits, thresholds and tables that only change with the version, and how a world is named."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec

from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_horizon import best_finite_horizon_values, finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.registry import NAMESPACE, WORLDS, build, world_id
from rl_envs.worlds.line_walk import line_walk
from tests import second_method

REPOSITORY = Path(__file__).parent.parent
NAMES = list(WORLDS)
IDS = [world_id(name, one_hot=one_hot) for name in NAMES for one_hot in (False, True)]

# The first 16 digits of the `content_hash` of each id. An id promises one table for ever: where its test fails, raise
# the version in the registry, and write the new hash beside the new id here.
TABLES = {
    "LineWalk-v0": "8162897a4e2f54b8",
    "LineBalance-v0": "581b1dd30921ebbf",
    "RandomMDP-v0": "253e023c39c58fbb",
    "Bandit-v0": "836e987de1bf133e",
    "BernoulliBandit-v0": "830429233bf5a667",
    "BanditTestbed-v0": "236962ec26f2eca2",
    "RandomWalk-v0": "4adfeca713d64d74",
    "SubtaskGrid-v0": "1f3ca18a540904f2",
    "FourRooms-v0": "f59f650e7f710de8",
    "RobotGrasp-v0": "e0c54da912772847",
    "RobotGraspMulti-v0": "290709afbf3aa776",
    "RobotGraspJoint-v0": "290709afbf3aa776",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_table_only_changes_with_its_version(name):
    label = world_id(name).removeprefix(f"{NAMESPACE}/")
    assert build(name).mdp.content_hash[:16] == TABLES[label], f"the table of {label} changed: raise its version"


def test_every_world_has_its_hash_and_no_other():
    assert set(TABLES) == {world_id(name).removeprefix(f"{NAMESPACE}/") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_reward_threshold_is_95_percent_of_the_way_from_random_to_optimal(name):
    entry, mdp = WORLDS[name], build(name).mdp
    uniform = second_method.uniform(mdp)
    if entry.max_episode_steps is None:
        assert mdp.discount == 1  # so that the values are the returns of whole episodes
        best, random = solve(mdp).v_star, evaluate_policy(mdp, uniform)
        second = (second_method.best_values(mdp, 2000), second_method.values(mdp, uniform))
    else:
        horizon = entry.max_episode_steps
        best, random = best_finite_horizon_values(mdp, horizon), finite_horizon_values(mdp, uniform, horizon)
        second = (second_method.best_within(mdp, horizon), second_method.uniform_within(mdp, horizon))
    for optimal, at_random in ((best, random), second):
        low, high = mdp.start @ at_random, mdp.start @ optimal
        assert entry.reward_threshold == pytest.approx(low + 0.95 * (high - low), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_registered_time_limit_is_the_builders(name):
    assert WORLDS[name].max_episode_steps == build(name).max_episode_steps
    for one_hot in (False, True):
        assert gym.spec(world_id(name, one_hot=one_hot)).max_episode_steps == build(name).max_episode_steps


@pytest.mark.parametrize("name", NAMES)
def test_a_world_carries_the_name_it_is_registered_under(name):
    assert build(name).name == name


def test_ids_have_a_namespace_a_name_and_a_version():
    assert world_id("LineWalk") == "rl_envs/LineWalk-v0"
    assert world_id("LineWalk", one_hot=True) == "rl_envs/LineWalkOneHot-v0"


@pytest.mark.parametrize("env_id", IDS)
def test_every_id_is_registered_by_strings_and_with_a_threshold(env_id):
    spec = gym.spec(env_id)
    assert spec.entry_point == "rl_envs.envs.tabular_env:TabularEnv"
    assert spec.vector_entry_point == "rl_envs.envs.tabular_vector_env:TabularVectorEnv"
    assert spec.reward_threshold is not None


@pytest.mark.parametrize("env_id", IDS)
def test_a_spec_goes_through_json(env_id):
    spec = gym.spec(env_id)
    json.dumps(spec.kwargs)
    again = EnvSpec.from_json(spec.to_json())
    assert again == spec
    assert gym.make(again).unwrapped.world.mdp == gym.make(env_id).unwrapped.world.mdp


@pytest.mark.parametrize(
    ("env_id", "arguments"),
    [
        ("rl_envs/LineBalance-v0", {"start": "uniform", "discount": 0.5}),
        ("rl_envs/RandomMDP-v0", {"num_states": 7, "branching": 2, "model_seed": 3}),
        ("rl_envs/Bandit-v0", {"means": [0.0, 1.0], "std": 1.0}),
        ("rl_envs/BernoulliBandit-v0", {"probabilities": [0.5, 1.0]}),
        ("rl_envs/RandomWalk-v0", {"num_states": 5, "max_jump": 1, "observation": "position"}),
        ("rl_envs/RobotGrasp-v0", {"target": [-6, 0], "slip": 0.1, "observation": "angles"}),
    ],
)
def test_an_environment_made_with_arguments_is_made_again_from_its_spec_in_json(env_id, arguments):
    env = gym.make(env_id, **arguments)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.world.mdp == env.unwrapped.world.mdp != gym.make(env_id).unwrapped.world.mdp
    assert again.observation_space == env.observation_space


@pytest.mark.parametrize("env_id", IDS)
def test_a_spec_goes_through_pickle(env_id):
    spec = gym.spec(env_id)
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize("name", NAMES)
def test_a_world_goes_through_pickle(name):
    world = build(name)
    again = pickle.loads(pickle.dumps(world))
    assert again.mdp == world.mdp
    assert again.action_names == world.action_names
    assert again.observation.space == world.observation.space


def test_an_id_with_its_module_needs_no_import():
    code = "import gymnasium; print(gymnasium.make('rl_envs:rl_envs/LineWalk-v0').spec.id)"
    assert _python(code) == "rl_envs/LineWalk-v0"


def test_importing_the_package_builds_no_table():
    builders = sorted({entry.builder.split(":")[0] for entry in WORLDS.values()})
    assert len(builders) > 5
    assert _python(f"import sys, rl_envs; print([m for m in {builders} if m in sys.modules])") == "[]"


def _python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    return done.stdout.strip()


def test_arguments_of_the_user_go_before_those_of_the_id():
    assert build("RobotGraspJoint").simultaneous == ()
    assert build("RobotGraspJoint", joint_action=False).simultaneous == (4, 4, 4)
    assert gym.make("rl_envs/LineWalkOneHot-v0", observation="index").observation_space == gym.spaces.Discrete(11)


def test_a_world_that_is_built_is_given_back():
    world = line_walk(size=3)
    assert build(world) is world


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: build("LineWolk"), ValueError, "unknown world 'LineWolk'. Did you mean 'LineWalk'?"),
        (lambda: build("robotgrasp"), ValueError, "unknown world 'robotgrasp'. Did you mean 'RobotGrasp'?"),
        (lambda: build("zzz"), ValueError, "unknown world 'zzz'. Known: LineWalk, LineBalance, RandomMDP"),
        (lambda: build("LineWalk", sise=3), TypeError, "unknown argument of LineWalk 'sise'. Did you mean 'size'?"),
        (
            lambda: build("RandomMDP", seed=3),
            TypeError,
            "unknown argument of RandomMDP 'seed'. Did you mean 'model_seed'?",
        ),
        (lambda: build(3), TypeError, "world must be a World or the name of a registered one, but is 3"),
        (
            lambda: build(line_walk(), size=3),
            TypeError,
            "a World is built already and takes no arguments, but got size",
        ),
        (lambda: gym.make("rl_envs/LineWalk-v0", sise=3), TypeError, "unknown argument of LineWalk 'sise'"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_gymnasium_knows_the_namespace_of_a_misspelt_id():
    with pytest.raises(gym.error.NameNotFound, match=r"Did you mean: `LineWalk`\?"):
        gym.make("rl_envs/LineWolk-v0")
