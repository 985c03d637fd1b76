"""The command line: `python -m baselines compare`, `python -m baselines list`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from baselines.compare import PRESETS, Comparison, Row, compare
from baselines.game_comparison import GameRow, play_games
from baselines.storage import StorageError
from baselines.workers import JobError, WorkerError

if TYPE_CHECKING:
    from rich.console import Console

# Exit codes: what the user can set right, and what Ctrl-C gives by convention.
MISTAKE, INTERRUPTED = 2, 130

# A log has no width of its own; the table needs this much.
LOG_WIDTH = 140

Preset = Literal["default", "quick"]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compare_command(defaults: Preset) -> Callable[..., int]:
    """The command `compare`.

    Args:
        defaults: the preset whose numbers stand for what is not typed.
    """

    def command(
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

    return command


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
    from baselines.report import draw_learning_curves, explanation, terminal_table, write_csv
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


def list_command() -> int:
    """List the worlds and the agents, the games and those who play them."""
    from rich.console import Console
    from rich.table import Table

    from baselines.game_registry import GAME_AGENTS
    from baselines.game_task import MARKOV_GAMES, make_game_task
    from baselines.registry import AGENTS
    from rl_envs.games import GAMES
    from rl_envs.registry import WORLDS, build

    worlds = Table("world", "states", "actions", "time limit", "discount", title="Worlds", title_justify="left")
    for name in WORLDS:
        world = build(name)
        limit = "none" if world.max_episode_steps is None else f"{world.max_episode_steps:,}"
        sizes = (f"{world.mdp.num_states:,}", f"{world.mdp.num_actions:,}")
        worlds.add_row(name, *sizes, limit, f"{world.mdp.discount:g}")
    agents = Table("agent", "what it is", title="Agents", title_justify="left")
    for name, entry in AGENTS.items():
        agents.add_row(name, entry.summary)
    games = Table("game", "players", "states", "actions", title="Games", title_justify="left")
    for name in (*GAMES, *MARKOV_GAMES):
        task = make_game_task(name)
        games.add_row(name, str(task.num_players), str(task.num_states), " x ".join(map(str, task.num_actions)))
    game_agents = Table("game agent", "what it is", title="Game agents", title_justify="left")
    for name, entry in GAME_AGENTS.items():
        game_agents.add_row(name, entry.summary)
    Console().print(worlds, agents, games, game_agents)
    return 0


def how_to_go_on(out: Path) -> str:
    """What to do after an interruption; empty where nothing was begun."""
    if not (out / "cells").is_dir():
        return ""
    return f"Finished cells are kept in {out}; the same command goes on from there."


def complain(*lines: str) -> int:
    """Say what is wrong, and give the exit code for it."""
    for line in filter(None, lines):
        print(line, file=sys.stderr)
    return MISTAKE


def chosen_preset(arguments: Sequence[str]) -> Preset:
    """The preset among the arguments, which must be known before the others have defaults."""
    quick = "--preset=quick" in arguments or ("--preset", "quick") in pairwise(arguments)
    return "quick" if quick else "default"


def show_what_can_be_shown() -> None:
    """Let a terminal or a log that lacks a character show a "?" for it: no comparison shall fail at being printed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what was typed after the program's name; `sys.argv` when left out.

    Returns:
        The exit code.
    """
    import tyro

    show_what_can_be_shown()
    typed = sys.argv[1:] if arguments is None else list(arguments)
    return tyro.extras.subcommand_cli_from_dict(
        {"compare": compare_command(chosen_preset(typed)), "list": list_command},
        prog="python -m baselines",
        description="Agents, trained as populations and scored against the exact optimum.",
        args=typed,
        config=(tyro.conf.OmitArgPrefixes,),
    )


if __name__ == "__main__":
    sys.exit(main())
