"""Value errors by state as a PNG: the world's picture once per agent, coloured by the agent's value errors."""

from __future__ import annotations

import io
import math
from collections.abc import Set
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from baselines.report.scores import Kind
from baselines.report.value_maps import ENDED_WORDS, INFINITE, ValueMaps
from baselines.report.world_pictures import APART, ENDED, LINE_WIDTH, LINES, CutOut
from baselines.system.atomic_files import write_atomically
from rl_envs.drawing.palette import HEAT, heat, rgb

PAPER, INK, SOFT = (255, 255, 255), (38, 42, 52), (100, 106, 118)

# Of a sheet, in pixels: what its colours mean takes so much.
NARROWEST = 640


def draw_value_maps(maps: ValueMaps, path: Path) -> None:
    """Draw the maps of all agents side by side, with the scale above them.

    Args:
        maps: what to draw.
        path: the file, a PNG.

    Raises:
        StorageError: it cannot be written.
    """
    from PIL import Image, ImageDraw

    wide = all(picture.size[0] > 2.5 * picture.size[1] for picture in maps.pictures)
    width, columns = (440, 2) if wide else (240, 4)
    painters = [_Painter(picture, width) for picture in maps.pictures]
    height = 24 + sum(painter.height + 8 for painter in painters)
    columns = min(columns, len(maps.errors))
    lines = math.ceil(len(maps.errors) / columns)
    sheet = Image.new("RGB", (max(columns * (width + 20), NARROWEST) + 20, 66 + lines * (height + 14)), PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_heading(draw, maps)
    for number, (agent, error) in enumerate(maps.errors.items()):
        line, column = divmod(number, columns)
        x, y = 20 + column * (width + 20), 66 + line * (height + 14)
        draw.text((x, y), _fitting(agent, width), fill=INK, font=_font(13))
        y += 24
        for painter in painters:
            sheet.paste(painter.paint(error, maps.worst_of_learners), (x, y))
            y += painter.height + 8
    content = io.BytesIO()
    sheet.save(content, format="png", compress_level=3)  # 6 takes twice as long, to save a tenth
    write_atomically(path, content.getvalue())


def tile_colours(errors: np.ndarray, worst: float) -> np.ndarray:
    """The colours of the states' tiles.

    Args:
        errors: [S], NaN where there is none.
        worst: the upper end of the scale; a larger error has its colour.

    Returns:
        Red, green and blue, 0..255, [S, 3].
    """
    ended, infinite = np.isnan(errors), np.isinf(errors)
    levels = np.where(ended | infinite, 0.0, errors) / (worst if worst > 0 else 1.0)
    places = np.linspace(0.0, 1.0, len(HEAT))
    colours = np.stack([np.interp(levels, places, HEAT[:, channel]) for channel in range(3)], axis=1)
    colours[ended], colours[infinite] = ENDED, INFINITE
    return colours


class _Painter:
    """Puts colours behind the holes of one picture, agent after agent.

    Args:
        picture: the picture.
        width: what it is shrunk to, in pixels.
    """

    def __init__(self, picture: CutOut, width: int) -> None:
        from PIL import Image

        self._labels = picture.labels
        self._scale = width / picture.size[0]
        self.height = round(picture.size[1] * self._scale)
        # With colours weighted by opacity, shrinking mixes what is seen and not what lies under the holes.
        opacity = picture.pixels[..., 3:] / 255
        weighted = np.concatenate([picture.pixels[..., :3] * opacity, 255 * opacity], axis=2).round().astype(np.uint8)
        shrunk = np.array(
            Image.fromarray(weighted).resize((width, self.height), Image.Resampling.BOX), dtype=np.float32
        )
        self._paint, self._hole = shrunk[..., :3], 1 - shrunk[..., 3:] / 255
        rows, columns = (
            np.minimum(((np.arange(number) + 0.5) / self._scale).astype(int), limit - 1)
            for number, limit in ((self.height, picture.size[1]), (width, picture.size[0]))
        )
        self._state = _state_behind(picture)[rows[:, None], columns]

    def paint(self, errors: np.ndarray, worst: float) -> Any:
        """The picture with the colours of these errors [S]."""
        from PIL import Image, ImageDraw

        colours = np.concatenate([tile_colours(errors, worst), [rgb("paper")]]).astype(np.float32)
        pixels = self._paint + self._hole * colours[self._state]
        image = Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        for label in self._labels:
            at = (label.x * self._scale, label.y * self._scale)
            ink = INK if colours[label.state] @ (0.299, 0.587, 0.114) > 120 else PAPER
            draw.text(at, label.text, fill=ink, font=_font(max(9, round(label.size * self._scale))), anchor="mm")
        return image


def _state_behind(picture: CutOut) -> np.ndarray:
    """The state whose tile is seen at each pixel, [H, W]; -1 where there is none.

    Tiles reach a pixel under the picture around their holes, whose edges are smoothed.
    """
    width, height = picture.size
    behind = np.full((height, width), -1)
    for reach in (1, 0):
        for tile in picture.tiles:
            if tile.height > 0:
                rows = slice(max(round(tile.y) - reach, 0), round(tile.y + tile.height) + reach)
                columns = slice(
                    max(round(tile.x) - reach, 0), max(round(tile.x + tile.width), round(tile.x) + 1) + reach
                )
                behind[rows, columns] = tile.state
            else:
                y, x = np.ogrid[:height, :width]
                behind[np.hypot(x + 0.5 - tile.x, y + 0.5 - tile.y) <= tile.width / 2 + reach] = tile.state
    return behind


def _draw_heading(draw: Any, maps: ValueMaps) -> None:
    """The world's name, and below it what the colours mean."""
    draw.text((20, 12), maps.world, fill=INK, font=_font(16))
    words = f"{maps.upper_end(maps.worst_of_learners)}   {_what(maps.kinds)}"
    if maps.infinite:
        words += ", pink: infinite"
    left = 204 if maps.worst_of_all > 0 else 20
    if maps.worst_of_all > 0:
        for column in range(160):
            draw.line([(36 + column, 42), (36 + column, 52)], fill=heat((column + 0.5) / 160))
        draw.text((20, 40), "0", fill=SOFT, font=_font(12))
    draw.text((left, 40), words, fill=SOFT, font=_font(12))
    if maps.shows_ended:
        left += round(_font(12).getlength(words)) + 18
        _draw_hatched(draw, left, 42, 16, 11)
        draw.text((left + 22, 40), ENDED_WORDS, fill=SOFT, font=_font(12))


def _draw_hatched(draw: Any, left: int, top: int, width: int, height: int) -> None:
    """A sample of what tiles of ended episodes look like."""
    draw.rectangle((left, top, left + width, top + height), fill=ENDED, outline=LINES)
    for x, y in np.ndindex(width, height):
        if (x + y) % APART < LINE_WIDTH:
            draw.point((left + x, top + y), fill=LINES)


def _what(found: Set[Kind]) -> str:
    """What the value errors of agents of these kinds are."""
    policy, prediction = "suboptimality, v*(s) minus the policy's value", "absolute error of the predicted value"
    return f"{policy}, or {prediction}" if len(found) > 1 else prediction if found == {"values"} else policy


def _fitting(text: str, width: int) -> str:
    """The text, cut off with dots where it is wider than so many pixels."""
    font = _font(13)
    while len(text) > 4 and font.getlength(text) > width:
        text = text.removesuffix("...")[:-1] + "..."
    return text


@lru_cache
def _font(size: int) -> Any:
    """The font that comes with matplotlib."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), size)
