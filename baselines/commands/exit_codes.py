"""What a command gives back to the shell, and how it says what went wrong."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

# What the user can set right, and what Ctrl-C gives by convention.
MISTAKE, INTERRUPTED = 2, 130


def complain(*lines: str) -> int:
    """Say what is wrong, and give the exit code for it."""
    for line in filter(None, lines):
        print(line, file=sys.stderr)
    return MISTAKE


def end_at_interrupts() -> None:
    """Let Ctrl-C end the program at once: while modules are imported, say, there is nothing to clear away."""
    _at_interrupts(lambda *_: os._exit(INTERRUPTED))


def raise_at_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, so that what was begun is cleared away."""
    _at_interrupts(signal.default_int_handler)


def _at_interrupts(handler: Callable[..., Any]) -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as it is for what a script starts in the background
        signal.signal(signal.SIGINT, handler)
