"""Resolved specifications: made where a name is typed, and passed on from there.

A name with settings is parsed once, by `Specification.parse`. Each kind of thing has a small class: worlds here, agents
in `registration.py`, games in `baselines/games/specification.py`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from baselines.training.task import Task, task_of
from rl_envs.making import source_hash
from rl_envs.specification import Specification


@dataclass(frozen=True)
class Resolved(ABC):
    """A specification and the object that it names.

    Args:
        specification: the name with its settings.
    """

    specification: Specification

    @property
    def name(self) -> str:
        """The name without settings."""
        return self.specification.name

    @property
    def label(self) -> str:
        """Its text in tables and files."""
        return self.specification.label

    @property
    @abstractmethod
    def meaning(self) -> object:
        """An equal value for specifications of the same thing, however they are written."""

    def __str__(self) -> str:
        return self.label


SomeResolved = TypeVar("SomeResolved", bound=Resolved)


@dataclass(frozen=True)
class WorldSpecification(Resolved):
    """A world or an environment, by name."""

    @classmethod
    def read(cls, world: str | WorldSpecification) -> WorldSpecification:
        """Parse a world as a user gives it.

        Raises:
            ValueError: text that is no name with settings. An unknown world is refused by `task`.
        """
        return world if isinstance(world, WorldSpecification) else cls(Specification.parse(world))

    @property
    def task(self) -> Task:
        """The task, made once per process; raises ValueError and TypeError as `make_task`."""
        return task_of(self.specification)

    @property
    def description(self) -> dict[str, Any]:
        """Everything that determines its behaviour, as plain values: hashes of table and observations, time limit."""
        return _describe(self.specification)

    @property
    def meaning(self) -> object:
        description = self.description
        # Arguments of environments of others matter by their table, where there is one.
        return description if description["table"] is None else {**description, "arguments": None}


def each_once(what: str, named: Sequence[SomeResolved]) -> list[SomeResolved]:
    """Check that specifications name different things.

    Args:
        what: what they name, in the plural: "worlds".
        named: the specifications.

    Returns:
        The same.

    Raises:
        ValueError: two that name the same thing, as with a setting at its default value; or as `meaning`.
    """
    seen: list[SomeResolved] = []
    for one in named:
        for other in seen:
            if one.label == other.label:
                raise ValueError(f"{what} must be different, but {one.label!r} is given twice")
            if one.meaning == other.meaning:
                raise ValueError(f"{what} must be different, but {other.label!r} and {one.label!r} are the same")
        seen.append(one)
    return seen


@lru_cache(maxsize=64)
def _describe(specification: Specification) -> dict[str, Any]:
    task = task_of(specification)
    found: dict[str, Any] = {
        "environment": task.environment,
        "table": task.table_hash,
        "max_episode_steps": task.max_episode_steps,
    }
    if task.world is None:
        found |= {"arguments": dict(task.arguments), "discount": task.discount}
        source = source_hash(task.environment)
        return found if source is None else {**found, "source": source}
    seen = hashlib.sha256()
    for array in _arrays(task.world.observation.batch(np.arange(task.world.mdp.num_states))):
        seen.update(np.ascontiguousarray(array).tobytes())
    return {**found, "observation": seen.hexdigest()}


def _arrays(observations: Any) -> list[Any]:
    """What is seen in all states as arrays: one, or those of a dictionary or tuple."""
    if isinstance(observations, dict):
        return [array for name in sorted(observations) for array in _arrays(observations[name])]
    if isinstance(observations, tuple):
        return [array for part in observations for array in _arrays(part)]
    return [observations]
