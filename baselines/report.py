"""A comparison to look at: a table in the terminal, `results.csv`, and `learning_curves.png`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.compare import Row
from baselines.game_comparison import GameSummary
from baselines.game_report import flat_game
from baselines.specification import parse
from baselines.statistics import Interval
from baselines.storage import write_atomically
from baselines.summary import MARGIN, MINIMUM_RUNS, Summary, agreements

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

# Okabe and Ito's colours, which people of every kind of colour vision can tell apart; and dashes, for print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))

# The part of the runs between these quantiles is shaded.
BAND = (0.1, 0.9)

# These two are drawn as level lines: they do not learn, and their exact scores are 0 and 1 by definition.
LEVELS = ("Random", "Optimal")

HEADINGS = {
    "score": "how good the greedy policy is, computed exactly: 0 is the uniform policy, 1 the optimum",
    "worst tenth": "mean score of the worst tenth of the runs",
    "within 1%": "share of runs whose score is at least 0.99, with Wilson's interval",
    "steps to 95%": "environment steps until half of the runs have scored 0.95",
    "steps/s": "environment steps of all runs per second of training, in one process",
}


def terminal_table(summaries: Sequence[Summary]) -> Table:
    """The table of a comparison for the terminal."""
    from rich.table import Table

    table = Table(title="Distance from the exact optimum", title_style="bold", header_style="bold")
    table.add_column("world")
    table.add_column("agent")
    for heading in ("runs", "score, 95% interval", "worst tenth", "within 1%", "steps to 95%", "steps/s", "time"):
        table.add_column(heading, justify="right")
    world = None
    for summary in summaries:
        if world is not None and summary.world != world:
            table.add_section()
        table.add_row("" if summary.world == world else summary.world, *cells_of(summary))
        world = summary.world
    return table


def cells_of(summary: Summary) -> list[str]:
    """A summary as the cells of its row in the table, from the agent's name on."""
    share, steps = summary.within_1_percent, summary.steps_to_95_percent
    return [
        summary.agent,
        str(summary.runs),
        _interval(summary.score, 3) + ("" if summary.exact else " (sampled return)"),
        f"{summary.worst_decile:.3f}",
        "-" if share is None else f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]",
        "-" if steps is None else "not reached" if math.isinf(steps) else f"{steps:,.0f}",
        f"{summary.steps_per_second:,.0f}",
        f"{summary.seconds:.1f} s",
    ]


def explanation(rows: Sequence[Row]) -> list[str]:
    """What stands below the table: what the columns mean, and the cross-check."""
    sentences = agreements(rows)
    lines = [f"{heading}: {meaning}" for heading, meaning in HEADINGS.items()]
    if sentences:
        lines += [
            "",
            f"Cross-check. Two agents agree on a world if the 95% interval of the difference of their mean scores lies "
            f"within ±{MARGIN}. This margin was fixed beforehand; a check takes at least {MINIMUM_RUNS} runs a side.",
            *sentences,
        ]
    return lines


def write_csv(summaries: Sequence[Summary], path: Path, games: Sequence[GameSummary] = ()) -> None:
    """Write the table with all digits, one line a world and agent, and one a game and agent after them.

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


def draw_learning_curves(rows: Sequence[Row], path: Path) -> None:
    """Draw the mean score of each agent over training, a panel a world, the middle 80% of runs shaded.

    Args:
        rows: results of all worlds and agents.
        path: the file, a PNG.

    Raises:
        StorageError: it cannot be written.
    """
    from matplotlib.figure import Figure  # not pyplot, which keeps global state and may open windows

    worlds = list(dict.fromkeys(row.world for row in rows))
    learners = [agent for agent in dict.fromkeys(row.agent for row in rows) if parse(agent)[0] not in LEVELS]
    styles = {agent: style_of(i) for i, agent in enumerate(learners)}
    columns = min(2, len(worlds))
    lines = math.ceil(len(worlds) / columns)
    figure = Figure(figsize=(5.2 * columns, 3.3 * lines + 0.9), layout="constrained")
    figure.suptitle("Mean over runs; shaded: the middle 80% of runs", fontsize=10, color="#444444", x=0.01, ha="left")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(worlds) :]:
        panel.set_visible(False)
    for panel, world in zip(panels, worlds):
        _draw_panel(panel, [row for row in rows if row.world == world], styles)
    handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels())}
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=min(6, len(handles)), frameon=False
    )
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    write_atomically(path, content.getvalue())


def style_of(number: int) -> tuple[str, Any]:
    """The colour and the dashes of a learner's line; once the colours are used up, each returns with other dashes."""
    rounds, colour = divmod(number, len(COLOURS))
    return COLOURS[colour], DASHES[(colour + rounds) % len(DASHES)]


def _draw_panel(panel: Axes, rows: Sequence[Row], styles: dict[str, tuple[str, Any]]) -> None:
    """One world: a line and a band for each learner, level lines for the optimum and the uniform policy."""
    exact = all(row.exact for row in rows)
    if exact:
        panel.axhline(1, color="#222222", linewidth=1.2, label="optimum")
    # Its exact score is 0 by definition; its sampled return is known only if it was in the comparison.
    random = 0.0 if exact else next((float(row.scores.mean()) for row in rows if parse(row.agent)[0] == "Random"), None)
    if random is not None:
        panel.axhline(random, color="#888888", linewidth=1.2, linestyle=(0, (1, 1)), label="random policy")
    lowest = 0.0
    for row in rows:
        if row.agent not in styles:
            continue
        colour, dashes = styles[row.agent]
        low, high = np.quantile(row.scores, BAND, axis=1)
        panel.fill_between(row.steps, low, high, color=colour, alpha=0.18, linewidth=0)
        panel.plot(row.steps, row.scores.mean(axis=1), color=colour, linestyle=dashes, linewidth=1.9, label=row.agent)
        lowest = min(lowest, float(low.min()))
    if exact:
        # One run that is far below the uniform policy must not squeeze all others into a line.
        panel.set_ylim(max(lowest, -1.0) - 0.06, 1.06)
    panel.set_title(rows[0].world, loc="left", fontsize=11, fontweight="bold")
    panel.set_xlabel("environment steps of each run")
    panel.set_ylabel("exact score" if exact else "mean return (sampled)")
    panel.xaxis.set_major_formatter(lambda steps, _: f"{steps:,.0f}")
    steps = max(int(row.steps[-1]) for row in rows)
    panel.set_xlim(-0.01 * steps, 1.01 * steps)
    panel.grid(axis="y", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _interval(interval: Interval, digits: int) -> str:
    if math.isnan(interval.low):
        return f"{interval.estimate:.{digits}f}"
    return f"{interval.estimate:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def _flat(summary: Summary) -> dict[str, object]:
    """A summary as columns of numbers; an interval becomes three, and what is not known stays empty."""
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
