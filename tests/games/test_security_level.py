"""Maximin values: textbook numbers, the dual, and equilibria of zero-sum games."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import NormalFormGame, all_equilibria, maximin, named_game, two_player


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("prisoners_dilemma", (1, 1)),
        ("stag_hunt", (1, 1)),
        ("chicken", (2, 2)),
        ("battle_of_the_sexes", (2 / 3, 2 / 3)),
        ("matching_pennies", (0, 0)),
        ("rock_paper_scissors", (0, 0)),
        ("coordination", (1 / 2, 1 / 2)),
        # Row c of climbing has no negative entry. The column player mixes a and c so that rows a and b pay alike:
        # 11 p = -30 p + 6 (1 - p), p = 6/47, worth 66/47, less than row c's 5 (1 - p).
        ("climbing", (0, 66 / 47)),
        ("penalty", (0, 0)),
    ],
)
def test_textbook_games_have_their_maximin_values(name, values):
    game = named_game(name)
    for player in (0, 1):
        found = maximin(game, player)
        assert found.value == pytest.approx(values[player], abs=1e-9)
        assert -1e-12 <= found.gap <= 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_in_zero_sum_games_what_one_guarantees_is_what_the_other_concedes(seed, num_rows, num_columns):
    matrix = np.random.default_rng(seed).integers(-9, 10, (num_rows, num_columns))
    game = two_player(matrix, -matrix)
    first, second = maximin(game, 0), maximin(game, 1)
    assert first.value == pytest.approx(-second.value, abs=1e-9)
    for equilibrium in all_equilibria(game):
        assert float(equilibrium.payoffs[0]) == pytest.approx(first.value, abs=1e-9)
    assert game.nash_conv([first.strategy, second.strategy]) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_the_strategy_guarantees_the_value_and_the_punishment_allows_no_more(seed, shape):
    game = NormalFormGame(np.random.default_rng(seed).integers(-9, 10, (len(shape), *shape)))
    for player in range(len(shape)):
        found = maximin(game, player)
        own = np.moveaxis(game.payoffs[player], player, 0)
        assert found.strategy.shape == (shape[player],)
        assert found.punishment.shape == own.shape[1:]
        guaranteed = np.tensordot(found.strategy, own, axes=1).min()
        allowed = max((row * found.punishment).sum() for row in own)
        assert guaranteed == pytest.approx(found.value, abs=1e-12)
        assert allowed == pytest.approx(found.value + found.gap, abs=1e-12)
        assert -1e-12 <= found.gap <= 1e-9


def test_a_player_alone_guarantees_the_best_action():
    found = maximin(NormalFormGame([[1, 5, 3]]), 0)
    assert found.value == 5
    assert found.strategy.tolist() == [0, 1, 0]


def test_three_players_may_punish_together():
    # Player 0 matches two coins at once: against the correlated half (0, 0), half (1, 1) nothing earns more than 1/2.
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0, 0, 0, 0] = payoffs[0, 1, 1, 1] = 1
    payoffs[0, :, 0, 1] = payoffs[0, :, 1, 0] = 1
    assert maximin(NormalFormGame(payoffs), 0).value == pytest.approx(0.5, abs=1e-9)


def test_no_equilibrium_pays_less_than_the_maximin_value():
    for name in ("chicken", "battle_of_the_sexes", "climbing", "stag_hunt"):
        game = named_game(name)
        for player in (0, 1):
            value = maximin(game, player).value
            assert all(float(equilibrium.payoffs[player]) >= value - 1e-9 for equilibrium in all_equilibria(game))


def test_an_unknown_player_is_refused():
    with pytest.raises(ValueError, match=r"chicken has players 0 to 1, but was asked for player 2"):
        maximin(named_game("chicken"), 2)


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e9, 1e200])
def test_the_unit_of_the_payoffs_decides_no_guarantee(scale):
    matrix = np.array([[3, -1], [-2, 1]])  # both columns pay 1/7 against (3/7, 4/7)
    found = maximin(two_player(scale * matrix, -scale * matrix), 0)
    np.testing.assert_allclose(found.strategy, [3 / 7, 4 / 7], atol=1e-9)
    assert found.value / scale == pytest.approx(1 / 7, abs=1e-9)
    assert found.gap / scale <= 1e-9
