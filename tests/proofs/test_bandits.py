"""Bandits: the ten-armed testbed of Sutton & Barto (2018), chapter 2, and regret beside its bounds.

Where not said otherwise: 2,000 runs, of which run i learns problem i of the testbed's 2,000, for 1,000 steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from baselines.comparison.statistics import Interval, difference_interval, mean_interval, wilson_interval
from baselines.learning.transition import Transition
from baselines.registry import make_agent
from baselines.training.agent import Agent
from baselines.training.loop import train
from baselines.training.regret import regret_bounds, regret_curve
from baselines.training.task import make_task
from rl_envs.worlds.bandit import arms_as_actions, arms_that_loop
from rl_envs.worlds.observation import Labels
from rl_envs.worlds.world import World

pytestmark = pytest.mark.proofs

RUNS, STEPS = 2_000, 1_000

SHOWN_STEPS = np.arange(1, STEPS + 1)
OPTIMAL_ACTIONS = {"x_label": "step", "y_label": "share of runs that pull the best arm"}


def shown(interval: Interval) -> str:
    return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def pulls_of(agent: Agent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train for 1,000 steps: the arms pulled and the rewards, each [T, R], and the best arm of each run, [R]."""
    assert agent.task.world is not None
    problems = np.array(agent.runs) % agent.task.world.mdp.num_states
    best = agent.task.world.mdp.mean_reward[problems].argmax(axis=1)
    arms, rewards = np.empty((STEPS, agent.num_runs), dtype=np.int64), np.empty((STEPS, agent.num_runs))

    def note(transition: Transition, metrics: object) -> None:
        arms[agent.steps - 1], rewards[agent.steps - 1] = transition.action, transition.reward

    agent.rollout.begin_in(problems)
    train(agent, steps=STEPS, checkpoints=1, on_step=note, measure=lambda agent: np.zeros(agent.num_runs))
    return arms, rewards, best


@pytest.mark.parametrize(
    ("specification", "published"),
    [("EpsilonGreedy:epsilon=0.1", 0.8), ("EpsilonGreedy:epsilon=0.01", 0.6), ("EpsilonGreedy:epsilon=0", 1 / 3)],
    ids=["epsilon=0.1", "epsilon=0.01", "epsilon=0"],
)
def test_epsilon_greedy_pulls_the_best_arm_as_often_as_published(
    specification: str, published: float, reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    arms, _, best = pulls_of(make_agent(specification, "BanditTestbed", runs=RUNS))
    count = int((arms[-1] == best).sum())
    share = shown(wilson_interval(count, RUNS))
    label = specification.partition(":")[2].replace("=", " = ")
    drawn = figure(
        "figure_2_2",
        "Ten-armed testbed, epsilon-greedy (Sutton & Barto, figure 2.2)",
        **OPTIMAL_ACTIONS,
        curves={label: (SHOWN_STEPS, (arms == best).mean(axis=1))},
        published={label: ([STEPS], [published])},
    )
    result = f"{specification}: best arm at step 1,000"
    reproduced(result, published=f"about {published:.2f} (figure 2.2)", ours=share, figure=drawn)
    print(f"\n{specification}: the best arm at step 1,000: {share}; published: about {published:.2f}")
    # Read off a figure, to about 0.03; 2,000 runs have a standard error of 0.011 at most.
    assert abs(count / RUNS - published) < 0.05


def test_ucb_earns_more_than_epsilon_greedy_and_first_pulls_every_arm_once(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    arms, ucb, _ = pulls_of(make_agent("UCB1:exploration=2.0", "BanditTestbed", runs=RUNS))
    _, greedy, _ = pulls_of(make_agent("EpsilonGreedy:epsilon=0.1", "BanditTestbed", runs=RUNS))
    np.testing.assert_array_equal(np.sort(arms[:10], axis=0), np.tile(np.arange(10)[:, None], RUNS))
    difference = mean_interval(ucb.mean(axis=0) - greedy.mean(axis=0))  # on the same problems
    late = mean_interval(ucb[-100:].mean(axis=0) - greedy[-100:].mean(axis=0))
    result = "UCB, c = 2, minus EpsilonGreedy:epsilon=0.1: reward per step"
    drawn = figure(
        "figure_2_4",
        "Ten-armed testbed, UCB and epsilon-greedy (Sutton & Barto, figure 2.4)",
        x_label="step",
        y_label="mean reward",
        curves={
            "UCB, c = 2": (SHOWN_STEPS, ucb.mean(axis=1)),
            "epsilon-greedy, epsilon = 0.1": (SHOWN_STEPS, greedy.mean(axis=1)),
        },
    )
    reproduced(result, published="above 0 (figure 2.4)", ours=shown(difference), figure=drawn)
    print(f"\nUCB, c = 2, minus epsilon-greedy, 0.1, reward per step: {shown(difference)}, ", end="")
    print(f"in the last 100 steps {shown(late)}; published: above 0")
    assert difference.low > 0
    assert late.low > 0


def test_an_optimistic_greedy_start_beats_a_realistic_one_that_explores(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    shares, curves = {}, {}
    for specification, start in (
        ("EpsilonGreedy:epsilon=0,initial_value=5.0,step_size=0.1", "optimistic and greedy"),
        ("EpsilonGreedy:epsilon=0.1,step_size=0.1", "realistic, epsilon 0.1"),
    ):
        arms, _, best = pulls_of(make_agent(specification, "BanditTestbed", runs=RUNS))
        curves[start] = SHOWN_STEPS, (arms == best).mean(axis=1)
        shares[specification] = (arms[-100:] == best).mean(axis=0), (arms[:10] == best).mean(axis=0)
    (optimistic, at_first), (realistic, _) = shares.values()
    difference = difference_interval(optimistic, realistic)
    late = [STEPS - 99, STEPS]
    drawn = figure(
        "figure_2_3",
        "Ten-armed testbed, optimistic initial values (Sutton & Barto, figure 2.3)",
        **OPTIMAL_ACTIONS,
        curves=curves,
        published={
            "optimistic and greedy": (late, [0.85, 0.85]),
            "realistic, epsilon 0.1": ([*late, math.nan, *late], [0.75, 0.75, math.nan, 0.8, 0.8]),
        },
    )
    for start, found, published in (
        ("optimistic and greedy", optimistic, "about 0.85"),
        ("realistic, epsilon 0.1", realistic, "0.75 to 0.8"),
    ):
        result = f"EpsilonGreedy, {start}: best arm in the last 100 steps"
        reproduced(result, published=f"{published} (figure 2.3)", ours=shown(mean_interval(found)), figure=drawn)
    print(f"\nthe best arm in the last 100 steps: optimistic {shown(mean_interval(optimistic))}, ", end="")
    print(f"realistic {shown(mean_interval(realistic))}, difference {shown(difference)}; ", end="")
    print("published (figure 2.3): about 0.85 and 0.75 to 0.8")
    assert difference.low > 0
    assert abs(optimistic.mean() - 0.85) < 0.05
    assert at_first.mean() < 0.15  # it begins by trying everything


def shifted_testbed(shift: float) -> World:
    """The testbed with means around another number, as in figure 2.5."""
    means = np.random.default_rng(0).standard_normal((RUNS, 10)) + shift
    return World(
        name="ShiftedTestbed",
        mdp=arms_that_loop(means, std=1.0, discount=0.95),
        max_episode_steps=STEPS,
        observation=Labels(np.zeros(RUNS, dtype=np.int64)),
        **arms_as_actions(means),
    )


def test_a_gradient_bandit_needs_its_baseline_if_all_rewards_are_large(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    shares, curves = {}, {}
    for step_size in (0.1, 0.4):
        for baseline in (True, False):
            agent = make_agent(
                f"GradientBandit:step_size={step_size},baseline={baseline}", shifted_testbed(4.0), runs=RUNS
            )
            arms, _, best = pulls_of(agent)
            shares[step_size, baseline] = (arms[-100:] == best).mean(axis=0)
            label = f"step size {step_size}, {'with' if baseline else 'without'} baseline"
            curves[label] = SHOWN_STEPS, (arms == best).mean(axis=1)
    drawn = figure(
        "figure_2_5",
        "Ten-armed testbed with means around 4, gradient bandit (Sutton & Barto, figure 2.5)",
        **OPTIMAL_ACTIONS,
        curves=curves,
    )
    for (step_size, baseline), share in shares.items():
        kind = f"step size {step_size}, {'with' if baseline else 'without'} baseline"
        print(f"\n{kind}: the best arm in the last 100 steps {shown(mean_interval(share))}")
    for step_size in (0.1, 0.4):
        reproduced(
            f"GradientBandit, step size {step_size}, with and without baseline: best arm in the last 100 steps",
            published="far better with a baseline (figure 2.5)",
            ours=" and ".join(shown(mean_interval(shares[step_size, baseline])) for baseline in (True, False)),
            figure=drawn,
        )
    print("published (figure 2.5): far better with a baseline; with it, better with step size 0.1 than with 0.4")
    assert difference_interval(shares[0.1, True], shares[0.1, False]).low > 0.15
    assert difference_interval(shares[0.4, True], shares[0.4, False]).low > 0.15
    assert difference_interval(shares[0.1, True], shares[0.4, True]).low > 0


@pytest.mark.parametrize("probabilities", [(0.1, 0.2, 0.5, 0.1, 0.9), (0.45, 0.5), (0.2, 0.2, 0.3)])
def test_the_regret_of_ucb1_stays_below_its_finite_time_bound(
    probabilities: tuple[float, ...], reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    agent = make_agent("UCB1", make_task("BernoulliBandit", probabilities=probabilities), runs=1_000)
    curve = regret_curve(agent, steps=3_000, checkpoints=60)
    assert curve.bounds.ucb1 is not None
    room = curve.bounds.ucb1[1:] - curve.mean[1:] - 5 * curve.standard_error[1:]
    reproduced(
        f"UCB1, arms {probabilities}: regret after 3,000 pulls",
        published=f"at most {curve.bounds.ucb1[-1]:.1f} (Auer et al. 2002)",
        ours=f"{curve.mean[-1]:.1f}",
        figure=figure(
            f"ucb1_{len(probabilities)}_arms",
            f"UCB1 on Bernoulli arms {probabilities}",
            x_label="pull",
            y_label="regret",
            curves={"regret": (curve.steps, curve.mean)},
            published={"upper bound (Auer et al. 2002)": (curve.steps, curve.bounds.ucb1)},
        ),
    )
    print(f"\narms {probabilities}: regret {curve.mean[-1]:.1f} after 3,000 pulls, bound {curve.bounds.ucb1[-1]:.1f}")
    assert (room > 0).all()


def test_the_regret_of_thompson_sampling_is_near_the_lai_robbins_limit(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    agent = make_agent("Thompson:preset=Bernoulli", "BernoulliBandit", runs=1_000)
    curve = regret_curve(agent, steps=10_000, checkpoints=10)
    growth = (curve.regret[-1] - curve.regret[1]) / math.log(10)  # from 1,000 to 10,000 pulls, per unit of ln T
    constant = regret_bounds(agent.task, np.array([3])).lai_robbins
    assert constant is not None
    constant = constant[0] / math.log(3)
    interval = mean_interval(growth)
    # The limit is one of growth, so its line begins where our curve does.
    limit = curve.mean[1] + constant * np.log(curve.steps[1:] / curve.steps[1])
    reproduced(
        "Thompson, Beta prior: growth of regret per unit of ln T, T from 1,000 to 10,000",
        published=f"{constant:.3f} in the limit (Lai & Robbins 1985)",
        ours=shown(interval),
        figure=figure(
            "thompson_regret",
            "Thompson sampling on BernoulliBandit",
            x_label="pull",
            y_label="regret",
            curves={"regret": (curve.steps[1:], curve.mean[1:])},
            published={"slope of the limit (Lai & Robbins 1985)": (curve.steps[1:], limit)},
        ),
    )
    print(f"\nThompson, Beta prior: regret grows by {shown(interval)} per unit of ln T ", end="")
    print(f"from T = 1,000 to 10,000; limit {constant:.3f}")
    # The limit is for T without end, and approached from below here; the standard error over 1,000 runs is about 0.03.
    assert 0.5 * constant < interval.low
    assert interval.high < 1.5 * constant


def test_regret_of_every_agent_on_every_bandit() -> None:
    specifications = ("EpsilonGreedy", "Softmax", "UCB1", "Thompson", "Thompson:preset=Bernoulli", "GradientBandit")
    for world in ("Bandit", "BernoulliBandit", "BanditTestbed"):
        for specification in specifications:
            if "Bernoulli" in specification and world != "BernoulliBandit":
                continue
            curve = regret_curve(make_agent(specification, world, runs=RUNS))
            uniform = curve.bounds.uniform[-1]
            loss = shown(mean_interval(curve.regret[-1]))
            print(f"\n{world}: regret of {specification} {loss} after 1,000 pulls, uniform policy {uniform:.0f}")
            assert curve.mean[-1] < uniform / 5
