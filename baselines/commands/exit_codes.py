"""Exit codes, error messages, and what Ctrl-C does."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator

# A mistake of the user; the other two are the conventional codes for Ctrl-C and a closed pipe.
MISTAKE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def complain(*lines: str) -> int:
    """Print an error message, and return its exit code."""
    for line in filter(None, lines):
        print(line, file=sys.stderr)
    return MISTAKE


def end_at_interrupts() -> None:
    """Let Ctrl-C end the program at once: while modules are being imported there is nothing to clean up."""
    if _may_be_interrupted():
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


@contextlib.contextmanager
def raised_at_interrupts() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in the block, so that it can clean up.

    A second Ctrl-C is ignored while it does; a third ends the program at once.
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
    """Whether this thread can handle Ctrl-C: only the main thread, and not in a background job that ignores it."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN
