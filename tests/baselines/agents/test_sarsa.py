"""Sarsa: the next action is the one really taken, and a step waits for it."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.sarsa import Sarsa
from baselines.agents.tabular import TabularConfig
from baselines.learning.transition import Transition
from baselines.training.loop import train
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.checks import small_world

CONSTANT = TabularConfig(step_size=0.5, step_size_half_life=np.inf, epsilon=0.2, final_epsilon=0.2)


def step(
    state: int, action: int, reward: float, next_state: int, *, terminated: bool = False, truncated: bool = False
) -> Transition:
    return Transition(
        observation=np.array([state]),
        action=np.array([action]),
        reward=np.array([reward]),
        next_observation=np.array([next_state]),
        terminated=np.array([terminated]),
        truncated=np.array([truncated]),
    )


def fresh() -> Sarsa:
    agent = Sarsa("LineWalk", config=CONSTANT)
    agent.q[0, :, 0], agent.q[0, :, 1] = 1.0, 10.0
    return agent


def test_a_step_is_learned_from_when_its_next_action_is_known() -> None:
    agent = fresh()
    before = agent.q.copy()
    assert agent.update(step(5, 1, 2.0, 6))["td_error"] == 0.0
    np.testing.assert_array_equal(agent.q, before)
    # Then the worse action 0, worth 1, is taken in state 6: 2 + 0.95 * 1 - 10 = -7.05. The best one would give 1.5.
    assert agent.update(step(6, 0, 0.0, 5))["td_error"] == pytest.approx(-7.05)
    assert agent.q[0, 5, 1] == pytest.approx(10 - 0.5 * 7.05)
    assert (agent.q != before).sum() == 1


def test_a_step_that_terminates_is_learned_from_at_once_and_leaves_nothing_waiting() -> None:
    agent = fresh()
    agent.q[0, 10] = 1e6  # the terminal row is never read
    assert agent.update(step(9, 1, 1.0, 10, terminated=True))["td_error"] == pytest.approx(1 - 10)
    before = agent.q.copy()
    agent.update(step(5, 0, 0.0, 4))  # of the next episode: it is no next action of the one before
    np.testing.assert_array_equal(agent.q, before)


def test_the_step_before_the_last_learns_before_the_last_one_does() -> None:
    agent = fresh()
    agent.update(step(8, 1, 0.0, 9))
    agent.update(step(9, 1, 1.0, 10, terminated=True))
    # The first bootstraps from Q(9, 1) = 10 as it was: 10 + 0.5 (0.95 * 10 - 10) = 9.75. Then 10 + 0.5 (1 - 10) = 5.5.
    assert agent.q[0, 8, 1] == pytest.approx(9.75)
    assert agent.q[0, 9, 1] == pytest.approx(5.5)


def test_where_the_time_limit_cuts_off_the_target_is_the_mean_over_the_policy() -> None:
    agent = fresh()
    # epsilon 0.2: action 1 with 0.9 and action 0 with 0.1, so 0.95 * (0.9 * 10 + 0.1 * 1) = 8.645; minus Q(5, 0) = 1
    assert agent.update(step(5, 0, 0.0, 6, truncated=True))["td_error"] == pytest.approx(7.645)
    before = agent.q.copy()
    agent.update(step(5, 1, 0.0, 6))
    np.testing.assert_array_equal(agent.q, before)


def test_a_step_that_terminates_in_the_limits_last_moment_bootstraps_from_nothing() -> None:
    agent = fresh()
    assert agent.update(step(9, 1, 1.0, 10, terminated=True, truncated=True))["td_error"] == pytest.approx(1 - 10)


def test_it_learns_the_value_of_the_policy_that_it_follows() -> None:
    # One state, two actions that pay 0 and 1 and stay. With epsilon 0.5 the better one is taken with 3/4, so the policy
    # earns 0.75 a step, and q = r + 0.5 * 0.75 / (1 - 0.5) = r + 0.75. Q-learning's would be r + 1.
    world = small_world(lambda s, a: [Outcome(1.0, 0, float(a))], num_states=1, num_actions=2, limit=None, discount=0.5)
    config = TabularConfig(step_size=1.0, step_size_half_life=20.0, epsilon=0.5, final_epsilon=0.5)
    agent = Sarsa(world, runs=100, config=config)
    train(agent, steps=2_000, checkpoints=1)
    # Standard error over 100 runs below 0.003 (the runs' own spread is about 0.025).
    np.testing.assert_allclose(agent.q.mean(axis=0), [[0.75, 1.75]], atol=0.02)


def test_an_agent_loaded_without_its_episodes_forgets_the_action_it_waited_for() -> None:
    agent = fresh()
    agent.update(step(5, 1, 2.0, 6))
    state = {name: array for name, array in agent.state().items() if not name.startswith("environment.")}
    loaded = Sarsa("LineWalk", config=CONSTANT)
    loaded.restore(state)
    before = loaded.q.copy()
    loaded.update(step(0, 0, 0.0, 1))  # of another episode
    np.testing.assert_array_equal(loaded.q, before)
