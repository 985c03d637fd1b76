"""What an environment that has no finite table is refused with, and the line of its code that is to blame."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Frames of these files are never the line that a user is shown: they only hand a draw on.
_OWN = str(Path(__file__).parent)
_NUMPY = f"{os.sep}numpy{os.sep}"


class NotTabular(ValueError):
    """The environment cannot be written down as a finite table; the message says why, where, and what to do."""


class BranchLeftOut(BaseException):
    """A branch of chance is too unlikely to be followed; passes through the environment's `step` to the walk.

    It is no `Exception`, so that an environment that catches its own errors does not catch it.
    """


def calling_frame() -> tuple[str, int]:
    """The file and line of the environment's code that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        if name not in _HANDING_ON:
            _HANDING_ON[name] = name.startswith((_OWN, "<")) or _NUMPY in name
        if not _HANDING_ON[name]:
            break
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


_HANDING_ON: dict[str, bool] = {}  # by file name


def calling_line() -> str:
    """The file and line of the environment's code that is being run, as "file.py:12"."""
    return written(calling_frame())


def written(frame: tuple[str, int]) -> str:
    """A file and line as "file.py:12"."""
    return f"{Path(frame[0]).name}:{frame[1]}"
