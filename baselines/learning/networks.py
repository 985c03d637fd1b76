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
    """The form of a multi-layer perceptron.

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

    All their weights lie in one array, so that an optimiser, a norm or a copy takes a few operations, and saving one
    array.

    Args:
        forms: each network's form by its name.
        values: all weights and biases, [R, P]; taken as they are, not copied.

    Raises:
        ValueError: a number of weights that does not fit the forms.

    Attributes:
        values: all weights and biases, [R, P] float32, a row a run.
        gradient: the gradient that `backward` found, [R, P] float32.
    """

    def __init__(self, forms: Mapping[str, Perceptron], values: torch.Tensor) -> None:
        size = sum((inputs + 1) * outputs for form in forms.values() for inputs, outputs in form.layers)
        if values.shape[1] != size:
            raise ValueError(f"values must have {size} entries a run, but has {values.shape[1]}")
        # Two threads on two busy cores are many times slower than one, and add up in another order each time.
        torch.set_num_threads(1)
        _keep_freed_memory()
        self.forms = dict(forms)
        self.values = values
        self.gradient = torch.zeros_like(values)
        self._layers: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        first = 0
        for name, form in self.forms.items():
            self._layers[name] = []
            for inputs, outputs in form.layers:
                weights = self._view(first, inputs, outputs)
                biases = self._view(first + inputs * outputs, 1, outputs)
                self._layers[name].append((weights, biases))
                first += (inputs + 1) * outputs
        self._parameters = [part for layers in self._layers.values() for layer in layers for part in layer]

    @classmethod
    def initial(cls, forms: Mapping[str, Perceptron], seeds: Sequence[np.random.SeedSequence]) -> StackedNetworks:
        """Networks as they are before anything is learned; each run draws its own from its own seed.

        Args:
            forms: each network's form by its name.
            seeds: one a run.
        """
        generators = [np.random.default_rng(seed) for seed in seeds]
        rows = [np.concatenate([form.draw(generator) for form in forms.values()]) for generator in generators]
        return cls(forms, torch.tensor(np.array(rows)))

    def copy(self) -> StackedNetworks:
        """The same networks with weights of their own."""
        return StackedNetworks(self.forms, self.values.clone())

    def take(self, runs: np.ndarray) -> StackedNetworks:
        """The networks of some runs, with weights of their own.

        Args:
            runs: positions in the population, [M] int.
        """
        return StackedNetworks(self.forms, self.values[torch.from_numpy(runs)])

    def output(self, name: str, features: torch.Tensor) -> torch.Tensor:
        """What a network answers.

        Args:
            name: which network.
            features: n rows for each run, [R, n, D] float32.

        Returns:
            [R, n, outputs].
        """
        hidden, last = self._layers[name][:-1], self._layers[name][-1]
        activate = torch.relu_ if self.forms[name].activation == "relu" else torch.tanh_
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
        parts = torch.autograd.grad(loss.sum(), self._parameters)
        torch.cat([part.flatten(1) for part in parts], dim=1, out=self.gradient)

    def clip_gradient(self, max_norm: float) -> None:
        """Shorten the gradient of each run that is longer than `max_norm`; each run by itself."""
        norm = torch.linalg.vector_norm(self.gradient, dim=1, keepdim=True)
        self.gradient.mul_((max_norm / (norm + 1e-6)).clamp_(max=1.0))

    def _view(self, first: int, rows: int, columns: int) -> torch.Tensor:
        """Part of the weights as [R, rows, columns]."""
        part = self.values[:, first : first + rows * columns]
        return part.unflatten(1, (rows, columns)).detach().requires_grad_()


def _keep_freed_memory() -> None:
    """Let the allocator keep what is freed, for the next update needs just as much again.

    The C library on Linux gives large blocks back to the system, and taking them again costs a third of an update of 30
    runs. It stops doing so for blocks up to the size of the largest one that it has seen come and go, at most 32 MiB.
    This one is never written to, so it takes no memory.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _orthogonal(generator: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """A random matrix [inputs, outputs] whose rows or columns, whichever are fewer, are orthonormal."""
    tall = generator.standard_normal((max(inputs, outputs), min(inputs, outputs)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))  # makes every orthogonal matrix equally probable
    return q if inputs >= outputs else q.T
