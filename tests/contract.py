"""What every environment promises, as checks that raise AssertionError; `make` builds a fresh environment each time.

`test_contract.py` runs them over every id. `test_faults.py` plants faults and sees them caught.
"""

from __future__ import annotations

import copy
import json
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from scipy import stats

import rl_envs

Make = Callable[[], gym.Env]

# Names that wrappers and libraries put into info themselves, or read as attributes of the dictionary.
TAKEN_INFO = {
    *("episode", "final_obs", "final_info", "final_observation", "terminal_observation", "TimeLimit.truncated"),
    *("rollout", "env_id", "mask", "action", "reward", "done", "terminated", "truncated", "next", "obs", "observation"),
    *("keys", "items", "values", "shape", "dtype"),
}
# Attributes that libraries use for other things when they find them on an environment.
FOREIGN_ATTRIBUTES = ("num_envs", "device", "state_space", "state", "agents", "possible_agents")


def walk(env: gym.Env, num_steps: int, seed: int) -> list[tuple[Any, ...]]:
    """A trajectory under random actions: (observation, reward, terminated, truncated, info) and resets in between."""
    actions = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = [env.reset(seed=seed)]
    for _ in range(num_steps):
        rows.append(env.step(random_action(env, actions)))
        if rows[-1][2] or rows[-1][3]:
            rows.append(env.reset())
    return rows


def random_action(env: gym.Env, generator: np.random.Generator) -> Any:
    if isinstance(env.action_space, spaces.MultiDiscrete):
        return generator.integers(env.action_space.nvec)
    return int(generator.integers(env.action_space.n))


def assert_same(left: Any, right: Any) -> None:
    """Equal in value, type, dtype and shape, through tuples, lists and dictionaries."""
    assert type(left) is type(right), f"{left!r} is not of the type of {right!r}"
    if isinstance(left, (tuple, list)):
        assert len(left) == len(right), f"{left!r} is not as long as {right!r}"
        for a, b in zip(left, right):
            assert_same(a, b)
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), f"{sorted(left)} are not the keys {sorted(right)}"
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype, f"{left.dtype} is not {right.dtype}"
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right, f"{left!r} is not {right!r}"


def follows_gymnasium(make: Make) -> None:
    """Gymnasium's own checker has nothing to say, not even a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make().unwrapped, skip_render_check=True)


def spaces_are_plain(make: Make) -> None:
    env = make()
    for space in (env.observation_space, env.action_space):
        assert type(space) in (spaces.Discrete, spaces.MultiDiscrete, spaces.Box), f"{space} is no plain space"
        if isinstance(space, spaces.Discrete):
            assert space.start == 0, f"{space} starts at {space.start}"
        elif isinstance(space, spaces.MultiDiscrete):
            assert space.dtype == np.int64, f"{space} has dtype {space.dtype}"
            assert space.nvec.ndim == 1, f"{space} has {space.nvec.ndim} dimensions"
        else:
            assert space.dtype == np.float32, f"{space} has dtype {space.dtype}"
            assert len(space.shape) >= 1, f"{space} has no dimension"
            assert np.isfinite(space.low).all(), f"{space} has infinite bounds"
            assert np.isfinite(space.high).all(), f"{space} has infinite bounds"
            assert (space.low < space.high).any(), f"{space} holds a single point"


def values_have_exact_types(make: Make) -> None:
    """Observations in their space, rewards float, flags bool, and no array that was handed out before."""
    env = make()
    seen_arrays: list[np.ndarray] = []
    for row in walk(env, 60, seed=3):
        observation = row[0]
        assert env.observation_space.contains(observation), f"{observation!r} is outside {env.observation_space}"
        if isinstance(env.observation_space, spaces.Discrete):
            assert type(observation) in (int, np.int64), f"{observation!r} is {type(observation)}"
        else:
            assert type(observation) is np.ndarray, f"{observation!r} is {type(observation)}"
            assert observation.dtype == env.observation_space.dtype, f"{observation.dtype} is the wrong dtype"
            assert not any(np.shares_memory(observation, other) for other in seen_arrays), (
                "an array was handed out twice"
            )
            seen_arrays.append(observation)
        if len(row) == 5:
            assert type(row[1]) is float, f"reward {row[1]!r} is {type(row[1])}"
            assert math.isfinite(row[1]), f"reward is {row[1]}"
            assert type(row[2]) is bool, f"terminated {row[2]!r} is {type(row[2])}"
            assert type(row[3]) is bool, f"truncated {row[3]!r} is {type(row[3])}"


def info_has_one_form(make: Make) -> None:
    """The same keys, types and shapes at reset and at every step, under names that nobody else uses."""

    def form(info: dict[str, Any]) -> dict[str, Any]:
        return {key: (type(value), np.shape(value), np.asarray(value).dtype) for key, value in info.items()}

    rows = walk(make(), 60, seed=4)
    first = form(rows[0][1])
    for row in rows:
        assert form(row[-1]) == first, f"info {row[-1]} has another form than at reset: {rows[0][1]}"
        for key, value in row[-1].items():
            assert isinstance(value, (np.float64, np.int64, np.int8, np.ndarray)), f"info {key!r} is {type(value)}"
            assert np.asarray(value).dtype.kind in "fi", f"info {key!r} holds {np.asarray(value).dtype}"
            assert np.isfinite(value).all(), f"info {key!r} is {value}"
            assert key not in TAKEN_INFO, f"info {key!r} is a name that others use"
            assert not key.startswith("_"), f"info {key!r} begins with an underscore"
    assert len({id(row[-1]) for row in rows}) == len(rows), "an info dictionary was handed out twice"


def success_is_told_where_there_is_a_goal(make: Make) -> None:
    """`is_success` is 1 exactly on steps that terminate in a goal state."""
    env = make()
    world = env.unwrapped.world
    rows = walk(env, 400, seed=5)
    if world.goal_states is None:
        assert all("is_success" not in row[-1] for row in rows), "is_success without a goal"
        return
    assert not world.mdp.start[world.goal_states].any(), "an episode starts in a goal state"
    for s in np.flatnonzero(~world.mdp.terminal_states):
        for a in range(world.mdp.num_actions):
            reaches = world.goal_states[world.mdp.next_state[s, a]] & world.mdp.terminated[s, a]
            certain = world.mdp.probability[s, a] > 0
            if certain.sum() == 1:
                env.reset(seed=0, options={"state": int(s)})
                info = env.step(unravel(env, a))[4]
                assert info["is_success"] == int(reaches[certain][0]), f"is_success is wrong at state {s}, action {a}"


def unravel(env: gym.Env, action: int) -> Any:
    """The table's action in the form of the action space."""
    if isinstance(env.action_space, spaces.MultiDiscrete):
        return np.array(np.unravel_index(action, tuple(env.action_space.nvec)), dtype=np.int64)
    return action


def every_kind_of_integer_is_an_action(make: Make) -> None:
    env = make()
    action = random_action(env, np.random.default_rng(0))
    forms = [action]
    if isinstance(env.action_space, spaces.Discrete):
        forms += [np.int32(action), np.int64(action), np.uint8(action), np.array(action), np.array(action, np.int32)]
    else:
        forms += [action.astype(np.int32), tuple(action.tolist()), action.tolist()]
    results = []
    for form in forms:
        env.reset(seed=6)
        results.append(env.unwrapped.step(form))
    for result in results[1:]:
        assert_same(result, results[0])


def bad_use_is_refused_and_changes_nothing(make: Make) -> None:
    env = make().unwrapped
    good = random_action(env, np.random.default_rng(1))
    raises(ResetNeeded, lambda: env.step(good))
    env.reset(seed=7)
    twin = copy.deepcopy(env)
    number = env.world.mdp.num_actions
    wrong: list[Any] = [None, "left", 0.0, float("nan"), np.nan, np.array([[0]]), {}, np.array(0.0), object()]
    if isinstance(env.action_space, spaces.Discrete):
        wrong += [-1, number, np.int64(number), np.array([0]), 10**30]
    else:
        wrong += [0, -good - 1, env.action_space.nvec, good[:-1], np.append(good, 0)]
    for action in wrong:
        raises(InvalidAction, lambda action=action: env.step(action))
    num_states = env.world.mdp.num_states
    for state in (-1, num_states, *np.flatnonzero(env.world.mdp.terminal_states).tolist()):
        raises(ValueError, lambda state=state: env.reset(seed=99, options={"state": state}))
    for state in (0.5, "0", None, [0]):
        raises(TypeError, lambda state=state: env.reset(seed=99, options={"state": state}))
    assert_same(env.get_state(), twin.get_state())
    assert_same(env.step(good), twin.step(good))


def raises(error: type[Exception], call: Callable[[], Any]) -> None:
    try:
        result = call()
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised, but {result!r} came back")


def the_step_after_the_end_is_refused(make: Make) -> None:
    env = make().unwrapped
    mdp = env.world.mdp
    ending = np.argwhere((mdp.terminated & (mdp.probability > 0)).any(axis=2) & ~mdp.terminal_states[:, None])
    if not len(ending):
        return
    s, a = ending[0]
    for seed in range(10_000):
        env.reset(seed=seed, options={"state": int(s)})
        if env.step(unravel(env, a))[2]:
            break
    else:
        raise AssertionError(f"state {s}, action {a} never ended the episode in 10,000 tries")
    raises(ResetNeeded, lambda: env.step(unravel(env, a)))
    env.reset()
    env.step(unravel(env, a))


def the_seed_decides_everything(make: Make) -> None:
    """Same seed, same trajectory, in the same copy and in another; another seed, another one, where there is chance."""
    env = make()
    first = walk(env, 200, seed=8)
    assert_same(walk(env, 200, seed=8), first)
    assert_same(walk(make(), 200, seed=8), first)
    mdp = env.unwrapped.world.mdp
    pairs = (mdp.probability > 0).sum(axis=2) > 1
    chance = pairs[~mdp.terminal_states].all() or (mdp.reward_std is not None and (mdp.reward_std > 0).all())
    if chance and env.unwrapped.world.observation.space != spaces.Discrete(1):
        actions = [random_action(env, np.random.default_rng(0)) for _ in range(30)]

        def run(seed: int) -> list[Any]:
            rows = [env.reset(seed=seed)[0]]
            for action in actions:
                row = env.step(action)
                rows.append(row[:2])
                if row[2] or row[3]:
                    break
            return rows

        assert len({repr(run(seed)) for seed in range(20)}) > 1, "twenty seeds gave the same trajectory"


def a_copy_goes_on_as_the_original(make: Make) -> None:
    """Pickle, deepcopy and get_state/set_state in the middle of an episode keep the state and the generator."""
    env = make()
    actions = np.random.default_rng(9)
    env.reset(seed=9)
    for _ in range(3):
        if env.step(random_action(env, actions))[2]:
            env.reset()
    restored = make()
    restored.reset(seed=1)
    restored.unwrapped.set_state(json.loads(json.dumps(env.unwrapped.get_state())))
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    plan = [random_action(env, actions) for _ in range(100)]

    def go(one: gym.Env) -> list[Any]:
        rows = []
        for action in plan:
            rows.append(one.step(action))
            if rows[-1][2]:
                rows.append(one.reset())
        return rows

    bare = go(restored.unwrapped)  # without the time limit, whose count is the wrapper's
    expected = go(copy.deepcopy(env.unwrapped))
    assert_same(bare, expected)
    first = [_until_truncated(go_one, plan) for go_one in (env, *copies)]
    for other in first[1:]:
        assert_same(other, first[0])


def _until_truncated(env: gym.Env, plan: list[Any]) -> list[Any]:
    rows = []
    for action in plan:
        rows.append(env.step(action))
        if rows[-1][2] or rows[-1][3]:
            rows.append(env.reset())
    return rows


def episodes_end_in_time(make: Make) -> None:
    """Truncated at exactly the registered limit and not before; and where nothing terminates, there is a limit."""
    env = make()
    limit = env.spec.max_episode_steps
    mdp = env.unwrapped.world.mdp
    endless = not (mdp.terminated & (mdp.probability > 0))[~mdp.terminal_states].any()
    if limit is None:
        assert not endless, "a world that never terminates needs a time limit"
        return
    assert env.unwrapped.world.max_episode_steps == limit, "the builder and the registration differ in their time limit"
    generator = np.random.default_rng(10)
    for seed in range(20):
        env.reset(seed=seed)
        for t in range(1, limit + 1):
            _, _, terminated, truncated, _ = env.step(random_action(env, generator))
            assert truncated == (t == limit), f"truncated is {truncated} at step {t} of {limit}"
            if terminated:
                break


def samples_follow_the_table(make: Make) -> None:
    """Outcome frequencies of single steps against the table: chi-square at fixed seeds, so it cannot flake.

    Per pair: 2,000 draws, refused below p = 1e-6. Deterministic pairs must match outright.
    """
    env = make().unwrapped
    mdp = env.world.mdp
    possible = mdp.probability > 0
    alive = np.flatnonzero(~mdp.terminal_states)
    # The busiest state with all its actions, and one more pair elsewhere.
    busiest = alive[np.argmax(possible.sum(axis=(1, 2))[alive])]
    pairs = [(int(busiest), a) for a in range(min(mdp.num_actions, 6))] + [(int(alive[-1]), mdp.num_actions - 1)]
    env.reset(seed=11)
    for s, a in pairs:
        row = possible[s, a]
        draws = 2000 if row.sum() > 1 else 20
        seen: dict[tuple[int, bool], int] = {}
        rewards = []
        for _ in range(draws):
            env.reset(options={"state": s})
            _, reward, terminated, _, _ = env.step(unravel(env, a))
            next_state = env.get_state()["state"]
            seen[next_state, terminated] = seen.get((next_state, terminated), 0) + 1
            rewards.append(reward)
        expected: dict[tuple[int, bool], float] = {}
        for k in np.flatnonzero(row):
            key = (int(mdp.next_state[s, a, k]), bool(mdp.terminated[s, a, k]))
            expected[key] = expected.get(key, 0.0) + mdp.probability[s, a, k]
        assert set(seen) <= set(expected), f"state {s}, action {a} led to {set(seen) - set(expected)}"
        if len(expected) > 1:
            observed = np.array([seen.get(key, 0) for key in expected])
            weights = np.array(list(expected.values()))
            p_value = stats.chisquare(observed, draws * weights / weights.sum()).pvalue
            assert p_value > 1e-6, f"state {s}, action {a}: frequencies off the table, p = {p_value:.1e}"
        variance = mdp.probability[s, a] @ (mdp.reward[s, a] - mdp.mean_reward[s, a]) ** 2
        if mdp.reward_std is not None:
            variance += mdp.probability[s, a] @ mdp.reward_std[s, a] ** 2
        # Five standard errors: at fixed seeds this either always holds or never.
        tolerance = 5 * math.sqrt(variance / draws) + 1e-12
        assert abs(np.mean(rewards) - mdp.mean_reward[s, a]) <= tolerance, f"state {s}, action {a}: mean reward off"


class FixedUniform:
    """A generator whose every uniform number is given."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        return self._number


def uniforms_fall_on_the_right_side(make: Make) -> None:
    """Outcome k is drawn for cumulative[k-1] <= u < cumulative[k]: the very edges, where sampling would never tell."""
    env = make().unwrapped
    mdp = env.world.mdp
    if mdp.num_outcomes == 1:
        return
    possible = mdp.probability > 0
    s, a = np.unravel_index(np.argmax(possible.sum(axis=2)), possible.shape[:2])
    at_edge = np.concatenate([[0.0], np.cumsum(mdp.probability[s, a])])
    env.reset(seed=0, options={"state": int(s)})
    for k in np.flatnonzero(possible[s, a]):
        for number in (at_edge[k], np.nextafter(at_edge[k + 1], 0)):
            env.reset(seed=0, options={"state": int(s)})
            generator = env.np_random
            env.np_random = FixedUniform(min(float(number), float(np.nextafter(1, 0))))
            env.step(unravel(env, int(a)))
            env.np_random = generator
            next_state = env.get_state()["state"]
            assert next_state == mdp.next_state[s, a, k], f"u = {number} at state {s}, action {a} gave {next_state}"


def first_states_follow_their_distribution(make: Make) -> None:
    env = make().unwrapped
    start = env.world.mdp.start
    draws = 4000 if (start > 0).sum() > 1 else 5
    env.reset(seed=12)
    seen = np.zeros(len(start))
    for _ in range(draws):
        env.reset()
        seen[env.get_state()["state"]] += 1
    assert not seen[start == 0].any(), "an episode began where none may"
    if (start > 0).sum() > 1:
        # States in twenty groups, so that each is expected often enough for the chi-square distribution.
        groups = np.array_split(np.flatnonzero(start), min(20, int((start > 0).sum())))
        observed = np.array([seen[g].sum() for g in groups])
        expected = np.array([start[g].sum() for g in groups]) * draws
        assert stats.chisquare(observed, expected).pvalue > 1e-6, "first states are off their distribution"


def the_observation_is_that_of_the_state(make: Make) -> None:
    """After every reset and step: nothing stale, nothing of another state."""
    env = make().unwrapped
    generator = np.random.default_rng(13)
    observation = env.reset(seed=13)[0]
    for _ in range(200):
        expected = env.world.observation.batch(np.array([env.get_state()["state"]]))[0]
        np.testing.assert_array_equal(observation, expected, err_msg="the observation is not that of the state")
        observation, _, terminated, _, _ = env.step(random_action(env, generator))
        if terminated:
            final = env.world.observation.batch(np.array([env.get_state()["state"]]))[0]
            np.testing.assert_array_equal(observation, final, err_msg="the last observation is not that of the state")
            observation = env.reset()[0]


def the_specification_travels(make: Make) -> None:
    """The spec goes through pickle and JSON, and what it makes walks the same way."""
    env = make()
    spec = env.spec
    assert isinstance(spec.entry_point, str), "the entry point is no string"
    again = pickle.loads(pickle.dumps(spec))
    from_json = gym.envs.registration.EnvSpec.from_json(spec.to_json())
    rows = walk(env, 30, seed=14)
    for other in (again, from_json):
        assert_same(walk(gym.make(other), 30, seed=14), rows)


def libraries_find_what_they_look_for(make: Make) -> None:
    env = make().unwrapped
    assert gym.Env in type(env).__bases__, "gym.Env is no direct base"
    assert {"rgb_array", "ansi"} <= set(env.metadata["render_modes"]), "a render mode is missing"
    assert env.metadata["render_fps"] > 0, "render_fps is missing"
    for name in FOREIGN_ATTRIBUTES:
        assert not hasattr(env, name), f"the attribute {name!r} means something else to other libraries"
    keys = env.get_keys_to_action()
    assert all(env.action_space.contains(action) for action in keys.values()), f"{keys} has an action out of range"


def global_randomness_is_left_alone(make: Make) -> None:
    before = np.random.get_state()  # noqa: NPY002 - it is the legacy generator that must not move
    walk(make(), 50, seed=15)
    make().reset()
    after = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0], "the global generator was replaced"
    np.testing.assert_array_equal(before[1], after[1], err_msg="the global generator was used")
    assert before[2:] == after[2:], "the global generator was used"


def toy_text_tables_say_the_same(make: Make) -> None:
    """`P` and `initial_state_distrib` hold every outcome that can happen, with its probability, and no other."""
    env = make().unwrapped
    mdp = env.world.mdp
    np.testing.assert_array_equal(env.initial_state_distrib, mdp.start)
    if mdp.probability.size > 100_000:  # nested lists of that size say nothing new
        return
    table = env.P
    for s, a in np.ndindex(mdp.num_states, mdp.num_actions):
        expected = [
            (mdp.probability[s, a, k], mdp.next_state[s, a, k], mdp.reward[s, a, k], mdp.terminated[s, a, k])
            for k in np.flatnonzero(mdp.probability[s, a])
        ]
        assert table[s][a] == expected, f"P[{s}][{a}] is {table[s][a]}, not {expected}"


def the_optimum_is_proved_twice(make: Make) -> None:
    """The Bellman residual of truth's optimum is below 1e-9, and plain value iteration written here agrees with it."""
    answer = rl_envs.truth(make())
    mdp = answer.mdp
    live = ~mdp.terminated

    def backup(v: np.ndarray) -> np.ndarray:
        return mdp.mean_reward + mdp.discount * (mdp.probability * live * v[mdp.next_state]).sum(axis=2)

    residual = np.abs(backup(answer.v_star).max(axis=1) - answer.v_star).max()
    assert residual < 1e-9, f"the optimum has a Bellman residual of {residual:.1e}"
    assert answer.certificate.residual < 1e-9, f"the certificate says {answer.certificate.residual:.1e}"
    v = np.zeros(mdp.num_states)
    for _ in range(20_000):
        before, v = v, backup(v).max(axis=1)
        if np.abs(v - before).max() < 1e-13:
            break
    np.testing.assert_allclose(answer.v_star, v, atol=1e-9, err_msg="two methods disagree on the optimum")
    np.testing.assert_allclose(answer.q_star, backup(v), atol=1e-9, err_msg="two methods disagree on q*")
    uniform = np.full((mdp.num_states, mdp.num_actions), 1 / mdp.num_actions)
    assert abs(answer.score(uniform)) < 1e-9, "the uniform policy does not score 0"
    value = answer.value(answer.optimal_policy, hidden_state=True)
    assert abs(value - answer.optimal_value) < 1e-9, "the optimal policy does not attain the optimal value"
    if mdp.discount < 1:  # at discount 1 a mixture of optimal actions may put off the reward for ever
        mixture = answer.optimal_actions / answer.optimal_actions.sum(axis=1, keepdims=True)
        value = answer.value(mixture, hidden_state=True)
        assert abs(value - answer.optimal_value) < 1e-9, "an action called optimal is not"
    assert answer.worst_value <= answer.random_value <= answer.optimal_value, (
        "worst, random and optimal are out of order"
    )


CHECKS: tuple[Callable[[Make], None], ...] = (
    follows_gymnasium,
    spaces_are_plain,
    values_have_exact_types,
    info_has_one_form,
    success_is_told_where_there_is_a_goal,
    every_kind_of_integer_is_an_action,
    bad_use_is_refused_and_changes_nothing,
    the_step_after_the_end_is_refused,
    the_seed_decides_everything,
    a_copy_goes_on_as_the_original,
    episodes_end_in_time,
    samples_follow_the_table,
    uniforms_fall_on_the_right_side,
    first_states_follow_their_distribution,
    the_observation_is_that_of_the_state,
    the_specification_travels,
    libraries_find_what_they_look_for,
    global_randomness_is_left_alone,
    toy_text_tables_say_the_same,
    the_optimum_is_proved_twice,
)
