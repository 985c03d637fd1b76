"""The search space of tuning: a range or a few values for each searched hyperparameter."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.registry import AGENTS
from baselines.training.registration import AgentSpecification
from rl_envs.names import unknown
from rl_envs.specification import read_value

if TYPE_CHECKING:
    from optuna import Trial

# Stands for all hyperparameters that have a default range.
USUAL = "usual"

# Suggested numbers are rounded to so many digits, so that they can be read and pasted.
DIGITS = 3


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, which belong to it; whole numbers where both ends are.

    Attributes:
        low: the lower end.
        high: the upper end.
        log: whether to search evenly in the logarithm.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"a range must rise from one finite number to another, but is {self}")
        if self.log and not self.low > 0:
            raise ValueError(f"a range in the logarithm must begin above 0, but is {self}")

    @property
    def is_whole(self) -> bool:
        """Whether its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high  # type: ignore[operator]

    def __str__(self) -> str:
        return f"{self.low}..{self.high}" + (":log" if self.log else "")

    def suggest(self, trial: Trial, field: str) -> Any:
        """The value that a trial tries."""
        if self.is_whole:
            return trial.suggest_int(field, int(self.low), int(self.high), log=self.log)
        return self._rounded(trial.suggest_float(field, self.low, self.high, log=self.log))

    def stored(self, value: Any) -> Any:
        """A value as the database stores it."""
        return value

    def spread(self, number: int) -> tuple[Any, ...]:
        """A number of evenly spaced values from end to end."""
        space = np.geomspace if self.log else np.linspace
        values = space(self.low, self.high, number).tolist()
        return tuple(round(value) if self.is_whole else self._rounded(value) for value in values)

    def _rounded(self, value: float) -> float:
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """A few values, of any type.

    Attributes:
        values: at least two, each once.
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(set(self.texts)) < len(self.values):
            raise ValueError(f"a choice must be among two values or more, each given once, but is {self}")

    @property
    def texts(self) -> list[str]:
        """The values as they are written in a specification."""
        return [self.stored(value) for value in self.values]

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return "|".join(self.texts)

    def suggest(self, trial: Trial, field: str) -> Any:
        """The value that a trial tries."""
        return self.values[self.texts.index(trial.suggest_categorical(field, self.texts))]

    def stored(self, value: Any) -> str:
        """A value as the database stores it."""
        return str(value)


Dimension = Range | Choice

# What is usually tried of a field, by its name, whichever agent has it. What is missing here is missing for a reason: a
# field that makes another algorithm of an agent, that changes what a step costs, or that is in units of reward, where
# no range suits all worlds. The few in units of reward that are here are all that their agents have.
_RATE = Range(1e-4, 1e-1, log=True)
_STEPS = Range(100, 100_000, log=True)
_WEIGHT = Range(1e-4, 1.0, log=True)
USUAL_RANGES: Mapping[str, Dimension] = {
    # How fast an estimate moves.
    "step_size": Range(1e-3, 1.0, log=True),
    "step_size_half_life": Choice((1.0, 5.0, 20.0, 100.0, 1_000.0, 10_000.0, math.inf)),
    "baseline_step_size": Range(1e-2, 1.0, log=True),
    "falling_step_size": Range(0.0, 1.0),
    "learning_rate": _RATE,
    "max_gradient_norm": Range(0.1, 100.0, log=True),
    # How long to explore.
    "epsilon": Range(0.0, 1.0),
    "final_epsilon": Range(0.0, 1.0),
    "epsilon_steps": _STEPS,
    "epsilon_half_life": Choice((10.0, 100.0, 1_000.0, 10_000.0, math.inf)),
    "temperature": Range(1e-2, 10.0, log=True),
    "temperature_half_life": Choice((10.0, 100.0, 1_000.0, 10_000.0, math.inf)),
    "exploration": Range(0.05, 5.0, log=True),
    "entropy_weight": _WEIGHT,
    # What a step is learned from.
    "trace_decay": Range(0.0, 1.0),
    "n_step": Range(1, 16, log=True),
    "num_steps": Range(1, 16, log=True),
    "batch_size": Range(8, 256, log=True),
    "train_every": Range(1, 16, log=True),
    "train_freq": Range(1, 16, log=True),
    "target_every": Range(10, 10_000, log=True),
    "target_update_interval": Range(10, 10_000, log=True),
    "value_weight": Range(0.1, 2.0, log=True),
    # What values look like.
    "hidden": Choice(((32,), (64,), (32, 32), (64, 64))),
    "groups": Range(2, 50, log=True),
    "tilings": Range(1, 16, log=True),
    "tiles": Range(2, 20, log=True),
    "order": Range(1, 15),
    # What is believed before anything is seen.
    "prior_std": Range(0.1, 10.0, log=True),
    "noise_std": Range(0.1, 10.0, log=True),
    "successes": Range(0.1, 10.0, log=True),
    "failures": Range(0.1, 10.0, log=True),
    "penalty": Range(1e-8, 1e-1, log=True),
}

# Fields that do nothing unless another field has a certain value, where an agent has that other field.
DEPENDS_ON: Mapping[str, Mapping[str, Any]] = {
    "hidden": {"policy": "network", "approximation": "network"},
    "optimiser": {"policy": "network"},
    "baseline_step_size": {"policy": "table", "baseline": True},
    "groups": {"reward": "features", "approximation": "aggregation", "basis": "aggregation"},
    "tilings": {"reward": "features", "approximation": "tiles", "basis": "tiles"},
    "tiles": {"reward": "features", "approximation": "tiles", "basis": "tiles"},
    "order": {"reward": "features", "approximation": "fourier", "basis": "fourier"},
    "prior_mean": {"prior": "gaussian"},
    "prior_std": {"prior": "gaussian"},
    "noise_std": {"prior": "gaussian"},
    "successes": {"prior": "beta"},
    "failures": {"prior": "beta"},
}


def search_space(agent: str | AgentSpecification, searched: Sequence[str] = ()) -> dict[str, Dimension]:
    """The search space of an agent.

    Args:
        agent: its name, perhaps with settings: "DQN:preset=CartPole,double=True". A field that is set is not
            searched unless it is named in `searched`.
        searched: what to search, and nothing beside it: "step_size=0.01..1:log" (a range, in the logarithm here),
            "hidden=(32,)|(64,64)" (a choice), "epsilon" (its usual range), "usual" (all fields that have a usual
            range). Nothing stands for "usual".

    Returns:
        A range or choice by field. Usual ranges hold the value that the agent has now, widened if need be.

    Raises:
        ValueError: an unknown agent or field, naming the nearest; a field that is named twice, has no usual range, or
            does nothing with these settings; a range or choice with a value that the agent's Config refuses; or nothing
            left to search.
        TypeError: a value of the wrong type.
    """
    agent = AGENTS.read(agent)
    name, settings = agent.name, agent.specification.settings
    present = agent.values
    if not present:
        raise ValueError(f"{name} has no settings, so there is nothing to tune")
    named: dict[str, str | None] = {}
    for text in searched:
        field, equals, values = text.partition("=")
        if field != USUAL and field not in present:
            raise ValueError(unknown(f"setting of {name}", field, [*present, USUAL]))
        if field in named:
            raise ValueError(f"each setting must be searched once, but {field!r} is given twice")
        if field == USUAL and equals:
            raise ValueError(f"{USUAL!r} stands for all usual ranges and has no values, but is given as {text!r}")
        named[field] = values if equals else None
    space: dict[str, Dimension] = {}
    if not searched or USUAL in named:
        for field in USUAL_RANGES.keys() & present.keys() - settings.keys() - named.keys():
            if _missing_condition(field, present, named) is None:
                space[field] = usual_dimension(field, present[field])
    for field, given in named.items():
        if field == USUAL:
            continue
        condition = _missing_condition(field, present, named)
        if condition is not None:
            raise ValueError(f"{field} of {name} does nothing unless {condition}, but that is neither set nor searched")
        space[field] = usual_dimension(field, present[field]) if given is None else read_dimension(field, given)
    if not space:
        raise ValueError(f"{agent} leaves nothing to tune: name what to search, of {', '.join(present)}")
    return {field: _checked(space[field], field, agent) for field in present if field in space}


def usual_dimension(field: str, present: Any) -> Dimension:
    """The default range of a hyperparameter, with its present value included.

    Args:
        field: its name.
        present: its value now.

    Returns:
        The usual range or choice; wider where the value lies outside, and a choice where no range can hold it (0 where
        the search is in the logarithm, infinity, which both tend to stand for "off").

    Raises:
        ValueError: no usual range is known.
    """
    if isinstance(present, bool):
        return Choice((False, True))
    if field not in USUAL_RANGES:
        raise ValueError(f"{field} has no usual range, so the values must be given: {field}=LOW..HIGH or {field}=A|B")
    usual = USUAL_RANGES[field]
    if present in usual:
        return usual
    if isinstance(usual, Choice):
        return Choice((present, *usual.values))
    if math.isfinite(present) and (present > 0 or not usual.log):
        return Range(min(present, usual.low), max(present, usual.high), usual.log)
    return Choice((present, *usual.spread(5)))


def read_dimension(field: str, values: str) -> Dimension:
    """Parse a range or a choice: "0.01..1:log", "8..64", "(32,)|(64,64)".

    Raises:
        ValueError: what is neither, or a range that does not rise from one number to another.
    """
    if "|" in values:
        return Choice(tuple(_value(text) for text in values.split("|")))
    ends, colon, scale = values.partition(":")
    low, dots, high = ends.partition("..")
    if not dots or (colon and scale != "log"):
        raise ValueError(
            f"what is searched must be LOW..HIGH, LOW..HIGH:log or A|B, but for {field} it is {values!r}; "
            "a single value is set and not searched: AGENT:setting=value"
        )
    numbers = [_value(low), _value(high)]
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        raise ValueError(f"the ends of a range must be numbers, but for {field} it is {values!r}")
    return Range(numbers[0], numbers[1], log=bool(colon))


def _value(text: str) -> Any:
    """A value as it would be read from a specification."""
    return read_value(text.strip())


def _missing_condition(field: str, present: Mapping[str, Any], named: Container[str]) -> str | None:
    """What another field would have to be for this one to matter; None where it matters, or may in some trials."""
    for other, value in DEPENDS_ON.get(field, {}).items():
        if other in present and present[other] != value and other not in named:
            return f"{other}={value}"
    return None


def _checked(dimension: Dimension, field: str, agent: AgentSpecification) -> Dimension:
    """The range or choice with its values in the types that the Config has, each of them accepted by the Config."""

    def accepted(value: Any) -> Any:
        return agent.with_settings({field: value}).values[field]

    if isinstance(dimension, Choice):
        return Choice(tuple(accepted(value) for value in dimension.values))
    return Range(accepted(dimension.low), accepted(dimension.high), dimension.log)
