"""Exact values of following options to their ends, for options whose policies are still being learned.

`rl_envs.options` refuses an option that may never end, and a learned policy may walk in circles until it has
learned better. Here going round for ever is simply worth nothing more. The two agree wherever every option ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP


@dataclass(frozen=True, eq=False)
class OptionModels:
    """The model of each option from its start to its end; 0 where it does not run.

    Attributes:
        reward: expected discounted reward.
        transition: for each option the discounted probability of ending it in each state.
    """

    reward: np.ndarray  # [S, O]
    transition: np.ndarray  # [O, S, S]


def transition_probabilities(mdp: FiniteMDP) -> np.ndarray:
    """The probability of arriving in each state with the episode going on, [S, A, S]."""
    found = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    s, a, k = np.nonzero(~mdp.terminated)
    np.add.at(found, (s, a, mdp.next_state[s, a, k]), mdp.probability[s, a, k])
    return found


def option_models(
    mdp: FiniteMDP, step: np.ndarray, policies: np.ndarray, termination: np.ndarray, runs: np.ndarray
) -> OptionModels:
    """The models of options, by a linear solve over the states in which each runs.

    Args:
        mdp: the dynamics.
        step: its `transition_probabilities`, [S, A, S].
        policies: what each option does, [S, O, A]; not read where it does not run.
        termination: the probability that it ends on arriving in a state, [S, O].
        runs: where it may be the one that acts, [S, O] bool: wherever it may start or go on.

    Returns:
        The models.

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    num_states, num_options = runs.shape
    reward, transition = np.zeros((num_states, num_options)), np.zeros((num_options, num_states, num_states))
    for o in range(num_options):
        here = np.flatnonzero(runs[:, o])
        policy = policies[here, o]
        reach = mdp.discount * np.einsum("sa,sat->st", policy, step[here])
        earned = (policy * mdp.mean_reward[here]).sum(axis=-1)
        going_on = (reach * (1 - termination[:, o]))[:, here]
        both = settled(going_on, np.column_stack([earned, reach * termination[:, o]]))
        reward[here, o], transition[o, here] = both[:, 0], both[:, 1:]
    return OptionModels(reward, transition)


def call_and_return_values(models: OptionModels, policy: np.ndarray) -> np.ndarray:
    """The value of each state when each chosen option is followed to its end.

    Args:
        models: of the options.
        policy: probability of choosing each option in each state, [S, O].

    Returns:
        Values [S].

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    chain = np.einsum("so,ost->st", policy, models.transition)
    return settled(chain, (policy * models.reward).sum(axis=-1)[:, None])[:, 0]


def settled(chain: np.ndarray, gained: np.ndarray) -> np.ndarray:
    """What is gained at every step, added up until the chain is left: x = gained + chain x.

    Args:
        chain: probabilities to go on to each state, perhaps discounted, [n, n]; rows sum to at most 1.
        gained: in each state, of several things, [n, m]; 0 where the chain is never left again.

    Returns:
        The sums [n, m], 0 where the chain is never left again.
    """
    if not chain.any():
        return gained
    # Rows that sum to less than 1 lead out, and so do those that lead to such rows.
    leads_out = chain.sum(axis=1) < 1 - 1e-12
    while True:
        more = leads_out | (chain @ leads_out > 0)
        if (more == leads_out).all():
            break
        leads_out = more
    transient = np.where(leads_out[:, None], chain, 0.0)
    return np.linalg.solve(np.eye(len(chain)) - transient, np.where(leads_out[:, None], gained, 0.0))
