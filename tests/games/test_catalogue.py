"""The named games: payoffs against the printed tables, parameters, unknown names."""

import numpy as np
import pytest

from rl_envs.games import GAMES, named_game

PRINTED = {
    "prisoners_dilemma": [[(3, 3), (0, 5)], [(5, 0), (1, 1)]],
    "stag_hunt": [[(2, 2), (0, 1)], [(1, 0), (1, 1)]],
    "chicken": [[(6, 6), (2, 7)], [(7, 2), (0, 0)]],
    "battle_of_the_sexes": [[(2, 1), (0, 0)], [(0, 0), (1, 2)]],
    "matching_pennies": [[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]],
    "rock_paper_scissors": [
        [(0, 0), (-1, 1), (1, -1)],
        [(1, -1), (0, 0), (-1, 1)],
        [(-1, 1), (1, -1), (0, 0)],
    ],
    "coordination": [[(1, 1), (0, 0)], [(0, 0), (1, 1)]],
    "climbing": [
        [(11, 11), (-30, -30), (0, 0)],
        [(-30, -30), (7, 7), (6, 6)],
        [(0, 0), (0, 0), (5, 5)],
    ],
    "penalty": [
        [(10, 10), (0, 0), (-100, -100)],
        [(0, 0), (2, 2), (0, 0)],
        [(-100, -100), (0, 0), (10, 10)],
    ],
}


def test_every_named_game_is_printed_here():
    assert set(GAMES) == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_payoffs_are_those_of_the_textbooks(name):
    game = named_game(name)
    assert np.moveaxis(game.payoffs, 0, -1).tolist() == [
        [list(map(float, cell)) for cell in row] for row in PRINTED[name]
    ]
    assert game.name == name
    assert len(set(game.num_actions)) == 1  # identical action spaces


@pytest.mark.parametrize("name", GAMES)
def test_every_game_names_its_source_and_its_solution(name):
    assert "Source:" in GAMES[name].__doc__
    assert "Exact Solution:" in GAMES[name].__doc__


def test_penalty_takes_its_penalty():
    assert named_game("penalty", k=-10).payoffs[:, 0, 2].tolist() == [-10, -10]
    assert named_game("penalty", k=0).payoffs[:, 2, 0].tolist() == [0, 0]


def test_coordination_takes_its_number_of_actions():
    assert named_game("coordination", num_actions=4).payoffs.tolist() == [np.eye(4).tolist()] * 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("climbin", r"unknown game 'climbin'\. Did you mean 'climbing'\?"),
        ("prisoner_dilemma", r"unknown game 'prisoner_dilemma'\. Did you mean 'prisoners_dilemma'\?"),
        ("xyzzy", r"unknown game 'xyzzy'\. Known: .*stag_hunt"),
        (3, r"unknown game 3\. Known:"),
    ],
)
def test_an_unknown_game_lists_the_nearest_names(name, message):
    with pytest.raises(ValueError, match=message):
        named_game(name)


def test_parameters_that_a_game_does_not_take_are_refused():
    with pytest.raises(TypeError, match=r"the game climbing takes no parameters, but got k=-1"):
        named_game("climbing", k=-1)
    with pytest.raises(TypeError, match=r"the game penalty takes k, but got penalty=-1"):
        named_game("penalty", penalty=-1)


@pytest.mark.parametrize("k", [1, np.inf, -np.inf, np.nan])
def test_a_penalty_that_is_none_is_refused(k):
    with pytest.raises(ValueError, match=r"the penalty k must be finite and at most 0, but got"):
        named_game("penalty", k=k)


@pytest.mark.parametrize("k", ["-10", None, True, [-10]])
def test_a_penalty_that_is_no_number_is_refused(k):
    with pytest.raises(TypeError, match=r"k must be a number, but "):
        named_game("penalty", k=k)


def test_coordination_needs_an_action():
    with pytest.raises(ValueError, match=r"num_actions must be at least 1, but got 0"):
        named_game("coordination", num_actions=0)
    with pytest.raises(TypeError, match=r"num_actions must be an integer, but got 2\.0"):
        named_game("coordination", num_actions=2.0)
