"""Regret curves: from true means, one problem a run, beside the bounds."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from baselines.agents.epsilon_greedy import EpsilonGreedy, EpsilonGreedyConfig
from baselines.agents.q_learning import QLearning
from baselines.agents.random_policy import Random
from baselines.agents.ucb1 import UCB1
from baselines.registry import make_agent
from baselines.report.regret_pictures import draw_regret_curves
from baselines.training.loop import train
from baselines.training.regret import RegretMeter, arm_means, has_regret, regret_bounds, regret_curve
from baselines.training.task import make_task


def test_regret_is_the_sum_of_the_gaps_of_the_arms_pulled() -> None:
    agent = UCB1(make_task("Bandit", std=5.0), runs=30)
    curve = regret_curve(agent, steps=150, checkpoints=3)
    gaps = 1.0 - np.array([0.0, 0.2, 0.5, 0.1, 1.0])
    np.testing.assert_array_equal(curve.steps, [0, 50, 100, 150])
    np.testing.assert_allclose(curve.regret[-1], agent.pulls @ gaps, rtol=1e-12)
    np.testing.assert_array_equal(curve.regret[0], 0.0)
    assert curve.regret.shape == (4, 30)
    assert (np.diff(curve.regret, axis=0) >= 0).all()


def test_the_last_pull_of_an_episode_counts_too() -> None:
    agent = UCB1("Bandit", runs=4)
    curve = regret_curve(agent, steps=2_001, checkpoints=2_001)
    gaps = 1.0 - np.array([0.0, 0.2, 0.5, 0.1, 1.0])
    np.testing.assert_allclose(curve.regret[-1], agent.pulls @ gaps, rtol=1e-12)


def test_each_run_has_the_problem_of_its_number() -> None:
    task = make_task("BanditTestbed", num_problems=6)
    means = arm_means(task)
    agent = EpsilonGreedy(task, runs=range(2, 10), config=EpsilonGreedyConfig(epsilon=1.0))
    curve = regret_curve(agent, steps=400, checkpoints=1)
    problems = np.arange(2, 10) % 6
    gaps = means[problems].max(axis=1, keepdims=True) - means[problems]
    np.testing.assert_allclose(curve.regret[-1], (agent.pulls * gaps).sum(axis=1), rtol=1e-12)


def test_a_runs_curve_does_not_depend_on_how_many_runs_there_are() -> None:
    curves = [
        regret_curve(UCB1("BanditTestbed", runs=runs), steps=100, checkpoints=10).regret[:, 4 - runs.start]
        for runs in (range(6), range(4, 5))
    ]
    np.testing.assert_array_equal(*curves)


def test_random_play_loses_what_theory_says() -> None:
    for name in ("Bandit", "BernoulliBandit", "BanditTestbed"):
        curve = regret_curve(Random(name, runs=400), checkpoints=4)
        assert np.abs(curve.mean[-1] - curve.bounds.uniform[-1]) < 5 * curve.standard_error[-1] + 1e-9


def test_agents_that_are_not_made_for_bandits_have_regret_too() -> None:
    curve = regret_curve(QLearning("Bandit", runs=20), steps=500, checkpoints=5)
    assert 0 < curve.mean[-1] < curve.bounds.uniform[-1]


def test_an_agent_that_learns_in_several_copies_loses_in_all_of_them() -> None:
    agent = make_agent("ActorCritic:num_envs=4", "Bandit", runs=2)
    curve = regret_curve(agent, steps=40, checkpoints=1)
    assert curve.regret.shape == (2, 2)
    assert (curve.regret[-1] > 5).all()  # 40 pulls of one copy after another, which lose 0.64 each to begin with
    assert (curve.regret[-1] <= 40).all()


def test_the_optimum_loses_nothing() -> None:
    curve = regret_curve(make_agent("Optimal", "BanditTestbed", runs=50), steps=30, checkpoints=1)
    np.testing.assert_array_equal(curve.regret, 0.0)


def test_the_bounds_on_the_default_bandits() -> None:
    pulls = np.array([0, 1, 1000])
    bernoulli = regret_bounds(make_task("BernoulliBandit"), pulls)
    np.testing.assert_allclose(bernoulli.uniform, [0, 0.54, 540])
    np.testing.assert_allclose(bernoulli.lai_robbins, [0, 0, 2.206957 * math.log(1000)], rtol=1e-6)
    # 8 ln(1000) (1/.8 + 1/.7 + 1/.4 + 1/.8) + (1 + pi^2 / 3) * 2.7
    gaps = np.array([0.8, 0.7, 0.4, 0.8])
    ucb1 = 8 * math.log(1000) * (1 / gaps).sum() + (1 + math.pi**2 / 3) * gaps.sum()
    np.testing.assert_allclose(bernoulli.ucb1[-1], ucb1, rtol=1e-12)

    noisy = regret_bounds(make_task("Bandit", std=1.0), pulls)
    np.testing.assert_allclose(noisy.lai_robbins, [0, 0, 10.722222 * math.log(1000)], rtol=1e-6)
    assert noisy.ucb1 is None  # Gaussian rewards leave [0, 1]

    exact = regret_bounds(make_task("Bandit"), pulls)
    np.testing.assert_array_equal(exact.lai_robbins, 0.0)  # one pull tells all
    assert exact.ucb1 is not None

    many = regret_bounds(make_task("BanditTestbed"), pulls)
    assert many.lai_robbins is None
    assert many.ucb1 is None
    assert regret_bounds(make_task("Bandit", means=(0.0, 2.0)), pulls).ucb1 is None


def test_a_bernoulli_arm_that_always_pays_is_still_one() -> None:
    bounds = regret_bounds(make_task("BernoulliBandit", probabilities=(1.0, 0.0)), np.array([10]))
    np.testing.assert_array_equal(bounds.lai_robbins, 0.0)  # a single 0 tells it from an arm that always pays
    assert bounds.ucb1 is not None


def test_regret_is_metered_beside_the_scores_of_ordinary_training() -> None:
    agent = UCB1("Bandit", runs=6)
    meter = RegretMeter(agent)
    curve = train(agent, steps=300, checkpoints=3, on_step=meter)
    np.testing.assert_allclose(meter.total, agent.pulls @ (1.0 - np.array([0.0, 0.2, 0.5, 0.1, 1.0])), rtol=1e-12)
    np.testing.assert_allclose(curve.scores[-1], 1.0, atol=1e-9)
    with pytest.raises(TypeError, match="regret is for bandits, whose info has it, but LineWalk is none"):
        RegretMeter(QLearning("LineWalk"))


def test_bandits_have_regret_and_other_tasks_do_not() -> None:
    tasks = ("Bandit", "BernoulliBandit", "BanditTestbed", "LineWalk", "CartPole-v1")
    assert [has_regret(make_task(name)) for name in tasks] == [True, True, True, False, False]


def test_a_world_without_regret_is_refused() -> None:
    with pytest.raises(TypeError, match="regret is for bandits, whose info has it, but LineWalk is none"):
        regret_curve(QLearning("LineWalk"))
    with pytest.raises(TypeError, match="regret is for bandits, whose info has it, but CartPole-v1 is none"):
        regret_bounds(make_task("CartPole-v1"), np.array([1]))


def test_an_agent_that_has_learned_before_is_refused() -> None:
    agent = UCB1("Bandit")
    regret_curve(agent, steps=10, checkpoints=1)
    with pytest.raises(ValueError, match="regret counts from the first step, but UCB1 has learned for 10 already"):
        regret_curve(agent)


def test_a_librarys_agent_is_refused() -> None:
    with pytest.raises(TypeError, match="SB3DQN trains in its library's own loop, which measures nothing but scores"):
        regret_curve(make_agent("SB3DQN", "Bandit"), steps=10)


def test_a_single_run_has_no_standard_error() -> None:
    curve = regret_curve(UCB1("Bandit"), steps=10, checkpoints=1)
    assert np.isnan(curve.standard_error).all()


def test_curves_are_drawn_beside_their_bounds(tmp_path: Path) -> None:
    curves = {name: regret_curve(make_agent(name, "BernoulliBandit", runs=20)) for name in ("UCB1", "Softmax")}
    draw_regret_curves(curves, tmp_path / "regret.png", title="BernoulliBandit")
    assert (tmp_path / "regret.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_one_run_without_bounds_is_drawn_too(tmp_path: Path) -> None:
    curve = regret_curve(UCB1("BanditTestbed"), steps=50, checkpoints=5)
    draw_regret_curves({"UCB1": curve}, tmp_path / "regret.png")
    assert (tmp_path / "regret.png").stat().st_size > 1_000


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="curves must hold at least one, but is empty"):
        draw_regret_curves({}, tmp_path / "regret.png")


def test_the_example_prints_losses_beside_their_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[3] / "examples" / "bandit_regret.py"
    runpy.run_path(str(example), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    losses = [float(line.split(" regret ")[1].split()[0]) for line in lines[:7]]
    assert losses[-1] == 540.0
    assert max(losses[:-1]) < 100
    assert lines[7:] == [
        "The upper bound on UCB1's regret is 366.8.",
        "Lai and Robbins' asymptotic lower bound for any consistent algorithm is 15.2.",
    ]
