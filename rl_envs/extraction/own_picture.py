"""A world drawn as the environment that it was found in draws itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rl_envs.drawing.overlay import short
from rl_envs.worlds.world import Drawing, Frame

if TYPE_CHECKING:
    from rl_envs.drawing.canvas import Canvas
    from rl_envs.extraction.attributes import Content
    from rl_envs.extraction.contents import Contents
    from rl_envs.extraction.layers import Layers

# So many pictures are kept; how many pixels wide the widest and the narrowest drawing is.
KEPT, WIDEST, NARROWEST = 64, 520, 420

# Height of the line below the picture, with the state's number and value.
LINE = 22


class OwnRender:
    """Renders any state by putting the environment into it; afterwards the environment is as it was.

    Args:
        layers: the environment and its wrappers.
        contents: puts back.
        states: what the environment remembers in each state.
    """

    def __init__(self, layers: Layers, contents: Contents, states: Sequence[Content]) -> None:
        self._layers = layers
        self._contents = contents
        self._states = states
        self._windows: dict[str, Any] = {}  # what rendering made: surfaces, images, clocks
        self.modes = [str(mode) for mode in getattr(layers.unwrapped, "metadata", {}).get("render_modes", [])]
        self._kept: dict[tuple[int, str], Any] = {}

    def __call__(self, state: int, mode: str) -> Any:
        """What the environment renders in a state and a mode; None where it renders nothing."""
        if (state, mode) in self._kept:
            return self._kept[state, mode]
        env = self._layers.unwrapped
        self._layers.keep_as_is()
        try:
            self._layers.connect()
            self._contents.put_back(self._states[state])
            before = dict(env.__dict__)
            missing = {name: value for name, value in self._windows.items() if before.get(name) is None}
            env.__dict__.update({**missing, "render_mode": mode})
            shown = env.render()
            made = {name: v for name, v in env.__dict__.items() if before.get(name) is None and v is not None}
            self._windows.update({name: value for name, value in made.items() if name != "render_mode"})
        finally:
            self._layers.give_back()
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[state, mode] = shown.copy() if isinstance(shown, np.ndarray) else shown
        return self._kept[state, mode]


class OwnPicture(Drawing):
    """The environment's own picture of each state, or its text where it has only that.

    Nothing is rendered before something is drawn: rendering may open a window.

    Args:
        render: renders a state in a mode.
        num_states: S.
    """

    def __init__(self, render: OwnRender, num_states: int) -> None:
        self._render: OwnRender | None = render
        self._num_states = num_states

    @property
    def size(self) -> tuple[int, int]:
        pixels = self._shown(0, "rgb_array")
        if pixels is None:
            return super().size
        height, width = pixels.shape[:2]
        scale = min(1.0, WIDEST / width)
        return max(NARROWEST, round(width * scale)), round(height * scale) + LINE

    def text(self, frame: Frame) -> str:
        line = f"state {frame.state} of {self._num_states}"
        shown = self._shown(frame.state, "ansi")
        return line if shown is None else f"{shown}\n{line}".lstrip("\n")

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        pixels = self._shown(frame.state, "rgb_array")
        if pixels is None:
            super().paint(canvas, frame)
            return
        area = canvas.area
        canvas.photograph(area._replace(height=area.height - LINE), pixels)
        words = f"state {frame.state} of {self._num_states}"
        overlay = canvas.overlay
        if overlay is not None and overlay.number(frame.state):
            words += f": {overlay.title} {overlay.number(frame.state)}"
        if overlay is not None and overlay.action_values is not None:
            words += f" ({', '.join(short(float(q)) for q in overlay.action_values[frame.state])})"
        canvas.text((area.center[0], area.bottom - LINE / 2), words, 12, longest=area.width)

    def _shown(self, state: int, mode: str) -> Any:
        """What the environment renders, if it renders what the mode promises; else None."""
        if self._render is None or mode not in self._render.modes:
            return None
        try:
            shown = self._render(state, mode)
        except Exception:  # noqa: BLE001  (whatever a stranger's render() cannot do, the state's number can be drawn)
            self._render.modes.remove(mode)
            return None
        fits = isinstance(shown, str) if mode == "ansi" else isinstance(shown, np.ndarray) and shown.ndim == 3
        return shown if fits else None

    def __getstate__(self) -> dict[str, Any]:
        # Another process has not this environment; there it is drawn by its number.
        return {**self.__dict__, "_render": None}
