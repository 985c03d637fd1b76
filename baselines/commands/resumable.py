"""What resumable commands share: the width of their output, and what they say when they end early."""

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

# Width of the tables where there is no terminal.
LOG_WIDTH = 140

# Exceptions that end such a command with a message instead of a traceback.
ENDS = (ValueError, TypeError, StorageError, WorkerError, JobError, KeyboardInterrupt)


def console_for_tables() -> Console:
    """A console as wide as the terminal, or wide enough for the tables in a log."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=LOG_WIDTH)


def end_early(error: BaseException, what: str, folder: Path, inside: str, *, without: str = "") -> int:
    """Say what ended a command, and how to resume it.

    Args:
        error: one of `ENDS`.
        what: the units of work, in the plural: "cells".
        folder: where finished units are stored.
        inside: the file or folder in it that holds them; missing where no work was begun.
        without: a typed flag with which the command would start over instead of resuming.

    Returns:
        The exit code.
    """
    begun = (folder / inside).exists()
    same_command = f"the same command without {without}" if without else "the same command"
    advice = f"Finished {what} are kept in {folder}; run {same_command} to resume." if begun else ""
    if isinstance(error, KeyboardInterrupt):
        complain("Stopped.", advice)
        return INTERRUPTED
    if not isinstance(error, (WorkerError, JobError)) and not may_pass(error):
        advice = ""  # the same command would be refused again
    message = re.sub(r"^[a-z_]+(?= must )", lambda name: as_typed(name[0]), str(error))
    complain(f"Error: {message}", advice)
    return 1 if isinstance(error, JobError) else MISTAKE


def may_pass(error: BaseException) -> bool:
    """Whether the machine was at fault and not the input: a full disk, say."""
    if not isinstance(error, StorageError) or isinstance(error, FolderLockError):
        return False
    cause = error.__cause__
    in_database = isinstance(getattr(cause, "orig", None), sqlite3.OperationalError)
    return in_database or (isinstance(cause, OSError) and cause.errno is not None)


def as_typed(name: str) -> str:
    """The flag of an argument whose name has an underscore; other names as they are."""
    return f"--{name.replace('_', '-')}" if "_" in name else name
