"""The exact solver against numbers derived by hand, brute force, linear programming and simulation."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import rl_envs.mdp.solve as solve_module
from rl_envs.mdp import bellman, end_components, evaluation
from rl_envs.mdp.evaluation import action_values, evaluate_policy, occupancy
from rl_envs.mdp.finite_horizon import backward_induction, best_finite_horizon_values, finite_horizon_values
from rl_envs.mdp.finite_mdp import FiniteMDP, tabulate
from rl_envs.mdp.policy import as_probabilities
from rl_envs.mdp.solve import (
    Solution,
    modified_policy_iteration,
    policy_iteration,
    solve,
    value_iteration,
    worst_values,
)
from rl_envs.registry import build

METHODS = [solve, value_iteration, policy_iteration, modified_policy_iteration]


def table(rows: dict[int, list[list[tuple[Any, ...]]]], *, discount: float, start: Any = 0) -> FiniteMDP:
    """A table written out: for each state a list of actions, for each action a list of outcomes."""
    return tabulate(
        lambda s, a: rows[s][a], num_states=len(rows), num_actions=len(rows[0]), start=start, discount=discount
    )


def random_mdp(seed: int, num_states: int, num_actions: int, num_outcomes: int, discount: float) -> FiniteMDP:
    """Random rows, one outcome in five terminal."""
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, num_outcomes)
    return FiniteMDP(
        probability=rng.dirichlet(np.ones(num_outcomes), size=shape[:2]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.standard_normal(shape),
        terminated=rng.random(shape) < 0.2,
        start=rng.dirichlet(np.ones(num_states)),
        discount=discount,
    )


def endless_mdp(seed: int, num_states: int, num_actions: int) -> FiniteMDP:
    """Discount 1 with everything that makes it hard: free loops, paid loops, loops that cancel, ends out of reach."""
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, 2)
    certain = rng.random(shape[:2]) < 0.6
    return FiniteMDP(
        probability=np.where(certain[:, :, None], [1.0, 0.0], [0.5, 0.5]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.choice([-2.0, -1.0, 0.0, 0.0, 0.0, 1.0], size=shape),
        terminated=rng.random(shape) < 0.15,
        start=np.full(num_states, 1 / num_states),
        discount=1.0,
    )


def loop_chain(mdp: FiniteMDP, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A policy's chain and rewards by the definition, outcome after outcome; policy [S] or [S, A]."""
    p, r = np.zeros((mdp.num_states, mdp.num_states)), np.zeros(mdp.num_states)
    for s, a, k in np.ndindex(*mdp.probability.shape):
        chosen = policy[s, a] if policy.ndim == 2 else float(policy[s] == a)
        weight = chosen * mdp.probability[s, a, k]
        r[s] += weight * mdp.reward[s, a, k]
        if not mdp.terminated[s, a, k]:
            p[s, mdp.next_state[s, a, k]] += weight
    return p, r


def loop_values(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    p, r = loop_chain(mdp, policy)
    return np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * p, r)


def all_policies(mdp: FiniteMDP) -> Iterator[np.ndarray]:
    return (np.array(actions) for actions in itertools.product(range(mdp.num_actions), repeat=mdp.num_states))


def totals(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """Undiscounted totals by adding up 2^40 steps; nan where the sum neither settles nor grows without bound.

    Two maps v -> r + p v after each other are again one, so 40 doublings suffice; nothing of the solver is used.
    """
    p, r = loop_chain(mdp, policy)
    step_p, step_r = p, r
    for _ in range(40):
        r, p = r + p @ r, p @ p
    later, doubled = step_r + step_p @ r, r + p @ r
    settled = np.isclose(later, r, atol=1e-6) & np.isclose(doubled, r, atol=1e-6)
    total = np.where(settled, r, np.nan)
    total[~settled & (r > 1e6) & (doubled > 1.5 * r)] = np.inf
    total[~settled & (r < -1e6) & (doubled < 1.5 * r)] = -np.inf
    # Which states are seen for ever from each: whatever the powers, one after the other, still lead to.
    for_ever = np.zeros_like(p)
    for _ in range(12):  # 12 is a multiple of every period up to 4, and covers those up to 6
        for_ever += p
        p = p @ step_p
    paid = ((for_ever > 1e-9) & (step_r != 0)).any(axis=1)
    # Gains and losses that never end have no total, though the mean of their sum may settle; nor have both infinities.
    both = ((for_ever > 1e-9) & (total == np.inf)).any(axis=1) & ((for_ever > 1e-9) & (total == -np.inf)).any(axis=1)
    total[(paid & np.isfinite(total)) | both] = np.nan
    never = ((for_ever > 1e-9) & np.isnan(total)).any(axis=1)
    total[never] = np.nan
    return total


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


# --- discount 1 ------------------------------------------------------------------------------------------------------


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
    mdp = endless_mdp(seed, num_states, num_actions)
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
    mdp = endless_mdp(seed, num_states, 1)
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
    mdp = endless_mdp(seed, num_states, 2)
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


# --- evaluation, horizons, occupancy ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_backward_induction_beats_every_policy_that_watches_the_clock(discount: float) -> None:
    horizon = 3
    for seed in range(5):
        mdp = random_mdp(seed, 2, 2, 2, 0.5)
        chains = [loop_chain(mdp, policy) for policy in all_policies(mdp)]
        every = []
        for plan in itertools.product(chains, repeat=horizon):
            v = np.zeros(2)
            for p, r in plan:
                v = r + discount * p @ v
            every.append(v)
        found = backward_induction(mdp, horizon, discount=discount)
        np.testing.assert_allclose(found.v[horizon], np.max(every, axis=0), atol=1e-13)
        np.testing.assert_allclose(
            best_finite_horizon_values(mdp, horizon, discount=discount), found.v[horizon], atol=1e-15
        )
        assert found.v.shape == (4, 2)
        assert found.optimal_actions.shape == (3, 2, 2)
        np.testing.assert_array_equal(found.v[0], 0.0)
        one_step = mdp.mean_reward == mdp.mean_reward.max(axis=1, keepdims=True)
        np.testing.assert_array_equal(found.optimal_actions[0], one_step)


def test_a_short_clock_makes_walking_off_the_end_the_best() -> None:
    mdp = build("LineBalance").mdp
    found = backward_induction(mdp, 20)
    # one step left at 4: home costs 3, staying 4, off the end 5; with many left: 3 + 2 + 1 against 5
    assert found.optimal_actions[0, 9].tolist() == [True, False, False]
    assert found.optimal_actions[19, 9].tolist() == [False, False, True]
    # three steps left: 3 + 2 + 1 is 6; two left: 3 + 2 is 5, as much as walking off
    assert found.optimal_actions[1, 9].tolist() == [True, False, True]
    assert found.v[2, 9] == -5.0


def test_no_steps_are_worth_nothing_and_a_negative_horizon_is_refused() -> None:
    mdp = build("LineWalk").mdp
    policy = np.zeros(11, int)
    np.testing.assert_array_equal(finite_horizon_values(mdp, policy, 0), np.zeros(11))
    np.testing.assert_array_equal(best_finite_horizon_values(mdp, 0), np.zeros(11))
    for call in (
        lambda: finite_horizon_values(mdp, policy, -1),
        lambda: backward_induction(mdp, -1),
        lambda: best_finite_horizon_values(mdp, -1),
    ):
        with pytest.raises(ValueError, match="horizon must be at least 0, but is -1"):
            call()
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 1\.5"):
        finite_horizon_values(mdp, policy, 3, discount=1.5)


def test_a_long_discounted_horizon_approaches_the_value() -> None:
    mdp = build("RandomMDP").mdp
    uniform = np.full((5, 3), 1 / 3)
    v = evaluate_policy(mdp, uniform)
    for horizon in (10, 100, 600):
        gap = np.abs(finite_horizon_values(mdp, uniform, horizon, discount=0.95) - v).max()
        assert gap <= 0.95**horizon * np.abs(v).max() + 1e-12


@pytest.mark.parametrize(("name", "arguments"), [("LineWalk", {"slip": 0.2}), ("RandomMDP", {}), ("LineBalance", {})])
def test_simulated_episodes_return_on_average_what_is_computed(name: str, arguments: dict[str, Any]) -> None:
    world = build(name, **arguments)
    mdp, horizon, episodes = world.mdp, 20, 40_000
    rng = np.random.default_rng(1)
    policy = rng.dirichlet(np.ones(mdp.num_actions), size=mdp.num_states)
    state = rng.choice(mdp.num_states, size=episodes, p=mdp.start)
    returns, running = np.zeros(episodes), np.ones(episodes, dtype=bool)
    for _ in range(horizon):
        action = (rng.random((episodes, 1)) > np.cumsum(policy, axis=1)[state, :-1]).sum(axis=1)
        k = (rng.random((episodes, 1)) > np.cumsum(mdp.probability, axis=2)[state, action, :-1]).sum(axis=1)
        returns += running * mdp.reward[state, action, k]
        running &= ~mdp.terminated[state, action, k]
        state = mdp.next_state[state, action, k]
    expected = mdp.start @ finite_horizon_values(mdp, policy, horizon)
    # 40,000 episodes: the mean is within 4 standard errors of the truth but once in 16,000 seeds
    error = returns.std(ddof=1) / np.sqrt(episodes)
    assert error < 0.2
    assert abs(returns.mean() - expected) < 4 * error


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
