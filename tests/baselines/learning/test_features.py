"""Features against rows worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from baselines.learning.features import (
    feature_map,
    fourier_basis,
    one_hot,
    positions,
    state_aggregation,
    tile_coding,
)

SETTINGS = {"groups": 10, "tilings": 4, "tiles": 5, "order": 3}


def test_positions_go_from_0_to_1_in_every_kind_of_space() -> None:
    discrete = positions(spaces.Discrete(5), np.array([0, 1, 4]))
    np.testing.assert_allclose(discrete, [[0.0], [0.25], [1.0]])
    np.testing.assert_allclose(positions(spaces.Discrete(3, start=2), np.array([2, 3, 4])), [[0.0], [0.5], [1.0]])
    several = positions(spaces.MultiDiscrete([3, 1, 5]), np.array([[1, 0, 4]]))
    np.testing.assert_allclose(several, [[0.5, 0.0, 1.0]])  # a coordinate of one value is 0
    box = positions(spaces.Box(np.float32([-1, 0]), np.float32([1, 10])), np.array([[0.5, 2.5], [-1.0, 10.0]]))
    np.testing.assert_allclose(box, [[0.75, 0.25], [0.0, 1.0]])


def test_positions_need_bounds() -> None:
    with pytest.raises(TypeError, match="need Discrete, MultiDiscrete or bounded Box observations, but these are Box"):
        positions(spaces.Box(-np.inf, np.inf, (2,)), np.zeros((1, 2)))


def test_a_table_has_one_feature_for_each_number() -> None:
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


def test_the_thousand_states_of_the_random_walk_fall_into_ten_groups_of_a_hundred() -> None:
    position = positions(spaces.Discrete(1002), np.arange(1002))
    features = state_aggregation(position, 10)
    group = features.argmax(axis=1)
    np.testing.assert_array_equal(features.sum(axis=1), 1.0)
    np.testing.assert_array_equal(group[1:1001], np.repeat(np.arange(10), 100))


def test_aggregation_in_a_plane_is_a_grid() -> None:
    # Cells (0, 0), (0, 1), (1, 0) and the corner, which belongs to the last cell (1, 1).
    features = state_aggregation(np.array([[0.1, 0.4], [0.4, 0.6], [0.5, 0.0], [1.0, 1.0]]), 2)
    np.testing.assert_array_equal(features, np.eye(4))


def test_two_tilings_by_hand() -> None:
    # Two tiles of width 0.5; the second tiling is shifted by half a tile, so its edges are at 0.25 and 0.75.
    features = tile_coding(np.array([[0.0], [0.2], [0.3], [0.6], [0.8], [1.0]]), tilings=2, tiles=2)
    first = [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    second = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_array_equal(features, np.concatenate([first, second], axis=1))


def test_tilings_are_shifted_by_different_amounts_along_different_coordinates() -> None:
    # Tiling 1 of 4 is shifted by 1/4 of a tile along the first coordinate and by 3/4 along the second.
    features = tile_coding(np.array([[0.3, 0.3]]), tilings=4, tiles=1).reshape(4, 2, 2)
    # shifts (0, 0), (1/4, 3/4), (1/2, 1/2), (3/4, 1/4): 0.3 + 3/4 is beyond the first tile
    cells = [np.argwhere(tiling).tolist() for tiling in features]
    assert cells == [[[0, 0]], [[0, 1]], [[0, 0]], [[1, 0]]]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=3),
    st.integers(1, 9),
    st.integers(1, 6),
)
def test_every_position_lies_in_one_tile_of_each_tiling(position: list[float], tilings: int, tiles: int) -> None:
    features = tile_coding(np.array([position]), tilings, tiles)
    by_tiling = features.reshape(tilings, (tiles + 1) ** len(position))
    np.testing.assert_array_equal(by_tiling.sum(axis=1), 1.0)
    assert features[0] @ features[0] == tilings


def test_positions_share_fewer_tiles_the_further_they_are_apart() -> None:
    features = tile_coding(np.linspace(0, 1, 101)[:, None], tilings=10, tiles=5)
    shared = features[0] @ features.T
    assert (np.diff(shared) <= 0).all()
    assert shared[0] == 10
    assert shared[20] == 0  # a whole tile away


def test_the_fourier_basis_by_hand() -> None:
    features = fourier_basis(np.array([[0.0], [0.5], [1.0]]), order=2)
    np.testing.assert_allclose(features, [[1, 1, 1], [1, 0, -1], [1, -1, 1]], atol=1e-15)
    # Frequencies (0, 0), (0, 1), (1, 0), (1, 1) at (1, 1/2): cos 0, cos pi/2, cos pi, cos 3 pi/2.
    np.testing.assert_allclose(fourier_basis(np.array([[1.0, 0.5]]), order=1), [[1, 0, -1, 0]], atol=1e-15)


@pytest.mark.parametrize(("basis", "features", "square"), [("table", 7, 1), ("aggregation", 10, 1), ("tiles", 24, 4)])
def test_the_largest_square_is_what_a_step_size_is_divided_by(basis: str, features: int, square: int) -> None:
    made = feature_map(basis, spaces.Discrete(7), **SETTINGS)
    rows = made.of(np.arange(7))
    assert rows.shape == (7, features)
    assert made.num_features == features
    np.testing.assert_array_equal((rows**2).sum(axis=1), square)
    assert made.largest_square == square


def test_the_largest_square_of_cosines_is_their_number() -> None:
    made = feature_map("fourier", spaces.Discrete(7), **SETTINGS)
    rows = made.of(np.arange(7))
    assert made.largest_square == made.num_features == 4
    np.testing.assert_allclose((rows**2).sum(axis=1).max(), 4)


def test_a_table_counts_combinations_of_several_numbers() -> None:
    made = feature_map("table", spaces.MultiDiscrete([2, 3]), **SETTINGS)
    np.testing.assert_array_equal(made.of(np.array([[1, 2], [0, 1]])).argmax(axis=1), [5, 1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: state_aggregation(p, 0), "groups must be at least 1, but is 0"),
        (lambda p: tile_coding(p, 0, 3), "tilings must be at least 1, but is 0"),
        (lambda p: tile_coding(p, 3, 0), "tiles must be at least 1, but is 0"),
        (lambda p: fourier_basis(p, -1), "order must be at least 0, but is -1"),
        (lambda p: state_aggregation(p, 100), "at most 100000 features, but 3 coordinates make it 1000000"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(np.zeros((1, 3)))


def test_a_table_needs_observations_that_can_be_counted() -> None:
    with pytest.raises(TypeError, match="a table needs Discrete or MultiDiscrete observations, but these are Box"):
        feature_map("table", spaces.Box(0, 1, (1,)), **SETTINGS)
