"""What a comparison shows while it runs."""

from __future__ import annotations

import io
import re

from rich.console import Console

from baselines.comparison.cells import AgentCell
from baselines.monitoring.progress import Display, TrialDisplay
from baselines.registry import AGENTS
from baselines.training.specification import WorldSpecification
from baselines.tuning.trials import Outcome

WORLD, RANDOM = WorldSpecification.read("LineWalk"), AGENTS.read("Random")
CELLS = [AgentCell(WORLD, RANDOM, first, 2, steps=10, checkpoints=1, seed=0) for first in (0, 2, 4)]
EVENTS = [("reused", 0), ("started", 1), ("started", 2), ("finished", 2), ("finished", 1)]


def shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with Display(console, 3) as display:
        for what, number in EVENTS:
            display(what, CELLS[number])
            display._bar.refresh()
    return printed(console)


def trials_shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with TrialDisplay(console, 3) as display:
        display("reused", 0, "DQN", None)
        for number, outcome in ((1, Outcome(0.25)), (2, Outcome(None, "pruned at step 40"))):
            for what in ("started", "finished"):
                display(what, number, "DQN:hidden=[red]", outcome if what == "finished" else None)
                display._bar.refresh()
    return printed(console)


def printed(console: Console) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())


def test_a_log_gets_a_line_a_finished_cell() -> None:
    assert shown(terminal=False).splitlines() == [
        "1 of 3 cells were already finished.",
        "[2/3] LineWalk · Random · runs 4-5",
        "[3/3] LineWalk · Random · runs 2-3",
    ]


def test_a_terminal_gets_a_bar_with_the_cells_that_run() -> None:
    text = shown(terminal=True)
    assert "1 of 3 cells were already finished." in text
    assert "LineWalk · Random · runs 2-3, LineWalk · Random · runs 4-5" in text
    assert " 3/3 " in text.replace("\r", "\n").splitlines()[-1]


def test_a_log_gets_a_line_a_finished_trial_with_its_value_or_why_it_has_none() -> None:
    assert trials_shown(terminal=False).splitlines() == [
        "[2/3] trial 1: 0.2500 · DQN:hidden=[red]",
        "[3/3] trial 2: pruned at step 40 · DQN:hidden=[red]",
    ]


def test_a_terminal_gets_a_bar_with_the_trial_that_runs_and_its_settings_as_they_are_written() -> None:
    text = trials_shown(terminal=True)
    assert "1: DQN:hidden=[red]" in text
    assert " 3/3 " in text.replace("\r", "\n").splitlines()[-1]
