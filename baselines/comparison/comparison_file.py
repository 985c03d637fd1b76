"""A comparison in a TOML file: the keys are flags of `compare`, and an agent's hyperparameters are a table.

worlds = ["LineWalk:size=9", "RandomMDP"]
agents = ["Random", "Optimal", "QLearning", "SB3DQN"]
runs = 30
out = "results"

[QLearning]
epsilon = 0.2
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from baselines.comparison.comparison import Comparison
from baselines.comparison.running import BACKENDS
from baselines.system.atomic_files import StorageError
from rl_envs.names import nearest, unknown

# Options of the execution.
OPTIONS: Mapping[str, type] = {"out": str, "workers": int, "backend": str, "address": str}

# Flags that cannot be keys of the file.
ONLY_TYPED = ("preset", "file", "fresh")

# What a value of each type is called.
KINDS: Mapping[type, str] = {int: "an integer", str: "a string", tuple: "a list of strings"}


@dataclass(frozen=True)
class ComparisonFile:
    """The content of a file.

    Attributes:
        comparison: what to compare, on top of the given defaults.
        options: "out", "workers", "backend" and "address", where the file sets them.
        settings: hyperparameters by the names of agents and game agents.
    """

    comparison: Comparison
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_comparison_file(path: Path, defaults: Comparison) -> ComparisonFile:
    """Read a comparison from a TOML file.

    Args:
        path: the file.
        defaults: what stands for keys that are left out.

    Returns:
        What it says. Fields of Configs are not checked yet.

    Raises:
        StorageError: the file cannot be read.
        ValueError: no TOML, or an unknown key, naming the nearest.
        TypeError: a value of the wrong type.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # of TOML, and of UTF-8
        raise ValueError(f"{path} is no TOML: {error}") from error
    settings = {key: value for key, value in content.items() if isinstance(value, dict)}
    if content.get("backend", "joblib") not in BACKENDS:
        raise ValueError(f"{path}: {unknown('backend', content['backend'], BACKENDS)}")
    plain = {key: value for key, value in content.items() if key not in settings}
    wanted = {entry.name: type(getattr(defaults, entry.name)) for entry in fields(defaults)}
    for key, value in plain.items():
        _check(path, key, value, {**wanted, **OPTIONS})
    changed: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in plain.items() if key in wanted
    }
    comparison = replace(defaults, **changed)
    _check_named(path, settings, (*comparison.agents, *comparison.game_agents))
    return ComparisonFile(comparison, {key: plain[key] for key in OPTIONS if key in plain}, settings)


def _check(path: Path, key: str, value: Any, wanted: Mapping[str, type]) -> None:
    if key in ONLY_TYPED:
        shown = "" if isinstance(value, bool) else f" {value}"
        raise ValueError(f"{path}: {key!r} cannot stand in a file, but is typed: --{key}{shown}")
    if key not in wanted:
        raise ValueError(f"{path}: {unknown('key', key, wanted)}")
    kind = wanted[key]
    strings = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not (strings if kind is tuple else type(value) is kind):
        raise TypeError(f"{path}: {key} must be {KINDS[kind]}, but is {value!r}")
    if value == "":
        raise ValueError(f"{path}: {key} must not be empty, but is ''")


def _check_named(path: Path, tables: Iterable[str], named: Iterable[str]) -> None:
    """Settings of an agent that is not compared would be set in vain."""
    plain = [name for name in named if ":" not in name]  # one with settings of its own would not take these
    for name in tables:
        if name not in plain:
            near = nearest(name, plain)
            hint = f" Did you mean {near[0]!r}?" if near else f" Those are: {', '.join(plain)}" if plain else ""
            raise ValueError(
                f"{path}: a table must be of one of the agents, named without settings, but [{name}] is not.{hint}"
            )
