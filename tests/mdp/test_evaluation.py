"""Values and occupancies of given policies, against sums by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.mdp import evaluation
from rl_envs.mdp.evaluation import action_values, evaluate_policy, occupancy
from rl_envs.mdp.finite_horizon import finite_horizon_values
from rl_envs.mdp.policy import as_probabilities
from rl_envs.registry import build
from tests.mdp.tables import loop_chain, loop_values, random_mdp, table


@given(
    num_states=st.integers(1, 7),
    num_actions=st.integers(1, 4),
    discount=st.sampled_from([0.0, 0.5, 0.99]),
    seed=st.integers(0, 10_000),
)
def test_a_batch_of_policies_is_worth_what_each_is_worth_alone(
    num_states: int, num_actions: int, discount: float, seed: int
) -> None:
    mdp = random_mdp(seed, num_states, num_actions, 3, discount)
    rng = np.random.default_rng(seed)
    batch = rng.dirichlet(np.ones(num_actions), size=(5, num_states))
    v = evaluate_policy(mdp, batch)
    assert v.shape == (5, num_states)
    for run in range(5):
        np.testing.assert_allclose(v[run], loop_values(mdp, batch[run]), atol=1e-11)
        np.testing.assert_allclose(evaluate_policy(mdp, batch[run]), v[run], atol=1e-11)
        steps = finite_horizon_values(mdp, batch, 7)[run]
        np.testing.assert_allclose(steps, finite_horizon_values(mdp, batch[run], 7), atol=1e-12)
    actions = rng.integers(num_actions, size=(4, num_states))
    np.testing.assert_allclose(evaluate_policy(mdp, actions), [loop_values(mdp, a) for a in actions], atol=1e-11)


@pytest.mark.parametrize("discount", [0.9, 1.0])
def test_large_batches_in_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, discount: float) -> None:
    mdp = build("LineWalk", slip=0.2, discount=discount).mdp
    batch = np.random.default_rng(0).dirichlet(np.ones(2), size=(50, 11))
    whole = evaluate_policy(mdp, batch)
    monkeypatch.setattr(evaluation, "CHUNK_BYTES", 8 * 11 * 11 * 16)
    np.testing.assert_allclose(evaluate_policy(mdp, batch), whole, atol=1e-13)
    monkeypatch.setattr(evaluation, "CHUNK_BYTES", 0)  # one by one, not as dense chains
    np.testing.assert_allclose(evaluate_policy(mdp, batch), whole, atol=1e-13)


def test_integers_are_actions_and_floats_are_probabilities_also_where_shapes_agree() -> None:
    # Two states and two actions: [[0, 1], [1, 0]] could be two policies or one.
    mdp = random_mdp(0, 2, 2, 2, 0.9)
    assert evaluate_policy(mdp, np.array([[0, 1], [1, 0]])).shape == (2, 2)
    assert evaluate_policy(mdp, np.array([[0.0, 1.0], [1.0, 0.0]])).shape == (2,)
    np.testing.assert_allclose(
        evaluate_policy(mdp, np.array([[0.0, 1.0], [1.0, 0.0]])), evaluate_policy(mdp, np.array([1, 0]))
    )


@pytest.mark.parametrize("discount", [0.9, 1.0])
@pytest.mark.parametrize("num_states", [11, 301])
def test_a_policy_is_left_as_it_was(num_states: int, discount: float) -> None:
    mdp = build("LineWalk", size=num_states // 2, discount=discount).mdp
    policy = np.zeros((num_states, 2))
    policy[:, 1] = 1.0
    before = policy.copy()
    for function in (evaluate_policy, occupancy, lambda m, p: finite_horizon_values(m, p, 3)):
        first = function(mdp, policy)
        np.testing.assert_array_equal(policy, before)
        np.testing.assert_array_equal(function(mdp, policy), first)
    assert occupancy(mdp, policy)[:, 0].max() == 0.0


def test_single_precision_probabilities_are_rescaled() -> None:
    rough = np.full((3, 7), 1 / 7, dtype=np.float32)
    assert rough.astype(np.float64).sum(axis=1)[0] != 1
    np.testing.assert_allclose(as_probabilities(rough, 3, 7).sum(axis=1), 1.0, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("policy", "error", "message"),
    [
        (np.zeros((2, 3), bool), TypeError, "a policy must hold integers, .* but has dtype bool"),
        (np.array(["a"]), TypeError, "but has dtype <U1"),
        (np.zeros(4, int), ValueError, r"must have shape \(3,\) or \(runs, 3\), but has \(4,\)"),
        (np.zeros((3, 2), int), ValueError, r"a policy of integers holds actions .* but has \(3, 2\)"),
        (np.zeros(3), ValueError, r"must have shape \(3, 2\) or \(runs, 3, 2\), but has \(3,\)"),
        (np.zeros((1, 1, 3, 2)), ValueError, r"but has \(1, 1, 3, 2\)"),
        (np.array([0, 2, 0]), ValueError, r"a policy's actions must be in 0\.\.1, but state 1 has 2"),
        (np.array([[0, 0, 0], [0, 0, -1]]), ValueError, r"in 0\.\.1, but run 1, state 2 has -1"),
        (np.array([[1.0, 0], [0.5, 0.4], [1, 0]]), ValueError, r"must sum to 1, but state 1 has 0\.9"),
        (
            np.array([[1.0, 0], [1.5, -0.5], [1, 0]]),
            ValueError,
            r"must not be negative or NaN, but state 1 has \[ 1\.5",
        ),
        (np.array([[[1.0, 0], [1, 0], [np.nan, 0]]]), ValueError, r"negative or NaN, but run 0, state 2 has \[nan"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_first_wrong_state(policy: Any, error: Any, message: str) -> None:
    mdp = random_mdp(0, 3, 2, 2, 0.9)
    for function in (evaluate_policy, occupancy, lambda m, p: finite_horizon_values(m, p, 3)):
        with pytest.raises(error, match=message):
            function(mdp, policy)


def test_action_values_of_a_policy_average_to_its_value() -> None:
    mdp = random_mdp(1, 6, 3, 3, 0.9)
    batch = np.random.default_rng(0).dirichlet(np.ones(3), size=(4, 6))
    v = evaluate_policy(mdp, batch)
    q = action_values(mdp, v)
    assert q.shape == (4, 6, 3)
    np.testing.assert_allclose((batch * q).sum(axis=2), v, atol=1e-12)
    np.testing.assert_allclose(action_values(mdp, v[0]), q[0], atol=1e-14)
    with pytest.raises(ValueError, match=r"v must have shape \(6,\) or \(runs, 6\), but has \(5,\)"):
        action_values(mdp, np.zeros(5))


@given(num_states=st.integers(1, 6), discount=st.sampled_from([0.0, 0.5, 0.95]), seed=st.integers(0, 10_000))
def test_occupancy_weighs_rewards_into_the_value(num_states: int, discount: float, seed: int) -> None:
    mdp = random_mdp(seed, num_states, 3, 3, discount)
    batch = np.random.default_rng(seed).dirichlet(np.ones(3), size=(2, num_states))
    visits = occupancy(mdp, batch)
    assert visits.shape == (2, num_states, 3)
    np.testing.assert_allclose((visits * mdp.mean_reward).sum(axis=(1, 2)), evaluate_policy(mdp, batch) @ mdp.start)
    p, _ = loop_chain(mdp, batch[0])
    by_hand, now, weight = np.zeros(num_states), mdp.start, 1.0
    for _ in range(1000):
        by_hand, now, weight = by_hand + weight * now, now @ p, weight * discount
    np.testing.assert_allclose(visits[0].sum(axis=1), by_hand, atol=1e-10)


def test_occupancy_sums_to_the_discounted_length_of_an_episode() -> None:
    assert occupancy(build("RandomMDP").mdp, np.zeros(5, int)).sum() == pytest.approx(20.0, abs=1e-11)
    uniform = np.full((11, 2), 0.5)
    assert occupancy(build("LineWalk", discount=1.0).mdp, uniform).sum() == pytest.approx(25.0, abs=1e-11)


def test_occupancy_at_discount_1_is_infinite_where_the_policy_stays_and_0_where_it_never_comes() -> None:
    rows = {
        0: [[(0.5, 1, 0.0), (0.5, 0, 0.0)], [(1.0, 0, 0.0, True)]],
        1: [[(1.0, 2, 0.0)], [(1.0, 1, 0.0)]],
        2: [[(1.0, 1, 0.0)], [(1.0, 2, 0.0)]],
        3: [[(1.0, 3, 0.0)], [(1.0, 3, 0.0)]],
    }
    visits = occupancy(table(rows, discount=1.0), np.zeros(4, int))
    np.testing.assert_array_equal(visits, [[2.0, 0.0], [np.inf, 0.0], [np.inf, 0.0], [0.0, 0.0]])
