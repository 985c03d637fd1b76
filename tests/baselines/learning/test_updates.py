"""Learning rules against numbers worked out by hand."""

from __future__ import annotations

import numpy as np

from baselines.learning.updates import (
    accumulating_trace,
    gaussian_posterior,
    gradient_bandit_step,
    hysteretic_step,
    n_step_return,
    option_value_on_arrival,
    q_learning_target,
    regret_matching_strategy,
    returns_to_go,
    sample_average,
    score_of_softmax,
    semi_gradient_step,
    smdp_target,
    subtask_target,
    td_target,
    upper_confidence_bound,
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


def test_a_hysteretic_step_goes_all_the_way_up_and_partly_down() -> None:
    td_error = np.array([3.0, 0.0, -4.0])
    np.testing.assert_array_equal(hysteretic_step(td_error, 0.0), [3.0, 0.0, 0.0])
    np.testing.assert_array_equal(hysteretic_step(td_error, 0.25), [3.0, 0.0, -1.0])
    np.testing.assert_array_equal(hysteretic_step(td_error, 1.0), td_error)


def test_a_sample_average_is_the_mean_of_all_rewards() -> None:
    rewards = np.array([[3.0, -1.0], [5.0, 0.0], [-2.0, 4.0], [10.0, 1.0]])
    value = np.array([np.nan, 1e300])  # whatever stood there before the first reward is forgotten
    for count, reward in enumerate(rewards, start=1):
        value = sample_average(value, reward, np.array([count, count]))
    np.testing.assert_allclose(value, [4.0, 1.0], rtol=1e-15)  # (3 + 5 - 2 + 10) / 4 and (-1 + 0 + 4 + 1) / 4


def test_an_upper_confidence_bound_by_hand() -> None:
    value = np.array([[1.0, 0.5, -1e9], [0.0, 0.0, 0.0]])
    pulls = np.array([[4, 1, 0], [0, 0, 0]])
    # t = 5: 1 + 2 sqrt(ln 5 / 4) = 2.268636..., 0.5 + 2 sqrt(ln 5) = 3.037272..., and an arm never pulled comes first.
    bound = upper_confidence_bound(value, pulls, 2.0)
    np.testing.assert_allclose(bound[0, :2], [2.268636, 3.037272], atol=1e-6)
    np.testing.assert_array_equal(bound[0, 2], np.inf)
    np.testing.assert_array_equal(bound[1], np.inf)


def test_a_single_pull_earns_no_bonus() -> None:
    # ln 1 = 0
    np.testing.assert_array_equal(upper_confidence_bound(np.array([[0.3]]), np.array([[1]]), 2.0), [[0.3]])


def test_a_gradient_bandit_step_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    # (3 - 1) * ([0, 1, 0] - pi) = [-1, 1.4, -0.4];   (0 - 1) * ([1, 0, 0] - pi) = [-0.5, 0.3, 0.2]
    step = gradient_bandit_step(probabilities, np.array([1, 0]), np.array([3.0, 0.0]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(step, [[-1.0, 1.4, -0.4], [-0.5, 0.3, 0.2]], rtol=1e-12)


def test_gradient_bandit_steps_are_on_average_the_gradient_of_the_mean_reward() -> None:
    preference, means = np.array([0.3, -1.0, 0.5]), np.array([1.0, 2.0, 4.0])
    probabilities = np.exp(preference) / np.exp(preference).sum()
    arms = np.arange(3)
    steps = gradient_bandit_step(np.tile(probabilities, (3, 1)), arms, means[arms], np.full(3, 7.0))
    change = 1e-6 * np.eye(3)
    weights = np.exp(np.stack([preference + change, preference - change]))
    value = (weights / weights.sum(axis=-1, keepdims=True)) @ means
    np.testing.assert_allclose(probabilities @ steps, (value[0] - value[1]) / 2e-6, atol=1e-9)


def test_a_gaussian_posterior_by_hand() -> None:
    # Prior N(1, 2^2), noise 1: no reward leaves it; 4 rewards that sum to 6 give precision 1/4 + 4 = 4.25,
    # mean (1/4 + 6) / 4.25 = 1.470588..., standard deviation 1 / sqrt(4.25) = 0.485071...
    mean, std = gaussian_posterior(np.array([0.0, 6.0]), np.array([0, 4]), 1.0, 2.0, 1.0)
    np.testing.assert_allclose(mean, [1.0, 6.25 / 4.25], rtol=1e-12)
    np.testing.assert_allclose(std, [2.0, 0.485071], atol=1e-6)


def test_a_regret_matching_strategy_by_hand() -> None:
    # 3 and 1 of 4 in all, and nothing for what is not regretted; uniform where nothing is.
    strategy = regret_matching_strategy(np.array([[3.0, -5.0, 1.0], [-1.0, 0.0, -2.0]]))
    np.testing.assert_allclose(strategy, [[0.75, 0.0, 0.25], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-15)


def test_an_option_is_discounted_by_the_steps_that_it_really_took() -> None:
    reward, duration, terminated = np.array([2.0, 2.0, 2.0]), np.array([1, 3, 3]), np.array([False, False, True])
    # 2 + 0.5 * 8 = 6;   2 + 0.125 * 8 = 3;   over with the episode: 2, whatever the state looks like
    target = smdp_target(reward, duration, terminated, np.array([8.0, 8.0, np.nan]), 0.5)
    np.testing.assert_array_equal(target, [6.0, 3.0, 2.0])


def test_an_option_goes_on_or_the_best_that_may_start_follows_it() -> None:
    next_q = np.array([[1.0, 4.0, 100.0]] * 4)
    may_start = np.array([[True, True, False]] * 3 + [[False, False, False]])
    # Goes on: 3. Ends: the best of 1 and 4. Either with probability 1/2: 3.5. Where nothing may start: 0.
    value = option_value_on_arrival(np.full(4, 3.0), next_q, may_start, np.array([0.0, 1.0, 0.5, 1.0]))
    np.testing.assert_array_equal(value, [3.0, 4.0, 3.5, 0.0])


def test_a_subtask_pays_for_its_goal_alone_and_ends_outside_its_region() -> None:
    next_q = np.array([[2.0, 4.0]] * 5)
    reached = np.array([True, False, False, False, True])
    goes_on = np.array([False, True, False, True, False])
    terminated = np.array([False, False, False, True, True])
    # Done: 1. Under way: 0.5 * 4 = 2. Failed: 0. The episode over: 0, and 1 if in the goal.
    target = subtask_target(reached, goes_on, terminated, next_q, 0.5)
    np.testing.assert_array_equal(target, [1.0, 2.0, 0.0, 0.0, 1.0])
