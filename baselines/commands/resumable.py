"""What long commands share, which go on where an earlier one ended: how wide they print, and how they end early."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.commands.exit_codes import INTERRUPTED, MISTAKE, complain
from baselines.system.atomic_files import StorageError
from baselines.system.folder_lock import FolderLockError
from baselines.system.workers import JobError, WorkerError

if TYPE_CHECKING:
    from rich.console import Console

# A log has no width of its own; the tables need this much.
LOG_WIDTH = 140

# What ends such a command with a message instead of a traceback.
ENDS = (ValueError, TypeError, StorageError, WorkerError, JobError, KeyboardInterrupt)


def console_for_tables() -> Console:
    """The terminal as it is, or a log that is wide enough."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=LOG_WIDTH)


def end_early(error: BaseException, what: str, folder: Path, inside: str, *, without: str = "") -> int:
    """Say what has ended a command, and how to go on if it had begun.

    Args:
        error: one of `ENDS`.
        what: the command does, in the plural: "cells".
        folder: where those that are finished are kept.
        inside: the name in that folder of what holds them; it is missing where nothing was begun.
        without: a flag that was typed, with which the command would begin anew instead of going on.

    Returns:
        The exit code.
    """
    begun = (folder / inside).exists()
    same_command = f"the same command without {without}" if without else "the same command"
    how_to_go_on = f"Finished {what} are kept in {folder}; {same_command} goes on from there." if begun else ""
    if isinstance(error, KeyboardInterrupt):
        complain("Stopped.", how_to_go_on)
        return INTERRUPTED
    if not isinstance(error, (WorkerError, JobError)) and not may_pass(error):
        how_to_go_on = ""  # the same command would be refused again
    message = re.sub(r"^[a-z_]+(?= must )", lambda name: as_typed(name[0]), str(error))
    complain(f"Error: {message}", how_to_go_on)
    return 1 if isinstance(error, JobError) else MISTAKE


def may_pass(error: BaseException) -> bool:
    """Whether what has ended a command lay in the machine and not in what it was given: a full disk, say."""
    if not isinstance(error, StorageError) or isinstance(error, FolderLockError):
        return False
    cause = error.__cause__
    in_database = isinstance(getattr(cause, "orig", None), sqlite3.OperationalError)
    return in_database or (isinstance(cause, OSError) and cause.errno is not None)


def as_typed(name: str) -> str:
    """The flag of an argument whose name in Python is not what is typed; other names as they are."""
    return f"--{name.replace('_', '-')}" if "_" in name else name
