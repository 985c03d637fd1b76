"""Gradient descent for the stacked parameters of many runs.

Every rule works entry by entry, so that runs never mix. Each run counts its own steps, for runs may learn at different
times.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
import torch


@contextlib.contextmanager
def _without_subnormals() -> Iterator[None]:
    """Numbers below 1e-38 become 0 inside.

    What is remembered of a gradient that stays 0, as for states never seen, halves its way down there, where the
    processor is ten times slower.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _root(square: torch.Tensor) -> torch.Tensor:
    """The square root; NumPy's, for torch's is twenty times slower where a number is 0."""
    root = torch.empty_like(square)
    np.sqrt(square.numpy(), out=root.numpy())
    return root


class Optimiser(ABC):
    """Moves parameters against their gradient.

    Args:
        shape: of the parameters, (R, P).

    Attributes:
        memory: what it remembers beside the parameters, each [R, ...], by name.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.memory: dict[str, torch.Tensor] = {}

    def step(
        self, parameters: torch.Tensor, gradient: torch.Tensor, learning_rate: float, runs: np.ndarray | None = None
    ) -> None:
        """Update the parameters in place.

        Args:
            parameters: of all runs, [R, P].
            gradient: of the runs that learn, [R, P], or [M, P] where `runs` names M of them.
            learning_rate: alpha.
            runs: the positions of the runs that learn, [M] int; the others keep what they have. None for all.
        """
        with _without_subnormals():
            if runs is None:
                parameters.sub_(self._move(self.memory, gradient, learning_rate))
                return
            rows = torch.from_numpy(runs)
            memory = {name: array[rows] for name, array in self.memory.items()}
            parameters[rows] -= self._move(memory, gradient, learning_rate)
            for name, array in self.memory.items():
                array[rows] = memory[name]

    @abstractmethod
    def _move(self, memory: dict[str, torch.Tensor], gradient: torch.Tensor, learning_rate: float) -> torch.Tensor:
        """The step to subtract from the parameters; `memory` is updated in place."""

    def state(self) -> dict[str, np.ndarray]:
        """The memory, for saving."""
        return {name: array.numpy() for name, array in self.memory.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""
        for name, array in self.memory.items():
            array.copy_(torch.tensor(state[name]))


class Descent(Optimiser):
    """Plain gradient descent: w <- w - alpha g."""

    def _move(self, memory: dict[str, torch.Tensor], gradient: torch.Tensor, learning_rate: float) -> torch.Tensor:
        return gradient * learning_rate


class Adam(Optimiser):
    """Steps of about equal length in every direction, with momentum.

        m <- m + (1 - beta1) (g - m)            v <- beta2 v + (1 - beta2) g^2
        w <- w - alpha m' / (sqrt(v') + epsilon)    with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t)

    Args:
        shape: of the parameters, (R, P).
        beta1: decay rate of the mean gradient.
        beta2: decay rate of the mean squared gradient.
        epsilon: added to the root.

    Source: Kingma & Ba (2015), algorithm 1; the same numbers as `torch.optim.Adam`.
    """

    def __init__(
        self, shape: tuple[int, ...], *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(shape)
        self._beta1, self._beta2, self._epsilon = beta1, beta2, epsilon
        self.memory = {
            "mean": torch.zeros(shape),
            "square": torch.zeros(shape),
            "count": torch.zeros((shape[0], 1), dtype=torch.float64),
        }

    def _move(self, memory: dict[str, torch.Tensor], gradient: torch.Tensor, learning_rate: float) -> torch.Tensor:
        mean, square, count = memory["mean"], memory["square"], memory["count"]
        count += 1
        mean.lerp_(gradient, 1 - self._beta1)
        square.mul_(self._beta2).addcmul_(gradient, gradient, value=1 - self._beta2)
        # Both means begin at 0 and are too small by these factors, [R, 1].
        mean_share, square_share = 1 - self._beta1**count, 1 - self._beta2**count
        root = _root(square).mul_((square_share**-0.5).float()).add_(self._epsilon)
        return torch.div(mean, root, out=root).mul_((learning_rate / mean_share).float())


class RMSprop(Optimiser):
    """Steps of about equal length in every direction, without momentum.

        v <- decay v + (1 - decay) g^2,    w <- w - alpha g / (sqrt(v) + epsilon)

    Epsilon is added outside the root, as in `torch.optim.RMSprop`; TensorFlow adds it inside.

    Args:
        shape: of the parameters, (R, P).
        decay: decay rate of the mean squared gradient.
        epsilon: added to the root.

    Source: Tieleman & Hinton (2012), Lecture 6.5; the same numbers as `torch.optim.RMSprop`.
    """

    def __init__(self, shape: tuple[int, ...], *, decay: float = 0.99, epsilon: float = 1e-5) -> None:
        super().__init__(shape)
        self._decay, self._epsilon = decay, epsilon
        self.memory = {"square": torch.zeros(shape)}

    def _move(self, memory: dict[str, torch.Tensor], gradient: torch.Tensor, learning_rate: float) -> torch.Tensor:
        square = memory["square"]
        square.mul_(self._decay).addcmul_(gradient, gradient, value=1 - self._decay)
        root = _root(square).add_(self._epsilon)
        return torch.div(gradient, root, out=root).mul_(learning_rate)
