"""Figures of reproduced results: our curves as lines, the published values dashed in the same colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# A curve has at most so many points in the figure's file; of more, some are left out.
POINTS = 300


class Figure(NamedTuple):
    """One figure, perhaps only a part of it: figures of the same name are drawn together.

    Attributes:
        name: of its file.
        title: what it shows, and beside which published figure.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        curves: ours, x and y by label.
        published: x and y by label, which is that of the curve to compare with, or of its own. A single point is drawn
            as a marker; a NaN leaves a gap.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    curves: dict[str, tuple[list[float], list[float]]]
    published: dict[str, tuple[list[float], list[float]]]


def figure_of(
    name: str,
    title: str,
    *,
    x_label: str,
    y_label: str,
    curves: Mapping[str, tuple[Any, Any]],
    published: Mapping[str, tuple[Any, Any]] | None = None,
) -> Figure:
    """A figure of plain lists, which test workers can send; curves are arrays x [N] and y [N]."""
    return Figure(name, title, x_label, y_label, _plain(curves), _plain(published or {}))


def _plain(curves: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[list[float], list[float]]]:
    found = {}
    for label, (x, y) in curves.items():
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        shown = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int))
        found[label] = (x[shown].tolist(), y[shown].tolist())
    return found


def together(figures: Iterable[Figure]) -> list[Figure]:
    """Figures by name, with the curves of all their parts."""
    found: dict[str, Figure] = {}
    for one in figures:
        before = found.setdefault(one.name, one)
        found[one.name] = one._replace(
            curves={**before.curves, **one.curves}, published={**before.published, **one.published}
        )
    return [found[name] for name in sorted(found)]


def draw(figure: Figure, folder: Path) -> Path:
    """Draw a figure to an SVG file, the same bytes each time, and return its path."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context({"svg.hashsalt": figure.name, "svg.fonttype": "none"}):
        canvas = Canvas(figsize=(6.4, 4.0), layout="constrained")
        axes = canvas.subplots()
        colours = {label: f"C{number}" for number, label in enumerate([*figure.curves, *figure.published])}
        for label, (x, y) in figure.curves.items():
            axes.plot(x, y, color=colours[label], linewidth=1.2, label=label)
        for label, (x, y) in figure.published.items():
            style = {"marker": "o", "markersize": 8, "fillstyle": "none"} if len(x) == 1 else {"linestyle": "--"}
            said = f"{label} (published)" if label in figure.curves else label
            axes.plot(x, y, color=colours[label], label=said, **style)
        axes.set(xlabel=figure.x_label, ylabel=figure.y_label, title=figure.title)
        axes.title.set_fontsize(10)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        path = folder / f"{figure.name}.svg"
        folder.mkdir(parents=True, exist_ok=True)
        canvas.savefig(path, metadata={"Date": None})
    return path
