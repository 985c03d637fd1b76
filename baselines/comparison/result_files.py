"""Result files: arrays, everything that determines them, execution metadata, and a checksum."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import struct
import zipfile
import zlib
from collections.abc import Mapping, Set
from datetime import datetime, timezone
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from baselines.system.atomic_files import StorageError, file_name, write_atomically

# The subfolder of result files in a comparison's folder.
CELLS = "cells"

# Rises when the layout of result files or the meaning of their numbers changes.
FILE_FORMAT = 4

# What reading a damaged archive raises.
DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

# What to do about a damaged file.
ADVICE = "delete it and run the same command again: only this cell is recomputed"


def key_of(identity: Mapping[str, Any]) -> str:
    """A hash of everything that determines a result, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def file_of(folder: Path, name: str, runs: range, key: str) -> Path:
    """The path of a result: a readable name, the runs, and the key that identifies it."""
    return folder / f"{file_name(name)}-runs{runs.start}-{runs.stop - 1}-{key}.npz"


@lru_cache
def version(distribution: str) -> str:
    """The installed version of a distribution, without importing it; "not installed" where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def execution_metadata() -> dict[str, Any]:
    """The machine and the time of a computation: this machine, now."""
    return {
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"platform": platform.platform(), "processor": platform.machine(), "cpus": os.cpu_count()},
    }


def write_arrays(
    path: Path, identity: Mapping[str, Any], arrays: Mapping[str, np.ndarray], execution: Mapping[str, Any]
) -> None:
    """Write a result file atomically.

    Args:
        path: the file.
        identity: everything that determines the result.
        arrays: the result, by name.
        execution: machine and time, from `execution_metadata`; they do not affect the result.

    Raises:
        StorageError: the file cannot be written.
    """
    texts = {"identity": identity, "execution": execution}
    contents: dict[str, Any] = {name: np.array(json.dumps(text, sort_keys=True)) for name, text in texts.items()}
    contents.update(arrays)
    content = io.BytesIO()
    np.savez(content, checksum=np.array(_checksum(contents)), **contents)
    write_atomically(path, content.getvalue())


def read_arrays(
    path: Path, identity: Mapping[str, Any], names: Set[str], optional: Set[str] = frozenset()
) -> dict[str, np.ndarray] | None:
    """Read a result file whose identity is known.

    Args:
        path: the file.
        identity: everything that determines the result.
        names: names of the arrays that it must hold.
        optional: names of further arrays that it may hold.

    Returns:
        The arrays by name, or None where there is no file yet.

    Raises:
        StorageError: the file is cut short, edited or holds another result.
    """
    found = read_file(path)
    if found is None:
        return None
    stored, arrays, _ = found
    if stored != json.loads(json.dumps(identity)):
        raise StorageError(f"result file {path} holds another cell's result; {ADVICE}")
    if arrays.keys() - optional != names:
        raise StorageError(f"result file {path} must hold {sorted(names)}, but holds {sorted(arrays)}; {ADVICE}")
    return arrays


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]] | None:
    """Read any result file.

    Args:
        path: the file.

    Returns:
        The identity, the arrays by name, and the execution metadata; None where there is no file.

    Raises:
        StorageError: the file is cut short or edited, or has the name of another.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read result file {path}: {error.strerror or error}") from error
    try:
        # Without pickle a file holds no code.
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except DAMAGE as error:
        raise StorageError(f"result file {path} is corrupt ({error}); {ADVICE}") from error
    checksum = str(arrays.pop("checksum", None))
    if not {"identity", "execution"} <= arrays.keys() or checksum != _checksum(arrays):
        raise StorageError(f"result file {path} is corrupt (its checksum does not match its content); {ADVICE}")
    identity, execution = (json.loads(str(arrays.pop(name))) for name in ("identity", "execution"))
    if not path.stem.endswith(key_of(identity)):
        raise StorageError(f"result file {path} holds another cell's result; {ADVICE}")
    return identity, arrays, execution


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
