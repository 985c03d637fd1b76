"""The canvas that worlds are drawn on: a picture with methods for states, grids, maps and their overlays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rl_envs.drawing.overlay import Overlay
from rl_envs.drawing.palette import Colour, heat, rgb
from rl_envs.drawing.picture import SCALE, Box, Picture, Point

LEAST_FOR_A_NUMBER = 34  # smallest width in pixels of a tile with a number


class Canvas(Picture):
    """A world's picture. Coordinates are pixels from the upper left corner; colours are names or (r, g, b).

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        area: the part that a world draws in.
        overlay: values and policy shown in the states' tiles, or None.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """

    def __init__(self, width: int, height: int, area: Box, overlay: Overlay | None = None) -> None:
        super().__init__(width, height)
        self.area = area
        self.overlay = overlay

    def lines_of_text(self, text: str) -> None:
        """Write lines of text into the area from the top, as large as fits."""
        lines = text.splitlines()
        height = min(26.0, self.area.height / max(1, len(lines)))
        for number, line in enumerate(lines):
            self.text((self.area.x, self.area.y + (number + 0.5) * height), line, int(height * 0.62), align="left")

    def cells(self, rows: int, columns: int, *, area: Box | None = None, largest: float = 64) -> list[list[Box]]:
        """Square cells of a grid in the middle of the area, by row and column."""
        area = area or self.area
        side = min(area.width / columns, area.height / rows, largest)
        left = area.x + (area.width - side * columns) / 2
        top = area.y + (area.height - side * rows) / 2
        return [[Box(left + c * side, top + r * side, side, side) for c in range(columns)] for r in range(rows)]

    def row(self, num_states: int, *, top: float, arrows: Sequence[Point] = ()) -> list[Box]:
        """States 0, 1, 2, ... side by side across the area, as tiles, or as one strip if there are too many.

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
        """The numbers that fit under a row of items without touching: all of them, or the round ones.

        Args:
            numbers: of the items, in steps of 1.
            width: of one item, in pixels.
            room: that a number needs, in pixels.
        """
        steps = (base * 10**power for power in range(9) for base in (1, 2, 5))
        step = next(step for step in steps if step * width >= room)
        return [number for number in numbers if number % step == 0]

    def node(self, center: Point, state: int, *, radius: float, lit: bool = False) -> None:
        """A state of a graph: a disc with its number, highlighted if current, and the overlay's value below."""
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
            option_policy: an active option's policy, [S, A], all 0 where it does not run: its cells are tinted and its
                moves drawn. None for no option.
            area: where to draw it; by default the whole area.

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
        """The tile of a state, with the overlay's value and policy.

        Args:
            box: where it is.
            state: its index in the table.
            colour: of the tile if the overlay has no value.
            arrows: for each action the direction it points in, (x to the right, y down), with (0, 0) for staying; empty
                for no arrows.
            number: whether to write the overlay's value into the tile if there is room.
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
        """Arrows from the middle of a box, one per action, longer and wider for more probable actions.

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
        """States too many for tiles, side by side in one bar, with arrows at two dozen of them."""
        columns = round(box.width * SCALE)
        edges = np.linspace(0, len(states), columns + 1).astype(int)
        for column in range(columns):
            state = states[min(edges[column], len(states) - 1)]
            self.box(Box(box.x + column / SCALE, box.y, 1 / SCALE, box.height), self.shade(state, colour))
        self._pygame.draw.rect(self._surface, rgb("grid"), tuple(round(side * SCALE) for side in box), SCALE)
        if arrows and self.overlay is not None and self.overlay.policy is not None:
            width = box.width / 24
            for number in range(24):
                state = states[int((number + 0.5) / 24 * len(states))]
                tile = Box(box.x + number * width, box.y, width, box.height)
                self.arrows(tile, self.overlay.policy[state], arrows, self.ink_on(self.shade(state, colour)))

    def weight(self, state: int, action: int) -> float:
        """The probability of an action under the overlay's policy; 0 if it has none."""
        if self.overlay is None or self.overlay.policy is None:
            return 0.0
        return float(self.overlay.policy[state, action])

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

    def heat_scale(self, box: Box, low: str, high: str) -> None:
        """The heat map's colours from lowest to highest with the numbers at both ends."""
        columns = round(box.width)
        for column in range(columns):
            self.box(Box(box.x + column, box.y, 1, box.height), heat((column + 0.5) / columns))
        middle = box.center[1]
        self.text((box.x - 5, middle), low, 11, align="right")
        self.text((box.right + 5, middle), high, 11, align="left")
