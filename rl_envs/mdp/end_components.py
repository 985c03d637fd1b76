"""Where a policy can stay for ever, and with what reward: what discount 1 needs to know about a process's graph.

An end component is a set of states with choices that never lead out of it (de Alfaro 1997).

Source: de Alfaro (1997), Formal verification of probabilistic systems, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rl_envs.mdp.bellman import Dynamics, Matrix

# Average rewards closer to 0 than this, relative to the largest reward in the component, count as 0.
GAIN_TOLERANCE = 1e-10

# The largest number of sweeps for finding the sign of an average.
GAIN_SWEEPS = 200_000

STOP = -1  # in place of a row of the table: the choice to stop


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
        """The subprocess of the kept rows [N] of bool, all of which start in and lead to the members [S] of bool."""
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
        # A row that can lead out of its own strong component will do so sooner or later.
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
    """The sign of the largest long-run average reward within one end component.

    Guarantee: the largest average is between the smallest and the largest change of a sweep of value iteration. Both
    converge to it, because all states can reach each other and every choice is made aperiodic.

    Args:
        choices: the process.
        members: the component's states, [S] bool.
        inside: the component's rows, [N] bool.

    Returns:
        1, 0 or -1.

    Raises:
        ValueError: after `GAIN_SWEEPS` sweeps the average cannot be distinguished from 0.

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
        f"at discount 1 the sign of a long-run average reward must be known, but around state {state} it is within "
        f"{max(abs(change.min()), abs(change.max())) * 2:g} of 0"
    )


def component_signs(choices: Choices, component: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The sign of each end component's largest average reward: [components]; 0 also if there is no reward.

    No end component with rewards may contain a smaller one without.
    """
    rows = np.flatnonzero(inside)
    label = component[choices.state[rows]]
    highest = np.full(component.max() + 1, -np.inf)
    lowest = -highest
    np.maximum.at(highest, label, choices.reward[rows])
    np.minimum.at(lowest, label, choices.reward[rows])
    # With rewards of one sign, consider the policy that takes every choice at times: it meets one that is not 0.
    sign = np.where(lowest >= 0, np.sign(highest), np.where(highest <= 0, -1, 0)).astype(np.int64)
    for mixed in np.flatnonzero((lowest < 0) & (highest > 0)):
        members = component == mixed
        sign[mixed] = gain_sign(choices, members, inside & members[choices.state])
    return sign


def can_reach(choices: Choices, component: np.ndarray, sign: np.ndarray, wanted: int) -> np.ndarray:
    """The states [S] of bool from which an end component of the given sign can be reached."""
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


def _graph(choices: Choices, rows: np.ndarray) -> Matrix:
    """The graph [S, S] of which state can follow which by the given rows [N] of bool."""
    kept = np.flatnonzero(rows)
    part = choices.p[kept]
    return _square((np.repeat(choices.state[kept], np.diff(part.indptr)), part.indices), choices.num_states)


def _square(edges: tuple[np.ndarray, np.ndarray], size: int) -> Matrix:
    """A graph from the nodes that its edges start from and lead to, as a sparse array [size, size]."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(edges[0])), edges), shape=(size, size))
