"""What every planted agent does with an observation: a row of features for a network, a number for a table."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


def features(space: gym.Space[Any], observations: Any) -> np.ndarray:
    """Rows [..., D] of float32: Discrete observations one-hot, those of a Box flattened behind the batch."""
    observations = np.asarray(observations)
    if isinstance(space, gym.spaces.Discrete):
        return np.eye(int(space.n), dtype=np.float32)[observations - space.start]
    batch = observations.shape[: observations.ndim - len(space.shape)]
    return observations.reshape(*batch, -1).astype(np.float32)


def number(space: gym.Space[Any], observations: Any) -> np.ndarray:
    """The row of a table for each observation: its number where Discrete, the place of the 1 where one-hot."""
    if isinstance(space, gym.spaces.Discrete):
        return np.asarray(observations) - space.start
    return np.asarray(observations).argmax(axis=-1)


def count(space: gym.Space[Any]) -> int:
    """How many features a row has, and how many rows a table needs."""
    return int(space.n) if isinstance(space, gym.spaces.Discrete) else int(np.prod(space.shape))
