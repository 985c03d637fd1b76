"""Quantities that change with the steps taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

from baselines.learning.schedules import harmonic, linear


@pytest.mark.parametrize(("step", "value"), [(0, 1.0), (25, 0.775), (50, 0.55), (100, 0.1), (101, 0.1), (10**9, 0.1)])
def test_a_linear_schedule_falls_in_a_straight_line_and_stays(step: int, value: float) -> None:
    assert linear(step, 1.0, 0.1, 100) == pytest.approx(value, rel=1e-15)


def test_a_linear_schedule_without_duration_is_at_its_end() -> None:
    assert linear(0, 1.0, 0.1, 0) == 0.1


@pytest.mark.parametrize(("step", "value"), [(0, 0.5), (100, 0.25), (300, 0.125)])
def test_a_harmonic_schedule_halves_after_its_half_life(step: int, value: float) -> None:
    assert harmonic(step, 0.5, 100.0) == value


def test_an_infinite_half_life_is_constant() -> None:
    assert harmonic(10**9, 0.5, math.inf) == 0.5


def test_a_harmonic_schedule_of_counts_is_that_of_each() -> None:
    np.testing.assert_array_equal(harmonic(np.array([0, 5, 15]), 1.0, 5.0), [1.0, 0.5, 0.25])
    np.testing.assert_array_equal(harmonic(np.array([0, 10**9]), 0.3, math.inf), [0.3, 0.3])
