"""Learning rules against numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from baselines.updates import (
    accumulating_trace,
    generalised_advantages,
    n_step_return,
    q_learning_target,
    returns_to_go,
    score_of_softmax,
    semi_gradient_step,
    td_target,
)


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


def test_n_step_returns_by_hand() -> None:
    reward = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    stops = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 0]], dtype=bool)
    total, length = n_step_return(reward, stops, 0.5)
    # 1 + 2/2 + 4/4 = 3;   the same, for the last one stops nothing more;   1 + 2/2 = 2;   1
    np.testing.assert_array_equal(total, [3.0, 3.0, 2.0, 1.0])
    np.testing.assert_array_equal(length, [3, 3, 2, 1])


def test_returns_to_go_by_hand() -> None:
    reward = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    ended = np.array([[False, False], [True, False], [False, True]])
    tail = np.array([[9.0, 9.0], [0.0, 9.0], [8.0, 0.0]])
    # First run: 4 + 8/2 = 8 is cut off by the end of what is known; 2 terminated; 1 + 2/2 = 2.
    # Second: 4 terminated; 2 + 4/2 = 4; 1 + 4/2 = 3.
    np.testing.assert_array_equal(returns_to_go(reward, ended, tail, 0.5), [[2.0, 3.0], [2.0, 4.0], [8.0, 4.0]])


def test_generalised_advantages_by_hand() -> None:
    reward, value = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]])
    next_value = np.array([[2.0], [3.0], [8.0]])
    nothing = np.zeros((3, 1), dtype=bool)
    # TD errors at discount 0.5: 1 + 1 - 1 = 1;   2 + 1.5 - 2 = 1.5;   4 + 4 - 3 = 5
    one_step = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 0.0)
    np.testing.assert_array_equal(one_step, [[1.0], [1.5], [5.0]])
    # With lambda = 1: 5;   1.5 + 5/2 = 4;   1 + 4/2 = 3, which is the return 1 + 2/2 + 4/4 + 8/8 = 4 minus 1.
    whole = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 1.0)
    np.testing.assert_array_equal(whole, [[3.0], [4.0], [5.0]])
    # With lambda = 0.5: 5;   1.5 + 5/4 = 2.75;   1 + 2.75/4 = 1.6875
    mixed = generalised_advantages(reward, nothing, nothing, value, next_value, 0.5, 0.5)
    np.testing.assert_array_equal(mixed, [[1.6875], [2.75], [5.0]])


def test_generalised_advantages_stop_at_ends_and_bootstrap_at_truncations_only() -> None:
    reward, value = np.ones((3, 2)), np.zeros((3, 2))
    next_value = np.array([[0.0, 0.0], [10.0, 10.0], [0.0, 0.0]])
    ended = np.array([[False, False], [True, True], [False, False]])
    terminated = np.array([[False, False], [True, False], [False, False]])
    found = generalised_advantages(reward, terminated, ended, value, next_value, 0.5, 1.0)
    # Terminated at step 1: 1 and 1 + 1/2;   truncated: 1 + 10/2 = 6 and 1 + 6/2 = 4;   step 2 belongs to the next.
    np.testing.assert_array_equal(found, [[1.5, 4.0], [1.0, 6.0], [1.0, 1.0]])


def test_the_score_of_a_softmax_policy_by_hand() -> None:
    policy = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(score_of_softmax(policy, np.array([1])), [[-0.2, 0.7, -0.5]], rtol=1e-15)
    every = score_of_softmax(np.repeat(policy, 3, axis=0), np.arange(3))
    np.testing.assert_allclose(policy[0] @ every, 0.0, atol=1e-16)


def test_a_trace_fades_and_takes_up_the_new_gradient() -> None:
    # 0.9 * 0.5 * [2, 0] + [1, 1] = [1.9, 1];   0.45 * [0, 4] + [0, 0] = [0, 1.8]
    trace = accumulating_trace(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 0.0]]), 0.9, 0.5)
    np.testing.assert_allclose(trace, [[1.9, 1.0], [0.0, 1.8]], rtol=1e-15)


def test_without_decay_the_trace_is_the_gradient() -> None:
    gradient = np.array([[1.0, -1.0]])
    np.testing.assert_array_equal(accumulating_trace(np.array([[5.0, 5.0]]), gradient, 0.9, 0.0), gradient)


def test_a_semi_gradient_step_is_the_error_along_the_gradient() -> None:
    # 0.1 * 2 * [1, 3] = [0.2, 0.6];   0.1 * (-1) * [0, 5] = [0, -0.5]
    step = semi_gradient_step(np.array([2.0, -1.0]), np.array([[1.0, 3.0], [0.0, 5.0]]), 0.1)
    np.testing.assert_allclose(step, [[0.2, 0.6], [0.0, -0.5]], rtol=1e-15)


def test_a_terminal_error_is_that_of_the_reward_alone() -> None:
    target = td_target(np.array([1.0]), np.array([True]), np.array([7.0]), 0.9)
    # 0.5 * (1 - 0.25) * [2] = [0.75]
    np.testing.assert_allclose(semi_gradient_step(target - 0.25, np.array([[2.0]]), 0.5), [[0.75]], rtol=1e-15)
