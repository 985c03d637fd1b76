"""Many random streams in parallel: one generator per copy or run, whose numbers are drawn in blocks.

A generator's `random(n)` gives the same numbers as n calls of `random()`; the same holds for `standard_normal`. So
copies that advance together can read from blocks, at a few nanoseconds per number, and still get the numbers that each
of them would have drawn alone.

Two kinds of user save their place in two ways. An environment restarts streams at odd times, so all of their state is
saved: `get_state`. An agent reads every stream equally often, so one count beside the seeds is enough: `drawn`, `jump`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

# Numbers drawn ahead for each copy. Longer blocks spread the cost of a refill (about 1 microsecond per copy) over more
# numbers and take more memory: 248 float64 are 2 KiB per copy, 8 MiB for 4,096 copies. 248 is an odd number of cache
# lines of 8: rows a power of two apart would all compete for the same few lines of the processor's cache.
BLOCK = 8 * 31


def noise_generator(generator: np.random.Generator) -> np.random.Generator:
    """A second generator whose seed is drawn from the first.

    A normal number takes a varying amount of a generator's output, so uniform and normal numbers from the same
    generator could not be drawn ahead in blocks. Each copy therefore has a second, equally reproducible generator for
    noise.

    Args:
        generator: the copy's first generator; one integer is drawn from it.

    Returns:
        The generator for noise.
    """
    return np.random.default_rng(int(generator.integers(2**63)))


class Streams:
    """One stream of random numbers for each of n copies or runs.

    Args:
        generators: one per stream; each is read ahead by up to a block, so nothing else may draw from it.
        distribution: "uniform" on [0, 1) or standard "normal".
        block: how many numbers of each stream are drawn at once, at least 2.

    Attributes:
        drawn: how many numbers `next` and `next_batch` have given of every stream.
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
        # Positions count through all of _numbers, row after row. A stream at the end of its row has nothing left.
        self._row_end = np.arange(1, num_streams + 1) * block  # [n]
        self._position = self._row_end.copy()  # [n] the next unread number
        # A lower bound on what every stream has left, so that most draws need not look at every position.
        self._left = 0
        self._seeds: Sequence[np.random.SeedSequence] | None = None
        self.drawn = 0

    @classmethod
    def from_seeds(cls, seeds: Sequence[np.random.SeedSequence]) -> Streams:
        """Streams of uniform numbers that can `jump`.

        Args:
            seeds: one a stream.
        """
        streams = cls([np.random.Generator(np.random.PCG64(seed)) for seed in seeds])
        streams._seeds = list(seeds)
        return streams

    def jump(self, drawn: int) -> None:
        """Go to where so many numbers of every stream are used up. PCG64 jumps there without drawing them.

        Args:
            drawn: how many.

        Raises:
            TypeError: streams that were not made from seeds.
        """
        if self._seeds is None:
            raise TypeError("only streams made by from_seeds can jump, for others have no beginning to count from")
        self.restart(range(len(self)), (np.random.Generator(np.random.PCG64(s).advance(drawn)) for s in self._seeds))
        self.drawn = drawn

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
        numbers = self._numbers.take(self._position)
        self._position += 1
        self.drawn += 1
        return numbers

    def next_batch(self, size: int) -> np.ndarray:
        """The next numbers of every stream, the same as from so many calls of `next`.

        Args:
            size: how many of each, B.

        Returns:
            Array [n, B] of float64, freshly made.
        """
        parts = []
        missing = size
        while missing:
            if self._left == 0:
                self._refill()
            length = min(missing, self._left)
            parts.append(self._numbers.take(self._position[:, None] + np.arange(length)))
            self._position += length
            self._left -= length
            missing -= length
        self.drawn += size
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def next_of(self, indices: np.ndarray) -> np.ndarray:
        """The next number of some streams; the others do not advance.

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
        return self._numbers.take(position)

    def put_back(self, indices: np.ndarray) -> None:
        """Undo the last draw of some streams: `next` returns the same number again.

        Args:
            indices: which streams, each at most once, [m] int.
        """
        self._position[indices] -= 1

    def restart(self, indices: Iterable[int], generators: Iterable[np.random.Generator]) -> None:
        """Restart some streams from other generators; numbers drawn ahead from the old ones are dropped.

        Args:
            indices: which streams.
            generators: one for each of them.
        """
        for index, generator in zip(indices, generators, strict=True):
            self.generators[index] = generator
            self._position[index] = self._row_end[index]
        self._left = 0

    def get_state(self) -> dict[str, np.ndarray]:
        """The state of all streams as arrays, for `set_state`.

        Returns:
            "numbers" [n, block], "position" [n] and "generators" [n, 6] of uint64.
        """
        return {
            "numbers": self._numbers.copy(),
            "position": self._position.copy(),
            "generators": np.array([_pcg64_words(generator) for generator in self.generators], dtype=np.uint64),
        }

    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state from `get_state`, of the same number of streams and the same block size.

        Args:
            saved: what `get_state` returned.
        """
        self._numbers[:] = saved["numbers"]
        self._position[:] = saved["position"]
        for generator, words in zip(self.generators, saved["generators"], strict=True):
            _set_pcg64_words(generator, words)
        self._left = 0

    def _refill(self) -> None:
        """If a stream is empty, refill it and all others that are more than half empty; no number is lost.

        The others have enough for many more draws.
        """
        unread = self._row_end - self._position
        self._left = int(unread.min(initial=self._block))
        if self._left > 0:
            return
        low = np.flatnonzero(unread <= self._block // 2)
        for i, kept in zip(low.tolist(), unread[low].tolist()):
            row = self._numbers[i]
            if kept:
                row[:kept] = row[-kept:]
            if self.distribution == "uniform":
                self.generators[i].random(out=row[kept:])
            else:
                self.generators[i].standard_normal(out=row[kept:])
        self._position[low] = self._row_end[low] - self._block
        self._left = int((self._row_end - self._position).min())


def _pcg64_words(generator: np.random.Generator) -> list[int]:
    """The state of a PCG64 generator, the kind that `default_rng` and Gymnasium make, as six 64-bit words."""
    state = generator.bit_generator.state
    wide = (state["state"]["state"], state["state"]["inc"])
    return [*(word for number in wide for word in divmod(number, 2**64)), state["has_uint32"], state["uinteger"]]


def _set_pcg64_words(generator: np.random.Generator, words: np.ndarray) -> None:
    state_high, state_low, inc_high, inc_low, has_uint32, uinteger = words.tolist()
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state_high * 2**64 + state_low, "inc": inc_high * 2**64 + inc_low},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }
