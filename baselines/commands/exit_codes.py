"""What a command gives back to the shell, and how it says what went wrong."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator

# What the user can set right, and what Ctrl-C and a closed pipe give by convention.
MISTAKE, INTERRUPTED, NOBODY_READS = 2, 130, 141


def complain(*lines: str) -> int:
    """Say what is wrong, and give the exit code for it."""
    for line in filter(None, lines):
        print(line, file=sys.stderr)
    return MISTAKE


def end_at_interrupts() -> None:
    """Let Ctrl-C end the program at once: while modules are imported, say, there is nothing to clear away."""
    if _may_be_interrupted():
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


@contextlib.contextmanager
def raised_at_interrupts() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in the block, so that what was begun is cleared away.

    Pressed again it does not disturb that, for the second time; the third ends the program at once.
    """
    if not _may_be_interrupted():
        yield
        return
    presses = itertools.count(1)

    def press(*_: object) -> None:
        number = next(presses)
        if number == 1:
            raise KeyboardInterrupt
        if number > 2:
            os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _may_be_interrupted() -> bool:
    """Not if it is ignored, as in what a script starts in the background, nor where Python lets nobody ask for it."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN
