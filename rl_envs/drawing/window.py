"""The window that shows pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl_envs.drawing.picture import pygame_module


class Window:
    """A window that shows pictures at a steady rate; it opens with the first one.

    Pygame has only one window per process. If other code closes it or opens another, both share it.

    Args:
        title: of the window.
        frames_per_second: how many pictures it shows in a second, at most.
    """

    def __init__(self, title: str, frames_per_second: int) -> None:
        self.title = title
        self.frames_per_second = frames_per_second
        self._open = False
        self._clock: Any = None

    def show(self, pixels: np.ndarray) -> None:
        """Show a picture, uint8 [H, W, 3], and wait until its time is over."""
        pygame = pygame_module()
        size = (pixels.shape[1], pixels.shape[0])
        screen = pygame.display.get_surface() if pygame.display.get_init() else None
        if screen is None or screen.get_size() != size:
            pygame.display.init()
            screen = pygame.display.set_mode(size)
            pygame.display.set_caption(self.title)
        self._open = True
        screen.blit(pygame.surfarray.make_surface(pixels.swapaxes(0, 1)), (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        if self._clock is None:
            self._clock = pygame.time.Clock()
        self._clock.tick(self.frames_per_second)

    def close(self) -> None:
        """Close the window if it is open; closing twice is fine, and the next picture opens it again."""
        if self._open:
            # Only the window: pygame.quit() would also end the sound and fonts of other code in the process.
            pygame_module().display.quit()
            self._open = False

    def __getstate__(self) -> dict[str, Any]:
        # An environment may be copied or pickled during an episode. Its window is not copied, and a clock can be
        # neither copied nor pickled.
        return {**self.__dict__, "_open": False, "_clock": None}
