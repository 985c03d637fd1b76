"""GradientBandit: preferences move along the gradient, with and without a baseline."""

from __future__ import annotations

import numpy as np

from baselines.agents.gradient_bandit import GradientBandit, GradientBanditConfig
from baselines.learning.transition import Transition
from baselines.training.task import make_task


def pull(agent: GradientBandit, arm: int, reward: float) -> None:
    zero, no = np.array([0]), np.array([False])
    agent.update(Transition(zero, np.array([arm]), np.array([reward]), zero, no, no))


def test_the_baseline_is_the_mean_of_the_rewards_before() -> None:
    agent = GradientBandit(make_task("Bandit", means=(0.0, 1.0)), config=GradientBanditConfig(step_size=0.5))
    pull(agent, 0, 4.0)  # the first reward is its own baseline
    np.testing.assert_array_equal(agent.preference, [[0.0, 0.0]])
    pull(agent, 1, 6.0)  # 0.5 * (6 - 4) * ([0, 1] - [0.5, 0.5]) = [-0.5, 0.5]
    np.testing.assert_allclose(agent.preference, [[-0.5, 0.5]], rtol=1e-12)
    np.testing.assert_allclose(agent.mean_reward, [5.0])


def test_without_a_baseline_every_reward_counts_from_0() -> None:
    config = GradientBanditConfig(step_size=0.5, baseline=False)
    agent = GradientBandit(make_task("Bandit", means=(0.0, 1.0)), config=config)
    pull(agent, 0, 4.0)  # 0.5 * 4 * ([1, 0] - [0.5, 0.5]) = [1, -1]
    np.testing.assert_allclose(agent.preference, [[1.0, -1.0]], rtol=1e-12)


def test_the_same_amount_on_every_reward_changes_nothing_with_a_baseline() -> None:
    agents = []
    for offset in (0.0, 100.0):
        task = make_task("Bandit", means=tuple(offset + m for m in (0.0, 0.2, 0.5, 0.1, 1.0)))
        agent = GradientBandit(make_task("Bandit"), runs=20)
        for _ in range(100):
            arm = agent.act(np.zeros(20))
            reward = np.array([task.world.mdp.mean_reward[0, a] for a in arm])
            end = np.zeros(20, dtype=bool)
            agent.update(Transition(np.zeros(20), arm, reward, np.zeros(20), end, end))
        agents.append(agent)
    np.testing.assert_allclose(agents[0].preference, agents[1].preference, atol=1e-9)


def test_preferences_always_sum_to_zero() -> None:
    agent = GradientBandit(make_task("Bandit", std=1.0), runs=10)
    for _ in range(300):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
    np.testing.assert_allclose(agent.preference.sum(axis=1), 0.0, atol=1e-9)
