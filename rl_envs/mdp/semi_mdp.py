"""A finite semi-Markov decision process as arrays, and its exact solution.

A choice may last any number of steps. Its model is its expected discounted reward and, for every state, the discounted
probability that it ends there. Both already include the discount, so no further discount appears below. A row of the
transition matrix sums to less than 1 because of the discount and of episodes that end.

Source: Puterman (1994), Markov Decision Processes, chapter 11; Sutton, Precup & Singh (1999), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rl_envs.mdp.bellman import Matrix, solve_chain
from rl_envs.mdp.finite_mdp import SUM_TOLERANCE

# A choice counts as better only if it gains more than this, relative to the values, so that rounding cannot change the
# policy. Without discount, rounding adds up over all the steps of a choice.
IMPROVEMENT, UNDISCOUNTED_IMPROVEMENT = 1e-13, 1e-11


@dataclass(frozen=True, eq=False)
class SemiMDP:
    """Choices with their models, stored as arrays.

    Attributes:
        offered: which choices each state offers; at least one, except in terminal states, which offer none.
        reward: expected discounted reward of each choice.
        transitions: for each choice the discounted probability of ending it in each state.
        ends: for each choice the probability that the episode ends with it.
        duration: the expected number of steps of each choice, at least 1 where it is offered.
        discounted: whether the discount is below 1, so that values exist even if episodes never end.
    """

    offered: np.ndarray  # [S, O] bool
    reward: np.ndarray  # [S, O] float64
    transitions: Sequence[Matrix]  # O times CSR [S, S]
    ends: np.ndarray  # [S, O] float64
    duration: np.ndarray  # [S, O] float64
    discounted: bool

    @property
    def terminal(self) -> np.ndarray:
        """The states without choices, [S] bool."""
        return np.logical_not(self.offered.any(axis=1))

    def value_at_end(self, values: np.ndarray) -> np.ndarray:
        """The expected discounted value [S] of where each choice ends: [S, O]."""
        return np.stack([transition @ values for transition in self.transitions], axis=1)

    def action_values(self, v: np.ndarray) -> np.ndarray:
        """The value of each choice when v [S] is the value of where it ends: [S, O], -inf where it is not offered."""
        return np.where(self.offered, self.reward + self.value_at_end(v), -np.inf)

    def backup(self, v: np.ndarray) -> np.ndarray:
        """The value [S] of the best choice when v [S] is the value of where it ends; 0 in terminal states."""
        return np.where(self.terminal, 0.0, self.action_values(v).max(axis=1))

    def checked(self, policy: np.ndarray) -> np.ndarray:
        """A policy [S, O] with its terminal rows set to 0; ValueError unless it is probabilities of what is offered."""
        policy = np.array(policy, dtype=np.float64)
        if policy.shape != self.offered.shape:
            raise ValueError(f"policy must have shape [states, options] {self.offered.shape}, but has {policy.shape}")
        policy[self.terminal] = 0.0
        wrong = np.argwhere(~(policy >= 0) | ((policy > 0) & ~self.offered))
        if len(wrong):
            s, o = wrong[0]
            raise ValueError(
                "policy must have probabilities of options that may start, "
                f"but in state {s} gives option {o} {policy[s, o]:g}"
                + ("" if self.offered[s, o] else ", which may not start there")
            )
        sums = policy.sum(axis=1)
        off = np.flatnonzero(~self.terminal & (np.abs(sums - 1) > SUM_TOLERANCE))
        if len(off):
            raise ValueError(f"policy must sum to 1 in every state, but in state {off[0]} sums to {sums[off[0]]:g}")
        return policy

    def one_hot(self, choice: np.ndarray) -> np.ndarray:
        """One choice for each state [S] as a policy [S, O]."""
        policy = np.eye(self.offered.shape[1])[choice]
        policy[self.terminal] = 0.0
        return policy

    def evaluate(self, policy: np.ndarray) -> np.ndarray:
        """The values [S] of a policy [S, O], by a linear solve.

        Raises:
            ValueError: without discount, a state from which the episode never ends under the policy.
        """
        chain = scale_rows(self.transitions[0], policy[:, 0])
        for o, transition in enumerate(self.transitions[1:], start=1):
            chain = chain + scale_rows(transition, policy[:, o])
        if not self.discounted:
            ends = ((policy * self.ends).sum(axis=1) > 0) | self.terminal
            self.refuse_nonterminating(~reached(chain.T.tocsr(), ends))
        return solve_chain(chain, (policy * self.reward).sum(axis=1), 1.0)

    def rounding(self, v: np.ndarray) -> float:
        """How much values [S] may differ because of rounding alone."""
        if self.discounted:
            relative = IMPROVEMENT
        else:
            relative = max(UNDISCOUNTED_IMPROVEMENT, 4 * np.finfo(np.float64).eps * float(self.duration.max()))
        return relative * max(np.abs(v).max(), np.abs(self.reward).max())

    def improve(self, choice: np.ndarray) -> np.ndarray:
        """Policy iteration.

        Guarantee: every policy on the way is better than the one before it and there are finitely many, so it ends at
        the optimum. Without discount, it ends at the best of the policies under which every episode ends: starting
        from one of them, a strict improvement can only leave this set if some policy collects reward for ever.

        Args:
            choice: the first policy, [S].

        Returns:
            The best choices, [S].

        Raises:
            ValueError: without discount, a state from which an episode never ends and collects reward for ever.

        Source: Bertsekas & Tsitsiklis (1991), An analysis of stochastic shortest path problems, proposition 2.
        """
        v = self.evaluate(self.one_hot(choice))
        while True:
            q = self.action_values(v)
            better = ~self.terminal & (q.max(axis=1) > v + self.rounding(v))
            changed = np.where(better, q.argmax(axis=1), choice)
            v_changed = self.evaluate(self.one_hot(changed))
            if not (v_changed > v).any():  # no improvement, or only by rounding
                return choice
            choice, v = changed, v_changed

    def shorten(self, choice: np.ndarray) -> np.ndarray:
        """Without discount, policy iteration for the fewest expected steps to the end of the episode.

        If all policies that end have the same value, one that takes a million steps is as good as any other, but its
        values have a million times the rounding error.

        Args:
            choice: the first policy, under which every episode ends, [S].

        Returns:
            The choices that take the fewest steps, [S].
        """
        return replace(self, reward=-self.duration).improve(choice)

    def towards(self, hit: np.ndarray) -> np.ndarray:
        """A policy that reaches a hit after as few choices as possible.

        Args:
            hit: how likely each choice hits, [S, O].

        Returns:
            For each state the choice most likely to hit or to end where fewer choices are needed, [S]; -1 where no
            choices lead to a hit.
        """
        choice = np.full(len(hit), -1)
        near = np.zeros(len(hit), dtype=np.bool_)
        while True:
            progress = np.where(self.offered, hit + self.value_at_end(near.astype(np.float64)), 0.0)
            new = (progress.max(axis=1) > 0) & ~near
            if not new.any():
                return choice
            choice[new] = progress[new].argmax(axis=1)
            near |= new

    def refuse_nonterminating(self, nonterminating: np.ndarray) -> None:
        """Raise ValueError with the first of these states [S] of bool that is not terminal."""
        states = np.flatnonzero(nonterminating & ~self.terminal)
        if len(states):
            raise ValueError(
                f"at discount 1 every episode must end, but from state {states[0]} it never ends with these options"
            )


def reached(edges: Matrix, first: np.ndarray) -> np.ndarray:
    """The states that can be reached along edges.

    Args:
        edges: CSR [S, S], an edge from row to column wherever an entry is above 0.
        first: where to begin, [S] bool.

    Returns:
        Array [S] of bool, true for the first states too.
    """
    backwards = edges.T.tocsr()
    seen = first.copy()
    front = first
    while front.any():
        front = (backwards @ front.astype(np.float64) > 0) & ~seen
        seen |= front
    return seen


def scale_rows(matrix: Matrix, factor: np.ndarray) -> Matrix:
    """A CSR matrix with each row times a factor, without the entries that become 0.

    Args:
        matrix: [S, S].
        factor: of each row, [S].

    Returns:
        A new CSR matrix [S, S].
    """
    product = matrix.copy()
    product.data = product.data * np.repeat(factor, np.diff(product.indptr))
    product.eliminate_zeros()
    return product
