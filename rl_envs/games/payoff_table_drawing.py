"""A matrix game drawn as its payoff table, as text or picture, with the last joint action highlighted.

Rows are player_0's actions and columns player_1's. Of a game with more players the table is a slice: the others keep
the actions they have just played, named above it. A payoff is underlined where the action is a best response to the
others' in that cell; a cell with every payoff underlined is a pure equilibrium.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from rl_envs.drawing.palette import PLAYERS, Colour
from rl_envs.drawing.picture import Box, Picture
from rl_envs.games.normal_form import NormalFormGame

_LIT: Colour = (255, 236, 153)
_LIT_EDGE: Colour = (240, 140, 0)
_FONT_SIZES = (22, 19, 16, 14, 12, 10)
_MAX_WIDTH, _MAX_HEIGHT = 1200, 900


@dataclass(frozen=True)
class Scene:
    """What there is to draw.

    Attributes:
        game: the table.
        joint_action: what was just played, or `None` before the first round.
        cycle: rounds played.
        max_cycles: rounds in all.
        totals: [N], what each player has earned so far.
    """

    game: NormalFormGame
    joint_action: tuple[int, ...] | None
    cycle: int
    max_cycles: int
    totals: Sequence[float]

    @property
    def title(self) -> str:
        """The game's name and the round."""
        if self.joint_action is None:
            return f"{self.game.name}, before the first of {self.max_cycles} rounds"
        return f"{self.game.name}, round {self.cycle} of {self.max_cycles}"

    @property
    def others(self) -> str:
        """What the players beyond the second have played, empty for two players."""
        names = self.game.action_names[2:]
        return ", ".join(f"player_{i}: {names[i - 2][a]}" for i, a in enumerate(self._slice, start=2))

    @property
    def _slice(self) -> tuple[int, ...]:
        return self.joint_action[2:] if self.joint_action is not None else (0,) * (self.game.num_players - 2)

    @property
    def lit(self) -> tuple[int, int] | None:
        """The cell just played, (row, column)."""
        if self.joint_action is None:
            return None
        return self.joint_action[0], self.joint_action[1] if self.game.num_players > 1 else 0

    def cells(self) -> np.ndarray:
        """The payoffs of the slice, [N, rows, columns]."""
        return self._sliced(self.game.payoffs)

    def best(self) -> np.ndarray:
        """Whether each payoff is a best response's, [N, rows, columns]."""
        payoffs = self.game.payoffs
        return self._sliced(np.stack([own == own.max(axis=i, keepdims=True) for i, own in enumerate(payoffs)]))

    def _sliced(self, table: np.ndarray) -> np.ndarray:
        if table.ndim == 2:  # one player, one column
            return table[:, :, None]
        chosen: tuple[Any, ...] = (slice(None), slice(None), slice(None), *self._slice)
        return table[chosen]


def as_text(scene: Scene) -> str:
    """The table as text: the joint action in brackets, best responses starred, running totals below.

    Args:
        scene: what to draw.

    Returns:
        Several lines, each ended by a line feed.
    """
    cells, best = scene.cells(), scene.best()
    words = [
        [_cell_words(cells[:, row, column], best[:, row, column]) for column in range(cells.shape[2])]
        for row in range(cells.shape[1])
    ]
    if scene.lit is not None:
        words[scene.lit[0]][scene.lit[1]] = f"[{words[scene.lit[0]][scene.lit[1]]}]"
    row_names, column_names = _headers(scene.game)
    rows = [["", *column_names], *([name, *line] for name, line in zip_longest(row_names, words))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [scene.title] + ([scene.others] if scene.others else [])
    for row in rows:
        first, *rest = (word.center(width) for word, width in zip(row, widths, strict=True))
        lines.append("  ".join([first, *rest]).rstrip())
    totals = "  ".join(f"player_{player} {total:g}" for player, total in enumerate(scene.totals))
    return "\n".join([*lines, f"totals: {totals}", ""])


def as_pixels(scene: Scene) -> np.ndarray:
    """The table as a picture, always of the same size for one game.

    Args:
        scene: what to draw.

    Returns:
        uint8 [height, width, 3].
    """
    layout = _layout(scene.game)
    picture = Picture(layout.width, layout.height)
    picture.text((layout.margin, layout.margin + layout.line // 2), scene.title, layout.font, align="left")
    if scene.others:
        y = layout.margin + layout.line + layout.line // 2
        picture.text((layout.margin, y), scene.others, layout.font, "faint", align="left")
    _draw_headers(picture, layout, scene.game)
    _draw_cells(picture, layout, scene)
    _draw_totals(picture, layout, scene)
    return picture.pixels()


@dataclass(frozen=True)
class _Layout:
    font: int
    margin: int
    line: int  # height of a line of text
    left: int  # where the cells begin
    top: int
    cell_width: int
    cell_height: int
    width: int
    height: int
    written: bool  # whether the payoffs fit into the cells


def _layout(game: NormalFormGame) -> _Layout:
    """The largest letters with which the whole table fits; shades instead of numbers if none do."""
    measure = Picture(1, 1)
    for font in _FONT_SIZES:
        layout = _layout_with(game, measure, font, written=True)
        if layout.width <= _MAX_WIDTH and layout.height <= _MAX_HEIGHT:
            return layout
    return _layout_with(game, measure, _FONT_SIZES[-1], written=False)


def _layout_with(game: NormalFormGame, measure: Picture, font: int, written: bool) -> _Layout:
    row_names, column_names = _headers(game)
    margin, line = int(1.35 * font), 2 * font
    header_lines = 1 + (game.num_players > 2)
    if written:
        entries = [_number(payoff) for payoff in np.unique(game.payoffs)]
        entry = max(measure.text_width(words, font) for words in entries)
        names = max(measure.text_width(name, font) for name in column_names)
        cell_width = math.ceil(max(game.num_players * (entry + font), names + 1.35 * font))
        cell_height = 3 * font
    else:
        cell_width = cell_height = max(2, min(_MAX_WIDTH // len(column_names), _MAX_HEIGHT // len(row_names)) * 3 // 4)
    widest_row_name = max(measure.text_width(name, font) for name in row_names)
    left = margin + math.ceil(widest_row_name + 1.35 * font)
    top = margin + line * (header_lines + 1) + font // 2
    totals = sum(measure.text_width(_total_words(player, -88888.8), font) + font for player in range(game.num_players))
    title = measure.text_width(f"{game.name}, before the first of 1000000 rounds", font)
    width = math.ceil(max(left + cell_width * len(column_names), margin + totals, margin + title)) + margin
    height = top + cell_height * len(row_names) + 3 * line
    return _Layout(font, margin, line, left, top, cell_width, cell_height, width, height, written)


def _draw_headers(picture: Picture, layout: _Layout, game: NormalFormGame) -> None:
    if not layout.written:
        return
    row_names, column_names = _headers(game)
    for row, name in enumerate(row_names):
        y = layout.top + row * layout.cell_height + layout.cell_height // 2
        picture.text((layout.left - layout.font / 2, y), name, layout.font, PLAYERS[0], align="right")
    for column, name in enumerate(column_names):
        x = layout.left + column * layout.cell_width + layout.cell_width // 2
        picture.text((x, layout.top - layout.line / 2), name, layout.font, PLAYERS[1])


def _draw_cells(picture: Picture, layout: _Layout, scene: Scene) -> None:
    cells, best = scene.cells(), scene.best()
    width, height = layout.cell_width, layout.cell_height
    shades = _shades(scene)
    for row, column in np.ndindex(cells.shape[1:]):
        x, y = layout.left + column * width, layout.top + row * height
        if (row, column) == scene.lit or not layout.written:
            picture.box(Box(x, y, width, height), _LIT if (row, column) == scene.lit else shades[row][column])
        if layout.written:
            picture.outline(Box(x, y, width + 1, height + 1), "grid", 1)
            _draw_payoffs(picture, layout, x, y, cells[:, row, column], best[:, row, column])
    if scene.lit is not None:
        x, y = layout.left + scene.lit[1] * width, layout.top + scene.lit[0] * height
        picture.outline(Box(x, y, width + 1, height + 1), _LIT_EDGE, 3)


def _draw_payoffs(picture: Picture, layout: _Layout, x: int, y: int, payoffs: np.ndarray, best: np.ndarray) -> None:
    middle = y + layout.cell_height // 2
    share = layout.cell_width // len(payoffs)
    for player, (payoff, is_best) in enumerate(zip(payoffs, best, strict=True)):
        center = x + share * player + share // 2
        words, colour = _number(payoff), _colour(player)
        half = picture.text((center, middle), words, layout.font, colour) / 2
        if is_best:
            below = middle + 0.6 * layout.font
            picture.line((center - half, below), (center + half, below), colour, 2)


def _draw_totals(picture: Picture, layout: _Layout, scene: Scene) -> None:
    x = float(layout.margin)
    y = layout.height - layout.line / 2 - layout.font / 2
    for player, total in enumerate(scene.totals):
        words = _total_words(player, total)
        x += picture.text((x, y), words, layout.font, _colour(player), align="left") + layout.font
    picture.text((layout.margin, y - layout.line), "totals", layout.font, align="left")


def _shades(scene: Scene) -> list[list[Colour]]:
    """A grey for every cell, the darker the larger the sum of payoffs: what a table too large for numbers shows."""
    welfare = scene.cells().sum(axis=0)
    lowest, span = scene.game.payoffs.sum(axis=0).min(), max(np.ptp(scene.game.payoffs.sum(axis=0)), 1e-300)
    levels = (240 - 180 * (welfare - lowest) / span).astype(int).tolist()
    return [[(level, level, level) for level in row] for row in levels]


def _headers(game: NormalFormGame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return game.action_names[0], game.action_names[1] if game.num_players > 1 else ("",)


def _cell_words(payoffs: np.ndarray, best: np.ndarray) -> str:
    return ", ".join(_number(payoff) + ("*" if is_best else "") for payoff, is_best in zip(payoffs, best, strict=True))


def _total_words(player: int, total: float) -> str:
    return f"player_{player}: {total:g}"


def _number(payoff: float) -> str:
    return f"{payoff:.0f}" if payoff == round(payoff) and abs(payoff) < 1e5 else f"{payoff:.3g}"


def _colour(player: int) -> Colour:
    return PLAYERS[player % len(PLAYERS)]
