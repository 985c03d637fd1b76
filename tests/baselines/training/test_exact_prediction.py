"""Exact answers for value prediction, against hand calculations and each other."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from baselines.learning.features import positions, state_aggregation
from baselines.training.exact_prediction import (
    least_squares_weights,
    on_policy_distribution,
    td_fixed_point,
    value_error,
)
from baselines.training.task import make_task
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import Outcome, tabulate


def walk(num_states: int, max_jump: int = 1):
    """The table of a random walk and its uniform policy."""
    mdp = make_task("RandomWalk", num_states=num_states, max_jump=max_jump).truth.mdp
    return mdp, np.full((mdp.num_states, 2), 0.5)


def test_the_time_spent_in_each_state_of_a_walk_by_hand() -> None:
    # Three states, from the middle: visits 1, 2, 1 on average, and none at the ends.
    mdp, uniform = walk(3)
    np.testing.assert_allclose(on_policy_distribution(mdp, uniform), [0, 0.25, 0.5, 0.25, 0], atol=1e-15)


def test_a_time_limit_counts_the_steps_within_it() -> None:
    # Two steps from the middle of three: 1 visit there, and half a one on either side.
    mdp, uniform = walk(3)
    np.testing.assert_allclose(on_policy_distribution(mdp, uniform, 2), [0, 0.25, 0.5, 0.25, 0], atol=1e-15)
    np.testing.assert_allclose(on_policy_distribution(mdp, uniform, 1), [0, 0, 1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(
        on_policy_distribution(mdp, uniform, 500), on_policy_distribution(mdp, uniform), atol=1e-12
    )


def test_discount_has_no_part_in_the_time_spent() -> None:
    outcomes = [Outcome(0.5, 0, 1.0), Outcome(0.5, 1, 0.0, True)]
    mdp = tabulate(lambda s, a: outcomes, num_states=2, num_actions=1, start=0, discount=0.1)
    np.testing.assert_allclose(on_policy_distribution(mdp, np.ones((2, 1))), [1.0, 0.0])


def test_without_an_end_there_is_no_distribution_over_episodes() -> None:
    mdp = tabulate(lambda s, a: [Outcome(1.0, 1, 1.0)], num_states=2, num_actions=1, start=0, discount=0.9)
    with pytest.raises(ValueError, match=r"needs episodes that end, but .* stays for ever in state 1"):
        on_policy_distribution(mdp, np.ones((2, 1)))


def test_the_value_error_by_hand() -> None:
    # sqrt(0.5 * 1^2 + 0.5 * 2^2) = sqrt(2.5); the third state does not count, whatever is said of it.
    values = np.array([[1.0, 2.0, np.inf], [0.0, 0.0, np.nan]])
    error = value_error(values, np.array([0.0, 0.0, 5.0]), np.array([0.5, 0.5, 0.0]))
    np.testing.assert_allclose(error, [np.sqrt(2.5), 0.0])


def test_the_error_of_example_6_2_at_the_start() -> None:
    mdp, uniform = walk(5)
    v = evaluate_policy(mdp, uniform)
    error = value_error(np.zeros(5), v[1:6], np.full(5, 0.2)) / 2  # the book's scale is from 0 to 1
    assert error == pytest.approx(0.2357, abs=5e-5)


def test_least_squares_of_one_group_is_the_weighted_mean() -> None:
    weights = least_squares_weights(np.ones((3, 1)), np.array([1.0, 2.0, 6.0]), np.array([0.25, 0.5, 0.25]))
    np.testing.assert_allclose(weights, [0.25 + 1.0 + 1.5])


def test_the_td_fixed_point_of_two_groups_by_hand() -> None:
    # Four states, jumps of 1, from state 2; groups {1, 2} and {3, 4}. The visits are as 3 : 6 : 4 : 2.
    # Group one ends with -1 in half of its visits to state 1 and goes over to group two in half of those to state 2:
    # 1.5 (-1 - w1) + 3 (w2 - w1) = 0. Group two likewise: 1 (1 - w2) + 2 (w1 - w2) = 0. So w1 = -0.2 and w2 = 0.2.
    mdp, uniform = walk(4)
    weight = on_policy_distribution(mdp, uniform)
    np.testing.assert_allclose(weight[1:5] * 15, [3, 6, 4, 2])
    features = np.zeros((6, 2))
    features[[1, 2], 0] = features[[3, 4], 1] = 1.0
    np.testing.assert_allclose(td_fixed_point(mdp, uniform, features, weight), [-0.2, 0.2], rtol=1e-12)


def test_with_a_table_both_are_the_exact_values() -> None:
    mdp, uniform = walk(19, 4)
    v, weight = evaluate_policy(mdp, uniform), on_policy_distribution(mdp, uniform)
    table = np.eye(21)
    np.testing.assert_allclose(least_squares_weights(table, v, weight)[1:-1], v[1:-1], atol=1e-12)
    for trace_decay in (0.0, 0.5, 1.0):
        fixed = td_fixed_point(mdp, uniform, table, weight, trace_decay=trace_decay)
        np.testing.assert_allclose(fixed[1:-1], v[1:-1], atol=1e-12)


def test_lambda_leads_from_one_fixed_point_to_the_other() -> None:
    mdp, uniform = walk(1000, 100)
    features = state_aggregation(positions(make_task("RandomWalk").observation_space, np.arange(1002)), 10)
    v, weight = evaluate_policy(mdp, uniform), on_policy_distribution(mdp, uniform)
    projected = least_squares_weights(features, v, weight)
    fixed = [td_fixed_point(mdp, uniform, features, weight, trace_decay=decay) for decay in (0.0, 0.5, 0.9, 1.0)]
    errors = [float(value_error(features @ weights, v, weight)) for weights in fixed]
    assert errors == sorted(errors, reverse=True)
    np.testing.assert_allclose(fixed[-1], projected, atol=1e-12)
    assert errors[0] > 2 * errors[-1]


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(__file__).parents[3] / "examples" / "predict_values.py"))["main"]()
    assert "0.107 at the fixed point" in capsys.readouterr().out
