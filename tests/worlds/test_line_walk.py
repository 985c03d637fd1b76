"""Facts about LineWalk that follow from its rules by hand."""

from fractions import Fraction

import numpy as np
import pytest

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.solve import solve
from rl_envs.worlds.line_walk import LEFT, RIGHT, line_walk
from tests import second_method

EXACT = 1e-9


def test_moves_go_one_position_and_the_right_end_alone_pays():
    mdp = line_walk(size=2).mdp  # positions -2 -1 0 1 2 at indices 0 1 2 3 4
    assert mdp.next_state[1:4, LEFT, 0].tolist() == [0, 1, 2]
    assert mdp.next_state[1:4, RIGHT, 0].tolist() == [2, 3, 4]
    assert mdp.reward[1:4, LEFT, 0].tolist() == [0, 0, 0]
    assert mdp.reward[1:4, RIGHT, 0].tolist() == [0, 0, 1]
    assert mdp.terminated[1:4, LEFT, 0].tolist() == [True, False, False]
    assert mdp.terminated[1:4, RIGHT, 0].tolist() == [False, False, True]


def test_a_slip_reverses_the_move():
    transitions = line_walk(size=2, slip=0.25).mdp.transitions()
    assert sorted(transitions[2][LEFT]) == [(0.25, 3, 0.0, False), (0.75, 1, 0.0, False)]
    assert sorted(transitions[3][RIGHT]) == [(0.25, 2, 0.0, False), (0.75, 4, 1.0, True)]


def test_certain_slip_swaps_the_actions():
    swapped = line_walk(slip=1.0).mdp.transitions()
    for state, actions in line_walk().mdp.transitions().items():
        assert swapped[state] == {LEFT: actions[RIGHT], RIGHT: actions[LEFT]}


def test_only_the_two_ends_are_terminal():
    mdp = line_walk(size=3).mdp
    assert np.flatnonzero(mdp.terminal_states).tolist() == [0, 6]


def test_the_start_is_the_position_given():
    assert np.flatnonzero(line_walk().mdp.start).tolist() == [5]
    assert np.flatnonzero(line_walk(size=3, start=-2).mdp.start).tolist() == [1]
    assert np.flatnonzero(line_walk(size=3, start=2).mdp.start).tolist() == [5]


@pytest.mark.parametrize(("size", "discount"), [(1, 0.95), (2, 0.5), (5, 0.95), (9, 0.99)])
def test_without_slip_the_value_is_the_discount_to_the_power_of_steps_before_the_last(size, discount):
    v_star = solve(line_walk(size=size, discount=discount).mdp).v_star
    positions = np.arange(1 - size, size)
    np.testing.assert_allclose(v_star[1:-1], discount ** (size - 1 - positions), rtol=0, atol=EXACT)


def test_the_start_is_worth_four_discounts():
    assert solve(line_walk().mdp).v_star[5] == pytest.approx(0.81450625, abs=EXACT)


def test_right_is_the_only_optimal_action_between_the_ends():
    assert solve(line_walk().mdp).optimal_actions[1:-1].tolist() == [[False, True]] * 9


def test_the_uniform_policy_is_worth_130321_of_647210():
    # v(s) = (19/20) (v(s - 1) + v(s + 1)) / 2 + [s = 4] / 2, and v = 0 at the ends.
    half = Fraction(19, 40)
    matrix = [[Fraction(int(i == j)) - half * (abs(i - j) == 1) for j in range(9)] for i in range(9)]
    by_fractions = second_method.solve_fractions(matrix, [Fraction(0)] * 8 + [Fraction(1, 2)])
    assert by_fractions[4] == Fraction(130321, 647210)
    mdp = line_walk().mdp
    v = evaluate_policy(mdp, second_method.uniform(mdp))
    np.testing.assert_allclose(v[1:-1], np.array(by_fractions, dtype=float), rtol=0, atol=EXACT)


def test_the_uniform_walk_lasts_25_steps_on_average():
    # The gambler's ruin: distance to one end times distance to the other.
    mdp = line_walk().mdp
    lengths = second_method.mean_lengths(mdp, second_method.uniform(mdp))
    distance = np.arange(11)
    np.testing.assert_allclose(lengths[1:-1], (distance * (10 - distance))[1:-1], rtol=0, atol=EXACT)
    assert lengths[5] == pytest.approx(25, abs=EXACT)


def test_with_slip_a_tenth_the_start_is_worth_what_always_going_right_is():
    mdp = line_walk(slip=0.1).mdp
    solution = solve(mdp)
    assert solution.v_star[5] == pytest.approx(0.76724608, abs=5e-9)  # 8 decimals as printed
    by_elimination = second_method.values(mdp, second_method.always(mdp, RIGHT))
    np.testing.assert_allclose(solution.v_star, by_elimination, rtol=0, atol=EXACT)


def test_an_episode_to_the_right_pays_once_and_is_a_success():
    env = TabularEnv("LineWalk")
    env.reset(seed=0)
    rows = [env.step(RIGHT) for _ in range(5)]
    assert [row[0] for row in rows] == [6, 7, 8, 9, 10]
    assert [row[1] for row in rows] == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert [row[2] for row in rows] == [False] * 4 + [True]
    assert [int(row[4]["is_success"]) for row in rows] == [0, 0, 0, 0, 1]


def test_an_episode_to_the_left_ends_without_success():
    env = TabularEnv("LineWalk", size=1)
    env.reset(seed=0)
    assert env.step(LEFT) == (0, 0.0, True, False, {"is_success": 0})


def test_the_text_shows_the_agent_and_the_paying_end():
    env = TabularEnv("LineWalk", size=2, render_mode="ansi")
    env.reset(seed=0)
    assert "# . A . G" in env.render().splitlines()
    env.step(RIGHT)
    assert "# . . A G" in env.render().splitlines()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be at least 1, but is 0"),
        ({"size": 2.5}, TypeError, "size must be an integer, but is 2.5"),
        ({"size": True}, TypeError, "size must be an integer, but is True"),
        ({"slip": 1.5}, ValueError, r"slip must be in \[0, 1\], but is 1.5"),
        ({"slip": float("nan")}, ValueError, r"slip must be in \[0, 1\], but is nan"),
        ({"slip": "0.1"}, TypeError, "slip must be a number, but is '0.1'"),
        ({"start": 5}, ValueError, r"start must be in -4..4, but is 5"),
        ({"start": -5}, ValueError, r"start must be in -4..4, but is -5"),
        ({"start": "uniform"}, TypeError, "start must be an integer, but is 'uniform'"),
        ({"discount": 1.01}, ValueError, r"discount must be in \[0, 1\], but is 1.01"),
        ({"discount": None}, TypeError, "discount must be a number, but is None"),
        ({"observation": "one-hot"}, ValueError, "unknown observation 'one-hot'. Did you mean 'one_hot'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        line_walk(**arguments)
