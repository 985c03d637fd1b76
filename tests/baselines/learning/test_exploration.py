"""Choosing actions."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.learning.exploration import (
    argmax_random_ties,
    epsilon_greedy,
    epsilon_greedy_policy,
    greedy_policy,
    sample_action,
    softmax,
    uniform_action,
)

# Midpoints of 60 equal parts of [0, 1): a share that is exactly 1/n of the numbers is exactly n-th of these, n = 1..6.
GRID = (np.arange(60) + 0.5) / 60


@pytest.mark.parametrize(
    "values",
    [[1, 1], [0, 2, 2], [3, 1, 3, 3], [5, 5, 5, 5, 5], [0, 0, 1, 0], [-1, -2, -1], [7]],
    ids=str,
)
def test_tied_actions_have_exactly_equal_shares_and_others_none(values: list[float]) -> None:
    rows = np.tile(np.array(values, dtype=float), (60, 1))
    counts = np.bincount(argmax_random_ties(rows, GRID), minlength=len(values))
    best = [value == max(values) for value in values]
    np.testing.assert_array_equal(counts, [60 / sum(best) if tied else 0 for tied in best])


@pytest.mark.parametrize("num_actions", [1, 2, 3, 5, 7, 49, 1_000])
def test_the_smallest_and_the_largest_number_give_the_first_and_the_last_action(num_actions: int) -> None:
    ends = np.array([0.0, np.nextafter(1.0, 0.0)])
    for action in (argmax_random_ties(np.zeros((2, num_actions)), ends), uniform_action(num_actions, ends)):
        np.testing.assert_array_equal(action, [0, num_actions - 1])


def test_the_layout_in_memory_makes_no_difference() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (200, 4)).astype(float)
    uniform = rng.random(200)
    np.testing.assert_array_equal(
        argmax_random_ties(values, uniform), argmax_random_ties(np.asfortranarray(values), uniform)
    )


def test_epsilon_greedy_explores_with_probability_epsilon_and_all_actions_alike() -> None:
    explore, choice = (grid.ravel() for grid in np.meshgrid(GRID, GRID))
    values = np.tile([0.0, 1.0, 1.0], (3_600, 1))
    counts = np.bincount(epsilon_greedy(values, 0.3, explore, choice))
    # 0.3 of 3,600 explore, a third of these each action; the others are shared by the two tied ones.
    np.testing.assert_array_equal(counts, [360, 360 + 1260, 360 + 1260])


@pytest.mark.parametrize(("epsilon", "greedy_share"), [(0.0, 1.0), (1.0, 0.5)])
def test_epsilon_greedy_at_its_ends(epsilon: float, greedy_share: float) -> None:
    explore, choice = (grid.ravel() for grid in np.meshgrid(GRID, GRID))
    actions = epsilon_greedy(np.tile([0.0, 1.0], (3_600, 1)), epsilon, explore, choice)
    assert actions.mean() == greedy_share


def test_the_greedy_policy_shares_its_probability_among_ties() -> None:
    q = np.array([[[1.0, 1.0, 0.0], [0.0, 2.0, 1.0]]])
    np.testing.assert_array_equal(greedy_policy(q), [[[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]])


def test_softmax_by_hand_and_where_exponentials_would_overflow() -> None:
    # e^ln(2) : e^0 : e^ln(5) = 2 : 1 : 5
    preferences = np.array([[np.log(2.0), 0.0, np.log(5.0)], [1000.0, 1000.0, -1000.0]])
    np.testing.assert_allclose(softmax(preferences), [[0.25, 0.125, 0.625], [0.5, 0.5, 0.0]], rtol=1e-15)


def test_actions_are_drawn_where_the_number_falls_and_never_with_probability_0() -> None:
    policy = np.tile([0.0, 0.25, 0.0, 0.75, 0.0], (5, 1))
    drawn = sample_action(policy, np.array([0.0, 0.2, 0.25, 0.9, np.nextafter(1.0, 0.0)]))
    np.testing.assert_array_equal(drawn, [1, 1, 3, 3, 3])


def test_probabilities_that_fall_short_of_1_lead_nowhere_else() -> None:
    short = np.array([[0.3, 0.3, 0.3, 0.0]], dtype=np.float32)
    np.testing.assert_array_equal(sample_action(short, np.array([np.nextafter(1.0, 0.0)])), [2])


def test_the_epsilon_greedy_policy_shares_its_greedy_part_among_ties() -> None:
    values = np.array([[3.0, 1.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    # 0.2 / 4 = 0.05 for every action, and 0.8 / 2 more for each of the two best; all tied is uniform.
    expected = [[0.45, 0.05, 0.45, 0.05], [0.25, 0.25, 0.25, 0.25]]
    np.testing.assert_allclose(epsilon_greedy_policy(values, 0.2), expected, rtol=1e-15)


def test_the_epsilon_greedy_policy_is_what_epsilon_greedy_does() -> None:
    values = np.array([3.0, 1.0, 3.0, 0.0])
    explore, choice = (grid.ravel() for grid in np.meshgrid(GRID, GRID))
    actions = epsilon_greedy(np.tile(values, (len(explore), 1)), 0.25, explore, choice)
    shares = np.bincount(actions, minlength=4) / len(actions)
    np.testing.assert_allclose(shares, epsilon_greedy_policy(values, 0.25), rtol=1e-12)
