"""Maps drawn as text: cells and moves, errors that show the place, rooms and hallways, views."""

import re

import numpy as np
import pytest
from hypothesis import given

from rl_envs.worlds.four_rooms import MAP as FOUR_ROOMS
from rl_envs.worlds.gridworld import MOVES, find_rooms, reachable, read_map, views
from tests.random_maps import rooms_maps

GOAL = {"G": "goal"}


def plain(*rows):
    return read_map(list(rows), required={})


def test_cells_are_numbered_as_one_reads_and_moves_stop_at_walls_and_edges():
    grid = read_map([".#G", "..."], required=GOAL)  # cells 0 . 1 / 2 3 4
    assert grid.cells.tolist() == [[0, 0], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert grid.index.tolist() == [[0, -1, 1], [2, 3, 4]]
    assert MOVES == ("up", "right", "down", "left")
    assert grid.neighbours.tolist() == [[0, 0, 2, 0], [1, 1, 4, 1], [0, 3, 2, 2], [3, 4, 3, 2], [1, 4, 4, 3]]
    assert grid.marks == {"G": 1}
    assert grid.shape == (2, 3)


def test_a_string_may_stand_indented_between_blank_lines_and_spaces_are_floor():
    drawing = """
        #####
        #G .#
        #####

        """
    assert read_map(drawing, required=GOAL).rows == ("#####", "#G..#", "#####")
    assert read_map("#G #", required=GOAL).rows == ("#G.#",)


def test_a_list_is_taken_as_it_is_with_its_leading_spaces():
    assert read_map([" G", "  "], required=GOAL).rows == (".G", "..")


@pytest.mark.parametrize("drawing", [None, 3, ["#", 1], {"#": 1}])
def test_what_is_no_text_is_refused(drawing):
    with pytest.raises(TypeError, match="map must be a string or a list of strings, but is "):
        read_map(drawing, required=GOAL)


@pytest.mark.parametrize("drawing", ["", "\n  \n", [], [""]])
def test_an_empty_map_is_refused(drawing):
    with pytest.raises(ValueError, match="map must have at least one row and one column, but is empty"):
        read_map(drawing, required=GOAL)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["#G.#", "#.#"],
            "long as row 0, 4 columns, but it differs at row 1, column 3, which has 3:\n    #.#\n       ^",
        ),
        (
            ["#G#", "#.##"],
            "long as row 0, 3 columns, but it differs at row 1, column 3, which has 4:\n    #.##\n       ^",
        ),
        (
            ["#G#", "#.x"],
            "unknown glyph 'x' at row 1, column 2:\n    #.x\n      ^\nKnown: # wall, . or a space floor, G goal",
        ),
        (["#G#", "#\t#"], "unknown glyph '\\t' at row 1, column 1"),
        (["#.#", "#.#"], "must have one G (goal), but has none in rows 0..1, columns 0..2:\n#.#\n#.#"),
        (
            ["#G#", "G.#"],
            "must have one G (goal), but after row 0, column 1 there is another at row 1, column 0:\n    G.#",
        ),
    ],
)
def test_a_fault_in_a_drawing_is_shown_with_its_row_and_column(rows, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_map(rows, required=GOAL)


def test_a_map_of_wall_alone_is_refused():
    with pytest.raises(ValueError, match="must have a cell that is not wall, but has none:\n##"):
        plain("##")


def test_a_cell_is_named_by_row_and_column():
    grid = plain("#.", "..")
    assert grid.cell_at("goal", (1, 0)) == 1
    assert grid.cell_at("goal", np.array([0, 1])) == 0
    with pytest.raises(ValueError, match=re.escape("goal must not be wall, but is row 0, column 0:\n    #.\n    ^")):
        grid.cell_at("goal", [0, 0])
    for outside in ([2, 0], [0, 2], [-1, 1], [0, -1]):
        with pytest.raises(ValueError, match=re.escape(f"on the map of 2 rows and 2 columns, but is {outside}")):
            grid.cell_at("goal", outside)
    for wrong in (None, 3, [1], [1, 0, 0], [0.0, 1], [True, 1], "10"):
        with pytest.raises(TypeError, match="goal must be a row and a column, as"):
            grid.cell_at("goal", wrong)


def test_a_walk_reaches_what_is_connected_and_not_what_is_closed_off():
    grid = plain("..#.", ".###", "....")  # cells 0 1 . 2 / 3 / 4 5 6 7
    assert np.flatnonzero(reachable(grid, 0)).tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert np.flatnonzero(reachable(grid, 0, closed=[3])).tolist() == [0, 1]
    assert np.flatnonzero(reachable(grid, 2)).tolist() == [2]


def test_four_rooms_has_four_rooms_and_four_hallways():
    grid = read_map(FOUR_ROOMS, required=GOAL)
    rooms = find_rooms(grid)
    assert grid.num_cells == 104
    assert [int((rooms.room == room).sum()) for room in range(rooms.num_rooms)] == [25, 30, 25, 20]
    assert [grid.cells[cell].tolist() for cell in rooms.hallways] == [[3, 6], [6, 2], [7, 9], [10, 6]]
    assert rooms.joins == ((0, 1), (0, 2), (1, 3), (2, 3))
    assert [grid.cells[cell].tolist() for cell in rooms.of_room(3)] == [[7, 9], [10, 6]]


@pytest.mark.parametrize(
    ("rows", "hallways", "room"),
    [
        # One, two and three cells between two rooms: the middle one is the hallway, the others belong to the rooms.
        (["..#..", ".....", "..#.."], [[1, 2]], "00#11 00-11 00#11"),
        (["..##..", "......", "..##.."], [[1, 2]], "00##11 00-111 00##11"),
        (["..###..", ".......", "..###.."], [[1, 3]], "00###11 000-111 00###11"),
        (["..", "..", "#.", "#.", ".."], [[2, 1]], "00 00 #- #1 11"),
        # Past a pillar one comes back into the same room.
        (["....", "....", ".#..", "....", "...."], [], "0000 0000 0#00 0000 0000"),
        # The two ways past a wall join the same two rooms: two hallways.
        (["......", "..##..", "......", "..##.."], [[0, 2], [2, 2]], "00-111 00##11 00-111 00##11"),
        (["....", "....", "#.#.", "....", "...."], [[2, 1], [2, 3]], "0000 0000 #-#- 1111 1111"),
        # A nook of one cell is part of its room; behind a narrow cell it is a room of its own.
        (["#.#", "...", "..."], [], "#0# 000 000"),
        (["#.#", "#.#", "...", "..."], [[1, 1]], "#0# #-# 111 111"),
    ],
)
def test_rooms_and_hallways_follow_from_the_geometry(rows, hallways, room):
    grid = plain(*rows)
    rooms = find_rooms(grid)
    assert [grid.cells[cell].tolist() for cell in rooms.hallways] == hallways
    glyphs = {cell: "-" if number < 0 else str(number) for cell, number in enumerate(rooms.room.tolist())}
    assert grid.text(glyphs).split("\n") == room.split()


def test_a_view_shows_the_nine_cells_around_with_wall_beyond_the_edge():
    codes = np.array([[[0, 5], [6, 7]], [[1, 1], [1, 1]]])
    seen = views(codes, np.array([0, 1]), np.array([0, 1]), np.array([1, 0]), outside=9)
    assert seen.tolist() == [[9, 9, 9, 0, 5, 9, 6, 7, 9], [9, 1, 1, 9, 1, 1, 9, 9, 9]]


def test_a_map_is_written_with_glyphs_in_some_cells():
    assert read_map(["#G", ".."], required=GOAL).text({2: "A"}) == "#.\n.A"


@given(rooms_maps())
def test_on_any_map_a_move_that_leads_away_can_be_taken_back(rows):
    grid = read_map(rows, required=GOAL)
    assert grid.num_cells == sum(line.count(".") + line.count(" ") + line.count("G") for line in rows)
    cell, move = np.nonzero(grid.neighbours != np.arange(grid.num_cells)[:, None])
    there = grid.neighbours[cell, move]
    assert (np.abs(grid.cells[cell] - grid.cells[there]).sum(axis=1) == 1).all()
    np.testing.assert_array_equal(grid.neighbours[there, (move + 2) % 4], cell)
    assert reachable(grid, 0).all()


@given(rooms_maps())
def test_on_any_map_every_cell_is_in_one_room_or_is_one_hallway(rows):
    grid = read_map(rows, required=GOAL)
    rooms = find_rooms(grid)
    assert sorted(np.flatnonzero(rooms.room < 0).tolist()) == sorted(rooms.hallways)
    assert set(rooms.room.tolist()) - {-1} == set(range(rooms.num_rooms))
    for cell, joined in zip(rooms.hallways, rooms.joins):
        assert joined[0] != joined[1]
        assert set(rooms.room[grid.neighbours[cell]].tolist()) - {-1} == set(joined)
    # Without the hallways no way leads from one room to another.
    for room in range(rooms.num_rooms):
        inside = np.flatnonzero(rooms.room == room)
        np.testing.assert_array_equal(np.flatnonzero(reachable(grid, int(inside[0]), closed=rooms.hallways)), inside)
