"""What a comparison shows while it runs: a moving bar in a terminal, a line a cell in a log."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from baselines.cells import Cell

if TYPE_CHECKING:
    from rich.console import Console


class Display:
    """Shows how far a comparison is; used as a context and called by it with what becomes of each cell.

    Args:
        console: where to.
        total: how many cells there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = console
        self._total = total
        self._finished = 0
        self._kept = 0
        self._running: list[Cell] = []
        self._bar = Progress(
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=total)

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, what: str, cell: Cell) -> None:
        """Take note of a cell that was "kept", "started", "finished" or "failed"."""
        if what == "started":
            self._running.append(cell)
            if self._kept and not self._finished and len(self._running) == 1:
                self._console.print(f"{self._kept} of {self._total} cells were finished before and are kept.")
        elif what == "kept":
            self._kept += 1
        else:
            self._running.remove(cell)
            self._finished += 1
            if not self._console.is_terminal:
                end = " failed" if what == "failed" else ""
                self._console.print(f"[{self._kept + self._finished}/{self._total}] {cell}{end}", markup=False)
        running = ", ".join(str(cell) for cell in self._running)
        self._bar.update(self._task, completed=self._kept + self._finished, description=running)
