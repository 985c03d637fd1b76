"""Total reward without discount, where an episode may never end.

At discount 1 the value of a policy is the sum of all its expected rewards. Three things can happen for ever:

- the policy stays among states where it is paid nothing: that is worth exactly 0;
- it stays where it is paid something other than 0 on average: that is worth plus or minus infinity;
- it stays where the rewards average to 0 without being 0: its gains and its losses are both infinite, the total of an
  episode never settles, and the policy has no value (Puterman 1994, section 7.1.1).

The Bellman equation alone does not tell these apart: v = v solves it for a state in which one can stay for nothing.
So the graph is looked at first. Wherever a policy can stay for ever is an end component (de Alfaro 1997): a set of
states with the choices that never lead out of it. Every end component without reward is collapsed into one state that
may also stop, for 0. In what is left every policy either ends or is paid for ever, and dynamic programming is sound.

Sources: Bertsekas & Tsitsiklis (1991), An analysis of stochastic shortest path problems; de Alfaro (1997), Formal
verification of probabilistic systems, chapter 3; Bertsekas & Yu (2016), Stochastic shortest path problems under weak
conditions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rl_envs.mdp.bellman import Dynamics, Matrix, solve_chain

# Averages of endless rewards closer to 0 than this, relative to the largest reward among them, count as 0.
GAIN_TOLERANCE = 1e-10

# Sweeps after which the sign of an average is given up on.
GAIN_SWEEPS = 200_000

# A choice counts as better only if it gains more than this, relative to the values: rounding must not turn policies.
IMPROVEMENT = 1e-12

# Choices that lose less than this, relative to the values, are the ones along which an error can add up: the fewer the
# better for the bound, but they must be enough to hold it.
NEARLY_OPTIMAL = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)

# Policies after which policy iteration is cut off: far more than it takes, and the certificate would tell.
POLICY_LIMIT = 10_000

STOP = -1  # the row of the table that a choice to stop stands for


@dataclass(frozen=True, eq=False)
class Choices:
    """A process in which each state offers a list of choices: rows of one matrix, in the order of their states."""

    p: Matrix  # [N, S] CSR: probability of going on to each state, only entries above 0
    reward: np.ndarray  # [N] float64: expected reward
    state: np.ndarray  # [N] int64: the state that offers the row, ascending; each state offers at least one
    ends: np.ndarray  # [N] bool: whether the process can end with the row
    source: np.ndarray  # [N] int64: the pair s * A + a that the row stands for, or STOP
    num_states: int

    @staticmethod
    def of(dynamics: Dynamics) -> Choices:
        """All pairs of a table as choices."""
        from scipy.sparse import csr_array

        num_states, num_actions = dynamics.reward.shape
        return Choices(
            p=csr_array(dynamics.p),
            reward=dynamics.reward.ravel(),
            state=np.repeat(np.arange(num_states), num_actions),
            ends=dynamics.ends.ravel(),
            source=np.arange(num_states * num_actions),
            num_states=num_states,
        )

    def only(self, kept: np.ndarray, members: np.ndarray) -> Choices:
        """The part made of the rows kept [N] of bool, all of them offered by and leading to the members [S] of bool."""
        number = np.cumsum(members) - 1
        return Choices(
            p=self.p[kept][:, np.flatnonzero(members)],
            reward=self.reward[kept],
            state=number[self.state[kept]],
            ends=self.ends[kept],
            source=self.source[kept],
            num_states=int(members.sum()),
        )

    def leads_to(self, members: np.ndarray) -> np.ndarray:
        """Which rows [N] of bool can lead to one of the members [S] of bool."""
        return self.p @ members.astype(np.float64) > 0

    def best(self, values: np.ndarray) -> np.ndarray:
        """The largest of the rows' values [N] in each state: [S]."""
        return np.maximum.reduceat(values, self.first_rows)

    def best_row(self, values: np.ndarray, best: np.ndarray) -> np.ndarray:
        """In each state the first row whose value is the best: [S]."""
        hits = np.flatnonzero(values >= best[self.state])
        return hits[np.searchsorted(self.state[hits], np.arange(self.num_states))]

    @cached_property
    def first_rows(self) -> np.ndarray:
        """Where each state's rows begin: [S]."""
        return np.searchsorted(self.state, np.arange(self.num_states))


def end_components(choices: Choices, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The maximal end components: sets of states between which the allowed choices can lead for ever.

    Args:
        choices: the process.
        allowed: which rows may be used, [N] bool.

    Returns:
        The component of each state [S], or -1 where it is in none, and the rows [N] of bool that stay inside one.

    Source: de Alfaro (1997), algorithm 3.1.
    """
    from scipy.sparse.csgraph import connected_components

    inside = allowed & ~choices.ends
    while True:
        edges = _graph(choices, inside)
        _, label = connected_components(edges, directed=True, connection="strong")
        # A row that leads somewhere outside its own strong component will sooner or later take the process there.
        rows = np.flatnonzero(inside)
        part = choices.p[rows]
        row = np.repeat(rows, np.diff(part.indptr))
        leaving = np.zeros_like(inside)
        leaving[row[label[part.indices] != label[choices.state[row]]]] = True
        if not leaving.any():
            break
        inside &= ~leaving
    member = np.zeros(choices.num_states, dtype=np.bool_)
    member[choices.state[inside]] = True
    component = np.full(choices.num_states, -1)
    component[member] = np.unique(label[member], return_inverse=True)[1]
    return component, inside


def sure_to_reach(choices: Choices, allowed: np.ndarray, target: np.ndarray | None = None) -> np.ndarray:
    """A row for each state from which some policy ends, or reaches the target, with probability 1.

    Args:
        choices: the process.
        allowed: which rows may be used, [N] bool.
        target: states to be reached, [S] bool; left out, the process must end.

    Returns:
        The row of such a policy in each state [S]; -1 where no policy is sure to arrive, and in the target.

    Source: de Alfaro (1997), algorithm 3.2 (the nested fixed point of almost sure reachability).
    """
    from scipy.sparse.csgraph import breadth_first_order

    num_states = choices.num_states
    arrived = np.zeros(num_states, dtype=np.bool_) if target is None else target
    done = choices.ends if target is None else choices.leads_to(target)
    safe = np.ones(num_states, dtype=np.bool_)
    while True:
        usable = np.flatnonzero(allowed & ~choices.leads_to(~safe) & ~arrived[choices.state])
        part = choices.p[usable]
        row = np.concatenate([np.repeat(usable, np.diff(part.indptr)), usable[done[usable]]])
        # Edges run backwards, from what a row leads to, to the state that offers it; one more node is the end.
        leads_to = np.concatenate([part.indices, np.full(np.count_nonzero(done[usable]), num_states)])
        graph = _square((leads_to, choices.state[row]), num_states + 1)
        _, towards = breadth_first_order(graph, num_states, directed=True, return_predecessors=True)
        chosen = np.full(num_states, -1)
        nearer = row[towards[choices.state[row]] == leads_to]
        chosen[choices.state[nearer[::-1]]] = nearer[::-1]
        reached = arrived | (chosen >= 0)
        if (reached == safe).all():
            return chosen
        safe = reached


def gain_sign(choices: Choices, members: np.ndarray, inside: np.ndarray) -> int:
    """The sign of the largest average reward that can be had for ever within one end component.

    Guarantee: the largest average lies between the smallest and the largest change of a sweep of value iteration, and
    the two close in on it because all states are in reach of each other and every choice is slowed to be aperiodic.

    Args:
        choices: the process.
        members: the component's states, [S] bool.
        inside: the component's rows, [N] bool.

    Returns:
        1, 0 or -1.

    Raises:
        ValueError: the average is too close to 0 to be told from it in `GAIN_SWEEPS` sweeps.

    Source: Puterman (1994), theorem 8.5.6 (bounds), section 8.5.4 (aperiodicity) and section 9.4.
    """
    part = choices.only(inside, members)
    tolerance = GAIN_TOLERANCE * np.abs(part.reward).max()
    v = np.zeros(part.num_states)
    for _ in range(GAIN_SWEEPS):
        change = (part.best(part.reward + part.p @ v) - v) / 2
        if change.min() > tolerance / 2:
            return 1
        if change.max() < -tolerance / 2:
            return -1
        if np.abs(change).max() <= tolerance / 2:
            return 0
        v += change - change.max()
    state = np.flatnonzero(members)[0]
    raise ValueError(
        f"at discount 1 the average of endless rewards must be told from 0, but around state {state} it is within "
        f"{max(abs(change.min()), abs(change.max())) * 2:g} of 0"
    )


def chain_values(p: Matrix, reward: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The total expected reward of one policy from each state, without discount.

    Guarantee: states from which the chain ends, or stays for ever where there is no reward, are solved by elimination;
    states from which it may be paid for ever are infinite.

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
    sign = _component_signs(chain, component, inside)
    for label in np.flatnonzero(sign == 0):
        state = np.flatnonzero(component == label)[0]
        if chain.reward[component == label].any():
            raise ValueError(
                "at discount 1 a policy's endless rewards must be all 0 or add up to infinity, but those around "
                f"state {state} cancel, so the total of an episode never settles"
            )

    v = np.zeros(num_states)
    rises = _can_reach(chain, component, sign, 1)
    falls = _can_reach(chain, component, sign, -1)
    if (rises & falls).any():
        raise ValueError(
            "at discount 1 a policy must not be paid for ever both ways, but from state "
            f"{np.flatnonzero(rises & falls)[0]} it may be paid for ever and may pay for ever"
        )
    v[rises], v[falls] = np.inf, -np.inf
    passing = (component < 0) & np.isfinite(v)
    if passing.any():
        v[passing] = solve_chain(chain.p[passing][:, np.flatnonzero(passing)], reward[passing], 1.0)
    return v


def expected_visits(p: Matrix, ends: np.ndarray, start: np.ndarray) -> np.ndarray:
    """How often one policy is expected to be in each state, without discount.

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
    # Once in a closed class, each of its states is seen without end.
    reached = np.unique(component[~passing & (entering > 0)])
    visits[np.isin(component, reached) & ~passing] = np.inf
    return visits


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best total reward without discount."""

    v: np.ndarray  # [S] float64, perhaps infinite
    policy: np.ndarray  # [S] int64: actions of one policy that attains it where it is finite
    residual: float  # largest |max_a q(s, a) - v(s)| over the states where it is finite
    bound: float  # bound on max |v - v*| over the same states
    iterations: int


def optimum(dynamics: Dynamics, *, sweeps: bool = False, tolerance: float = 0.0) -> Optimum:
    """The largest total expected reward from each state, without discount.

    Guarantee: the supremum over all stationary policies whose total exists. It is +inf where some policy is paid for
    ever, and -inf where every policy may pay for ever; elsewhere it is attained by the policy returned. Policy
    iteration goes from one policy that is sure to end to the next, better one: among choices equally good it prefers
    fewer expected steps, so it can only come to a policy that never ends where that policy is paid for ever, which
    has been excluded beforehand. There are finitely many policies, so it ends. Value iteration instead rises from the
    value of one policy that is sure to end; it converges to the same limit, from below.

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
    """Policy iteration from one policy that is sure to end: its rows [S] to the best values [S] and rows [S]."""
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
    check = tolerance / max(steps.max(), 1.0)  # the residual at which it pays to look at the bound
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
    # Not just any greedy policy: one may go round for ever among choices that lose nothing.
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

    Let w(s) be the longest expected number of steps among policies that use nearly optimal choices only, which lose
    at most some d > 0 by v. Then v + residual * w is no smaller than one of its own Bellman backups as long as
    residual * max w <= d, so no policy that ends is worth more; and v - residual * w is no larger than the value of
    the policy greedy for v. Hence |v - v*| <= residual * max w. Where nearly optimal choices can go on for ever there
    is no such w, and the bound is infinite.
    """
    q = part.reward + part.p @ v
    residual = float(np.abs(part.best(q) - v).max())
    if residual == 0:
        return 0.0, 0.0
    for loss in NEARLY_OPTIMAL:
        slack = loss * max(np.abs(v).max(), np.abs(part.reward).max())
        if slack < residual:
            continue  # a state could be left without any choice
        near = q >= v[part.state] - slack
        if end_components(part, near)[1].any():
            break
        bound = residual * _longest(part, near)
        if bound <= slack:
            return residual, bound
    return residual, np.inf


def _longest(part: Choices, allowed: np.ndarray) -> float:
    """The longest expected number of steps by rows allowed, all of which must end, by policy iteration from any."""
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
    """The process between groups: rows inside an end component without reward give way to one that stops, for 0."""
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

    Where a group stops, its states stay inside it. Where it leaves by one state's action, the others walk there.
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


def _component_signs(choices: Choices, component: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The sign of each end component's largest endless average: [components]; 0 also where there is no reward.

    No end component may hold a smaller one without reward, unless it has none itself.
    """
    rows = np.flatnonzero(inside)
    label = component[choices.state[rows]]
    highest = np.full(component.max() + 1, -np.inf)
    lowest = -highest
    np.maximum.at(highest, label, choices.reward[rows])
    np.minimum.at(lowest, label, choices.reward[rows])
    # With rewards of one sign the policy that takes every choice now and then decides: it meets one that is not 0.
    sign = np.where(lowest >= 0, np.sign(highest), np.where(highest <= 0, -1, 0)).astype(np.int64)
    for mixed in np.flatnonzero((lowest < 0) & (highest > 0)):
        members = component == mixed
        sign[mixed] = gain_sign(choices, members, inside & members[choices.state])
    return sign


def _can_reach(choices: Choices, component: np.ndarray, sign: np.ndarray, wanted: int) -> np.ndarray:
    """The states [S] of bool from which an end component of the sign wanted can be reached."""
    from scipy.sparse.csgraph import breadth_first_order

    num_states = choices.num_states
    aims = np.flatnonzero(np.isin(component, np.flatnonzero(sign == wanted)))
    reached = np.zeros(num_states + 1, dtype=np.bool_)
    if aims.size:
        leads_to = np.concatenate([choices.p.indices, np.full(len(aims), num_states)])
        offers = np.concatenate([np.repeat(choices.state, np.diff(choices.p.indptr)), aims])
        backwards = _square((leads_to, offers), num_states + 1)
        reached[breadth_first_order(backwards, num_states, directed=True, return_predecessors=False)] = True
    return reached[:num_states]


def _paid_for_ever(choices: Choices) -> np.ndarray:
    """The states [S] of bool from which some policy may be paid for ever."""
    component, inside = end_components(choices, np.ones(len(choices.state), dtype=np.bool_))
    return _can_reach(choices, component, _component_signs(choices, component, inside), 1)


def _refuse_unsettled(choices: Choices, hopeless: np.ndarray, group: np.ndarray) -> None:
    """Raise unless staying for ever among states without a way out costs without end, whatever is done."""
    allowed = hopeless[choices.state] & ~choices.leads_to(~hopeless)
    component, inside = end_components(choices, allowed)
    sign = _component_signs(choices, component, inside)
    unsettled = np.isin(component, np.flatnonzero(sign == 0))
    if unsettled.any():
        state = np.flatnonzero(unsettled[group])[0]
        raise ValueError(
            "at discount 1 some policy's total reward must exist from every state, but from state "
            f"{state} no policy is sure to end and endless rewards cancel without being 0"
        )


def _graph(choices: Choices, rows: np.ndarray) -> Matrix:
    """The graph [S, S] of which state can follow which by the given rows [N] of bool."""
    kept = np.flatnonzero(rows)
    part = choices.p[kept]
    return _square((np.repeat(choices.state[kept], np.diff(part.indptr)), part.indices), choices.num_states)


def _square(edges: tuple[np.ndarray, np.ndarray], size: int) -> Matrix:
    """A graph from the nodes that its edges start from and lead to, as a sparse array [size, size]."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(edges[0])), edges), shape=(size, size))
