"""What a comparison shows while it runs."""

from __future__ import annotations

import io
import re

from rich.console import Console

from baselines.cells import WorldCell
from baselines.progress import Display

CELLS = [WorldCell("LineWalk", "Random", first, 2, steps=10, checkpoints=1, seed=0) for first in (0, 2, 4)]
EVENTS = [("kept", 0), ("started", 1), ("started", 2), ("finished", 2), ("finished", 1)]


def shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with Display(console, 3) as display:
        for what, number in EVENTS:
            display(what, CELLS[number])
            display._bar.refresh()
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())


def test_a_log_gets_a_line_a_finished_cell() -> None:
    assert shown(terminal=False).splitlines() == [
        "1 of 3 cells were finished before and are kept.",
        "[2/3] LineWalk · Random · runs 4-5",
        "[3/3] LineWalk · Random · runs 2-3",
    ]


def test_a_terminal_gets_a_bar_with_the_cells_that_run() -> None:
    text = shown(terminal=True)
    assert "1 of 3 cells were finished before and are kept." in text
    assert "LineWalk · Random · runs 2-3, LineWalk · Random · runs 4-5" in text
    assert " 3/3 " in text.replace("\r", "\n").splitlines()[-1]
