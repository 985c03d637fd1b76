"""What is no game: payoffs, names of actions and strategies that are refused, each by name."""

from fractions import Fraction

import numpy as np
import pytest

from rl_envs.games import NormalFormGame, named_game

CLIMBING = [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        (3.0, r"must have shape \[N, A1, \.\.\., AN\].*got shape \(\): 0 players and 0 action axes"),
        ([1, 2], r"got shape \(2,\): 2 players and 0 action axes"),
        (np.zeros((2, 3)), r"got shape \(2, 3\): 2 players and 1 action axes"),
        (np.zeros((3, 2, 2)), r"got shape \(3, 2, 2\): 3 players and 2 action axes"),
        (np.zeros((2, 2, 0)), r"at least one action, but player 1 has none"),
        ([[[1, 2], [3, np.nan]]] * 2, r"must be finite, but player 0's payoff at joint action \(1, 1\) is nan"),
        (
            [np.zeros((2, 2)), [[0, np.inf], [0, 0]]],
            r"must be finite, but player 1's payoff at joint action \(0, 1\) is inf",
        ),
    ],
)
def test_payoffs_of_the_wrong_form_are_refused(payoffs, message):
    with pytest.raises(ValueError, match=message):
        NormalFormGame(payoffs)


def test_a_whole_number_beyond_all_floats_is_refused():
    with pytest.raises(ValueError, match="payoffs must be finite as floats, but one is too large"):
        NormalFormGame([[10**400, 1]])


@pytest.mark.parametrize("payoffs", ["abc", [["a", "b"]], [["1", "2"]], [[1, 2], [3]], None, [[1j, 0]]])
def test_payoffs_that_are_no_numbers_are_refused(payoffs):
    with pytest.raises(TypeError, match="payoffs must be an array of numbers"):
        NormalFormGame(payoffs)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["u", "v"], ValueError, r"player 0 has 3 actions, but action_names gives 2: \['u', 'v'\]"),
        ([["u", "v", "w"]], ValueError, r"must name the actions of 2 players, but names 1"),
        (["u", "v", "u"], ValueError, r"must be distinct, but player 0 has 'u' twice"),
        ([["u", "v", "w"], [1, 2, 3]], TypeError, r"sequences of strings, but player 1's are \[1, 2, 3\]"),
        ([["u", "v", "w"], 3], TypeError, r"sequences of strings, but player 1's are 3"),
        ([["u", "v", "w"], "abc"], TypeError, r"sequences of strings, but player 1's are 'abc'"),
        ("abc", TypeError, r"sequences of strings, but got 'abc'"),
        (3, TypeError, r"sequences of strings, but got 3"),
    ],
)
def test_action_names_that_do_not_fit_are_refused(names, error, message):
    with pytest.raises(error, match=message):
        NormalFormGame([CLIMBING, CLIMBING], names)


def test_payoffs_may_be_fractions():
    assert NormalFormGame([[Fraction(1, 2), 2]]).payoffs.tolist() == [[0.5, 2.0]]


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        ([[1, 0, 0]], r"climbing needs one strategy for each of its 2 players, but got 1"),
        ([[1, 0, 0], [1, 0]], r"strategy of player 1 must give 3 probabilities.*shape \(2,\)"),
        ([[1, 0, 0], 1.0], r"strategy of player 1 must give 3 probabilities.*shape \(\)"),
        ([[1.5, -0.5, 0], [1, 0, 0]], r"at least 0, but player 0's strategy holds -0\.5"),
        ([[1, 0, 0], [np.nan, 0, 1]], r"finite and at least 0, but player 1's strategy holds nan"),
        ([[0.5, 0.4, 0], [1, 0, 0]], r"must sum to 1, but player 0's strategy sums to 0\.9"),
    ],
)
def test_strategies_that_are_no_distributions_are_refused(strategies, message):
    with pytest.raises(ValueError, match=message):
        named_game("climbing").exploitability(strategies)
