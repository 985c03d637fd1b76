"""Where values are wrong: each agent's value error on the pictures of its world, all agents on one scale."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

from baselines.comparison.rows import Row
from baselines.report.scores import kind_of_agent
from baselines.report.world_pictures import APART, ENDED, LINE_WIDTH, LINES, CutOut, cut_outs, grid, squares
from baselines.system.atomic_files import write_atomically
from baselines.training.task import Task, named_task
from rl_envs.drawing.palette import HEAT, heat, rgb

# Of an error without end, which has no place on the scale.
ENDLESS = rgb("bad")

PAPER, INK, SOFT = (255, 255, 255), (38, 42, 52), (100, 106, 118)

# Errors so much smaller than rewards, or than the worst error, come from linear solves, and are no scale for others.
ROUNDING = 1e-9

# Of a sheet, in pixels: what its colours mean takes so much.
NARROWEST = 640

# What the legend says of states of ended episodes.
ENDED_WORDS = "the episode is over"

NO_TILES = (
    "This world's picture does not show its states, so each is a square, row by row in the order of their numbers."
)


@dataclass(frozen=True, eq=False)
class ValueMaps:
    """The value errors of all agents on one world, with the pictures they are shown in.

    Attributes:
        world: its name.
        errors: by agent, [S]: at least 0, infinite where the loss has no end, NaN for states of ended episodes.
        pictures: which show every state between them.
        note: why the pictures are not the world's own; empty where they are.
        worst_of_all: the largest finite error.
        worst_of_learners: the same of agents that learn, up to which colours tell errors apart; that of all where no
            agent learns, or all that do have learned everything.
    """

    world: str
    errors: Mapping[str, np.ndarray]
    pictures: Sequence[CutOut]
    note: str
    worst_of_all: float
    worst_of_learners: float

    @property
    def endless(self) -> bool:
        """Whether some loss has no end."""
        return any(bool(np.isinf(error).any()) for error in self.errors.values())

    @property
    def shows_ended(self) -> bool:
        """Whether tiles of ended episodes are seen in a picture."""
        return any(picture.shows_ended for picture in self.pictures)

    def upper_end(self, highest: float) -> str:
        """What stands at the upper end of a scale up to `highest`, or instead of one that could tell nothing apart."""
        if self.worst_of_all == 0:
            return "0 elsewhere" if self.endless else "0 everywhere"
        return f"{highest:.4g}{' and more' if self.worst_of_all > highest else ''}"


def value_maps(world: str, rows: Sequence[Row], not_learning: Sequence[str]) -> ValueMaps | None:
    """The value errors of the agents on a world.

    Args:
        world: its name.
        rows: of that world.
        not_learning: agents that do not learn, by which the scale is not set.

    Returns:
        The maps; None where no row has a value error, or the world has a single state, which makes no picture.

    Raises:
        ValueError: value errors on a world without a table, or not one for each of its states.
    """
    known = {row.agent: row.value_error for row in rows if row.value_error is not None}
    if not known:
        return None
    errors = _errors(world, known)
    if len(_alive(errors)) == 1:
        return None
    task = named_task(world)
    worst_of_all = _worst(list(errors.values()))
    worst_of_learners = _worst([error for agent, error in errors.items() if agent not in not_learning])
    pictures: list[CutOut] = []
    note = NO_TILES
    if task.world is not None:
        try:
            pictures = cut_outs(task.world)
        except DependencyNotInstalled as error:
            note = f"Each state is a square, row by row in the order of their numbers, because {error}"
    if not pictures and (columns := _map_columns(task)):
        pictures = [grid(columns, np.isnan(next(iter(errors.values()))))]
    return ValueMaps(
        world=world,
        errors=errors,
        pictures=pictures or [squares(_alive(errors))],
        note="" if pictures else note,
        worst_of_all=worst_of_all,
        worst_of_learners=worst_of_learners if worst_of_learners > ROUNDING * worst_of_all else worst_of_all,
    )


def single_state(world: str, rows: Sequence[Row]) -> str:
    """A sentence on the value errors on a world of a single state; empty on other worlds, or where none are known."""
    known = {row.agent: row.value_error for row in rows if row.value_error is not None}
    if not known:
        return ""
    errors = _errors(world, known)
    alive = _alive(errors)
    if len(alive) > 1:
        return ""
    numbers = ", ".join(f"{agent} {error[alive[0]]:.3g}" for agent, error in errors.items())
    return f"{world} has a single state, which makes no picture. The error there: {numbers}."


def _map_columns(task: Task) -> int:
    """How many cells a row of a toy-text environment's map has; 0 where states are not the cells of a map."""
    env = task.make_single()
    bare: Any = env.unwrapped
    env.close()
    if not type(bare).__module__.startswith("gymnasium.envs.toy_text"):
        return 0
    _, columns = bare.shape if hasattr(bare, "shape") else (0, getattr(bare, "ncol", 0))
    return int(columns)


def _alive(errors: Mapping[str, np.ndarray]) -> list[int]:
    """The states from which something can be lost."""
    return np.flatnonzero(~np.isnan(next(iter(errors.values())))).tolist()


def _errors(world: str, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Value errors by agent, [S]: at least 0, without what linear solves leave, NaN for states of ended episodes."""
    task = named_task(world)
    if task.truth is None:
        raise ValueError(f"value errors are of states in a table, but {world} has none")
    ended = task.truth.mdp.terminal_states
    for agent, error in known.items():
        if error.shape != ended.shape:
            raise ValueError(
                f"every state must have a value error, but {agent} on {world} has {error.shape} for {ended.shape}"
            )
    nothing = ROUNDING * np.abs(task.truth.mdp.mean_reward).max()
    return {agent: np.where(ended, np.nan, np.where(error > nothing, error, 0.0)) for agent, error in known.items()}


def _worst(errors: Sequence[np.ndarray]) -> float:
    """The largest finite error, or 0."""
    return max((float(error[np.isfinite(error)].max(initial=0.0)) for error in errors), default=0.0)


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
    ended, endless = np.isnan(errors), np.isinf(errors)
    levels = np.where(ended | endless, 0.0, errors) / (worst if worst > 0 else 1.0)
    places = np.linspace(0.0, 1.0, len(HEAT))
    colours = np.stack([np.interp(levels, places, HEAT[:, channel]) for channel in range(3)], axis=1)
    colours[ended], colours[endless] = ENDED, ENDLESS
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
    words = f"{maps.upper_end(maps.worst_of_learners)}   {_what(list(maps.errors))}"
    if maps.endless:
        words += ", pink: without end"
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


def _what(agents: Sequence[str]) -> str:
    """What errors these agents make."""
    found = {kind_of_agent(agent) for agent in agents}
    lost, off = "value lost from each state on", "how far each predicted value is off"
    return f"{lost}, or {off}" if len(found) > 1 else off if found == {"values"} else lost


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
