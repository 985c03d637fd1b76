"""Expected Sarsa: the target is the mean over the policy, its greedy part shared among ties."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.expected_sarsa import ExpectedSarsa
from baselines.agents.tabular import TabularConfig
from baselines.learning.transition import Transition
from baselines.training.loop import train
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.checks import small_world


def test_one_update_by_hand() -> None:
    config = TabularConfig(step_size=0.5, epsilon=0.3, final_epsilon=0.3)
    agent = ExpectedSarsa("LineBalance", runs=4, config=config)
    agent.q[0, 6] = [2.0, 4.0, 4.0]
    agent.q[1, 6] = [5.0, 4.0, 4.0]
    agent.q[2, 10] = 100.0  # the terminal row: never read
    agent.q[3, 6] = [0.0, 0.0, 3.0]
    metrics = agent.update(
        Transition(
            observation=np.array([5, 5, 9, 0]),
            action=np.array([2, 2, 2, 0]),
            reward=np.array([-1.0, -1.0, -5.0, 0.0]),
            next_observation=np.array([6, 6, 10, 6]),
            terminated=np.array([False, False, True, False]),
            truncated=np.array([False, False, False, True]),
        )
    )
    # Probabilities 0.1, 0.45, 0.45 where two are tied, and 0.1, 0.1, 0.8 where one is best.
    # -1 + 0.95 * (0.2 + 3.6) = 2.61;   -1 + 0.95 * (4 + 0.8) = 3.56;   -5;   0.95 * 2.4 = 2.28, though cut off
    np.testing.assert_allclose(metrics["td_error"], [2.61, 3.56, -5.0, 2.28], rtol=1e-12)
    assert agent.q[0, 5, 2] == pytest.approx(0.5 * 2.61)
    assert agent.q[3, 0, 0] == pytest.approx(0.5 * 2.28)  # state 0 is a state


def test_it_learns_the_value_of_the_policy_that_it_follows_without_chance() -> None:
    # One state, two actions that pay 0 and 1 and stay: with epsilon 0.5, q = r + 0.5 * 0.75 / (1 - 0.5), exactly.
    world = small_world(lambda s, a: [Outcome(1.0, 0, float(a))], num_states=1, num_actions=2, limit=None, discount=0.5)
    config = TabularConfig(step_size=0.5, step_size_half_life=np.inf, epsilon=0.5, final_epsilon=0.5)
    agent = ExpectedSarsa(world, runs=20, config=config)
    train(agent, steps=800, checkpoints=1)
    np.testing.assert_allclose(agent.q, np.tile([[0.75, 1.75]], (20, 1, 1)), rtol=1e-9)
