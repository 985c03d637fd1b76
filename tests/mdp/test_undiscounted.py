"""Discount 1: loops that pay, cost or cancel, against brute force and sums over very many steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_envs.mdp import end_components
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.solve import modified_policy_iteration, policy_iteration, solve, value_iteration, worst_values
from rl_envs.registry import build
from tests.mdp.tables import all_policies, table, totals, undiscounted_mdp

METHODS = [solve, value_iteration, policy_iteration, modified_policy_iteration]


def test_everything_optimal_is_not_yet_a_policy_that_arrives() -> None:
    # Without discount walking to and fro loses nothing, as long as one arrives in the end.
    mdp = build("LineWalk", discount=1.0).mdp
    for method in METHODS:
        solution = method(mdp)
        np.testing.assert_allclose(solution.v_star[1:10], 1.0)
        assert solution.optimal_actions[2:10].all()
        assert solution.optimal_actions[1].tolist() == [False, True]
        np.testing.assert_allclose(evaluate_policy(mdp, solution.policy)[1:10], 1.0)
    to_and_fro = np.where(np.arange(11) % 2, 1, 0)
    np.testing.assert_array_equal(evaluate_policy(mdp, to_and_fro)[2:9], 0.0)


def test_a_loop_that_pays_has_no_finite_optimum_and_the_error_names_its_state() -> None:
    rows = {
        0: [[(1.0, 1, 0.0)], [(1.0, 0, -1.0, True)]],
        1: [[(1.0, 1, -1.0, True)], [(1.0, 2, -1.0)]],
        2: [[(1.0, 1, 1.5)], [(1.0, 2, 0.0, True)]],
        3: [[(1.0, 3, 0.0)], [(1.0, 3, -1.0)]],
    }
    for method in METHODS:
        with pytest.raises(
            ValueError,
            match="at discount 1 the optimal value must be finite, but from state 0 some policy may collect reward",
        ):
            method(table(rows, discount=1.0))
    np.testing.assert_array_equal(worst_values(table(rows, discount=1.0)), [-1.0, -1.0, -0.0, -np.inf])


def test_a_continuing_world_with_rewards_of_both_signs_is_refused_at_discount_1() -> None:
    with pytest.raises(ValueError, match="from state 0 some policy may collect reward for ever"):
        solve(build("RandomMDP", discount=1.0).mdp)


def test_where_every_policy_pays_for_ever_the_value_is_minus_infinity() -> None:
    # State 1 costs 1 for ever; state 0 may go there or end; state 2 cannot help falling into 1 now and then.
    rows = {
        0: [[(1.0, 1, 5.0)], [(1.0, 0, -3.0, True)]],
        1: [[(1.0, 1, -1.0)], [(1.0, 1, -2.0)]],
        2: [[(0.9, 2, 0.0, True), (0.1, 1, 0.0)], [(0.1, 1, 0.0), (0.9, 0, 100.0)]],
    }
    for method in METHODS:
        solution = method(table(rows, discount=1.0))
        np.testing.assert_array_equal(solution.v_star, [-3.0, -np.inf, -np.inf])
        np.testing.assert_array_equal(solution.q_star, [[-np.inf, -3.0], [-np.inf] * 2, [-np.inf] * 2])
        assert solution.optimal_actions.tolist() == [[False, True], [True, True], [True, True]]
        assert solution.certificate.residual == 0


def test_endless_rewards_that_cancel_are_refused_only_where_there_is_no_way_out() -> None:
    stuck = {0: [[(1.0, 1, 1.0)]], 1: [[(1.0, 0, -1.0)]]}
    with pytest.raises(ValueError, match="from state 0 no policy is sure to end and rewards cancel for ever"):
        solve(table(stuck, discount=1.0))
    with pytest.raises(ValueError, match="those around state 0 cancel, so the total does not converge"):
        evaluate_policy(table(stuck, discount=1.0), np.zeros(2, int))
    # With a way out for 0.25 the best is to take the 1 first, and to leave from state 1.
    way_out = {
        0: [[(1.0, 1, 1.0)], [(1.0, 0, 0.25, True)]],
        1: [[(1.0, 0, -1.0)], [(1.0, 1, 0.25, True)]],
    }
    for method in METHODS:
        solution = method(table(way_out, discount=1.0))
        np.testing.assert_allclose(solution.v_star, [1.25, 0.25])
        assert solution.policy.tolist() == [0, 1]


def test_rewards_shaped_by_a_potential_leave_the_optimum_less_the_potential() -> None:
    # r + phi(s') - phi(s): every loop still sums to 0, so walking in circles is as good as not, and never settles.
    plain = build("LineWalk", discount=1.0).mdp
    potential = np.random.default_rng(0).standard_normal(11)
    potential[[0, 10]] = 0.0
    shaping = potential[plain.next_state] - potential[:, None, None]
    shaped = FiniteMDP(
        plain.probability, plain.next_state, plain.reward + shaping, plain.terminated, plain.start, discount=1.0
    )
    solution = policy_iteration(shaped)
    np.testing.assert_allclose(solution.v_star + potential, solve(plain).v_star, atol=1e-12)
    np.testing.assert_allclose(evaluate_policy(shaped, solution.policy), solution.v_star, atol=1e-12)


def test_free_loops_are_left_by_their_best_exit() -> None:
    # A free ring 0 -> 1 -> 2 -> 0, which can be left for 1 from state 0, and for 4 from state 2.
    rows = {
        0: [[(1.0, 1, 0.0)], [(1.0, 0, 1.0, True)]],
        1: [[(1.0, 2, 0.0)], [(1.0, 1, -7.0, True)]],
        2: [[(1.0, 0, 0.0)], [(1.0, 2, 4.0, True)]],
    }
    for method in METHODS:
        solution = method(table(rows, discount=1.0))
        np.testing.assert_array_equal(solution.v_star, [4.0, 4.0, 4.0])
        assert solution.policy.tolist() == [0, 0, 1]
    # All exits cost: then it is best to go round for ever.
    costly = {s: [ring, [(1.0, s, -1.0 - s, True)]] for s, (ring, _) in rows.items()}
    for method in METHODS:
        solution = method(table(costly, discount=1.0))
        np.testing.assert_array_equal(solution.v_star, [0.0, 0.0, 0.0])
        assert solution.policy.tolist() == [0, 0, 0]
        np.testing.assert_array_equal(worst_values(table(costly, discount=1.0)), [-3.0, -3.0, -3.0])


def test_outcomes_whose_rewards_cancel_but_for_rounding_are_free() -> None:
    # 0.1 * 3 - 0.3 is 5e-17 in floating point; for ever it would add up to infinity
    assert 0.1 * 3 - 0.3 != 0
    mdp = table({0: [[(0.1, 0, 3.0), (0.3, 0, -1.0), (0.6, 0, 0.0)]]}, discount=1.0)
    assert solve(mdp).v_star[0] == 0.0
    assert evaluate_policy(mdp, np.array([0]))[0] == 0.0


def test_a_fair_game_that_never_ends_is_told_from_one_that_pays() -> None:
    def game(win: float) -> FiniteMDP:
        return table({0: [[(0.5, 1, win), (0.5, 0, 0.0)]], 1: [[(1.0, 0, -1.0)]]}, discount=1.0)

    # the chain is in state 0 two thirds of the time, so the average is (win - 1) / 3
    assert np.isposinf(evaluate_policy(game(1.001), np.zeros(2, int))).all()
    assert np.isneginf(evaluate_policy(game(0.999), np.zeros(2, int))).all()
    with pytest.raises(ValueError, match="cancel"):
        evaluate_policy(game(1.0), np.zeros(2, int))


def test_an_average_too_close_to_0_to_call_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end_components, "GAIN_SWEEPS", 3)
    mdp = table({s: [[(0.5, (s + 1) % 9, float(s == 3)), (0.5, s, -0.111)]] for s in range(9)}, discount=1.0)
    with pytest.raises(ValueError, match="average reward must be known, but around state 0 it is within"):
        evaluate_policy(mdp, np.zeros(9, int))


def test_a_policy_that_may_be_paid_or_pay_for_ever_has_no_value() -> None:
    rows = {
        0: [[(0.5, 1, 0.0), (0.5, 2, 0.0)], [(1.0, 0, 0.0, True)]],
        1: [[(1.0, 1, 1.0)], [(1.0, 1, 1.0)]],
        2: [[(1.0, 2, -1.0)], [(1.0, 2, -1.0)]],
    }
    mdp = table(rows, discount=1.0)
    with pytest.raises(ValueError, match="from state 0 it may collect positive or negative reward for ever"):
        evaluate_policy(mdp, np.zeros(3, int))
    np.testing.assert_array_equal(evaluate_policy(mdp, np.ones(3, int)), [0.0, np.inf, -np.inf])


@settings(max_examples=250)
@given(num_states=st.integers(1, 4), num_actions=st.integers(1, 3), seed=st.integers(0, 100_000))
def test_discount_1_agrees_with_brute_force_over_every_policy(num_states: int, num_actions: int, seed: int) -> None:
    mdp = undiscounted_mdp(seed, num_states, num_actions)
    every = np.array([totals(mdp, policy) for policy in all_policies(mdp)])
    exists = ~np.isnan(every)
    best = np.where(exists, every, -np.inf).max(axis=0)
    try:
        solution = policy_iteration(mdp)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if "some policy may collect reward for ever" in refusal:
        assert (best == np.inf).any(), "refused, though every policy's total is finite"
        return
    if refusal:
        assert "no policy is sure to end" in refusal
        assert ((best == -np.inf) & ~exists.all(axis=0)).any(), "refused, though every state has a policy"
        return
    np.testing.assert_allclose(solution.v_star, best, atol=1e-9)
    np.testing.assert_allclose(totals(mdp, solution.policy)[np.isfinite(best)], best[np.isfinite(best)], atol=1e-9)
    np.testing.assert_allclose(value_iteration(mdp).v_star, best, atol=1e-8)


@settings(max_examples=200)
@given(num_states=st.integers(1, 6), seed=st.integers(0, 100_000))
def test_evaluation_at_discount_1_agrees_with_adding_up_the_rewards(num_states: int, seed: int) -> None:
    mdp = undiscounted_mdp(seed, num_states, 1)
    policy = np.zeros(num_states, dtype=np.int64)
    expected = totals(mdp, policy)
    try:
        v = evaluate_policy(mdp, policy)
    except ValueError:
        assert np.isnan(expected).any(), f"refused, though every total exists: {expected}"
        return
    np.testing.assert_allclose(v, expected, atol=1e-9)


@settings(max_examples=200)
@given(num_states=st.integers(1, 6), seed=st.integers(0, 100_000), tolerance=st.sampled_from([1e-1, 1e-4]))
def test_rough_value_iteration_at_discount_1_keeps_its_bound(num_states: int, seed: int, tolerance: float) -> None:
    mdp = undiscounted_mdp(seed, num_states, 2)
    try:
        exact = policy_iteration(mdp).v_star
    except ValueError:
        return
    rough = value_iteration(mdp, tolerance=tolerance)
    finite = np.isfinite(exact)
    np.testing.assert_array_equal(rough.v_star[~finite], exact[~finite])
    error = np.abs(rough.v_star[finite] - exact[finite]).max(initial=0.0)
    assert error <= rough.certificate.bound + 1e-12


def test_value_iteration_at_discount_1_stops_where_its_bound_says() -> None:
    mdp = build("LineWalk", slip=0.3, discount=1.0).mdp
    rough, exact = value_iteration(mdp, tolerance=1e-3), policy_iteration(mdp)
    error = np.abs(rough.v_star - exact.v_star).max()
    assert error <= rough.certificate.bound <= 1e-3
    # the longest expected walk under nearly optimal actions is what the bound multiplies the residual with
    assert rough.certificate.bound > rough.certificate.residual
