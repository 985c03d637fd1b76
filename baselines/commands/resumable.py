"""What long commands share, which go on where an earlier one ended: how wide they print, and how they end early."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from baselines.commands.exit_codes import INTERRUPTED, MISTAKE, complain
from baselines.folder_lock import FolderLockError
from baselines.storage import StorageError
from baselines.workers import JobError, WorkerError

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


def end_early(error: BaseException, what: str, folder: Path, inside: str) -> int:
    """Say what has ended a command, and how to go on if it had begun.

    Args:
        error: one of `ENDS`.
        what: the command does, in the plural: "cells".
        folder: where those that are finished are kept.
        inside: the name in that folder of what holds them; it is missing where nothing was begun.

    Returns:
        The exit code.
    """
    begun = (folder / inside).exists()
    how_to_go_on = f"Finished {what} are kept in {folder}; the same command goes on from there." if begun else ""
    if isinstance(error, KeyboardInterrupt):
        complain("Stopped.", how_to_go_on)
        return INTERRUPTED
    if isinstance(error, (ValueError, TypeError, FolderLockError)):
        how_to_go_on = ""  # the same command would be refused again
    complain(f"Error: {error}", how_to_go_on)
    return 1 if isinstance(error, JobError) else MISTAKE
