"""The soccer pitch, in text and in pixels."""

from __future__ import annotations

import numpy as np

from rl_envs.drawing.palette import PLAYERS, Colour
from rl_envs.drawing.picture import Box, Picture
from rl_envs.games.soccer_rules import GOAL_COLUMN, GOAL_ROWS, NUM_COLUMNS, NUM_ROWS, Position

_LETTERS = "AB"
_GRASS: tuple[Colour, Colour] = ((102, 168, 92), (112, 178, 102))
_SQUARE = 96
_MARGIN = 24
_GOAL_DEPTH = 60
_HEADER = 56
_WIDTH = 2 * (_MARGIN + _GOAL_DEPTH) + NUM_COLUMNS * _SQUARE
_HEIGHT = _HEADER + NUM_ROWS * _SQUARE + _MARGIN


def as_text(position: Position, cycle: int, max_cycles: int) -> str:
    """The pitch as text: A is player_0 and attacks the goal on the left; the player with the ball has an o beside it.

    Args:
        position: what is on the pitch.
        cycle: rounds played.
        max_cycles: rounds in all.

    Returns:
        Several lines, each ended by a line feed.
    """
    grid = [["." for _ in range(NUM_COLUMNS)] for _ in range(NUM_ROWS)]
    for player, (row, column) in enumerate(position.squares):
        has_ball = position.ball == player and position.scorer is None
        grid[row][column] = _LETTERS[player] + ("o" if has_ball else "")
    lines = [_title(position, cycle, max_cycles), "    +" + "-" * (4 * NUM_COLUMNS) + "+"]
    for row, squares in enumerate(grid):
        left, right = (_post(row, player, position) for player in (0, 1))
        lines.append(f" {left}|" + "".join(square.center(4) for square in squares) + f"|{right}")
    return "\n".join([*(line.rstrip() for line in lines), lines[1], ""])


def as_pixels(position: Position, cycle: int, max_cycles: int) -> np.ndarray:
    """The pitch as a picture.

    Args:
        position: what is on the pitch.
        cycle: rounds played.
        max_cycles: rounds in all.

    Returns:
        uint8 [height, width, 3], the same size for all positions.
    """
    picture = Picture(_WIDTH, _HEIGHT)
    picture.text((_WIDTH / 2, _HEADER / 2), _title(position, cycle, max_cycles), 22)
    _draw_pitch(picture)
    for player, square in enumerate(position.squares):
        x, y = _center(*square)
        picture.circle((x, y), 32, PLAYERS[player])
        picture.text((x, y + 2), _LETTERS[player], 33, "white")
    _draw_ball(picture, *_ball_place(position))
    return picture.pixels()


def _title(position: Position, cycle: int, max_cycles: int) -> str:
    if position.scorer is not None:
        return f"player_{position.scorer} ({_LETTERS[position.scorer]}) scores in round {cycle}"
    return f"grid_soccer, round {cycle} of {max_cycles}"


def _post(row: int, player: int, position: Position) -> str:
    if row not in GOAL_ROWS:
        return "   "
    return "(o)" if position.scorer == player and row == GOAL_ROWS[0] else "( )"


def _draw_pitch(picture: Picture) -> None:
    for row in range(NUM_ROWS):
        for column in range(NUM_COLUMNS):
            x, y = _center(row, column)
            shade = _GRASS[(row + column) % 2]
            picture.box(Box(x - _SQUARE / 2, y - _SQUARE / 2, _SQUARE, _SQUARE), shade)
    left, top = _MARGIN + _GOAL_DEPTH, _HEADER
    picture.outline(Box(left, top, NUM_COLUMNS * _SQUARE, NUM_ROWS * _SQUARE), "white", 4)
    goal_top, goal_height = top + GOAL_ROWS[0] * _SQUARE, len(GOAL_ROWS) * _SQUARE
    for player, x in ((0, _MARGIN), (1, left + NUM_COLUMNS * _SQUARE)):
        # The colour of a goal is that of the player who attacks it.
        goal = Box(x, goal_top, _GOAL_DEPTH, goal_height)
        picture.box(goal, _paler(PLAYERS[player]))
        for step in range(0, goal_height + 1, 24):
            picture.line((x, goal_top + step), (x + _GOAL_DEPTH, goal_top + step), "white", 1)
        for step in range(0, _GOAL_DEPTH + 1, 20):
            picture.line((x + step, goal_top), (x + step, goal_top + goal_height), "white", 1)
        picture.outline(goal, PLAYERS[player], 4)


def _ball_place(position: Position) -> tuple[int, int]:
    if position.scorer is None:
        x, y = _center(*position.squares[position.ball])
        return x + 26, y + 26
    side = GOAL_COLUMN[position.scorer]
    x = _MARGIN + _GOAL_DEPTH // 2 if side < 0 else _WIDTH - _MARGIN - _GOAL_DEPTH // 2
    return x, _HEADER + (GOAL_ROWS[0] + GOAL_ROWS[1] + 1) * _SQUARE // 2


def _draw_ball(picture: Picture, x: int, y: int) -> None:
    picture.circle((x, y), 15, "white", border="ink", border_width=3)
    picture.circle((x, y), 5, "ink")


def _center(row: int, column: int) -> tuple[int, int]:
    x = _MARGIN + _GOAL_DEPTH + column * _SQUARE + _SQUARE // 2
    return x, _HEADER + row * _SQUARE + _SQUARE // 2


def _paler(colour: tuple[int, int, int]) -> Colour:
    red, green, blue = ((channel + 2 * 255) // 3 for channel in colour)
    return red, green, blue
