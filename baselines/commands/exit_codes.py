"""What a command gives back to the shell, and how it says what went wrong."""

from __future__ import annotations

import sys

# What the user can set right, and what Ctrl-C gives by convention.
MISTAKE, INTERRUPTED = 2, 130


def complain(*lines: str) -> int:
    """Say what is wrong, and give the exit code for it."""
    for line in filter(None, lines):
        print(line, file=sys.stderr)
    return MISTAKE
