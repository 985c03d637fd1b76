"""Progress of long commands: a bar in a terminal, or one line per cell or trial in a log."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from baselines.comparison.cells import Cell
    from baselines.tuning.trials import Outcome

SomeDisplay = TypeVar("SomeDisplay", bound="BarDisplay")


class BarDisplay:
    """A progress bar in a terminal, nothing in a log; a context manager.

    Args:
        console: where to print.
        what: what is counted, in the plural.
        total: how many there are.
    """

    def __init__(self, console: Console, what: str, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = console
        self._total = total
        self._bar = Progress(
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=total)

    def __enter__(self: SomeDisplay) -> SomeDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class Display(BarDisplay):
    """Progress of a comparison; called when the state of a cell changes.

    Args:
        console: where to print.
        total: how many cells there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        super().__init__(console, "cells", total)
        self._finished = 0
        self._reused = 0
        self._running: list[Cell] = []

    def __call__(self, what: str, cell: Cell) -> None:
        """A cell was "reused", "started", "finished" or "failed"."""
        if what == "started":
            self._running.append(cell)
            if self._reused and not self._finished and len(self._running) == 1:
                self._console.print(f"{self._reused} of {self._total} cells were already finished.")
        elif what == "reused":
            self._reused += 1
        else:
            self._running.remove(cell)
            self._finished += 1
            if not self._console.is_terminal:
                end = " failed" if what == "failed" else ""
                self._console.print(f"[{self._reused + self._finished}/{self._total}] {cell}{end}", markup=False)
        running = ", ".join(str(cell) for cell in self._running)
        self._bar.update(self._task, completed=self._reused + self._finished, description=running)


class TrialDisplay(BarDisplay):
    """Progress of tuning; called when the state of a trial changes.

    Args:
        console: where to print.
        total: how many trials there will be, earlier ones included.
    """

    def __init__(self, console: Console, total: int) -> None:
        super().__init__(console, "trials", total)
        self._done = 0

    def __call__(self, what: str, number: int, specification: str, outcome: Outcome | None) -> None:
        """A trial was "reused", "started" or "finished"."""
        if what == "started":
            self._bar.update(self._task, description=f"{number}: {specification}")
            return
        self._done += 1
        self._bar.update(self._task, completed=self._done)
        if what == "finished" and outcome is not None and not self._console.is_terminal:
            result = outcome.reason if outcome.value is None else f"{outcome.value:.4f}"
            line = f"[{self._done}/{self._total}] trial {number}: {result} · {specification}"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
