"""The ten-armed testbed: 2,000 random bandit problems that the agent cannot tell apart.

     problem    0      1      2    ...   1999     each reset draws a problem;
     arm 0    +0.13  -0.62  -0.13  ...  +1.41     all of them look alike
     arm 1    -0.13  +0.04  +1.37  ...  -1.45
      ...      ...    ...    ...         ...
     arm 9    -1.27  +1.04  +0.22  ...  +0.16

State: the problem; 2,000 by default. It never changes within an episode, and all of them look the same to the agent.
Actions: the arm to pull; 10 by default.
Rewards: the arm's mean in this problem, drawn from N(0, 1) when the world is built, with Gaussian noise of variance 1.
Start: a problem drawn uniformly.
Episode end: never; the registered time limit is 1,000 pulls.
Exact solution: knowing the problem, pull its best arm: 1.534830 a pull on average over the default 2,000 problems.
    (The largest of ten standard normal numbers is 1.538753 on average.) v* and the reward threshold assume an agent
    that knows the problem. Any other agent must find the best arm first.
Source: Sutton & Barto (2018), section 2.3.
"""

from __future__ import annotations

import numpy as np

from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.worlds.bandit import arms_as_actions, arms_that_loop
from rl_envs.worlds.observation import Index, Labels, choose
from rl_envs.worlds.world import World


def bandit_testbed(
    *,
    num_arms: int = 10,
    num_problems: int = 2000,
    model_seed: int = 0,
    discount: float = 0.95,
    observation: str = "hidden",
) -> World:
    """Pull arms in a bandit problem drawn from many; the same arguments always give the same problems.

    `info["regret"]` is the pseudo-regret of the pull: how much less the arm pays on average than the problem's best.

    Args:
        num_arms: arms of each problem, at least 1.
        num_problems: how many problems there are, at least 1.
        model_seed: seed of the generator that draws the means, at least 0. Independent of `reset(seed=)`.
        discount: gamma, in [0, 1].
        observation: "hidden" (Discrete(1), always 0), "one_hot" (the same as a Box, always 1), or "index" (Discrete),
            which reveals the problem's number.

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    num_arms = check_integer("num_arms", num_arms, low=1)
    num_problems = check_integer("num_problems", num_problems, low=1)
    generator = np.random.default_rng(check_integer("model_seed", model_seed, low=0))
    means = generator.standard_normal((num_problems, num_arms))
    offered = {"hidden": Labels(np.zeros(num_problems, dtype=np.int64)), "index": Index(num_problems)}
    return World(
        name="BanditTestbed",
        mdp=arms_that_loop(means, std=1.0, discount=discount),
        max_episode_steps=1000,
        observation=choose(observation, offered),
        **arms_as_actions(means),
    )
