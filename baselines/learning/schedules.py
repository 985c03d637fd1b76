"""Quantities that change while an agent learns, as pure functions of the environment steps taken so far.

The step counter is the agent's own and is saved with it, so no schedule starts again in a second call of `train`.
"""

from __future__ import annotations

from typing import Any

# A number, or an array of them.
Count = Any


def linear(step: int, start: float, end: float, duration: int) -> float:
    """Linear from `start` to `end`, then constant.

    Args:
        step: environment steps of each run so far.
        start: value at step 0.
        end: value from step `duration` on.
        duration: steps that the change takes; 0 gives `end` at once.
    """
    if step >= duration:
        return end
    return start + (end - start) * step / duration


def linear_to_zero(step: int, start: float, duration: int) -> float:
    """Linear from `start` to 0; constant where the duration is 0.

    Args:
        step: environment steps of each run so far.
        start: value at step 0.
        duration: steps that the fall takes, or 0 for none.
    """
    return linear(step, start, 0.0, duration) if duration else start


def harmonic(step: Count, start: float, half_life: float) -> Count:
    """From `start` downwards as 1 / (1 + step / half_life), whose sum diverges and whose sum of squares does not.

    Args:
        step: environment steps of each run so far; or an array of counts, of how often each value was updated, say.
        start: value at step 0.
        half_life: steps until half of it is left; `inf` keeps it constant.

    Returns:
        The value, in the shape of `step`.

    Source: the conditions of stochastic approximation, Sutton & Barto (2018), eq. 2.7.
    """
    return start / (1 + step / half_life)
