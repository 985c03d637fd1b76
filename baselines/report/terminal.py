"""A comparison in the terminal: a table, the meaning of its columns, and the cross-check."""

from __future__ import annotations

from collections.abc import Sequence

from baselines.comparison.rows import Row
from baselines.comparison.summary import HOW_CHECKED, Summary, cross_checks, not_checked
from baselines.report.console_table import ConsoleTable
from baselines.report.scores import MARKS, kind_of, meanings, title_of
from baselines.report.wording import few_runs_text, interval_text, number_text, share_text, steps_text

HEADINGS = {
    "worst tenth": "mean score of the worst tenth of the runs",
    "solve rate": "share of runs with an exact score of at least 0.99, with its 95% Wilson interval",
    "steps to 95%": "environment steps until half of the runs have reached an exact score of 0.95",
    "steps/s": "environment steps of all runs per second of training, in one process",
}


SCORE = "score, 95% interval"


def terminal_table(summaries: Sequence[Summary]) -> ConsoleTable:
    """The table of a comparison for the terminal, with the meaning of its columns."""
    numbers = ("runs", SCORE, "worst tenth", "solve rate", "steps to 95%", "steps/s", "time")
    lines = [[summary.world, *cells_of(summary)] for summary in summaries]
    legend = [
        *((SCORE, f"{name}: {meaning}") for name, meaning in meanings(summaries).items()),
        *((heading, f"{heading}: {meaning}") for heading, meaning in HEADINGS.items()),
    ]
    few = few_runs_text(summary.runs for summary in summaries)
    return ConsoleTable(
        title_of(summaries),
        ("world", "agent", *numbers),
        ("world", "agent"),
        lines,
        legend=legend,
        notes=[few] if few else [],
    )


def cells_of(summary: Summary) -> list[str]:
    """The cells of a summary's row in the table, from the agent's name on."""
    return [
        summary.agent,
        str(summary.runs),
        interval_text(summary.score, runs=summary.runs) + MARKS[kind_of(summary)],
        number_text(summary.worst_decile),
        share_text(summary.within_1_percent),
        steps_text(summary.steps_to_95_percent),
        f"{summary.steps_per_second:,.0f}",
        f"{summary.seconds:.1f} s",
    ]


def explanation(rows: Sequence[Row]) -> list[str]:
    """The lines below the table: the cross-check."""
    sentences = [check.sentence for check in cross_checks(rows)]
    lines = ["", f"Cross-check. {HOW_CHECKED}", *sentences] if sentences else []
    unchecked = not_checked(rows)
    if unchecked:
        lines += [unchecked] if sentences else ["", f"Cross-check. {unchecked}"]
    return lines
