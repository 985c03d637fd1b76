"""Pictures of a comparison for papers, as PNG files."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.rows import Row
from baselines.specification import parse
from baselines.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people of every kind of colour vision can tell apart; and dashes, for print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))

# The part of the runs between these quantiles is shaded.
BAND = (0.1, 0.9)

# These two are drawn as level lines: they do not learn, and their exact scores are 0 and 1 by definition.
LEVELS = ("Random", "Optimal")


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
