"""Maxima and means over actions against numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from baselines.learning.action_values import max_over_actions, mean_over_actions, value_of_best_action


def test_the_largest_value_of_each_run_and_of_each_table_of_a_run() -> None:
    q = np.array([[1.0, 4.0, 2.0], [-3.0, -1.0, -2.0]])
    np.testing.assert_array_equal(max_over_actions(q), [4.0, -1.0])
    np.testing.assert_array_equal(max_over_actions(np.stack([q, -q])), [[4.0, -1.0], [-1.0, 3.0]])


def test_the_mean_over_a_policy() -> None:
    q = np.array([[4.0, 0.0, 2.0], [9.0, 9.0, 9.0]])
    policy = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    # 0.5 * 4 + 0.25 * 0 + 0.25 * 2 = 2.5
    np.testing.assert_array_equal(mean_over_actions(q, policy), [2.5, 9.0])


def test_one_table_chooses_the_action_and_the_other_says_what_it_is_worth() -> None:
    choosing = np.array([[1.0, 5.0, 2.0], [3.0, 3.0, 0.0], [1.0, -np.inf, -np.inf]])
    valuing = np.array([[8.0, -2.0, 9.0], [1.0, 4.0, 7.0], [2.0, -np.inf, -np.inf]])
    # The second action is best in the first row; the first two are tied in the second: (1 + 4) / 2.
    np.testing.assert_array_equal(value_of_best_action(choosing, valuing), [-2.0, 2.5, 2.0])
