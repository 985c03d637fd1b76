"""A stand-in for a `random.Random`, drawing from the same tree as the stand-in for NumPy's generators."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.refusal import NotTabular, calling_line


class EnumeratingRandom(random.Random):
    """Stands in for a generator of Python's own module `random`.

    Args:
        generator: draws for it.
    """

    def __new__(cls, generator: EnumeratingGenerator) -> EnumeratingRandom:
        return super().__new__(cls)

    def __init__(self, generator: EnumeratingGenerator) -> None:
        super().__init__(0)
        self._generator = generator

    def random(self) -> Any:
        """A uniform number in [0, 1)."""
        return self._generator.random()

    def uniform(self, a: Any, b: Any) -> Any:
        """A uniform number between two."""
        return self._generator.uniform(a, b)

    def gauss(self, mu: Any = 0.0, sigma: Any = 1.0) -> Any:
        """A normal number."""
        return self._generator.normal(mu, sigma)

    normalvariate = gauss

    def expovariate(self, lambd: Any = 1.0) -> Any:
        """An exponential number."""
        return self._generator.exponential(1 / lambd)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """One of range(start, stop, step)."""
        numbers = range(start) if stop is None else range(start, stop, step)
        if not numbers:
            raise ValueError(f"empty range for randrange() ({start}, {stop}, {step})")
        return numbers[self._generator.chance.choose_evenly(len(numbers))]

    def randint(self, a: int, b: int) -> int:
        """An integer from a to b."""
        return self.randrange(a, b + 1)

    def choice(self, seq: Any) -> Any:
        """One of a sequence."""
        return seq[self.randrange(len(seq))]

    def choices(self, population: Any, weights: Any = None, *, cum_weights: Any = None, k: int = 1) -> list[Any]:
        """Several of a sequence, each put back."""
        if cum_weights is None:
            cum_weights = list(accumulate([1.0] * len(population) if weights is None else weights))
        masses = [b - a for a, b in pairwise([0.0, *cum_weights])]
        return [population[self._generator.chance.choose(masses)] for _ in range(k)]

    def sample(self, population: Any, k: int, *, counts: Any = None) -> list[Any]:
        """Several of a sequence, none of them twice."""
        if counts is not None:
            population = [value for value, count in zip(population, counts, strict=True) for _ in range(count)]
        return [population[i] for i in self._generator.choice(len(population), size=k, replace=False)]

    def shuffle(self, x: Any) -> None:
        """Shuffle a list in place."""
        self._generator.shuffle(x)

    def __reduce__(self) -> Any:
        raise NotTabular("the stand-in for a random generator cannot be pickled")


def _refused(name: str) -> Callable[..., Any]:
    def refuse(self: Any, *arguments: Any, **keywords: Any) -> Any:
        raise NotTabular(
            f"chance must come down to finitely many outcomes, but random.{name}() is drawn at {calling_line()}, which "
            "has no finite law"
        )

    refuse.__name__, refuse.__doc__ = name, f"Refuse {name}: what it draws has no finite law."
    return refuse


# Whatever else Python's generators can draw would come from the stand-in's own stream. Seeding is left alone.
for _name in dir(random.Random):
    if not _name.startswith("_") and _name not in vars(EnumeratingRandom) and _name not in ("seed", "VERSION"):
        setattr(EnumeratingRandom, _name, _refused(_name))
