"""Encodes observations as rows of numbers for networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from baselines.learning.networks import StackedNetworks


class Encoder:
    """Turns observations into rows of float32 features.

    A Discrete observation becomes zeros with a single one, a MultiDiscrete one such a row for each of its numbers, and
    a Box is flattened and otherwise left as it is.

    Args:
        space: of one observation.

    Attributes:
        num_features: D.

    Raises:
        TypeError: another kind of space.
    """

    _distinct: tuple[torch.Tensor, np.ndarray]

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._in_state: np.ndarray | None = None
        if isinstance(space, spaces.Box):
            self.num_features = int(np.prod(space.shape))
            self._one_hot = None
            return
        if isinstance(space, spaces.Discrete):
            sizes, first = np.array([space.n]), np.array([space.start])
        elif isinstance(space, spaces.MultiDiscrete) and len(space.shape) == 1:
            sizes, first = space.nvec, getattr(space, "start", np.zeros_like(space.nvec))
        else:
            raise TypeError(f"a network needs Discrete, one-dimensional MultiDiscrete or Box observations, not {space}")
        self.num_features = int(np.sum(sizes))
        self._one_hot = np.eye(self.num_features, dtype=np.float32)
        # Number k of entry m is the one in column offset[m] + k.
        self._offset = np.concatenate([[0], np.cumsum(sizes)[:-1]]) - first  # [m]

    def __call__(self, observation: np.ndarray, rows: tuple[int, ...]) -> torch.Tensor:
        """The features of a batch.

        Args:
            observation: batch of observations, [..., *shape of the space].
            rows: the batch's shape, as the result has it; it must hold as many observations.

        Returns:
            [*rows, D] float32, freshly made by torch, so that it lies in memory as matrix products always find it: then
            the same numbers give the same bits in every process.
        """
        features = torch.empty((*rows, self.num_features))
        out = features.numpy()
        if self._one_hot is None:
            out[...] = observation.reshape(out.shape)
        elif len(self._offset) == 1:
            column = observation.reshape(rows) + self._offset[0]
            np.take(self._one_hot, column, axis=0, out=out, mode="clip")
        else:
            columns = observation.reshape(*rows, -1) + self._offset
            self._one_hot[columns].sum(axis=-2, out=out)
        return features

    def distinct_observations(self, observation_in_state: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """The features of the different observations of a world with a table.

        A network that is asked once about each answers states that look alike with the same bits.

        Args:
            observation_in_state: what is observed in each state, [S, ...].

        Returns:
            Features [n, D], and for each state the number of what is seen there, [S].
        """
        seen = observation_in_state
        rows, index = np.unique(seen.reshape(len(seen), -1), axis=0, return_inverse=True)
        return self(rows.reshape(len(rows), *seen.shape[1:]), (len(rows),)), index.reshape(-1)

    @torch.no_grad()
    def by_state(self, networks: StackedNetworks, name: str, observation_in_state: np.ndarray) -> torch.Tensor:
        """The output of one of the networks in every state of a world with a table.

        Args:
            networks: of all runs.
            name: which of them.
            observation_in_state: what is observed in each state, [S, ...].

        Returns:
            [R, S, outputs].
        """
        if self._in_state is not observation_in_state:  # looked up once for a world
            self._in_state, self._distinct = observation_in_state, self.distinct_observations(observation_in_state)
        features, seen_in_state = self._distinct
        return networks.output(name, features.expand(len(networks.parameters), -1, -1))[:, seen_in_state]
