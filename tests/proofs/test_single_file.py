"""The single-file DQN and PPO keep CartPole-v1's pole up, as their page says.

Each proof prints its numbers with 95% intervals.
"""

from __future__ import annotations

import importlib
from functools import partial

import gymnasium as gym
import numpy as np
import pytest

from baselines.comparison.statistics import wilson_interval
from baselines.training.custom_agent import mean_return
from baselines.training.task import make_task

pytestmark = pytest.mark.proofs


@pytest.mark.parametrize(("name", "steps"), [("dqn", 40_000), ("ppo", 100_000)])
def test_at_least_9_of_10_seeds_solve_cartpole(name: str, steps: int) -> None:
    module, task = importlib.import_module(f"examples.single_file.{name}"), make_task("CartPole-v1")
    returns = []
    for seed in range(10):
        policy = module.train(partial(gym.make, "CartPole-v1"), steps, seed)
        # The mean of 50 greedy episodes, in five lots that begin with other seeds than any in training.
        returns.append(np.mean([mean_return(policy, task, 1_000_000 + 100 * seed + lot) for lot in range(5)]))
    solved = sum(mean >= 475 for mean in returns)
    share = wilson_interval(solved, 10)
    print(
        f"\nsingle-file {name}, CartPole-v1, {steps:,} steps: {solved} of 10 seeds at 475 or more "
        f"[{share.low:.0%}, {share.high:.0%}]; mean returns {', '.join(f'{mean:.0f}' for mean in returns)}; required: 9"
    )
    assert solved >= 9
