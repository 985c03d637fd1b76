"""Pictures of a world with its states' tiles cut out, so that colours for any numbers can be put behind them.

A world is painted a few times in all and not once per agent: the page and the PNGs put coloured tiles behind the holes
of one painting, for each agent in turn.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.overlay import Overlay
from rl_envs.drawing.palette import Colour, rgb
from rl_envs.drawing.picture import Box, Point
from rl_envs.rendering.renderer import History
from rl_envs.worlds.world import World

# SubtaskGrid needs three pictures to show all of its states; a robot arm would need hundreds, and gets none.
MOST_PICTURES = 4

# Room around what a world's drawing paints, in pixels.
MARGIN = 10

BLACK, WHITE = (0, 0, 0), (255, 255, 255)

# Of states that only stand for an ended episode, from which nothing can be lost: paper with slanted lines, so many
# pixels apart. Like what walls are painted in here, this is far from every colour that a scale of numbers has.
ENDED, LINES = rgb("paper"), rgb("grid")
APART, LINE_WIDTH = 8, 2
WALL = rgb("grid")

# Longer texts explain videos, and would be unreadable in a shrunken picture.
LONGEST_TEXT = 40


@dataclass(frozen=True)
class Tile:
    """The position of a state in a picture.

    Attributes:
        state: its number.
        x: left edge, or middle of a disc, in pixels.
        y: upper edge, or middle of a disc.
        width: of a rectangle, or diameter of a disc.
        height: of a rectangle; 0 for a disc.
    """

    state: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Label:
    """Text on a tile, which must be readable on any colour.

    Attributes:
        state: whose tile it is on.
        x: the middle of the text, in pixels.
        y: the middle of the text.
        size: height of the letters' line in pixels.
        text: what it says.
    """

    state: int
    x: float
    y: float
    size: int
    text: str


@dataclass(frozen=True, eq=False)
class CutOut:
    """A picture of a world that is transparent where its states' tiles are.

    Attributes:
        pixels: uint8 [H, W, 4], red, green, blue and opacity.
        tiles: the tiles behind the holes.
        labels: the text on the tiles.
        shows_ended: whether it shows tiles of terminal states, which are hatched instead of cut out.
    """

    pixels: np.ndarray
    tiles: tuple[Tile, ...]
    labels: tuple[Label, ...]
    shows_ended: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def states(self) -> set[int]:
        """The states that have a tile."""
        return {tile.state for tile in self.tiles}

    def png(self) -> str:
        """The picture as a data URL."""
        from PIL import Image

        content = io.BytesIO()
        Image.fromarray(self.pixels).save(content, format="png")
        return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def cut_outs(world: World) -> list[CutOut]:
    """Pictures of a world that show each of its states except the terminal ones.

    Args:
        world: the world.

    Returns:
        Few pictures; none where the world's drawing does not show its states as tiles, or a few pictures do not show
        all of them.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """
    missing = {int(np.argmax(world.mdp.start)), *np.flatnonzero(~world.mdp.terminal_states).tolist()}
    state = int(np.argmax(world.mdp.start))
    pictures: list[CutOut] = []
    while missing and len(pictures) < MOST_PICTURES:
        picture = cut_out(world, state)
        found = picture.states & missing
        missing -= found
        if len(missing) > MOST_PICTURES * len(found):
            return []
        pictures.append(picture)
        state = min(missing, default=state)
    return [] if missing else pictures


def cut_out(world: World, state: int) -> CutOut:
    """A picture of a world at the start of an episode in this state.

    The world is painted with black tiles and with white ones. Where the two differ a tile is seen, and by how much
    they differ tells how much of it: at smoothed edges, a part.

    Args:
        world: the world.
        state: where the episode starts.
    """
    history = History(world.mdp.num_states, world.mdp.num_actions)
    history.begin(state)
    canvases = [_TileCanvas(world, colour) for colour in (BLACK, WHITE)]
    for canvas in canvases:
        world.drawing.paint(canvas, history.frame())
    dark, light = (canvas.pixels().astype(np.float64) for canvas in canvases)
    opacity = 1 - np.clip(light - dark, 0, 255).max(axis=2, keepdims=True) / 255
    colour = np.divide(dark, opacity, out=np.zeros_like(dark), where=opacity > 0)
    pixels = np.concatenate([np.clip(colour, 0, 255), 255 * opacity], axis=2).round().astype(np.uint8)
    ended = [tile for tile in canvases[0].tiles if world.mdp.terminal_states[tile.state] and tile.height > 0]
    holes = [_hatch(pixels, tile) for tile in ended]
    return CutOut(pixels, tuple(canvases[0].tiles), tuple(canvases[0].labels), any(holes))


def _hatch(pixels: np.ndarray, tile: Tile) -> bool:
    """Close the hole of a rectangular tile with slanted lines; returns whether there was a hole."""
    rows = slice(max(round(tile.y), 0), round(tile.y + tile.height))
    columns = slice(max(round(tile.x), 0), round(tile.x + tile.width))
    here = pixels[rows, columns]
    y, x = np.ogrid[rows, columns]
    lines = np.where(((x + y) % APART < LINE_WIDTH)[..., None], LINES, ENDED)
    opacity = here[..., 3:] / 255
    is_seen = bool((opacity < 0.5).any())
    here[...] = np.concatenate(
        [(opacity * here[..., :3] + (1 - opacity) * lines).round(), np.full_like(opacity, 255)], axis=2
    )
    return is_seen


class _StateColour(tuple[int, int, int]):
    """The colour of a state's tile, by which the canvas recognises the state."""

    state: int


class _InkOnState(_StateColour):
    """The colour of things on a state's tile."""


class _NoNumbers(Overlay):
    """An overlay that takes its room and draws nothing."""

    def number(self, state: int) -> str:
        return ""


class _TileCanvas(Canvas):
    """A canvas that paints every state's tile in one colour, and records its position.

    Args:
        world: what will be painted.
        colour: of the tiles.
    """

    def __init__(self, world: World, colour: tuple[int, int, int]) -> None:
        width, height = world.drawing.size
        nothing = np.zeros(world.mdp.num_states)
        area = Box(MARGIN, MARGIN, width, height)
        super().__init__(width + 2 * MARGIN, height + 2 * MARGIN, area, _NoNumbers("", values=nothing))
        self.tiles: list[Tile] = []
        self.labels: list[Label] = []
        self._colour = colour
        self._ended = world.mdp.terminal_states

    def shade(self, state: int, otherwise: Colour) -> Colour:
        """A colour that says whose it is."""
        colour = _StateColour(self._colour)
        colour.state = int(state)
        return colour

    def ink_on(self, colour: Colour) -> Colour:
        """A colour that says whose tile it stands on."""
        if not isinstance(colour, _StateColour):
            return super().ink_on(colour)
        ink = _InkOnState(rgb("ink"))
        ink.state = colour.state
        return ink

    def box(self, box: Box, colour: Colour, **looks: Any) -> None:
        """Record and paint a tile; a wall gets another colour, and does not hide the tile of a terminal state."""
        if isinstance(colour, _StateColour):
            self.tiles.append(Tile(colour.state, box.x, box.y, box.width, box.height))
        elif colour == "wall":
            if self._hides_an_end(box):
                return
            colour = WALL
        super().box(box, colour, **looks)

    def _hides_an_end(self, box: Box) -> bool:
        """Whether a box lies on the tile of a terminal state."""
        x, y = box.center
        return any(
            self._ended[tile.state] and tile.x <= x < tile.x + tile.width and tile.y <= y < tile.y + tile.height
            for tile in self.tiles
        )

    def circle(self, center: Point, radius: float, colour: Colour | None, **looks: Any) -> None:
        """Record and paint a tile."""
        if isinstance(colour, _StateColour):
            self.tiles.append(Tile(colour.state, *center, 2 * radius, 0))
        super().circle(center, radius, colour, **looks)

    def text(
        self,
        at: Point,
        text: str,
        size: int = 13,
        colour: Colour = "ink",
        align: str = "center",
        longest: float = float("inf"),
    ) -> float:
        """Write text; text on a tile is recorded instead, to be written once the tile's colour is known."""
        if len(text) > LONGEST_TEXT:
            return 0.0
        if not isinstance(colour, _InkOnState):
            return super().text(at, text, size, colour, align, longest)
        if text:
            self.labels.append(Label(colour.state, *at, size, text))
        return 0.0


def squares(states: Sequence[int], *, columns: int = 64, width: int = 512) -> CutOut:
    """A picture for states that a world's own drawing does not show: equal squares, row by row in the order given.

    Args:
        states: which states.
        columns: how many squares a row has at most.
        width: of the picture, in pixels, or a little less.
    """
    in_a_row = min(columns, max(len(states), 8))
    side = width // in_a_row
    tiles = tuple(
        Tile(state, number % in_a_row * side, number // in_a_row * side, side, side)
        for number, state in enumerate(states)
    )
    pixels = np.zeros((math.ceil(len(states) / in_a_row) * side + 1, in_a_row * side, 4), dtype=np.uint8)
    pixels[...] = (*rgb("paper"), 255)
    gap = math.ceil(side / 20) if side >= 12 else 0  # lines between smaller squares would be most of what is seen
    for tile in tiles:
        x, y = int(tile.x), int(tile.y)
        pixels[y + gap : y + side, x + gap : x + side, 3] = 0
    return CutOut(pixels, tiles, ())


def grid(columns: int, ended: np.ndarray, *, width: int = 512) -> CutOut:
    """A picture for states that are the cells of a map, row by row.

    Args:
        columns: how many cells stand in a row.
        ended: which states only stand for an ended episode, [S] bool.
        width: of the picture, in pixels.
    """
    picture = squares(range(len(ended)), columns=columns, width=width)
    holes = [_hatch(picture.pixels, tile) for tile in picture.tiles if ended[tile.state]]
    return CutOut(picture.pixels, picture.tiles, (), any(holes))
