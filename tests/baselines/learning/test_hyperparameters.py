"""Every field of a Config is checked by its type, and the message names the field and its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from baselines.learning.hyperparameters import (
    Count,
    Finite,
    Hyperparameters,
    NonNegative,
    Positive,
    PositiveFinite,
    Probability,
    Steps,
    StepSize,
)


@dataclass(frozen=True)
class Config(Hyperparameters):
    """One field of each kind."""

    count: Count = 1
    steps: Steps = 0
    positive: Positive = 1.0
    positive_finite: PositiveFinite = 1.0
    non_negative: NonNegative = 0.0
    finite: Finite = 0.0
    probability: Probability = 0.5
    step_size: StepSize = 1.0
    hidden: tuple[Count, ...] = (8,)
    loss: Literal["huber", "mse"] = "huber"
    free: bool = False


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "count must be at least 1, but is 0"),
        ({"steps": -1}, "steps must be at least 0, but is -1"),
        ({"positive": 0.0}, r"positive must be positive, but is 0\.0"),
        ({"positive": float("nan")}, "positive must be positive, but is nan"),
        ({"positive_finite": float("inf")}, "positive_finite must be positive and finite, but is inf"),
        ({"non_negative": -0.5}, r"non_negative must not be negative, but is -0\.5"),
        ({"finite": float("inf")}, "finite must be finite, but is inf"),
        ({"probability": 1.5}, r"probability must be in \[0, 1\], but is 1\.5"),
        ({"step_size": 0.0}, r"step_size must be in \(0, 1\], but is 0\.0"),
        ({"hidden": (8, 0)}, "hidden must be at least 1, but is 0"),
        ({"loss": "l1"}, """loss must be "huber" or "mse", but is 'l1'"""),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(**settings)


def test_a_word_for_a_number_is_refused() -> None:
    with pytest.raises(TypeError, match="count must be an integer, but is 'many'"):
        Config(count="many")  # type: ignore[arg-type]


def test_values_at_the_edges_are_taken_and_a_list_becomes_a_tuple() -> None:
    config = Config(positive=float("inf"), probability=1.0, hidden=[4, 2], free=True)  # type: ignore[arg-type]
    assert config.hidden == (4, 2)
    assert hash(config) == hash(Config(positive=float("inf"), probability=1.0, hidden=(4, 2), free=True))


@dataclass(frozen=True)
class Longer(Config):
    """Another field, declared in a subclass."""

    more: Count = 1
    positive: float = 2.0


def test_fields_of_a_base_class_are_checked_as_well() -> None:
    with pytest.raises(ValueError, match="count must be at least 1"):
        Longer(count=0)
    with pytest.raises(ValueError, match="more must be at least 1"):
        Longer(more=0)
    with pytest.raises(ValueError, match="positive must be positive"):
        Longer(positive=0.0)
