"""Files that hold results: arrays, all that decided them, where and when they were made, and a checksum over it."""

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

# The folder of result files, in that of a comparison.
CELLS = "cells"

# Rises when the layout of result files or the meaning of their numbers changes.
FILE_FORMAT = 3

# What reading an archive raises when its bytes are not what they should be.
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

# What to do about a file that is not as it was written.
ADVICE = "delete it and run the same command again: only this cell is computed anew"


def key_of(identity: Mapping[str, Any]) -> str:
    """A hash of everything that decides a result, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def file_of(folder: Path, name: str, runs: range, key: str) -> Path:
    """Where a result lies: a name to read, the runs, and the key that decides."""
    return folder / f"{file_name(name)}-runs{runs.start}-{runs.stop - 1}-{key}.npz"


@lru_cache
def version(distribution: str) -> str:
    """The installed version of a distribution, without importing it; "not installed" where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def made_here() -> dict[str, Any]:
    """Where and when a result was made: here and now."""
    return {
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"platform": platform.platform(), "processor": platform.machine(), "cpus": os.cpu_count()},
    }


def write_arrays(
    path: Path, identity: Mapping[str, Any], arrays: Mapping[str, np.ndarray], made: Mapping[str, Any]
) -> None:
    """Write a result file, as a whole or not at all.

    Args:
        path: the file.
        identity: everything that decides the result.
        arrays: the result, by name.
        made: where and when, as `made_here` gave it, which decides nothing.

    Raises:
        StorageError: the file cannot be written.
    """
    texts = {"about": identity, "made": made}
    contents: dict[str, Any] = {name: np.array(json.dumps(text, sort_keys=True)) for name, text in texts.items()}
    contents.update(arrays)
    content = io.BytesIO()
    np.savez(content, checksum=np.array(_checksum(contents)), **contents)
    write_atomically(path, content.getvalue())


def read_arrays(
    path: Path, identity: Mapping[str, Any], names: Set[str], optional: Set[str] = frozenset()
) -> dict[str, np.ndarray] | None:
    """Read the result file of something known.

    Args:
        path: the file.
        identity: everything that decides the result.
        names: of the arrays that it must hold.
        optional: names of arrays that it may hold beside them, and no others.

    Returns:
        The arrays by name, or None where there is no file yet.

    Raises:
        StorageError: the file is cut short, edited or holds another result.
    """
    found = read_file(path)
    if found is None:
        return None
    about, arrays, _ = found
    if about != json.loads(json.dumps(identity)):
        raise StorageError(f"result file {path} holds another cell's result; {ADVICE}")
    if arrays.keys() - optional != names:
        raise StorageError(f"result file {path} must hold {sorted(names)}, but holds {sorted(arrays)}; {ADVICE}")
    return arrays


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]] | None:
    """Read a result file, whatever it is the result of.

    Args:
        path: the file.

    Returns:
        Everything that decided the result, the arrays by name, and where and when they were made; None where there is
        no file.

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
        # Without pickle a file can hold numbers and nothing that runs.
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except DAMAGE as error:
        raise StorageError(f"result file {path} is corrupt ({error}); {ADVICE}") from error
    checksum = str(arrays.pop("checksum", None))
    if not {"about", "made"} <= arrays.keys() or checksum != _checksum(arrays):
        raise StorageError(f"result file {path} is corrupt (its checksum does not match its content); {ADVICE}")
    about, made = (json.loads(str(arrays.pop(name))) for name in ("about", "made"))
    if not path.stem.endswith(key_of(about)):
        raise StorageError(f"result file {path} holds another cell's result; {ADVICE}")
    return about, arrays, made


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
