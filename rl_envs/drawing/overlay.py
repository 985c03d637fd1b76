"""Numbers about states, to be drawn on a canvas: values or visit counts as a heat map, a policy as arrows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Overlay:
    """Numbers about a world's states, ready to be drawn.

    Attributes:
        title: for the legend.
        values: of the heat map, [S] float64, NaN where it shows nothing; None for no heat map.
        action_values: the same for each action, [S, A] float64, or None.
        policy: the probability of each action, or 1 for each action of a set, [S, A] float64; None for no arrows.
    """

    title: str
    values: np.ndarray | None = None  # [S] float64
    action_values: np.ndarray | None = None  # [S, A] float64
    policy: np.ndarray | None = None  # [S, A] float64

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and highest number of the heat map, including action values if there are any."""
        parts = [table.ravel() for table in (self.values, self.action_values) if table is not None]
        numbers = np.concatenate(parts) if parts else np.zeros(0)
        numbers = numbers[~np.isnan(numbers)]
        return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)

    def level(self, value: float) -> float:
        """A value's place between the lowest, 0, and the highest, 1; 0.5 if all are equal."""
        low, high = self.range
        if high <= low:
            return 0.5
        scale = (
            2.0 if math.isinf(high - low) else 1.0
        )  # the difference of diverging values may exceed the largest float
        return (value / scale - low / scale) / (high / scale - low / scale)

    def number(self, state: int) -> str:
        """A state's value as text; empty if there is none."""
        return "" if self.values is None or np.isnan(self.values[state]) else short(float(self.values[state]))


def short(value: float) -> str:
    """A number in at most six characters or so: 0.8145, -12.5, 1e+06."""
    if value == round(value) and abs(value) < 1e5:
        return str(round(value))
    return f"{value:.3g}"
