"""The provenance of results: command, settings, versions and result files."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from math import isinf
from pathlib import Path
from typing import Any

from baselines.comparison.cells import Cell, FunctionCell
from baselines.comparison.comparison import Comparison
from baselines.comparison.game_cells import GameCell
from baselines.comparison.result_files import CELLS, FILE_FORMAT, version
from baselines.registry import AGENTS
from baselines.training.agent_file import versions
from baselines.training.custom_agent import TrainFunction


def provenance(
    comparison: Comparison,
    folder: Path,
    cells: Sequence[Cell],
    functions: Mapping[str, TrainFunction] | None,
    workers: int,
    backend: str,
) -> dict[str, object]:
    """The provenance that is stored in a folder of results.

    Args:
        comparison: what is compared.
        folder: the folder of results.
        cells: the comparison's cells.
        functions: the user's own agents that no command can name.
        workers: number of processes.
        backend: where cells are computed.
    """
    origins = {cell.agent: cell.origin for cell in cells if isinstance(cell, FunctionCell)}
    libraries = {library for entry in AGENTS.values() for library in entry.libraries}
    libraries |= {library for origin in origins.values() for library in origin.libraries}
    players = {cell.agent.label: cell.agent for cell in cells if isinstance(cell, GameCell)}
    typed = command_line(sys.argv)
    return {
        "format": FILE_FORMAT,
        "command": typed,
        "repeat": typed if functions else repeating_command(comparison, folder),
        "comparison": asdict(comparison),
        "configs": {agent.label: _written(agent.config) for agent in comparison.specifications.agents},
        "game_configs": {label: _written(agent.config) for label, agent in players.items()},
        "functions": {name: asdict(origin) for name, origin in origins.items()},
        "versions": {**versions(), **{library: version(library) for library in ("scipy", *sorted(libraries))}},
        "backend": backend,
        "workers": workers,
        "cells": [cell.file(folder / CELLS).name for cell in cells],
    }


def _written(config: Any) -> dict[str, Any]:
    """A Config's values for JSON, with infinity as text."""
    values = asdict(config)
    infinite = {name: str(value) for name, value in values.items() if isinstance(value, float) and isinf(value)}
    return {**values, **infinite}


def repeating_command(comparison: Comparison, folder: Path) -> str:
    """A command that reproduces the comparison even if defaults and presets change."""
    words = ["python", "-m", "baselines", "compare"]
    for entry in fields(comparison):
        value = getattr(comparison, entry.name)
        if value != () or entry.name in ("worlds", "agents"):
            given = value if isinstance(value, tuple) else (value,)
            words += ["--" + entry.name.replace("_", "-"), *map(str, given)]
    return shlex.join([*words, "--out", str(folder)])


def command_line(arguments: Sequence[str]) -> str:
    """The typed command, as far as a program can know it."""
    if arguments[0] in ("", "-c"):
        return "python (interactively)"
    program = Path(arguments[0])
    if program.name == "__main__.py":
        return shlex.join(["python", "-m", program.parent.name, *arguments[1:]])
    return shlex.join(["python", *arguments])


def into(folder: Path, command: str) -> str:
    """A comparison's command with the folder where the results are now; other programs stay as they are.

    Args:
        folder: the folder of results.
        command: the typed command, or one that reproduces it.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # it was edited
        return command
    if words[:4] != ["python", "-m", "baselines", "compare"]:
        return command
    words_without_out, skip = [], False
    for word in words:
        skip = word == "--out" or (skip and not word.startswith("--"))
        if not (skip or word.startswith("--out=")):
            words_without_out.append(word)
    return shlex.join([*words_without_out, "--out", str(folder)])
