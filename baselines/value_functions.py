"""Estimated state values of many runs at once, linear in features or by networks, with their gradients.

Both are asked in the same way, so that a method of prediction is written once: it needs the value of what is seen, and
the gradient of that value with respect to the weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from baselines.features import FeatureMap
from baselines.task import Task


class ValueFunction(ABC):
    """Values v(s; w) with weights of their own for each of R runs.

    Attributes:
        weights: w, [R, D] float64, changed in place by whoever learns.
        largest_square: what a step size is to be divided by; 1 where there is no such number.
    """

    weights: np.ndarray
    largest_square: int = 1

    @abstractmethod
    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        """What some runs expect from what each of them sees.

        Args:
            observation: [M, ...].
            runs: positions in the population, [M] int.

        Returns:
            Values [M].
        """

    @abstractmethod
    def value_and_gradient(self, observation: np.ndarray, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values, and their gradients with respect to the weights of the runs.

        Args and Returns: as `value`, and gradients [M, D].
        """

    @abstractmethod
    def by_state(self) -> np.ndarray:
        """The values of all states of the world's table, [R, S]."""


class LinearValues(ValueFunction):
    """v(s; w) = x(s) . w, so the gradient is x(s) itself.

    Args:
        task: a task with a table.
        features: the features of its observations.
        num_runs: R.

    Attributes:
        features: x of each state, [S, D].
    """

    def __init__(self, task: Task, features: FeatureMap, num_runs: int) -> None:
        self._map = features
        self._task = task
        self.largest_square = features.largest_square
        self.weights = np.zeros((num_runs, features.num_features))
        self.features = features.of(task.observation_in_state)
        # Looking rows up is several times faster than making them anew, where observations have numbers.
        self._rows = _rows_by_number(task, self.features)

    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        return np.einsum("md,md->m", self._features_of(observation), self.weights[runs])

    def value_and_gradient(self, observation: np.ndarray, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = self._features_of(observation)
        return np.einsum("md,md->m", features, self.weights[runs]), features

    def by_state(self) -> np.ndarray:
        # One product a run: a single one for all would round differently with their number.
        return np.stack([self.features @ weights for weights in self.weights])

    def _features_of(self, observation: np.ndarray) -> np.ndarray:
        return self._map.of(observation) if self._rows is None else self._rows[self._task.number(observation)]


def _rows_by_number(task: Task, features: np.ndarray) -> np.ndarray | None:
    """The features of each observation by its number, [n, D]; None where observations have no numbers."""
    from gymnasium import spaces

    if isinstance(task.observation_space, spaces.Box):
        return None
    rows = np.zeros((task.num_observations, features.shape[1]))
    rows[task.number_in_state] = features  # what no state shows is never looked up
    return rows
