"""A multi-armed bandit with Bernoulli rewards.

     arm             0     1     2     3     4
     chance of 1    0.1   0.2   0.5   0.1   0.9

State: a single state.
Actions: the arm to pull; 5 by default.
Rewards: 1 with the arm's probability, else 0.
Start: the single state.
Episode end: never; the registered time limit is 1,000 pulls.
Exact solution: always pull the best arm, which by default pays 900 in 1,000 pulls on average and is worth 18 at the
    default discount of 0.95. The uniform policy has a regret of 540 in 1,000 pulls. No consistent algorithm's regret
    grows more slowly than 2.206957 ln(T) (`rl_envs.mdp.bandit_theory`).
Source: Thompson (1933), On the likelihood that one unknown probability exceeds another; Lai & Robbins (1985).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_envs.mdp.bandit_theory import check_arms
from rl_envs.mdp.finite_mdp import Outcome, tabulate
from rl_envs.worlds.bandit import arms_as_actions
from rl_envs.worlds.observation import Index, choose
from rl_envs.worlds.world import World


def bernoulli_bandit(
    *,
    probabilities: Sequence[float] = (0.1, 0.2, 0.5, 0.1, 0.9),
    discount: float = 0.95,
    observation: str = "index",
) -> World:
    """Pull one of several arms, each of which pays 1 with its own probability.

    `info["regret"]` is the pseudo-regret of the pull: how much less the arm pays on average than the best one.

    Args:
        probabilities: each arm's probability of paying 1, at least one arm.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete(1), always 0) or "one_hot" (Box, always 1).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    arms = check_arms("probabilities", probabilities, low=0.0, high=1.0)

    def outcomes(state: int, arm: int) -> tuple[Outcome, Outcome]:
        return Outcome(1 - arms[arm], state, reward=0.0), Outcome(arms[arm], state, reward=1.0)

    return World(
        name="BernoulliBandit",
        mdp=tabulate(outcomes, num_states=1, num_actions=len(arms), start=0, discount=discount),
        max_episode_steps=1000,
        observation=choose(observation, {"index": Index(1)}),
        **arms_as_actions(np.asarray(arms)[None]),
    )
