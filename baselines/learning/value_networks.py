"""Estimated state values by a small network for each run, as `baselines.learning.value_functions` asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from baselines.learning.encoding import Encoder
from baselines.learning.networks import Perceptron, StackedNetworks
from baselines.learning.value_functions import ValueFunction


class NetworkValues(ValueFunction):
    """v(s; w) by a perceptron with tanh units.

    Args:
        observation_space: of one observation.
        observation_in_state: what is observed in each state of the world's table, [S, ...].
        hidden: units of each hidden layer.
        seeds: one a run, for its first weights.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        observation_in_state: np.ndarray,
        hidden: tuple[int, ...],
        seeds: Sequence[np.random.SeedSequence],
    ) -> None:
        self._encode = Encoder(observation_space)
        widths = (self._encode.num_features, *hidden, 1)
        self._architectures = {"value": Perceptron(widths, "tanh", "orthogonal", output_gain=0.1)}
        self.weights = StackedNetworks.initial(self._architectures, seeds).parameters.double().numpy()
        self._distinct_observations = self._encode.distinct_observations(observation_in_state)

    @torch.no_grad()
    def value(self, observation: np.ndarray, runs: np.ndarray) -> np.ndarray:
        features = self._encode(observation, (len(runs), 1))
        return self._networks(runs).output("value", features)[:, 0, 0].double().numpy()

    def value_and_gradient(self, observation: np.ndarray, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        networks = self._networks(runs)
        value = networks.output("value", self._encode(observation, (len(runs), 1)))[:, 0, 0]
        networks.backward(value)
        return value.detach().double().numpy(), networks.gradient.double().numpy()

    @torch.no_grad()
    def by_state(self) -> np.ndarray:
        networks = self._networks(np.arange(len(self.weights)))
        features, seen_in_state = self._distinct_observations
        value = networks.output("value", features.expand(len(self.weights), -1, -1))[:, :, 0]
        return value.double().numpy()[:, seen_in_state]

    def _networks(self, runs: np.ndarray) -> StackedNetworks:
        """The networks of some runs in single precision, in which torch computes; what is learned adds up in double."""
        return StackedNetworks(self._architectures, torch.from_numpy(self.weights[runs].astype(np.float32)))
