"""The payoff table: validation, equality, and sums and maxima over it against brute force."""

import copy
import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import GAMES, NormalFormGame, named_game, two_player

CLIMBING = [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]


def random_game(seed, shape):
    return NormalFormGame(np.random.default_rng(seed).integers(-5, 6, (len(shape), *shape)))


def random_strategies(seed, shape, batch=()):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(count), size=batch) for count in shape]


def expected_by_hand(game, strategies):
    """Expected payoffs as a plain sum over joint actions."""
    total = np.zeros(game.num_players)
    for joint in itertools.product(*(range(count) for count in game.num_actions)):
        probability = np.prod([strategy[action] for strategy, action in zip(strategies, joint)])
        total += probability * game.payoffs[(slice(None), *joint)]
    return total


def pure(action, count):
    return np.eye(count)[action]


SHAPES = [(3,), (2, 2), (3, 2), (2, 3, 4), (2, 2, 2, 2), (1, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_expected_payoffs_are_the_sum_over_joint_actions(shape):
    game, strategies = random_game(0, shape), random_strategies(1, shape)
    np.testing.assert_allclose(game.expected_payoffs(strategies), expected_by_hand(game, strategies), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_action_values_are_the_expected_payoffs_of_pure_deviations(shape):
    game, strategies = random_game(2, shape), random_strategies(3, shape)
    for player, count in enumerate(shape):
        for action in range(count):
            deviated = list(strategies)
            deviated[player] = pure(action, count)
            value = game.action_values(player, strategies)[action]
            assert value == pytest.approx(expected_by_hand(game, deviated)[player], abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_nash_conv_is_the_sum_of_the_best_gains_and_exploitability_its_average(shape):
    game, strategies = random_game(4, shape), random_strategies(5, shape)
    gains = []
    for player, count in enumerate(shape):
        deviations = []
        for action in range(count):
            deviated = list(strategies)
            deviated[player] = pure(action, count)
            deviations.append(expected_by_hand(game, deviated)[player])
        gains.append(max(deviations) - expected_by_hand(game, strategies)[player])
    np.testing.assert_allclose(game.deviation_gains(strategies), gains, atol=1e-12)
    assert game.nash_conv(strategies) == pytest.approx(sum(gains), abs=1e-12)
    assert game.exploitability(strategies) == pytest.approx(sum(gains) / len(shape), abs=1e-12)


def test_a_batch_of_strategies_is_evaluated_like_each_alone():
    game = random_game(6, (2, 3, 4))
    batch = random_strategies(7, (2, 3, 4), batch=(5, 3))
    payoffs, exploitability = game.expected_payoffs(batch), game.exploitability(batch)
    assert payoffs.shape == (5, 3, 3)
    assert exploitability.shape == (5, 3)
    for index in np.ndindex(5, 3):
        alone = [strategy[index] for strategy in batch]
        np.testing.assert_allclose(payoffs[index], game.expected_payoffs(alone), atol=1e-12)
        assert exploitability[index] == pytest.approx(float(game.exploitability(alone)), abs=1e-12)


def test_leading_axes_of_the_strategies_broadcast():
    game = random_game(8, (2, 2))
    one, many = np.array([0.25, 0.75]), random_strategies(9, (2,), batch=(4,))[0]
    values = game.action_values(1, [one, many])
    assert values.shape == (4, 2)
    np.testing.assert_allclose(values, np.tile(game.action_values(1, [one, many[0]]), (4, 1)))


def test_the_exploitability_of_uniform_play_in_the_prisoners_dilemma_is_three_quarters():
    # Against 1/2 : 1/2, defecting earns (5 + 1) / 2 = 3 and cooperating 3/2; uniform play earns 9/4, so each gains 3/4.
    game = named_game("prisoners_dilemma")
    uniform = [[0.5, 0.5], [0.5, 0.5]]
    assert game.exploitability(uniform) == 0.75
    assert game.nash_conv(uniform) == 1.5


def test_best_responses_come_with_their_ties():
    game = named_game("climbing")
    assert game.best_responses(0, [[1, 0, 0], [0, 0, 1]]) == (1,)  # 0, 6, 5
    assert game.best_responses(1, [[0, 0, 1], [1, 0, 0]]) == (2,)  # 0, 0, 5
    mixed = [[Fraction(5, 16), 0, Fraction(11, 16)]] * 2
    assert game.best_responses(0, mixed) == (0, 2)


@pytest.mark.parametrize("name", GAMES)
def test_exploitability_is_never_negative(name):
    game = named_game(name)
    batch = random_strategies(10, game.num_actions, batch=(200,))
    assert (game.exploitability(batch) >= 0).all()


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_pure_equilibria_are_the_joint_actions_that_nobody_wants_to_leave(seed, shape):
    game = random_game(seed, tuple(shape))
    found = set(game.pure_equilibria())
    for joint in itertools.product(*(range(count) for count in shape)):
        strategies = [pure(action, count) for action, count in zip(joint, shape)]
        assert (joint in found) == (game.nash_conv(strategies) == 0)


def test_the_social_optimum_lists_every_best_joint_action():
    optimum = named_game("penalty", k=-10).social_optimum()
    assert optimum.welfare == 20
    assert optimum.joint_actions == ((0, 0), (2, 2))


def test_a_game_keeps_its_own_read_only_copy_of_the_payoffs():
    payoffs = np.array([CLIMBING, CLIMBING], dtype=float)
    game = NormalFormGame(payoffs)
    payoffs[0, 0, 0] = 99
    assert game.payoffs[0, 0, 0] == 11
    for one in (game, copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert one == game
        with pytest.raises(ValueError, match="read-only"):
            one.payoffs[0, 0, 0] = 99
    with pytest.raises(AttributeError, match="cannot assign"):
        game.name = "other"


def test_games_are_equal_by_content():
    one, same = two_player(CLIMBING, CLIMBING, name="x"), NormalFormGame([CLIMBING, CLIMBING], name="x")
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same}) == 1
    assert one != two_player(CLIMBING, CLIMBING, name="y")
    assert one != two_player(CLIMBING, np.array(CLIMBING) + 1, name="x")
    assert one != NormalFormGame([CLIMBING, CLIMBING], ["u", "v", "w"], name="x")
    assert one != "climbing"
    assert hash(NormalFormGame([[-0.0, 1.0]])) == hash(NormalFormGame([[0.0, 1.0]]))


def test_names_default_to_letters_and_then_to_numbers():
    assert named_game("climbing").joint_name((0, 2)) == "(a, c)"
    assert NormalFormGame(np.zeros((1, 27))).action_names == (tuple(str(i) for i in range(27)),)
    assert NormalFormGame(np.zeros((2, 2, 1)), [["u", "d"], ["l"]]).action_names == (("u", "d"), ("l",))


def test_kinds_of_games_are_told_apart():
    assert named_game("matching_pennies").is_zero_sum
    assert not named_game("chicken").is_zero_sum
    assert named_game("climbing").is_common_interest
    assert not named_game("chicken").is_common_interest
    assert named_game("climbing").has_integer_payoffs
    assert not named_game("penalty", k=-0.5).has_integer_payoffs


def test_a_name_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match=r"name must be a string, but got 3"):
        NormalFormGame([CLIMBING, CLIMBING], name=3)


def test_two_matrices_of_different_shapes_make_no_game():
    with pytest.raises(ValueError, match=r"two matrices of one shape, but got \(2, 2\) and \(2, 3\)"):
        two_player(np.zeros((2, 2)), np.zeros((2, 3)))


@pytest.mark.parametrize("player", [-1, 2])
def test_unknown_players_are_refused(player):
    with pytest.raises(ValueError, match=rf"players 0 to 1, but was asked for player {player}"):
        named_game("climbing").action_values(player, [[1, 0, 0]] * 2)


def test_best_responses_take_no_batch():
    with pytest.raises(ValueError, match=r"one strategy per player, but got a batch of shape \(4,\)"):
        named_game("climbing").best_responses(0, [np.full((4, 3), 1 / 3)] * 2)
