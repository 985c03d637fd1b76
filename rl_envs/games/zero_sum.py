"""Zero-sum matrix games, one by linear programming or thousands at once, each with a certificate.

`matrix[a, b]` is what the row player gets and the column player pays. A row strategy x proves the value is at least
min over b of (x @ matrix)[b], a column strategy y proves it is at most max over a of (matrix @ y)[a]; the solutions
here hold both strategies, and the gap between the two bounds shows how exact they are, independently of the algorithm.

Value iteration in a Markov game needs one such program per state and sweep, tens of thousands in all, each tiny. So
`solve_matrix_games` runs the simplex method on a whole batch at once: every pivot is one array operation over all games
that still need one. Games with a large gap, because of rounding, are solved again by SciPy.

Sources: Dantzig (1951), A proof of the equivalence of the programming problem and the game problem; Bland (1977), New
finite pivoting rules for the simplex method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.games.linear_program import as_distribution, maximise

# Batched solutions whose gap is above this share of the matrix's range are left to SciPy.
_GAP_TOLERANCE = 1e-10
# Entries of a tableau below this are rounding: its data lie between 1 and 2.
_ZERO = 1e-11


@dataclass(frozen=True)
class MatrixGameSolutions:
    """Optimal strategies of a batch of zero-sum matrix games, with bounds they prove.

    Attributes:
        row: [..., A1], optimal strategies of the row player.
        column: [..., A2], optimal strategies of the column player.
        lower: [...], what `row` guarantees.
        upper: [...], what `column` allows at most; the value lies between the two.
    """

    row: np.ndarray  # [..., A1]
    column: np.ndarray  # [..., A2]
    lower: np.ndarray  # [...]
    upper: np.ndarray  # [...]

    @property
    def value(self) -> np.ndarray:
        """[...], the middle of the two bounds."""
        return (self.lower + self.upper) / 2


def solve_matrix_games(matrices: Any) -> MatrixGameSolutions:
    """Solve a batch of zero-sum matrix games of one shape.

    Args:
        matrices: [..., A1, A2], finite payoffs to the row player.

    Returns:
        Optimal strategies with the bounds they prove; the bounds agree to 1e-10 of each matrix's range, and to about
        1e-8 where payoffs differ by hardly more than rounding and SciPy has to settle it.

    Raises:
        ValueError: if there are fewer than two axes, a player has no action, or a payoff is not finite.
    """
    array = np.asarray(matrices, dtype=np.float64)
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(f"matrix games need shape [..., A1, A2] with actions on both sides, but got {array.shape}")
    if not np.isfinite(array).all():
        where = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"the payoffs of matrix games must be finite, but entry {where} is {array[where]}")
    batch_shape, games = array.shape[:-2], array.reshape(-1, *array.shape[-2:])
    row, column = _simplex(_scaled(games))
    span = np.ptp(games, axis=(1, 2))
    lower, upper = _bounds(games, row, column)
    for index in np.flatnonzero(~(upper - lower <= _GAP_TOLERANCE * span)):
        row[index], column[index] = solve_by_linear_program(games[index])
    lower, upper = _bounds(games, row, column)
    return MatrixGameSolutions(
        row=row.reshape(*batch_shape, -1),
        column=column.reshape(*batch_shape, -1),
        lower=lower.reshape(batch_shape),
        upper=upper.reshape(batch_shape),
    )


def solve_by_linear_program(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve one zero-sum matrix game with SciPy: the row player's program, and the column player's as its dual.

    Args:
        matrix: [A1, A2], payoffs to the row player.

    Returns:
        Optimal strategies, [A1] and [A2].
    """
    num_rows, num_columns = matrix.shape
    matrix = _scaled(matrix[None])[0]  # the solver's tolerance is absolute
    # Variables (strategy, value): maximise the value, which may not exceed what the strategy earns in any column.
    solution = maximise(
        objective=np.append(np.zeros(num_rows), 1.0),
        inequality_rows=np.column_stack([-matrix.T, np.ones(num_columns)]),
        inequality_bounds=np.zeros(num_columns),
        equality_rows=np.append(np.ones(num_rows), 0.0)[None],
        equality_values=np.ones(1),
        free=1,
    )
    return as_distribution(solution.point[:num_rows]), as_distribution(solution.multipliers)


def _bounds(games: np.ndarray, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lower = np.einsum("ga,gab->gb", row, games).min(axis=1)
    upper = np.einsum("gab,gb->ga", games, column).max(axis=1)
    return lower, upper


def _scaled(games: np.ndarray) -> np.ndarray:
    """The games with payoffs moved to [1, 2]: the same optimal strategies, and a value that is surely positive."""
    lowest = games.min(axis=(1, 2), keepdims=True)
    span = np.ptp(games, axis=(1, 2), keepdims=True)
    return 1.0 + (games - lowest) / np.where(span > 0, span, 1.0)


def _simplex(games: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Optimal strategies by the simplex method, all games side by side.

    For a positive matrix the column player's strategy is q / sum(q) where q maximises sum(q) subject to
    matrix @ q <= 1, q >= 0, and the row player's is the dual solution, which the bottom row of the final tableau shows
    at the slacks.
    """
    num_games, num_rows, num_columns = games.shape
    num_variables = num_columns + num_rows
    tableau = np.zeros((num_games, num_rows + 1, num_variables + 1))
    tableau[:, :num_rows, :num_columns] = games
    tableau[:, :num_rows, num_columns:num_variables] = np.eye(num_rows)
    tableau[:, :num_rows, -1] = 1.0
    tableau[:, -1, :num_columns] = -1.0
    basis = np.tile(np.arange(num_columns, num_variables), (num_games, 1))  # [G, A1] the variable of each row
    active = np.arange(num_games)
    # Bland's rule cannot cycle; the limit is for rounding that might, and what it leaves unsolved has a gap.
    for _ in range(20 * num_variables):
        improving = tableau[active, -1, :-1] < -_ZERO
        unfinished = improving.any(axis=1)
        active, entering = active[unfinished], improving.argmax(axis=1)[unfinished]
        # A column without a positive entry cannot be in exact arithmetic: what improves there is rounding. Such a game
        # is left as it is, and its gap says whether that will do.
        bounded = (tableau[active, :-1, entering] > _ZERO).any(axis=1)
        active, entering = active[bounded], entering[bounded]
        if not active.size:
            break
        leaving = _leaving_rows(tableau[active, :-1, -1], tableau[active, :-1, entering], basis[active])
        _pivot(tableau, active, leaving, entering)
        basis[active, leaving] = entering
    primal = np.zeros((num_games, num_variables))
    np.put_along_axis(primal, basis, tableau[:, :-1, -1], axis=1)
    column = np.maximum(primal[:, :num_columns], 0.0)
    row = np.maximum(tableau[:, -1, num_columns:num_variables], 0.0)
    return _normalised(row), _normalised(column)


def _leaving_rows(right_side: np.ndarray, column: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """[G], the row whose variable reaches 0 first; among ties the variable with the lowest index (Bland's rule)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(column > _ZERO, right_side / column, np.inf)
    tied = ratio <= ratio.min(axis=1, keepdims=True) + _ZERO
    return np.where(tied, basis, np.iinfo(basis.dtype).max).argmin(axis=1)


def _pivot(tableau: np.ndarray, active: np.ndarray, leaving: np.ndarray, entering: np.ndarray) -> None:
    pivot_row = tableau[active, leaving] / tableau[active, leaving, entering][:, None]
    tableau[active] -= tableau[active, :, entering][:, :, None] * pivot_row[:, None, :]
    tableau[active, leaving] = pivot_row


def _normalised(weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1, keepdims=True)
    # No weight at all means that pivoting stopped early; the uniform strategy has a gap that shows it.
    return np.where(total > 0, weights, 1.0) / np.where(total > 0, total, weights.shape[1])
