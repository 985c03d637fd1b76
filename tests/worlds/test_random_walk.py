"""Facts about RandomWalk: the textbook's values, and jumps that a person can count."""

from fractions import Fraction

import numpy as np
import pytest
from gymnasium import spaces

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.solve import solve
from rl_envs.worlds.random_walk import LEFT, RIGHT, random_walk
from tests import second_method

EXACT = 1e-9


def uniform_values(**arguments):
    mdp = random_walk(**arguments).mdp
    return evaluate_policy(mdp, second_method.uniform(mdp))


def test_the_thousand_states_and_two_ends_have_a_hundred_jumps_each_way():
    mdp = random_walk().mdp
    assert (mdp.num_states, mdp.num_actions, mdp.num_outcomes) == (1002, 2, 100)
    assert np.flatnonzero(mdp.terminal_states).tolist() == [0, 1001]
    assert np.flatnonzero(mdp.start).tolist() == [500]


def test_jumps_from_the_middle_are_equally_likely():
    transitions = random_walk().mdp.transitions()
    assert transitions[500][LEFT] == [(0.01, 500 - jump, 0.0, False) for jump in range(1, 101)]
    assert transitions[500][RIGHT] == [(0.01, 500 + jump, 0.0, False) for jump in range(1, 101)]


def test_what_goes_past_an_end_arrives_there():
    # From state 2 of 5 with jumps of up to 4: to the left 1 and three times the end, to the right 3, 4, 5 and the end.
    transitions = random_walk(num_states=5, max_jump=4).mdp.transitions()
    assert transitions[2][LEFT] == [(0.25, 1, 0.0, False), (0.75, 0, -1.0, True)]
    assert transitions[2][RIGHT] == [
        *((0.25, next_state, 0.0, False) for next_state in (3, 4, 5)),
        (0.25, 6, 1.0, True),
    ]
    assert transitions[1][LEFT] == [(1.0, 0, -1.0, True)]
    assert transitions[5][RIGHT] == [(1.0, 6, 1.0, True)]


def test_jumps_may_be_longer_than_the_walk():
    mdp = random_walk(num_states=3, max_jump=100).mdp
    assert mdp.num_outcomes == 3
    assert mdp.transitions()[3][LEFT] == [(0.01, 2, 0.0, False), (0.01, 1, 0.0, False), (0.98, 0, -1.0, True)]


@pytest.mark.parametrize(("num_states", "middle"), [(1, 1), (2, 1), (5, 3), (19, 10), (1000, 500)])
def test_it_starts_in_the_middle(num_states, middle):
    assert np.flatnonzero(random_walk(num_states=num_states).mdp.start).tolist() == [middle]


def test_always_right_is_worth_1_and_is_the_optimum():
    mdp = random_walk(num_states=50, max_jump=7).mdp
    solution = solve(mdp)
    np.testing.assert_allclose(solution.v_star[1:-1], 1, rtol=0, atol=EXACT)
    np.testing.assert_allclose(second_method.values(mdp, second_method.always(mdp, RIGHT))[1:-1], 1, rtol=0, atol=EXACT)
    assert solution.optimal_actions[1:-1, RIGHT].all()


def test_jumping_left_loses_nothing_where_it_cannot_fall_off():
    solution = solve(random_walk(num_states=50, max_jump=7).mdp)
    assert solution.optimal_actions[1:-1, LEFT].tolist() == [state > 7 for state in range(1, 51)]


def test_the_thousand_states_have_the_published_values_under_the_uniform_policy():
    v = uniform_values()
    assert v[500] == pytest.approx(-0.00094350, abs=5e-9)  # 8 decimals as printed
    assert v[1] == pytest.approx(-0.92196046, abs=5e-9)
    mdp = random_walk().mdp
    np.testing.assert_allclose(v, second_method.values(mdp, second_method.uniform(mdp)), rtol=0, atol=EXACT)
    np.testing.assert_allclose(v[1:-1], _values_by_sweeps(), rtol=0, atol=EXACT)


def _values_by_sweeps(num_states=1000, max_jump=100, sweeps=6000):
    """The Bellman equation of Example 9.1: each v is the mean of its 200 neighbours, beyond the ends -1 or 1."""
    v = np.zeros(num_states)
    for _ in range(sweeps):
        padded = np.concatenate([-np.ones(max_jump), v, np.ones(max_jump)])
        running = np.concatenate([[0.0], np.cumsum(padded)])
        window = running[2 * max_jump + 1 :] - running[: -2 * max_jump - 1]
        v = (window - v) / (2 * max_jump)
    return v


def test_values_are_opposite_at_opposite_states():
    v = uniform_values(num_states=100, max_jump=9)[1:-1]
    np.testing.assert_allclose(v, -v[::-1], rtol=0, atol=EXACT)


def test_the_mean_length_from_the_middle_is_83_steps():
    mdp = random_walk().mdp
    assert second_method.mean_lengths(mdp, second_method.uniform(mdp))[500] == pytest.approx(83.152449, abs=5e-7)


def test_with_5_states_the_values_are_example_6_2_scaled():
    sixths = [2 * Fraction(k, 6) - 1 for k in range(1, 6)]
    v = uniform_values(num_states=5, max_jump=1)
    np.testing.assert_allclose(v[1:-1], np.array(sixths, dtype=float), rtol=0, atol=EXACT)
    # Example 6.2's learning curves begin at the RMS error of 0.5 everywhere: 0.2357 on its scale of 0..1.
    assert np.sqrt(np.mean(((v[1:-1] + 1) / 2 - 0.5) ** 2)) == pytest.approx(0.2357, abs=5e-5)


def test_with_19_states_the_values_are_tenths():
    v = uniform_values(num_states=19, max_jump=1)
    np.testing.assert_allclose(v[1:-1], np.arange(-9, 10) / 10, rtol=0, atol=EXACT)


def test_the_walk_of_one_step_lasts_the_product_of_the_distances():
    mdp = random_walk(num_states=5, max_jump=1).mdp
    lengths = second_method.mean_lengths(mdp, second_method.uniform(mdp))
    np.testing.assert_allclose(lengths[1:-1], [5, 8, 9, 8, 5], rtol=0, atol=EXACT)


def test_two_states_with_jumps_of_two_by_hand():
    # v(1) = (-1 + (v(2) + 1) / 2) / 2 and v(2) = -v(1), so v(1) = -1/5.
    np.testing.assert_allclose(uniform_values(num_states=2, max_jump=2)[1:-1], [-0.2, 0.2], rtol=0, atol=EXACT)


def test_the_position_runs_from_minus_1_to_1():
    env = TabularEnv("RandomWalk", num_states=3, max_jump=1, observation="position")
    assert env.observation_space == spaces.Box(-1.0, 1.0, shape=(1,), dtype=np.float32)
    seen = [env.reset(options={"state": 1})[0], env.step(RIGHT)[0], env.step(RIGHT)[0], env.step(RIGHT)[0]]
    assert [observation.tolist() for observation in seen] == [[-0.5], [0.0], [0.5], [1.0]]


def test_indices_are_the_textbooks_numbers():
    env = TabularEnv("RandomWalk", num_states=3, max_jump=1)
    assert env.observation_space == spaces.Discrete(5)
    assert env.reset(seed=0)[0] == 2
    assert env.step(LEFT)[:3] == (1, 0.0, False)
    assert env.step(LEFT)[:3] == (0, -1.0, True)


def test_the_text_shows_the_agent_and_its_number():
    env = TabularEnv("RandomWalk", num_states=5, max_jump=1, render_mode="ansi")
    env.reset(seed=0)
    assert "-..A..+  3" in env.render().splitlines()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_states": 0}, ValueError, "num_states must be at least 1, but is 0"),
        ({"num_states": 1e3}, TypeError, "num_states must be an integer, but is 1000.0"),
        ({"max_jump": 0}, ValueError, "max_jump must be at least 1, but is 0"),
        ({"max_jump": "far"}, TypeError, "max_jump must be an integer, but is 'far'"),
        ({"discount": 1.5}, ValueError, r"discount must be in \[0, 1\], but is 1.5"),
        ({"observation": "postion"}, ValueError, "unknown observation 'postion'. Did you mean 'position'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        random_walk(**arguments)
