"""How many steps uniform random play takes until something first happens, over as many episodes as it needs: exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.undiscounted import chain_values


def expected_wait(mdp: FiniteMDP, wanted: np.ndarray, limit: int | None) -> float:
    """The expected number of steps until one of the wanted outcomes first happens, every action equally probable.

    An episode that ends without it is followed by another. Let T be the steps of an episode up to its end or the wanted
    outcome, and p the probability that it brings the outcome. The wait is E[T] / p (Wald's equation). Both are exact:
    sums over every step up to the time limit, or a linear system where there is none.

    Args:
        mdp: the table.
        wanted: the outcomes waited for, [S, A, K] bool.
        limit: time limit of an episode in steps, or None.

    Returns:
        Steps; infinite where it may never happen.
    """
    # Only states that an episode can come to: from others nothing need be known.
    weight = mdp.probability / mdp.num_actions
    hit = (weight * wanted).sum(axis=(1, 2))  # [S]
    chain = _chain(mdp, weight, (mdp.probability > 0) & ~wanted & ~mdp.terminated)
    ends = np.asarray(chain.sum(axis=1)).ravel() < 1 - 1e-12
    if limit is None:
        members = _reached(chain, mdp.start > 0)
        inside = chain[members][:, np.flatnonzero(members)]
        start = mdp.start[members]
        steps = chain_values(inside, np.ones(int(members.sum())), ends[members])
        chance = chain_values(inside, hit[members], ends[members])
        possible = start > 0
        mean, p = float(steps[possible] @ start[possible]), float(chance[possible] @ start[possible])
    else:
        length, found = np.zeros(mdp.num_states), np.zeros(mdp.num_states)
        for _ in range(limit):
            length, found = 1.0 + chain @ length, hit + chain @ found
        mean, p = float(mdp.start @ length), float(mdp.start @ found)
    return mean / p if p > 0 else np.inf


def _chain(mdp: FiniteMDP, weight: np.ndarray, kept: np.ndarray) -> Any:
    """The chain [S, S] of uniform play over some of the outcomes [S, A, K]."""
    from scipy.sparse import csr_array

    states = np.nonzero(kept)[0]
    size = (mdp.num_states, mdp.num_states)
    return csr_array((weight[kept], (states, mdp.next_state[kept])), shape=size)


def _reached(chain: Any, start: np.ndarray) -> np.ndarray:
    reached, backwards = start.copy(), chain.T.tocsr()
    while True:
        more = reached | (backwards @ reached.astype(np.float64) > 0)
        if (more == reached).all():
            return reached
        reached = more
