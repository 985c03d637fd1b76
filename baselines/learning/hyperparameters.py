"""The ranges of hyperparameters, as types of the fields of a Config that are checked when it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from rl_envs.mdp.finite_mdp import check_integer, check_probability


def check_positive(name: str, value: float) -> None:
    """Raise ValueError naming the hyperparameter unless its value is above 0; infinity is."""
    if not value > 0:
        raise ValueError(f"{name} must be positive, but is {value}")


def check_positive_and_finite(name: str, value: float) -> None:
    """Raise ValueError naming the hyperparameter unless its value is above 0 and finite."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite, but is {value}")


def check_not_negative(name: str, value: float) -> None:
    """Raise ValueError naming the hyperparameter unless its value is 0 or more."""
    if not value >= 0:
        raise ValueError(f"{name} must not be negative, but is {value}")


def check_finite(name: str, value: float) -> None:
    """Raise ValueError naming the hyperparameter if its value is infinite or not a number."""
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, but is {value}")


def check_step_size(name: str, value: float) -> None:
    """Raise ValueError naming the hyperparameter unless its value is in (0, 1]."""
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be in (0, 1], but is {value}")


# The number of something: 1 or more.
Count = Annotated[int, partial(check_integer, low=1)]
# A number of steps over which something happens: 0 for at once or never.
Steps = Annotated[int, partial(check_integer, low=0)]
Positive = Annotated[float, check_positive]
PositiveFinite = Annotated[float, check_positive_and_finite]
NonNegative = Annotated[float, check_not_negative]
Finite = Annotated[float, check_finite]
Probability = Annotated[float, check_probability]
StepSize = Annotated[float, check_step_size]


class Hyperparameters:
    """The base of an agent's Config: checks every field by its type, and makes tuples of lists.

    Raises:
        ValueError: a value outside the range of its field's type; the message names the field.
        TypeError: one that is no number at all.
    """

    def __post_init__(self) -> None:
        for name, types in _types(type(self)).items():
            value = getattr(self, name)
            if get_origin(types) is tuple:
                value = tuple(value)
                object.__setattr__(self, name, value)
                for entry in value:
                    _check(get_args(types)[0], name, entry)
            else:
                _check(types, name, value)


def _types(config: Any) -> Mapping[str, Any]:
    """The type of each field of a Config."""
    hints: dict[str, Any] = {}
    for base in reversed(config.__mro__):
        for name, hint in get_type_hints(base, include_extras=True).items():
            if get_origin(hint) is not None or name not in hints:  # a plain type keeps the range that a base gave
                hints[name] = hint
    return {field.name: hints[field.name] for field in fields(config)}


def _check(types: Any, name: str, value: Any) -> None:
    if get_origin(types) is Literal:
        choices = get_args(types)
        if value not in choices:
            named = " or ".join(f'"{choice}"' for choice in choices)
            raise ValueError(f"{name} must be {named}, but is {value!r}")
    elif get_origin(types) is Annotated:
        checks: tuple[Callable[[str, Any], object], ...] = types.__metadata__
        for check in checks:
            check(name, value)
