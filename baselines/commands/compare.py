"""`python -m baselines compare`: worlds x agents x runs, and games, into a folder of results."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from baselines.commands.exit_codes import INTERRUPTED, complain
from baselines.comparison import PRESETS, Comparison, compare
from baselines.game_comparison import GameRow, play_games
from baselines.rows import Row
from baselines.storage import StorageError
from baselines.workers import JobError, WorkerError

if TYPE_CHECKING:
    from rich.console import Console

# A log has no width of its own; the table needs this much.
LOG_WIDTH = 140

Preset = Literal["default", "quick"]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, with the numbers of the preset that was typed for all that was not."""
    defaults = chosen_preset(typed)

    def compare_all(
        comparison: Comparison = PRESETS[defaults],
        out: Path = Path("results"),
        preset: Preset = defaults,
        workers: int = cores(),
    ) -> int:
        """Train agents on worlds and in games, and show how far each ends from the exact optimum or from equilibrium.

        The same command again goes on where an interrupted one ended.

        Args:
            comparison: What is compared with what.
            out: Folder of results.
            preset: What the defaults of the other options are.
            workers: Processes; by default as many as there are cores.
        """
        return run_comparison(comparison, out, workers)

    return compare_all


def run_comparison(comparison: Comparison, out: Path, workers: int) -> int:
    """Compare, report, and turn what goes wrong into a message.

    Args:
        comparison: what to compare.
        out: folder of results.
        workers: how many processes.

    Returns:
        The exit code.
    """
    from rich.console import Console

    from baselines.progress import Display

    console = Console()
    if not console.is_terminal:
        console = Console(width=LOG_WIDTH)
    try:
        game_cells = comparison.game_cells()
        total = len(comparison.cells()) + len(game_cells)
        with Display(console, total) as display:
            rows = compare(comparison, out, workers=workers, on_cell=display)
            game_rows = play_games(game_cells, out, workers=workers, on_cell=display)
        report(rows, game_rows, out, console)
    except (ValueError, TypeError) as error:
        return complain(f"Error: {error}")
    except (StorageError, WorkerError) as error:
        return complain(f"Error: {error}", how_to_go_on(out))
    except JobError as error:
        complain(f"Error: {error}", how_to_go_on(out))
        return 1
    except KeyboardInterrupt:
        complain("Stopped.", how_to_go_on(out))
        return INTERRUPTED
    return 0


def report(rows: Sequence[Row], game_rows: Sequence[GameRow], out: Path, console: Console) -> None:
    """Show the tables and write `results.csv`, and `learning_curves.png` where there are worlds.

    Args:
        rows: what the comparison gave of worlds.
        game_rows: what it gave of games.
        out: folder of results.
        console: where the table is shown.

    Raises:
        StorageError: a file cannot be written.
    """
    from baselines.game_comparison import summarise_game
    from baselines.game_report import game_explanation, game_table
    from baselines.report.pictures import draw_learning_curves
    from baselines.report.spreadsheet import write_csv
    from baselines.report.terminal import explanation, terminal_table
    from baselines.summary import summarise

    summaries, game_summaries = [summarise(row) for row in rows], [summarise_game(row) for row in game_rows]
    write_csv(summaries, out / "results.csv", game_summaries)
    written, parts = ["results.csv"], []
    if rows:
        draw_learning_curves(rows, out / "learning_curves.png")
        written.append("learning_curves.png")
        parts.append((terminal_table(summaries), explanation(rows)))
    if game_rows:
        parts.append((game_table(game_summaries), game_explanation()))
    for table, lines in parts:
        console.print(table)
        for line in lines:
            console.print(line, markup=False, highlight=False)
        console.print()
    console.print(f"Written to {out}: {', '.join(written)}, comparison.json and cells/", markup=False)


def how_to_go_on(out: Path) -> str:
    """What to do after an interruption; empty where nothing was begun."""
    if not (out / "cells").is_dir():
        return ""
    return f"Finished cells are kept in {out}; the same command goes on from there."


def chosen_preset(arguments: Sequence[str]) -> Preset:
    """The preset among the arguments, which must be known before the others have defaults."""
    quick = "--preset=quick" in arguments or ("--preset", "quick") in pairwise(arguments)
    return "quick" if quick else "default"
