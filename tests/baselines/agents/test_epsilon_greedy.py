"""EpsilonGreedy: means, optimistic starts and exploration."""

from __future__ import annotations

import numpy as np

from baselines.agents.epsilon_greedy import EpsilonGreedy, EpsilonGreedyConfig
from baselines.training.task import make_task
from tests.baselines.agents.test_bandit import play


def test_values_are_the_means_of_what_each_arm_has_paid() -> None:
    agent = EpsilonGreedy(make_task("Bandit", std=1.0), runs=5, config=EpsilonGreedyConfig(epsilon=1.0))
    total = np.zeros((5, 5))
    for _ in range(200):
        transition = agent.rollout.step(agent.act(agent.rollout.observation))
        total[np.arange(5), transition.action] += transition.reward
        agent.update(transition)
    np.testing.assert_allclose(agent.value, total / agent.pulls, rtol=1e-12)


def test_an_optimistic_start_tries_every_arm_without_exploring() -> None:
    config = EpsilonGreedyConfig(epsilon=0.0, initial_value=5.0, step_size=0.1)
    agent = EpsilonGreedy("Bandit", runs=50, config=config)
    play(agent, 5)
    np.testing.assert_array_equal(agent.pulls, 1)
    np.testing.assert_allclose(agent.value[0], 5.0 + 0.1 * (np.array([0.0, 0.2, 0.5, 0.1, 1.0]) - 5.0), rtol=1e-12)


def test_without_optimism_greedy_stays_with_the_first_arm_that_pays() -> None:
    agent = EpsilonGreedy(make_task("Bandit", means=(1.0, 2.0)), runs=200, config=EpsilonGreedyConfig(epsilon=0.0))
    play(agent, 50)
    assert set(agent.pulls.max(axis=1).tolist()) == {50}
    assert 0.35 < (agent.pulls[:, 0] == 50).mean() < 0.65  # a half, standard error 0.035


def test_epsilon_falls_harmonically_with_the_steps() -> None:
    agent = EpsilonGreedy("Bandit", config=EpsilonGreedyConfig(epsilon=0.8, epsilon_half_life=10.0))
    play(agent, 30)
    assert agent.epsilon == 0.2


def test_it_explores_as_often_as_epsilon_says() -> None:
    agent = EpsilonGreedy("Bandit", runs=4_000, config=EpsilonGreedyConfig(epsilon=0.5))
    agent.value[:, 2] = 9.0
    shares = np.bincount(agent.act(np.zeros(4_000)), minlength=5) / 4_000
    np.testing.assert_allclose(shares, [0.1, 0.1, 0.6, 0.1, 0.1], atol=0.03)  # standard error below 0.008
