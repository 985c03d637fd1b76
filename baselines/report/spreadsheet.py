"""A comparison as a spreadsheet: `results.csv`, with all digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from baselines.comparison.game_rows import GameSummary
from baselines.comparison.statistics import Interval
from baselines.comparison.summary import Summary
from baselines.report.games import flat_game
from baselines.system.atomic_files import write_atomically


def write_csv(summaries: Sequence[Summary], path: Path, games: Sequence[GameSummary] = ()) -> None:
    """Write the table with all digits: a line for each world and agent, then one for each game and agent.

    Args:
        summaries: the rows of worlds.
        path: the file.
        games: the rows of games; they fill columns of their own beside those that worlds have too.

    Raises:
        StorageError: it cannot be written.
    """
    text = io.StringIO()
    lines = [*(_flat(summary) for summary in summaries), *(flat_game(summary) for summary in games)]
    columns = list(dict.fromkeys(column for line in lines for column in line))
    writer = csv.DictWriter(text, fieldnames=columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_atomically(path, text.getvalue().encode())


def _flat(summary: Summary) -> dict[str, object]:
    """A summary as columns of numbers; an interval becomes three, an unknown value is empty."""
    share = summary.within_1_percent or Interval(np.nan, np.nan, np.nan)
    columns: dict[str, object] = {
        "world": summary.world,
        "agent": summary.agent,
        "runs": summary.runs,
        "exact": summary.exact,
        "score": summary.score.estimate,
        "score_low": summary.score.low,
        "score_high": summary.score.high,
        "worst_decile": summary.worst_decile,
        "within_1_percent": share.estimate,
        "within_1_percent_low": share.low,
        "within_1_percent_high": share.high,
        "steps_to_95_percent": summary.steps_to_95_percent,
        "area_under_curve": summary.area,
        "steps_per_second": summary.steps_per_second,
        "seconds": summary.seconds,
    }
    return {name: "" if value is None or value != value else value for name, value in columns.items()}
