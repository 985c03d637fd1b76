"""Dominated actions, by pure and mixed strategies, and repeated elimination."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import (
    NormalFormGame,
    all_equilibria,
    dominated_actions,
    iterated_elimination,
    named_game,
    two_player,
)


def test_cooperation_is_strictly_dominated_in_the_prisoners_dilemma():
    game = named_game("prisoners_dilemma")
    assert dominated_actions(game, 0) == dominated_actions(game, 1) == (0,)
    assert iterated_elimination(game) == ((1,), (1,))


def test_a_mixture_may_dominate_where_no_pure_action_does():
    # 1/2 top + 1/2 middle earns 3/2 against both columns, more than bottom's 1.
    game = two_player([[3, 0], [0, 3], [1, 1]], np.zeros((3, 2)))
    assert dominated_actions(game, 0) == (2,)
    assert dominated_actions(game, 1) == ()


def test_a_tie_with_a_mixture_is_no_strict_dominance():
    game = two_player([[2, 0], [0, 2], [1, 1]], np.zeros((3, 2)))
    assert dominated_actions(game, 0) == ()
    assert dominated_actions(game, 0, strict=False) == ()


def test_weak_dominance_needs_one_place_where_it_wins():
    game = two_player([[1, 1], [1, 0]], np.zeros((2, 2)))
    assert dominated_actions(game, 0) == ()
    assert dominated_actions(game, 0, strict=False) == (1,)
    same = two_player([[1, 1], [1, 1]], np.zeros((2, 2)))
    assert dominated_actions(same, 0, strict=False) == ()


def test_a_mixture_may_dominate_weakly():
    # 1/2 top + 1/2 middle earns (1, 1, 1) against bottom's (1, 1, 0).
    game = two_player([[2, 0, 1], [0, 2, 1], [1, 1, 0]], np.zeros((3, 3)))
    assert dominated_actions(game, 0) == ()
    assert dominated_actions(game, 0, strict=False) == (2,)


def test_elimination_goes_on_in_what_is_left():
    # Right is worse than center for player 1; then down is worse than up for player 0; then left is worse than center.
    game = two_player([[1, 1, 0], [0, 0, 2]], [[0, 2, 1], [3, 1, 0]])
    assert dominated_actions(game, 0) == ()
    assert iterated_elimination(game) == ((0,), (1,))


def test_dominance_takes_any_number_of_players():
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[2, :, :, 1] = 1
    game = NormalFormGame(payoffs)
    assert [dominated_actions(game, player) for player in range(3)] == [(), (), (0,)]
    assert iterated_elimination(game) == ((0, 1), (0, 1), (1,))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_no_equilibrium_plays_what_elimination_removes(seed, num_rows, num_columns):
    game = NormalFormGame(np.random.default_rng(seed).integers(-3, 4, (2, num_rows, num_columns)))
    surviving = iterated_elimination(game)
    assert all(surviving)
    for equilibrium in all_equilibria(game):
        for player, strategy in enumerate(equilibrium.strategies):
            assert all(action in surviving[player] for action, probability in enumerate(strategy) if probability > 0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 3))
def test_what_is_dominated_is_never_a_best_response_and_the_rest_sometimes_is(seed, num_rows, num_columns):
    """Pearce's lemma: the actions that are not strictly dominated are best against some belief.

    An action is best against some belief exactly if it is played in an equilibrium of the zero-sum game in which
    player 1 minimises the regret of player 0's having played it.
    """
    matrix = np.random.default_rng(seed).integers(-3, 4, (num_rows, num_columns))
    dominated = dominated_actions(two_player(matrix, 0 * matrix), 0)
    for action in range(num_rows):
        regret = matrix - matrix[action]
        value = all_equilibria(two_player(regret, -regret))[0].payoffs[0]
        assert (action in dominated) == (value > 0)


def test_an_unknown_player_is_refused():
    with pytest.raises(ValueError, match=r"chicken has players 0 to 1, but was asked for player -1"):
        dominated_actions(named_game("chicken"), -1)


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e9, 1e200])
def test_the_unit_of_the_payoffs_decides_no_dominance(scale):
    strictly = two_player(scale * np.array([[3, 0], [0, 3], [1, 1]]), np.zeros((3, 2)))
    weakly = two_player(scale * np.array([[2, 0, 1], [0, 2, 1], [1, 1, 0]]), np.zeros((3, 3)))
    assert dominated_actions(strictly, 0) == (2,)
    assert dominated_actions(weakly, 0) == ()
    assert dominated_actions(weakly, 0, strict=False) == (2,)
