"""Maps drawn as text: from glyphs to cells and moves, and from cells to rooms and hallways.

A map is a string of several lines, or a list of rows. `#` is a wall, `.` or a space is floor, and each world adds its
own letters. Everything beyond the drawing's edge is wall. Rows and columns count from 0. Cells are all places that are
not wall, numbered from 0 in reading order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MOVES = ("up", "right", "down", "left")
KEYS: Mapping[str, int] = {"w": 0, "d": 1, "s": 2, "a": 3}
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # change of row and column of each move
ARROWS = tuple((column, row) for row, column in STEPS)  # how each move points in a picture: right and down
WALL, FLOOR = "#", "."


@dataclass(frozen=True, eq=False)
class GridWorld:
    """A map: its cells, and where each move leads.

    Attributes:
        rows: the drawing, one string per row, floor always as ".".
        cells: row and column of each cell.
        index: number of the cell at each row and column, -1 where there is wall.
        neighbours: the cell that each move leads to from each cell; the cell itself where a wall is in the way.
        marks: the cell of each letter on the map.
    """

    rows: tuple[str, ...]
    cells: np.ndarray  # [N, 2] int64
    index: np.ndarray  # [height, width] int64
    neighbours: np.ndarray  # [N, 4] int64
    marks: Mapping[str, int]

    @property
    def num_cells(self) -> int:
        """N, the number of cells that are not wall."""
        return len(self.cells)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns of the drawing."""
        return len(self.rows), len(self.rows[0])

    @property
    def picture_size(self) -> tuple[int, int]:
        """Width and height that a picture of the map needs, in pixels, with cells as large as the screen allows."""
        height, width = self.shape
        cell = min(44, max(4, min(480 // height, 900 // width)))
        return max(480, width * cell), height * cell

    def cell_at(self, name: str, place: Sequence[int]) -> int:
        """The cell at a row and column that a user names.

        Args:
            name: the argument's name, for the error.
            place: (row, column).

        Returns:
            The cell's number.

        Raises:
            TypeError: not a pair of integers.
            ValueError: outside the map, or wall.
        """
        numbers = list(place) if isinstance(place, (Sequence, np.ndarray)) and not isinstance(place, str) else []
        if len(numbers) != 2 or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) for n in numbers):
            raise TypeError(f"{name} must be a row and a column, as [7, 9], but is {place!r}")
        row, column = (int(n) for n in numbers)
        height, width = self.shape
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(f"{name} must be on the map of {height} rows and {width} columns, but is {place!r}")
        if self.index[row, column] < 0:
            raise ValueError(f"{name} must not be wall, but is {located(self.rows, row, column)}")
        return int(self.index[row, column])

    def text(self, glyphs: Mapping[int, str]) -> str:
        """The map as lines of text: wall, floor, and a glyph in each given cell."""
        lines = [[WALL if index < 0 else FLOOR for index in row] for row in self.index.tolist()]
        for cell, glyph in glyphs.items():
            row, column = self.cells[cell]
            lines[row][column] = glyph
        return "\n".join("".join(line) for line in lines)

    def located(self, cell: int) -> str:
        """A cell's place for an error message: row and column, and its row of the drawing with a mark below it."""
        row, column = self.cells[cell].tolist()
        return located(self.rows, row, column)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the states of a world lie on its map.

    Attributes:
        grid: the map.
        cell: the cell that the agent is in, in each state.
        stage: the stage of the task in each state; 0 throughout for a task without stages.
        move_probability: the probability of each of the four moves, given each action.
        subtasks: a name for each stage; empty for a task without stages.
    """

    grid: GridWorld
    cell: np.ndarray  # [S] int64
    stage: np.ndarray  # [S] int64
    move_probability: np.ndarray  # [A, 4] float64
    subtasks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rooms:
    """The rooms of a map and the hallways that join them.

    Attributes:
        room: the room that each cell belongs to; -1 in a hallway.
        hallways: the cell of each hallway, in reading order.
        joins: the two rooms that each hallway joins.
    """

    room: np.ndarray  # [N] int64
    hallways: tuple[int, ...]
    joins: tuple[tuple[int, int], ...]

    @property
    def num_rooms(self) -> int:
        """The number of rooms."""
        return int(self.room.max()) + 1

    def of_room(self, room: int) -> list[int]:
        """The cells of the hallways that lead out of a room."""
        return [cell for cell, joined in zip(self.hallways, self.joins, strict=True) if room in joined]


def read_map(
    drawing: str | Sequence[str], *, required: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> GridWorld:
    """Read a map drawn as text.

    In a string, blank lines at the top and bottom and the indentation common to all lines are removed, so draw floor
    at a map's edge as ".". A list of rows is used unchanged.

    Args:
        drawing: the map, a string of several lines or a list of rows.
        required: letters that must appear exactly once, with what each stands for: {"G": "goal"}.
        optional: letters that may appear once, in the same form.

    Returns:
        The map.

    Raises:
        TypeError: neither a string nor a list of strings.
        ValueError: rows of unequal length, an unknown glyph, or a letter missing or repeated; the message shows the
            row and column.
    """
    rows = tuple(row.replace(" ", FLOOR) for row in _rows(drawing))
    letters = {**required, **(optional or {})}
    for row, line in enumerate(rows):
        if len(line) != len(rows[0]):
            raise ValueError(
                f"every row of the map must be as long as row 0, {len(rows[0])} columns, but it differs at "
                + located(rows, row, min(len(line), len(rows[0])), f"which has {len(line)}")
            )
    found: dict[str, list[tuple[int, int]]] = {letter: [] for letter in letters}
    for row, line in enumerate(rows):
        for column, glyph in enumerate(line):
            if glyph in letters:
                found[glyph].append((row, column))
            elif glyph not in (WALL, FLOOR):
                known = ", ".join(f"{letter} {meaning}" for letter, meaning in letters.items())
                raise ValueError(
                    f"the map has an unknown glyph {glyph!r} at {located(rows, row, column)}\n"
                    f"Known: {WALL} wall, {FLOOR} or a space floor, {known}"
                )
    for letter, places in found.items():
        if len(places) > 1:
            first = "row {}, column {}".format(*places[0])
            raise ValueError(
                f"the map must have one {letter} ({letters[letter]}), but after {first} there is another at "
                + located(rows, *places[1])
            )
        if not places and letter in required:
            raise ValueError(
                f"the map must have one {letter} ({letters[letter]}), but has none in rows 0..{len(rows) - 1}, "
                f"columns 0..{len(rows[0]) - 1}:\n" + "\n".join(rows)
            )
    index = _number_cells(rows)
    cells = np.argwhere(index >= 0)
    if len(cells) == 0:
        raise ValueError("the map must have a cell that is not wall, but has none:\n" + "\n".join(rows))
    return GridWorld(
        rows=rows,
        cells=cells,
        index=index,
        neighbours=_neighbours(index, cells),
        marks={letter: int(index[places[0]]) for letter, places in found.items() if places},
    )


def reachable(grid: GridWorld, cell: int, *, closed: Iterable[int] = ()) -> np.ndarray:
    """The cells that can be reached from one cell.

    Args:
        grid: the map.
        cell: where to begin.
        closed: cells that cannot be entered.

    Returns:
        Array [N] of bool, true for the first cell too.
    """
    seen = np.zeros(grid.num_cells, dtype=np.bool_)
    seen[cell] = True
    barred = set(closed)
    waiting = deque([cell])
    while waiting:
        for neighbour in grid.neighbours[waiting.popleft()].tolist():
            if not seen[neighbour] and neighbour not in barred:
                seen[neighbour] = True
                waiting.append(neighbour)
    return seen


def find_rooms(grid: GridWorld) -> Rooms:
    """Tell rooms from hallways.

    A cell is narrow if it has walls on two opposite sides and none on the other two. A straight run of narrow cells is
    a passage. The rooms are the connected pieces that remain without the passages. Where a passage joins two different
    rooms, its middle cell is a hallway (of two, the first in reading order); its other cells belong to the room on
    their side. A passage that leads back into the same room, such as one past a pillar, belongs to that room.

    Args:
        grid: the map.

    Returns:
        Rooms, numbered in reading order of their first cell outside passages, and hallways in reading order.
    """
    blocked = grid.neighbours == np.arange(grid.num_cells)[:, None]  # [N, 4]
    across, along = blocked[:, [1, 3]], blocked[:, [0, 2]]
    narrow = (across.all(axis=1) & ~along.any(axis=1)) | (along.all(axis=1) & ~across.any(axis=1))
    open_room = _components(grid, ~narrow)
    passage = _components(grid, narrow)

    room = open_room.copy()
    found = []
    for number in range(int(passage.max()) + 1):
        cells = np.flatnonzero(passage == number)  # in order from one end to the other
        first, last = (_rooms_beside(grid, open_room, cell) for cell in (cells[0], cells[-1]))
        before, after = first[0], last[-1]
        middle = (len(cells) - 1) // 2
        room[cells[:middle]], room[cells[middle:]] = before, after
        if before != after:
            room[cells[middle]] = -1
            found.append((int(cells[middle]), (before, after)))
    found.sort()
    return Rooms(room, tuple(cell for cell, _ in found), tuple(joined for _, joined in found))


def views(
    codes: np.ndarray, situation: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, outside: int
) -> np.ndarray:
    """What is in the nine cells around and under the agent.

    Args:
        codes: a number for what is at each row and column, in each of m situations, [m, height, width].
        situation: the situation of each state, [S].
        rows: the agent's row in each state, [S].
        columns: the agent's column likewise.
        outside: the number for everything beyond the map's edge.

    Returns:
        Array [S, 9], the nine cells in reading order.
    """
    padded = np.pad(codes, ((0, 0), (1, 1), (1, 1)), constant_values=outside)
    down, right = (offset.ravel() for offset in np.mgrid[0:3, 0:3])
    return padded[situation[:, None], rows[:, None] + down, columns[:, None] + right]


def scaled(numbers: np.ndarray, size: int) -> np.ndarray:
    """Numbers 0..size-1 spread evenly over [0, 1]; 0 if there is only one."""
    return numbers / max(1, size - 1)


def located(rows: Sequence[str], row: int, column: int, note: str = "") -> str:
    """A place on a map for an error message: row and column, then that row of the drawing with a mark below it."""
    return f"row {row}, column {column}{', ' + note if note else ''}:\n    {rows[row]}\n    {' ' * column}^"


def _rows(drawing: str | Sequence[str]) -> list[str]:
    """The rows of a drawing in either form, not yet checked; there is at least one."""
    if isinstance(drawing, str):
        lines = drawing.split("\n")
        written = [number for number, line in enumerate(lines) if line.strip()]
        lines = lines[written[0] : written[-1] + 1] if written else []
        margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        rows = [line[margin:] for line in lines]
    elif isinstance(drawing, Sequence) and all(isinstance(row, str) for row in drawing):
        rows = list(drawing)
    else:
        raise TypeError(f"map must be a string or a list of strings, but is {drawing!r}")
    if not rows or not rows[0]:
        raise ValueError("map must have at least one row and one column, but is empty")
    return rows


def _number_cells(rows: tuple[str, ...]) -> np.ndarray:
    """The number of the cell at each row and column, -1 for wall: [height, width]."""
    free = np.array([[glyph != WALL for glyph in row] for row in rows])
    return np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)


def _neighbours(index: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The cell that each of the four moves leads to from each cell: [N, 4]."""
    padded = np.pad(index, 1, constant_values=-1)
    ahead = np.stack([padded[tuple((cells + step + 1).T)] for step in STEPS], axis=1)
    return np.where(ahead < 0, np.arange(len(cells))[:, None], ahead)


def _rooms_beside(grid: GridWorld, room: np.ndarray, cell: int) -> list[int]:
    """The rooms of the cells above, left, right and below a cell, in this order, without cells in no room."""
    beside = room[grid.neighbours[cell, [0, 3, 1, 2]]]
    return beside[beside >= 0].tolist()


def _components(grid: GridWorld, chosen: np.ndarray) -> np.ndarray:
    """The connected pieces of the chosen cells, numbered in reading order; -1 for the other cells: [N]."""
    piece = np.full(grid.num_cells, -1)
    others = np.flatnonzero(~chosen).tolist()
    for cell in np.flatnonzero(chosen):
        if piece[cell] < 0:
            piece[reachable(grid, int(cell), closed=others)] = piece.max() + 1
    return piece
