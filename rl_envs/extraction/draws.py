"""A continuous random number that is not yet known: it knows where it may lie, and splits when it is compared.

`u < p` asks on which side of p the number lies: both sides are followed, each with its exact probability, and from
then on the number lies there. So are `int(u * n)`, `np.argmax(np.cumsum(p) > u)` and `np.searchsorted(cumulative, u)`
answered; the number itself is never fixed. Code that needs it, as `float(u)` does, has a continuous state: it is
refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from numbers import Number
from typing import Any

import numpy as np

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.refusal import NotTabular, calling_frame, calling_line, written

# Each comparison, and what it is with its two sides exchanged.
_COMPARISONS: dict[Any, tuple[str, str]] = {
    np.less: ("below", "above"),
    np.less_equal: ("below", "above"),
    np.greater: ("above", "below"),
    np.greater_equal: ("above", "below"),
    np.equal: ("same", "same"),
    np.not_equal: ("other", "other"),
}

# What arithmetic with a draw may be done with.
NUMBERS: Any = (float, int, Number)  # the common ones first: asking for the abstract one is slow

# Functions of NumPy that its loops over objects compute with Python's operators.
_BY_OPERATORS = {
    np.add, np.subtract, np.multiply, np.true_divide, np.negative, np.positive, np.absolute, np.floor, np.ceil,
    np.trunc, np.maximum, np.minimum, np.remainder, np.floor_divide,
}  # fmt: skip


class Source:
    """One continuous draw: its quantile lies between two probabilities, which come closer with every question.

    Args:
        chance: chooses on which side it lies.
        name: of the distribution, "uniform" or "normal".
        cdf: from a value to the probability of lying below it.
        quantile: the inverse of cdf.
    """

    __slots__ = ("_chance", "_frame", "cdf", "high", "low", "name", "quantile")

    def __init__(
        self, chance: Chance, name: str, cdf: Callable[[float], float], quantile: Callable[[float], float]
    ) -> None:
        self._chance = chance
        self.name = name
        self.cdf = cdf
        self.quantile = quantile
        self.low, self.high = 0.0, 1.0
        self._frame = calling_frame()

    @property
    def line(self) -> str:
        """Where it was drawn, as "file.py:12"."""
        return written(self._frame)

    def below(self, value: float) -> bool:
        """Whether the draw lies below a value; both are followed where both can be."""
        cut = self.cdf(value)
        if cut <= self.low:
            return False
        if cut >= self.high:
            return True
        below = self._chance.choose((cut - self.low, self.high - cut)) == 0
        if below:
            self.high = cut
        else:
            self.low = cut
        return below

    def place_among(self, values: np.ndarray) -> np.ndarray:
        """Decide between which two neighbours of many values the draw lies; returns which of them it lies below."""
        if self.name == "uniform":
            cuts = values.clip(0.0, 1.0)
        else:
            cuts = np.array([self.cdf(value) for value in values.ravel().tolist()]).reshape(values.shape)
        inside = sorted({cut for cut in cuts.ravel().tolist() if self.low < cut < self.high})
        if inside:
            edges = [self.low, *inside, self.high]
            part = self._chance.choose([high - low for low, high in pairwise(edges)])
            self.low, self.high = edges[part], edges[part + 1]
        return cuts > (self.low + self.high) / 2


class Draw:
    """A sum of continuous draws, each with a factor, and a number: what arithmetic makes of random numbers."""

    __slots__ = ("offset", "terms")

    def __init__(self, terms: tuple[tuple[Source, float], ...], offset: float = 0.0) -> None:
        self.terms = terms
        self.offset = offset

    # Questions that split the number -------------------------------------------------------------------------------

    def _below(self, other: Any) -> bool:
        """Whether this lies below another number or draw. That the two are equal has probability 0."""
        if not isinstance(other, Draw):
            source, factor = self.single("compared with a number")
            value = (float(other) - self.offset) / factor
            return source.below(value) if factor > 0 else not source.below(value)
        difference = self - other
        if not isinstance(difference, Draw):  # a draw beside itself
            return difference < 0
        source, factor = difference.single("compared with another draw")
        value = -difference.offset / factor
        return source.below(value) if factor > 0 else not source.below(value)

    def __lt__(self, other: Any) -> Any:
        return self._below(other) if isinstance(other, float) or _is_number(other) else NotImplemented

    def __le__(self, other: Any) -> Any:
        if not _is_number(other):
            return NotImplemented
        return self._same(other) or self._below(other)

    def __gt__(self, other: Any) -> Any:
        if not _is_number(other):
            return NotImplemented
        return not self._same(other) and not self._below(other)

    def __ge__(self, other: Any) -> Any:
        return not self._below(other) if _is_number(other) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return self._same(other)

    def __ne__(self, other: object) -> bool:
        return not self._same(other)

    def __hash__(self) -> int:
        raise self.refusal("used as a key")

    def __bool__(self) -> bool:
        return True  # 0 has probability 0

    def _same(self, other: Any) -> bool:
        difference = self - other if isinstance(other, Draw) else None
        return isinstance(difference, float) and difference == 0

    def __floor__(self) -> int:
        source, factor = self.single("rounded")
        low, high = sorted(self.offset + factor * source.quantile(q) for q in (source.low, source.high))
        if not (math.isfinite(low) and math.isfinite(high)) or high - low > 1e6:
            raise self.refusal("rounded to one of more than a million integers")
        # Numbers just beside an integer are that integer but for rounding.
        cuts = range(math.ceil(low + 1e-12), math.floor(high - 1e-12) + 1)
        source.place_among((np.array(cuts, dtype=np.float64) - self.offset) / factor)
        middle = self.offset + factor * (source.quantile(source.low) + source.quantile(source.high)) / 2
        return math.floor(middle)

    def __ceil__(self) -> int:
        return self.__floor__() + 1

    def __trunc__(self) -> int:
        whole = self.__floor__()
        return whole if whole >= 0 else whole + 1

    def __int__(self) -> int:
        return self.__trunc__()

    def __round__(self, digits: int | None = None) -> Any:
        if digits is None:
            return (self + 0.5).__floor__()
        return round((self * 10**digits + 0.5).__floor__() / 10**digits, digits)

    def __floordiv__(self, other: Any) -> Any:
        return (self / other).__floor__() if isinstance(other, NUMBERS) else NotImplemented

    def __mod__(self, other: Any) -> Any:
        return self - (self // other) * other if isinstance(other, NUMBERS) else NotImplemented

    def __divmod__(self, other: Any) -> Any:
        whole = self // other
        return whole, self - whole * other

    def __abs__(self) -> Draw:
        return -self if self < 0 else self

    def clip(self, low: Any = None, high: Any = None) -> Any:
        """The draw itself, or the bound that it lies beyond."""
        if low is not None and self < low:
            return low
        return high if high is not None and self > high else self

    # Arithmetic that leaves it unknown ------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Draw):
            factors = dict(self.terms)
            for source, factor in other.terms:
                factors[source] = factors.get(source, 0.0) + factor
            terms = tuple((source, factor) for source, factor in factors.items() if factor != 0)
            return Draw(terms, self.offset + other.offset) if terms else self.offset + other.offset
        return Draw(self.terms, self.offset + float(other)) if isinstance(other, NUMBERS) else NotImplemented

    __radd__ = __add__

    def __neg__(self) -> Draw:
        return Draw(tuple((source, -factor) for source, factor in self.terms), -self.offset)

    def __pos__(self) -> Draw:
        return self

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Draw):
            return self + -other
        return self + -other if isinstance(other, NUMBERS) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Draw):
            raise self.refusal("multiplied by another draw")
        if not isinstance(other, NUMBERS):
            return NotImplemented
        if other == 0:
            return 0.0
        return Draw(tuple((source, factor * float(other)) for source, factor in self.terms), self.offset * float(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self * (1 / float(other)) if isinstance(other, NUMBERS) else NotImplemented

    # What needs the number itself -----------------------------------------------------------------------------------

    def __float__(self) -> float:
        raise self.refusal("made a float")

    def __complex__(self) -> complex:
        raise self.refusal("made a complex number")

    def __pow__(self, other: Any) -> Any:
        raise self.refusal("raised to a power")

    def __rpow__(self, other: Any) -> Any:
        raise self.refusal("used as a power")

    def __rtruediv__(self, other: Any) -> Any:
        raise self.refusal("divided by")

    def __repr__(self) -> str:
        return f"<{self.origin}, not yet known>"

    @property
    def origin(self) -> str:
        """What it is and where it was drawn: "a normal number drawn at grid.py:12"."""
        return f"a {self.terms[0][0].name} number drawn at {self.terms[0][0].line}"

    def refusal(self, what: str) -> NotTabular:
        """The error that says what cannot be done with a number that is not known."""
        return NotTabular(
            f"chance must come down to finitely many outcomes, but {self.origin} is {what} at {calling_line()}: only "
            "comparisons, rounding to integers and sums, and normal noise that reaches nothing but the reward, have a "
            "table"
        )

    def single(self, what: str) -> tuple[Source, float]:
        """The one source that it depends on, and its factor; raises NotTabular where there are several."""
        if len(self.terms) != 1:
            raise self.refusal(what)
        return self.terms[0]

    def normal(self) -> tuple[float, float] | None:
        """Mean and standard deviation, where it is a sum of normal draws of which nothing was asked; else None."""
        if any(source.name != "normal" or (source.low, source.high) != (0.0, 1.0) for source, _ in self.terms):
            return None
        return self.offset, math.sqrt(sum(factor**2 for _, factor in self.terms))

    # NumPy ----------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **arguments: Any) -> Any:
        if method == "__call__" and not arguments:
            if ufunc in _COMPARISONS:
                first, second = inputs
                if _is_numbers(second):
                    return self._compare_all(_COMPARISONS[ufunc][0], second)
                if _is_numbers(first):
                    return self._compare_all(_COMPARISONS[ufunc][1], first)
                return ufunc(*map(_as_objects, inputs))
            if ufunc in _BY_OPERATORS:
                return ufunc(*map(_as_objects, inputs))
        raise self.refusal(f"given to np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.searchsorted:
            return _searchsorted(*args, **kwargs)
        if function is np.digitize and len(args) == 2 and not kwargs:
            return _searchsorted(args[1], args[0], side="right")
        if function is np.clip and isinstance(args[0], Draw):
            return args[0].clip(*args[1:], **kwargs)
        if function is np.round and isinstance(args[0], Draw):
            return args[0].__round__(*args[1:])
        raise self.refusal(f"given to np.{function.__name__}")

    def below_each(self, values: Any) -> np.ndarray:
        """Decide between which two neighbours of many numbers it lies; returns which of them it lies below."""
        source, factor = self.single("compared with an array")
        below = source.place_among((np.asarray(values, dtype=np.float64) - self.offset) / factor)
        return below if factor > 0 else ~below

    def _compare_all(self, how: str, values: np.ndarray) -> np.ndarray:
        if how in ("same", "other"):
            return np.full(np.shape(values), how == "other")
        below = self.below_each(values)
        return below if how == "below" else ~below


_COMPARED: Any = (*NUMBERS, Draw)


def _searchsorted(sorted_values: Any, draw: Any, side: str = "left", sorter: Any = None) -> Any:
    """np.searchsorted where the value that is looked for is a draw."""
    array = np.asarray(sorted_values)
    if not isinstance(draw, Draw) or sorter is not None or array.dtype == object:
        return np.searchsorted(_as_objects(array), _as_objects(draw), side=side, sorter=sorter)  # type: ignore[call-overload]
    return np.int64(np.count_nonzero(~draw.below_each(array)))


def _as_objects(value: Any) -> Any:
    """A draw as an array of one object, so that NumPy computes with Python's operators; anything else as it is."""
    if isinstance(value, Draw):
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    return np.asarray(value, dtype=object)


def _is_numbers(value: Any) -> bool:
    """Whether a value is an array of plain numbers."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype != object


def _is_number(value: Any) -> bool:
    return isinstance(value, _COMPARED)
