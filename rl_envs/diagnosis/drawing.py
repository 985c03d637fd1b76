"""A probe world as an SVG drawing: a circle for each state, an arrow for each step with what it pays."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from rl_envs.diagnosis.probes import Probe

COLUMN, ROW, RADIUS, MARGIN = 118, 84, 21, 34
# Of a world with more starts than this, such as a staircase, the first stands for all that come once.
MOST_STARTS = 3


@dataclass(frozen=True)
class _Arrow:
    """A step: from a state to the next, or to an end (None), with its reward in words."""

    state: int
    following: int | None
    text: str
    looks_like: str = ""


def draw(probe: Probe) -> str:
    """The drawing, an `svg` element that takes its colours from the page's variables --ink and --paper.

    Args:
        probe: the world.
    """
    starts = probe.starts
    if len(starts) > MOST_STARTS:
        starts = starts[0], *dict.fromkeys(start for start in starts if starts.count(start) > 1)
    places, arrows = _places(probe, starts)
    goes_on = {arrow.state for arrow in arrows if arrow.following is not None}
    parts: list[str] = []
    widest, lowest = 0, 0
    for arrow in arrows:
        column, row = places[arrow.state]
        if arrow.following is None:
            # An end stands right of its state; a second way out of a state goes below.
            to = column + 1, row + (arrow.state in goes_on)
            parts.append(_end(*to, arrow.looks_like))
        else:
            to = places[arrow.following]
        # The offer of a start that stands for all of them is a number of its own at each.
        stands_for_all = arrow.state == starts[0] and len(starts) < len(probe.starts) and arrow.following is None
        parts.append(_arrow((column, row), to, "x" if stands_for_all else arrow.text))
        widest, lowest = max(widest, to[0], column), max(lowest, to[1], row)
    for state, (column, row) in places.items():
        name = "offer" if state == starts[0] and len(starts) < len(probe.starts) else _name(probe, state)
        parts.append(_circle(column, row, name))
    if any(arrow.following == arrow.state for arrow in arrows):
        x, y = _centre(0, lowest)
        parts.append(
            f'<text class="note" x="{x - RADIUS:g}" y="{y + RADIUS + 18:g}">cut after '
            f"{probe.max_episode_steps} steps</text>"
        )
    width, height = widest * COLUMN + 2 * (MARGIN + RADIUS), lowest * ROW + 2 * (MARGIN + RADIUS)
    label = f"{probe.name}: {probe.picture}".replace("\n", "; ")
    return (
        f'<svg class="world" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label)}"><defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="var(--ink)"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _places(probe: Probe, starts: tuple[int, ...]) -> tuple[dict[int, tuple[int, int]], list[_Arrow]]:
    """The column and row of every state that is reached, and all arrows; a row for each start and each fork."""
    places: dict[int, tuple[int, int]] = {}
    arrows: list[_Arrow] = []
    rows = 0
    for start in starts:
        waiting = [(start, 0, rows)]
        while waiting:
            state, column, row = waiting.pop(0)
            if state in places:
                continue
            places[state] = column, row
            found = _arrows(probe, state)
            ways = {arrow.following is None for arrow in found}
            rows = max(rows, row + len(ways))  # an end beside another way out stands a row below
            arrows += found
            new = [arrow.following for arrow in found if arrow.following is not None and arrow.following not in places]
            waiting += [(following, column + 1, row + number) for number, following in enumerate(new)]
    return places, arrows


def _arrows(probe: Probe, state: int) -> list[_Arrow]:
    """The arrows out of a state: one for each place that its actions lead to."""
    mdp = probe.mdp
    texts: dict[int | None, list[str]] = {}
    shown: dict[int | None, str] = {}
    for action in range(mdp.num_actions):
        for outcome in np.flatnonzero(mdp.probability[state, action]):
            ends = bool(mdp.terminated[state, action, outcome])
            following = int(mdp.next_state[state, action, outcome])
            probability = float(mdp.probability[state, action, outcome])
            place = None if ends else following
            text = f"{mdp.reward[state, action, outcome]:.3g}"
            texts.setdefault(place, [])
            text += f" ({probability:.0%})" if probability < 1 else ""
            if text not in texts[place]:
                texts[place].append(text)
            shown[place] = _name(probe, following) if ends else ""
    return [_Arrow(state, place, " or ".join(found), shown[place]) for place, found in texts.items()]


def _name(probe: Probe, state: int) -> str:
    return probe.label_names[int(probe.labels[state])]


def _centre(column: int, row: int) -> tuple[float, float]:
    return MARGIN + RADIUS + column * COLUMN, MARGIN + RADIUS + row * ROW


def _circle(column: int, row: int, name: str) -> str:
    x, y = _centre(column, row)
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS}" fill="var(--paper)" stroke="var(--ink)" stroke-width="1.5"/>'
        f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle">{escape(name)}</text>'
    )


def _end(column: int, row: int, looks_like: str) -> str:
    x, y = _centre(column, row)
    side = 1.5 * RADIUS
    return (
        f'<rect x="{x - side / 2:g}" y="{y - side / 2:g}" width="{side:g}" height="{side:g}" fill="var(--ink)" '
        f'fill-opacity=".15" stroke="var(--ink)"/><text x="{x:g}" y="{y + 5:g}" text-anchor="middle">end</text>'
        f'<text class="note" x="{x:g}" y="{y + side / 2 + 15:g}" text-anchor="middle">looks like {escape(looks_like)}'
        "</text>"
    )


def _arrow(begin: tuple[int, int], end: tuple[int, int], text: str) -> str:
    (x, y), (to_x, to_y) = _centre(*begin), _centre(*end)
    if begin == end:  # a loop above the circle
        path = (
            f"M{x - 9:g} {y - RADIUS + 2:g} C{x - 26:g} {y - 52:g} {x + 26:g} {y - 52:g} {x + 9:g} {y - RADIUS + 2:g}"
        )
        label_x, label_y = x + 30, y - RADIUS - 12
    else:
        length = float(np.hypot(to_x - x, to_y - y))
        dx, dy = (to_x - x) / length * (RADIUS + 2), (to_y - y) / length * (RADIUS + 2)
        path = f"M{x + dx:g} {y + dy:g} L{to_x - dx:g} {to_y - dy:g}"
        # Beside an arrow that runs down, above one that runs across.
        label_x, label_y = (x + to_x) / 2 + 26 * (to_y != y), (y + to_y) / 2 - 7
    return (
        f'<path d="{path}" fill="none" stroke="var(--ink)" stroke-width="1.3" marker-end="url(#head)"/>'
        f'<text class="pays" x="{label_x:g}" y="{label_y:g}" text-anchor="middle">{escape(text)}</text>'
    )
