"""Small neural networks of many runs at once, the weights of all runs stacked and multiplied in batches.

Thirty small matrix products cost little more than one as a single batched product. The runs stay apart: each row of
the batch meets the weights of its own run only, and a loss that is summed over runs gives each run the gradient that
it would have alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch


@dataclass(frozen=True)
class Perceptron:
    """The architecture of a multi-layer perceptron.

    Attributes:
        widths: of its layers: (features, hidden units, ..., outputs).
        activation: after every layer but the last.
        initial: "uniform" draws weights and biases from +-1 / sqrt(inputs), as `torch.nn.Linear` does. "orthogonal"
            makes the rows or columns of each weight matrix orthogonal, of length sqrt(2), with biases of 0 (Saxe et al.
            2014).
        output_gain: the length of the last layer's rows or columns instead; for "orthogonal" only. A small one makes
            all actions nearly equally probable at first.
    """

    widths: tuple[int, ...]
    activation: Literal["relu", "tanh"] = "relu"
    initial: Literal["uniform", "orthogonal"] = "uniform"
    output_gain: float = 1.0

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        return list(zip(self.widths[:-1], self.widths[1:]))

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """One run's first weights and biases, layer by layer in one row, [P] float32."""
        parts = []
        for number, (inputs, outputs) in enumerate(self.layers, start=1):
            if self.initial == "uniform":
                bound = inputs**-0.5
                parts.append(generator.uniform(-bound, bound, inputs * outputs))
                parts.append(generator.uniform(-bound, bound, outputs))
            else:
                gain = self.output_gain if number == len(self.layers) else 2**0.5
                parts.append(gain * _orthogonal(generator, inputs, outputs).reshape(-1))
                parts.append(np.zeros(outputs))
        return np.concatenate(parts).astype(np.float32)


class StackedNetworks:
    """One or several networks of R runs.

    All their parameters lie in one array, so that an optimiser, a norm or a copy takes a few operations, and saving one
    array.

    Args:
        architectures: each network's architecture by its name.
        parameters: all weights and biases, [R, P]; taken as they are, not copied.

    Raises:
        ValueError: a number of parameters that does not fit the architectures.

    Attributes:
        parameters: all weights and biases, [R, P] float32, a row a run.
        gradient: the gradient that `backward` found, [R, P] float32.
    """

    def __init__(self, architectures: Mapping[str, Perceptron], parameters: torch.Tensor) -> None:
        layers = [layer for architecture in architectures.values() for layer in architecture.layers]
        size = sum((inputs + 1) * outputs for inputs, outputs in layers)
        if parameters.shape[1] != size:
            raise ValueError(f"parameters must have {size} entries a run, but has {parameters.shape[1]}")
        self.architectures = dict(architectures)
        self.parameters = parameters
        self.gradient = torch.zeros_like(parameters)
        self._layers: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        first = 0
        for name, architecture in self.architectures.items():
            self._layers[name] = []
            for inputs, outputs in architecture.layers:
                weights = self._view(first, inputs, outputs)
                biases = self._view(first + inputs * outputs, 1, outputs)
                self._layers[name].append((weights, biases))
                first += (inputs + 1) * outputs
        self._tensors = [part for layers in self._layers.values() for layer in layers for part in layer]

    @classmethod
    def initial(
        cls, architectures: Mapping[str, Perceptron], seeds: Sequence[np.random.SeedSequence]
    ) -> StackedNetworks:
        """Untrained networks; each run's weights are drawn from its own seed.

        Args:
            architectures: each network's architecture by its name.
            seeds: one a run.
        """
        generators = [np.random.default_rng(seed) for seed in seeds]
        rows = [np.concatenate([one.draw(generator) for one in architectures.values()]) for generator in generators]
        return cls(architectures, torch.tensor(np.array(rows)))

    def copy(self) -> StackedNetworks:
        """The same networks with parameters of their own."""
        return StackedNetworks(self.architectures, self.parameters.clone())

    def take(self, runs: np.ndarray) -> StackedNetworks:
        """The networks of some runs, with parameters of their own.

        Args:
            runs: positions in the population, [M] int.
        """
        return StackedNetworks(self.architectures, self.parameters[torch.from_numpy(runs)])

    def output(self, name: str, features: torch.Tensor) -> torch.Tensor:
        """What a network answers.

        Args:
            name: which network.
            features: n rows for each run, [R, n, D] float32.

        Returns:
            [R, n, outputs].
        """
        hidden, last = self._layers[name][:-1], self._layers[name][-1]
        activate = torch.relu_ if self.architectures[name].activation == "relu" else torch.tanh_
        row = features
        for weights, biases in hidden:
            row = activate(torch.baddbmm(biases, row, weights))
        weights, biases = last
        return torch.baddbmm(biases, row, weights)

    def backward(self, loss: torch.Tensor) -> None:
        """Find the gradient of each run's loss.

        Args:
            loss: one a run, [R], in which every network has a part. They are added up, so that no run scales another's
                gradient.
        """
        parts = torch.autograd.grad(loss.sum(), self._tensors)
        torch.cat([part.flatten(1) for part in parts], dim=1, out=self.gradient)

    def clip_gradient(self, max_norm: float) -> None:
        """Clip the gradient of each run to `max_norm`, each run separately."""
        norm = torch.linalg.vector_norm(self.gradient, dim=1, keepdim=True)
        self.gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0))

    def _view(self, first: int, rows: int, columns: int) -> torch.Tensor:
        """A slice of the parameters as [R, rows, columns]."""
        part = self.parameters[:, first : first + rows * columns]
        return part.unflatten(1, (rows, columns)).detach().requires_grad_()


def _orthogonal(generator: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """A random matrix [inputs, outputs] whose rows or columns, whichever are fewer, are orthonormal."""
    tall = generator.standard_normal((max(inputs, outputs), min(inputs, outputs)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # makes every orthogonal matrix equally probable
    return q if inputs >= outputs else q.T
