"""`python -m baselines report results/`: the page, the tables and the pictures of a comparison that was made before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import tyro

from baselines.commands.exit_codes import complain
from baselines.system.atomic_files import StorageError


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, whatever was typed after it."""
    return write_report_of


def write_report_of(folder: Annotated[Path, tyro.conf.Positional], pictures_of: tuple[str, ...] = ()) -> int:
    """Write the report of a finished comparison: report.html, report.md, results.csv and PNGs.

    Args:
        folder: Where the comparison was made.
        pictures_of: Worlds that the PNGs show; by default the first twelve.
    """
    from baselines.comparison.results import read_results
    from baselines.report.contents import Contents
    from baselines.report.writing import write_report

    try:
        written = write_report(Contents(read_results(folder)), folder, pictures_of=pictures_of)
    except (ValueError, StorageError) as error:
        return complain(f"Error: {error}")
    print(f"Written to {folder}: {', '.join(path.name for path in written)}")
    return 0
