"""What is seen in each state, one at a time and many at once."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl_envs.worlds.observation import Features, Index, Labels, Observation, OneHot, choose
from tests.strategies import OBSERVATIONS, observation_of


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_many_states_at_once_look_as_they_do_one_by_one(kind: str) -> None:
    observation = observation_of(kind, 6, np.random.default_rng(1))
    states = np.array([3, 0, 5, 5, 1])
    batch = observation.batch(states)
    assert batch.shape == (5, *observation.space.shape)
    assert batch.dtype == observation.space.dtype
    for state, row in zip(states.tolist(), batch):
        np.testing.assert_array_equal(observation.of(state), row)
        assert observation.space.contains(row)
        assert observation.space.contains(observation.of(state))


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_every_array_is_fresh(kind: str) -> None:
    observation = observation_of(kind, 4, np.random.default_rng(2))
    states = np.arange(4)
    expected = observation.batch(states).copy()
    observation.batch(states)[:] = 0
    single = observation.of(2)
    if isinstance(single, np.ndarray):
        single[:] = 0
    np.testing.assert_array_equal(states, np.arange(4))
    np.testing.assert_array_equal(observation.batch(states), expected)
    np.testing.assert_array_equal(observation.of(2), expected[2])


def test_an_index_is_a_plain_int() -> None:
    observation = Index(3)
    assert observation.space == spaces.Discrete(3)
    assert type(observation.of(2)) is int


def test_labels_make_states_look_alike() -> None:
    observation = Labels([0, 1, 0])
    assert observation.space == spaces.Discrete(2)
    assert [observation.of(state) for state in range(3)] == [0, 1, 0]
    assert type(observation.of(1)) is int


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 2, 3], ValueError, "without gaps, but no state has label 1"),
        ([-1, 0], ValueError, "from 0, but one is -1"),
        ([[0, 1]], ValueError, r"shape \[states\], but have \(1, 2\)"),
        (np.zeros(0, dtype=np.int64), ValueError, r"shape \[states\], but have \(0,\)"),
        ([0.0, 1.0], TypeError, "integers, but have dtype float64"),
    ],
)
def test_labels_that_cannot_be_are_refused(labels, error, message: str) -> None:
    with pytest.raises(error, match=message):
        Labels(labels)


def test_integer_rows_are_a_multi_discrete_space_and_floats_a_box() -> None:
    assert Features([[0, 2], [1, 0]]).space == spaces.MultiDiscrete([2, 3])
    assert Features([[0, 2], [1, 0]], sizes=[4, 5]).space == spaces.MultiDiscrete([4, 5])
    box = Features([[0.5, -1.0], [0.0, 1.0]])
    assert box.space == spaces.Box(np.array([0.0, -1.0], np.float32), np.array([0.5, 1.0], np.float32))
    wide = Features([[0.5, -1.0]], low=-2.0, high=np.array([1.0, 3.0]))
    assert wide.space == spaces.Box(np.array([-2.0, -2.0], np.float32), np.array([1.0, 3.0], np.float32))


@pytest.mark.parametrize(
    ("rows", "bounds", "error", "message"),
    [
        ([0.0, 1.0], {}, ValueError, r"shape \[states, features\], but have \(2,\)"),
        (np.zeros((0, 2)), {}, ValueError, r"shape \[states, features\], but have \(0, 2\)"),
        ([[True]], {}, TypeError, "integers or floats, but have dtype bool"),
        ([["a"]], {}, TypeError, "integers or floats"),
        ([[0, 1], [0, -1]], {}, ValueError, r"in \[0, 1\] in feature 1, but state 1 has -1"),
        ([[0, 4]], {"sizes": 4}, ValueError, r"in \[0, 3\] in feature 1, but state 0 has 4"),
        ([[0.5], [1.5]], {"low": 0.0, "high": 1.0}, ValueError, r"in \[0.0, 1.0\] in feature 0, but state 1 has 1.5"),
        ([[0.0], [np.nan]], {"low": 0.0, "high": 1.0}, ValueError, "state 1 has nan"),
    ],
)
def test_features_that_cannot_be_are_refused(rows, bounds, error, message: str) -> None:
    with pytest.raises(error, match=message):
        Features(rows, **bounds)


def test_one_hot_of_an_index_has_a_one_at_the_state() -> None:
    observation = OneHot(Index(3))
    assert observation.space == spaces.Box(0.0, 1.0, (3,), np.float32)
    np.testing.assert_array_equal(observation.of(1), np.array([0, 1, 0], np.float32))


def test_one_hot_of_several_numbers_has_a_one_for_each() -> None:
    # Rows (1, 0) and (0, 2) of sizes 2 and 3: two places for the first number, then three for the second.
    observation = OneHot(Features([[1, 0], [0, 2]]))
    np.testing.assert_array_equal(observation.batch(np.arange(2)), [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]])


def test_one_hot_of_a_box_is_refused() -> None:
    with pytest.raises(TypeError, match="needs a Discrete or MultiDiscrete one, not Box"):
        OneHot(Features([[0.5]]))


def test_the_observation_is_chosen_by_name() -> None:
    offered: dict[str, Observation] = {
        "position": Features([[0.5], [0.1]]),
        "index": Index(2),
        "hidden": Labels([0, 0]),
    }
    assert choose("hidden", offered) is offered["hidden"]
    one_hot = choose("one_hot", offered)
    assert isinstance(one_hot, OneHot)
    assert one_hot.space.shape == (2,)  # of the index, the first that is discrete


def test_an_unknown_observation_names_the_nearest_and_all() -> None:
    with pytest.raises(ValueError, match=r"unknown observation 'indx'. Did you mean 'index'\? Known: index, one_hot"):
        choose("indx", {"index": Index(2)})


@pytest.mark.parametrize("kind", [["index"], None, 3])
def test_an_observation_that_is_no_name_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"observation must be a name, one of index, one_hot, but is {kind}")):
        choose(kind, {"index": Index(2)})


def test_one_hot_is_not_offered_where_nothing_is_discrete() -> None:
    with pytest.raises(ValueError, match=r"unknown observation 'one_hot'. Known: position$"):
        choose("one_hot", {"position": Features([[0.5]])})
