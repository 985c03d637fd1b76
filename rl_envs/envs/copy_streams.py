"""The random numbers of the copies of a vector environment: each copy has its own generator and seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.utils import seeding

from rl_envs.envs.random_streams import Streams, noise_generator


class CopyStreams:
    """What the copies of a world draw from, equal to the generators of so many single environments.

    Args:
        num_envs: how many copies.
        draws: whether the world draws outcomes or first states.
        noisy: whether rewards have noise.

    Attributes:
        uniforms: for outcomes and first states; None before the first reset, and where the world draws none.
        noises: for the noise of rewards, likewise.
    """

    def __init__(self, num_envs: int, *, draws: bool, noisy: bool) -> None:
        self._num_envs, self._draws, self._noisy = num_envs, draws, noisy
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int | None] = [None] * num_envs
        self._begun = False  # whether there was a reset
        self.uniforms: Streams | None = None
        self.noises: Streams | None = None

    @property
    def generators(self) -> tuple[np.random.Generator, ...]:
        """The generator of every copy; one that has none yet gets one now."""
        for i, generator in enumerate(self._generators):
            if generator is None:
                self._generators[i], self._seeds[i] = seeding.np_random()
        return tuple(generator for generator in self._generators if generator is not None)

    @property
    def seeds(self) -> tuple[int | None, ...]:
        """The seed of every copy's generator."""
        return tuple(self._seeds) if self.generators else ()

    def named(self) -> dict[str, Streams]:
        """The streams that the world draws from, by name."""
        streams = {"uniforms": self.uniforms, "noises": self.noises}
        return {name: stream for name, stream in streams.items() if stream is not None}

    def reset(self, seed: int | Sequence[int | None] | None, chosen: list[int]) -> None:
        """Give some copies new generators; at the first reset, all copies begin to draw.

        Args:
            seed: as for `TabularVectorEnv.reset`, which says what it raises.
            chosen: the copies that are reset.
        """
        fresh = self._new_generators(seed, chosen)
        if self._begun and not fresh:
            return
        for i, (generator, seed_of_copy) in fresh.items():
            self._generators[i], self._seeds[i] = generator, seed_of_copy
        all_generators = self.generators
        copies = list(fresh) if self._begun else list(range(self._num_envs))
        generators = [all_generators[i] for i in copies]
        # The noise first: its seed comes from the generator, before anything is read ahead.
        if self._noisy:
            noises = [noise_generator(generator) for generator in generators]
            if self.noises is None:
                self.noises = Streams(noises, "normal")
            else:
                self.noises.restart(copies, noises)
        if self._draws:
            if self.uniforms is None:
                self.uniforms = Streams(generators)
            else:
                self.uniforms.restart(copies, generators)
        self._begun = True

    def _new_generators(
        self, seed: int | Sequence[int | None] | None, chosen: list[int]
    ) -> dict[int, tuple[np.random.Generator, int]]:
        """New generators and their seeds, for the chosen copies that get them."""
        if seed is None:
            seeds: Sequence[int | None] = [None] * self._num_envs
        elif isinstance(seed, int):
            seeds = [seed + i for i in range(self._num_envs)]
        elif isinstance(seed, Sequence) and not isinstance(seed, str):
            seeds = seed
        else:
            raise TypeError(f"seed must be an int, a list of them or None, but is {seed!r}")
        if len(seeds) != self._num_envs:
            raise ValueError(f"a list of seeds must have one for each of {self._num_envs} copies, but has {len(seeds)}")
        return {i: seeding.np_random(seeds[i]) for i in chosen if seeds[i] is not None or self._generators[i] is None}
