"""Q-learning: the arithmetic of one update, and that it gets to the exact optimum."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.q_learning import QLearning
from baselines.agents.tabular import TabularConfig
from baselines.learning.transition import Transition
from baselines.training.loop import train


def test_one_update_by_hand() -> None:
    agent = QLearning("LineWalk", runs=3, config=TabularConfig(step_size=0.5))
    agent.q[:] = 1.0
    agent.q[0, 6] = [2.0, 4.0]
    agent.q[1, 10] = 100.0  # the terminal row: never read
    metrics = agent.update(
        Transition(
            observation=np.array([5, 9, 0]),
            action=np.array([1, 1, 0]),
            reward=np.array([0.0, 1.0, 0.0]),
            next_observation=np.array([6, 10, 1]),
            terminated=np.array([False, True, False]),
            truncated=np.array([False, False, True]),
        )
    )
    # 0 + 0.95 * 4 - 1 = 2.8;   1 - 1 = 0 at the end;   cut off, and yet 0 + 0.95 * 1 - 1 = -0.05
    np.testing.assert_allclose(metrics["td_error"], [2.8, 0.0, -0.05], rtol=1e-12)
    assert agent.q[0, 5, 1] == pytest.approx(1 + 0.5 * 2.8)
    assert agent.q[1, 9, 1] == 1.0
    assert agent.q[2, 0, 0] == pytest.approx(1 - 0.5 * 0.05)  # state 0 is a state
    assert np.count_nonzero(agent.q != 1.0) == 6  # 2 + 2 put there, 2 learned


@pytest.mark.parametrize("world", ["LineWalk", "LineBalance", "RandomMDP"])
def test_at_least_95_of_100_runs_reach_the_optimum(world: str) -> None:
    agent = QLearning(world, runs=100, seed=0)
    final = train(agent, steps=10_000, checkpoints=2).scores[-1]
    assert (final >= 0.99).mean() >= 0.95


def test_every_run_finds_the_best_arm() -> None:
    agent = QLearning("Bandit", runs=100, seed=0)
    np.testing.assert_allclose(train(agent, steps=2_000, checkpoints=1).scores[-1], 1.0, atol=1e-12)


def test_values_come_near_those_of_the_solver_where_everything_is_visited() -> None:
    config = TabularConfig(step_size=1.0, step_size_half_life=np.inf, epsilon=1.0, final_epsilon=1.0)
    agent = QLearning("LineWalk", runs=5, seed=0, config=config)
    train(agent, steps=4_000, checkpoints=1)
    # Without chance and with step size 1, every value is exact once what follows it is.
    inner = slice(1, 10)
    np.testing.assert_allclose(agent.q[:, inner], np.tile(agent.task.truth.q_star[inner], (5, 1, 1)), atol=1e-12)


def test_the_policy_shares_its_probability_among_ties() -> None:
    agent = QLearning("Bandit", runs=1)
    agent.q[0, 0] = [1.0, 0.0, 1.0, 0.5, 1.0]
    np.testing.assert_allclose(agent.policy(), [[[1 / 3, 0, 1 / 3, 0, 1 / 3]]])


def test_where_states_look_alike_the_table_is_over_what_is_seen() -> None:
    agent = QLearning("BanditTestbed", runs=2)
    assert agent.q.shape == (2, 1, 10)
    agent.q[:, 0, 3] = 1.0
    np.testing.assert_array_equal(agent.policy(), np.tile(np.eye(10)[3], (2, 2000, 1)))


def test_observations_of_several_numbers_are_learned_from() -> None:
    agent = QLearning("RobotGrasp", runs=2, seed=0)
    train(agent, steps=200, checkpoints=1)
    assert np.count_nonzero(agent.q) > 50


def test_the_state_is_not_shared_with_what_was_saved() -> None:
    agent, other = QLearning("LineWalk", runs=1), QLearning("LineWalk", runs=1)
    other.restore(agent.state())
    other.q[:] = 5.0
    assert not agent.q.any()
