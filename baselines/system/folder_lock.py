"""One comparison at a time in a folder: a lock that names its holder and that a kill releases."""

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
    """A folder that cannot be had for oneself; nothing was done in it."""


@contextlib.contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Hold a folder for oneself.

    The lock is the operating system's, on a file in the folder: it ends with its process, however that ends. Who holds
    it stands in a file beside it.

    Args:
        folder: it exists.
        command: what the holder does, for the message to others.

    Raises:
        FolderLockError: another process holds it, and the message says which, on what machine and since when; or its
            file system refuses locks.
    """
    lock = FileLock(folder / LOCK)
    try:
        with warnings.catch_warnings():
            # Where a file system has no locks, newer versions take a file that exists meanwhile for one and say so.
            warnings.filterwarnings("ignore", message="flock not supported", category=UserWarning)
            _acquire(lock, folder)
    except NotImplementedError as error:
        raise FolderLockError(f"cannot lock {folder}: its file system has no locks; choose another folder") from error
    except OSError as error:
        raise FolderLockError(f"cannot lock {folder}: {error.strerror or error}") from error
    try:
        about = {
            "process": os.getpid(),
            "machine": platform.node(),
            "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": command,
        }
        write_atomically(folder / HOLDER, json.dumps(about).encode())
        yield
    finally:
        try:
            with contextlib.suppress(OSError):  # a name without a lock does no harm: one that is killed leaves it too
                (folder / HOLDER).unlink()
        finally:
            lock.release()


def _acquire(lock: BaseFileLock, folder: Path) -> None:
    """Take the lock; wait only for a holder that has not said yet who it is, or that is just going."""
    holder = "another process, which has not said who it is"
    for wait in (*[0.1] * 20, 0.0):
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=0)
            return
        about = _about_holder(folder)
        if about is not None:
            holder = f"process {about['process']} on {about['machine']} since {about['since']} ({about['command']})"
            break
        time.sleep(wait)
    raise FolderLockError(f"{folder} is in use by {holder}: wait until it has ended, or choose another folder")


def _about_holder(folder: Path) -> dict[str, Any] | None:
    """What the holder has written; None if there is nothing, or only what one that was killed has left."""
    try:
        about = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        here = about["machine"] == platform.node()
        complete = {"process", "machine", "since", "command"} <= about.keys()
        return about if complete and not (here and not is_alive(about["process"])) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
