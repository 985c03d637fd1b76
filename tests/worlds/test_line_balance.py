"""Facts about LineBalance that follow from its rules by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_horizon import finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.worlds.line_balance import LEFT, RIGHT, STAY, line_balance
from tests import second_method

EXACT = 1e-9
TIPPING_POINT = math.sqrt(3) - 1  # where walking off at 4 and walking home are worth the same


def test_moves_go_one_position_or_none_and_cost_the_distance_reached():
    mdp = line_balance(size=2).mdp  # positions -2 -1 0 1 2 at indices 0 1 2 3 4
    assert mdp.next_state[1:4, LEFT, 0].tolist() == [0, 1, 2]
    assert mdp.next_state[1:4, STAY, 0].tolist() == [1, 2, 3]
    assert mdp.next_state[1:4, RIGHT, 0].tolist() == [2, 3, 4]
    assert mdp.reward[1:4, LEFT, 0].tolist() == [-2, -1, 0]
    assert mdp.reward[1:4, STAY, 0].tolist() == [-1, 0, -1]
    assert mdp.reward[1:4, RIGHT, 0].tolist() == [0, -1, -2]
    assert mdp.terminated[1:4, :, 0].tolist() == [[True, False, False], [False] * 3, [False, False, True]]


def test_only_the_two_ends_are_terminal():
    assert np.flatnonzero(line_balance(size=3).mdp.terminal_states).tolist() == [0, 6]


def test_the_start_is_a_position_or_any_between_the_ends():
    assert line_balance(size=2).mdp.start.tolist() == [0, 0, 1, 0, 0]
    assert line_balance(size=2, start=-1).mdp.start.tolist() == [0, 1, 0, 0, 0]
    third = 1 / 3
    assert line_balance(size=2, start="uniform").mdp.start.tolist() == [0, third, third, third, 0]


def test_the_best_values_by_distance_are_0_0_1_295_and_the_price_of_walking_off():
    # At 1 home is free. At 2: -1. At 3: -2 - 0.95. At 4 home is -3 - 2 (0.95) - 0.95^2 = -5.8025, so off for -5.
    v_star = solve(line_balance().mdp).v_star
    expected = [0, -5, -2.95, -1, 0, 0, 0, -1, -2.95, -5, 0]
    np.testing.assert_allclose(v_star, expected, rtol=0, atol=EXACT)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95, 1.0])
def test_the_middle_is_worth_nothing_lost_at_any_discount(discount):
    solution = solve(line_balance(discount=discount).mdp)
    assert solution.v_star[5] == pytest.approx(0, abs=EXACT)
    assert solution.policy[5] == STAY


@pytest.mark.parametrize(("side", "off", "home"), [(1, LEFT, RIGHT), (9, RIGHT, LEFT)])
@pytest.mark.parametrize(("beyond", "walks_off"), [(1e-6, True), (-1e-6, False), (0.2, True), (-0.2, False)])
def test_walking_off_at_4_is_strictly_better_exactly_beyond_root_3_minus_1(side, off, home, beyond, walks_off):
    discount = TIPPING_POINT + beyond
    solution = solve(line_balance(discount=discount).mdp)
    assert solution.q_star[side, off] == pytest.approx(-5, abs=EXACT)
    assert solution.q_star[side, home] == pytest.approx(-3 - 2 * discount - discount**2, abs=EXACT)
    expected = [False] * 3
    expected[off if walks_off else home] = True
    assert solution.optimal_actions[side].tolist() == expected


def test_at_the_tipping_point_both_ways_are_optimal():
    solution = solve(line_balance(discount=TIPPING_POINT).mdp)
    assert solution.optimal_actions[1].tolist() == [True, False, True]
    assert solution.optimal_actions[9].tolist() == [True, False, True]


def test_twenty_uniform_steps_from_the_middle_cost_an_exact_fraction():
    v = {position: Fraction(0) for position in range(-5, 6)}
    for _ in range(20):
        v = {
            position: sum((v[position + move] - abs(position + move)) / 3 for move in (-1, 0, 1))
            if abs(position) < 5
            else Fraction(0)
            for position in v
        }
    assert v[0] == Fraction(-96752106370, 3486784401)
    mdp = line_balance().mdp
    by_solver = finite_horizon_values(mdp, second_method.uniform(mdp), 20)
    np.testing.assert_allclose(by_solver, [float(v[position]) for position in range(-5, 6)], rtol=0, atol=EXACT)


def test_an_episode_walks_home_and_stays():
    env = TabularEnv("LineBalance", start=2)
    assert env.reset(seed=0) == (7, {})
    rows = [env.step(action)[:3] for action in (LEFT, LEFT, STAY)]
    assert rows == [(6, -1.0, False), (5, 0.0, False), (5, 0.0, False)]


def test_walking_off_ends_the_episode_at_the_price_of_the_size():
    env = TabularEnv("LineBalance", start=-4)
    env.reset(seed=0)
    assert env.step(LEFT) == (0, -5.0, True, False, {})


def test_the_text_shows_the_agent_and_the_middle():
    env = TabularEnv("LineBalance", size=2, start=1, render_mode="ansi")
    env.reset(seed=0)
    assert "# . 0 A #" in env.render().splitlines()
    env.step(LEFT)
    assert "# . A . #" in env.render().splitlines()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be at least 1, but is 0"),
        ({"size": "5"}, TypeError, "size must be an integer, but is '5'"),
        ({"start": 5}, ValueError, "start must be in -4..4, but is 5"),
        ({"start": 0.5}, TypeError, "start must be an integer, but is 0.5"),
        ({"start": [1, 2]}, TypeError, r"start must be an integer, but is \[1, 2\]"),
        ({"start": "random"}, ValueError, "start must be a position or \"uniform\", but is 'random'"),
        ({"discount": -0.1}, ValueError, r"discount must be in \[0, 1\], but is -0.1"),
        ({"observation": "indx"}, ValueError, "unknown observation 'indx'. Did you mean 'index'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        line_balance(**arguments)
