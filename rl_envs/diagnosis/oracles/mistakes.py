"""What a mistake is: a change of what the right rule reads, or of what it gives.

Each is written once and applied to every rule and every pattern of ends. A function is explained by a mistake if the
rule with the mistake gives its very numbers, on everything that was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# A rule turns experience into numbers; a variant is one way of getting it wrong.
Rule = Callable[[Any], np.ndarray]
Variant = Callable[[Rule, Any], np.ndarray]


@dataclass(frozen=True)
class Mistake:
    """One known mistake, in all the ways in which it is usually made.

    Attributes:
        keys: its names, as a report of `diagnose` has them.
        sentence: what the function does, in plain words.
        advice: where to look.
        variants: each turns a right rule and what it reads into wrong numbers.
    """

    keys: tuple[str, ...]
    sentence: str
    advice: str
    variants: tuple[Variant, ...]

    def __repr__(self) -> str:
        return f"Mistake({', '.join(self.keys)}: {self.sentence})"


def reads(**changes: Callable[[Any], Any]) -> Variant:
    """A variant that reads something else: each named part is replaced by a function of the whole."""

    def variant(rule: Rule, x: Any) -> np.ndarray:
        return rule(replace(x, **{name: change(x) for name, change in changes.items()}))

    return variant


def reads_instead(change: Callable[[Any], Any]) -> Variant:
    """A variant that reads what `change` makes of the whole."""
    return lambda rule, x: rule(change(x))


def gives(change: Callable[[np.ndarray, Any], np.ndarray]) -> Variant:
    """A variant that gives something else: `change` is asked with what is right and what was read."""
    return lambda rule, x: change(rule(x), x)


def computes(rule: Rule) -> Variant:
    """A variant that follows another rule altogether."""
    return lambda right_rule, x: rule(x)


def both(first: Variant, second: Variant) -> Variant:
    """Two mistakes in one function."""
    return lambda rule, x: second(lambda y: first(rule, y), x)
