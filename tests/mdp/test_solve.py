"""The exact solver against numbers derived by hand, brute force, linear programming and simulation."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import rl_envs.mdp.solve as solve_module
from rl_envs.mdp import bellman
from rl_envs.mdp.evaluation import evaluate_policy, occupancy
from rl_envs.mdp.finite_horizon import finite_horizon_values
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.solve import (
    Solution,
    modified_policy_iteration,
    policy_iteration,
    solve,
    value_iteration,
    worst_values,
)
from rl_envs.registry import build
from tests.mdp.tables import all_policies, loop_chain, loop_values, random_mdp, table

METHODS = [solve, value_iteration, policy_iteration, modified_policy_iteration]


# --- numbers derived by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_the_optimum_of_line_walk_is_the_discounted_way_home(method: Any) -> None:
    solution = method(build("LineWalk").mdp)
    # one step from the end is worth 1, and each step further away 0.95 of that
    np.testing.assert_allclose(solution.v_star[1:10], 0.95 ** np.arange(8, -1, -1.0), rtol=0, atol=1e-12)
    assert solution.v_star[5] == pytest.approx(0.81450625, abs=1e-12)
    assert solution.policy[1:10].tolist() == [1] * 9


@pytest.mark.parametrize("method", METHODS)
def test_line_walk_with_slip_meets_its_published_number(method: Any) -> None:
    assert method(build("LineWalk", slip=0.1).mdp).v_star[5] == pytest.approx(0.76724608, abs=5e-9)


@pytest.mark.parametrize("method", METHODS)
def test_staying_at_the_origin_for_nothing_is_worth_0_also_without_discount(method: Any) -> None:
    # The Bellman equation v = 0 + v holds for any number there: policy iteration and the plain LP both go wrong.
    solution = method(build("LineBalance", discount=1.0).mdp)
    # 1 away: step home for 0. 4 away: end it at once for 5 beats 3 + 2 + 1 = 6 on the way home.
    np.testing.assert_allclose(solution.v_star, [0, -5, -3, -1, 0, 0, 0, -1, -3, -5, 0], atol=1e-12)
    assert solution.policy[4:7].tolist() == [2, 1, 0]
    assert solution.certificate.bound < 1e-9


def test_the_trap_of_line_balance_opens_at_the_root_of_3_less_1() -> None:
    def at_four(discount: float) -> list[bool]:
        return solve(build("LineBalance", discount=discount).mdp).optimal_actions[9].tolist()

    # home from 4: 3 + 2 d + d^2, off the end: 5; equal where d^2 + 2 d = 2
    root = np.sqrt(3) - 1
    assert at_four(root - 1e-6) == [True, False, False]
    assert at_four(root + 1e-6) == [False, False, True]
    assert at_four(root) == [True, False, True], "both are optimal exactly there"


def test_a_terminated_outcome_never_bootstraps() -> None:
    ends = table({0: [[(1.0, 0, 1.0, True)]]}, discount=0.9)
    goes_on = table({0: [[(1.0, 0, 1.0, False)]]}, discount=0.9)
    half = table({0: [[(0.5, 0, 1.0, True), (0.5, 0, 1.0, False)]]}, discount=0.9)
    for method in METHODS:
        assert method(ends).v_star[0] == pytest.approx(1.0, abs=1e-12)
        assert method(goes_on).v_star[0] == pytest.approx(10.0, abs=1e-9)
        assert method(half).v_star[0] == pytest.approx(1 / 0.55, abs=1e-9)


def test_padding_counts_for_nothing_whatever_stands_in_it() -> None:
    arrays = {
        "probability": np.array([[[1.0, 0.0]], [[1.0, 0.0]]]),
        "next_state": np.array([[[0, 1]], [[1, 0]]]),
        "reward": np.array([[[0.0, 1e9]], [[1.0, -1e9]]]),
        "terminated": np.array([[[False, True]], [[True, False]]]),
        "start": np.array([1.0, 0.0]),
    }
    for discount in (0.5, 1.0):
        mdp = FiniteMDP(**arrays, discount=discount)
        np.testing.assert_array_equal(solve(mdp).v_star, [0.0, 1.0])
        np.testing.assert_array_equal(evaluate_policy(mdp, np.zeros(2, int)), [0.0, 1.0])
        np.testing.assert_array_equal(worst_values(mdp), [0.0, 1.0])


@pytest.mark.parametrize("method", METHODS)
def test_with_discount_0_only_the_next_reward_counts(method: Any) -> None:
    mdp = random_mdp(3, 6, 3, 4, 0.0)
    np.testing.assert_allclose(method(mdp).v_star, mdp.mean_reward.max(axis=1), atol=1e-15)
    np.testing.assert_allclose(method(mdp).q_star, mdp.mean_reward, atol=1e-15)


def test_the_uniform_walk_is_worth_what_the_ruin_problem_says() -> None:
    walk = build("LineWalk").mdp
    uniform = np.full((11, 2), 0.5)
    assert evaluate_policy(walk, uniform)[5] == pytest.approx(130321 / 647210, abs=1e-14)
    # without discount the chance of ruin is linear in the position
    v = evaluate_policy(build("LineWalk", discount=1.0).mdp, uniform)
    np.testing.assert_allclose(v[1:10], np.arange(1, 10) / 10, atol=1e-14)


def test_the_uniform_policys_return_on_line_balance_within_20_steps_is_exact() -> None:
    mdp = build("LineBalance").mdp
    v = finite_horizon_values(mdp, np.full((11, 3), 1 / 3), 20)
    assert v[5] == pytest.approx(-96752106370 / 3486784401, abs=1e-12)


def test_the_random_walk_of_1000_states_meets_its_published_numbers() -> None:
    mdp = build("RandomWalk").mdp
    uniform = np.full((mdp.num_states, 2), 0.5)
    v = evaluate_policy(mdp, uniform)
    start = int(np.argmax(mdp.start))
    assert v[start] == pytest.approx(-0.00094350, abs=5e-9)
    assert v[start - 499] == pytest.approx(-0.92196046, abs=5e-9)
    assert occupancy(mdp, uniform).sum() == pytest.approx(83.152449, abs=5e-7)


def test_values_of_example_6_2_are_sixths() -> None:
    mdp = build("RandomWalk", num_states=5, max_jump=1).mdp
    v = evaluate_policy(mdp, np.full((mdp.num_states, 2), 0.5))
    middle = int(np.argmax(mdp.start))
    np.testing.assert_allclose(v[middle - 2 : middle + 3], [-2 / 3, -1 / 3, 0, 1 / 3, 2 / 3], atol=1e-14)


# --- against brute force and linear programming ----------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_no_deterministic_policy_beats_the_optimum_and_one_attains_it(method: Any, discount: float, seed: int) -> None:
    mdp = random_mdp(seed, 4, 3, 2, discount)
    every = np.array([loop_values(mdp, policy) for policy in all_policies(mdp)])
    solution = method(mdp)
    np.testing.assert_allclose(solution.v_star, every.max(axis=0), atol=1e-9)
    np.testing.assert_allclose(loop_values(mdp, solution.policy), every.max(axis=0), atol=1e-9)
    np.testing.assert_allclose(worst_values(mdp), every.min(axis=0), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_linear_programming_finds_the_same_optimum(seed: int) -> None:
    mdp = random_mdp(seed, 12, 3, 4, 0.95)
    policies = [np.full(mdp.num_states, a) for a in range(mdp.num_actions)]
    chains = [loop_chain(mdp, policy) for policy in policies]
    # minimise sum v subject to v >= r_a + gamma P_a v for every action (Puterman 1994, section 6.9)
    a_ub = np.vstack([mdp.discount * p - np.eye(mdp.num_states) for p, _ in chains])
    b_ub = -np.concatenate([r for _, r in chains])
    found = linprog(np.ones(mdp.num_states), A_ub=a_ub, b_ub=b_ub, bounds=(None, None), method="highs")
    np.testing.assert_allclose(solve(mdp).v_star, found.x, atol=1e-7)


@given(
    num_states=st.integers(1, 9),
    num_actions=st.integers(1, 4),
    num_outcomes=st.integers(1, 4),
    discount=st.sampled_from([0.0, 0.3, 0.9, 0.99]),
    seed=st.integers(0, 10_000),
)
def test_all_methods_agree_on_any_random_table_and_certify_it(
    num_states: int, num_actions: int, num_outcomes: int, discount: float, seed: int
) -> None:
    mdp = random_mdp(seed, num_states, num_actions, num_outcomes, discount)
    exact = policy_iteration(mdp)
    for method in (value_iteration, modified_policy_iteration):
        solution = method(mdp)
        np.testing.assert_allclose(solution.v_star, exact.v_star, atol=1e-10)
        np.testing.assert_array_equal(solution.optimal_actions, exact.optimal_actions)
        check_certificate(solution)
    check_certificate(exact)


@given(seed=st.integers(0, 10_000), tolerance=st.sampled_from([1.0, 0.1, 1e-3, 1e-6]))
def test_a_rough_solution_is_as_close_as_its_certificate_says(seed: int, tolerance: float) -> None:
    mdp = random_mdp(seed, 8, 3, 3, 0.95)
    exact = policy_iteration(mdp).v_star
    for method in (value_iteration, modified_policy_iteration):
        rough = method(mdp, tolerance=tolerance)
        error = np.abs(rough.v_star - exact).max()
        assert error <= rough.certificate.bound + 1e-13
        assert rough.certificate.bound <= tolerance
        assert rough.certificate.residual == np.abs(rough.q_star.max(axis=1) - rough.v_star).max()


def check_certificate(solution: Solution) -> None:
    residual = np.abs(solution.q_star.max(axis=1) - solution.v_star).max()
    assert solution.certificate.residual == residual
    assert residual <= 1e-10
    assert residual <= solution.certificate.bound <= 1e-9


def test_the_certificates_bound_is_the_residual_over_1_less_the_discount() -> None:
    mdp = build("RandomMDP").mdp
    rough = value_iteration(mdp, tolerance=0.5).certificate
    assert rough.bound == pytest.approx(rough.residual / 0.05, rel=1e-12)
    assert rough.method == "value iteration"
    # an episode that ends half the time is discounted by that much more
    half = table({0: [[(0.5, 0, 1.0, True), (0.5, 0, 1.0, False)]]}, discount=0.8)
    rough = value_iteration(half, tolerance=0.1).certificate
    assert rough.bound == pytest.approx(rough.residual / (1 - 0.4), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_rescaled_rewards_rescale_values_and_keep_optimal_actions(seed: int) -> None:
    mdp = random_mdp(seed, 30, 4, 3, 0.9)
    base = modified_policy_iteration(mdp)
    for factor in (1e-9, 1e9):
        scaled = FiniteMDP(
            mdp.probability, mdp.next_state, factor * mdp.reward, mdp.terminated, mdp.start, mdp.discount
        )
        for method in METHODS:
            solution = method(scaled)
            np.testing.assert_allclose(solution.v_star / factor, base.v_star, rtol=1e-11)
            np.testing.assert_array_equal(solution.optimal_actions, base.optimal_actions)


def test_equally_good_actions_are_all_optimal() -> None:
    # Actions 0 and 2 are the same but for the order in which their sums round; action 1 is worse by a thousandth.
    rows = {
        0: [
            [(0.1, 0, 0.3), (0.2, 1, 0.1), (0.7, 1, 0.7)],
            [(0.1, 0, 0.299), (0.2, 1, 0.099), (0.7, 1, 0.699)],
            [(0.7, 1, 0.7), (0.2, 1, 0.1), (0.1, 0, 0.3)],
        ],
        1: [[(1.0, 0, 0.0)], [(1.0, 0, 0.0)], [(1.0, 0, 0.0, True)]],
    }
    for method in METHODS:
        assert method(table(rows, discount=0.9)).optimal_actions.tolist() == [[True, False, True], [True, True, False]]


def test_a_rough_solution_calls_no_optimal_action_suboptimal() -> None:
    for seed in range(20):
        mdp = random_mdp(seed, 10, 4, 3, 0.9)
        exact = policy_iteration(mdp).optimal_actions
        rough = value_iteration(mdp, tolerance=0.05).optimal_actions
        assert (rough | ~exact).all()


def test_the_arrays_of_a_solution_are_read_only() -> None:
    for method in METHODS:
        solution = method(build("LineWalk").mdp)
        for array in (solution.v_star, solution.q_star, solution.optimal_actions, solution.policy):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


# --- size and speed --------------------------------------------------------------------------------------------------


def line(num_states: int, discount: float) -> FiniteMDP:
    """A walk that ends beyond either end; every step costs 1."""
    states = np.arange(num_states)
    shape = (num_states, 2, 1)
    goes = np.stack([states - 1, states + 1], axis=1)[:, :, None]
    return FiniteMDP(
        probability=np.ones(shape),
        next_state=np.clip(goes, 0, num_states - 1),
        reward=-np.ones(shape),
        terminated=(goes < 0) | (goes >= num_states),
        start=np.full(num_states, 1 / num_states),
        discount=discount,
    )


def test_a_long_line_that_mixes_slowly_is_evaluated_by_sparse_elimination() -> None:
    n = 2000
    mdp = line(n, 1.0)
    assert n > bellman.DENSE_STATES
    # the expected time to leave a line of n from place k (from 1) is k (n + 1 - k)
    k = np.arange(1, n + 1)
    v = evaluate_policy(mdp, np.full((n, 2), 0.5))
    np.testing.assert_allclose(-v, k * (n + 1 - k), rtol=1e-9)
    visits = occupancy(mdp, np.full((n, 2), 0.5))
    assert visits.sum() == pytest.approx((k * (n + 1 - k)).mean(), rel=1e-9)
    best = np.minimum(k, n + 1 - k)
    np.testing.assert_allclose(-solve(mdp).v_star, best, rtol=1e-12)
    chain, _ = bellman.Dynamics.of(mdp).under_policy(np.full((n, 2), 0.5))
    assert bellman._swept(chain, np.ones(n), 1.0) is None
    assert bellman._krylov(scipy.sparse.eye(n, format="csr") - chain, np.ones(n)) is None


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("ends", [False, True])
def test_sweeps_krylov_and_elimination_agree(monkeypatch: pytest.MonkeyPatch, transpose: bool, ends: bool) -> None:
    mdp = random_mdp(0, 2000, 2, 3, 0.97) if ends else garnet(2000)
    p, r = bellman.Dynamics.of(mdp).under_actions(np.random.default_rng(0).integers(2, size=2000))
    assert not isinstance(p, np.ndarray)
    solutions = [bellman.solve_chain(p, r, mdp.discount, transpose=transpose)]
    for name in ("_swept", "_krylov"):  # one after the other is taken away
        monkeypatch.setattr(bellman, name, lambda *arguments: None)
        solutions.append(bellman.solve_chain(p, r, mdp.discount, transpose=transpose))
    monkeypatch.setattr(bellman, "DENSE_STATES", 10_000)
    dense = bellman.solve_chain(p, r, mdp.discount, transpose=transpose)
    for solution in solutions:
        np.testing.assert_allclose(solution, dense, atol=1e-10)


def test_slow_sweeps_give_way_to_policy_iteration(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = line(300, 0.9999)
    exact = policy_iteration(mdp)
    k = np.arange(1, 301)
    best = np.minimum(k, 301 - k)
    np.testing.assert_allclose(exact.v_star, -(1 - 0.9999**best) / (1 - 0.9999), rtol=1e-11)
    np.testing.assert_allclose(solve(mdp).v_star, exact.v_star, atol=1e-9)
    monkeypatch.setattr(solve_module, "SWEEP_LIMIT", 20)
    handed_over = modified_policy_iteration(mdp)
    assert handed_over.certificate.method == "modified policy iteration, then policy iteration"
    np.testing.assert_allclose(handed_over.v_star, exact.v_star, atol=1e-9)


@pytest.mark.parametrize("num_outcomes", [2, 40])
def test_dense_and_sparse_forms_give_the_same_answers(monkeypatch: pytest.MonkeyPatch, num_outcomes: int) -> None:
    arrays = random_mdp(5, 60, 20, num_outcomes, 0.97)

    def fresh() -> FiniteMDP:
        return FiniteMDP(
            arrays.probability, arrays.next_state, arrays.reward, arrays.terminated, arrays.start, arrays.discount
        )

    answers = []
    for small in (0, 10**9):
        monkeypatch.setattr(bellman, "SMALL", small)
        mdp = fresh()
        dense = isinstance(bellman.Dynamics.of(mdp).p, np.ndarray)
        assert dense == (small > 0 or 4 * num_outcomes >= 60)
        uniform = np.full((60, 20), 1 / 20)
        found = modified_policy_iteration(mdp)
        answers.append((found.v_star, evaluate_policy(mdp, uniform), occupancy(mdp, uniform)))
    for one, other in zip(*answers, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_a_full_table_in_another_order_of_outcomes_is_the_same_world() -> None:
    rng = np.random.default_rng(0)
    shape = (20, 3, 20)
    probability = rng.dirichlet(np.ones(20), size=(20, 3))
    next_state = np.broadcast_to(np.arange(20), shape)
    reward = rng.standard_normal(shape)
    never = np.zeros(shape, dtype=bool)
    order = rng.permuted(next_state, axis=2)

    def shuffled(array: np.ndarray) -> np.ndarray:
        return np.take_along_axis(array, order, axis=2)

    plain = FiniteMDP(probability, next_state, reward, never, np.full(20, 0.05), 0.9)
    other = FiniteMDP(shuffled(probability), order, shuffled(reward), never, np.full(20, 0.05), 0.9)
    np.testing.assert_allclose(solve(plain).v_star, solve(other).v_star, atol=1e-12)


def garnet(num_states: int) -> FiniteMDP:
    rng = np.random.default_rng(0)
    shape = (num_states, 4, 3)
    return FiniteMDP(
        probability=rng.dirichlet(np.ones(3), size=shape[:2]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.standard_normal(shape),
        terminated=np.zeros(shape, dtype=bool),
        start=np.full(num_states, 1 / num_states),
        discount=0.95,
    )


def test_a_hundred_thousand_states_are_solved_in_megabytes() -> None:
    mdp = garnet(100_000)
    tracemalloc.start()
    solution = solve(mdp)
    v = evaluate_policy(mdp, solution.policy)
    returns = finite_horizon_values(mdp, solution.policy, 5)
    visits = occupancy(mdp, solution.policy)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # one dense array [S, A, S] would take 320 gigabytes, one [S, S] 80
    assert peak < 400e6
    assert solution.certificate.bound < 1e-9
    np.testing.assert_allclose(v, solution.v_star, atol=1e-9)
    assert returns.shape == (100_000,)
    assert visits.sum() == pytest.approx(20.0, abs=1e-8)


def test_importing_the_solver_does_not_import_scipy() -> None:
    import subprocess
    import sys

    code = "import sys, rl_envs.mdp.solve, rl_envs.exact; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
