"""Finds the mistakes that give a function's very numbers, on everything that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from rl_envs.diagnosis.oracles.mistakes import Mistake, Rule, Variant, both

# How far numbers may be apart that count as the same, as a share of the largest beside them: single precision.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Answer:
    """What a function may give for one of its outputs.

    Attributes:
        rules: each of them is right; a mistake may change each in its own way.
        mistakes: the known ones.
    """

    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Trial:
    """Something that a function was tried on, and what it gave: [T, B], or fewer rows where it gives fewer."""

    problem: Any
    gave: np.ndarray


def same(gave: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Which copies of a rollout (or which transitions) have the same numbers, [B] bool."""
    numbers = np.atleast_2d(numbers)[: len(gave)]
    if numbers.shape != gave.shape:
        return np.zeros(gave.shape[1], dtype=bool)
    scale = 1 + np.abs(numbers).max(axis=0)
    return np.asarray((np.abs(gave - numbers) <= TOLERANCE * scale).all(axis=0))  # a NaN is never the same


def right_rule(trials: Sequence[Trial], answer: Answer) -> Rule | None:
    """The rule that gives what the function gave, on every trial; None if there is none."""
    return next((rule for rule in answer.rules if _gives_the_same(trials, rule)), None)


def single_mistakes(trials: Sequence[Trial], answer: Answer) -> tuple[Mistake, ...]:
    """Every mistake that gives what the function gave, on every trial; none that holds another and more."""
    fitting = [
        mistake
        for mistake in answer.mistakes
        if any(
            _gives_the_same(trials, _with_mistake(rule, variant))
            for variant in mistake.variants
            for rule in answer.rules
        )
    ]
    return tuple(m for m in fitting if not any(set(other.keys) < set(m.keys) for other in fitting))


def pairs_of_mistakes(trials: Sequence[Trial], answer: Answer) -> tuple[tuple[Mistake, Mistake], ...]:
    """Every two mistakes that together give what the function gave, on every trial."""
    return tuple(
        (first, second)
        for first, second in combinations(answer.mistakes, 2)
        if any(
            _gives_the_same(trials, _with_mistake(rule, both(one, other)))
            for one in first.variants
            for other in second.variants
            for rule in answer.rules
        )
    )


def _with_mistake(rule: Rule, variant: Variant) -> Rule:
    return lambda x: variant(rule, x)


def _gives_the_same(trials: Sequence[Trial], rule: Rule) -> bool:
    with np.errstate(all="ignore"):  # a wrong rule may divide by zero
        return all(same(trial.gave, rule(trial.problem)).all() for trial in trials)
