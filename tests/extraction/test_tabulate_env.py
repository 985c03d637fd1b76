"""Tables of whole environments, against models written by hand and numbers known from elsewhere."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation, FrameStackObservation, NormalizeReward, TimeLimit

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small
from own_grid import GridEnv

from rl_envs import from_transitions, tabulate, tabulate_env, truth
from rl_envs.extraction.refusal import NotTabular

QUICK = {"check_steps": 300}


def line(discount=0.99, slip=0.1, bonus=0.0):
    """The model of `Line`, by hand."""

    def outcomes(cell, action):
        if cell == 4:
            return [(1.0, 4, 0.0, True)]
        right, left = min(cell + 1, 4), max(cell - 1, 0)
        way, other = (right, left) if action else (left, right)
        return [(p, s, float(s == 4) + bonus, s == 4) for p, s in ((1 - slip, way), (slip, other))]

    return tabulate(outcomes, num_states=5, num_actions=2, start=1, discount=discount)


def grid_by_hand(size=5, slip=0.2, discount=0.99, walls=((1, 1), (1, 2), (3, 3))):
    """The model of `GridEnv`, by hand: its table, with the cells counted row by row."""
    goal, ways = (size - 1, size - 1), [(0, 1), (-1, 0), (0, -1), (1, 0)]

    def outcomes(state, action):
        cell = divmod(state, size)
        if cell == goal or cell in walls:
            return [(1.0, state, 0.0, True)]
        found = []
        for way in range(4):
            row, column = (min(max(cell[i] + ways[way][i], 0), size - 1) for i in (0, 1))
            to = cell if (row, column) in walls else (row, column)
            probability = slip / 4 + (1 - slip) * (way == action)
            found.append((probability, to[0] * size + to[1], 1.0 if to == goal else -0.01, to == goal))
        return found

    start = np.zeros(size * size)
    start[[0, 1, size]] = 1 / 3
    return tabulate(outcomes, num_states=size * size, num_actions=4, start=start, discount=discount)


def test_a_line_has_the_table_written_by_hand() -> None:
    world = tabulate_env(small.Line(), **QUICK)
    order = [world.observation.of(state) for state in range(world.mdp.num_states)]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order[0] == 1  # the start comes first
    assert order[-1] == 4  # and the end last
    v = truth(line()).v_star
    assert truth(world).v_star == pytest.approx(v[order])
    assert world.account.states == 4
    assert world.account.proof is not None
    assert world.account.proof.steps == 300


def test_a_students_grid_has_the_optimum_of_the_model_written_by_hand() -> None:
    env = GridEnv()
    world = tabulate_env(env, **QUICK)
    wanted = truth(grid_by_hand()).optimal_value
    assert truth(world).optimal_value == pytest.approx(wanted, abs=1e-8)
    low, high = world.optimum_interval()  # its reset rejects walls in a loop, which has no last branch
    assert low < wanted < high < low + 1e-6
    assert world.account.states == 21  # 25 cells without 3 walls and the goal
    assert set(world.account.ignored) == {"history", "steps", "total_reward"}
    assert (world.account.clock, world.account.clock_limit, world.max_episode_steps) == ("steps", 100, 100)
    assert not world.account.clock_terminates
    assert env.history == []  # left as it was


def test_the_environment_is_left_as_it_was() -> None:
    env = GridEnv()
    env.reset(seed=5)
    env.step(1)
    before = dict(env.__dict__)
    stream = env.np_random.bit_generator.state
    tabulate_env(env, **QUICK)
    assert env.__dict__.keys() == before.keys()
    assert all(env.__dict__[name] is value for name, value in before.items())
    assert env.np_random.bit_generator.state == stream
    assert env.history == before["history"] == [1] or env.history
    assert env.action_space._np_random is None or isinstance(env.action_space._np_random, np.random.Generator)
    observation = env.step(0)[0]
    assert env.observation_space.contains(observation)


FROZEN_LAKE = 0.5420259320  # at discount 0.99


@pytest.mark.parametrize(
    ("name", "arguments", "discount", "value", "states"),
    [
        ("FrozenLake-v1", {}, 0.99, FROZEN_LAKE, 11),
        ("FrozenLake-v1", {}, 1.0, 14 / 17, 11),
        ("CliffWalking-v1", {"is_slippery": True}, 0.99, -46.3526721816, 37),
        ("Taxi-v4", {}, 0.99, 6.3274643149, 400),
    ],
)
def test_toy_text_has_the_known_optimum(name, arguments, discount, value, states) -> None:
    world = tabulate_env(gym.make(name, **arguments), discount=discount, **QUICK)
    assert truth(world).optimal_value == pytest.approx(value, abs=1e-9)
    assert world.account.states == states
    env = gym.make(name, **arguments).unwrapped
    own = from_transitions(env.P, env.initial_state_distrib, discount=discount)  # right for these three
    assert truth(world).optimal_value == pytest.approx(truth(own).optimal_value, abs=1e-9)
    assert truth(world).random_value == pytest.approx(truth(own).random_value, abs=1e-7)


@pytest.mark.proofs
def test_a_fickle_passenger_is_walked_though_its_table_knows_nothing_of_it() -> None:
    world = tabulate_env(gym.make("Taxi-v4", fickle_passenger=True), **QUICK)
    assert truth(world).optimal_value == pytest.approx(6.8181375289, abs=1e-9)


def test_normal_noise_on_the_reward_is_its_deviation() -> None:
    world = tabulate_env(small.NoisyReward(), **QUICK)
    assert world.mdp.reward_std is not None
    live = world.mdp.probability[:4] > 0
    assert world.mdp.reward_std[:4][live] == pytest.approx(2.0)
    assert truth(world).optimal_value == pytest.approx(truth(line(bonus=0.5)).optimal_value)


def test_a_generator_of_its_own_is_walked_too() -> None:
    world = tabulate_env(small.OwnGenerator(), **QUICK)
    assert truth(world).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_arrays_dictionaries_and_two_actions_at_once() -> None:
    world = tabulate_env(small.Arrays(), discount=0.9, **QUICK)
    assert world.simultaneous == (3, 2)
    assert world.account.states == 32  # 8 cells are not the last one, each with 4 ways in which the lamps may be lit

    def outcomes(state, action):  # the model by hand: row, column, left lamp, right lamp
        row, column, left, right = np.unravel_index(state, (3, 3, 2, 2))
        if row == column == 2:
            return [(1.0, state, 0.0, True)]
        move, switch = divmod(action, 2)
        row, column = min(row + (move == 1), 2), min(column + (move == 2), 2)
        done, found = row == column == 2, []
        for probability, lamps in ((0.25, (left ^ switch, right)), (0.75, (left, right ^ switch))):
            to = int(np.ravel_multi_index((row, column, *lamps), (3, 3, 2, 2)))
            found.append((probability, to, float(done and lamps[0]), done))
        return found

    wanted = truth(tabulate(outcomes, num_states=36, num_actions=6, start=0, discount=0.9))
    answers = truth(world)
    assert answers.optimal_value == pytest.approx(wanted.optimal_value)
    assert answers.random_value == pytest.approx(wanted.random_value)

    def always_right_and_down(observations):
        assert observations["at"].shape[1:] == observations["lit"].shape[1:] == (2,)
        return np.stack([np.where(observations["at"][:, 0] < 2, 1, 2), np.zeros(len(observations["at"]), int)], axis=1)

    assert answers.value(always_right_and_down) == 0.0  # in the dark
    assert answers.q_function(always_right_and_down).shape == (world.mdp.num_states, 6)


def test_an_array_that_is_shown_and_changed_later_is_kept_as_it_was_shown() -> None:
    world = tabulate_env(small.Shown(), **QUICK)
    seen = [world.observation.of(state).tolist() for state in range(5)]
    assert sorted(seen) == sorted(np.eye(5, dtype=int).tolist())
    assert truth(world).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_an_object_that_is_known_by_its_identity_stays_that_object() -> None:
    world = tabulate_env(small.Pointing(), **QUICK)
    assert truth(world).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_a_function_inside_of_what_changes_is_handed_over() -> None:
    world = tabulate_env(small.Bag(), **QUICK)
    assert world.account.states == 4
    assert truth(world).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_a_time_limit_of_its_own_is_found_and_taken_out_of_the_state() -> None:
    world = tabulate_env(small.Timed(), **QUICK)
    assert (world.account.clock, world.account.clock_limit, world.max_episode_steps) == ("elapsed", 30, 30)
    assert not world.account.clock_terminates
    assert world.account.states == 4
    assert truth(world).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_a_time_limit_that_says_terminated_is_told_apart() -> None:
    world = tabulate_env(small.TimedBadly(), **QUICK)
    assert (world.account.clock_limit, world.account.clock_terminates) == (30, True)


def test_a_limit_of_the_wrapper_is_the_worlds() -> None:
    assert tabulate_env(TimeLimit(small.Line(), 12), **QUICK).max_episode_steps == 12
    assert tabulate_env(TimeLimit(small.Timed(), 12), **QUICK).max_episode_steps == 12
    assert tabulate_env(TimeLimit(small.Timed(), 50), **QUICK).max_episode_steps == 30


def test_a_reward_that_depends_on_the_clock_is_said_and_two_ways_out_are_offered() -> None:
    with pytest.raises(NotTabular, match=r"Hurried.elapsed is another.*layers.*stopped") as told:
        tabulate_env(small.Hurried(), **QUICK)
    assert "in the state after actions" in str(told.value)
    stopped = tabulate_env(small.Hurried(), clock="stopped", **QUICK)
    assert truth(stopped).optimal_value == pytest.approx(0.97 * truth(line()).optimal_value)
    layers = tabulate_env(small.Hurried(), clock="layers", discount=1.0, **QUICK)
    # Backwards by hand: v[t][cell], the goal entered with step t pays 1 - 0.9 t / 30.
    v = np.zeros(5)
    for t in range(30, 0, -1):
        reach = np.append(v[:4], 1 - 0.9 * t / 30)
        right, left = reach[[1, 2, 3, 4]], reach[[0, 0, 1, 2]]
        v = np.append(np.maximum(0.9 * right + 0.1 * left, 0.9 * left + 0.1 * right), 0.0)
    assert truth(layers).optimal_value == pytest.approx(v[1])


def test_states_that_are_told_apart_by_what_is_shown_alone_are_checked() -> None:
    assert tabulate_env(small.Secret(), **QUICK).account.states == 8
    with pytest.raises(NotTabular, match=r"the state= given .* comes in two kinds, with Secret.swapped = ") as told:
        tabulate_env(small.Secret(), state="observation", **QUICK)
    assert "go on differently: action" in str(told.value)
    with pytest.raises(NotTabular, match=r"with the ignore= given .* comes in two kinds, with Secret.swapped = "):
        tabulate_env(small.Secret(), ignore="swapped", **QUICK)


def test_a_state_may_be_named_by_attributes_or_a_function() -> None:
    wanted = truth(tabulate_env(small.Secret(), **QUICK)).optimal_value
    for state in (("cell", "swapped"), lambda env: [env.cell, env.swapped]):
        world = tabulate_env(small.Secret(), state=state, **QUICK)
        assert world.account.states == 8
        assert truth(world).optimal_value == pytest.approx(wanted)


def test_an_iterator_that_decides_nothing_is_left_out() -> None:
    world = tabulate_env(small.Cyclic(), **QUICK)
    assert (world.account.ignored, world.account.states) == (("counter",), 4)


def test_wrappers_that_are_deterministic_are_followed() -> None:
    doubled = tabulate_env(small.Doubling(TimeLimit(small.Line(), 50)), **QUICK)
    assert truth(doubled).optimal_value == pytest.approx(2 * truth(line()).optimal_value)
    assert doubled.max_episode_steps == 50
    flat = tabulate_env(FlattenObservation(GridEnv()), **QUICK)
    assert flat.observation.space.shape == (4,)
    assert truth(flat).optimal_value == pytest.approx(truth(grid_by_hand()).optimal_value, abs=1e-8)
    # Two cells in a row are a state of their own; the optimum stays.
    stacked = tabulate_env(FrameStackObservation(small.Line(), 2), **QUICK)
    assert stacked.account.states > 4
    assert truth(stacked).optimal_value == pytest.approx(truth(line()).optimal_value)


def test_a_wrapper_that_never_repeats_is_refused_by_name() -> None:
    with pytest.raises(NotTabular, match="the wrapper NormalizeReward keeps running statistics"):
        tabulate_env(NormalizeReward(small.Line()))


def test_branches_left_out_widen_the_interval_that_holds_the_optimum() -> None:
    exact = truth(line()).optimal_value
    low, high = tabulate_env(small.Line(), **QUICK).optimum_interval()
    assert low <= exact <= high
    assert high - low < 1e-9
    rough = tabulate_env(GridEnv(), skip_below=1e-3, check_steps=0)
    low, high = rough.optimum_interval()
    assert rough.account.left_out > 1e-4
    assert low < truth(grid_by_hand()).optimal_value < high


def test_a_seed_fixes_what_reset_draws_and_nothing_else() -> None:
    world = tabulate_env(GridEnv(), seed=3, **QUICK)
    assert np.count_nonzero(world.mdp.start) == 1
    assert world.account.states == 21
    env = GridEnv()
    first = env.reset(seed=3)[0]["agent"]
    assert world.observation.of(0)["agent"].tolist() == first.tolist()


def test_the_same_walk_gives_the_same_table() -> None:
    assert tabulate_env(GridEnv(), check_steps=0).mdp == tabulate_env(GridEnv(), check_steps=0).mdp


def test_progress_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    tabulate_env(GridEnv(size=11), check_steps=0, progress=True)
    shown = capsys.readouterr()
    assert "states a second" in shown.err
    assert "to max_states" in shown.err
    assert shown.out == ""
