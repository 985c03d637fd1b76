"""`python -m baselines report results/`: the report of a finished comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import tyro

from baselines.commands.exit_codes import complain
from baselines.system.atomic_files import StorageError


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command; its flags depend on nothing."""
    return write_report_of


def write_report_of(folder: Annotated[Path, tyro.conf.Positional], pictures_of: tuple[str, ...] = ()) -> int:
    """Write the report of a finished comparison: report.html, report.md, results.csv and PNG figures.

    Args:
        folder: the comparison's folder of results.
        pictures_of: worlds to draw PNG figures of; the first twelve by default.
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
