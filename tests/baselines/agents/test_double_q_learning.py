"""Double Q-learning: one table chooses, the other values, and a fair coin says which."""

from __future__ import annotations

import numpy as np

from baselines.agents.double_q_learning import DoubleQLearning
from baselines.agents.tabular import TabularConfig
from baselines.learning.transition import Transition
from baselines.training.loop import train

CONSTANT = TabularConfig(step_size=0.5, step_size_half_life=np.inf)


def same_step(runs: int) -> Transition:
    return Transition(
        observation=np.full(runs, 5),
        action=np.full(runs, 1),
        reward=np.full(runs, 1.0),
        next_observation=np.full(runs, 6),
        terminated=np.zeros(runs, dtype=bool),
        truncated=np.zeros(runs, dtype=bool),
    )


def test_the_table_that_learns_chooses_and_the_other_values() -> None:
    agent = DoubleQLearning("LineWalk", runs=400, config=CONSTANT)
    agent.q[:, 0, 6] = [3.0, 7.0]
    agent.q[:, 1, 6] = [20.0, 10.0]
    agent.update(same_step(400))
    # The first table learns: it prefers action 1, worth 10 in the second: 0.5 * (1 + 0.95 * 10) = 5.25.
    # The second learns: it prefers action 0, worth 3 in the first: 0.5 * (1 + 0.95 * 3) = 1.925.
    learned = agent.q[:, :, 5, 1]
    first = learned[:, 0] != 0
    np.testing.assert_allclose(learned[first], [[5.25, 0.0]] * first.sum(), rtol=1e-12)
    np.testing.assert_allclose(learned[~first], [[0.0, 1.925]] * (~first).sum(), rtol=1e-12)
    # A fair coin: 400 tosses have standard error 0.025.
    assert abs(first.mean() - 0.5) < 0.1


def test_both_tables_are_updated_about_equally_often_in_every_run() -> None:
    agent = DoubleQLearning("RandomMDP", runs=20)
    train(agent, steps=1_000, checkpoints=1)
    updates = agent.updates.sum(axis=(2, 3))
    np.testing.assert_array_equal(updates.sum(axis=1), 1_000)
    assert np.abs(updates - 500).max() < 80  # five standard errors of 15.8
    assert len(np.unique(updates[:, 0])) > 5  # a coin of each run's own


def test_it_acts_by_the_sum_of_both_tables() -> None:
    agent = DoubleQLearning("LineBalance", runs=2, config=CONSTANT)
    agent.q[:, 0, 5] = [5.0, 3.0, 0.0]
    agent.q[:, 1, 5] = [0.0, 3.0, 5.0]
    np.testing.assert_array_equal(agent.act(np.array([5, 5]), greedy=True), [1, 1])
    np.testing.assert_array_equal(agent.policy()[:, 5], [[0.0, 1.0, 0.0]] * 2)
    np.testing.assert_array_equal(agent.policy()[:, 6], [[1 / 3] * 3] * 2)
