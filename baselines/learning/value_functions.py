"""Estimated state values of many runs at once, linear in features or by networks, with their gradients.

Both are asked in the same way, so that a method of prediction is written once: it needs the value of what is seen, and
the gradient of that value with respect to the weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from baselines.learning.features import FeatureMap


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
        """The values of some runs' observations.

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
        features: the features of the world's observations.
        num_runs: R.
        observation_in_state: what is observed in each state of the world's table, [S, ...].
        observation_index: numbers observations, [M, ...] -> [M] int, so that their features are looked up; None where
            they have no numbers.

    Attributes:
        features: x of each state, [S, D].
    """

    def __init__(
        self,
        features: FeatureMap,
        num_runs: int,
        observation_in_state: np.ndarray,
        observation_index: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._map = features
        self._index = observation_index
        self.largest_square = features.largest_square
        self.weights = np.zeros((num_runs, features.num_features))
        self.features = features.of(observation_in_state)
        # Where observations are numbered, looking rows up is several times faster than computing them.
        self._rows = np.zeros((0, features.num_features))  # [n, D] by the observation's number
        if observation_index is not None:
            index = observation_index(observation_in_state)  # [S]
            self._rows = np.zeros((index.max() + 1, features.num_features))
            self._rows[index] = self.features  # what no state shows is never looked up

    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        return np.einsum("md,md->m", self._features_of(observation), self.weights[runs])

    def value_and_gradient(self, observation: np.ndarray, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = self._features_of(observation)
        return np.einsum("md,md->m", features, self.weights[runs]), features

    def by_state(self) -> np.ndarray:
        # One product a run: a single one for all would round differently with their number.
        return np.stack([self.features @ weights for weights in self.weights])

    def _features_of(self, observation: np.ndarray) -> np.ndarray:
        return self._map.of(observation) if self._index is None else self._rows[self._index(observation)]
