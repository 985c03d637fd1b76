"""Both environments against PettingZoo's own tests, and against what other libraries need beyond them."""

import copy
import inspect
import json
import pickle
import random
import warnings

import numpy as np
import pettingzoo
import pytest
from gymnasium import spaces
from gymnasium.error import Error, InvalidAction, ResetNeeded

from rl_envs.games import grid_soccer, matrix_game

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo 1.27 warns when its tests import its own games
    from pettingzoo.test import (
        api_test,
        max_cycles_test,
        parallel_api_test,
        parallel_seed_test,
        render_test,
        seed_test,
    )
    from pettingzoo.test.state_test import state_test

TABLE = np.random.default_rng(0).integers(-9, 10, (3, 2, 3, 2)).tolist()
# name -> (module, keyword arguments): every kind of environment there is.
CASES = {
    "climbing": (matrix_game, {}),
    "penalty with k": (matrix_game, {"game": "penalty", "k": -10}),
    "prisoners_dilemma": (matrix_game, {"game": "prisoners_dilemma", "max_cycles": 7}),
    "one_hot matrix game": (matrix_game, {"game": "rock_paper_scissors", "observation": "one_hot"}),
    "three players": (matrix_game, {"payoffs": TABLE}),
    "alone": (matrix_game, {"payoffs": [[1, 2]]}),
    "soccer": (grid_soccer, {}),
    "one_hot soccer": (grid_soccer, {"observation": "one_hot"}),
}
FORBIDDEN_KEYS = {
    *("episode", "final_obs", "final_info", "final_observation", "terminal_observation", "TimeLimit.truncated"),
    *("rollout", "env_id", "mask", "action", "reward", "done", "terminated", "truncated", "next", "obs"),
    *("observation", "keys", "items", "values", "shape", "dtype"),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def random_actions(env, rng):
    return {agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents}


def episode(env, seed, action_seed=0):
    """Everything one whole episode shows."""
    rng = np.random.default_rng(action_seed)
    seen = [env.reset(seed=seed)]
    while env.agents:
        seen.append((env.state(), env.step(random_actions(env, rng)), env.state()))
    return seen


def same(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and np.array_equal(one, other)


# PettingZoo's own tests; warnings are errors here.


def test_api_test(case):
    module, arguments = case
    api_test(module.env(**arguments), num_cycles=200)
    api_test(module.raw_env(**arguments), num_cycles=200)


def test_parallel_api_test(case):
    module, arguments = case
    parallel_api_test(module.parallel_env(**arguments), num_cycles=200)


def test_seed_tests(case):
    module, arguments = case
    seed_test(lambda: module.env(**arguments), num_cycles=50)
    parallel_seed_test(lambda: module.parallel_env(**arguments), num_cycles=50)


def test_max_cycles_test():
    max_cycles_test(matrix_game)

    class Soccer:
        """Nobody scores within four rounds with standing players, so that only the limit ends the episode."""

        parallel_env = staticmethod(lambda **arguments: standing(grid_soccer.parallel_env(**arguments)))
        env = staticmethod(lambda **arguments: standing(grid_soccer.env(**arguments)))

    def standing(env):
        for agent in env.possible_agents:
            env.action_space(agent).sample = lambda *_: 4
        return env

    max_cycles_test(Soccer)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_render_test(module, monkeypatch):
    monkeypatch.setitem(module.parallel_env.metadata, "render_fps", 1_000)
    render_test(module.env)


def test_state_test(case):
    module, arguments = case
    state_test(module.env(**arguments), module.parallel_env(**arguments))


# Beyond them.


def test_the_same_seed_repeats_a_whole_episode_and_another_does_not(case):
    module, arguments = case
    first, second = (module.parallel_env(**arguments) for _ in range(2))
    for seed in (0, 1, 12345):
        assert same(episode(first, seed), episode(second, seed))
    assert same(episode(first, 7), episode(first, 7))  # reseeding the same environment, mid-life
    if module is grid_soccer:
        episodes = [episode(first, seed) for seed in range(8)]
        assert not all(same(episodes[0], other) for other in episodes[1:])


def test_without_a_seed_the_generator_goes_on():
    one, other = grid_soccer.parallel_env(), grid_soccer.parallel_env()
    first = [episode(one, 3), *(episode(one, None) for _ in range(5))]
    again = [episode(other, 3), *(episode(other, None) for _ in range(5))]
    assert same(first, again)
    assert not all(same(first[1], later) for later in first[2:])
    assert isinstance(grid_soccer.parallel_env().np_random, np.random.Generator)


def test_global_generators_are_left_alone(case):
    module, arguments = case
    np.random.seed(0)  # noqa: NPY002 - the global generator is what is tested
    random.seed(0)
    before = (str(np.random.get_state()), random.getstate())  # noqa: NPY002
    episode(module.parallel_env(**arguments), seed=1)
    assert (str(np.random.get_state()), random.getstate()) == before  # noqa: NPY002


def test_copies_made_in_mid_episode_go_on_alike(case):
    module, arguments = case
    env, rng = module.parallel_env(**arguments), np.random.default_rng(0)
    env.reset(seed=5)
    env.step(random_actions(env, rng))
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    while env.agents:
        actions = random_actions(env, rng)
        expected = env.step(actions)
        assert all(same(other.step(actions), expected) for other in copies)


def test_the_agent_by_agent_form_plays_the_same_game(case):
    module, arguments = case
    parallel, turns = module.parallel_env(**arguments), module.env(**arguments)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        parallel.reset(seed=seed)
        turns.reset(seed=seed)
        totals = dict.fromkeys(parallel.possible_agents, 0.0)
        while parallel.agents:
            actions = random_actions(parallel, rng)
            for agent in parallel.agents:
                assert turns.agent_selection == agent
                turns.step(actions[agent])
            observations, rewards, terminations, truncations, infos = parallel.step(actions)
            for agent, reward in rewards.items():
                totals[agent] += reward
                assert same(turns.observe(agent), observations[agent])
                assert same(turns.infos[agent], infos[agent])
                assert turns.rewards[agent] == reward
                assert (turns.terminations[agent], turns.truncations[agent]) == (
                    terminations[agent],
                    truncations[agent],
                )
        for _ in range(len(totals)):
            turns.step(None)
        assert turns.agents == []


def test_observations_are_fresh_arrays_inside_their_space(case):
    module, arguments = case
    env = module.parallel_env(**arguments)
    rng, handed_out = np.random.default_rng(0), []
    observations, _ = env.reset(seed=0)
    while True:
        for agent, observation in observations.items():
            assert env.observation_space(agent).contains(observation)
            assert observation.dtype == env.observation_space(agent).dtype
            assert observation.shape == env.observation_space(agent).shape
            assert not any(np.shares_memory(observation, other) for other in handed_out)
            assert observation.any()  # never all zeros
        state = env.state()
        assert env.state_space.contains(state)
        handed_out += [*observations.values(), state]
        if not env.agents:
            break
        observations = env.step(random_actions(env, rng))[0]
    before = env.state().copy()
    for array in handed_out:
        array[...] = 1
    assert same(env.state(), before)


def test_rewards_and_flags_are_plain_python(case):
    module, arguments = case
    env, rng = module.parallel_env(**arguments), np.random.default_rng(0)
    for seed in range(5):
        env.reset(seed=seed)
        while env.agents:
            alive = list(env.agents)
            observations, rewards, terminations, truncations, infos = env.step(random_actions(env, rng))
            assert all(list(part) == alive for part in (observations, rewards, terminations, truncations, infos))
            assert all(type(reward) is float for reward in rewards.values())
            assert all(type(flag) is bool for flag in (*terminations.values(), *truncations.values()))


def test_infos_have_the_same_numeric_form_at_reset_and_at_every_step(case):
    module, arguments = case

    def form(info):
        return {key: (type(value), value.dtype, value.shape) for key, value in info.items()}

    env = module.parallel_env(**arguments)
    seen, arrays = [], []
    for first, *rounds in (episode(env, seed) for seed in range(3)):
        for infos in (first[1], *(step[4] for _, step, _ in rounds)):
            seen += [form(info) for info in infos.values()]
            arrays += [value for info in infos.values() for value in info.values() if isinstance(value, np.ndarray)]
            assert all(np.isfinite(value).all() for info in infos.values() for value in info.values())
    assert all(one == seen[0] for one in seen)
    assert not set(seen[0]) & FORBIDDEN_KEYS
    assert not any(key.startswith("_") for key in seen[0])
    assert {kind for kind, _, _ in seen[0].values()} <= {np.ndarray, np.float64, np.int64, np.int8}
    assert len({id(array) for array in arrays}) == len(arrays)


def test_spaces_are_what_other_libraries_accept(case):
    module, arguments = case
    env = module.parallel_env(**arguments)
    assert env.possible_agents == [f"player_{i}" for i in range(len(env.possible_agents))]
    for agent in env.possible_agents:
        assert env.observation_space(agent) is env.observation_spaces[agent]
        assert env.action_space(agent) is env.action_spaces[agent]
        assert type(env.action_space(agent)) is spaces.Discrete
        assert env.action_space(agent).start == 0
        assert env.observation_space(agent) == env.observation_space("player_0") == env.state_space
        assert type(env.observation_space(agent)) in (spaces.Discrete, spaces.Box)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        turns = module.raw_env(**arguments)
        assert turns.observation_spaces == env.observation_spaces
        assert turns.action_spaces == env.action_spaces


@pytest.mark.parametrize("name", ["climbing", "penalty with k", "prisoners_dilemma", "soccer"])
def test_named_games_and_soccer_give_all_agents_the_same_action_space(name):
    module, arguments = CASES[name]
    env = module.parallel_env(**arguments)
    assert env.action_space("player_0") == env.action_space("player_1")


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_the_librarys_classes_are_direct_bases(module):
    assert pettingzoo.ParallelEnv in module.parallel_env.__bases__
    assert pettingzoo.AECEnv in module.raw_env.__bases__
    assert isinstance(module.env(), pettingzoo.AECEnv)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_the_three_makers_take_max_cycles_and_render_mode(module):
    assert {"max_cycles", "render_mode"} <= set(inspect.signature(module.parallel_env).parameters)
    for maker in (module.parallel_env, module.env, module.raw_env):
        made = maker(max_cycles=3, render_mode="ansi")
        assert made.unwrapped.max_cycles == 3
        assert made.render_mode == "ansi"
        assert made.metadata["is_parallelizable"]
        assert made.metadata["render_modes"] == ["human", "rgb_array", "ansi"]
        assert made.metadata["name"] == str(made) == f"{module.__name__.rsplit('.', 1)[1]}_v0"


def test_reserved_names_are_not_used(case):
    module, arguments = case
    env = module.parallel_env(**arguments)
    assert not {"num_envs", "device"} & set(dir(env))


def test_keyword_arguments_go_through_json(case):
    module, arguments = case
    told = json.loads(json.dumps(arguments))
    assert same(episode(module.parallel_env(**told), 1), episode(module.parallel_env(**arguments), 1))


def test_unknown_options_are_ignored(case):
    module, arguments = case
    env = module.parallel_env(**arguments)
    assert same(env.reset(seed=1, options={"other": 3}), env.reset(seed=1))


@pytest.mark.parametrize("kind", [int, np.int32, np.int64, np.uint8, lambda a: np.array(a, dtype=np.int32)])
def test_actions_come_in_many_types(case, kind):
    module, arguments = case
    env, other = module.parallel_env(**arguments), module.parallel_env(**arguments)
    env.reset(seed=0)
    other.reset(seed=0)
    actions = dict.fromkeys(env.agents, 0) | {"player_0": 1}
    expected = env.step(actions)
    assert same(other.step({agent: kind(action) for agent, action in actions.items()}), expected)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (5, r"the action of player_1 must be from 0 to [24], but is 5"),
        (-1, r"the action of player_1 must be from 0 to [24], but is -1"),
        (1.0, r"the action of player_1 must be an integer from 0 to [24], but is 1\.0 of type float"),
        (None, r"the action of player_1 must be an integer .* but is None of type NoneType"),
        ("a", r"the action of player_1 must be an integer .* but is 'a' of type str"),
        (np.array([1, 2]), r"the action of player_1 must be an integer .* of type ndarray"),
    ],
)
@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_actions_that_are_none_are_refused_and_change_nothing(module, action, message):
    env = module.parallel_env()
    env.reset(seed=0)
    before = env.state()
    with pytest.raises(InvalidAction, match=message):
        env.step({"player_0": 0, "player_1": action})
    assert same(env.state(), before)
    turns = module.env()
    turns.reset(seed=0)
    turns.step(0)
    with pytest.raises(InvalidAction, match=message):
        turns.step(action)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_a_first_action_out_of_range_is_refused_at_once(module):
    turns = module.env()
    turns.reset()
    with pytest.raises(InvalidAction, match=r"the action of player_0 must be from 0 to [24], but is 9"):
        turns.step(9)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        ({}, ValueError, r"every live agent must act in every round, but player_0, player_1 gave no action"),
        ({"player_0": 0}, ValueError, r"every live agent must act in every round, but player_1 gave no action"),
        (
            {"player_0": 0, "player_1": 0, "player_2": 0},
            ValueError,
            r"unknown agent 'player_2'\. Did you mean 'player_0' or 'player_1'\?",
        ),
        ([0, 0], TypeError, r"actions must be a dictionary from agent to action, but got list"),
    ],
)
def test_missing_and_unknown_agents_are_refused(module, actions, error, message):
    env = module.parallel_env()
    env.reset(seed=0)
    with pytest.raises(error, match=message):
        env.step(actions)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_nothing_works_before_the_first_reset(module):
    env = module.parallel_env(render_mode="ansi")
    assert env.agents == []
    for call in (lambda: env.step({"player_0": 0, "player_1": 0}), lambda: env.step({}), env.state, env.render):
        with pytest.raises(ResetNeeded, match=r"call reset\(\) before"):
            call()
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\): no episode is running"):
        module.raw_env().step(0)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_after_the_end_only_nothing_can_be_done(module):
    env = module.parallel_env(max_cycles=1)
    env.reset(seed=0)
    env.step({"player_0": 0, "player_1": 0})
    assert env.agents == []
    assert env.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(ResetNeeded, match=r"the episode is over and no agent is left, but actions came for player_0"):
        env.step({"player_0": 0, "player_1": 0})
    for turns in (module.raw_env(max_cycles=1), module.env(max_cycles=1)):
        turns.reset(seed=0)
        for action in (0, 0, None, None):
            turns.step(action)
        with pytest.raises(ResetNeeded, match=r"no episode is running"):
            turns.step(0)
    env.reset()
    assert env.agents == ["player_0", "player_1"]


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"max_cycles": 0}, ValueError, r"max_cycles must be at least 1, but got 0"),
        ({"max_cycles": 2.5}, TypeError, r"max_cycles must be an integer, but got 2\.5"),
        ({"max_cycles": None}, TypeError, r"max_cycles must be an integer, but got None"),
        ({"render_mode": "rgb-array"}, ValueError, r"unknown render mode 'rgb-array'\. Did you mean 'rgb_array'\?"),
        ({"observation": "onehot"}, ValueError, r"unknown observation 'onehot'\. Did you mean 'one_hot'\?"),
    ],
)
def test_bad_arguments_are_refused(module, arguments, error, message):
    with pytest.raises(error, match=message):
        module.parallel_env(**arguments)


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_bad_seeds_and_unknown_agents_are_refused(module):
    env = module.parallel_env()
    with pytest.raises(Error, match=r"[Ss]eed must be"):
        env.reset(seed=-1)
    for space in (env.observation_space, env.action_space):
        with pytest.raises(ValueError, match=r"unknown agent 'player_9'\. Did you mean"):
            space("player_9")


@pytest.mark.parametrize("module", [matrix_game, grid_soccer])
def test_rendering_without_a_mode_says_what_to_do(module):
    env = module.parallel_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"render\(\) needs a render mode: make the environment with one of human"):
        env.render()
