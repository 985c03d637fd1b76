"""The optimum of a table: value iteration, policy iteration and modified policy iteration.

Nothing is sampled. Each algorithm's docstring states its guarantee, and each solution comes with a certificate: its
Bellman residual, and the bound on the error that follows from it. `rl_envs.mdp.undiscounted` handles discount 1, where
some policies may never end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_envs.mdp import undiscounted
from rl_envs.mdp.bellman import TIE_TOLERANCE, Dynamics, greedy, solve_chain
from rl_envs.mdp.finite_mdp import FiniteMDP, read_only

# Relative to the largest value: the default tolerance.
DEFAULT_TOLERANCE = 1e-13

# Up to this many states elimination is cheaper than the sweeps that it replaces.
ELIMINATION_STATES = 200

# An action replaces another in policy iteration if it gains more than this, relative to the largest value.
IMPROVEMENT = 1e-13

# A residual of this, relative to the largest value, is rounding.
ROUNDING = 16 * np.finfo(np.float64).eps

# Modified policy iteration: sweeps of one policy per improvement, how far they must narrow what is not yet known, and
# the sweeps altogether after which policy iteration takes over.
SWEEPS = 50

NARROWING = 0.05

SWEEP_LIMIT = 5_000


@dataclass(frozen=True)
class Certificate:
    """How exact a solution is.

    Below discount 1 the Bellman operator is a contraction, and `bound` = residual / (1 - b), where b is the largest
    discounted probability that the episode continues. At discount 1 it is residual * w, where w is the longest expected
    number of steps among policies of nearly optimal choices, or infinite where these need not end
    (`rl_envs.mdp.undiscounted`). Both cover the states with finite values and assume exact arithmetic: rounding in the
    residual itself adds about 1e-16 of the largest value.

    Source: Puterman (1994), theorem 6.2.3 (contraction); Bertsekas & Tsitsiklis (1991) for discount 1.
    """

    method: str
    iterations: int
    residual: float  # largest |max_a q(s, a) - v(s)| over all states, in units of value
    bound: float  # at least the largest |v(s) - v*(s)| over all states, in units of value


@dataclass(frozen=True, eq=False)
class Solution:
    """The optimal values, all optimal actions, and one optimal policy.

    At discount 1, every optimal policy uses optimal actions only, but the converse is false: a policy of optimal
    actions may move back and forth for ever. `policy` attains the values.
    """

    v_star: np.ndarray  # [S] float64
    q_star: np.ndarray  # [S, A] float64
    optimal_actions: np.ndarray  # [S, A] bool: taking the action once and then acting optimally loses nothing
    policy: np.ndarray  # [S] int64
    certificate: Certificate


def solve(mdp: FiniteMDP, *, tolerance: float | None = None) -> Solution:
    """The optimum, by the method that is fastest for the table.

    Policy iteration for up to `ELIMINATION_STATES` states and at discount 1, modified policy iteration otherwise. Their
    guarantees hold; the certificate bounds the error.

    Args:
        mdp: the table.
        tolerance: largest allowed error, in units of value; by default 1e-13 of the largest value.

    Returns:
        The optimum.

    Raises:
        ValueError: discount is 1 and some state's optimal value is infinite upwards or does not exist.
    """
    if mdp.discount == 1 or mdp.num_states <= ELIMINATION_STATES:
        return policy_iteration(mdp)
    return modified_policy_iteration(mdp, tolerance=tolerance)


def value_iteration(mdp: FiniteMDP, *, tolerance: float | None = None) -> Solution:
    """The optimum by repeated Bellman backups from 0.

    Guarantee: each sweep shrinks the largest error by the discount, and it stops when the error is within the tolerance
    or the change is at rounding level. At discount 1 it starts from the value of a policy that is sure to end, from
    which it rises to the optimum (`rl_envs.mdp.undiscounted.optimum`).

    Args, Returns and Raises: as `solve`.

    Source: Sutton & Barto (2018), section 4.4; Puterman (1994), section 6.3.
    """
    dynamics = Dynamics.of(mdp)
    if mdp.discount == 1:
        return _undiscounted(dynamics, "value iteration", sweeps=True, tolerance=tolerance)
    _, high = dynamics.mass_bounds(mdp.discount)
    v = np.zeros(mdp.num_states)
    previous = np.inf
    iterations = 0
    while True:
        iterations += 1
        q = dynamics.action_values(v, mdp.discount)
        best, action = greedy(q)
        residual = np.abs(best - v).max()
        # The residual shrinks with every sweep, so one that does not is made of rounding.
        if residual <= _wanted_residual(best, high, tolerance) or residual >= previous:
            return _solution(dynamics, mdp.discount, v, q, action, "value iteration", iterations)
        v, previous = best, residual


def policy_iteration(mdp: FiniteMDP) -> Solution:
    """The optimum by alternating exact evaluation and greedy improvement.

    Guarantee: each policy is at least as good in every state as the one before and better in one, so it ends after
    finitely many; the last one's values solve the Bellman equation up to rounding. At discount 1 the
    guarantee holds because only policies are compared that are sure to end or to stay where there is no reward
    (`rl_envs.mdp.undiscounted.optimum`).

    Args, Returns and Raises: as `solve`, without tolerance: the error is that of rounding.

    Source: Sutton & Barto (2018), section 4.3; Puterman (1994), section 6.4.
    """
    dynamics = Dynamics.of(mdp)
    if mdp.discount == 1:
        return _undiscounted(dynamics, "policy iteration")
    _, action = greedy(dynamics.reward)
    return _policy_iteration(dynamics, mdp.discount, action, "policy iteration", 0)


def modified_policy_iteration(mdp: FiniteMDP, *, tolerance: float | None = None) -> Solution:
    """The optimum by alternating greedy improvement and a few sweeps of evaluation.

    Guarantee: it converges from any start (Canbolat & Rothblum 2013), and stops when the certificate's bound is within
    the tolerance. If all pairs continue with the same probability, the constant part of the error is known and removed
    at once (MacQueen 1966), so the speed depends on mixing and not on the discount. If sweeps are slow, policy
    iteration takes over from the current policy. At discount 1 it is policy iteration.

    Args, Returns and Raises: as `solve`.

    Source: Puterman & Shin (1978); Puterman (1994), sections 6.5 and 6.6.
    """
    dynamics = Dynamics.of(mdp)
    discount = mdp.discount
    name = "modified policy iteration"
    if discount == 1:
        return _undiscounted(dynamics, "policy iteration")
    low, high = dynamics.mass_bounds(discount)
    # If all pairs continue with the same probability, a change common to all states repeats in every later step.
    later = high / (1 - high) if low == high else 0.0
    v = np.zeros(mdp.num_states)
    q = dynamics.reward  # the action values that go with v = 0
    previous = np.full(mdp.num_states, -1)
    iterations = sweeps = 0
    while sweeps <= SWEEP_LIMIT:
        iterations += 1
        best, action = greedy(q)
        if np.abs(best - v).max() <= _wanted_residual(best, high, tolerance):
            return _solution(dynamics, discount, v, q, action, name, iterations)
        change = best - v
        # Sweeps need not narrow it beyond what is wanted in the end; once the policy has settled, they go that far.
        goal = _wanted_residual(best, high, tolerance) / 2
        if not np.array_equal(action, previous):
            p, reward = dynamics.under_actions(action)
            previous = action
            goal = max(goal, NARROWING * _width(change, later))
        v = best
        for _ in range(SWEEPS):
            sweeps += 1
            swept = p @ v
            swept *= discount
            swept += reward
            change, v = np.subtract(swept, v, out=v), swept  # in place: fresh memory costs as much as the arithmetic
            if _width(change, later) <= goal:
                break
        v = v + later * (change.max() + change.min()) / 2
        q = dynamics.action_values(v, discount)
    return _policy_iteration(dynamics, discount, action, name + ", then policy iteration", iterations)


def worst_values(mdp: FiniteMDP) -> np.ndarray:
    """The smallest value of each state under any policy: the optimum for negated rewards.

    Args:
        mdp: the table.

    Returns:
        Values [S]; at discount 1 -inf where some policy pays for ever.

    Raises:
        ValueError: discount is 1 and no policy's total exists from some state.
    """
    if mdp.discount == 1:
        return 0.0 - undiscounted.optimum(Dynamics.of(mdp).negated()).v
    turned = FiniteMDP(mdp.probability, mdp.next_state, -mdp.reward, mdp.terminated, mdp.start, mdp.discount)
    return 0.0 - solve(turned).v_star


def _wanted_residual(best: np.ndarray, high: float, tolerance: float | None) -> float:
    """The Bellman residual that implies the tolerance, but no smaller than rounding."""
    scale = np.abs(best).max()
    wanted = DEFAULT_TOLERANCE * scale if tolerance is None else tolerance
    return float(max(wanted * (1 - high), ROUNDING * scale))


def _width(change: np.ndarray, later: float) -> float:
    """The part of a change that still matters: its span if a constant part can be removed, else its size."""
    return float(change.max() - change.min() if later else np.abs(change).max())


def _policy_iteration(
    dynamics: Dynamics, discount: float, action: np.ndarray, method: str, iterations: int
) -> Solution:
    states = np.arange(dynamics.num_states)
    total = -np.inf
    while True:
        iterations += 1
        v = solve_chain(*dynamics.under_actions(action), discount)
        q = dynamics.action_values(v, discount)
        best, improved = greedy(q)
        better = best > q[states, action] + IMPROVEMENT * max(np.abs(v).max(), np.abs(dynamics.reward).max())
        # Each policy is better than the last, so one that is not got there by rounding.
        if not better.any() or v.sum() <= total:
            return _solution(dynamics, discount, v, q, action, method, iterations)
        action, total = np.where(better, improved, action), v.sum()


def _undiscounted(dynamics: Dynamics, method: str, *, sweeps: bool = False, tolerance: float | None = None) -> Solution:
    scale = np.abs(dynamics.reward).max()
    found = undiscounted.optimum(
        dynamics, sweeps=sweeps, tolerance=DEFAULT_TOLERANCE * scale if tolerance is None else tolerance
    )
    if (found.v == np.inf).any():
        raise ValueError(
            "at discount 1 the optimal value must be finite, but from state "
            f"{np.flatnonzero(found.v == np.inf)[0]} some policy may collect reward for ever"
        )
    certificate = Certificate(method, found.iterations, found.residual, found.bound)
    q = dynamics.action_values(found.v, 1.0)
    return _with_optimal_actions(dynamics, found.v, q, found.policy, certificate)


def _solution(
    dynamics: Dynamics, discount: float, v: np.ndarray, q: np.ndarray, action: np.ndarray, method: str, iterations: int
) -> Solution:
    _, high = dynamics.mass_bounds(discount)
    residual = float(np.abs(q.max(axis=1) - v).max())
    certificate = Certificate(method, iterations, residual, residual / (1 - high))
    return _with_optimal_actions(dynamics, v, q, action, certificate)


def _with_optimal_actions(
    dynamics: Dynamics, v: np.ndarray, q: np.ndarray, action: np.ndarray, certificate: Certificate
) -> Solution:
    scale = max(np.abs(v[np.isfinite(v)]).max(initial=0.0), np.abs(dynamics.reward).max())
    open_to_doubt = certificate.bound if np.isfinite(certificate.bound) else certificate.residual
    optimal = q >= q.max(axis=1, keepdims=True) - (TIE_TOLERANCE * scale + 2 * open_to_doubt)
    return Solution(read_only(v), read_only(q), read_only(optimal), read_only(action), certificate)
