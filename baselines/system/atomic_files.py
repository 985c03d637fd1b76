"""Atomic file writes: a kill at any moment, or a full disk, leaves the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

# What some file systems, of networks most of all, answer who cannot force a folder onto the disk.
NOT_FOR_FOLDERS = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)


class StorageError(Exception):
    """A file that cannot be written or read; the message names it and says what to do."""


def file_name(name: str) -> str:
    """At most 100 characters of a name, as every locale and file system can write them: "LineWalk_size_9"."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", name)[:100]


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file atomically.

    The bytes go to a temporary file beside it, are forced onto the disk, and take the file's name in one step.

    Args:
        path: the file; an existing one is replaced.
        content: its whole content.

    Raises:
        StorageError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:  # Ctrl-C: leave nothing half-written behind
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Force the new name onto the disk as well, where folders can be synced (not on Windows)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in NOT_FOR_FOLDERS:
                raise
        finally:
            os.close(descriptor)


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Make a folder with its parents, and check that it can be written to.

    Args:
        folder: the folder; it may exist.

    Returns:
        Its path.

    Raises:
        StorageError: it cannot be made or not be written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    probe = folder / f".writable.{os.getpid()}.tmp"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(f"cannot write into the folder {folder}: {error.strerror or error}") from error
    return folder


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of killed processes; those of living processes stay."""
    for leftover in folder.glob(".*.tmp"):
        writer = leftover.name.split(".")[-2]
        if not (writer.isdigit() and is_alive(int(writer))):
            leftover.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether this machine has a process with this id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's process
    return True
