"""The best deterministic policy that sees only the observation and remembers nothing, found by search.

Finding the best one is NP-hard (Littman 1994), so it is exact only where all of them can be tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rl_envs.inspection.table_view import TableView
from rl_envs.mdp.evaluation import evaluate_policy

# So many policies are all tried, where there are no more; otherwise the search climbs from so many beginnings.
ALL, BEGINNINGS = 4_096, 8

# The search ends after so many evaluations, and after fewer where each needs an elimination of many states: after about
# so many multiplications, some seconds.
EVALUATIONS, MULTIPLICATIONS = 20_000, 2e10

# And after so many seconds in any case.
SECONDS = 5.0

# Tables with more numbers to eliminate than this are too large to evaluate thousands of policies on.
LARGEST = 3_000

# A policy counts as better if it gains more than this, relative to the values.
GAIN = 1e-12


@dataclass(frozen=True)
class Memoryless:
    """A policy of the observation alone.

    Attributes:
        policy: the action in each state, [S].
        value: its value from the start, discounted.
        exact: whether every such policy was tried, so that none is better.
        how: how it was found, in words.
    """

    policy: np.ndarray
    value: float
    exact: bool
    how: str


def best_memoryless(view: TableView, seen: np.ndarray) -> Memoryless | None:
    """Search for the best deterministic policy of the observation alone.

    Args:
        view: the table.
        seen: for each state the first one that looks the same, [S].

    Returns:
        The best policy found; None where the table is too large for a search, or its values do not exist.

    Source: Littman (1994), Memoryless policies: theoretical limitations and practical results.
    """
    mdp = view.mdp
    if mdp.num_states > LARGEST:
        return None
    budget = min(EVALUATIONS, int(MULTIPLICATIONS / mdp.num_states**3))
    # Observations in which an episode can be running; what is done elsewhere does not matter.
    groups = np.unique(seen[view.playing])
    number = np.searchsorted(groups, seen)
    number[~np.isin(seen, groups)] = 0
    try_all = len(groups) * np.log(mdp.num_actions) <= np.log(min(ALL, max(budget, 1)))
    try:
        if try_all:
            return _all(view, number, len(groups))
        return _climb(view, number, len(groups), budget)
    except ValueError:  # at discount 1 the total of some policy does not exist
        return None


def _values(view: TableView, choices: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The values [R] from the start of policies given by an action for each observation, [R, groups]."""
    v = evaluate_policy(view.mdp, choices[:, number])
    start = view.mdp.start > 0
    return np.asarray(v[:, start] @ view.mdp.start[start])


def _all(view: TableView, number: np.ndarray, groups: int) -> Memoryless:
    choices = np.array(list(np.ndindex(*[view.mdp.num_actions] * groups)), dtype=np.int64)
    values = np.concatenate([_values(view, part, number) for part in np.array_split(choices, -(-len(choices) // 64))])
    best = int(values.argmax())
    how = f"the best of all {len(choices):,}"
    return Memoryless(choices[best][number], float(values[best]), True, how)


def _climb(view: TableView, number: np.ndarray, groups: int, budget: int) -> Memoryless:
    """Change the action of one observation at a time as long as that gains something."""
    num_actions = view.mdp.num_actions
    rng = np.random.default_rng(0)
    # The first beginning does in each observation what most of its states want.
    wants = np.zeros((groups, num_actions))
    np.add.at(wants, number[view.playing], view.optimal_pairs[view.playing])
    shared = np.bincount(number[view.playing], minlength=groups) > 1
    starts = [wants.argmax(axis=1), *(rng.integers(num_actions, size=groups) for _ in range(BEGINNINGS - 1))]
    best: tuple[float, np.ndarray] = (-np.inf, starts[0])
    spent, until = 0, time.monotonic() + SECONDS
    for choice in starts:
        value = float(_values(view, choice[None], number)[0])
        idle, over = 0, False
        for group in _rounds(rng, shared):
            others = np.repeat(choice[None], num_actions, axis=0)
            others[:, group] = np.arange(num_actions)
            values = _values(view, others, number)
            spent += num_actions
            top = int(values.argmax())
            if values[top] > value + GAIN * max(1.0, abs(value)):
                choice, value, idle = others[top], float(values[top]), 0
            else:
                idle += 1
            over = spent > budget or time.monotonic() > until
            if idle >= groups or over:
                break
        if value > best[0]:
            best = (value, choice)
        if over:
            break
    how = "by a search, so a lower bound"
    return Memoryless(best[1][number], best[0], False, how)


def _rounds(rng: np.random.Generator, shared: np.ndarray) -> Iterator[int]:
    """The observations in random order, again and again; in each round those that several states share come first."""
    while True:
        order = rng.permutation(len(shared))
        yield from order[np.argsort(~shared[order], kind="stable")].tolist()
