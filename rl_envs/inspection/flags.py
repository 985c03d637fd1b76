"""What the commands `inspect` and `truth` have in common: the environment, how to walk it, and how to print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from rl_envs.inspection.inspection import Inspection
from rl_envs.inspection.report import TONES, as_text
from rl_envs.reports import terminal

BAD_INPUT = 2


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """A parser of an environment and of what to print.

    Args:
        command: its name.
        description: what it does.
    """
    made = argparse.ArgumentParser(prog=f"python -m rl_envs {command}", description=description)
    made.add_argument(
        "environment", help="a world or Gymnasium id, module:EnvId-v0 or file.py:make_env; with settings ID:size=7"
    )
    made.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    made.add_argument("--html", metavar="FILE", help="write the report as one HTML page, too")
    made.add_argument("--discount", type=float, help="gamma (a world's own, or 0.99)")
    made.add_argument("--seed", type=int, help="seed of every reset; left out, all ways to start are followed")
    made.add_argument(
        "--clock", choices=("layers", "stopped"), help="what to do where rewards depend on a step counter"
    )
    made.add_argument("--ignore", metavar="NAMES", help="attributes that decide nothing, separated by commas")
    made.add_argument(
        "--state", metavar="NAMES", help="attributes that tell states apart, separated by commas, or: observation"
    )
    made.add_argument("--max-states", type=int, default=20_000, help="the most states (%(default)s)")
    made.add_argument("--max-seconds", type=float, default=60.0, help="the longest search for states (%(default)s)")
    return made


def settings(asked: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `inspect_env` that were typed."""
    state: str | tuple[str, ...] | None = tuple(asked.state.split(",")) if asked.state else None
    return {
        "discount": asked.discount,
        "seed": asked.seed,
        "clock": asked.clock,
        "ignore": tuple(asked.ignore.split(",")) if asked.ignore else (),
        "state": "observation" if asked.state == "observation" else state,
        "max_states": asked.max_states,
        "max_seconds": asked.max_seconds,
        "progress": sys.stderr.isatty(),
    }


def shown(asked: argparse.Namespace, compute: Callable[[], Inspection]) -> Inspection | None:
    """Compute a report and print it as it was asked for.

    Args:
        asked: what was typed.
        compute: makes the report.

    Returns:
        The report; None where the input cannot be used, which is then said on standard error.
    """
    try:
        inspection = compute()
        if asked.html is not None:
            inspection.save_html(asked.html)
            print(f"The report is in {asked.html}", file=sys.stderr)
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return None
    if asked.json:
        print(inspection.to_json())
    else:
        terminal.show(as_text(inspection), TONES[inspection.verdict])
    return inspection
