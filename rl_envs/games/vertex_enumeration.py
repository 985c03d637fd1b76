"""All vertices of a polytope, exactly, with the inequalities that are tight at each.

The double description method (Motzkin, Raiffa, Thompson & Thrall 1953) in integers: start from the extreme rays
of the positive orthant and cut with one half-space after another. Rays outside the half-space are removed, rays inside
it stay, and every pair of ADJACENT rays on opposite sides adds a new ray where their common face meets the boundary. No
division and no rounding, so degenerate polytopes (more inequalities tight at a vertex than its dimension) are right.

Its cost grows with the number of vertices, which grows exponentially with the dimension: a fraction of a second for
random games of 10 x 10 actions.

Source: Fukuda & Prodon (1996), Double description method revisited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd


@dataclass(frozen=True)
class Vertex:
    """A vertex of {x >= 0, matrix @ x <= 1}.

    Attributes:
        point: its coordinates, exact.
        tight: bit k is set where x_k = 0, and bit num_coordinates + j where row j of the matrix holds with equality.
    """

    point: tuple[Fraction, ...]
    tight: int


@dataclass(frozen=True)
class _Ray:
    direction: tuple[int, ...]
    tight: int  # bit mask over the half-spaces met so far


def vertices(matrix: Sequence[Sequence[int]]) -> list[Vertex]:
    """The vertices of the polytope {x >= 0, matrix @ x <= 1}.

    Args:
        matrix: rows of positive integers, which make the polytope bounded.

    Returns:
        Every vertex once, the origin among them.

    Raises:
        ValueError: if an entry is not positive.
    """
    if any(entry <= 0 for row in matrix for entry in row):
        raise ValueError(f"the polytope is bounded only by positive rows, but got {[list(row) for row in matrix]}")
    num_coordinates = len(matrix[0])
    # Homogeneous form: (t, x) >= 0 and t - row . x >= 0; a ray with t > 0 is the vertex x / t.
    half_spaces = [(1, *(-entry for entry in row)) for row in matrix]
    rays = _extreme_rays(num_coordinates + 1, half_spaces)
    return [
        Vertex(tuple(Fraction(x, ray.direction[0]) for x in ray.direction[1:]), ray.tight >> 1)  # bit 0 was t >= 0
        for ray in rays
    ]


def _extreme_rays(dimension: int, half_spaces: Sequence[tuple[int, ...]]) -> list[_Ray]:
    every_axis = (1 << dimension) - 1
    rays = [_Ray(tuple(int(axis == k) for axis in range(dimension)), every_axis ^ (1 << k)) for k in range(dimension)]
    for index, half_space in enumerate(half_spaces, start=dimension):
        rays = _cut(rays, half_space, 1 << index, dimension)
    return rays


def _cut(rays: list[_Ray], half_space: tuple[int, ...], bit: int, dimension: int) -> list[_Ray]:
    sides = [(ray, sum(h * z for h, z in zip(half_space, ray.direction, strict=True))) for ray in rays]
    inside = [(ray, side) for ray, side in sides if side > 0]
    outside = [(ray, side) for ray, side in sides if side < 0]
    kept = [ray for ray, _ in inside] + [_Ray(ray.direction, ray.tight | bit) for ray, side in sides if side == 0]
    masks = [ray.tight for ray in rays]
    for ray_in, side_in in inside:
        for ray_out, side_out in outside:
            common = ray_in.tight & ray_out.tight
            if _adjacent(common, masks, dimension):
                direction = [
                    side_in * z_out - side_out * z_in
                    for z_in, z_out in zip(ray_in.direction, ray_out.direction, strict=True)
                ]
                divisor = gcd(*direction)
                kept.append(_Ray(tuple(z // divisor for z in direction), common | bit))
    return kept


def _adjacent(common: int, masks: list[int], dimension: int) -> bool:
    # Two extreme rays span a face of dimension 2 if and only if no third ray lies on every half-space both lie on.
    # The count is a quick necessary condition.
    if common.bit_count() < dimension - 2:
        return False
    return sum(1 for mask in masks if mask & common == common) == 2
