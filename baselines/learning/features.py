"""Features for linear approximation: pure maps from where something is to a row of numbers.

What is approximated is then an inner product, x(s) . w. Everything here starts from a position: m coordinates that go
from 0 to 1, as `positions` finds them for the observations of a world. How the features are chosen decides what is
generalised: states that share features share what is learned about them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from rl_envs.mdp.finite_mdp import check_integer

# A row longer than this is a mistake, or a case for a network.
MOST_FEATURES = 100_000

Basis = Literal["table", "aggregation", "tiles", "fourier"]


def positions(space: spaces.Space[Any], observation: np.ndarray) -> np.ndarray:
    """Positions of observations in their space, each coordinate scaled from 0 (lowest) to 1 (highest).

    Args:
        space: Discrete, MultiDiscrete or a Box with finite bounds.
        observation: a batch of n observations, [n, ...].

    Returns:
        [n, m] float64 in [0, 1]; a coordinate that can only have one value is 0.

    Raises:
        TypeError: another kind of space, or a Box without bounds.
    """
    if isinstance(space, spaces.Discrete):
        low, high = np.array([space.start]), np.array([space.start + space.n - 1])
    elif isinstance(space, spaces.MultiDiscrete):
        low, high = np.zeros(space.nvec.size), space.nvec.ravel() - 1
    elif isinstance(space, spaces.Box) and np.isfinite(space.low).all() and np.isfinite(space.high).all():
        low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
    else:
        raise TypeError(f"positions need Discrete, MultiDiscrete or bounded Box observations, but these are {space}")
    width = np.where(high > low, high - low, 1)
    return np.clip((np.reshape(observation, (len(observation), -1)) - low) / width, 0.0, 1.0)


def one_hot(number: np.ndarray, size: int) -> np.ndarray:
    """One-hot features: approximation by a table.

    Args:
        number: [n] int, each from 0 to size - 1.
        size: how many numbers there are, D.

    Returns:
        [n, D] float64, a single 1 in each row.
    """
    features = np.zeros((len(number), size))
    features[np.arange(len(number)), number] = 1.0
    return features


def state_aggregation(position: np.ndarray, groups: int) -> np.ndarray:
    """One feature for each cell of a grid: positions in the same cell share one value.

    Args:
        position: [n, m] in [0, 1].
        groups: cells along each coordinate.

    Returns:
        [n, D] float64 with D = groups^m, a single 1 in each row.

    Raises:
        ValueError: fewer than one group, or too many cells.

    Source: Sutton & Barto (2018), section 9.3 and Example 9.1.
    """
    check_integer("groups", groups, low=1)
    _check_size(groups, position.shape[1])
    cell = np.minimum((position * groups).astype(np.int64), groups - 1)
    return one_hot(_number_in_grid(cell, groups), groups ** position.shape[1])


def tile_coding(position: np.ndarray, tilings: int, tiles: int) -> np.ndarray:
    """Tile coding: several grids, each shifted against the others, with one feature for each tile.

    A position lies in exactly one tile of every tiling, so `tilings` features are 1. Two positions share as many as
    their distance allows: what is learned about one carries over to its neighbourhood, and fades with distance, in
    steps of a tile's width divided by the number of tilings. Tiling j is shifted by j / tilings of a tile, times 1, 3,
    5, ... along the first, second, third, ... coordinate, which leaves fewer artefacts along the diagonals.

    Args:
        position: [n, m] in [0, 1].
        tilings: how many grids, n. A step size is to be divided by it.
        tiles: tiles along each coordinate of the range; each grid has one more, for the shift leaves a gap.

    Returns:
        [n, D] float64 with D = tilings * (tiles + 1)^m.

    Raises:
        ValueError: fewer than one tiling or tile, or too many tiles.

    Source: Sutton & Barto (2018), section 9.5.4; the shifts are those of Miller & Glanz (1996).
    """
    check_integer("tilings", tilings, low=1)
    check_integer("tiles", tiles, low=1)
    coordinates = position.shape[1]
    _check_size(tiles + 1, coordinates, times=tilings)
    displacement = 2 * np.arange(coordinates) + 1
    parts = []
    for tiling in range(tilings):
        shift = (tiling * displacement % tilings) / tilings  # [m] in tiles
        cell = np.floor(position * tiles + shift).astype(np.int64)
        parts.append(one_hot(_number_in_grid(cell, tiles + 1), (tiles + 1) ** coordinates))
    return np.concatenate(parts, axis=1)


def fourier_basis(position: np.ndarray, order: int) -> np.ndarray:
    """Cosines of every frequency up to `order` along every coordinate: x_c(p) = cos(pi c . p).

    Smooth and global: an update anywhere moves the values everywhere.

    Args:
        position: [n, m] in [0, 1].
        order: highest frequency along a coordinate, in half periods over the range; 0 is the constant alone.

    Returns:
        [n, D] float64 with D = (order + 1)^m; the first feature is the constant 1.

    Raises:
        ValueError: a negative order, or too many features.

    Source: Konidaris, Osentoski & Thomas (2011); Sutton & Barto (2018), eq. 9.18.
    """
    check_integer("order", order, low=0)
    coordinates = position.shape[1]
    _check_size(order + 1, coordinates)
    frequencies = np.array(list(itertools.product(range(order + 1), repeat=coordinates)))  # [D, m]
    return np.cos(np.pi * position @ frequencies.T)


@dataclass(frozen=True)
class FeatureMap:
    """The features of a world's observations.

    Attributes:
        num_features: D.
        largest_square: the largest x . x of any observation: what a step size is to be divided by, so that a step of 1
            removes an error where it was seen, and never more than that.
        of: features [n, D] of observations [n, ...].
    """

    num_features: int
    largest_square: int
    of: Callable[[np.ndarray], np.ndarray]


def feature_map(
    basis: Basis, space: spaces.Space[Any], *, groups: int, tilings: int, tiles: int, order: int
) -> FeatureMap:
    """Features by name, for the observations of a space.

    Args:
        basis: "table" (one for each observation), "aggregation", "tiles" or "fourier".
        space: of one observation.
        groups: cells along each coordinate, for "aggregation".
        tilings: for "tiles".
        tiles: along each coordinate, for "tiles".
        order: for "fourier".

    Returns:
        The map, its dimension, and the largest square of a row: 1, 1, the number of tilings, or the number of features.

    Raises:
        TypeError: observations that cannot be counted, for a table, or that have no position.
        ValueError: numbers out of range, or too many features.
    """
    if basis == "table":
        size = _num_observations(space)
        return FeatureMap(size, 1, lambda observation: one_hot(_number(space, observation), size))
    rules: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "aggregation": lambda position: state_aggregation(position, groups),
        "tiles": lambda position: tile_coding(position, tilings, tiles),
        "fourier": lambda position: fourier_basis(position, order),
    }
    rule = rules[basis]
    coordinates = positions(space, np.zeros((1, *(space.shape or ())))).shape[1]
    num_features = rule(np.zeros((1, coordinates))).shape[1]
    square = {"aggregation": 1, "tiles": tilings, "fourier": num_features}[basis]
    return FeatureMap(num_features, square, lambda observation: rule(positions(space, observation)))


def _num_observations(space: spaces.Space[Any]) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return int(np.prod(space.nvec))
    raise TypeError(f"a table needs Discrete or MultiDiscrete observations, but these are {space}")


def _number(space: Any, observation: np.ndarray) -> np.ndarray:
    if isinstance(space, spaces.MultiDiscrete):
        return np.ravel_multi_index(tuple(np.asarray(observation).T), tuple(space.nvec))
    return np.asarray(observation) - space.start


def _number_in_grid(cell: np.ndarray, width: int) -> np.ndarray:
    """The number of a cell [n, m] in a grid of so many cells along each coordinate, the last one running fastest."""
    return cell @ width ** np.arange(cell.shape[1])[::-1]


def _check_size(width: int, coordinates: int, times: int = 1) -> None:
    size = times * width**coordinates
    if size > MOST_FEATURES:
        raise ValueError(
            f"a row may have at most {MOST_FEATURES} features, but {coordinates} coordinates make it {size}; "
            "use fewer along each, or a network"
        )
