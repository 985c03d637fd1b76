"""Learning rules against numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from baselines.updates import q_learning_target, td_target


def test_the_td_target_is_the_reward_and_the_discounted_next_value() -> None:
    # 1 + 0.9 * 10 = 10;   -2 + 0.9 * 0.5 = -1.55
    target = td_target(np.array([1.0, -2.0]), np.array([False, False]), np.array([10.0, 0.5]), 0.9)
    np.testing.assert_allclose(target, [10.0, -1.55], rtol=1e-15)


def test_nothing_follows_a_terminal_step_whatever_stands_in_the_table() -> None:
    target = td_target(np.array([1.0, 2.0]), np.array([True, True]), np.array([1e9, np.nan]), 0.9)
    np.testing.assert_array_equal(target, [1.0, 2.0])


def test_q_learning_takes_the_best_next_action_of_each_run() -> None:
    next_q = np.array([[1.0, 4.0, 2.0], [-3.0, -1.0, -2.0], [5.0, 6.0, 7.0]])
    # 0 + 0.5 * 4 = 2;   1 + 0.5 * (-1) = 0.5;   terminal: 3
    target = q_learning_target(np.array([0.0, 1.0, 3.0]), np.array([False, False, True]), next_q, 0.5)
    np.testing.assert_array_equal(target, [2.0, 0.5, 3.0])


def test_inputs_stay_as_they_were() -> None:
    inputs = [np.array([1.0]), np.array([True]), np.array([[1.0, 2.0]])]
    copies = [array.copy() for array in inputs]
    q_learning_target(inputs[0], inputs[1], inputs[2], 0.9)
    for array, copy in zip(inputs, copies):
        np.testing.assert_array_equal(array, copy)
