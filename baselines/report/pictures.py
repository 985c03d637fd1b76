"""PNG figures of a comparison for papers: learning curves, performance profiles, and final play in games."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.comparison.game_rows import GameRow, GameSummary
from baselines.comparison.profile import Profile
from baselines.comparison.rows import Row
from baselines.report.contents import (
    BAND,
    LEVELS,
    LOWEST_SCORE,
    MOST_NAMED,
    OPTIMUM,
    RANDOM_POLICY,
    Contents,
    ScoreFigure,
    pure_equilibria,
    score_figures,
)
from baselines.report.scores import AXES
from baselines.system.atomic_files import write_atomically
from rl_envs.drawing.palette import HEAT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, distinguishable with colour-vision deficiency; and dashes, for print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))

# Line styles of the agents that do not learn.
LEVEL_LOOKS: Mapping[str, tuple[str, Any]] = {OPTIMUM: ("#222222", "-"), RANDOM_POLICY: ("#888888", (0, (1, 1)))}


def draw_learning_curves(rows: Sequence[Row], path: Path, *, styles: Mapping[str, int] | None = None) -> None:
    """Draw the learning curves: the mean score of each agent in a panel per world and kind, the middle 80% shaded.

    Args:
        rows: results of all worlds and agents.
        path: the file, a PNG.
        styles: the number of each agent by which its colour and dashes are chosen; in their order when left out.

    Raises:
        StorageError: it cannot be written.
    """
    shown = score_figures(rows)
    learners = list(dict.fromkeys(row.agent for row in rows if row.who.name not in LEVELS))
    looks = {agent: style_of(i if styles is None else styles[agent]) for i, agent in enumerate(learners)}
    levels = dict.fromkeys(name for one in shown for name in one.levels)
    figure, panels = _panels(len(shown), "Mean over runs; shaded: the middle 80% of runs", [*looks, *levels])
    for panel, one in zip(panels, shown):
        _draw_panel(panel, one, looks)
    _save(figure, panels, path)


def draw_profiles(contents: Contents, path: Path, *, worlds: Sequence[str]) -> None:
    """Draw the performance profiles: a panel over all worlds, and one for each world.

    Args:
        contents: what the report shows; it has worlds, and agents that learn.
        path: the file, a PNG.
        worlds: those that have a panel of their own.

    Raises:
        StorageError: it cannot be written.
    """
    single = [profile for profile in contents.profiles if profile.world in worlds]
    found = [*contents.profiles_across, *single]
    titles = list(dict.fromkeys(profile.title for profile in found))
    figure, panels = _panels(
        len(titles), "Share of runs with at least a given score; shaded: 95% intervals", [*contents.styles]
    )
    for panel, title in zip(panels, titles):
        here = [profile for profile in found if profile.title == title]
        for profile in here:
            _draw_profile(panel, profile.agent, profile.profile, *style_of(contents.styles[profile.agent]))
        _leave_out_what_all_reach(panel, [profile.profile for profile in here])
        panel.set_xlabel(AXES[here[0].kind])
        panel.set_ylabel("share of runs")
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        _finish(panel, title)
    _save(figure, panels, path)


def draw_games(contents: Contents, path: Path) -> None:
    """Draw exploitability over rounds, and for matrix games the shares of final joint actions.

    Args:
        contents: what the report shows; it has games.
        path: the file, a PNG.

    Raises:
        StorageError: it cannot be written.
    """
    figure, panels = _panels(
        2 * len(contents.games), "Final play in games; ★ marks pure equilibria", [*contents.styles], between=1.9
    )
    for number, game in enumerate(contents.games):
        rows = [row for row in contents.results.games if row.game == game]
        for row in rows:
            _draw_exploitability(panels[2 * number], row, *style_of(contents.styles[row.agent]))
        panels[2 * number].set(xlabel="rounds of each run", ylabel="exploitability")
        panels[2 * number].set_ylim(bottom=0)
        _finish(panels[2 * number], game)
        summaries = [summary for summary in contents.game_summaries if summary.game == game]
        _draw_ends(panels[2 * number + 1], summaries, pure_equilibria(rows[0].task))
    _save(figure, panels, path)


def _panels(number: int, title: str, labels: Sequence[str], *, between: float = 0.9) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels in two columns, `between` inches apart, and room below for a legend of these labels.

    Places are reckoned in inches rather than left to a layout engine, which takes longer than all drawing does.
    """
    from matplotlib.figure import Figure  # not pyplot, which keeps global state and may open windows

    columns = min(2, number)
    lines = math.ceil(number / columns)
    width, top, bottom = 5.2 * columns, 0.45, 0.15 + 0.22 * math.ceil(len(labels) / _legend_columns(labels, columns))
    height = 3.3 * lines + top + bottom
    figure = Figure(figsize=(width, height))
    figure.text(0.12 / width, 1 - 0.12 / height, title, fontsize=10, color="#444444", va="top")
    figure.subplots_adjust(
        left=0.72 / width,
        right=1 - 0.3 / width,
        top=1 - (top + 0.3) / height,
        bottom=(bottom + 0.5) / height,
        wspace=between / (5.2 - between),
        hspace=0.9 / 2.4,
    )
    panels = figure.subplots(lines, columns, squeeze=False).ravel().tolist()
    for panel in panels[number:]:
        panel.set_visible(False)
    return figure, panels[:number]


def _legend_columns(labels: Sequence[str], columns: int) -> int:
    """The number of legend columns that fit under so many panels."""
    widest = max(map(len, labels), default=0)
    return max(1, int(5.2 * columns / (0.085 * widest + 0.6)))


def _save(figure: Figure, panels: Sequence[Axes], path: Path) -> None:
    """Add one legend for all panels, and write the figure."""
    handles = {label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels())}
    if handles:
        ncols = _legend_columns(list(handles), 1 if len(panels) == 1 else 2)
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=ncols, frameon=False, fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    write_atomically(path, content.getvalue())


def _finish(panel: Axes, title: str) -> None:
    """Style a panel."""
    panel.set_title(title, loc="left", fontsize=11, fontweight="bold", y=1.02)
    panel.grid(axis="y", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _fill(panel: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, opacity: float = 0.18) -> None:
    """A band, as `fill_between` makes it in many more steps."""
    from matplotlib.collections import PolyCollection

    outline = np.column_stack([np.append(x, x[::-1]), np.append(high, low[::-1])])
    panel.add_collection(PolyCollection([outline], color=colour, alpha=opacity, linewidth=0), autolim=False)
    panel.update_datalim(outline)


def _draw_profile(panel: Axes, agent: str, profile: Profile, colour: str, dashes: Any) -> None:
    _fill(panel, profile.thresholds, profile.low, profile.high, colour, 0.12)
    panel.plot(profile.thresholds, profile.share, color=colour, linestyle=dashes, linewidth=1.9, label=agent)


def _leave_out_what_all_reach(panel: Axes, profiles: Sequence[Profile]) -> None:
    """Start the axis where the first run of any agent drops out; show at least a tenth of the thresholds."""
    thresholds = profiles[0].thresholds
    some_fail = np.any([profile.share < 1 for profile in profiles], axis=0)
    first = min(max(int(some_fail.argmax()) - 1, 0), len(thresholds) - len(thresholds) // 10 - 1)
    room = thresholds[-1] - thresholds[first if some_fail.any() else 0]
    panel.set_xlim(thresholds[-1] - 1.06 * room, thresholds[-1] + 0.03 * room)


def _draw_exploitability(panel: Axes, row: GameRow, colour: str, dashes: Any) -> None:
    record = row.record
    low, high = np.quantile(record.exploitability, BAND, axis=1)
    _fill(panel, record.steps, low, high, colour)
    mean = record.exploitability.mean(axis=1)
    panel.plot(record.steps, mean, color=colour, linestyle=dashes, linewidth=1.9, label=row.agent)


def _draw_ends(panel: Axes, summaries: Sequence[GameSummary], equilibria: Sequence[str]) -> None:
    """A square for each agent and final joint action, coloured by its share of runs."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = list(dict.fromkeys([*equilibria, *(name for line in summaries for name, _ in line.joint_actions)]))
    if not any(summary.joint_actions for summary in summaries):
        panel.axis("off")
        panel.text(0, 0.5, "joint actions are not counted in a game with states", transform=panel.transAxes)
        return
    shares = np.array([[dict(summary.joint_actions).get(end, 0.0) for end in ends] for summary in summaries])
    panel.imshow(shares, vmin=0, vmax=1, aspect="auto", cmap=LinearSegmentedColormap.from_list("heat", HEAT / 255))
    for (line, column), share in np.ndenumerate(shares):
        panel.text(column, line, f"{share:.0%}", ha="center", va="center", color="black" if share > 0.55 else "white")
    labels = [f"★ {end}" if end in equilibria else end for end in ends]
    panel.set_xticks(range(len(ends)), labels, rotation=25, ha="right", rotation_mode="anchor", fontsize=8)
    panel.set_yticks(range(len(summaries)), [summary.agent for summary in summaries])


def _say_what_is_below(panel: Axes, sentences: Sequence[str]) -> None:
    """Add the note on curves that leave the panel at its lower edge."""
    more = len(sentences) - MOST_NAMED
    words = "\n".join([*sentences[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])
    if words:
        looks = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
        panel.text(0.99, 0.02, words, transform=panel.transAxes, ha="right", va="bottom", fontsize=8, bbox=looks)


def style_of(number: int) -> tuple[str, Any]:
    """The colour and dashes of an agent's line; after the last colour, the first returns with other dashes."""
    rounds, colour = divmod(number, len(COLOURS))
    return COLOURS[colour], DASHES[(colour + rounds) % len(DASHES)]


def _draw_panel(panel: Axes, shown: ScoreFigure, styles: Mapping[str, tuple[str, Any]]) -> None:
    """Draw one world: a line and a band for each agent, and the horizontal reference lines."""
    for name, level in shown.levels.items():
        colour, dashes = LEVEL_LOOKS[name]
        panel.axhline(level, color=colour, linestyle=dashes, linewidth=1.2, label=name)
    lowest = 0.0
    for row in shown.rows:
        colour, dashes = styles[row.agent]
        low, high = np.quantile(row.scores, BAND, axis=1)
        mean = row.scores.mean(axis=1)
        if len(row.steps) > 1:
            _fill(panel, row.steps, low, high, colour)
            panel.plot(row.steps, mean, color=colour, linestyle=dashes, linewidth=1.9, label=row.agent)
        else:  # scored at the end only: a point, and a bar for the middle 80% of runs, which may exclude the mean
            panel.plot(row.steps, mean, color=colour, linestyle="", marker="o", label=row.agent)
            panel.errorbar(row.steps, (low + high) / 2, (high - low) / 2, color=colour, fmt="none", capsize=4)
        lowest = min(lowest, float(low.min()))
    if shown.kind != "episodes":
        # One run far below the uniform policy must not squeeze the others.
        panel.set_ylim(max(lowest, LOWEST_SCORE) - 0.06, 1.06)
        _say_what_is_below(panel, list(shown.below.values()))
    panel.set_xlabel("environment steps of each run")
    panel.set_ylabel(AXES[shown.kind])
    panel.xaxis.set_major_formatter(lambda steps, _: f"{steps:,.0f}")
    panel.locator_params(nbins=5)
    panel.set_xlim(-0.01 * shown.steps, 1.01 * shown.steps)
    _finish(panel, shown.title)
