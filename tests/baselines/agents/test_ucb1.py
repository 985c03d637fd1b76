"""UCB1: every arm once, then the highest bound."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.ucb1 import UCB1, UCB1Config
from baselines.training.regret import regret_curve
from baselines.training.task import make_task
from tests.baselines.agents.test_bandit import play


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_every_arm_is_pulled_once_first_at_any_scale_of_rewards(scale: float) -> None:
    task = make_task("Bandit", means=tuple(scale * m for m in (5.0, -3.0, 0.0, 4.0, 1.0, -9.0)), std=scale)
    agent = UCB1(task, runs=100)
    play(agent, 6)
    np.testing.assert_array_equal(agent.pulls, 1)


def test_the_first_pulls_are_in_an_order_of_each_runs_own() -> None:
    agent = UCB1("BanditTestbed", runs=50)
    orders = []
    for _ in range(10):
        arms = agent.act(agent.rollout.observation)
        orders.append(arms)
        agent.update(agent.rollout.step(arms))
    np.testing.assert_array_equal(np.sort(orders, axis=0), np.tile(np.arange(10)[:, None], 50))
    assert len(np.unique(orders, axis=1).T) > 45


def test_the_arm_with_the_highest_bound_is_pulled() -> None:
    agent = UCB1("Bandit", runs=2, config=UCB1Config(exploration=2.0))
    agent.pulls[:] = [100, 100, 100, 100, 4]
    agent.value[0] = [0.9, 0.2, 0.5, 0.1, 0.0]  # 0.9 + 2 sqrt(ln 404 / 100) = 1.39; 0 + 2 sqrt(ln 404 / 4) = 2.45
    agent.value[1] = [3.0, 0.2, 0.5, 0.1, 0.0]  # 3.49 against 2.45
    np.testing.assert_array_equal(agent.act(np.zeros(2)), [4, 0])


def test_its_regret_is_below_its_bound_at_every_number_of_pulls() -> None:
    curve = regret_curve(UCB1("BernoulliBandit", runs=500), checkpoints=100)
    assert curve.bounds.ucb1 is not None
    # The bound holds for the mean; the mean over 500 runs has a standard error below 0.5.
    assert (curve.mean[1:] + 5 * curve.standard_error[1:] < curve.bounds.ucb1[1:]).all()
