"""One comparison at a time in a folder: a lock that names its holder and that a kill releases."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from baselines.storage import StorageError, write_atomically

LOCK, HOLDER = ".lock", ".holder.json"


@contextlib.contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Hold a folder for oneself.

    The lock is the operating system's, on a file in the folder: it ends with its process, however that ends. Who holds
    it stands in a file beside it.

    Args:
        folder: it exists.
        command: what the holder does, for the message to others.

    Raises:
        StorageError: another process holds it; the message says which, on what machine and since when.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StorageError(
            f"{folder} is in use by {_holder(folder)}: wait until it has ended, or choose another folder"
        ) from None
    except OSError as error:
        raise StorageError(f"cannot lock {folder}: {error.strerror or error}") from error
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
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    """Who holds the folder, as far as it has said so."""
    try:
        about = json.loads((folder / HOLDER).read_text())
        return f"process {about['process']} on {about['machine']} since {about['since']} ({about['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process, which has not said yet who it is"
