"""Values within a number of steps, against brute force and simulation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_horizon import backward_induction, best_finite_horizon_values, finite_horizon_values
from rl_envs.registry import build
from tests.mdp.tables import all_policies, loop_chain, random_mdp


@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_backward_induction_beats_every_policy_that_watches_the_clock(discount: float) -> None:
    horizon = 3
    for seed in range(5):
        mdp = random_mdp(seed, 2, 2, 2, 0.5)
        chains = [loop_chain(mdp, policy) for policy in all_policies(mdp)]
        every = []
        for plan in itertools.product(chains, repeat=horizon):
            v = np.zeros(2)
            for p, r in plan:
                v = r + discount * p @ v
            every.append(v)
        found = backward_induction(mdp, horizon, discount=discount)
        np.testing.assert_allclose(found.v[horizon], np.max(every, axis=0), atol=1e-13)
        np.testing.assert_allclose(
            best_finite_horizon_values(mdp, horizon, discount=discount), found.v[horizon], atol=1e-15
        )
        assert found.v.shape == (4, 2)
        assert found.optimal_actions.shape == (3, 2, 2)
        np.testing.assert_array_equal(found.v[0], 0.0)
        one_step = mdp.mean_reward == mdp.mean_reward.max(axis=1, keepdims=True)
        np.testing.assert_array_equal(found.optimal_actions[0], one_step)


def test_a_short_clock_makes_walking_off_the_end_the_best() -> None:
    mdp = build("LineBalance").mdp
    found = backward_induction(mdp, 20)
    # one step left at 4: home costs 3, staying 4, off the end 5; with many left: 3 + 2 + 1 against 5
    assert found.optimal_actions[0, 9].tolist() == [True, False, False]
    assert found.optimal_actions[19, 9].tolist() == [False, False, True]
    # three steps left: 3 + 2 + 1 is 6; two left: 3 + 2 is 5, as much as walking off
    assert found.optimal_actions[1, 9].tolist() == [True, False, True]
    assert found.v[2, 9] == -5.0


def test_no_steps_are_worth_nothing_and_a_negative_horizon_is_refused() -> None:
    mdp = build("LineWalk").mdp
    policy = np.zeros(11, int)
    np.testing.assert_array_equal(finite_horizon_values(mdp, policy, 0), np.zeros(11))
    np.testing.assert_array_equal(best_finite_horizon_values(mdp, 0), np.zeros(11))
    for call in (
        lambda: finite_horizon_values(mdp, policy, -1),
        lambda: backward_induction(mdp, -1),
        lambda: best_finite_horizon_values(mdp, -1),
    ):
        with pytest.raises(ValueError, match="horizon must be at least 0, but is -1"):
            call()
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 1\.5"):
        finite_horizon_values(mdp, policy, 3, discount=1.5)


def test_a_long_discounted_horizon_approaches_the_value() -> None:
    mdp = build("RandomMDP").mdp
    uniform = np.full((5, 3), 1 / 3)
    v = evaluate_policy(mdp, uniform)
    for horizon in (10, 100, 600):
        gap = np.abs(finite_horizon_values(mdp, uniform, horizon, discount=0.95) - v).max()
        assert gap <= 0.95**horizon * np.abs(v).max() + 1e-12


@pytest.mark.parametrize(("name", "arguments"), [("LineWalk", {"slip": 0.2}), ("RandomMDP", {}), ("LineBalance", {})])
def test_simulated_episodes_return_on_average_what_is_computed(name: str, arguments: dict[str, Any]) -> None:
    world = build(name, **arguments)
    mdp, horizon, episodes = world.mdp, 20, 40_000
    rng = np.random.default_rng(1)
    policy = rng.dirichlet(np.ones(mdp.num_actions), size=mdp.num_states)
    state = rng.choice(mdp.num_states, size=episodes, p=mdp.start)
    returns, running = np.zeros(episodes), np.ones(episodes, dtype=bool)
    for _ in range(horizon):
        action = (rng.random((episodes, 1)) > np.cumsum(policy, axis=1)[state, :-1]).sum(axis=1)
        k = (rng.random((episodes, 1)) > np.cumsum(mdp.probability, axis=2)[state, action, :-1]).sum(axis=1)
        returns += running * mdp.reward[state, action, k]
        running &= ~mdp.terminated[state, action, k]
        state = mdp.next_state[state, action, k]
    expected = mdp.start @ finite_horizon_values(mdp, policy, horizon)
    # 40,000 episodes: the mean is within 4 standard errors of the truth but once in 16,000 seeds
    error = returns.std(ddof=1) / np.sqrt(episodes)
    assert error < 0.2
    assert abs(returns.mean() - expected) < 4 * error
