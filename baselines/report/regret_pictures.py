"""A figure of regret curves with theoretical bounds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.report.contents import BAND
from baselines.report.pictures import style_of
from baselines.system.atomic_files import write_atomically
from baselines.training.regret import RegretCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Bounds: attribute, label, line style.
BOUNDS = (
    ("uniform", "uniform policy", ":"),
    ("ucb1", "UCB1 upper bound", "-."),
    ("lai_robbins", "Lai-Robbins lower bound (asymptotic)", "--"),
)


def draw_regret_curves(
    curves: Mapping[str, RegretCurve], path: Path, *, title: str = "", styles: Mapping[str, int] | None = None
) -> None:
    """Draw the mean regret of each agent on one bandit, the middle 80% of runs shaded, and the bounds in grey.

    The scale of regret is logarithmic, and so is that of pulls: a regret that grows with ln T bends more and more, one
    that grows with T is a straight line to the end.

    Args:
        curves: by the agents' names, all of one world.
        path: the file, a PNG.
        title: the figure's title.
        styles: the number of each agent by which its colour and dashes are chosen; in their order when left out.

    Raises:
        ValueError: no curves.
        StorageError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # not pyplot, which keeps global state and may open windows

    if not curves:
        raise ValueError("curves must hold at least one, but is empty")
    figure = Figure(figsize=(7.8, 5.0), layout="constrained")
    panel = figure.subplots()
    for i, (name, curve) in enumerate(curves.items()):
        _draw_curve(panel, name, curve, *style_of(i if styles is None else styles[name]))
    _draw_bounds(panel, next(iter(curves.values())))
    panel.set(xscale="log", yscale="log", xlabel="pulls of each run")
    panel.set_ylabel("mean regret; shaded: the middle 80% of runs")
    panel.set_title(title, loc="left", fontsize=11, fontweight="bold")
    panel.grid(color="#dddddd", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    write_atomically(path, content.getvalue())


def _draw_curve(panel: Axes, name: str, curve: RegretCurve, colour: str, dashes: Any) -> None:
    """Draw one agent: a line and a band, without the start, where the regret is 0."""
    later = curve.steps > 0
    low, high = np.quantile(curve.regret[later], BAND, axis=1)
    steps = curve.steps[later]
    panel.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    panel.plot(steps, curve.mean[later], color=colour, linestyle=dashes, linewidth=1.9, label=name)


def _draw_bounds(panel: Axes, curve: RegretCurve) -> None:
    """Draw the existing bounds in grey, where they are above 0."""
    for name, label, style in BOUNDS:
        bound = getattr(curve.bounds, name)
        if bound is None:
            continue
        above = (bound > 0) & (curve.steps > 0)
        panel.plot(curve.steps[above], bound[above], color="#555555", linestyle=style, linewidth=1.2, label=label)
