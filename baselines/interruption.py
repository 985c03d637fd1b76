"""Ctrl-C that waits for the end of a step, so that what has been learned so far can be saved whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class StoppedBetweenSteps(KeyboardInterrupt):
    """Ctrl-C, raised where nothing is half done."""


class Interruption:
    """While it is entered, the first Ctrl-C is only noted, and raised by `check`; a second one does not wait.

    Outside the main thread, where signals cannot be caught, it does nothing.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def check(self) -> None:
        """To be called where nothing is half done; raises StoppedBetweenSteps after a Ctrl-C."""
        if self._asked:
            raise StoppedBetweenSteps

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
