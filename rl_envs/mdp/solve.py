"""Exact answers about a table: what is best, what a given policy is worth, where it spends its time.

Everything is computed from the whole table, nothing sampled. Each algorithm states beside it what it guarantees, and
each solution carries a certificate: its Bellman residual, and the bound on its error that follows from that. What
discount 1 asks for beyond this, where some policies never end, is in `rl_envs.mdp.undiscounted`.

Policies are stationary, and the kind of number tells what an array of them holds:

    integers [S], [R, S]        the action taken in each state, by one policy or by R of them
    floats [S, A], [R, S, A]    the probability of each action in each state, likewise
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rl_envs.mdp import undiscounted
from rl_envs.mdp.bellman import Dynamics, Matrix, greedy, solve_chain
from rl_envs.mdp.finite_mdp import FiniteMDP, check_discount, check_integer

# Relative to the largest value: the error aimed for where no tolerance is given, and how close two actions must be to
# count as equally good beyond what the certificate leaves open.
DEFAULT_TOLERANCE = 1e-13
TIE_TOLERANCE = 1e-9

# Up to this many states an elimination costs less than the sweeps that it replaces.
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

# What a batch of dense chains may take up at once.
CHUNK_BYTES = 2**26

# A row of a policy may be this far from summing to 1, which single precision needs; it is rescaled.
POLICY_SUM_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Certificate:
    """How exact a solution is.

    Below discount 1 the Bellman operator is a contraction, and `bound` = residual / (1 - b), where b is the largest
    discounted probability that the episode goes on. At discount 1 it is residual * w, where w is the longest expected
    number of steps among policies of nearly optimal choices, or infinite where these need not end
    (`rl_envs.mdp.undiscounted`). Both are over the states whose values are finite, and for exact arithmetic: rounding
    in the residual itself, about 1e-16 of the largest value, comes on top.

    Source: Puterman (1994), theorem 6.2.3 (contraction); Bertsekas & Tsitsiklis (1991) for discount 1.
    """

    method: str
    iterations: int
    residual: float  # largest |max_a q(s, a) - v(s)| over all states, in units of value
    bound: float  # at least the largest |v(s) - v*(s)| over all states, in units of value


@dataclass(frozen=True, eq=False)
class Solution:
    """The best values, all best actions, and one policy that attains the values.

    At discount 1 every policy that attains the values uses optimal actions only, but not the other way round: one may
    walk to and fro between them for ever. `policy` is one that attains the values.
    """

    v_star: np.ndarray  # [S] float64
    q_star: np.ndarray  # [S, A] float64
    optimal_actions: np.ndarray  # [S, A] bool: taking the action once and then playing best loses nothing
    policy: np.ndarray  # [S] int64
    certificate: Certificate


@dataclass(frozen=True, eq=False)
class FiniteHorizon:
    """The best values with so many steps left, and the best actions there."""

    v: np.ndarray  # [horizon + 1, S] float64: v[h] with h steps left
    optimal_actions: np.ndarray  # [horizon, S, A] bool: with h + 1 steps left


def solve(mdp: FiniteMDP, *, tolerance: float | None = None) -> Solution:
    """The optimum, by whichever method is fastest for the table.

    Policy iteration for up to `ELIMINATION_STATES` states and at discount 1, modified policy iteration otherwise. The
    guarantees are theirs; the certificate says how exact the result is.

    Args:
        mdp: the table.
        tolerance: bound on the error wanted, in units of value; 1e-13 of the largest value when left out.

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

    Guarantee: each sweep shrinks the largest error by the discount, and it stops when the error left is within the
    tolerance. At discount 1 it starts from the value of a policy that is sure to end instead, from which it rises to
    the optimum (`rl_envs.mdp.undiscounted.optimum`). It stops earlier only when the change has come down to rounding.

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
    """The optimum by exact evaluation and greedy improvement in turn.

    Guarantee: each policy is at least as good in every state as the one before and better in one, so it ends after
    finitely many; the last one's values solve the Bellman equation up to rounding. At discount 1 the policies
    compared are those that are sure to end or to stay where there is no reward, which is what makes the guarantee
    hold there (`rl_envs.mdp.undiscounted.optimum`).

    Args, Returns and Raises: as `solve`, without tolerance: the error is that of rounding.

    Source: Sutton & Barto (2018), section 4.3; Puterman (1994), section 6.4.
    """
    dynamics = Dynamics.of(mdp)
    if mdp.discount == 1:
        return _undiscounted(dynamics, "policy iteration")
    _, action = greedy(dynamics.reward)
    return _policy_iteration(dynamics, mdp.discount, action, "policy iteration", 0)


def modified_policy_iteration(mdp: FiniteMDP, *, tolerance: float | None = None) -> Solution:
    """The optimum by greedy improvement and a few sweeps of evaluation in turn.

    Guarantee: it converges from any start (Canbolat & Rothblum 2013), and stops when the certificate's bound is within
    the tolerance. Where all pairs are as likely to go on, the constant part of the error is known and removed at once
    (MacQueen 1966), so that mixing decides the speed and not the discount. A table on which sweeps are slow goes on to
    policy iteration from the policy reached. At discount 1 it is policy iteration.

    Args, Returns and Raises: as `solve`.

    Source: Puterman & Shin (1978); Puterman (1994), sections 6.5 and 6.6.
    """
    dynamics = Dynamics.of(mdp)
    discount = mdp.discount
    name = "modified policy iteration"
    if discount == 1:
        return _undiscounted(dynamics, "policy iteration")
    low, high = dynamics.mass_bounds(discount)
    # One step's change in every state comes again with each later step, where all pairs are as likely to go on.
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
    """The smallest value of each state under any policy: the optimum with every reward's sign turned.

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


def evaluate_policy(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The value of each state under a policy, or under each of a batch.

    Guarantee: a linear system is solved to rounding level, by elimination or to a residual of 1e-13
    (`rl_envs.mdp.bellman.solve_chain`). At discount 1 states from which the policy may be paid for ever are infinite,
    and endless stays without reward are worth 0 (`rl_envs.mdp.undiscounted.chain_values`).

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.

    Returns:
        Values [S], or [R, S] for a batch.

    Raises:
        ValueError: no policy of this table, or discount is 1 and its total reward does not exist.

    Source: Sutton & Barto (2018), eq. 4.3 and 4.4.
    """
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    if mdp.discount < 1 and _fits_dense(mdp):
        v = np.concatenate([_dense_values(dynamics, chunk, mdp.discount) for chunk in _chunks(batch)])
    else:
        v = np.stack([_chain_values(dynamics, one, mdp.discount) for one in batch])
    return v.reshape(probabilities.shape[:-1])


def action_values(mdp: FiniteMDP, v: np.ndarray) -> np.ndarray:
    """q(s, a) of taking an action and being worth v afterwards; with `evaluate_policy`, the q of that policy.

    Args:
        mdp: the table.
        v: values [S] or, for a batch, [R, S].

    Returns:
        Array [S, A] or [R, S, A].

    Raises:
        ValueError: values of the wrong shape.

    Source: Sutton & Barto (2018), eq. 4.6.
    """
    v = np.asarray(v, dtype=np.float64)
    if v.ndim not in (1, 2) or v.shape[-1] != mdp.num_states:
        raise ValueError(f"v must have shape ({mdp.num_states},) or (runs, {mdp.num_states}), but has {v.shape}")
    q = Dynamics.of(mdp).action_values(v.T, mdp.discount)
    return q if v.ndim == 1 else np.moveaxis(q, 2, 0)


def finite_horizon_values(mdp: FiniteMDP, policy: np.ndarray, horizon: int, *, discount: float = 1.0) -> np.ndarray:
    """The expected return of each state under a policy within so many steps, after which nothing counts.

    Guarantee: exact but for rounding; each step adds one backup.

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.
        horizon: number of steps, at least 0.
        discount: gamma of this return, whatever the table's: 1, the plain sum of rewards, when left out.

    Returns:
        Values [S], or [R, S] for a batch.

    Raises:
        ValueError: no policy of this table, or a horizon or discount out of range.

    Source: Puterman (1994), section 4.2.
    """
    check_integer("horizon", horizon, low=0)
    discount = check_discount(discount)
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    weights = np.ascontiguousarray(np.moveaxis(batch, 0, 2))  # [S, A, R]
    v = np.zeros((mdp.num_states, len(batch)))
    for _ in range(horizon):
        v = (weights * dynamics.action_values(v, discount)).sum(axis=1)
    return v.T.reshape(probabilities.shape[:-1])


def backward_induction(mdp: FiniteMDP, horizon: int, *, discount: float = 1.0) -> FiniteHorizon:
    """The best expected return within so many steps, and every action that attains it.

    Guarantee: exact but for rounding, over all policies, those that watch the clock among them.

    Args:
        mdp: the table.
        horizon: number of steps, at least 0.
        discount: gamma of this return, whatever the table's: 1, the plain sum of rewards, when left out.

    Returns:
        Values and optimal actions for every number of steps left.

    Raises:
        ValueError: a horizon or discount out of range.

    Source: Puterman (1994), section 4.5.
    """
    check_integer("horizon", horizon, low=0)
    v = np.zeros((horizon + 1, mdp.num_states))
    optimal = np.zeros((horizon, mdp.num_states, mdp.num_actions), dtype=np.bool_)
    for h, q in enumerate(_backups(mdp, horizon, check_discount(discount))):
        v[h + 1] = q.max(axis=1)
        optimal[h] = q >= v[h + 1][:, None] - TIE_TOLERANCE * max(np.abs(q).max(), 0.0)
    return FiniteHorizon(_read_only(v), _read_only(optimal))


def best_finite_horizon_values(mdp: FiniteMDP, horizon: int, *, discount: float = 1.0) -> np.ndarray:
    """The best expected return of each state within so many steps: the last row of `backward_induction` alone.

    Args and Raises: as `backward_induction`.

    Returns:
        Values [S].
    """
    check_integer("horizon", horizon, low=0)
    v = np.zeros(mdp.num_states)
    for q in _backups(mdp, horizon, check_discount(discount)):
        v = q.max(axis=1)
    return v


def occupancy(mdp: FiniteMDP, policy: np.ndarray) -> np.ndarray:
    """The discounted number of times that a policy is expected to take each action in each state.

    The sum over t of discount^t P(S_t = s, A_t = a) from the start distribution. Its sum is 1 / (1 - discount) where no
    episode terminates; its sum over actions is the occupancy of states; times r(s, a) and summed it is the value.

    Args:
        mdp: the table.
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.

    Returns:
        Array [S, A], or [R, S, A] for a batch; at discount 1 infinite where the policy comes and stays for ever.

    Raises:
        ValueError: no policy of this table.

    Source: Puterman (1994), section 6.9.
    """
    probabilities = as_probabilities(policy, mdp.num_states, mdp.num_actions)
    dynamics = Dynamics.of(mdp)
    batch = probabilities.reshape(-1, mdp.num_states, mdp.num_actions)
    visits = np.stack([_visits(dynamics, one, mdp.start, mdp.discount) for one in batch])
    taken = np.zeros(batch.shape)
    np.multiply(visits[:, :, None], batch, out=taken, where=batch > 0)
    return taken.reshape(probabilities.shape)


def as_probabilities(policy: np.ndarray, num_states: int, num_actions: int) -> np.ndarray:
    """A policy, or a batch of them, as probabilities of actions.

    Args:
        policy: actions [S] or [R, S] of int, or probabilities [S, A] or [R, S, A] of float.
        num_states: S.
        num_actions: A.

    Returns:
        Probabilities [S, A] or [R, S, A]; rows of float sum to 1 exactly where they did within 1e-5.

    Raises:
        TypeError: neither integers nor floats.
        ValueError: the wrong shape, an action that does not exist, or rows that are no distributions.
    """
    policy = np.asarray(policy)
    if policy.size == 0:
        raise ValueError(f"a policy, or a batch of them, must not be empty, but has shape {policy.shape}")
    if policy.dtype.kind in "iu":
        return _from_actions(policy, num_states, num_actions)
    if policy.dtype.kind != "f":
        raise TypeError(
            "a policy must hold integers, the action of each state, or floats, the probability of each action in each "
            f"state, but has dtype {policy.dtype}"
        )
    if policy.ndim not in (2, 3) or policy.shape[-2:] != (num_states, num_actions):
        raise ValueError(
            f"a policy of floats must have shape ({num_states}, {num_actions}) or (runs, {num_states}, {num_actions}), "
            f"but has {policy.shape}"
        )
    policy = policy.astype(np.float64)
    _refuse_row(np.asarray(~(policy >= 0).all(axis=-1)), policy, "a policy's probabilities must not be negative or NaN")
    sums = policy.sum(axis=-1)
    _refuse_row(~(np.abs(sums - 1) <= POLICY_SUM_TOLERANCE), sums, "a policy's probabilities must sum to 1")
    return policy / sums[..., None]


def _from_actions(action: np.ndarray, num_states: int, num_actions: int) -> np.ndarray:
    if action.ndim not in (1, 2) or action.shape[-1] != num_states:
        raise ValueError(
            f"a policy of integers holds actions and must have shape ({num_states},) or (runs, {num_states}), "
            f"but has {action.shape}"
        )
    wrong = (action < 0) | (action >= num_actions)
    _refuse_row(wrong, action, f"a policy's actions must be in 0..{num_actions - 1}")
    return np.equal(action[..., None], np.arange(num_actions)).astype(np.float64)


def _refuse_row(wrong: np.ndarray, values: np.ndarray, rule: str) -> None:
    """Raise the rule with the first state, and the run where there are several, that breaks it."""
    if not wrong.any():
        return
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"state {index[-1]}" if len(index) == 1 else f"run {index[0]}, state {index[1]}"
    raise ValueError(f"{rule}, but {place} has {values[index]}")


def _wanted_residual(best: np.ndarray, high: float, tolerance: float | None) -> float:
    """The Bellman residual from which the error wanted follows, but no smaller than rounding."""
    scale = np.abs(best).max()
    wanted = DEFAULT_TOLERANCE * scale if tolerance is None else tolerance
    return float(max(wanted * (1 - high), ROUNDING * scale))


def _width(change: np.ndarray, later: float) -> float:
    """How much of a change is not understood: its span where a constant one can be accounted for, else its size."""
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
    return Solution(_read_only(v), _read_only(q), _read_only(optimal), _read_only(action), certificate)


def _backups(mdp: FiniteMDP, horizon: int, discount: float) -> Iterator[np.ndarray]:
    """The action values [S, A] with 1, 2, ..., horizon steps left."""
    dynamics = Dynamics.of(mdp)
    v = np.zeros(mdp.num_states)
    for _ in range(horizon):
        q = dynamics.action_values(v, discount)
        yield q
        v = q.max(axis=1)


def _fits_dense(mdp: FiniteMDP) -> bool:
    """Whether chains are small enough to be solved densely, many at once."""
    return 8 * mdp.num_states * mdp.num_states * max(mdp.num_actions, 16) <= CHUNK_BYTES


def _chunks(batch: np.ndarray) -> Iterator[np.ndarray]:
    """A batch [R, S, A] in parts whose dense chains stay within `CHUNK_BYTES`."""
    size = max(1, CHUNK_BYTES // (8 * batch.shape[1] ** 2))
    return (batch[i : i + size] for i in range(0, len(batch), size))


def _dense_values(dynamics: Dynamics, batch: np.ndarray, discount: float) -> np.ndarray:
    """The values [R, S] of a batch of policies [R, S, A], as one stack of dense systems."""
    num_states, num_actions = dynamics.reward.shape
    p = _dense(dynamics.p).reshape(num_states, num_actions, num_states)
    chains = np.matmul(batch.transpose(1, 0, 2), p).transpose(1, 0, 2)  # [R, S, S]
    reward = (batch * dynamics.reward).sum(axis=2)
    return np.linalg.solve(np.eye(num_states) - discount * chains, reward[:, :, None])[:, :, 0]


def _dense(p: Matrix) -> np.ndarray:
    return p if isinstance(p, np.ndarray) else p.toarray()


def _chain_values(dynamics: Dynamics, policy: np.ndarray, discount: float) -> np.ndarray:
    """The values [S] of one policy [S, A]."""
    p, reward = dynamics.under_policy(policy)
    if discount < 1:
        return solve_chain(p, reward, discount)
    return undiscounted.chain_values(p, reward, _can_end(dynamics, policy))


def _visits(dynamics: Dynamics, policy: np.ndarray, start: np.ndarray, discount: float) -> np.ndarray:
    """The discounted number of visits [S] of one policy [S, A]."""
    p, _ = dynamics.under_policy(policy)
    if discount < 1:
        return solve_chain(p, start, discount, transpose=True)
    return undiscounted.expected_visits(p, _can_end(dynamics, policy), start)


def _can_end(dynamics: Dynamics, policy: np.ndarray) -> np.ndarray:
    """Whether the episode can end in each state's step under a policy [S, A]: [S] bool."""
    return np.asarray((dynamics.ends & (policy > 0)).any(axis=1))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
