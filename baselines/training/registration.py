"""Registries of agents and game agents: from a line to a class and its Config."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

from baselines.training.specification import Resolved
from rl_envs.names import unknown
from rl_envs.specification import Specification, named, refuse

SomeAgent = TypeVar("SomeAgent")


@dataclass(frozen=True)
class Entry:
    """A registry's entry for an agent.

    Attributes:
        agent: "module:class".
        summary: a description in a few words.
        libraries: distributions whose versions affect its results, besides NumPy.
        counterparts: our agents to check a library's agent against; the first one in the comparison counts.
    """

    agent: str
    summary: str
    libraries: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()

    def load(self) -> Any:
        """The class, from its module, which is imported now."""
        module, cls = self.agent.split(":")
        return getattr(importlib.import_module(module), cls)


@dataclass(frozen=True)
class AgentSpecification(Resolved):
    """A registered agent, by name, with its settings.

    Args:
        entry: its line in the registry.
    """

    entry: Entry

    @cached_property
    def agent_class(self) -> Any:
        """The agent's class."""
        return self.entry.load()

    @cached_property
    def config(self) -> Any:
        """The agent's Config; raises as `Registry.read`."""
        return config_of(self.agent_class, self.specification.settings)

    @property
    def values(self) -> dict[str, Any]:
        """Every field of the Config with its value."""
        return {field.name: getattr(self.config, field.name) for field in fields(self.config)}

    @property
    def meaning(self) -> object:
        return self.name, self.config

    @property
    def default(self) -> AgentSpecification:
        """The same agent without settings."""
        return AgentSpecification(Specification(self.name), self.entry)

    def with_settings(self, settings: Mapping[str, Any]) -> AgentSpecification:
        """The same agent with these settings over its own; whether it takes them is known with `config`."""
        return AgentSpecification(self.specification.with_settings(settings), self.entry)

    def make(self, task: Any, *, runs: int | range = 1, seed: int = 0) -> Any:
        """Make the agent; arguments and errors are those of its class."""
        return self.agent_class(task, runs=runs, seed=seed, config=self.config)

    def __getstate__(self) -> dict[str, Any]:
        # Another process loads class and Config itself, because it may have another version of them.
        return {"specification": self.specification, "entry": self.entry}


class Registry(Mapping[str, Entry], Generic[SomeAgent]):
    """Agents by name.

    Args:
        what: what is registered, such as "agent".
        entries: one per agent.
    """

    def __init__(self, what: str, entries: Mapping[str, Entry]) -> None:
        self._what = what
        self._entries = entries

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def load(self, name: str) -> type[SomeAgent]:
        """The class of a registered agent; raises ValueError naming the nearest for an unknown name."""
        return self._entry(name).load()

    def config(self, name: str, settings: Mapping[str, Any]) -> Any:
        """The Config of a registered agent.

        Args:
            name: the agent's name.
            settings: values by field; "preset" names a whole Config to start from, where the agent has some.

        Raises:
            ValueError, TypeError: as `read`.
        """
        return config_of(self.load(name), settings)

    def read(self, agent: str | Specification | AgentSpecification) -> AgentSpecification:
        """Parse an agent as a user gives it.

        Args:
            agent: its name, perhaps with settings: "QLearning", "QLearning:epsilon=0.2,step_size=0.1".

        Returns:
            The agent, whose settings are checked.

        Raises:
            ValueError: text that is no name with settings; an unknown agent, preset or setting, naming the nearest; or
                a value out of range.
            TypeError: a value of the wrong type.
        """
        if isinstance(agent, AgentSpecification):
            return agent
        specification = agent if isinstance(agent, Specification) else Specification.parse(agent)
        found = AgentSpecification(specification, self._entry(specification.name))
        _ = found.config  # refuses settings here, where they are given
        return found

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise ValueError(unknown(self._what, name, self._entries))
        return self._entries[name]


def config_of(cls: Any, settings: Mapping[str, Any]) -> Any:
    """The Config of a class of agents with these settings; raises as `Registry.read`."""
    name, given = cls.__name__, dict(settings)
    config = cls.Config()
    if "preset" in given:
        preset = given.pop("preset")
        if not cls.PRESETS:
            raise ValueError(f"{name} has no presets, but {preset!r} was asked for")
        if preset not in cls.PRESETS:
            raise ValueError(unknown(f"preset of {name}", preset, cls.PRESETS))
        config = cls.PRESETS[preset]
    known = {field.name: getattr(config, field.name) for field in fields(config)}
    for key, value in given.items():
        if key not in known:
            raise ValueError(unknown(f"setting of {name}", key, [*known, *(["preset"] if cls.PRESETS else [])]))
        given[key] = _like(value, known[key], f"{name}'s {key}")
    with named(Specification(name, settings)):
        return replace(config, **given)


def _like(value: Any, default: Any, what: str) -> Any:
    """The value in the type of the default, refused where that would change its meaning."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, float) and value in ("inf", "-inf"):  # as JSON and TOML files of this package hold it
        return float(value)
    if isinstance(value, float) and value != value:
        raise ValueError(f"{what} must be a number, but is {value}")
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if type(value) is not type(default):
        refuse(what, value, default)
    return value
