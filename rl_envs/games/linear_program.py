"""One way to solve a linear program: SciPy's HiGHS, with an error if there is no solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LinearProgramSolution:
    """What a linear program's solver found.

    Attributes:
        point: [V], the optimal variables.
        multipliers: [M], what one more unit on the right of each inequality would add to the maximum, at least 0.
    """

    point: np.ndarray  # [V]
    multipliers: np.ndarray  # [M]


def maximise(
    objective: np.ndarray,
    inequality_rows: np.ndarray,
    inequality_bounds: np.ndarray,
    equality_rows: np.ndarray,
    equality_values: np.ndarray,
    free: int = 0,
) -> LinearProgramSolution:
    """Maximise a linear objective under linear inequalities and equations.

    The program: maximise objective @ x where inequality_rows @ x <= inequality_bounds and
    equality_rows @ x = equality_values.

    Args:
        objective: [V].
        inequality_rows: [M, V].
        inequality_bounds: [M].
        equality_rows: [E, V].
        equality_values: [E].
        free: the last `free` variables may be negative; the others are at least 0.

    Returns:
        An optimal point and the multipliers of the inequalities.

    Raises:
        RuntimeError: if the solver finds no optimum, with its own message.
    """
    from scipy.optimize import linprog

    bounds = [(0.0, None)] * (len(objective) - free) + [(None, None)] * free
    result = linprog(
        -objective,
        A_ub=inequality_rows if len(inequality_rows) else None,
        b_ub=inequality_bounds if len(inequality_rows) else None,
        A_eq=equality_rows,
        b_eq=equality_values,
        bounds=bounds,
        method="highs",
    )
    if result.status != 0:
        raise RuntimeError(f"the linear program has no solution that the solver can find: {result.message}")
    return LinearProgramSolution(point=result.x, multipliers=-result.ineqlin.marginals)


def as_distribution(weights: np.ndarray) -> np.ndarray:
    """Weights with the solver's rounding removed: none negative, sum exactly 1 up to the last bit.

    Args:
        weights: an array of any shape whose positive part has a positive sum.

    Returns:
        The same shape.
    """
    positive = np.maximum(weights, 0.0)
    return positive / positive.sum()
