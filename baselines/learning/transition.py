"""One step of every run of a population, the input of learning rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Transition:
    """One step of every run.

    Attributes:
        observation: what each run saw, [R, ...].
        action: what it did, [R, ...].
        reward: what it got, [R] float64.
        next_observation: what it saw next, [R, ...]: where the episode ended its last observation, never the first one
            of the episode after it.
        terminated: whether the episode ended by the world's rules, [R] bool; then nothing is left to be had.
        truncated: whether it was cut off by the time limit, [R] bool; both may be true.
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_observation: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
