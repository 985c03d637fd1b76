"""Many random streams read in step: one generator a copy, its numbers drawn a block at a time.

A generator's `random(n)` gives the same numbers as n calls of `random()`, and `standard_normal` likewise. So copies
that advance together can be served from blocks, at a few nanoseconds a number, and still see the numbers that each of
them would have drawn alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

# Numbers drawn ahead for each copy. Longer blocks share the cost of a refill among more numbers (about 1 microsecond a
# copy) and take more memory: 256 float64 are 2 KiB a copy, 8 MiB for 4,096 copies.
BLOCK = 256


def noise_generator(generator: np.random.Generator) -> np.random.Generator:
    """A second generator whose seed is drawn from the first.

    Normal numbers use up a varying amount of a generator, so uniforms and normals drawn in turn from one of them could
    not be read ahead in blocks. A copy therefore draws its noise from a generator of its own, just as reproducible.

    Args:
        generator: the copy's own; one integer is drawn from it.
    """
    return np.random.default_rng(int(generator.integers(2**63)))


class Streams:
    """One stream of random numbers for each of n copies.

    Args:
        generators: a generator a copy; each is read ahead by up to a block, so nothing else may draw from it.
        distribution: "uniform" on [0, 1) or standard "normal".
        block: how many numbers of each stream are drawn at once.
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator],
        distribution: Literal["uniform", "normal"] = "uniform",
        block: int = BLOCK,
    ) -> None:
        self.generators = list(generators)
        self.distribution = distribution
        num_streams = len(self.generators)
        self._block = block
        self._numbers = np.empty((num_streams, block))  # [n, block]
        self._flat = self._numbers.reshape(-1)
        self._row = np.arange(num_streams) * block  # [n] where each stream's row begins in _flat
        self._position = self._row + block  # [n] the next unread number in _flat; at the end of its row: none left
        # A lower bound on what every stream has left, so that most draws need not look at every position.
        self._left = 0

    def __len__(self) -> int:
        return len(self.generators)

    def next(self) -> np.ndarray:
        """The next number of every stream.

        Returns:
            Array [n] of float64, freshly made.
        """
        if self._left == 0:
            self._refill()
        self._left -= 1
        numbers = self._flat[self._position]
        self._position += 1
        return numbers

    def next_of(self, indices: np.ndarray) -> np.ndarray:
        """The next number of some streams; the others stay where they are.

        Args:
            indices: which streams, each at most once, [m] int.

        Returns:
            Array [m] of float64, freshly made.
        """
        if self._left == 0:
            self._refill()
        self._left -= 1
        position = self._position[indices]
        self._position[indices] = position + 1
        return self._flat[position]

    def replace(self, index: int, generator: np.random.Generator) -> None:
        """Begin a copy's stream anew from another generator; what was read ahead of the old one is dropped."""
        self.generators[index] = generator
        self._position[index] = self._row[index] + self._block
        self._left = 0

    def _refill(self) -> None:
        """Fill up every row if one is empty: unread numbers move to the front, new ones follow, and none is lost."""
        self._left = self._block - int((self._position - self._row).max())
        if self._left > 0:
            return
        for i, generator in enumerate(self.generators):
            unread = self._row[i] + self._block - self._position[i]
            row = self._numbers[i]
            if unread:
                row[:unread] = row[self._block - unread :].copy()
            if self.distribution == "uniform":
                generator.random(out=row[unread:])
            else:
                generator.standard_normal(out=row[unread:])
        self._position[:] = self._row
        self._left = self._block
