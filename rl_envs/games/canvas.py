"""A picture drawn with pygame without a window, and the window that shows pictures to people.

pygame is imported only here and only when something is drawn. Pictures need no display, so they work on servers; only
a `Window` starts the display, and neither starts sound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
INK: Color = (33, 37, 41)
FAINT: Color = (134, 142, 150)
LINE: Color = (206, 212, 218)
# One colour a player, told apart by people who do not see red and green alike.
PLAYERS: tuple[Color, ...] = ((0, 90, 181), (200, 40, 30), (0, 120, 80), (130, 60, 160), (170, 100, 0))


class Canvas:
    """A picture of fixed size, drawn from its upper left corner in pixels.

    Args:
        width: pixels.
        height: pixels.
        background: its first colour.

    Raises:
        DependencyNotInstalled: if pygame is missing.
    """

    def __init__(self, width: int, height: int, background: Color = WHITE) -> None:
        self._pygame = _pygame()
        self._surface = self._pygame.Surface((width, height))
        self._surface.fill(background)
        self._fonts: dict[int, Any] = {}

    def rectangle(self, x: int, y: int, width: int, height: int, color: Color, *, outline: int = 0) -> None:
        """Fill a rectangle, or draw its outline of so many pixels."""
        self._pygame.draw.rect(self._surface, color, (x, y, width, height), outline)

    def circle(self, x: int, y: int, radius: int, color: Color, *, outline: int = 0) -> None:
        """Fill a circle around (x, y), or draw its outline of so many pixels."""
        self._pygame.draw.circle(self._surface, color, (x, y), radius, outline)

    def line(self, x: int, y: int, x_end: int, y_end: int, color: Color, thickness: int = 1) -> None:
        """Draw a straight line."""
        self._pygame.draw.line(self._surface, color, (x, y), (x_end, y_end), thickness)

    def text(self, words: str, x: int, y: int, size: int, color: Color = INK, *, anchor: str = "center") -> None:
        """Write at (x, y), which is the text's `anchor`: "center", "midleft", "midright", ...

        Args:
            words: one line.
            x: pixels.
            y: pixels.
            size: the height of a line in pixels.
            color: of the letters.
            anchor: a name pygame has for a point of a rectangle.
        """
        image = self._font(size).render(words, True, color)
        self._surface.blit(image, image.get_rect(**{anchor: (x, y)}))

    def text_size(self, words: str, size: int) -> tuple[int, int]:
        """The width and height of a line of text in pixels."""
        width, height = self._font(size).size(words)
        return width, height

    def pixels(self) -> np.ndarray:
        """The picture as a fresh array, uint8 [height, width, 3]."""
        return np.ascontiguousarray(self._pygame.surfarray.array3d(self._surface).swapaxes(0, 1))

    def _font(self, size: int) -> Any:
        # Kept by the canvas and no longer: fonts die when another library calls pygame.quit().
        if size not in self._fonts:
            self._fonts[size] = self._pygame.font.Font(None, size)
        return self._fonts[size]


class Window:
    """A window that shows pictures at a steady rate; it opens with the first one.

    Args:
        title: of the window.
        frames_per_second: how often it shows a picture at most.
    """

    def __init__(self, title: str, frames_per_second: int) -> None:
        self.title = title
        self.frames_per_second = frames_per_second
        self._screen: Any = None
        self._clock: Any = None

    def show(self, pixels: np.ndarray) -> None:
        """Show a picture, uint8 [height, width, 3], and wait until its time is over."""
        pygame = _pygame()
        if self._screen is None:
            pygame.display.init()
            self._screen = pygame.display.set_mode((pixels.shape[1], pixels.shape[0]))
            pygame.display.set_caption(self.title)
            self._clock = pygame.time.Clock()
        self._screen.blit(pygame.surfarray.make_surface(pixels.swapaxes(0, 1)), (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(self.frames_per_second)

    def close(self) -> None:
        """Close the window if it is open; the next picture opens it again."""
        if self._screen is not None:
            _pygame().display.quit()
            self._screen = self._clock = None

    def __getstate__(self) -> dict[str, Any]:
        # An environment may be copied or sent elsewhere in mid-episode; its window stays where it is.
        return {**self.__dict__, "_screen": None, "_clock": None}


def _pygame() -> Any:
    try:
        import pygame
    except ImportError as error:
        raise DependencyNotInstalled("drawing needs pygame: pip install pygame-ce") from error
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame
