"""Colours by name, and the heat map's colours from low to high."""

from __future__ import annotations

import numpy as np

Colour = str | tuple[int, int, int]

# Okabe & Ito (2008), "Color universal design": distinguishable with every common kind of colour blindness.
COLOURS: dict[str, tuple[int, int, int]] = {
    "paper": (252, 252, 250),
    "floor": (238, 239, 242),
    "grid": (205, 208, 214),
    "wall": (84, 90, 102),
    "faint": (140, 146, 158),
    "ink": (38, 42, 52),
    "white": (255, 255, 255),
    "agent": (213, 94, 0),  # vermillion
    "goal": (0, 158, 115),  # bluish green
    "bad": (204, 121, 167),  # reddish purple
    "key": (230, 159, 0),  # orange
    "door": (146, 92, 38),
    "blue": (0, 114, 178),
    "sky": (86, 180, 233),
    "tint": (196, 224, 243),
}

# One colour per player, distinguishable with red-green colour blindness.
PLAYERS: tuple[tuple[int, int, int], ...] = ((0, 90, 181), (200, 40, 30), (0, 120, 80), (130, 60, 160), (170, 100, 0))

# Nine points of cividis, from dark blue to yellow: lightness rises with the value, also with colour blindness.
# Source: Nunez, Anderton & Renslow (2018), "Optimizing colormaps with consideration for color vision deficiency".
HEAT = np.array(
    [
        (0, 34, 78),
        (26, 56, 111),
        (67, 78, 108),
        (97, 101, 111),
        (125, 124, 120),
        (155, 148, 118),
        (188, 174, 108),
        (222, 201, 88),
        (254, 232, 56),
    ],
    dtype=np.float64,
)


def rgb(colour: Colour) -> tuple[int, int, int]:
    """Red, green and blue of a colour, each 0..255, from its name in `COLOURS` or from itself."""
    return COLOURS[colour] if isinstance(colour, str) else colour


def heat(level: float) -> tuple[int, int, int]:
    """The heat map's colour for a level in 0..1, which is cut off at both ends."""
    place = min(max(level, 0.0), 1.0) * (len(HEAT) - 1)
    below = min(int(place), len(HEAT) - 2)
    red, green, blue = HEAT[below] + (place - below) * (HEAT[below + 1] - HEAT[below])
    return round(red), round(green), round(blue)
