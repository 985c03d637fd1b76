"""A stand-in for `np_random` whose draws are the branches of a tree, each with its exact probability.

Discrete draws branch at once. Continuous ones give a `Draw`, which branches when it is compared. What has neither a
finite law nor a stand-in is refused by name and line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import is_
from typing import Any

import numpy as np

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.different_entries import different_entries
from rl_envs.extraction.draws import Draw, Source
from rl_envs.extraction.refusal import NotTabular, calling_line

# Of a draw with infinitely many values, those beyond this mass count as left out.
TAIL = 1e-12

# So many lists to choose from are known again.
MOST_LISTS = 1_000


class EnumeratingGenerator(np.random.Generator):
    """Stands in for a `numpy.random.Generator`, also for a `RandomState`.

    It is a Generator, so that code that asks for one takes it; its own stream of numbers is never used.

    Args:
        chance: makes the choices.
    """

    chance: Chance

    def __new__(cls, chance: Chance) -> EnumeratingGenerator:
        return super().__new__(cls, np.random.PCG64(0))  # type: ignore[call-arg]

    def __init__(self, chance: Chance) -> None:
        super().__init__(np.random.PCG64(0))
        self.chance = chance
        # Lists that were chosen from, by identity: what was in them, the different entries and their weights.
        self._lists: dict[int, tuple[list[Any], list[Any], list[float]]] = {}

    def __reduce__(self) -> Any:
        raise NotTabular("the stand-in for a random generator cannot be pickled")

    def __deepcopy__(self, memo: Any) -> EnumeratingGenerator:
        return self

    def __repr__(self) -> str:
        return "EnumeratingGenerator()"

    # Continuous draws -----------------------------------------------------------------------------------------------

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Uniform numbers in [0, 1)."""
        if out is not None:
            raise NotTabular(f"random(out=) cannot be enumerated, but is called at {calling_line()}: use random(size)")
        if size is None:
            return Draw(((Source(self.chance, "uniform", _same, _same), 1.0),))
        return self._continuous("uniform", _same, _same, size)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Uniform numbers in [low, high)."""
        low, high = _broadcast(size, low, high)
        return low + (high - low) * self.random(_shape(size, low))

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Standard normal numbers."""
        if out is not None:
            raise NotTabular(f"standard_normal(out=) cannot be enumerated, but is called at {calling_line()}")
        from scipy.special import ndtr, ndtri

        return self._continuous("normal", ndtr, ndtri, size)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Normal numbers."""
        loc, scale = _broadcast(size, loc, scale)
        return loc + scale * self.standard_normal(_shape(size, loc))

    def standard_exponential(
        self, size: Any = None, dtype: Any = np.float64, method: Any = "zig", out: Any = None
    ) -> Any:
        """Standard exponential numbers."""
        return self._continuous(
            "exponential",
            lambda value: -math.expm1(-value) if value > 0 else 0.0,
            lambda q: math.inf if q >= 1 else -math.log1p(-q),
            size,
        )

    def exponential(self, scale: Any = 1.0, size: Any = None) -> Any:
        """Exponential numbers."""
        (scale,) = _broadcast(size, scale)
        return scale * self.standard_exponential(_shape(size, scale))

    def _continuous(
        self, name: str, cdf: Callable[[float], float], quantile: Callable[[float], float], size: Any
    ) -> Any:
        if size is None:
            return Draw(((Source(self.chance, name, cdf, quantile), 1.0),))
        array = np.empty(size, dtype=object)
        for index in np.ndindex(array.shape):
            array[index] = Draw(((Source(self.chance, name, cdf, quantile), 1.0),))
        return array

    # Discrete draws -------------------------------------------------------------------------------------------------

    def integers(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, endpoint: bool = False
    ) -> Any:
        """Integers in [low, high), or in [low, high] with endpoint."""
        if high is None:
            low, high = 0, low
        if endpoint:
            high = high + 1
        if size is None and dtype is np.int64 and type(low) is int and type(high) is int:
            return np.int64(self._integer(low, high))
        low, high = _broadcast(size, low, high)
        return self._each(size, np.dtype(dtype), self._integer, low, high)

    def choice(
        self, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0, shuffle: bool = True
    ) -> Any:
        """One or several entries of an array, or of range(a)."""
        if size is None and p is None and (type(a) is list or type(a) is tuple):
            known = self._lists.get(id(a))
            if known is not None and len(a) == len(known[0]) and all(map(is_, a, known[0])):
                return known[1][self.chance.choose(known[2])]
        population = np.asarray(a)
        count = int(population) if population.ndim == 0 else population.shape[axis]
        if count <= 0:
            raise ValueError("a cannot be empty: there must be something to choose")
        weights = None if p is None else np.asarray(p, dtype=np.float64).tolist()
        if weights is not None:
            if len(weights) != count:
                raise ValueError("a and p must have same size")
            if abs(sum(weights) - 1) > 1e-6 or min(weights) < 0:
                raise ValueError(
                    "probabilities do not sum to 1" if min(weights) >= 0 else "probabilities are not non-negative"
                )
        index: Any
        if size is None:
            if population.ndim == 1 and isinstance(a, (list, tuple)):
                entries, masses = different_entries(a, population, weights)
                if p is None and len(self._lists) < MOST_LISTS:
                    self._lists[id(a)] = list(a), entries, masses
                return entries[self.chance.choose(masses)]
            index = np.int64(self._index(count, weights))
        else:
            drawn = self._several(count, math.prod(np.atleast_1d(size).tolist()), replace, weights)
            index = np.array(drawn, dtype=np.int64).reshape(size)
        return index if population.ndim == 0 else np.take(population, index, axis=axis)

    def permutation(self, x: Any, axis: int = 0) -> Any:
        """A shuffled copy of an array along an axis, or of range(x)."""
        if isinstance(x, (int, np.integer)):
            return np.array(self._order(int(x)), dtype=np.int64)
        array = np.asarray(x)
        return np.take(array, self._order(array.shape[axis]), axis=axis)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Shuffle an array along an axis, or a list, in place."""
        if isinstance(x, np.ndarray):
            x[...] = np.take(x, self._order(x.shape[axis]), axis=axis)
        else:
            x[:] = [x[i] for i in self._order(len(x))]

    def permuted(self, x: Any, *, axis: int | None = None, out: Any = None) -> Any:
        """A copy in which each row along the axis is shuffled by itself; all entries where axis is None."""
        array = np.array(x)
        if axis is None:
            flat = array.ravel()
            array = flat[self._order(flat.size)].reshape(array.shape)
        else:
            rows = np.moveaxis(array, axis, -1)
            for index in np.ndindex(rows.shape[:-1]):
                rows[index] = rows[index][self._order(rows.shape[-1])]
        if out is None:
            return array
        out[...] = array
        return out

    def binomial(self, n: Any, p: Any, size: Any = None) -> Any:
        """Successes among n trials of probability p."""
        n, p = _broadcast(size, n, p)
        return self._each(size, np.dtype(np.int64), self._binomial, n, p)

    def multinomial(self, n: Any, pvals: Any, size: Any = None) -> Any:
        """How often each of several things happens in n trials."""
        weights = np.asarray(pvals, dtype=np.float64)
        if weights.ndim != 1 or np.ndim(n) != 0:
            raise NotTabular(f"multinomial() is enumerated for one n and one row of pvals only ({calling_line()})")
        shape = () if size is None else tuple(np.atleast_1d(size).tolist())
        counts = np.zeros((*shape, len(weights)), dtype=np.int64)
        for index in np.ndindex(shape):
            left, rest = int(n), float(weights.sum())
            for i, weight in enumerate(weights[:-1].tolist()):
                counts[(*index, i)] = self._binomial(left, min(1.0, weight / rest)) if rest > 0 else 0
                left -= int(counts[(*index, i)])
                rest -= weight
            counts[(*index, len(weights) - 1)] = left
        return counts

    def geometric(self, p: Any, size: Any = None) -> Any:
        """Trials up to the first success, up to a mass of 1 - 1e-12."""
        (p,) = _broadcast(size, p)
        return self._each(size, np.dtype(np.int64), self._geometric, p)

    def poisson(self, lam: Any = 1.0, size: Any = None) -> Any:
        """Events at a rate, up to a mass of 1 - 1e-12."""
        (lam,) = _broadcast(size, lam)
        return self._each(size, np.dtype(np.int64), self._poisson, lam)

    def hypergeometric(self, ngood: Any, nbad: Any, nsample: Any, size: Any = None) -> Any:
        """Good ones among those drawn without replacement."""
        ngood, nbad, nsample = _broadcast(size, ngood, nbad, nsample)
        return self._each(size, np.dtype(np.int64), self._hypergeometric, ngood, nbad, nsample)

    # The names of RandomState ---------------------------------------------------------------------------------------

    def rand(self, *shape: int) -> Any:
        """As `random`."""
        return self.random(shape or None)

    def random_sample(self, size: Any = None) -> Any:
        """As `random`."""
        return self.random(size)

    def randn(self, *shape: int) -> Any:
        """As `standard_normal`."""
        return self.standard_normal(shape or None)

    def randint(self, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
        """As `integers`; a Python int where one is asked for."""
        drawn = self.integers(low, high, size, dtype)
        return int(drawn) if size is None and np.ndim(drawn) == 0 else drawn

    # One draw each --------------------------------------------------------------------------------------------------

    def _each(self, size: Any, dtype: np.dtype[Any], draw: Callable[..., int], *arguments: Any) -> Any:
        """One draw, or one for each place of an array, with numbers or arrays of that shape as arguments."""
        shape = _shape(size, arguments[0])
        if shape is None:
            return dtype.type(draw(*arguments))
        array = np.empty(shape, dtype=dtype)
        for index in np.ndindex(array.shape):
            array[index] = draw(*(a[index] if isinstance(a, np.ndarray) else a for a in arguments))
        return array

    def _integer(self, low: Any, high: Any) -> int:
        low, count = int(low), int(high) - int(low)
        if count <= 0:
            raise ValueError("low >= high")
        return low + self.chance.choose_evenly(count)

    def _index(self, count: int, weights: list[float] | None) -> int:
        return self.chance.choose_evenly(count) if weights is None else self.chance.choose(weights)

    def _several(self, count: int, number: int, replace: bool, weights: list[float] | None) -> list[int]:
        """Numbers of entries drawn one after the other, with or without putting them back."""
        if replace:
            return [self._index(count, weights) for _ in range(number)]
        if number > count:
            raise ValueError("Cannot take a larger sample than population when replace is False")
        left, drawn = list(range(count)), []
        for _ in range(number):
            # Drawing again until an entry is new, as NumPy does, is drawing among those left in proportion.
            drawn.append(left.pop(self._index(len(left), None if weights is None else [weights[i] for i in left])))
        return drawn

    def _order(self, count: int) -> list[int]:
        return self._several(count, count, False, None)

    def _binomial(self, n: Any, p: Any) -> int:
        n, p = int(n), float(p)
        return self.chance.choose([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])

    def _geometric(self, p: Any) -> int:
        if p >= 1:
            return 1
        last = math.ceil(math.log(TAIL) / math.log1p(-p))
        weights = [float(p) * (1 - float(p)) ** k for k in range(last)]
        return 1 + self.chance.choose_up_to_mass(weights, (1 - float(p)) ** last)

    def _poisson(self, lam: Any) -> int:
        from scipy.stats import poisson

        last = int(poisson.isf(TAIL, float(lam))) + 1
        return self.chance.choose_up_to_mass(
            poisson.pmf(np.arange(last), float(lam)).tolist(), float(poisson.sf(last - 1, float(lam)))
        )

    def _hypergeometric(self, good: Any, bad: Any, sample: Any) -> int:
        good, bad, sample = int(good), int(bad), int(sample)
        return self.chance.choose(
            [math.comb(good, k) * math.comb(bad, sample - k) for k in range(min(good, sample) + 1)]
        )


def _refused(name: str) -> Callable[..., Any]:
    def refuse(self: EnumeratingGenerator, *arguments: Any, **keywords: Any) -> Any:
        raise NotTabular(
            f"chance must come down to finitely many outcomes, but {name}() is drawn at {calling_line()}, which has no "
            "finite law; what can be enumerated: random, uniform, integers, choice, permutation, shuffle, binomial, "
            "multinomial, geometric, poisson, and normal noise on the reward"
        )

    refuse.__name__, refuse.__doc__ = name, f"Refuse {name}: what it draws has no finite law."
    return refuse


# Whatever else NumPy's generators can draw would come from the stand-in's own stream: none of it may be reached.
for _name in sorted({*dir(np.random.Generator), *dir(np.random.RandomState)}):
    if not _name.startswith("_") and _name not in vars(EnumeratingGenerator) and _name != "bit_generator":
        setattr(EnumeratingGenerator, _name, _refused(_name))
EnumeratingGenerator.bit_generator = property(_refused("bit_generator"))  # type: ignore[assignment, method-assign]


def _same(value: Any) -> float:
    return min(1.0, max(0.0, float(value)))


def _shape(size: Any, first: Any) -> Any:
    """The shape of what is drawn: as asked for, or that of the arguments; None for one number."""
    if size is not None:
        return size
    return first.shape if isinstance(first, np.ndarray) else None


def _broadcast(size: Any, *arguments: Any) -> tuple[Any, ...]:
    """Numbers as they are; where one of several is an array, all as arrays of the shape drawn."""
    if all(np.ndim(argument) == 0 for argument in arguments):
        return arguments
    arrays = np.broadcast_arrays(*arguments)
    return tuple(arrays if size is None else [np.broadcast_to(array, size) for array in arrays])
