"""Zero-sum matrix games in batches, against SciPy and exact equilibria."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.games import all_equilibria, solve_matrix_games, two_player, zero_sum
from rl_envs.games.zero_sum import solve_by_linear_program


def by_linear_program(matrix):
    row, column = solve_by_linear_program(matrix)
    lower, upper = (row @ matrix).min(), (matrix @ column).max()
    assert upper - lower <= 1e-9 * max(np.ptp(matrix), 1)
    return (lower + upper) / 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_a_batch_has_the_values_of_its_linear_programs(seed, num_rows, num_columns):
    # Few different payoffs, so that ties and degenerate pivots are common.
    games = np.random.default_rng(seed).integers(-2, 3, (8, num_rows, num_columns)).astype(float)
    found = solve_matrix_games(games)
    np.testing.assert_allclose(found.value, [by_linear_program(matrix) for matrix in games], atol=1e-9)
    assert (found.upper - found.lower <= 1e-10 * 4).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_values_are_those_of_the_exact_equilibria(seed, num_rows, num_columns):
    matrix = np.random.default_rng(seed).integers(-9, 10, (num_rows, num_columns))
    exact = all_equilibria(two_player(matrix, -matrix))[0].payoffs[0]
    assert float(solve_matrix_games(matrix).value) == pytest.approx(float(exact), abs=1e-9)


def test_strategies_prove_the_bounds():
    games = np.random.default_rng(0).normal(size=(3, 50, 5, 4))
    found = solve_matrix_games(games)
    assert found.row.shape == (3, 50, 5)
    assert found.column.shape == (3, 50, 4)
    for strategies in (found.row, found.column):
        assert strategies.min() >= 0
        np.testing.assert_allclose(strategies.sum(axis=-1), 1, atol=1e-12)
    np.testing.assert_allclose(np.einsum("...a,...ab->...b", found.row, games).min(axis=-1), found.lower, atol=1e-12)
    np.testing.assert_allclose(np.einsum("...ab,...b->...a", games, found.column).max(axis=-1), found.upper, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e-6, 1.0, 1e12, 1e200])
def test_the_scale_of_the_payoffs_does_not_matter(scale):
    matrix = np.array([[3.0, -1.0], [-2.0, 4.0]])  # value (3 * 4 - 2) / (3 + 1 + 2 + 4) = 1
    found = solve_matrix_games(matrix * scale)
    assert float(found.value) == pytest.approx(scale, rel=1e-9)
    np.testing.assert_allclose(found.row, [0.6, 0.4], atol=1e-9)
    np.testing.assert_allclose(found.column, [0.5, 0.5], atol=1e-9)


def test_what_the_pivots_cannot_finish_is_solved_by_scipy(monkeypatch):
    games = np.random.default_rng(1).integers(-5, 6, (10, 3, 3)).astype(float)
    expected = solve_matrix_games(games).value
    uniform = np.full((10, 3), 1 / 3)
    monkeypatch.setattr(zero_sum, "_simplex", lambda scaled: (uniform.copy(), uniform.copy()))
    found = solve_matrix_games(games)
    np.testing.assert_allclose(found.value, expected, atol=1e-9)
    assert (found.upper - found.lower <= 1e-9 * 10).all()


def test_constant_games_are_worth_their_constant():
    assert solve_matrix_games(np.full((2, 3, 3), 7.0)).value.tolist() == [7, 7]


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ([1, 2, 3], r"need shape \[\.\.\., A1, A2\] with actions on both sides, but got \(3,\)"),
        (np.zeros((2, 0, 3)), r"but got \(2, 0, 3\)"),
        ([[[0, 1], [np.nan, 0]]], r"must be finite, but entry \(0, 1, 0\) is nan"),
    ],
)
def test_what_is_no_matrix_game_is_refused(matrices, message):
    with pytest.raises(ValueError, match=message):
        solve_matrix_games(matrices)


def test_payoffs_that_differ_by_little_more_than_rounding_are_solved_without_a_warning():
    # Rounding leaves columns that seem to improve and have nothing to pivot on; pytest turns warnings into errors.
    rng = np.random.default_rng(0)
    for size in (1e-9, 1e-10, 1e-11, 1e-12):
        games = rng.integers(0, 3, size=(3_000, 5, 5)) + size * rng.normal(size=(3_000, 5, 5))
        games[:, :, ::2] = games[:, :, ::2].round()
        solutions = solve_matrix_games(games)
        assert (solutions.upper - solutions.lower).max() < 1e-8
