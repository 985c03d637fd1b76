"""Published results of value prediction, with many runs. Each prints its result, the published value and ours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.agents.monte_carlo_value import MonteCarloValue, MonteCarloValueConfig
from baselines.agents.td_value import TDValue, TDValueConfig
from baselines.training.exact_prediction import least_squares_weights, td_fixed_point, value_error
from baselines.training.task import make_task

pytestmark = pytest.mark.proofs

EPISODES = 100
RUNS = 200


def errors_by_episode(agent, steps: int) -> np.ndarray:
    """The book's error of every run after each of its first 100 episodes, [101, R].

    It is the root of the mean square over the five states, all alike, on a scale from 0 to 1: half of ours.
    """
    states, all_alike = slice(1, 6), np.full(5, 0.2)
    errors = np.full((EPISODES + 1, agent.num_runs), np.nan)
    errors[0] = value_error(agent.values()[:, states], agent.v[states], all_alike) / 2
    done = np.zeros(agent.num_runs, dtype=np.int64)
    for _ in range(steps):
        transition = agent.rollout.step(agent.act(agent.rollout.observation))
        agent.update(transition)
        ended = np.flatnonzero(transition.terminated & (done < EPISODES))
        if len(ended):
            done[ended] += 1
            now = value_error(agent.values()[ended][:, states], agent.v[states], all_alike) / 2
            errors[done[ended], ended] = now
    assert (done == EPISODES).all()
    return errors


def test_example_6_2_td_beats_constant_step_monte_carlo(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    """The walk of five states, values from 1/6 to 5/6, all predicted as 1/2 at first: an error of 0.2357."""
    walk = make_task("RandomWalk", num_states=5, max_jump=1)
    constant = {"approximation": "table", "step_size_half_life": np.inf}
    errors = {}
    for alpha in (0.05, 0.1, 0.15):
        config = TDValueConfig(step_size=alpha, **constant)
        errors["TD(0)", alpha] = errors_by_episode(TDValue(walk, runs=RUNS, seed=0, config=config), 2_000)
    for alpha in (0.01, 0.02, 0.03, 0.04):
        config = MonteCarloValueConfig(step_size=alpha, **constant)
        errors["Monte Carlo", alpha] = errors_by_episode(MonteCarloValue(walk, runs=RUNS, seed=0, config=config), 2_000)

    print("\nExample 6.2: error at first 0.2357; after 100 episodes, with standard error; mean over the 100 episodes")
    for (method, alpha), by_episode in errors.items():
        last = by_episode[-1]
        interval = last.std(ddof=1) / RUNS**0.5
        print(f"{method:12} alpha {alpha:4}: {last.mean():.4f} +- {interval:.4f}   {by_episode.mean():.4f}")

    for by_episode in errors.values():
        np.testing.assert_allclose(by_episode[0], 0.2357, atol=5e-5)
    # The comparison of the book's figure: over the 100 episodes, the worst TD is better than the best Monte Carlo. The
    # standard error of each mean over 200 runs is below 0.003.
    means = {key: by_episode.mean() for key, by_episode in errors.items()}
    best_monte_carlo = min(mean for (method, _), mean in means.items() if method == "Monte Carlo")
    worst_td = max(mean for (method, _), mean in means.items() if method == "TD(0)")
    reproduced(
        "Random walk of 5 states: error over 100 episodes, worst TDValue and best MonteCarloValue",
        published="TD is better (example 6.2)",
        ours=f"{worst_td:.4f} and {best_monte_carlo:.4f}",
        figure=figure(
            "example_6_2",
            "Random walk of five states (Sutton & Barto, example 6.2)",
            x_label="episode",
            y_label=f"RMS error over the states, mean of {RUNS} runs",
            curves={
                f"{method}, alpha = {alpha}": (np.arange(EPISODES + 1), by_episode.mean(axis=1))
                for (method, alpha), by_episode in errors.items()
            },
        ),
    )
    assert worst_td < best_monte_carlo - 0.02


def test_example_9_2_each_method_approaches_its_own_fixed_point(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    """The walk of 1,000 states in ten groups: each starts at the other's fixed point and moves to its own."""
    walk = make_task("RandomWalk")
    td = TDValue(walk, runs=RUNS, seed=0, config=TDValueConfig(step_size=0.5, step_size_half_life=2_000))
    monte_carlo = MonteCarloValue(
        walk, runs=RUNS, seed=0, config=MonteCarloValueConfig(step_size=0.1, step_size_half_life=200)
    )
    features, weight, v = td.function.features, td.weight, td.v
    ends = {
        td: td_fixed_point(walk.truth.mdp, td.policy()[0], features, weight),
        monte_carlo: least_squares_weights(features, v, weight),
    }
    apart = float(value_error(features @ ends[td], features @ ends[monte_carlo], weight))
    for agent, begin, steps in ((td, monte_carlo, 30_000), (monte_carlo, td, 15_000)):
        agent.function.weights[:] = ends[begin]
        for _ in range(steps):
            agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))

    inner = np.arange(1, 1_001)
    drawn = figure(
        "example_9_2",
        "1,000-state walk in ten groups (Sutton & Barto, example 9.2)",
        x_label="state",
        y_label=f"value, mean of {RUNS} runs",
        curves={
            "true value": (inner, v[inner]),
            **{agent.name: (inner, agent.values().mean(axis=0)[inner]) for agent in (td, monte_carlo)},
        },
        published={f"fixed point of {agent.name}": (inner, (features @ ends[agent])[inner]) for agent in ends},
    )
    for agent, begin in ((td, monte_carlo), (monte_carlo, td)):
        own, other = features @ ends[agent], features @ ends[begin]
        # Where each run is on the line between the two: 0 is its own end, 1 that of the other.
        along = ((agent.values() - own) * (other - own)) @ weight / apart**2
        mean, interval = along.mean(), along.std(ddof=1) / RUNS**0.5
        error = float(value_error(agent.values().mean(axis=0), own, weight))
        print(
            f"\nExample 9.2, {agent.name}, {RUNS} runs: from 1 (the other's fixed point) to {mean:.3f} +- "
            f"{interval:.3f} (0 is its own); mean values {error:.4f} from their own, the two are {apart:.4f} apart"
        )
        reproduced(
            f"{agent.name}, 1,000-state walk in 10 groups: place between its fixed point, 0, and the other's, 1",
            published="0 in the limit (example 9.2)",
            ours=f"{mean:.3f} [{mean - 1.96 * interval:.3f}, {mean + 1.96 * interval:.3f}]",
            figure=drawn,
        )
        # 4 standard errors, and a tenth of the way for what the falling step size has left of the start.
        assert abs(mean) < 4 * interval + 0.1
        assert mean + 4 * interval < 0.6
