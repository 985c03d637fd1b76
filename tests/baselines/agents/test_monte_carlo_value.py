"""Gradient Monte Carlo: the arithmetic of one episode, its own fixed point, and what it may not depend on."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.monte_carlo_value import MonteCarloValue, MonteCarloValueConfig
from baselines.learning.transition import Transition
from baselines.training.exact_prediction import least_squares_weights, td_fixed_point
from baselines.training.loop import train
from baselines.training.task import make_task
from tests.baselines.agents.value_agents import learn

LINEAR = ("table", "aggregation", "tiles", "fourier")
COARSE = {"groups": 5, "tilings": 3, "tiles": 2, "order": 2}

# A walk of 19 states with jumps of up to 4: small, and coarse features cannot say its values exactly.
WALK = make_task("RandomWalk", num_states=19, max_jump=4)


def step(state, reward, after, *, terminated=False, truncated=False) -> Transition:
    """One step of a population whose runs all do the same but for what is given as a list."""
    columns = np.broadcast_arrays(*(np.atleast_1d(x) for x in (state, 1, reward, after, terminated, truncated)))
    return Transition(*(np.array(column) for column in columns))


def test_one_episode_by_hand() -> None:
    config = MonteCarloValueConfig(approximation="table", step_size=0.5, step_size_half_life=np.inf)
    agent = MonteCarloValue("LineWalk", runs=1, config=config)
    for transition in (step(7, 0.0, 8), step(8, 0.0, 7), step(7, 2.0, 9)):
        assert np.isnan(agent.update(transition)["return"]).all()
        assert not agent.function.weights.any()  # nothing is learned before the end
    metrics = agent.update(step(9, 1.0, 10, terminated=True))
    # Backwards: 1; 2 + 0.95 = 2.95; 0.95 * 2.95 = 2.8025; 0.95 * 2.8025 = 2.662375
    np.testing.assert_allclose(metrics["return"], [2.662375])
    expected = np.zeros(11)
    expected[9] = 0.5 * 1
    expected[8] = 0.5 * 2.8025
    # State 7 twice, one after the other: 0.5 * 2.662375 = 1.3311875, then half of the way to 2.95.
    expected[7] = 1.3311875 + 0.5 * (2.95 - 1.3311875)
    np.testing.assert_allclose(agent.function.weights[0], expected, rtol=1e-12)


def test_runs_learn_when_their_own_episode_ends() -> None:
    config = MonteCarloValueConfig(approximation="table", step_size=1.0, step_size_half_life=np.inf)
    agent = MonteCarloValue("LineWalk", runs=2, config=config)
    agent.update(step([0, 4], [0.0, 3.0], [1, 10], terminated=[False, True]))
    metrics = agent.update(step([1, 5], [4.0, 0.0], [10, 6], terminated=[True, False]))
    np.testing.assert_allclose(metrics["return"], [0.95 * 4, np.nan])
    np.testing.assert_allclose(agent.function.weights[0, :2], [3.8, 4.0])  # state 0 is a state
    np.testing.assert_array_equal(agent.function.weights[1], 3.0 * (np.arange(11) == 4))


def test_where_it_is_cut_off_the_estimate_stands_for_the_rest() -> None:
    config = MonteCarloValueConfig(approximation="table", step_size=1.0, step_size_half_life=np.inf, max_length=2)
    agent = MonteCarloValue("LineWalk", runs=1, config=config)
    agent.function.weights[:, 6] = 10.0
    agent.update(step(5, 1.0, 6, truncated=True))
    assert agent.function.weights[0, 5] == pytest.approx(1 + 0.95 * 10)
    # max_length does the same: 2 + 0.95 * (3 + 0.95 * 10) and 3 + 0.95 * 10.
    agent.update(step(3, 2.0, 4))
    agent.update(step(4, 3.0, 6))
    np.testing.assert_allclose(agent.function.weights[0, [3, 4]], [2 + 0.95 * 12.5, 12.5])


def test_the_step_size_is_divided_by_the_number_of_tilings() -> None:
    config = MonteCarloValueConfig(approximation="tiles", tilings=4, step_size=1.0)
    agent = MonteCarloValue("LineWalk", runs=1, config=config)
    assert agent.step_size == 0.25
    agent.update(step(9, 1.0, 10, terminated=True))
    assert agent.values()[0, 9] == pytest.approx(1.0, abs=1e-3)  # the schedule has moved on by one step


@pytest.mark.parametrize("approximation", LINEAR)
def test_at_its_fixed_point_the_mean_update_is_zero(approximation: str) -> None:
    config = MonteCarloValueConfig(approximation=approximation, **COARSE)
    agent = MonteCarloValue(WALK, runs=19, config=config)
    features = agent.function.features
    fixed = least_squares_weights(features, agent.v, agent.weight)
    # One run a state, each with an episode of one step whose return is the state's value.
    state = np.arange(1, 20)
    agent.function.weights[:] = fixed
    agent.update(step(state, agent.v[state], 20, terminated=True))
    change = agent.function.weights - fixed
    np.testing.assert_allclose(agent.weight[state] @ change, 0.0, atol=1e-15)
    if approximation != "table":
        assert np.abs(change).max() > 1e-4
        other = td_fixed_point(WALK.truth.mdp, agent.policy()[0], features, agent.weight)
        assert np.abs(other - fixed).max() > 1e-3  # its own, and not that of TD


@pytest.mark.parametrize("approximation", ["aggregation", "fourier"])
def test_it_gets_near_its_fixed_point(approximation: str) -> None:
    config = MonteCarloValueConfig(approximation=approximation, step_size=0.1, step_size_half_life=500, **COARSE)
    agent = MonteCarloValue(WALK, runs=60, config=config, seed=0)
    learn(agent, 2_000)
    there = agent.function.features[1:-1] @ least_squares_weights(agent.function.features, agent.v, agent.weight)
    # 60 runs: 4 standard errors of their mean, and 0.03 for what is left of the start.
    learned = agent.values()[:, 1:-1]
    error = learned.std(axis=0, ddof=1) / 60**0.5
    assert (np.abs(learned.mean(axis=0) - there) < 4 * error + 0.03).all()


def test_a_network_learns_the_values_of_a_walk() -> None:
    walk = make_task("RandomWalk", num_states=19, max_jump=4, observation="position")
    agent = MonteCarloValue(walk, runs=8, config=MonteCarloValue.PRESETS["network"])
    before = agent.value_error().mean()
    learn(agent, 1_000)
    # About 0.6 of it is left; runs differ by 0.1 each, so the standard error of this mean is below 0.05 of 0.39.
    assert agent.value_error().mean() < 0.75 * before


@pytest.mark.parametrize("approximation", [*LINEAR, "network"])
def test_a_run_learns_the_same_whatever_the_others_are(approximation: str) -> None:
    learned = {}
    for runs in (range(3), range(7), range(2, 3)):
        config = MonteCarloValueConfig(approximation=approximation, step_size=0.05)
        agent = MonteCarloValue(WALK, runs=runs, seed=1, config=config)
        curve = train(agent, steps=200, checkpoints=2)
        learned[runs] = agent.function.weights[2 - runs.start], curve.scores[:, 2 - runs.start]
    (first, scores), *others = learned.values()
    assert first.any()
    for other, other_scores in others:
        if approximation == "network":
            np.testing.assert_allclose(first, other, atol=1e-5)
        else:
            assert np.array_equal(first, other)
            assert np.array_equal(scores, other_scores)


@pytest.mark.parametrize("approximation", ["aggregation", "network"])
def test_a_resumed_run_equals_an_unbroken_one(approximation: str, tmp_path) -> None:
    config = MonteCarloValueConfig(approximation=approximation)
    whole, part = (MonteCarloValue("LineWalk", runs=3, seed=2, config=config) for _ in range(2))
    train(whole, steps=250, checkpoints=1)
    train(part, steps=120, checkpoints=1)
    part.save(tmp_path / "agent.safetensors")
    resumed = MonteCarloValue.load(tmp_path / "agent.safetensors")
    train(resumed, steps=130, checkpoints=1)
    assert whole.function.weights.any()
    assert whole.function.weights.tobytes() == resumed.function.weights.tobytes()


def test_where_episodes_cannot_be_saved_new_ones_begin() -> None:
    agent, other = (MonteCarloValue("LineWalk") for _ in range(2))
    agent.update(step(5, 0.0, 6))
    other.restore({name: array for name, array in agent.state().items() if not name.startswith("environment.")})
    other.update(step(9, 1.0, 10, terminated=True))
    assert np.count_nonzero(other.function.weights) == 1  # the step from 5 is forgotten


def test_looking_changes_nothing() -> None:
    looked_at, left_alone = (MonteCarloValue("LineWalk", runs=3, seed=0) for _ in range(2))
    train(looked_at, steps=300, checkpoints=30)
    train(left_alone, steps=300, checkpoints=1)
    assert np.array_equal(looked_at.function.weights, left_alone.function.weights)


def test_a_world_without_a_table_is_refused() -> None:
    with pytest.raises(TypeError, match=r"MonteCarloValue needs a world with a table.* but CartPole-v1 has none"):
        MonteCarloValue("CartPole-v1")


def test_an_episode_has_a_length() -> None:
    with pytest.raises(ValueError, match="max_length must be at least 1, but is 0"):
        MonteCarloValueConfig(max_length=0)
