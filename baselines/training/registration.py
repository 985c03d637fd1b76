"""How a line of a registry becomes a class and its Config, for agents and for learners in games alike."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from baselines.training.specification import label, named
from rl_envs.names import unknown


@dataclass(frozen=True)
class Entry:
    """How an agent is made and compared.

    Attributes:
        agent: "module:class".
        summary: what it is, in a few words.
        libraries: distributions whose versions decide what it learns, beside NumPy.
        counterparts: ours that a library's agent is checked against: the first of them that is in the comparison.
    """

    agent: str
    summary: str
    libraries: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()

    def load(self) -> Any:
        """The class, from its module, which is imported now."""
        module, cls = self.agent.split(":")
        return getattr(importlib.import_module(module), cls)


def config_of(cls: Any, settings: Mapping[str, Any]) -> Any:
    """The Config of a class of agents with these settings; raises as `baselines.registry.make_config` does."""
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
    with named(label(name, settings)):
        return replace(config, **given)


def _like(value: Any, default: Any, what: str) -> Any:
    """The value in the type of the default, refused where that would change its meaning."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, float) and value in ("inf", "-inf"):
        return float(value)
    if isinstance(default, float) and value in ("nan", "-nan"):
        raise ValueError(f"{what} must be a number, but is {value}")
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if type(value) is not type(default):
        raise TypeError(f"{what} must be a {type(default).__name__}, but is {value!r}")
    return value
