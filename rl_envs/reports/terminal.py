"""Text for a terminal, with its first line in colour where rich is installed."""

from __future__ import annotations

import importlib.util
import sys

COLOURS = {"right": "bold green", "wrong": "bold red", "unsure": "bold yellow"}


def show(text: str, tone: str) -> None:
    """Print a report on standard output, in colours where rich is installed and a terminal reads.

    Args:
        text: the report, its headline first.
        tone: "right", "wrong" or "unsure".
    """
    if importlib.util.find_spec("rich") is None or not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.text import Text

    first, _, rest = text.partition("\n")
    console = Console(highlight=False)
    console.print(Text(first, style=COLOURS[tone]))
    console.print(Text(rest))
