"""Agents with networks, and REINFORCE: every small world exactly in at least 95 of 100 runs, and CartPole.

Each proof prints its numbers with 95% intervals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.agents.actor_critic import ActorCritic
from baselines.agents.dqn import DQN
from baselines.agents.reinforce import Reinforce, ReinforceConfig
from baselines.agents.softmax_policies import TablePolicy
from baselines.comparison.statistics import mean_interval, share_within, wilson_interval
from baselines.training.agent import Agent
from baselines.training.loop import score, train
from baselines.training.task import make_task
from rl_envs.mdp.evaluation import evaluate_policy
from tests.baselines.short_corridor import BEST_PROBABILITY, BEST_VALUE, RIGHT, going_right, short_corridor

pytestmark = pytest.mark.proofs

SMALL_WORLDS = [
    (DQN, "LineWalk", {}, 4_000),
    (DQN, "RandomMDP", {}, 6_000),
    # Undiscounted, nearly every detour in RandomWalk is as good as the straight way, and so is the one that never ends.
    (DQN, "RandomWalk", {"observation": "position", "discount": 0.95}, 6_000),
    (ActorCritic, "LineWalk", {}, 4_000),
    (ActorCritic, "LineBalance", {}, 4_000),
    (Reinforce, "LineWalk", {}, 2_000),
    (Reinforce, "LineBalance", {}, 8_000),
]


@pytest.mark.parametrize(("cls", "world", "arguments", "steps"), SMALL_WORLDS)
def test_at_least_95_of_100_runs_reach_the_optimum(
    cls: type[Agent], world: str, arguments: dict[str, object], steps: int
) -> None:
    agent = cls(make_task(world, **arguments), runs=100, seed=0)
    final = train(agent, steps=steps, checkpoints=1).scores[-1]
    share = share_within(final)
    print(
        f"\n{agent.name}, {agent.task.name}, {steps:,} steps: {share.estimate:.0%} of 100 runs within 1% of the "
        f"optimum [{share.low:.0%}, {share.high:.0%}]; required: 95%"
    )
    assert (final >= 0.99).mean() >= 0.95


@pytest.mark.parametrize(("cls", "steps"), [(DQN, 40_000), (ActorCritic, 300_000)])
def test_at_least_8_of_10_runs_solve_cartpole(cls: type[Agent], steps: int) -> None:
    agent = cls("CartPole-v1", runs=10, seed=0, config=cls.PRESETS["CartPole"])
    curve = train(agent, steps=steps, checkpoints=20, episodes=20)
    # The last two checkpoints, at 95% and 100% of the steps, and a hundred fresh episodes besides.
    last = np.mean([*curve.scores[-2:], score(agent, episodes=100)], axis=0)
    solved = int((last >= 475).sum())
    share = wilson_interval(solved, 10)
    print(
        f"\n{agent.name}, CartPole-v1, {steps:,} steps: {solved} of 10 runs at 475 or more "
        f"[{share.low:.0%}, {share.high:.0%}]; mean returns {', '.join(f'{mean:.0f}' for mean in last)}; required: 8"
    )
    assert solved >= 8


def test_reinforce_finds_the_best_stochastic_policy_of_the_short_corridor(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    world = short_corridor()
    agent = Reinforce(world, runs=100, seed=0, config=ReinforceConfig(step_size=2**-11, baseline_step_size=2**-6))
    assert isinstance(agent.learner, TablePolicy)
    agent.learner.theta[:] = [0.0, -1.0]  # it begins by going right with probability 0.27
    steps, curve = np.arange(0, 60_000, 500), []
    for step in range(60_000):
        if step in steps:
            right = agent.probabilities()[:, 0, RIGHT]
            curve.append(np.mean((2 * right - 4) / (right * (1 - right))))  # the value as a function of p, section 13.1
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
    drawn = figure(
        "example_13_1",
        "REINFORCE with baseline on the short corridor (Sutton & Barto, example 13.1 and figure 13.2)",
        x_label="step",
        y_label="exact value of the policy, mean of 100 runs",
        curves={"REINFORCE with baseline": (steps, curve)},
        published={"the best stochastic policy": (steps[[0, -1]], [BEST_VALUE, BEST_VALUE])},
    )
    chance = mean_interval(probability := agent.probabilities()[:, 0, RIGHT])
    value = mean_interval(np.array([evaluate_policy(world.mdp, going_right(p))[0] for p in probability]))
    for what, found, published in (
        ("probability of going right", chance, f"{BEST_PROBABILITY:.4f}"),
        ("value of the policy", value, f"at most {BEST_VALUE:.3f}"),
    ):
        digits = 4 if found is chance else 3
        reproduced(
            f"Reinforce, short corridor: {what}",
            published=f"{published} (example 13.1)",
            ours=f"{found.estimate:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]",
            figure=drawn,
        )
    print(
        f"\nExample 13.1, Reinforce, 100 runs: right with probability {chance.estimate:.4f} "
        f"[{chance.low:.4f}, {chance.high:.4f}], published {BEST_PROBABILITY:.4f}; worth {value.estimate:.3f} "
        f"[{value.low:.3f}, {value.high:.3f}], published {BEST_VALUE:.3f} at best"
    )
    # The step size keeps each run moving to and fro about the optimum; the mean of 100 runs, of standard error 0.0045,
    # is allowed 0.02, and its value what that and the motion cost.
    assert abs(chance.estimate - BEST_PROBABILITY) < 0.02
    assert BEST_VALUE - 0.2 < value.estimate < BEST_VALUE
