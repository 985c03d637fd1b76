"""What worlds are painted with: a few drawing verbs over a pygame surface.

Everything is painted at twice the size and shrunk at the end, which smooths every edge, and works without a display:
pygame's window module is never touched here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from gymnasium.error import DependencyNotInstalled

from rl_envs.drawing.palette import Colour, heat, rgb

if TYPE_CHECKING:
    from rl_envs.drawing.overlay import Overlay

Point = tuple[float, float]

LEAST_FOR_A_NUMBER = 34  # width in pixels from which on a tile has room for a number

_SCALE = 2  # painted pixels a pixel of the picture


class Box(NamedTuple):
    """A rectangle in pixels of the picture; (x, y) is its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height

    @property
    def right(self) -> float:
        """The x of its right edge."""
        return self.x + self.width

    def inset(self, left: float, top: float | None = None) -> Box:
        """The box without a margin of `left` pixels on both sides and `top` (the same by default) above and below."""
        top = left if top is None else top
        return Box(self.x + left, self.y + top, self.width - 2 * left, self.height - 2 * top)

    def left_part(self, width: float) -> Box:
        """Its leftmost `width` pixels; a negative width leaves out the rightmost ones."""
        return self._replace(width=width if width >= 0 else self.width + width)

    def right_part(self, width: float) -> Box:
        """Its rightmost `width` pixels."""
        return self._replace(x=self.right - width, width=width)


class Canvas:
    """A picture in the making. Coordinates are pixels from the upper left corner; colours are names or (r, g, b).

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        area: the part that a world paints.
        overlay: what the states' tiles show beside their own colour, or None.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """

    def __init__(self, width: int, height: int, area: Box, overlay: Overlay | None = None) -> None:
        self._pygame = pygame_module()
        self._pygame.font.init()  # again and again, because anybody's pygame.quit() ends it
        self._fonts: dict[int, Any] = {}
        self._size = (width, height)
        self._surface = self._pygame.Surface((width * _SCALE, height * _SCALE), 0, 32)
        self.area = area
        self.overlay = overlay
        self.box(Box(0, 0, width, height), "paper")

    # Plain shapes ------------------------------------------------------------------------------------------------

    def box(
        self, box: Box, colour: Colour, *, border: Colour | None = None, radius: float = 0, border_width: float = 1
    ) -> None:
        """Fill a rectangle, with a border inside it if one is given."""
        # Edges, not sizes, are rounded: neighbours then meet without a gap.
        left, top = round(box.x * _SCALE), round(box.y * _SCALE)
        rectangle = (left, top, round(box.right * _SCALE) - left, round(box.bottom * _SCALE) - top)
        corner = round(radius * _SCALE)
        self._pygame.draw.rect(self._surface, rgb(colour), rectangle, border_radius=corner)
        if border is not None:
            width = max(1, round(border_width * _SCALE))
            self._pygame.draw.rect(self._surface, rgb(border), rectangle, width, border_radius=corner)

    def circle(
        self,
        center: Point,
        radius: float,
        colour: Colour | None,
        *,
        border: Colour | None = None,
        border_width: float = 1.5,
    ) -> None:
        """Fill a disc (colour None leaves it empty), with a border inside it if one is given."""
        at = (round(center[0] * _SCALE), round(center[1] * _SCALE))
        size = max(1, round(radius * _SCALE))
        if colour is not None:
            self._pygame.draw.circle(self._surface, rgb(colour), at, size)
        if border is not None:
            self._pygame.draw.circle(self._surface, rgb(border), at, size, max(1, round(border_width * _SCALE)))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the shape with these corners."""
        corners = [(round(x * _SCALE), round(y * _SCALE)) for x, y in points]
        self._pygame.draw.polygon(self._surface, rgb(colour), corners)

    def line(self, start: Point, end: Point, colour: Colour, width: float = 1.5, *, round_ends: bool = False) -> None:
        """A straight line, with round ends if asked: the segment of an arm."""
        length = math.dist(start, end)
        if length > 0:
            across_x = (start[1] - end[1]) / length * width / 2
            across_y = (end[0] - start[0]) / length * width / 2
            self.polygon(
                [
                    (start[0] + across_x, start[1] + across_y),
                    (end[0] + across_x, end[1] + across_y),
                    (end[0] - across_x, end[1] - across_y),
                    (start[0] - across_x, start[1] - across_y),
                ],
                colour,
            )
        if round_ends:
            self.circle(start, width / 2, colour)
            self.circle(end, width / 2, colour)

    def loop(self, center: Point, away: Point, radius: float, colour: Colour = "ink", width: float = 2.5) -> None:
        """A way from a thing back to itself; the thing is painted over its inner part afterwards.

        Args:
            center: of the thing.
            away: the direction in which the loop leaves it.
            radius: of the thing.
            colour: of the loop.
            width: of its line.
        """
        length = math.hypot(*away) or 1.0
        x, y = center[0] + away[0] / length * radius, center[1] + away[1] / length * radius
        self.circle((x, y), radius * 0.75, None, border=colour, border_width=width)

    def arrow(self, start: Point, end: Point, colour: Colour = "ink", width: float = 2.5) -> None:
        """A straight arrow; its head is three times as wide as its shaft."""
        length = math.dist(start, end)
        if length == 0:
            return
        ahead_x, ahead_y = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        head = min(3.2 * width, 0.7 * length)
        neck = (end[0] - ahead_x * head, end[1] - ahead_y * head)
        self.line(start, neck, colour, width)
        half = head * 0.55
        self.polygon(
            [
                end,
                (neck[0] - ahead_y * half, neck[1] + ahead_x * half),
                (neck[0] + ahead_y * half, neck[1] - ahead_x * half),
            ],
            colour,
        )

    def text(
        self,
        at: Point,
        text: str,
        size: int = 13,
        colour: Colour = "ink",
        align: str = "center",
        longest: float = math.inf,
    ) -> float:
        """Write one line.

        Args:
            at: the middle of its left end, its center, or its right end, as `align` says.
            text: what to write.
            size: height of the letters' line in pixels.
            colour: of the letters.
            align: "left", "center" or "right".
            longest: how wide it may be, in pixels; longer text is cut off with dots.

        Returns:
            How wide the text is, in pixels.
        """
        font = self._fonts.get(size)
        if font is None:
            font = self._fonts[size] = self._pygame.font.Font(None, round(size * 1.35 * _SCALE))
        while text and font.size(text)[0] > longest * _SCALE:
            text = text.removesuffix("...")[:-1].rstrip() + "..." if text != "..." else ""
        letters = font.render(text, True, rgb(colour))
        width, height = letters.get_size()
        left = at[0] * _SCALE - {"left": 0.0, "center": width / 2, "right": width}[align]
        self._surface.blit(letters, (round(left), round(at[1] * _SCALE - height / 2)))
        return width / _SCALE

    def lines_of_text(self, text: str) -> None:
        """Write text into the area, line by line from the top, as large as fits."""
        lines = text.splitlines()
        height = min(26.0, self.area.height / max(1, len(lines)))
        for number, line in enumerate(lines):
            self.text((self.area.x, self.area.y + (number + 0.5) * height), line, int(height * 0.62), align="left")

    # Things that worlds are made of --------------------------------------------------------------------------------

    def cells(self, rows: int, columns: int, *, area: Box | None = None, largest: float = 64) -> list[list[Box]]:
        """Square cells of a grid in the middle of the area, by row and column."""
        area = area or self.area
        side = min(area.width / columns, area.height / rows, largest)
        left = area.x + (area.width - side * columns) / 2
        top = area.y + (area.height - side * rows) / 2
        return [[Box(left + c * side, top + r * side, side, side) for c in range(columns)] for r in range(rows)]

    def row(self, num_states: int, *, top: float, arrows: Sequence[Point] = ()) -> list[Box]:
        """States 0, 1, 2, ... side by side across the area, as tiles, or as one strip where they are too many.

        Args:
            num_states: how many.
            top: y of the tiles' upper edge.
            arrows: for each action the direction it points in, as in `state`.

        Returns:
            Where each state is.
        """
        side = min(56.0, self.area.width / num_states)
        left = self.area.x + (self.area.width - side * num_states) / 2
        height = max(side, 30.0)
        boxes = [Box(left + state * side, top, side, height) for state in range(num_states)]
        if side < 14:
            self.strip(Box(left, top, side * num_states, height), range(num_states), arrows=arrows)
        else:
            for state, box in enumerate(boxes):
                self.state(box, state, arrows=arrows)
        return boxes

    def spaced(self, numbers: range, width: float, *, room: float = 30) -> list[int]:
        """Those numbers that can be written under a row of things without touching: every one, or the round ones.

        Args:
            numbers: what is counted, in steps of 1.
            width: of one thing, in pixels.
            room: that a number needs, in pixels.
        """
        steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
        step = next(step for step in steps if step * width >= room)
        return [number for number in numbers if number % step == 0]

    def node(self, center: Point, state: int, *, radius: float, lit: bool = False) -> None:
        """A state of a graph: a disc with its number, lit if the episode is there, and the overlay's value below."""
        fill = self.shade(state, "agent" if lit else "floor")
        if lit:
            self.circle(center, radius + 5, "agent")
            self.circle(center, radius + 2, "white")
        self.circle(center, radius, fill, border="faint")
        shows_value = self.overlay is not None and self.overlay.values is not None
        ink = self.ink_on(fill)
        self.text((center[0], center[1] - (5 if shows_value else 0)), str(state), 13 if radius > 16 else 10, ink)
        if shows_value and self.overlay is not None:
            self.text((center[0], center[1] + 8), self.overlay.number(state), 9, ink)

    def map(
        self,
        rows: Sequence[str],
        states: Mapping[tuple[int, int], int],
        *,
        arrows: Sequence[Point],
        option_policy: np.ndarray | None = None,
        area: Box | None = None,
    ) -> list[list[Box]]:
        """A map with its walls, "#", and the tile of a state in each cell that has one.

        Args:
            rows: the map as text.
            states: the state drawn at a row and column.
            arrows: for each action the direction it points in, as in `state`.
            option_policy: what an active option does, [S, A], all 0 where it does not run: its cells are tinted and its
                moves drawn. None for no option.
            area: where to draw it; the whole area when left out.

        Returns:
            The box of each cell, by row and column.
        """
        boxes = self.cells(len(rows), len(rows[0]), area=area)
        for row, line in enumerate(rows):
            for column, glyph in enumerate(line):
                box = boxes[row][column]
                state = states.get((row, column))
                if glyph == "#":
                    self.box(box, "wall")
                elif state is None:
                    self.box(box, "floor", border="grid")
                elif option_policy is not None and option_policy[state].any():
                    self.state(box, state, colour="tint")
                    self.arrows(box, option_policy[state], arrows, "blue")
                else:
                    self.state(box, state, arrows=arrows if option_policy is None else ())
        return boxes

    def state(
        self, box: Box, state: int, *, colour: Colour = "floor", arrows: Sequence[Point] = (), number: bool = True
    ) -> None:
        """The tile of a state, with what the overlay says of it.

        Args:
            box: where it is.
            state: its index in the table.
            colour: of the tile where the overlay has nothing to show.
            arrows: for each action the direction it points in, (x to the right, y down), with (0, 0) for staying; empty
                for no arrows.
            number: whether to write the overlay's value into the tile where there is room.
        """
        shade = self.shade(state, colour)
        self.box(box, shade, border="grid")
        if self.overlay is None:
            return
        if number and box.width >= LEAST_FOR_A_NUMBER and self.overlay.values is not None:
            text = self.overlay.number(state)
            self.text((box.center[0], box.bottom - 8), text, 10, self.ink_on(shade))
        if arrows and self.overlay.policy is not None:
            self.arrows(box, self.overlay.policy[state], arrows, self.ink_on(shade))

    def arrows(self, box: Box, weights: np.ndarray, directions: Sequence[Point], colour: Colour = "ink") -> None:
        """Arrows from the middle of a box, one for each action taken, longer and wider the likelier it is.

        Args:
            box: where to draw them.
            weights: of each action, in 0..1, [A].
            directions: of each action.
            colour: of the arrows.
        """
        x, y = box.center
        reach = 0.42 * min(box.width, box.height)
        for weight, (right, down) in zip(weights.tolist(), directions, strict=True):
            if weight < 0.01:
                continue
            if (right, down) == (0, 0):
                self.circle((x, y), reach * (0.1 + 0.25 * weight), None, border=colour)
                continue
            length = reach * (0.2 + 0.8 * weight) / math.hypot(right, down)
            width = reach * (0.05 + 0.08 * weight)
            self.arrow((x, y), (x + right * length, y + down * length), colour, max(1.2, width))

    def strip(self, box: Box, states: range, *, colour: Colour = "floor", arrows: Sequence[Point] = ()) -> None:
        """Very many states side by side in one bar, too narrow for tiles, with arrows at two dozen of them."""
        columns = round(box.width * _SCALE)
        edges = np.linspace(0, len(states), columns + 1).astype(int)
        for column in range(columns):
            state = states[min(edges[column], len(states) - 1)]
            self.box(Box(box.x + column / _SCALE, box.y, 1 / _SCALE, box.height), self.shade(state, colour))
        self._pygame.draw.rect(self._surface, rgb("grid"), tuple(round(side * _SCALE) for side in box), _SCALE)
        if arrows and self.overlay is not None and self.overlay.policy is not None:
            width = box.width / 24
            for number in range(24):
                state = states[int((number + 0.5) / 24 * len(states))]
                tile = Box(box.x + number * width, box.y, width, box.height)
                self.arrows(tile, self.overlay.policy[state], arrows, self.ink_on(self.shade(state, colour)))

    def weight(self, state: int, action: int) -> float:
        """How likely the overlay's policy takes an action, 0..1; 0 where it shows no policy."""
        if self.overlay is None or self.overlay.policy is None:
            return 0.0
        return float(self.overlay.policy[state, action])

    # Colours that say something --------------------------------------------------------------------------------------

    def shade(self, state: int, otherwise: Colour) -> Colour:
        """The overlay's colour for a state, or `otherwise` where the overlay has no value for it."""
        if self.overlay is None or self.overlay.values is None or np.isnan(self.overlay.values[state]):
            return otherwise
        return heat(self.overlay.level(float(self.overlay.values[state])))

    def action_shade(self, state: int, actions: Sequence[int], otherwise: Colour) -> Colour:
        """The overlay's colour for the best of some actions in a state, or `otherwise` where it has no value."""
        if self.overlay is None or self.overlay.action_values is None:
            return otherwise
        value = float(self.overlay.action_values[state, list(actions)].max())
        return otherwise if np.isnan(value) else heat(self.overlay.level(value))

    def ink_on(self, colour: Colour) -> Colour:
        """Dark or white, whichever can be read on a colour."""
        red, green, blue = rgb(colour)
        return "ink" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"

    def heat_scale(self, box: Box, low: str, high: str) -> None:
        """The heat map's colours from lowest to highest with the numbers at both ends."""
        columns = round(box.width)
        for column in range(columns):
            self.box(Box(box.x + column, box.y, 1, box.height), heat((column + 0.5) / columns))
        middle = box.center[1]
        self.text((box.x - 5, middle), low, 11, align="right")
        self.text((box.right + 5, middle), high, 11, align="left")

    def surface(self) -> Any:
        """The finished picture as a pygame surface."""
        return self._pygame.transform.smoothscale(self._surface, self._size)

    def pixels(self) -> np.ndarray:
        """The finished picture as a fresh array, uint8 [H, W, 3]."""
        return np.ascontiguousarray(self._pygame.surfarray.array3d(self.surface()).transpose(1, 0, 2))


def pygame_module() -> ModuleType:
    """Pygame, imported when it is first needed.

    Raises:
        DependencyNotInstalled: it is missing; the message says how to install it.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library has no business printing on import
    try:
        import pygame
    except ImportError as error:
        raise DependencyNotInstalled(
            'pictures need pygame-ce: run `pip install "rl-envs[render]"`; render_mode="ansi" works without it'
        ) from error
    return pygame
