"""The file of a saved agent: arrays in the safetensors format, and metadata."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import rl_envs
from baselines.system.atomic_files import StorageError, write_atomically
from rl_envs.specification import Specification

# Rises when the layout of saved agents changes.
FILE_FORMAT = 2


def versions() -> dict[str, str]:
    """The versions that determine results, to be stored with them."""
    return {
        "rl_envs": rl_envs.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gymnasium": gym.__version__,
    }


def write_saved(path: str | os.PathLike[str], metadata: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file that `read_saved` reads.

    Args:
        path: the file; an existing one is replaced atomically.
        metadata: the agent's class, settings and task, as JSON values.
        arrays: everything needed to resume.

    Raises:
        StorageError: the file cannot be written.
    """
    from safetensors.numpy import save

    metadata = {"format": FILE_FORMAT, **metadata, "versions": versions()}
    ordered = {name: np.array(array, order="C") for name, array in arrays.items()}
    # One key, because safetensors writes several in an order that changes from file to file.
    write_atomically(path, save(ordered, metadata={"rl_envs": json.dumps(metadata, sort_keys=True)}))


def prefixed(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with `name.` before their names, as a section of a saved agent's state."""
    return {f"{name}.{key}": array for key, array in arrays.items()}


def section(state: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The arrays of a saved agent's state that `prefixed` wrote by this name; none where there is no such section."""
    return {key.partition(".")[2]: array for key, array in state.items() if key.startswith(f"{name}.")}


def read_saved(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The metadata and the arrays of a file from `write_saved`; raises StorageError for any other file."""
    from safetensors import SafetensorError, safe_open

    if path.is_dir():
        raise StorageError(f"cannot read {path}: it is a folder, and no file of a saved agent")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise StorageError(f"{path} is cut short or is no safetensors file: {error}") from error
    if "rl_envs" not in header:
        raise StorageError(f"{path} is a safetensors file, but not one that an agent was saved to")
    metadata = json.loads(header["rl_envs"])
    if metadata["format"] != FILE_FORMAT:
        raise StorageError(f"{path} has file format {metadata['format']}, but this version reads format {FILE_FORMAT}")
    return metadata, arrays


def check_class(path: object, metadata: Mapping[str, Any], cls: Any) -> None:
    """Raise StorageError unless a saved agent is of this class, in this version and with these settings."""
    if metadata["agent"] != cls.__name__:
        raise StorageError(f"{path} holds an agent of class {metadata['agent']}, not {cls.__name__}")
    if metadata["agent_version"] != cls.version:
        raise StorageError(
            f"{path} holds version {metadata['agent_version']} of {cls.__name__}, but this is version {cls.version}"
        )
    unknown_fields = set(metadata["config"]) ^ {field.name for field in fields(cls.Config)}
    if unknown_fields:
        raise StorageError(f"{path} does not fit the Config of {cls.__name__}: {', '.join(sorted(unknown_fields))}")


def check_task(path: object, metadata: Mapping[str, Any], task: Mapping[str, Any]) -> None:
    """Raise StorageError unless a saved agent's task is the one described by the metadata of another."""
    trained, given = (Specification(of["environment"], of["arguments"]) for of in (metadata, task))
    if metadata["table"] != task["table"]:
        raise StorageError(f"{path} was trained on another table than that of {given}: pass its own as task=")
    # The name decides the random numbers, so training would not resume exactly under another one.
    if trained != given:
        raise StorageError(f"{path} was trained on {trained}, not on {given}: pass its own as task=")


def check_arrays(path: object, found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    """Raise StorageError unless the saved arrays have the names, shapes and types of those that the agent has."""
    if found.keys() != expected.keys():
        raise StorageError(f"{path} must hold the arrays {sorted(expected)}, but holds {sorted(found)}")
    for name, array in expected.items():
        if found[name].shape != array.shape or found[name].dtype != array.dtype:
            raise StorageError(
                f"{name} must have shape {array.shape} and dtype {array.dtype}, "
                f"but in {path} it has {found[name].shape} and {found[name].dtype}"
            )
