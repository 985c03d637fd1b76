"""A lock on a folder that names its holder and is released even when the holder is killed."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
import warnings
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from baselines.system.atomic_files import StorageError, is_alive, write_atomically

LOCK, HOLDER = ".lock", ".holder.json"


class FolderLockError(StorageError):
    """A folder that cannot be locked; nothing was changed in it."""


@contextlib.contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Lock a folder for this process.

    The operating system holds the lock, on a file in the folder, and releases it when the process ends in any way. A
    second file names the holder.

    Args:
        folder: an existing folder.
        command: what the holder is doing, for the error message of others.

    Raises:
        FolderLockError: another process holds the lock (the message says which, where and since when), or the file
            system has no locks.
    """
    lock = FileLock(folder / LOCK)
    try:
        with warnings.catch_warnings():
            # Without locks in the file system, newer versions warn and use the mere existence of a file.
            warnings.filterwarnings("ignore", message="flock not supported", category=UserWarning)
            _acquire(lock, folder)
    except NotImplementedError as error:
        raise FolderLockError(f"cannot lock {folder}: its file system has no locks; choose another folder") from error
    except OSError as error:
        raise FolderLockError(f"cannot lock {folder}: {error.strerror or error}") from error
    try:
        record = {
            "process": os.getpid(),
            "machine": platform.node(),
            "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": command,
        }
        write_atomically(folder / HOLDER, json.dumps(record).encode())
        yield
    finally:
        try:
            with contextlib.suppress(OSError):  # a stale record does no harm: a killed process leaves one too
                (folder / HOLDER).unlink()
        finally:
            lock.release()


def _acquire(lock: BaseFileLock, folder: Path) -> None:
    """Take the lock; wait briefly for a holder that has not written its record yet, or is about to release the lock."""
    holder = "an unknown process"
    for wait in (*[0.1] * 20, 0.0):
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            return
        record = _read_holder(folder)
        if record is not None:
            holder = f"process {record['process']} on {record['machine']} since {record['since']} ({record['command']})"
            break
        time.sleep(wait)
    raise FolderLockError(f"{folder} is in use by {holder}: wait until it has ended, or choose another folder")


def _read_holder(folder: Path) -> dict[str, Any] | None:
    """The holder's record; None if there is none, or if a killed process left it."""
    try:
        record = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        here = record["machine"] == platform.node()
        complete = {"process", "machine", "since", "command"} <= record.keys()
        return record if complete and not (here and not is_alive(record["process"])) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
