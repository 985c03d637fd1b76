"""Correlated and coarse correlated equilibria: Aumann's example, order of the sets, certificates by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import (
    NormalFormGame,
    all_equilibria,
    coarse_correlated_equilibrium,
    coarse_correlated_gain,
    correlated_equilibrium,
    correlated_gain,
    named_game,
)


def gains_by_hand(game, distribution):
    """(largest gain from disobeying one recommendation, largest gain from one fixed action)."""
    obedience, commitment = [0.0], []
    for player, count in enumerate(game.num_actions):
        for deviation in range(count):
            fixed = 0.0
            for recommended in range(count):
                gain = 0.0
                for joint in itertools.product(*map(range, game.num_actions)):
                    if joint[player] == recommended:
                        deviated = (*joint[:player], deviation, *joint[player + 1 :])
                        gain += distribution[joint] * (
                            game.payoffs[(player, *deviated)] - game.payoffs[(player, *joint)]
                        )
                fixed += gain
                if deviation != recommended:
                    obedience.append(gain)
            commitment.append(fixed)
    return max(obedience), max(commitment)


def random_game(seed, shape):
    return NormalFormGame(np.random.default_rng(seed).integers(-5, 6, (len(shape), *shape)))


def test_aumanns_mediator_makes_ten_and_a_half_of_chicken():
    found = correlated_equilibrium(named_game("chicken"))
    assert found.value == pytest.approx(10.5, abs=1e-9)
    np.testing.assert_allclose(found.distribution, [[1 / 2, 1 / 4], [1 / 4, 0]], atol=1e-9)
    np.testing.assert_allclose(found.payoffs, [5.25, 5.25], atol=1e-9)
    assert found.max_deviation_gain <= 1e-12


def test_weights_look_for_the_best_equilibrium_of_one_player():
    game = named_game("battle_of_the_sexes")
    assert correlated_equilibrium(game, weights=[1, 0]).value == pytest.approx(2, abs=1e-9)
    assert correlated_equilibrium(game, weights=[0, 1], worst=True).value == pytest.approx(2 / 3, abs=1e-9)


def test_a_coarse_equilibrium_may_beat_every_correlated_one():
    # Half (b, c), half (c, b) earns (3 + 2) / 2 each. Committing to a, b, c against an opponent who plays b and c
    # alike earns 5/2, 2, 1: coarse correlated. But who is told c knows that the other plays b, and gains 3 - 2 with a.
    matrix = np.array([[0, 3, 2], [1, 1, 3], [0, 2, 0]])
    game = NormalFormGame(np.stack([matrix, matrix.T]))
    mediator = np.array([[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]])
    assert coarse_correlated_gain(game, mediator) == 0
    assert correlated_gain(game, mediator) == 0.5
    assert coarse_correlated_equilibrium(game).value == pytest.approx(5, abs=1e-9)
    assert correlated_equilibrium(game).value == pytest.approx(4, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_gains_are_those_of_the_definitions(seed, shape):
    game = random_game(seed, shape)
    distribution = np.random.default_rng(seed + 1).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    obedience, commitment = gains_by_hand(game, distribution)
    assert max(correlated_gain(game, distribution), 0) == pytest.approx(obedience, abs=1e-9)
    assert coarse_correlated_gain(game, distribution) == pytest.approx(commitment, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_found_equilibria_prove_themselves(seed, shape):
    game = random_game(seed, shape)
    for worst in (False, True):
        obeyed = correlated_equilibrium(game, worst=worst)
        committed = coarse_correlated_equilibrium(game, worst=worst)
        assert gains_by_hand(game, obeyed.distribution)[0] <= 1e-9
        assert gains_by_hand(game, committed.distribution)[1] <= 1e-9
        for found in (obeyed, committed):
            assert found.max_deviation_gain <= 1e-9
            assert found.distribution.sum() == pytest.approx(1, abs=1e-12)
            assert found.distribution.min() >= 0
            assert found.value == pytest.approx(found.payoffs.sum(), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_nash_lies_inside_correlated_lies_inside_coarse(seed, num_rows, num_columns):
    game = random_game(seed, (num_rows, num_columns))
    nash = [float(equilibrium.welfare) for equilibrium in all_equilibria(game)]
    obeyed = [correlated_equilibrium(game, worst=worst).value for worst in (True, False)]
    committed = [coarse_correlated_equilibrium(game, worst=worst).value for worst in (True, False)]
    assert committed[0] - 1e-9 <= obeyed[0] <= min(nash) + 1e-9
    assert max(nash) - 1e-9 <= obeyed[1] <= committed[1] + 1e-9
    assert committed[1] <= game.social_optimum().welfare + 1e-9
    for equilibrium in all_equilibria(game):
        product = np.outer(*equilibrium.probabilities())
        assert correlated_gain(game, product) <= 1e-9
        assert coarse_correlated_gain(game, product) <= 1e-9


@pytest.mark.parametrize("gain", [correlated_gain, coarse_correlated_gain])
@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        (np.ones(4) / 4, r"chicken must have shape \(2, 2\), but has \(4,\)"),
        ([[1, 0.5], [0, 0]], r"sum to 1, but its smallest entry is 0 and its sum 1\.5"),
        ([[1.5, -0.5], [0, 0]], r"its smallest entry is -0\.5"),
        ([[np.nan, 1], [0, 0]], r"must be finite"),
    ],
)
def test_what_is_no_distribution_is_refused(gain, distribution, message):
    with pytest.raises(ValueError, match=message):
        gain(named_game("chicken"), distribution)


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [1, np.nan]])
def test_weights_must_be_one_finite_number_a_player(weights):
    with pytest.raises(ValueError, match=r"weights must be 2 finite numbers, one per player"):
        correlated_equilibrium(named_game("chicken"), weights=weights)


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e9, 1e200])
def test_the_unit_of_the_payoffs_decides_no_equilibrium(scale):
    game = named_game("prisoners_dilemma")
    scaled = NormalFormGame(game.payoffs * scale)
    for concept in (correlated_equilibrium, coarse_correlated_equilibrium):
        for worst in (False, True):
            found = concept(scaled, worst=worst)
            assert found.value / scale == pytest.approx(concept(game, worst=worst).value, abs=1e-9)
            assert found.max_deviation_gain / scale <= 1e-9
