"""Agents with tables: every world exactly in at least 95 of 100 runs, and what they are known for."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest

from baselines.agents.double_q_learning import DoubleQLearning
from baselines.agents.q_learning import QLearning
from baselines.agents.sarsa import Sarsa
from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.comparison.statistics import Interval, difference_interval, mean_interval, share_within
from baselines.registry import make_agent
from baselines.training.loop import train
from baselines.training.task import make_task
from rl_envs.mdp.finite_mdp import Outcome, tabulate
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import StateNumber, World

pytestmark = pytest.mark.proofs

# Environment steps of each run. LineWalk, LineBalance and RandomMDP are solved in the ordinary tests.
STEPS = {
    ("QLearning", "SubtaskGrid"): 40_000,
    ("Sarsa", "SubtaskGrid"): 40_000,
    ("ExpectedSarsa", "SubtaskGrid"): 40_000,
    ("DoubleQLearning", "SubtaskGrid"): 40_000,
    ("QLearning", "FourRooms"): 200_000,
    ("Sarsa", "FourRooms"): 150_000,
    ("ExpectedSarsa", "FourRooms"): 100_000,
    ("DoubleQLearning", "FourRooms"): 250_000,
    ("QLearning", "RobotGrasp"): 80_000,
    ("Sarsa", "RobotGrasp"): 80_000,
    ("ExpectedSarsa", "RobotGrasp"): 80_000,
    ("DoubleQLearning", "RobotGrasp"): 250_000,
}

# The settings were looked for on seed 0: what they are worth is seen on another.
FRESH_SEED = 1


def shown(interval: Interval) -> str:
    return f"{interval.estimate:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


@pytest.mark.parametrize(("name", "world"), STEPS)
def test_at_least_95_of_100_runs_reach_the_optimum(name: str, world: str) -> None:
    steps = STEPS[name, world]
    agent = make_agent(f"{name}:preset={world}", world, runs=100, seed=FRESH_SEED)
    curve = train(agent, steps=steps, checkpoints=4)
    final = curve.scores[-1]
    print(
        f"\n{name} on {world}, {steps:,} steps: exact score >= 0.99 in {shown(share_within(final))} of 100 runs, ",
        end="",
    )
    print(f"worst {final.min():.4f}, {curve.seconds:.0f} s")
    assert (final >= 0.99).mean() >= 0.95


# Joints ---------------------------------------------------------------------------------------------------------------


def test_joints_that_share_their_reward_learn_to_grasp() -> None:
    together = make_agent("JointQ", "RobotGraspMulti", runs=100, seed=FRESH_SEED)
    curve = train(together, steps=480_000, checkpoints=2)
    final = curve.scores[-1]
    print(
        f"\nJointQ on RobotGraspMulti, 480,000 steps: exact score >= 0.99 in {shown(share_within(final))} of 100 runs"
    )
    assert (final >= 0.99).mean() >= 0.95


def test_joints_commanded_in_turn_learn_to_grasp_as_well_as_q_learning() -> None:
    in_turn = make_agent("JointQ:preset=RobotGrasp", "RobotGrasp", runs=50, seed=FRESH_SEED)
    flat = make_agent("QLearning:preset=RobotGrasp", "RobotGrasp", runs=50, seed=FRESH_SEED)
    scores = {agent.name: train(agent, steps=80_000, checkpoints=1).scores[-1] for agent in (in_turn, flat)}
    difference = difference_interval(*scores.values())
    print(f"\nJointQ minus QLearning on RobotGrasp, 80,000 steps: {shown(difference)}")
    for name, final in scores.items():
        print(f"{name}: exact score >= 0.99 in {shown(share_within(final))} of 50 runs")
        assert (final >= 0.99).mean() >= 0.95
    assert difference.low > -0.01
    assert difference.high < 0.01


# Cliff walking --------------------------------------------------------------------------------------------------------


def online_returns(
    cls: type[TabularAgent], config: TabularConfig, *, runs: int, episodes: int
) -> tuple[TabularAgent, np.ndarray]:
    """Train on Gymnasium's own CliffWalking until every run has had so many episodes; their returns, [R, episodes]."""
    versions = [name for name in ("CliffWalking-v1", "CliffWalking-v0") if name in gym.registry]
    agent = cls(make_task(versions[0], discount=1.0), runs=runs, config=config)
    finished: list[list[float]] = [[] for _ in range(runs)]
    total = np.zeros(runs)
    while min(map(len, finished)) < episodes:
        transition = agent.rollout.step(agent.act(agent.rollout.observation))
        agent.update(transition)
        total += transition.reward
        for run in np.flatnonzero(transition.terminated | transition.truncated):
            finished[run].append(total[run])
            total[run] = 0.0
    return agent, np.array([returns[:episodes] for returns in finished])


def test_q_learning_walks_along_the_cliff_and_sarsa_earns_more_online(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    settings = {
        "step_size": 0.5,
        "step_size_half_life": np.inf,
        "epsilon": 0.1,
        "final_epsilon": 0.1,
        "epsilon_steps": 0,
    }
    q_learning, of_q_learning = online_returns(QLearning, TabularConfig(**settings), runs=30, episodes=500)
    _, of_sarsa = online_returns(Sarsa, TabularConfig(**settings), runs=30, episodes=500)

    # The greedy policy of every run takes the shortest way: 13 steps of -1 along the edge.
    assert q_learning.task.truth is not None
    paths = q_learning.task.truth.episode_return(q_learning.policy(), horizon=100)
    np.testing.assert_allclose(paths, -13.0, rtol=1e-12)

    # Online, it falls off that edge now and then, which Sarsa keeps away from.
    later = slice(100, 500)
    ours, others = of_sarsa[:, later].mean(axis=1), of_q_learning[:, later].mean(axis=1)
    difference = difference_interval(ours, others)
    ten = np.arange(5.5, 500, 10)  # means of ten episodes each
    drawn = figure(
        "example_6_6",
        "Cliff walking, epsilon = 0.1 (Sutton & Barto, example 6.6)",
        x_label="episode",
        y_label="return per episode, mean of 30 runs and 10 episodes",
        curves={
            "Sarsa": (ten[1:], of_sarsa.mean(axis=0).reshape(-1, 10).mean(axis=1)[1:]),
            "Q-learning": (ten[1:], of_q_learning.mean(axis=0).reshape(-1, 10).mean(axis=1)[1:]),
        },
        published={"Sarsa": ([101, 500], [-25, -25]), "Q-learning": ([101, 500], [-50, -50])},
    )
    for name, found, published in (("Sarsa", ours, -25), ("QLearning", others, -50)):
        reproduced(
            f"{name}, CliffWalking: online return per episode, episodes 101 to 500",
            published=f"about {published} (example 6.6)",
            ours=shown(mean_interval(found)),
            figure=drawn,
        )
    print(
        f"\nCliffWalking, return per episode, episodes 101 to 500, 30 runs: Sarsa {shown(mean_interval(ours))}, ",
        end="",
    )
    print(f"Q-learning {shown(mean_interval(others))}, difference {shown(difference)}; ", end="")
    print("published (example 6.6): about -25 and -50")
    assert difference.low >= 15


# Maximisation bias ----------------------------------------------------------------------------------------------------

A, B, END = 0, 1, 2
LEFT, RIGHT = 0, 1
BAD_ARMS = 10


def maximisation_bias() -> World:
    """Example 6.7. From A, right ends with 0 and left leads to B, where each of ten actions ends with N(-0.1, 1)."""

    def outcomes(state: int, action: int) -> list[Outcome]:
        if state == A:
            return [Outcome(1.0, B) if action % 2 == LEFT else Outcome(1.0, END, terminated=True)]
        return [Outcome(1.0, END, reward=-0.1, terminated=True, reward_std=1.0)]

    return World(
        name="MaximisationBias",
        mdp=tabulate(outcomes, num_states=3, num_actions=BAD_ARMS, start=A, discount=1.0),
        max_episode_steps=None,
        action_names=tuple(map(str, range(BAD_ARMS))),
        observation=Index(3),
        drawing=StateNumber(3),
    )


def share_of_left(cls: type[TabularAgent], config: TabularConfig, *, runs: int, episodes: int) -> np.ndarray:
    """How many of the runs go left in each episode, [episodes]."""
    agent = cls(maximisation_bias(), runs=runs, config=config)
    # A has two actions. The others are never greedy, and exploring takes them for left or right, half of them for each.
    agent.q[..., A, 2:] = -np.inf
    went_left = np.zeros(episodes)
    episode = np.zeros(runs, dtype=np.int64)
    while episode.min() < episodes:
        observation = agent.rollout.observation
        action = agent.act(observation)
        action = np.where(observation == A, action % 2, action)
        counts = (observation == A) & (episode < episodes)
        np.add.at(went_left, episode[counts], action[counts] == LEFT)
        transition = agent.rollout.step(action)
        agent.update(transition)
        episode += transition.terminated
    return went_left / runs


def test_double_q_learning_avoids_maximisation_bias(
    reproduced: Callable[..., None], figure: Callable[..., str]
) -> None:
    settings = {
        "step_size": 0.1,
        "step_size_half_life": np.inf,
        "epsilon": 0.1,
        "final_epsilon": 0.1,
        "epsilon_steps": 0,
    }
    single = share_of_left(QLearning, TabularConfig(**settings), runs=10_000, episodes=300)
    double = share_of_left(DoubleQLearning, TabularConfig(**settings), runs=10_000, episodes=300)
    # Shares of 10,000 runs have standard errors of at most 0.005. The best that can be had is 0.05.
    around_20 = single[15:25].mean()
    episodes = np.arange(1, 301)
    drawn = figure(
        "figure_6_5",
        "Maximisation bias (Sutton & Barto, example 6.7 and figure 6.5)",
        x_label="episode",
        y_label="share of left actions from A",
        curves={"Q-learning": (episodes, single), "Double Q-learning": (episodes, double)},
        published={"Q-learning": ([20], [0.94]), "the best possible, 0.05": ([1, 300], [0.05, 0.05])},
    )
    result = "QLearning, maximisation bias: share of left actions around episode 20"
    reproduced(result, published="about 0.94 (figure 6.5)", ours=f"{around_20:.3f}", figure=drawn)
    result = "DoubleQLearning, maximisation bias: largest share of left actions"
    reproduced(result, published="never far above 0.5 (figure 6.5)", ours=f"{double.max():.3f}", figure=drawn)
    print(
        f"\nleft around episode 20: Q-learning {around_20:.3f}, Double Q-learning {double[15:25].mean():.3f}; ", end=""
    )
    print(
        f"at most, Double Q-learning: {double.max():.3f}; in the last 20 of 300: {single[-20:].mean():.3f} and ", end=""
    )
    print(f"{double[-20:].mean():.3f}; published (figure 6.5): Q-learning about 0.94, the other never far above 0.5")
    assert abs(single[0] - 0.5) < 0.025
    assert abs(around_20 - 0.94) < 0.03
    assert double.max() < 0.55
    assert double[-1] < single[-1]


def test_a_double_q_learning_that_evaluates_with_the_choosing_table_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from baselines.agents import double_q_learning
    from baselines.learning.action_values import max_over_actions

    monkeypatch.setattr(
        double_q_learning, "value_of_best_action", lambda choosing_q, valuing_q: max_over_actions(choosing_q)
    )
    settings = {
        "step_size": 0.1,
        "step_size_half_life": np.inf,
        "epsilon": 0.1,
        "final_epsilon": 0.1,
        "epsilon_steps": 0,
    }
    share = share_of_left(DoubleQLearning, TabularConfig(**settings), runs=2_000, episodes=60)
    assert share.max() > 0.6
