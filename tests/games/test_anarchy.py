"""The price of anarchy by every concept of equilibrium."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import NormalFormGame, named_game, price_of_anarchy, worst_equilibrium_welfare
from rl_envs.games.anarchy import CONCEPTS


def test_the_prisoners_dilemma_loses_two_thirds():
    assert all(price_of_anarchy(named_game("prisoners_dilemma"), concept) == pytest.approx(3) for concept in CONCEPTS)


def test_the_same_dilemma_told_in_years_of_prison_has_a_price_too():
    # Years: 1 each if both are silent, 2 each if both talk, 0 and 3 otherwise: 4 years instead of 2.
    years = -np.array([[1, 3], [0, 2]])
    assert price_of_anarchy(NormalFormGame(np.stack([years, years.T]))) == 2


def test_chickens_worst_nash_equilibria_are_better_than_its_worst_correlated_one():
    game = named_game("chicken")
    assert worst_equilibrium_welfare(game) == 9
    assert price_of_anarchy(game) == pytest.approx(12 / 9)
    assert worst_equilibrium_welfare(game, "pure") == 9
    # Going straight is obeyed if the crash is at most half as often as either unequal cell: 1/5, 2/5, 2/5.
    assert worst_equilibrium_welfare(game, "correlated") == pytest.approx(36 / 5, abs=1e-9)


def test_climbings_worst_equilibrium_is_the_mixed_one():
    assert price_of_anarchy(named_game("climbing")) == pytest.approx(22 / (2 * 55 / 16))
    assert price_of_anarchy(named_game("climbing"), "pure") == pytest.approx(11 / 7)


@given(st.integers(0, 2**32 - 1))
def test_larger_concepts_have_higher_prices(seed):
    game = NormalFormGame(np.random.default_rng(seed).integers(1, 9, (2, 3, 3)))
    prices = [price_of_anarchy(game, concept) for concept in ("nash", "correlated", "coarse_correlated")]
    assert 1 <= prices[0] <= prices[1] + 1e-9 <= prices[2] + 2e-9
    if game.pure_equilibria():
        assert price_of_anarchy(game, "pure") <= prices[0] + 1e-9


def test_three_players_have_a_price_by_the_concepts_that_take_them():
    game = NormalFormGame(np.random.default_rng(1).integers(1, 9, (3, 2, 2, 2)))
    assert price_of_anarchy(game, "coarse_correlated") >= price_of_anarchy(game, "correlated") - 1e-9 >= 1 - 1e-9


def test_a_ratio_of_welfares_of_different_signs_is_refused():
    with pytest.raises(ValueError, match=r"needs the welfare .* one sign, but in matching_pennies they are 0 and 0"):
        price_of_anarchy(named_game("matching_pennies"))


def test_a_game_without_pure_equilibrium_has_no_pure_price():
    with pytest.raises(ValueError, match=r"matching_pennies has no pure equilibrium"):
        price_of_anarchy(named_game("matching_pennies"), "pure")


def test_an_unknown_concept_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown equilibrium concept 'nahs'\. Did you mean 'nash'\?"):
        price_of_anarchy(named_game("chicken"), "nahs")
