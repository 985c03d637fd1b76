"""Equal entries of a list to choose from are one branch of chance: a deck has four kinds of tens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def different_entries(
    values: Sequence[Any], population: np.ndarray, weights: list[float] | None
) -> tuple[list[Any], list[float]]:
    """The different entries of a list, and their weights.

    Args:
        values: the list.
        population: the same as NumPy's array, whose entries are what is drawn.
        weights: of the entries; None where all are equally likely.

    Returns:
        Each different entry once, with the sum of the weights of those equal to it; all of them where they cannot be
        looked up.
    """
    weights = [1.0] * len(population) if weights is None else weights
    first: dict[Any, int] = {}
    total: dict[int, float] = {}
    try:
        for i, value in enumerate(values):
            place = first.setdefault((type(value), value), i)
            total[place] = total.get(place, 0.0) + weights[i]
    except TypeError:  # values that cannot be looked up
        return list(population), weights
    return [population[place] for place in total], list(total.values())
