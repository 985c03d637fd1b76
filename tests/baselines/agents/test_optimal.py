"""The ceiling of every table."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.optimal import Optimal
from baselines.agents.random_policy import Random
from baselines.training.loop import evaluate


def test_it_plays_an_optimal_action_in_every_state() -> None:
    agent = Optimal("LineWalk", runs=2)
    np.testing.assert_array_equal(agent.act(np.array([1, 9])), [1, 1])
    truth = agent.task.truth
    assert truth.optimal_actions[np.arange(11), agent.policy()[0].argmax(axis=1)].all()


def test_it_is_shown_the_state_where_others_see_less() -> None:
    agent = Optimal("BanditTestbed", runs=300, seed=0)
    assert agent.task.num_observations == 2000
    returns = evaluate(agent, episodes=1)[:, 0]
    # The mean of the largest of ten standard normal numbers is 1.5388; an episode has 1,000 pulls.
    assert returns.mean() == pytest.approx(1000 * agent.task.truth.optimal_value * 0.05, rel=0.1)


def test_without_a_table_there_is_no_optimum_to_play() -> None:
    with pytest.raises(TypeError, match="Optimal needs a world with a table, but CartPole-v1 has none"):
        Optimal("CartPole-v1")


def test_random_plays_every_action_alike() -> None:
    agent = Random("RandomMDP", runs=1000, seed=0)
    actions = np.concatenate([agent.act(np.zeros(1000, dtype=np.int64), greedy=greedy) for greedy in (True, False) * 5])
    counts = np.bincount(actions, minlength=3)
    assert np.abs(counts - 10_000 / 3).max() < 4 * np.sqrt(10_000 * 2 / 9)
    np.testing.assert_array_equal(agent.policy(), np.full((1000, 5, 3), 1 / 3))
