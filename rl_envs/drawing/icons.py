"""Icons that several worlds share, each drawn into a box of a canvas."""

from __future__ import annotations

import math

from rl_envs.drawing.canvas import LEAST_FOR_A_NUMBER, Canvas
from rl_envs.drawing.picture import Box, Point


def agent(canvas: Canvas, box: Box, *, size: float | None = None) -> None:
    """The agent, a round face, in the middle of a box; smaller and a little higher if the overlay writes a number.

    Args:
        canvas: to draw on.
        box: where.
        size: its share of the box; None to suit the overlay.
    """
    x, y = box.center
    if size is None:
        size = 0.6 if canvas.overlay is None else 0.44
    size = max(size, 20 / min(box.width, box.height))  # still seen on a strip of narrow states
    if canvas.overlay is not None and canvas.overlay.values is not None and box.width >= LEAST_FOR_A_NUMBER:
        y -= box.height / 9  # off the number
    radius = min(box.width, box.height) * size / 2
    canvas.circle((x, y), radius + max(1.0, radius * 0.12), "white")
    canvas.circle((x, y), radius, "agent", border="ink", border_width=max(0.8, radius * 0.08))
    for side in (-1, 1):
        canvas.circle((x + side * radius * 0.36, y - radius * 0.15), radius * 0.22, "white")
        canvas.circle((x + side * radius * 0.36, y - radius * 0.1), radius * 0.11, "ink")


def key(canvas: Canvas, box: Box, *, size: float = 0.6) -> None:
    """A key in the middle of a box."""
    x, y = box.center
    unit = min(box.width, box.height) * size / 10
    for width, colour in ((unit * 3.2, "white"), (unit * 1.6, "key")):  # a white outline first
        ring = width * 0.5
        canvas.circle((x - unit * 2.6, y), unit * 1.7 + ring, colour)
        canvas.line((x - unit, y), (x + unit * 5, y), colour, width, round_ends=True)
        for tooth in (2.6, 4.8):
            canvas.line((x + unit * tooth, y), (x + unit * tooth, y + unit * 2.2), colour, width, round_ends=True)
    canvas.circle((x - unit * 2.6, y), unit * 1.1, "white")


def door(canvas: Canvas, box: Box, *, is_open: bool) -> None:
    """A door that fills its box: shut, or swung aside."""
    panel = box.inset(box.width * 0.14, box.height * 0.06)
    if is_open:
        canvas.box(panel, "floor", border="door", border_width=box.width * 0.06)
        canvas.box(panel.left_part(panel.width * 0.28), "door")
        return
    canvas.box(panel, "door", border="ink", radius=box.width * 0.05)
    canvas.circle((panel.right - panel.width * 0.2, panel.center[1]), box.width * 0.07, "key")


def gripper(canvas: Canvas, wrist: Point, hand: Point, size: float, *, opening: float) -> None:
    """Two fingers at the end of an arm's last link.

    Args:
        canvas: to draw on.
        wrist: where that link begins.
        hand: where it ends; the fingers' tips are there.
        size: length of the fingers.
        opening: how far apart they are, from 0 to 1.
    """
    length = math.dist(wrist, hand) or 1.0
    right, down = (hand[0] - wrist[0]) / length, (hand[1] - wrist[1]) / length
    palm = (hand[0] - right * size, hand[1] - down * size)
    spread = size * (0.2 + 0.5 * opening)
    for side in (-1, 1):
        knuckle = (palm[0] - side * down * spread, palm[1] + side * right * spread)
        tip = (knuckle[0] + right * size * 1.5, knuckle[1] + down * size * 1.5)
        canvas.line(palm, knuckle, "ink", size * 0.32, round_ends=True)
        canvas.line(knuckle, tip, "ink", size * 0.32, round_ends=True)


def flag(canvas: Canvas, box: Box, *, size: float = 0.7) -> None:
    """The goal's flag in the middle of a box."""
    x, y = box.center
    unit = min(box.width, box.height) * size / 10
    foot = (x - unit * 2.4, y + unit * 4.6)
    top = (x - unit * 2.4, y - unit * 4.6)
    canvas.line(foot, top, "ink", unit * 1.1, round_ends=True)
    canvas.polygon([top, (x + unit * 4, y - unit * 2.2), (top[0], y + unit * 0.4)], "goal")
