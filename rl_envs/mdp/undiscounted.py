"""Total reward without discount, where an episode may never end.

At discount 1 the value of a policy is the sum of all its expected rewards. If an episode never ends, there are three
cases:

- the policy stays in states without reward: the rest is worth exactly 0;
- the average reward is not 0: the value is plus or minus infinity;
- the rewards average to 0 without being 0: gains and losses are both infinite, the total does not converge, and the
  policy has no value (Puterman 1994, section 7.1.1).

The Bellman equation alone does not distinguish these cases: any v solves it for a state in which one can stay without
reward. So the graph is analysed first. A policy can stay for ever only in an end component (de Alfaro 1997): a set of
states with choices that never lead out of it. Every end component without reward is collapsed into one state that may
also stop, for 0. In the remaining process every policy either ends or collects reward for ever, and dynamic programming
is sound.

Sources: Bertsekas & Tsitsiklis (1991), An analysis of stochastic shortest path problems; de Alfaro (1997), Formal
verification of probabilistic systems, chapter 3; Bertsekas & Yu (2016), Stochastic shortest path problems under weak
conditions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rl_envs.mdp.bellman import Dynamics, Matrix, solve_chain
from rl_envs.mdp.end_components import STOP, Choices, can_reach, component_signs, end_components, sure_to_reach

# A choice counts as better only if it gains more than this, relative to the values, so that rounding changes no policy.
IMPROVEMENT = 1e-12

# Errors add up along choices that lose less than this, relative to the values. A smaller number gives a tighter bound,
# but it must be large enough for the bound to hold.
NEARLY_OPTIMAL = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)

# The largest number of policies in policy iteration: far more than it takes, and the certificate would show a failure.
POLICY_LIMIT = 10_000


def chain_values(p: Matrix, reward: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The total expected reward of one policy from each state, without discount.

    Guarantee: states from which the chain ends, or stays for ever where there is no reward, are solved by elimination;
    states from which it may collect reward for ever have infinite values.

    Args:
        p: the policy's chain [S, S].
        reward: its expected rewards [S].
        ends: whether the episode can end in each state's step, [S] bool.

    Returns:
        Values [S], infinite where rewards of one sign never end.

    Raises:
        ValueError: a state's total does not exist; the message names it.
    """
    from scipy.sparse import csr_array

    num_states = len(reward)
    chain = Choices(csr_array(p), reward, np.arange(num_states), ends, np.arange(num_states), num_states)
    component, inside = end_components(chain, np.ones(num_states, dtype=np.bool_))
    sign = component_signs(chain, component, inside)
    for label in np.flatnonzero(sign == 0):
        state = np.flatnonzero(component == label)[0]
        if chain.reward[component == label].any():
            raise ValueError(
                "at discount 1 rewards that go on for ever must all be 0 or sum to infinity, but those around "
                f"state {state} cancel, so the total does not converge"
            )

    v = np.zeros(num_states)
    rises = can_reach(chain, component, sign, 1)
    falls = can_reach(chain, component, sign, -1)
    if (rises & falls).any():
        raise ValueError(
            "at discount 1 a policy's total must not be +inf and -inf, but from state "
            f"{np.flatnonzero(rises & falls)[0]} it may collect positive or negative reward for ever"
        )
    v[rises], v[falls] = np.inf, -np.inf
    passing = (component < 0) & np.isfinite(v)
    if passing.any():
        v[passing] = solve_chain(chain.p[passing][:, np.flatnonzero(passing)], reward[passing], 1.0)
    return v


def expected_visits(p: Matrix, ends: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The expected number of visits of one policy to each state, without discount.

    Args:
        p: the policy's chain [S, S].
        ends: whether the episode can end in each state's step, [S] bool.
        start: distribution of the first state [S].

    Returns:
        Visits [S]; infinite in the states, reached from the start, among which the policy stays for ever.
    """
    from scipy.sparse import csr_array

    num_states = len(start)
    chain = Choices(csr_array(p), np.zeros(num_states), np.arange(num_states), ends, np.arange(num_states), num_states)
    component, _ = end_components(chain, np.ones(num_states, dtype=np.bool_))
    passing = component < 0
    visits = np.zeros(num_states)
    entering = start.copy()
    if passing.any():
        among = chain.p[passing][:, np.flatnonzero(passing)]
        visits[passing] = solve_chain(among, start[passing], 1.0, transpose=True)
        entering = entering + chain.p.T @ visits
    # In a closed class, each state is visited infinitely often.
    reached = np.unique(component[~passing & (entering > 0)])
    visits[np.isin(component, reached) & ~passing] = np.inf
    return visits


@dataclass(frozen=True, eq=False)
class Optimum:
    """The largest total reward without discount."""

    v: np.ndarray  # [S] float64, perhaps infinite
    policy: np.ndarray  # [S] int64: actions of one policy that attains it where it is finite
    residual: float  # largest |max_a q(s, a) - v(s)| over the states where it is finite
    bound: float  # bound on max |v - v*| over the same states
    iterations: int


def optimum(dynamics: Dynamics, *, sweeps: bool = False, tolerance: float = 0.0) -> Optimum:
    """The largest total expected reward from each state, without discount.

    Guarantee: the supremum over all stationary policies whose total exists. It is +inf if some policy collects positive
    reward for ever, and -inf if every policy may collect negative reward for ever; elsewhere the returned policy
    attains it. Policy iteration moves from one policy that is sure to end to a better one. Among equally good choices
    it prefers fewer expected steps, so it could reach a policy that never ends only if that policy collected reward for
    ever, which has already been excluded. There are finitely many policies, so it ends. Value iteration instead rises
    from the value of one policy that is sure to end; it converges to the same limit from below.

    Args:
        dynamics: the table.
        sweeps: value iteration rather than policy iteration.
        tolerance: bound on the error at which value iteration stops, in units of value.

    Returns:
        The optimum with a policy that attains it.

    Raises:
        ValueError: a state from which no policy's total exists; the message names it.

    Source: Bertsekas & Yu (2016), propositions 3.2 to 3.4 (the perturbed problem, of which preferring fewer steps is
    the limit); Bertsekas & Tsitsiklis (1991), proposition 2.
    """
    table = Choices.of(dynamics)
    group, free = _free_groups(table)
    choices = _collapse(table, group, free)

    paid = _paid_for_ever(choices)
    everything = np.ones(len(choices.state), dtype=np.bool_)
    finite_rows = everything & ~choices.leads_to(paid) & ~paid[choices.state]
    row = sure_to_reach(choices, finite_rows)
    hopeless = (row < 0) & ~paid
    if hopeless.any():
        _refuse_unsettled(choices, hopeless, group)

    v = np.where(paid, np.inf, np.where(hopeless, -np.inf, 0.0))
    finite = ~paid & ~hopeless
    residual = bound = 0.0
    iterations = 0
    if finite.any():
        kept = finite_rows & finite[choices.state] & ~choices.leads_to(hopeless)
        part = choices.only(kept, finite)
        number = np.cumsum(kept) - 1
        first = number[row[finite]]
        if sweeps:
            v[finite], best, iterations = _rise(part, first, tolerance)
        else:
            v[finite], best, iterations = _improve(part, first)
        residual, bound = _error(part, v[finite])
        row[finite] = np.flatnonzero(kept)[best]
    policy = _unfold(table, choices, group, free, np.where(row < 0, choices.first_rows, row))
    return Optimum(v[group], policy, residual, bound, iterations)


def _improve(part: Choices, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Policy iteration from a policy that is sure to end, given by its rows [S]: the best values [S] and rows [S]."""
    total, total_steps = -np.inf, np.inf
    iteration = 0
    while iteration < POLICY_LIMIT:
        iteration += 1
        v, steps = _evaluate_rows(part, row)
        # Each policy is worth more than the last, or takes fewer steps; one that does neither got there by rounding.
        if v.sum() <= total and steps.sum() >= total_steps:
            break
        total, total_steps = v.sum(), steps.sum()
        q = part.reward + part.p @ v
        best = part.best(q)
        scale = max(np.abs(v).max(), np.abs(part.reward).max())
        good = q >= (best - IMPROVEMENT * scale)[part.state]
        # Fewer steps among the good ones; the rows in use stay unless there is something to gain.
        duration = np.where(good, 1 + part.p @ steps, np.inf)
        shortest = -part.best(-duration)
        content = good[row] & (duration[row] <= shortest * (1 + 1e-9))
        if content.all():
            break
        row = np.where(content, row, part.best_row(-duration, -shortest))
    return v, row, iteration


def _rise(part: Choices, row: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Value iteration from the value of one policy that is sure to end, until the error is within the tolerance."""
    v, steps = _evaluate_rows(part, row)
    check = tolerance / max(steps.max(), 1.0)  # the residual at which it is worth computing the bound
    iteration = 0
    while True:
        iteration += 1
        q = part.reward + part.p @ v
        best = part.best(q)
        residual = np.abs(best - v).max()
        rounding = 16 * np.finfo(np.float64).eps * max(np.abs(v).max(), np.abs(part.reward).max())
        if residual <= max(check, rounding):
            if residual <= rounding or _error(part, v)[1] <= tolerance:
                break
            check = residual / 4
        v = best
    # Not any greedy policy will do: some may cycle for ever among choices that lose nothing.
    near = q >= (best - 2 * residual - IMPROVEMENT * max(np.abs(v).max(), np.abs(part.reward).max()))[part.state]
    ending = sure_to_reach(part, near)
    return v, np.where(ending < 0, part.best_row(q, best), ending), iteration


def _evaluate_rows(part: Choices, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values [S] and the expected numbers of steps [S] of a policy that is sure to end, given by its rows."""
    right = np.stack([part.reward[row], np.ones(part.num_states)], axis=1)
    v, steps = solve_chain(part.p[row], right, 1.0).T
    return v, steps


def _error(part: Choices, v: np.ndarray) -> tuple[float, float]:
    """The Bellman residual of values without discount, and the bound on their error that follows from it.

    Let w(s) be the largest expected number of steps among policies that use only nearly optimal choices: those that
    lose at most some d > 0 according to v. If residual * max w <= d, then v + residual * w is at least its own Bellman
    backup, so no policy that ends is worth more. Also, v - residual * w is at most the value of the greedy policy for
    v. Hence |v - v*| <= residual * max w. If nearly optimal choices can continue for ever, there is no such w, and the
    bound is infinite.
    """
    q = part.reward + part.p @ v
    residual = float(np.abs(part.best(q) - v).max())
    if residual == 0:
        return 0.0, 0.0
    for loss in NEARLY_OPTIMAL:
        slack = loss * max(np.abs(v).max(), np.abs(part.reward).max())
        if slack < residual:
            continue  # otherwise a state might have no choice
        near = q >= v[part.state] - slack
        if end_components(part, near)[1].any():
            break
        bound = residual * _longest(part, near)
        if bound <= slack:
            return residual, bound
    return residual, np.inf


def _longest(part: Choices, allowed: np.ndarray) -> float:
    """The largest expected number of steps with the allowed rows, all of which must end, by policy iteration."""
    kept = part.only(allowed, np.ones(part.num_states, dtype=np.bool_))
    counted = replace(kept, reward=np.ones(len(kept.state)))
    row = counted.first_rows
    for _ in range(POLICY_LIMIT):
        steps, _ = _evaluate_rows(counted, row)
        q = 1 + counted.p @ steps
        best = counted.best(q)
        better = best > steps * (1 + 1e-9)
        if not better.any():
            break
        row = np.where(better, counted.best_row(q, best), row)
    return float(best.max())


def _free_groups(table: Choices) -> tuple[np.ndarray, np.ndarray]:
    """A group for each state [S], the same for states of one end component without reward, and its rows [N]."""
    component, free = _free_end_components(table, np.ones(len(table.state), dtype=np.bool_))
    alone = component < 0
    count = component.max() + 1
    group = np.where(alone, count + np.cumsum(alone) - 1, component)
    return group, free


def _free_end_components(choices: Choices, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return end_components(choices, allowed & (choices.reward == 0))


def _collapse(table: Choices, group: np.ndarray, free: np.ndarray) -> Choices:
    """The process between groups; a row that stops, for 0, replaces those inside an end component without reward."""
    from scipy.sparse import csr_array, vstack

    num_groups = int(group.max()) + 1
    membership = csr_array((np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), num_groups))
    stopping = np.unique(group[table.state[free]])
    state = np.concatenate([group[table.state[~free]], stopping])
    order = np.argsort(state, kind="stable")
    p = vstack([table.p[~free] @ membership, csr_array((len(stopping), num_groups))], format="csr")
    zeros = np.zeros(len(stopping))
    return Choices(
        p=p[order],
        reward=np.concatenate([table.reward[~free], zeros])[order],
        state=state[order],
        ends=np.concatenate([table.ends[~free], zeros == 0])[order],
        source=np.concatenate([table.source[~free], np.full(len(stopping), STOP)])[order],
        num_states=num_groups,
    )


def _unfold(table: Choices, choices: Choices, group: np.ndarray, free: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Actions [S] of the table from the rows [groups] chosen between groups.

    If a group stops, its states stay inside it. If it leaves by one state's action, the other states move there first.
    """
    num_states = table.num_states
    num_actions = len(table.state) // num_states
    pair = choices.source[row][group]  # [S] the choice of each state's group
    chooses = (pair != STOP) & (pair // num_actions == np.arange(num_states))
    first_free = np.full(num_states, -1)
    rows = np.flatnonzero(free)
    first_free[table.state[rows[::-1]]] = rows[::-1]
    walk = sure_to_reach(table, free, chooses)
    pair = np.where(chooses, pair, np.where((pair == STOP) | (walk < 0), first_free, walk))
    return pair - np.arange(num_states) * num_actions


def _paid_for_ever(choices: Choices) -> np.ndarray:
    """The states [S] of bool from which some policy may collect positive reward for ever."""
    component, inside = end_components(choices, np.ones(len(choices.state), dtype=np.bool_))
    return can_reach(choices, component, component_signs(choices, component, inside), 1)


def _refuse_unsettled(choices: Choices, hopeless: np.ndarray, group: np.ndarray) -> None:
    """Raise if rewards may cancel for ever in states from which no policy is sure to end."""
    allowed = hopeless[choices.state] & ~choices.leads_to(~hopeless)
    component, inside = end_components(choices, allowed)
    sign = component_signs(choices, component, inside)
    unsettled = np.isin(component, np.flatnonzero(sign == 0))
    if unsettled.any():
        state = np.flatnonzero(unsettled[group])[0]
        raise ValueError(
            "at discount 1 some policy's total reward must exist from every state, but from state "
            f"{state} no policy is sure to end and rewards cancel for ever without being 0"
        )
