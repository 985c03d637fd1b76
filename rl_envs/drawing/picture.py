"""A picture: shapes and text on a pygame surface.

Everything is drawn at twice the size and shrunk at the end, which smooths the edges. No display is needed, because
pygame's window module is not used here.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import DependencyNotInstalled

from rl_envs.drawing.palette import Colour, rgb

Point = tuple[float, float]

SCALE = 2  # drawn pixels per pixel of the picture


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


class Picture:
    """A picture of fixed size. Coordinates are pixels from the upper left corner; colours are names or (r, g, b).

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """

    def __init__(self, width: int, height: int) -> None:
        self._pygame = pygame_module()
        self._pygame.font.init()  # every time, because any pygame.quit() ends it
        self._fonts: dict[int, Any] = {}
        self._size = (width, height)
        self._surface = self._pygame.Surface((width * SCALE, height * SCALE), 0, 32)
        self.box(Box(0, 0, width, height), "paper")

    def box(
        self, box: Box, colour: Colour, *, border: Colour | None = None, radius: float = 0, border_width: float = 1
    ) -> None:
        """Fill a rectangle, with a border inside it if one is given."""
        # Edges, not sizes, are rounded: neighbours then meet without a gap.
        left, top = round(box.x * SCALE), round(box.y * SCALE)
        rectangle = (left, top, round(box.right * SCALE) - left, round(box.bottom * SCALE) - top)
        corner = round(radius * SCALE)
        self._pygame.draw.rect(self._surface, rgb(colour), rectangle, border_radius=corner)
        if border is not None:
            width = max(1, round(border_width * SCALE))
            self._pygame.draw.rect(self._surface, rgb(border), rectangle, width, border_radius=corner)

    def outline(self, box: Box, colour: Colour, width: float) -> None:
        """The edge of a rectangle, drawn inside it, without filling."""
        left, top = round(box.x * SCALE), round(box.y * SCALE)
        rectangle = (left, top, round(box.right * SCALE) - left, round(box.bottom * SCALE) - top)
        self._pygame.draw.rect(self._surface, rgb(colour), rectangle, max(1, round(width * SCALE)))

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
        at = (round(center[0] * SCALE), round(center[1] * SCALE))
        size = max(1, round(radius * SCALE))
        if colour is not None:
            self._pygame.draw.circle(self._surface, rgb(colour), at, size)
        if border is not None:
            self._pygame.draw.circle(self._surface, rgb(border), at, size, max(1, round(border_width * SCALE)))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the shape with these corners."""
        corners = [(round(x * SCALE), round(y * SCALE)) for x, y in points]
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
        """An arc from an item back to itself; draw the item over it afterwards.

        Args:
            center: of the item.
            away: the direction in which the loop leaves it.
            radius: of the item.
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
            size: line height in pixels.
            colour: of the letters.
            align: "left", "center" or "right".
            longest: how wide it may be, in pixels; longer text is cut off with dots.

        Returns:
            How wide the text is, in pixels.
        """
        font = self._font(size)
        while text and font.size(text)[0] > longest * SCALE:
            text = text.removesuffix("...")[:-1].rstrip() + "..." if text != "..." else ""
        letters = font.render(text, True, rgb(colour))
        width, height = letters.get_size()
        left = at[0] * SCALE - {"left": 0.0, "center": width / 2, "right": width}[align]
        self._surface.blit(letters, (round(left), round(at[1] * SCALE - height / 2)))
        return width / SCALE

    def photograph(self, box: Box, pixels: np.ndarray) -> None:
        """Paint a finished picture, uint8 [H, W, 3], into the middle of a box, as large as fits."""
        height, width = pixels.shape[:2]
        scale = min(box.width / width, box.height / height) * SCALE
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        surface = self._pygame.surfarray.make_surface(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
        x, y = box.center
        at = (round(x * SCALE - size[0] / 2), round(y * SCALE - size[1] / 2))
        self._surface.blit(self._pygame.transform.smoothscale(surface, size), at)

    def text_width(self, text: str, size: int = 13) -> float:
        """How wide a line of text is, in pixels."""
        return self._font(size).size(text)[0] / SCALE

    def ink_on(self, colour: Colour) -> Colour:
        """Dark or white, whichever is readable on a colour."""
        red, green, blue = rgb(colour)
        return "ink" if 0.299 * red + 0.587 * green + 0.114 * blue > 120 else "white"

    def surface(self) -> Any:
        """The finished picture as a pygame surface."""
        return self._pygame.transform.smoothscale(self._surface, self._size)

    def pixels(self) -> np.ndarray:
        """The finished picture as a fresh array, uint8 [H, W, 3]."""
        return np.ascontiguousarray(self._pygame.surfarray.array3d(self.surface()).transpose(1, 0, 2))

    def _font(self, size: int) -> Any:
        # Kept only as long as the picture: fonts become invalid when another library calls pygame.quit().
        if size not in self._fonts:
            self._fonts[size] = self._pygame.font.Font(None, round(size * 1.35 * SCALE))
        return self._fonts[size]


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
