"""One copy of a world: what it returns, what it draws from its generator, and how it answers misuse."""

from __future__ import annotations

import copy
import json
import pickle
import random
import warnings
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import Error, InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rl_envs.envs.random_streams import noise_generator
from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.worlds.world import World
from tests.strategies import observation_of, random_action, random_table, world_of, worlds


def everything(seed: int = 3, **changes: Any) -> World:
    """Chance, noise, random first states, padding, a goal and numbers in info."""
    mdp = random_table(seed, num_states=5, num_outcomes=4, terminating=0.15, noisy=True, num_starts=2)
    generator = np.random.default_rng(seed)
    parts: dict[str, Any] = {
        "goal_states": np.array([True, False, True, False, True]),
        "action_info": {"regret": generator.standard_normal((5, 2)), "cost": generator.random((5, 2))},
    }
    return world_of(mdp, **{**parts, **changes})


def walk(env: gym.Env, num_steps: int, seed: int = 0) -> list[Any]:
    """What an environment returns for random actions, with a reset after each end."""
    generator = np.random.default_rng(seed)
    rows: list[Any] = []
    for _ in range(num_steps):
        rows.append(env.step(random_action(env, generator)))
        if rows[-1][2] or rows[-1][3]:
            rows.append(env.reset())
    return rows


def assert_same(left: Any, right: Any) -> None:
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        left, right = tuple(left.values()), tuple(right.values())
    if isinstance(left, (tuple, list)):
        assert len(left) == len(right)
        for a, b in zip(left, right):
            assert_same(a, b)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


# --- the walk -----------------------------------------------------------------------------------------------------


def test_the_line_is_walked_to_its_paying_end() -> None:
    env = TabularEnv("LineWalk", size=2)
    assert env.reset(seed=0) == (2, {"is_success": 0})
    assert env.step(1) == (3, 0.0, False, False, {"is_success": 0})
    assert env.step(0) == (2, 0.0, False, False, {"is_success": 0})
    assert env.step(1) == (3, 0.0, False, False, {"is_success": 0})
    assert env.step(1) == (4, 1.0, True, False, {"is_success": 1})


@given(world=worlds(), seed=st.integers(0, 2**31))
def test_a_random_world_is_walked_by_the_rule_of_its_table(world: World, seed: int) -> None:
    """Against a walk written out here: one uniform a step where there is chance, one a reset where starts differ."""
    mdp = world.mdp
    env = TabularEnv(world)
    generator = np.random.default_rng(seed)
    noise = noise_generator(generator) if mdp.reward_std is not None else None
    starts = np.flatnonzero(mdp.start)

    def first_state() -> int:
        if len(starts) == 1:
            return int(starts[0])
        return int(starts[np.searchsorted(np.cumsum(mdp.start[starts])[:-1], generator.random(), side="right")])

    def check_reset(returned: tuple[Any, dict[str, Any]], state: int) -> None:
        observation, info = returned
        np.testing.assert_array_equal(observation, world.observation.of(state))
        assert info == {
            **dict.fromkeys(world.action_info, 0.0),
            **({} if world.goal_states is None else {"is_success": 0}),
        }

    state = first_state()
    check_reset(env.reset(seed=seed), state)
    actions = np.random.default_rng(seed + 1)
    for _ in range(40):
        given_action = random_action(env, actions)
        action = int(np.ravel_multi_index(given_action, world.simultaneous)) if world.simultaneous else given_action
        k = bisect_right(mdp.cumulative[state, action].tolist(), generator.random()) if mdp.num_outcomes > 1 else 0
        reward = mdp.reward[state, action, k]
        if noise is not None:
            reward += mdp.reward_std[state, action, k] * noise.standard_normal()
        arrived, terminated = int(mdp.next_state[state, action, k]), bool(mdp.terminated[state, action, k])
        expected = {name: table[state, action] for name, table in world.action_info.items()}
        if world.goal_states is not None:
            expected["is_success"] = int(terminated and world.goal_states[arrived])

        observation, *rest = env.step(given_action)
        np.testing.assert_array_equal(observation, world.observation.of(arrived))
        assert rest == [reward, terminated, False, expected]
        state = arrived
        if terminated:
            state = first_state()
            check_reset(env.reset(), state)


@pytest.mark.parametrize("kind", ["index", "labels", "multi_discrete", "box", "one_hot"])
def test_gymnasiums_checker_has_nothing_to_say(kind: str) -> None:
    for simultaneous in ((), (1, 2)):
        world = everything(observation=observation_of(kind, 5, np.random.default_rng(0)), simultaneous=simultaneous)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(TabularEnv(world), skip_render_check=True)


def test_values_have_the_types_that_libraries_expect() -> None:
    env = TabularEnv(everything())
    observation, info = env.reset(seed=0)
    assert type(observation) is int
    for row in walk(env, 50):
        info = row[-1]
        assert type(row[0]) is int
        if len(row) == 5:
            assert [type(value) for value in row[1:4]] == [float, bool, bool]
        assert [(name, type(value)) for name, value in info.items()] == [
            ("regret", np.float64),
            ("cost", np.float64),
            ("is_success", np.int8),
        ]


@pytest.mark.parametrize("kind", ["box", "multi_discrete", "one_hot"])
def test_what_was_returned_belongs_to_the_caller(kind: str) -> None:
    world = everything(observation=observation_of(kind, 5, np.random.default_rng(0)))
    env, twin = TabularEnv(world), TabularEnv(world)
    for one in (env, twin):
        one.reset(seed=1)
    generator = np.random.default_rng(0)
    for _ in range(50):
        action = int(generator.integers(2))
        mine, theirs = env.step(action), twin.step(action)
        assert_same(mine, theirs)
        mine[0][:] = 0
        mine[4].clear()
        if mine[2]:
            observation, info = env.reset()
            assert_same((observation, info), twin.reset())
            observation[:] = 0
            info.clear()


def test_sampled_outcomes_and_rewards_follow_the_table() -> None:
    mdp = random_table(8, num_states=3, num_actions=2, num_outcomes=4, terminating=0.2, noisy=True)
    env = TabularEnv(world_of(mdp))
    env.reset(seed=77)
    draws = 3000
    for s, a in np.ndindex(3, 2):
        seen: dict[tuple[int, bool], int] = {}
        rewards = []
        for _ in range(draws):
            env.reset(options={"state": s})
            state, reward, terminated, _, _ = env.step(a)
            seen[state, terminated] = seen.get((state, terminated), 0) + 1
            rewards.append(reward)
        expected: dict[tuple[int, bool], float] = {}
        for k in np.flatnonzero(mdp.probability[s, a]):
            key = (int(mdp.next_state[s, a, k]), bool(mdp.terminated[s, a, k]))
            expected[key] = expected.get(key, 0.0) + mdp.probability[s, a, k]
        assert set(seen) <= set(expected)
        often = [key for key in expected if expected[key] * draws > 5]
        if len(often) > 1:
            observed = np.array([seen.get(key, 0) for key in often])
            weights = np.array([expected[key] for key in often])
            assert stats.chisquare(observed, weights / weights.sum() * observed.sum()).pvalue > 1e-4
        assert mdp.reward_std is not None
        spread = mdp.probability[s, a] @ ((mdp.reward[s, a] - mdp.mean_reward[s, a]) ** 2 + mdp.reward_std[s, a] ** 2)
        assert abs(np.mean(rewards) - mdp.mean_reward[s, a]) < 4.5 * np.sqrt(spread / draws)


def test_first_states_follow_their_distribution() -> None:
    mdp = random_table(5, num_states=6, num_starts=4)
    env = TabularEnv(world_of(mdp))
    counts = np.bincount([env.reset(seed=3)[0], *(env.reset()[0] for _ in range(3999))], minlength=6)
    possible = mdp.start > 0
    assert not counts[~possible].any()
    assert stats.chisquare(counts[possible], mdp.start[possible] * 4000).pvalue > 1e-4


# --- seeds, generators, copies ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_walk_and_another_one_another() -> None:
    env = TabularEnv(everything())

    def of(seed: int) -> list[Any]:
        return [env.reset(seed=seed), *walk(env, 60)]

    first = of(5)
    assert_same(of(5), first)
    assert [row[1] for row in of(6)] != [row[1] for row in first]


def test_an_unseeded_reset_goes_on_with_the_generator_there_is() -> None:
    env, twin = TabularEnv(everything()), TabularEnv(everything())
    env.reset(seed=4)
    twin.reset(seed=4)
    generator = env.np_random
    rows = [[*walk(one, 20), one.reset(), *walk(one, 20, seed=1)] for one in (env, twin)]
    assert_same(*rows)
    assert env.np_random is generator


def test_an_unseeded_first_reset_draws_fresh_entropy() -> None:
    walks = []
    for _ in range(2):
        env = TabularEnv(everything())
        env.reset()
        walks.append([row[1] for row in walk(env, 20)])
    assert walks[0] != walks[1]


def test_a_world_without_chance_draws_nothing() -> None:
    env = TabularEnv("LineWalk")
    env.reset(seed=9)
    walk(env, 60)
    assert env.np_random.random() == np.random.default_rng(9).random()


def test_a_generator_put_in_by_the_user_is_used_from_the_next_reset_on() -> None:
    env, twin = TabularEnv(everything()), TabularEnv(everything())
    env.reset(seed=0)
    walk(env, 10)
    env.np_random = np.random.default_rng(31)
    assert_same(env.reset(), twin.reset(seed=31))
    assert_same(walk(env, 40), walk(twin, 40))


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_an_impossible_seed_is_refused_and_changes_nothing(seed: Any) -> None:
    env, twin = TabularEnv(everything()), TabularEnv(everything())
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(Error, match=r"[Ss]eed"):
        env.reset(seed=seed)
    assert_same(walk(env, 20), walk(twin, 20))


def test_the_global_generators_are_not_used() -> None:
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002 - it is the one that must not move
    env = TabularEnv(everything())
    env.reset()
    walk(env, 50)
    assert_same(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]


COPIES: dict[str, Callable[[gym.Env], gym.Env]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_in_mid_episode_goes_on_as_the_original(duplicate: Callable[[gym.Env], gym.Env]) -> None:
    for kind in ("index", "one_hot"):
        env = TabularEnv(everything(observation=observation_of(kind, 5, np.random.default_rng(0))))
        env.reset(seed=8)
        for steps in (0, 1, 7, 30):
            walk(env, steps)
            twin = duplicate(env)
            expected = walk(duplicate(env), 40, seed=5)
            assert_same(walk(twin, 40, seed=5), expected)
            assert_same(walk(env, 40, seed=5), expected)
            assert_same(twin.reset(), env.reset())


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_made_through_the_wrappers_keeps_the_time_limit_too(duplicate: Callable[[gym.Env], gym.Env]) -> None:
    env = gym.make("rl_envs/RandomMDP-v0", max_episode_steps=6)
    env.reset(seed=1)
    for _ in range(4):
        env.step(0)
    twin = duplicate(env)
    for one in (env, twin):
        assert not one.step(0)[3]
        assert one.step(0)[3]


def test_a_copy_before_the_first_reset_needs_one_too() -> None:
    for duplicate in COPIES.values():
        with pytest.raises(ResetNeeded):
            duplicate(TabularEnv("LineWalk")).step(0)


@settings(max_examples=40)
@given(world=worlds(), seed=st.integers(0, 2**31), num_steps=st.integers(0, 12))
def test_the_state_goes_through_json_into_another_copy(world: World, seed: int, num_steps: int) -> None:
    env, other = TabularEnv(world), TabularEnv(world)
    env.reset(seed=seed)
    walk(env, num_steps)
    other.set_state(json.loads(json.dumps(env.get_state())))
    assert_same([*walk(other, 20), other.reset(), *walk(other, 20)], [*walk(env, 20), env.reset(), *walk(env, 20)])


def test_a_state_can_be_gone_back_to_and_does_not_change_meanwhile() -> None:
    env = TabularEnv(everything())
    env.reset(seed=2)
    saved = env.get_state()
    first = walk(env, 30)
    for _ in range(2):
        env.set_state(saved)
        assert_same(walk(env, 30), first)


def test_a_state_before_the_first_reset_or_after_the_end_is_kept_as_well() -> None:
    env, other = TabularEnv(everything()), TabularEnv(everything())
    before = env.get_state()
    env.reset()
    first = walk(env, 10)
    other.reset(seed=1)
    other.set_state(before)
    with pytest.raises(ResetNeeded):
        other.step(0)
    other.reset()
    assert_same(walk(other, 10), first)

    env.reset()
    while not env.step(0)[2]:
        pass
    other.set_state(env.get_state())
    with pytest.raises(ResetNeeded):
        other.step(0)
    assert_same(other.reset(), env.reset())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: None,
        lambda state: 5,
        lambda state: {},
        lambda state: {**state, "world": "0" * 64},
        lambda state: {name: value for name, value in state.items() if name != "noise"},
        lambda state: {name: value for name, value in state.items() if name != "running"},
        lambda state: TabularEnv("LineWalk").get_state(),
    ],
)
def test_what_is_no_state_of_this_world_is_refused_and_changes_nothing(spoil: Callable[[Any], Any]) -> None:
    env, twin = TabularEnv(everything()), TabularEnv(everything())
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(ValueError, match=r"the state must come from get_state\(\)"):
        env.set_state(spoil(env.get_state()))
    assert_same(walk(env, 20), walk(twin, 20))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"state": -1}, ValueError, r"the saved state must be in 0\.\.\d+, but is -1"),
        ({"state": 10**6}, ValueError, r"the saved state must be in 0\.\.\d+, but is 1000000"),
        ({"state": "3"}, TypeError, "the saved state must be an integer, but is '3'"),
        ({"running": 1}, TypeError, "whether the saved episode is running must be a bool, but is 1"),
        ({"noise": None}, ValueError, r"must come from get_state\(\) of Random, but its noise does not fit"),
    ],
)
def test_a_saved_state_with_an_impossible_part_is_refused_and_changes_nothing(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    env, twin = TabularEnv(everything()), TabularEnv(everything())
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(error, match=message):
        env.set_state({**env.get_state(), **changes})
    assert_same(walk(env, 20), walk(twin, 20))


def test_a_state_of_equal_tables_fits_whatever_is_observed() -> None:
    env, other = TabularEnv("LineWalk", slip=0.2), TabularEnv("LineWalk", slip=0.2, observation="one_hot")
    env.reset(seed=0)
    other.set_state(env.get_state())
    assert [row[1:3] for row in walk(env, 30) if len(row) == 5] == [
        row[1:3] for row in walk(other, 30) if len(row) == 5
    ]


# --- options ------------------------------------------------------------------------------------------------------


def test_an_episode_starts_in_the_state_asked_for_and_draws_nothing_for_it() -> None:
    env, twin = TabularEnv("LineBalance", start="uniform"), TabularEnv("LineBalance", start="uniform")
    assert env.reset(seed=0, options={"state": np.int64(2)})[0] == 2
    assert env.reset()[0] == twin.reset(seed=0)[0]


def test_unknown_options_are_ignored_and_none_is_changed() -> None:
    options = {"state": 4, "else": [1]}
    env = TabularEnv("LineWalk")
    assert env.reset(seed=0, options=options)[0] == 4
    assert options == {"state": 4, "else": [1]}
    assert env.reset(options={"else": 1})[0] == env.reset(options={})[0] == 5


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (-1, ValueError, "in 0..10, but is -1"),
        (11, ValueError, "in 0..10, but is 11"),
        (0, ValueError, "but 0 is terminal"),
        (1.0, TypeError, "must be an integer, but is 1.0"),
        (None, TypeError, "must be an integer, but is None"),
    ],
)
def test_an_impossible_state_is_refused_before_anything_changes(
    state: Any, error: type[Exception], message: str
) -> None:
    env, twin = TabularEnv("LineWalk", slip=0.3), TabularEnv("LineWalk", slip=0.3)
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(error, match=message):
        env.reset(seed=8, options={"state": state})
    assert_same(walk(env, 20), walk(twin, 20))


# --- actions and order --------------------------------------------------------------------------------------------


GOOD = [1, True, np.int8(1), np.uint8(1), np.int32(1), np.int64(1), np.uint64(1), np.array(1), np.array(1, np.int32)]


@pytest.mark.parametrize("action", GOOD, ids=lambda action: f"{type(action).__name__} {getattr(action, 'dtype', '')}")
def test_every_kind_of_integer_is_an_action(action: Any) -> None:
    env = TabularEnv("LineWalk")
    env.reset(seed=0)
    assert env.step(action)[0] == 6


BAD = [
    (-1, r"an action must be in Discrete\(2\), but -1 is out of range"),
    (2, r"an action must be in Discrete\(2\), but 2 is out of range"),
    (10**30, f"but {10**30} is out of range"),
    (-(10**30), f"but -{10**30} is out of range"),
    (np.int64(2), "but 2 is out of range"),
    (np.array(-7, np.int32), "but -7 is out of range"),
    (np.uint64(2**64 - 1), f"but {2**64 - 1} is out of range"),
    (0.0, r"an action must be an integer of Discrete\(2\), but is 0.0 of type float"),
    (float("nan"), "but is nan of type float"),
    (np.float32(1), "of type float32"),
    (np.array(1.0), "of type array of float64"),
    (np.bool_(True), "of type bool"),
    (None, "but is None of type NoneType"),
    ("1", "but is '1' of type str"),
    ({}, "but is {} of type dict"),
    (np.array([1]), r"an action must have shape \(\), but array\(\[1\]\) has shape \(1,\)"),
    ([1], r"an action must have shape \(\), but \[1\] has shape \(1,\)"),
    (np.array([[0, 1]]), r"has shape \(1, 2\)"),
    (np.zeros(0, np.int64), r"has shape \(0,\)"),
    ([[0], [0, 1]], r"an action must be integers of shape \(\), but is \[\[0\], \[0, 1\]\]"),
    ([0] * 5000, r"an action must have shape \(\), but \[0, 0, .{1,250}\.\.\. has shape \(5000,\)"),
]


@pytest.mark.parametrize(("action", "message"), BAD, ids=[repr(action)[:40] for action, _ in BAD])
def test_a_bad_action_is_refused_and_leaves_the_environment_as_it_was(action: Any, message: str) -> None:
    env, twin = TabularEnv("LineWalk", slip=0.3), TabularEnv("LineWalk", slip=0.3)
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(InvalidAction, match=message):
        env.step(action)
    assert env.get_state() == twin.get_state()
    assert_same(walk(env, 20), walk(twin, 20))


def simultaneous() -> TabularEnv:
    env = TabularEnv(world_of(random_table(0, num_states=4, num_actions=6, num_outcomes=2), simultaneous=(2, 3)))
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("action", [[1, 2], (1, 2), np.array([1, 2]), np.array([1, 2], np.int32), [np.int8(1), 2]])
def test_simultaneous_choices_are_combined_with_the_last_running_fastest(action: Any) -> None:
    env, plain = simultaneous(), TabularEnv(world_of(simultaneous().world.mdp))
    plain.reset(seed=0)
    before = copy.deepcopy(action)
    assert_same(env.step(action), plain.step(1 * 3 + 2))
    assert_same(action, before)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (5, r"must have shape \(2,\), but 5 has shape \(\)"),
        ([1], r"must have shape \(2,\), but \[1\] has shape \(1,\)"),
        ([1, 2, 0], r"has shape \(3,\)"),
        ([[1, 2]], r"has shape \(1, 2\)"),
        ([2, 0], r"must be in MultiDiscrete\(\[2 3\]\), but 2 is out of range$"),
        ([0, 3], "but 3 is out of range$"),
        ([0, -1], "but -1 is out of range$"),
        ([0.0, 1.0], "of type list"),
        (np.array([0.0, np.nan]), "of type array of float64"),
        (None, "of type NoneType"),
    ],
)
def test_bad_simultaneous_choices_are_refused(action: Any, message: str) -> None:
    env, twin = simultaneous(), simultaneous()
    with pytest.raises(InvalidAction, match=message):
        env.step(action)
    assert env.get_state() == twin.get_state()


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded, match=r"no episode is running: call reset\(\) first"):
        TabularEnv("LineWalk").step(0)


def test_a_step_after_the_end_is_refused_until_the_next_reset() -> None:
    env = TabularEnv("LineWalk", size=1)
    env.reset(seed=0)
    assert env.step(1)[2]
    for _ in range(2):
        with pytest.raises(ResetNeeded, match="and again after each end of an episode"):
            env.step(1)
    env.reset()
    assert env.step(0)[2]


# --- the environment itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"world": "LineWlak"}, ValueError, r"unknown world 'LineWlak'. Did you mean 'LineWalk'\?"),
        ({"world": 3}, TypeError, "world must be a World or the name of a registered one, but is 3"),
        ({"slipp": 0.1}, TypeError, r"unknown argument of LineWalk 'slipp'. Did you mean 'slip'\?"),
        (
            {"world": everything(), "size": 3},
            TypeError,
            "a World is built already and takes no arguments, but got size",
        ),
        ({"render_mode": "rgb"}, ValueError, "render_mode must be one of .*rgb_array.*, but is 'rgb'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TabularEnv(**{"world": "LineWalk", **arguments})


def test_the_table_is_offered_in_toy_text_form() -> None:
    env = TabularEnv("LineWalk", size=1, slip=0.25)
    assert env.P[1] == {
        0: [(0.75, 0, 0.0, True), (0.25, 2, 1.0, True)],
        1: [(0.75, 2, 1.0, True), (0.25, 0, 0.0, True)],
    }
    np.testing.assert_array_equal(env.initial_state_distrib, [0.0, 1.0, 0.0])


def test_gym_env_is_a_direct_base() -> None:
    assert gym.Env in TabularEnv.__bases__


def test_actions_have_names_and_keys() -> None:
    env = TabularEnv("LineWalk")
    assert env.action_names == ("left", "right")
    assert env.get_keys_to_action() == {"a": 0, "d": 1}


def test_a_huge_table_costs_nothing_until_it_is_walked() -> None:
    """Outcomes are read off the table when their pair is first met."""
    env = TabularEnv("RandomMDP", num_states=50_000, num_actions=4, branching=3)
    env.reset(seed=0)
    for action in (0, 1, 2, 3) * 5:
        env.step(action)
    assert len(env._outcomes) <= 20


# --- drawing ------------------------------------------------------------------------------------------------------


def test_text_is_drawn_after_every_reset_and_step() -> None:
    env = TabularEnv("LineWalk", size=2, render_mode="ansi")
    env.reset(seed=0)
    assert "# . A . G" in env.render()
    env.step(1)
    assert "# . . A G" in env.render()


def test_drawing_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded, match="nothing to draw before the first reset"):
        TabularEnv("LineWalk", render_mode="ansi").render()


def test_drawing_without_a_mode_warns() -> None:
    env = TabularEnv("LineWalk")
    env.reset()
    with pytest.warns(UserWarning, match="draws nothing without a mode"):
        assert env.render() is None


def test_drawing_changes_nothing_of_the_walk() -> None:
    drawn, plain = TabularEnv(everything(), render_mode="ansi"), TabularEnv(everything())
    assert_same(drawn.reset(seed=0), plain.reset(seed=0))
    generator = np.random.default_rng(0)
    for _ in range(40):
        action = int(generator.integers(2))
        drawn.render()
        row = drawn.step(action)
        assert_same(row, plain.step(action))
        if row[2]:
            assert_same(drawn.reset(), plain.reset())
    drawn.close()
    drawn.close()


def test_an_environment_that_draws_can_be_copied_and_its_state_taken_over() -> None:
    env = TabularEnv("LineWalk", render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    for duplicate in COPIES.values():
        assert duplicate(env).render() == env.render()
    other = TabularEnv("LineWalk", render_mode="ansi")
    other.set_state(env.get_state())
    assert other.render().splitlines()[1] == env.render().splitlines()[1]
