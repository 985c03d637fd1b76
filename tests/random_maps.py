"""Random maps for property tests: connected, with one letter on each of some cells."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st


@st.composite
def rooms_maps(draw: st.DrawFn) -> list[str]:
    """A map of connected floor with one G and at least one cell beside it, perhaps without walls around."""
    height, width = draw(st.integers(1, 6)), draw(st.integers(2, 6))
    free = np.array(draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)))
    free = free.reshape(height, width)
    row, column = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 2))
    free[row, column : column + 2] = True
    free = connected_to(free, (row, column))
    rows = np.where(free, draw(st.sampled_from([".", " "])), "#")
    places = np.argwhere(free)
    rows[tuple(places[draw(st.integers(0, len(places) - 1))])] = "G"
    return ["".join(line) for line in rows]


@st.composite
def subtask_maps(draw: st.DrawFn) -> list[str]:
    """A map of two connected parts with a door between them: start and key on the left, goal on the right."""
    height = draw(st.integers(2, 5))
    row = draw(st.integers(0, height - 1))
    parts = []
    for letters in ("SK", "G"):
        width = draw(st.integers(2, 4))
        free = np.array(draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)))
        free = free.reshape(height, width)
        free[row] = True  # beside the door, and room enough for the letters
        free = connected_to(free, (row, 0))
        part = np.where(free, ".", "#")
        places = np.argwhere(free)
        for place, letter in zip(draw(st.permutations(range(len(places)))), letters):
            part[tuple(places[place])] = letter
        parts.append(part)
    wall = np.full((height, 1), "#")
    wall[row] = "D"
    return ["".join(line) for line in np.concatenate([parts[0], wall, parts[1]], axis=1)]


def connected_to(free: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The free cells that are connected to one place, by growing from it: [height, width] of bool."""
    grown = np.zeros_like(free)
    grown[place] = True
    while True:
        wider = grown.copy()
        wider[1:] |= grown[:-1]
        wider[:-1] |= grown[1:]
        wider[:, 1:] |= grown[:, :-1]
        wider[:, :-1] |= grown[:, 1:]
        wider &= free
        if (wider == grown).all():
            return grown
        grown = wider


def distances(rows: list[str], to: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Steps of the shortest way from each cell that is no wall to one of them."""
    found = {to: 0}
    front = [to]
    for r, c in front:  # grows as it goes
        for near in ((r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1)):
            inside = 0 <= near[0] < len(rows) and 0 <= near[1] < len(rows[0])
            if inside and rows[near[0]][near[1]] != "#" and near not in found:
                found[near] = found[r, c] + 1
                front.append(near)
    return found
