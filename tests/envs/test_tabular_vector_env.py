"""The native vector environment: bit for bit SyncVectorEnv over single copies, and clear about misuse."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import Error, InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rl_envs
from rl_envs.envs.checks import Lockstep, check_vector_env
from rl_envs.envs.flat_table import FlatTable
from rl_envs.envs.random_streams import BLOCK
from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.envs.tabular_vector_env import TabularVectorEnv
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.registry import WORLDS, world_id
from rl_envs.worlds.world import World
from tests.strategies import observation_of, random_table, spec_of, tables, world_of, worlds

MODES = list(AutoresetMode)
NEXT_STEP, SAME_STEP, DISABLED = AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED


def pair(world: World, num_envs: int, mode: AutoresetMode = NEXT_STEP, **arguments: Any) -> Lockstep:
    """The native vector environment and SyncVectorEnv of one world, side by side."""
    spec = spec_of(world)
    native = gym.make_vec(spec, num_envs, "vector_entry_point", autoreset_mode=mode, **arguments)
    reference = gym.make_vec(spec, num_envs, "sync", vector_kwargs={"autoreset_mode": mode}, **arguments)
    return Lockstep(native, reference)


def everything(seed: int = 3, **changes: Any) -> World:
    """Chance, noise, random first states, padding, a goal, numbers in info, terminations and truncations."""
    mdp = random_table(seed, num_states=5, num_outcomes=4, terminating=0.15, noisy=True, num_starts=2)
    generator = np.random.default_rng(seed)
    parts: dict[str, Any] = {
        "max_episode_steps": 9,
        "goal_states": np.array([True, False, True, False, True]),
        "action_info": {"regret": generator.standard_normal((5, 2)), "cost": generator.random((5, 2))},
    }
    return world_of(mdp, **{**parts, **changes})


def assert_same(left: Any, right: Any) -> None:
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        left, right = tuple(left.values()), tuple(right.values())
    if isinstance(left, (tuple, list)):
        assert len(left) == len(right)
        for a, b in zip(left, right):
            assert_same(a, b)
    elif isinstance(left, np.ndarray) and left.dtype == object:
        assert_same(tuple(left), tuple(right))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


def walk(env: VectorEnv, num_steps: int, seed: int = 0) -> list[Any]:
    """What an environment returns for random actions; copies that have ended are reset in mode DISABLED."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(num_steps):
        actions = generator.integers(env.single_action_space.n, size=env.num_envs)
        rows.append(env.step(actions))
        ended = rows[-1][2] | rows[-1][3]
        if env.metadata["autoreset_mode"] is DISABLED and ended.any():
            rows.append(env.reset(options={"reset_mask": ended}))
    return rows


# --- equal to SyncVectorEnv ---------------------------------------------------------------------------------------


# With which arguments both kinds of ending come often, where a world has both.
SETTINGS: list[tuple[str, dict[str, Any], bool]] = [
    ("LineWalk-v0", {"max_episode_steps": 14}, True),
    ("LineWalk-v0", {"slip": 0.3, "max_episode_steps": 14}, True),
    ("LineWalkOneHot-v0", {"slip": 0.1, "size": 2, "max_episode_steps": 4}, True),
    ("LineBalance-v0", {"start": "uniform"}, True),
    ("RandomMDP-v0", {"max_episode_steps": 13}, False),
    ("RandomMDP-v0", {"num_states": 30, "num_actions": 4, "branching": 3, "max_episode_steps": 13}, False),
    ("Bandit-v0", {"std": 0.5, "max_episode_steps": 7}, False),
    ("BernoulliBandit-v0", {"max_episode_steps": 7}, False),
    ("BanditTestbed-v0", {"num_problems": 20, "max_episode_steps": 7}, False),
    ("RandomWalk-v0", {"num_states": 9, "max_jump": 4, "observation": "position", "max_episode_steps": 5}, True),
    ("RobotGrasp-v0", {"slip": 0.2, "max_episode_steps": 30}, False),
    ("RobotGraspMulti-v0", {"num_angles": 4, "target": [3, 3], "max_episode_steps": 20}, False),
]


@pytest.mark.parametrize(("env_id", "arguments", "terminates"), SETTINGS, ids=lambda value: str(value))
def test_registered_worlds_equal_sync_vector_env_over_thousands_of_steps(
    env_id: str, arguments: dict[str, Any], terminates: bool
) -> None:
    seen = check_vector_env(f"rl_envs/{env_id}", num_envs=3, num_steps=1000, seed=11, **arguments)
    assert [comparison.autoreset_mode for comparison in seen] == MODES
    for comparison in seen:
        assert comparison.num_truncated > 20
        assert comparison.num_terminated > 20 or not terminates


@pytest.mark.parametrize("env_id", [world_id(name, one_hot=one_hot) for name in WORLDS for one_hot in (False, True)])
def test_every_registered_id_equals_sync_vector_env(env_id: str) -> None:
    for seen in check_vector_env(env_id, num_envs=2, num_steps=100, max_episode_steps=9):
        assert seen.num_truncated > 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["index", "labels", "multi_discrete", "box", "one_hot"])
def test_everything_at_once_equals_sync_vector_env(kind: str, seed: int) -> None:
    observation = observation_of(kind, 5, np.random.default_rng(seed))
    for seen in check_vector_env(spec_of(everything(seed, observation=observation)), num_steps=400, seed=seed):
        assert seen.num_truncated > 10
        assert seen.num_terminated > 10


@settings(max_examples=80)
@given(world=worlds(), num_envs=st.integers(1, 4), seed=st.integers(0, 2**31), mode=st.sampled_from(MODES))
def test_random_worlds_equal_sync_vector_env(world: World, num_envs: int, seed: int, mode: AutoresetMode) -> None:
    check_vector_env(spec_of(world), num_envs=num_envs, num_steps=40, seed=seed, autoreset_modes=[mode])


@settings(max_examples=80)
@given(data=st.data(), world=worlds(), num_envs=st.integers(1, 3), mode=st.sampled_from(MODES))
def test_any_order_of_calls_equals_sync_vector_env(
    data: st.DataObject, world: World, num_envs: int, mode: AutoresetMode
) -> None:
    """Resets with every kind of seed, mask and state between steps."""
    both = pair(world, num_envs, mode)
    seeds = (
        st.none() | st.integers(0, 9) | st.lists(st.none() | st.integers(0, 9), min_size=num_envs, max_size=num_envs)
    )
    live = np.flatnonzero(~world.mdp.terminal_states).tolist()
    first = True
    ended = np.zeros(num_envs, dtype=np.bool_)
    both.reference.action_space.seed(0)
    for call in ["reset", *data.draw(st.lists(st.sampled_from(["step", "step", "step", "reset"]), max_size=25))]:
        if call == "step" and not (mode is DISABLED and ended.any()):
            _, _, terminations, truncations, _ = both.step(both.reference.action_space.sample())
            ended = terminations | truncations
            continue
        options: dict[str, Any] = {"unknown": 1} if data.draw(st.booleans()) else {}
        if data.draw(st.booleans()):
            options["state"] = data.draw(st.sampled_from(live))
        if not first and data.draw(st.booleans()):
            mask = np.array(data.draw(st.lists(st.booleans(), min_size=num_envs, max_size=num_envs)))
            mask[data.draw(st.integers(0, num_envs - 1))] = True
            options["reset_mask"] = mask
        both.reset(seed=data.draw(seeds) if not first else data.draw(st.integers(0, 9)), options=options or None)
        ended &= ~options.get("reset_mask", np.ones(num_envs, dtype=np.bool_))
        first = False


@pytest.mark.parametrize("num_envs", [1, 7])
def test_copy_i_walks_as_one_environment_seeded_with_the_sum(num_envs: int) -> None:
    """Against `gym.make` itself, with nothing of Gymnasium's vector code in between."""
    spec = spec_of(everything())
    native = gym.make_vec(spec, num_envs, autoreset_mode="SameStep")
    observations, _ = native.reset(seed=40)
    singles = [gym.make(spec) for _ in range(num_envs)]
    for i, single in enumerate(singles):
        assert single.reset(seed=40 + i)[0] == observations[i]
    generator = np.random.default_rng(1)
    for _ in range(300):
        actions = generator.integers(2, size=num_envs)
        observations, rewards, terminations, truncations, infos = native.step(actions)
        for i, single in enumerate(singles):
            observation, reward, terminated, truncated, info = single.step(actions[i])
            assert (reward, terminated, truncated) == (rewards[i], terminations[i], truncations[i])
            if terminated or truncated:
                assert infos["final_obs"][i] == observation
                assert infos["final_info"]["regret"][i] == info["regret"]
                assert infos["final_info"]["is_success"][i] == info["is_success"]
                observation, info = single.reset()
            assert observations[i] == observation
            assert infos["is_success"][i] == info["is_success"]


def test_numbers_read_ahead_stay_in_step_over_many_blocks() -> None:
    both = pair(everything(), 3)
    both.reset(seed=5)
    actions = np.random.default_rng(0).integers(2, size=(3 * BLOCK, 3))
    for row in actions:
        both.step(row)


def test_a_copy_is_the_same_whatever_their_number() -> None:
    few, many = (TabularVectorEnv(everything(), n, autoreset_mode=SAME_STEP) for n in (3, 50))
    few.reset(seed=1)
    many.reset(seed=1)
    for actions in np.random.default_rng(0).integers(2, size=(60, 50)):
        assert_same(few.step(actions[:3])[1], many.step(actions)[1][:3])


@given(mdp=tables(max_outcomes=9), seed=st.integers(0, 2**31))
def test_the_search_in_many_rows_draws_what_bisection_draws_in_each(mdp: FiniteMDP, seed: int) -> None:
    """Also for numbers exactly on an edge of the cumulative distribution and next to one."""
    flat = FlatTable(world_of(mdp))
    generator = np.random.default_rng(seed)
    num_pairs = mdp.num_states * mdp.num_actions
    pairs = generator.integers(num_pairs, size=60)
    edges = mdp.cumulative.reshape(num_pairs, -1)[pairs, generator.integers(mdp.num_outcomes, size=60)]
    numbers = np.concatenate([generator.random(20), edges[20:40], np.nextafter(edges[40:], 0)])
    numbers = np.minimum(numbers, np.nextafter(1, 0))
    rows = mdp.cumulative.reshape(num_pairs, -1)
    expected = [p * mdp.num_outcomes + np.searchsorted(rows[p], u, side="right") for p, u in zip(pairs, numbers)]
    drawn = flat.draw(pairs, numbers)
    np.testing.assert_array_equal(drawn, expected)
    assert (mdp.probability.reshape(-1)[drawn] > 0).all()


def test_sampled_outcomes_have_the_frequencies_of_the_table() -> None:
    mdp = random_table(7, num_states=3, num_actions=2, num_outcomes=5, terminating=0.0)
    num_envs, num_steps = 500, 40
    env = TabularVectorEnv(world_of(mdp), num_envs)
    states, _ = env.reset(seed=21)
    generator = np.random.default_rng(2)
    visits = np.zeros((3, 2, 3))
    for _ in range(num_steps):
        actions = generator.integers(2, size=num_envs)
        arrived = env.step(actions)[0]
        np.add.at(visits, (states, actions, arrived), 1)
        states = arrived
    for s, a in np.ndindex(3, 2):
        expected = np.zeros(3)
        np.add.at(expected, mdp.next_state[s, a], mdp.probability[s, a])
        assert not visits[s, a][expected == 0].any()
        possible = expected > 0
        if visits[s, a].sum() and possible.sum() > 1:
            observed = visits[s, a][possible]
            assert stats.chisquare(observed, expected[possible] * observed.sum()).pvalue > 1e-4


def test_first_states_have_the_frequencies_of_the_table() -> None:
    mdp = random_table(4, num_states=6, num_starts=4)
    env = TabularVectorEnv(world_of(mdp), 500)
    states = [env.reset(seed=9)[0], *(env.reset()[0] for _ in range(7))]
    counts = np.bincount(np.concatenate(states), minlength=6)
    possible = mdp.start > 0
    assert not counts[~possible].any()
    assert stats.chisquare(counts[possible], mdp.start[possible] * 4000).pvalue > 1e-4


# --- the vector environment itself --------------------------------------------------------------------------------


def test_make_vec_builds_it_by_default_and_the_specification_makes_it_again() -> None:
    env = gym.make_vec("rl_envs/LineWalk-v0", 3, slip=0.2, autoreset_mode="SameStep")
    assert type(env) is TabularVectorEnv
    assert env.max_episode_steps == 100
    again = gym.make_vec(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert (again.num_envs, again.autoreset_mode, again.world.mdp) == (3, SAME_STEP, env.world.mdp)


def test_vector_env_is_a_direct_base() -> None:
    assert VectorEnv in TabularVectorEnv.__bases__


def test_the_package_offers_it_by_name() -> None:
    assert rl_envs.TabularVectorEnv is TabularVectorEnv


def test_spaces_are_the_batches_of_the_single_ones() -> None:
    reference = gym.make_vec("rl_envs/RobotGraspMulti-v0", 3, "sync")
    native = gym.make_vec("rl_envs/RobotGraspMulti-v0", 3)
    for name in ("single_observation_space", "single_action_space", "observation_space", "action_space"):
        assert getattr(native, name) == getattr(reference, name)
    observations, _ = native.reset(seed=0)
    assert native.observation_space.contains(observations)


def test_two_environments_of_one_world_do_not_share_the_generators_of_their_spaces() -> None:
    world = everything()
    for kind in (TabularEnv, TabularVectorEnv):
        first, second = kind(world), kind(world)
        first.action_space.seed(0)
        alone = [first.action_space.sample() for _ in range(20)]
        first.action_space.seed(0)
        second.action_space.seed(1)
        between = []
        for _ in range(20):
            between.append(first.action_space.sample())
            second.action_space.sample()
        assert_same(between, alone)
    single = TabularVectorEnv(world)
    assert single.single_action_space is not world.action_space
    assert single.single_observation_space is not world.observation.space


@pytest.mark.parametrize("mode", MODES)
def test_the_autoreset_mode_is_taken_as_enum_or_string_and_told_in_metadata(mode: AutoresetMode) -> None:
    for given_mode in (mode, mode.value):
        env = TabularVectorEnv("LineWalk", 2, autoreset_mode=given_mode)
        assert env.autoreset_mode is mode
        assert env.metadata["autoreset_mode"] is mode
    assert TabularVectorEnv.metadata["autoreset_mode"] is NEXT_STEP


def test_metadata_is_a_copy() -> None:
    env = TabularVectorEnv("LineWalk", 2)
    env.metadata["render_modes"].append("human")
    env.metadata["render_fps"] = 0
    assert TabularVectorEnv.metadata["render_modes"] == ["rgb_array", "ansi"]
    assert TabularVectorEnv.metadata["render_fps"] > 0


def test_an_unknown_autoreset_mode_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"unknown autoreset_mode 'Samestep'. Did you mean 'SameStep'\?"):
        TabularVectorEnv("LineWalk", autoreset_mode="Samestep")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_envs": 0}, ValueError, "num_envs must be at least 1, but is 0"),
        ({"num_envs": 2.0}, TypeError, "num_envs must be an integer, but is 2.0"),
        ({"max_episode_steps": 0}, ValueError, r"max_episode_steps must be in 1..\d+, but is 0"),
        ({"max_episode_steps": -2}, ValueError, r"max_episode_steps must be in 1..\d+, but is -2"),
        ({"max_episode_steps": 1.5}, TypeError, "max_episode_steps must be an integer, but is 1.5"),
        ({"world": "LineWlak"}, ValueError, r"unknown world 'LineWlak'. Did you mean 'LineWalk'\?"),
        ({"slipp": 0.1}, TypeError, r"unknown argument of LineWalk 'slipp'. Did you mean 'slip'\?"),
        ({"render_mode": "rgb"}, ValueError, r"unknown render_mode 'rgb'. Did you mean 'rgb_array'\?"),
        ({"render_overlay": "vlaue"}, ValueError, "vlaue"),
        ({"render_mode": "human"}, ValueError, "render_mode 'human' is for one copy: wrap .*HumanRendering"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TabularVectorEnv(**{"world": "LineWalk", **arguments})


def test_the_time_limit_is_the_worlds_own_unless_another_or_none_is_asked_for() -> None:
    def length(**arguments: Any) -> int:
        env = TabularVectorEnv("RandomMDP", 1, **arguments)
        env.reset(seed=0)
        ends = [step for step in range(1, 301) if env.step(np.array([0]))[3][0]]
        return ends[0] if ends else 0

    assert length() == length(max_episode_steps=None) == 100
    assert length(max_episode_steps=1) == 1
    assert length(max_episode_steps=7) == 7
    assert length(max_episode_steps=-1) == 0


@pytest.mark.parametrize("limit", [None, -1, 3])
def test_the_time_limit_is_understood_as_in_gym_make(limit: int | None) -> None:
    for seen in check_vector_env("rl_envs/RandomMDP-v0", num_envs=2, num_steps=450, max_episode_steps=limit):
        assert (seen.num_truncated > 0) == (limit != -1)


def test_an_episode_may_be_terminated_and_truncated_by_the_same_step() -> None:
    env = TabularVectorEnv("LineWalk", 1, max_episode_steps=5)
    env.reset(seed=0)
    for _ in range(4):
        _, _, terminations, truncations, _ = env.step(np.array([1]))
        assert not terminations[0]
        assert not truncations[0]
    observations, rewards, terminations, truncations, infos = env.step(np.array([1]))
    assert terminations[0]
    assert truncations[0]
    assert (observations[0], rewards[0], infos["is_success"][0]) == (10, 1.0, 1)


def test_next_step_resets_at_the_step_after_the_end_whatever_the_action() -> None:
    env = TabularVectorEnv("LineWalk", 2, size=1)
    env.reset(seed=0)
    assert env.step(np.array([1, 0]))[2].all()
    observations, rewards, terminations, truncations, infos = env.step(np.array([1, 1]))
    assert_same(observations, np.array([1, 1]))
    assert_same(rewards, np.zeros(2))
    assert not (terminations | truncations).any()
    assert_same(infos, {"is_success": np.zeros(2, np.int8), "_is_success": np.ones(2, np.bool_)})


def test_same_step_tells_the_end_in_final_obs_and_final_info() -> None:
    env = TabularVectorEnv("LineWalk", 3, size=2, autoreset_mode="SameStep")
    env.reset(seed=0)
    assert "final_obs" not in env.step(np.array([1, 1, 0]))[4]
    observations, rewards, terminations, _, infos = env.step(np.array([1, 0, 0]))
    assert_same(observations, np.array([2, 2, 2]))
    assert_same(rewards, np.array([1.0, 0.0, 0.0]))
    assert_same(terminations, np.array([True, False, True]))
    assert infos["final_obs"].tolist() == [4, None, 0]
    mask = np.array([True, False, True])
    assert_same(infos["_final_obs"], mask)
    assert_same(infos["_final_info"], mask)
    assert_same(infos["final_info"], {"is_success": np.array([1, 0, 0], np.int8), "_is_success": mask})
    assert_same(infos["is_success"], np.zeros(3, np.int8))


def test_disabled_refuses_a_step_while_a_copy_has_ended() -> None:
    env = TabularVectorEnv("LineWalk", 3, size=1, start=0, autoreset_mode="Disabled")
    env.reset(seed=0)
    env.step(np.array([1, 0, 1]))
    twin = copy.deepcopy(env)
    with pytest.raises(
        ResetNeeded, match=r"the episode of copy 0 has ended: in autoreset mode Disabled, reset it with"
    ):
        env.step(np.array([0, 0, 0]))
    env.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(ResetNeeded, match="the episode of copy 1 has ended"):
        env.step(np.array([0, 0, 0]))
    twin.reset(options={"reset_mask": np.array([True, False, True])})
    for one in (env, twin):
        one.reset(options={"reset_mask": np.array([False, True, False])})
    assert_same(env.step(np.array([0, 1, 1])), twin.step(np.array([0, 1, 1])))


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before the first step\(\)"):
        TabularVectorEnv("LineWalk", 2).step(np.array([0, 0]))


# --- actions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_actions",
    [
        np.array([1, 0, 1], np.int32),
        np.array([1, 0, 1], np.uint8),
        np.array([1, 0, 1], np.uint64),
        np.array([1, 0, 1], ">i8"),
        np.array([1, 0, 1, 9, 0, 9], np.int64)[[0, 1, 2]],
        np.array([1, 5, 0, 5, 1, 5], np.int64)[::2],
        [1, 0, 1],
        (np.int64(1), 0, np.array(1)),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'dtype', '')}",
)
def test_every_kind_of_integers_is_accepted_and_left_as_it_was(given_actions: Any) -> None:
    env, twin = (TabularVectorEnv("LineWalk", 3, slip=0.2) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    before = copy.deepcopy(given_actions)
    for _ in range(20):
        assert_same(env.step(given_actions), twin.step(np.array([1, 0, 1])))
    assert_same(given_actions, before)


BAD_ACTIONS = [
    (np.array([0, 2, 1]), r"must be in Discrete\(2\), but 2 is out of range in copy 1"),
    (np.array([0, 1, -1]), r"must be in Discrete\(2\), but -1 is out of range in copy 2"),
    (np.array([-(2**63), 0, 0]), "is out of range in copy 0"),
    (np.array([0, 0, 2**64 - 1], np.uint64), "18446744073709551615 is out of range in copy 2"),
    (np.array([0, 7, 1], np.int32), "7 is out of range in copy 1"),
    ([0, 1, 5], "5 is out of range in copy 2"),
    (np.array([0.0, 1.0, 1.0]), r"must be an integer of Discrete\(2\), but .* of type array of float64"),
    (np.array([0, np.nan, 1]), "of type array of float64"),
    (np.array([True, False, True]), "of type array of bool"),
    (np.array(["a", "b", "c"]), "of type array of <U1"),
    (np.array([0, 1]), r"must have shape \(3,\), but .* has shape \(2,\)"),
    (np.array([[0, 1, 0]]), r"must have shape \(3,\), but .* has shape \(1, 3\)"),
    (np.array(1), r"must have shape \(3,\), but .* has shape \(\)"),
    (1, r"must have shape \(3,\), but 1 has shape \(\)"),
    (None, "must be an integer"),
    ([[0], [1, 0], 1], r"must be integers of shape \(3,\)"),
    ([0, 1, None], "must be an integer"),
]


@pytest.mark.parametrize(("actions", "message"), BAD_ACTIONS, ids=[repr(actions) for actions, _ in BAD_ACTIONS])
@pytest.mark.parametrize("mode", [NEXT_STEP, SAME_STEP])
def test_bad_actions_are_refused_and_leave_the_state_as_it_was(actions: Any, message: str, mode: AutoresetMode) -> None:
    env, twin = (TabularVectorEnv(everything(), 3, autoreset_mode=mode) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=0)
        walk(one, 12)
    with pytest.raises(InvalidAction, match=message):
        env.step(actions)
    assert_same(walk(env, 30, seed=1), walk(twin, 30, seed=1))


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.array([[0, 0, 0], [0, 4, 0]]), "4 is out of range in copy 1"),
        (np.array([[0, 0, -1], [0, 0, 0]]), "-1 is out of range in copy 0"),
        (np.array([0, 0]), r"must have shape \(2, 3\), but .* has shape \(2,\)"),
        (np.zeros((2, 3)), "of type array of float64"),
    ],
)
def test_bad_rows_of_simultaneous_choices_are_refused(actions: np.ndarray, message: str) -> None:
    env = gym.make_vec("rl_envs/RobotGraspMulti-v0", 2)
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match=message):
        env.step(actions)


# --- resets -------------------------------------------------------------------------------------------------------


def test_an_unseeded_first_reset_draws_fresh_entropy_for_every_copy() -> None:
    first, second = (TabularVectorEnv(everything(), 40) for _ in range(2))
    first.reset()
    second.reset()
    assert len({*first.np_random_seed, *second.np_random_seed}) == 80
    generator = np.random.default_rng(0)
    actions = generator.integers(2, size=(10, 40))
    assert any((first.step(row)[1] != second.step(row)[1]).any() for row in actions)


def test_a_later_unseeded_reset_goes_on_with_the_same_generators() -> None:
    env, twin = (TabularVectorEnv(everything(), 4) for _ in range(2))
    env.reset(seed=3)
    twin.reset(seed=3)
    seeds = env.np_random_seed
    first, second = env.reset(), env.reset()
    assert_same((first, second), (twin.reset(), twin.reset()))
    assert seeds == env.np_random_seed == (3, 4, 5, 6)


def test_generators_and_seeds_are_tuples_as_in_sync_vector_env() -> None:
    both = pair(everything(), 3)
    both.reset(seed=12)
    assert both.native.np_random_seed == both.reference.np_random_seed == (12, 13, 14)
    assert isinstance(both.native.np_random, tuple)
    assert [type(generator) for generator in both.native.np_random] == [np.random.Generator] * 3
    both.reset(seed=[None, 99, None])
    assert both.native.np_random_seed == both.reference.np_random_seed == (12, 99, 14)


def test_generators_exist_before_the_first_reset_and_are_the_ones_it_uses() -> None:
    env = TabularVectorEnv(everything(), 2)
    generators, seeds = env.np_random, env.np_random_seed
    twin = TabularVectorEnv(everything(), 2)
    assert_same(env.reset(), twin.reset(seed=list(seeds)))
    assert env.np_random == generators


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        ([1, 2], ValueError, "a list of seeds must have one for each of 3 copies, but has 2"),
        (-1, Error, "greater or equal to zero, actual value: -1"),
        ([0, -5, 1], Error, "greater or equal to zero, actual value: -5"),
        ([0, 1.5, 1], Error, "Seed must be a python integer"),
        (np.int64(3), TypeError, "seed must be an int, a list of them or None, but is"),
        ("abc", TypeError, "seed must be an int, a list of them or None, but is 'abc'"),
        (1.5, TypeError, "seed must be an int, a list of them or None, but is 1.5"),
    ],
)
def test_impossible_seeds_are_refused_and_leave_the_state_as_it_was(
    seed: Any, error: type[Exception], message: str
) -> None:
    env, twin = (TabularVectorEnv(everything(), 3) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=0)
        walk(one, 5)
    with pytest.raises(error, match=message):
        env.reset(seed=seed)
    assert env.np_random_seed == (0, 1, 2)
    assert_same(walk(env, 20, seed=1), walk(twin, 20, seed=1))


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        ([True, False, True], TypeError, r"options\['reset_mask'\] must be a NumPy array of bools, but is list"),
        (np.array([1, 0, 1]), TypeError, "must be a NumPy array of bools, but is array of int64"),
        (None, TypeError, "must be a NumPy array of bools, but is NoneType"),
        (np.array([True, False]), ValueError, r"must have shape \(3,\), but has \(2,\)"),
        (np.zeros(3, np.bool_), ValueError, "must be True for at least one copy, but is nowhere"),
    ],
)
def test_impossible_masks_are_refused(mask: Any, error: type[Exception], message: str) -> None:
    env, twin = (TabularVectorEnv(everything(), 3) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(error, match=message):
        env.reset(seed=5, options={"reset_mask": mask})
    assert_same(walk(env, 20), walk(twin, 20))


def test_the_first_reset_must_be_of_all_copies() -> None:
    env = TabularVectorEnv("LineWalk", 3)
    with pytest.raises(ResetNeeded, match="the first reset must be of all 3 copies, but the mask has 2"):
        env.reset(options={"reset_mask": np.array([True, False, True])})
    env.reset(options={"reset_mask": np.ones(3, np.bool_)})


def test_the_options_stay_as_they_were_passed() -> None:
    env = TabularVectorEnv("LineWalk", 2)
    env.reset(seed=0)
    mask = np.array([True, False])
    options = {"reset_mask": mask, "state": 3, "else": 1}
    _, infos = env.reset(options=options)
    infos["_is_success"][:] = False
    assert list(options) == ["reset_mask", "state", "else"]
    assert_same(mask, np.array([True, False]))


def test_a_masked_reset_leaves_the_other_copies_alone() -> None:
    env, twin = (TabularVectorEnv(everything(), 3) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=0)
    for actions in np.random.default_rng(0).integers(2, size=(30, 3)):
        left, right = env.step(actions), twin.step(actions)
        for mine, theirs in zip(left[:4], right[:4]):
            assert_same(mine[[0, 2]], theirs[[0, 2]])
        observations, infos = env.reset(options={"reset_mask": np.array([False, True, False])})
        assert_same(observations[[0, 2]], left[0][[0, 2]])
        assert_same(infos["_is_success"], np.array([False, True, False]))


def test_every_copy_starts_in_the_state_asked_for() -> None:
    env = TabularVectorEnv("LineBalance", 3, start="uniform")
    assert env.reset(seed=0, options={"state": 2})[0].tolist() == [2, 2, 2]


def test_an_impossible_state_is_refused_before_anything_changes() -> None:
    env, twin = (TabularVectorEnv("LineWalk", 2, slip=0.3) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    for state, message in ((0, "but 0 is terminal"), (11, "in 0..10, but is 11")):
        with pytest.raises(ValueError, match=message):
            env.reset(seed=7, options={"state": state})
    assert_same(walk(env, 20), walk(twin, 20))


# --- state, copies, randomness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_in_mid_episode_goes_on_as_the_original(
    mode: AutoresetMode, duplicate: Callable[[VectorEnv], VectorEnv]
) -> None:
    for world in (everything(), everything(observation=observation_of("one_hot", 5, np.random.default_rng(0)))):
        env = TabularVectorEnv(world, 4, autoreset_mode=mode)
        env.reset(seed=8)
        for steps in (3, 11, BLOCK):
            walk(env, steps)
            twin = duplicate(env)
            assert_same(walk(twin, 40, seed=5), walk(env, 40, seed=5))
            assert_same(twin.reset(), env.reset())


@pytest.mark.parametrize("mode", MODES)
def test_the_state_goes_through_a_file_of_arrays_into_another_environment(mode: AutoresetMode, tmp_path: Path) -> None:
    env = TabularVectorEnv(everything(), 4, autoreset_mode=mode)
    env.reset(seed=8)
    walk(env, 17)
    np.savez(tmp_path / "state.npz", **env.get_state())
    other = TabularVectorEnv(everything(), 4, autoreset_mode=mode)
    other.set_state(np.load(tmp_path / "state.npz"))
    assert_same(walk(other, BLOCK + 20, seed=5), walk(env, BLOCK + 20, seed=5))
    assert_same(other.reset(), env.reset())


def test_a_state_can_be_gone_back_to_and_does_not_change_meanwhile() -> None:
    env = TabularVectorEnv(everything(), 3)
    env.reset(seed=2)
    saved = env.get_state()
    first = walk(env, 30)
    env.set_state(saved)
    assert_same(walk(env, 30), first)
    env.set_state(saved)
    assert_same(walk(env, 30), first)


def test_there_is_no_state_before_the_first_reset() -> None:
    with pytest.raises(ResetNeeded, match=r"no state before the first reset\(\)"):
        TabularVectorEnv("LineWalk", 2).get_state()


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    env, twin = (TabularVectorEnv(everything(), 3) for _ in range(2))
    more, other = TabularVectorEnv(everything(), 4), TabularVectorEnv("LineWalk", 3)
    for one in (env, twin, more, other):
        one.reset(seed=2)
    good = env.get_state()
    bad = [more.get_state(), other.get_state(), {}, {**good, "else": good["row"]}, {**good, "row": None}, None, 3]
    for saved in bad:
        with pytest.raises(ValueError, match=r"the state must come from get_state\(\) of 3 copies of this Random"):
            env.set_state(saved)
    assert_same(walk(env, 20), walk(twin, 20))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"size": 7}, "world"),
        ({"discount": 0.5}, "world"),
        ({"autoreset_mode": AutoresetMode.SAME_STEP}, "autoreset_mode"),
    ],
)
def test_a_state_of_the_same_shape_but_another_table_or_mode_is_refused(changes: dict[str, Any], part: str) -> None:
    env, other = TabularVectorEnv("LineWalk", 3), TabularVectorEnv("LineWalk", 3, **changes)
    env.reset(seed=0)
    other.reset(seed=0)
    with pytest.raises(ValueError, match=f"3 copies of this LineWalk in autoreset mode NextStep, .* fit in '{part}'"):
        env.set_state(other.get_state())


def test_copies_do_not_share_what_changes() -> None:
    env = TabularVectorEnv(everything(), 3)
    env.reset(seed=1)
    expected = walk(copy.deepcopy(env), 20)
    walk(copy.deepcopy(env), 50, seed=9)
    assert_same(walk(env, 20), expected)


def test_a_pickle_does_not_carry_the_tables_twice() -> None:
    env = TabularVectorEnv("RandomMDP", 2, num_states=60, num_actions=5)
    assert len(pickle.dumps(env)) < 2 * len(pickle.dumps(env.world))


@pytest.mark.parametrize("mode", MODES)
def test_returned_arrays_belong_to_the_caller(mode: AutoresetMode) -> None:
    """Overwriting all that was returned changes nothing that comes later."""

    def overwrite(result: Any) -> None:
        if isinstance(result, dict):
            result = tuple(result.values())
        if isinstance(result, tuple):
            for part in result:
                overwrite(part)
        elif isinstance(result, np.ndarray) and result.dtype == object:
            overwrite(tuple(result))
        elif isinstance(result, np.ndarray):
            result[...] = 1

    for kind in ("index", "box", "labels"):
        world = everything(observation=observation_of(kind, 5, np.random.default_rng(0)))
        env, twin = (TabularVectorEnv(world, 3, autoreset_mode=mode) for _ in range(2))
        overwrite(env.reset(seed=0))
        twin.reset(seed=0)
        actions = np.random.default_rng(0).integers(2, size=(60, 3))
        for row in actions:
            given_actions = row.copy()
            mine, theirs = env.step(given_actions), twin.step(row)
            assert_same(mine, theirs)
            ended = mine[2] | mine[3]
            overwrite(mine)
            given_actions[:] = 0
            if mode is DISABLED and ended.any():
                overwrite(env.reset(options={"reset_mask": ended.copy()}))
                twin.reset(options={"reset_mask": ended})


def test_the_global_generators_are_not_used() -> None:
    import random

    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002 - it is the one that must not move
    env = TabularVectorEnv(everything(), 3)
    env.reset()
    walk(env, 50)
    assert_same(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


def test_a_world_without_chance_draws_nothing() -> None:
    env = TabularVectorEnv("LineWalk", 2)
    env.reset(seed=5)
    walk(env, 50)
    assert [generator.random() for generator in env.np_random] == [np.random.default_rng(s).random() for s in (5, 6)]


# --- drawing and wrappers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_frames_equal_those_of_sync_vector_env(mode: AutoresetMode) -> None:
    both = pair(everything(), 3, mode, render_mode="ansi")
    both.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(40):
        frames = both.native.render()
        assert isinstance(frames, tuple)
        assert frames == both.reference.render()
        _, _, terminations, truncations, _ = both.step(generator.integers(2, size=3))
        ended = terminations | truncations
        if mode is DISABLED and ended.any():
            both.reset(options={"reset_mask": ended})


def test_pictures_equal_those_of_sync_vector_env() -> None:
    pytest.importorskip("pygame")
    native = gym.make_vec("rl_envs/LineWalk-v0", 2, render_mode="rgb_array", render_overlay="visits")
    reference = gym.make_vec("rl_envs/LineWalk-v0", 2, "sync", render_mode="rgb_array", render_overlay="visits")
    both = Lockstep(native, reference)
    both.reset(seed=0)
    for actions in ([0, 1], [1, 1], [0, 0]):
        both.step(np.array(actions))
        frames = native.render()
        assert frames[0].dtype == np.uint8
        assert_same(frames, reference.render())
    native.close()
    native.close()
    reference.close()


def test_drawing_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded, match="nothing to draw before the first reset"):
        TabularVectorEnv("LineWalk", 2, render_mode="ansi").render()


def test_drawing_without_a_mode_warns() -> None:
    env = TabularVectorEnv("LineWalk", 2)
    env.reset()
    with pytest.warns(UserWarning, match="draws nothing without a mode"):
        assert env.render() is None


def test_an_environment_that_draws_can_be_pickled() -> None:
    env = TabularVectorEnv("LineWalk", 2, render_mode="ansi")
    env.reset(seed=0)
    env.step(np.array([0, 1]))
    assert pickle.loads(pickle.dumps(env)).render() == env.render()


def wrappers() -> list[Callable[[VectorEnv], VectorEnv]]:
    from gymnasium.wrappers import vector

    return [
        vector.RecordEpisodeStatistics,
        vector.DictInfoToList,
        lambda env: vector.TransformReward(env, lambda rewards: 2 * rewards),
        lambda env: vector.FlattenObservation(env),
    ]


@pytest.mark.parametrize("wrap", wrappers(), ids=["statistics", "list of infos", "reward", "flat observation"])
def test_gymnasiums_vector_wrappers_see_what_they_see_in_sync_vector_env(wrap: Callable[..., VectorEnv]) -> None:
    both = pair(everything(), 3)
    native, reference = wrap(both.native), wrap(both.reference)

    def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Without the time in seconds, which is never the same."""
        infos = row[-1]
        if isinstance(infos, dict) and "episode" in infos:
            del infos["episode"]["t"]
        return row

    assert_same(plain(native.reset(seed=0)), plain(reference.reset(seed=0)))
    for actions in np.random.default_rng(0).integers(2, size=(60, 3)):
        assert_same(plain(native.step(actions)), plain(reference.step(actions)))


# --- Gymnasium's versions -----------------------------------------------------------------------------------------


def test_importing_the_package_does_not_import_it() -> None:
    import subprocess

    modules = ("rl_envs.envs.tabular_vector_env", "rl_envs.envs.flat_table")
    code = f"import sys, rl_envs; print(*(name in sys.modules for name in {modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_an_old_gymnasium_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(gym.vector, "AutoresetMode")
    monkeypatch.setattr(gym, "__version__", "0.29.1")
    monkeypatch.delitem(sys.modules, "rl_envs.envs.tabular_vector_env")
    message = "needs gymnasium 1.1 or newer, which has AutoresetMode, but 0.29.1 is installed"
    with pytest.raises(ImportError, match=message):
        import rl_envs.envs.tabular_vector_env  # noqa: F401
    with pytest.raises(ImportError, match=message):
        gym.make_vec("rl_envs/LineWalk-v0", 2)


def test_sync_vector_env_of_the_same_id_still_works() -> None:
    assert isinstance(gym.make_vec("rl_envs/LineWalk-v0", 2, "sync"), SyncVectorEnv)
