"""JointQ: joints that forgive each other find the best command together, where independent learners do not."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from baselines.agents.joint_q import UNDECIDED, JointQ, JointQConfig
from baselines.learning.transition import Transition
from baselines.training.loop import evaluate, score, train
from baselines.training.task import make_task
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import StateNumber, World

# The climbing game as a world for two joints: both 0 pays 11, but 0 alone is punished (Claus & Boutilier 1998).
CLIMBING = np.array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]])
# Two best combinations that must not be mixed.
MIXED = np.array([[10.0, -100.0], [-100.0, 10.0]])


def game(payoffs: np.ndarray) -> World:
    """One state, in which two joints command at once and are paid together; episodes last one step."""
    shape = (1, payoffs.size, 1)
    return World(
        name="Game",
        mdp=FiniteMDP(
            probability=np.ones(shape),
            next_state=np.zeros(shape, dtype=np.int64),
            reward=payoffs.reshape(shape),
            terminated=np.ones(shape, dtype=np.bool_),
            start=np.ones(1),
            discount=0.9,
        ),
        max_episode_steps=None,
        action_names=tuple(map(str, range(payoffs.size))),
        observation=Index(1),
        drawing=StateNumber(1),
        simultaneous=payoffs.shape,
    )


def play(agent: JointQ, steps: int) -> None:
    for _ in range(steps):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))


def explorer(**settings: object) -> JointQConfig:
    return JointQConfig(epsilon=1.0, final_epsilon=1.0, initial_value=-200.0, **settings)


def test_every_pair_finds_the_top_of_the_climbing_game() -> None:
    agent = JointQ(game(CLIMBING), runs=50, config=explorer())
    play(agent, 200)
    # Each joint's value of a command is the best that can come of it: the maximum of the row, or of the column.
    np.testing.assert_array_equal(agent.q[:, 0, 0], np.tile(CLIMBING.max(axis=1), (50, 1)))
    np.testing.assert_array_equal(agent.q[:, 1, 0], np.tile(CLIMBING.max(axis=0), (50, 1)))
    np.testing.assert_array_equal(agent.act(np.zeros(50, dtype=np.int64), greedy=True), np.zeros((50, 2)))


def test_independent_learners_do_not() -> None:
    # Under uniform play, command 0 is worth (11 - 30 + 0) / 3 < 0 to a joint that blames itself for everything.
    agent = JointQ(game(CLIMBING), runs=50, config=explorer(falling_step_size=1.0, step_size=0.05))
    play(agent, 2_000)
    commands = agent.act(np.zeros(50, dtype=np.int64), greedy=True)
    assert (commands == 0).all(axis=1).mean() < 0.1


def test_two_best_combinations_are_not_mixed() -> None:
    agent = JointQ(game(MIXED), runs=200, config=explorer())
    play(agent, 100)
    # Values alone cannot tell: each joint thinks both commands are worth 10.
    np.testing.assert_array_equal(agent.q, 10.0)
    commands = agent.act(np.zeros(200, dtype=np.int64), greedy=True)
    np.testing.assert_array_equal(commands[:, 0], commands[:, 1])
    assert 0 < commands[:, 0].mean() < 1  # either combination, in different runs
    np.testing.assert_allclose(agent.policy()[:, 0].max(axis=1), 1.0)
    np.testing.assert_array_equal(agent.policy()[:, 0].argmax(axis=1), 3 * commands[:, 0])


def test_undecided_joints_choose_at_random_and_apart() -> None:
    agent = JointQ(game(MIXED), runs=2_000, config=explorer())
    np.testing.assert_allclose(agent.policy(), 0.25)
    commands = agent.act(np.zeros(2_000, dtype=np.int64), greedy=True)
    # 2,000 draws of a pair have standard error 0.01.
    np.testing.assert_allclose(np.bincount(commands @ [2, 1], minlength=4) / 2_000, 0.25, atol=0.05)


def test_a_decision_that_is_best_no_more_is_dropped() -> None:
    config = JointQConfig(step_size=1.0, falling_step_size=1.0)
    agent = JointQ(game(np.zeros((2, 2))), config=config)

    def paid(commands: list[int], reward: float) -> None:
        end = np.array([True])
        agent.update(
            Transition(
                np.zeros(1, dtype=np.int64), np.array([commands]), np.array([reward]), np.zeros(1, int), end, ~end
            )
        )

    paid([1, 0], 2.0)
    assert agent.decided[0, :, 0].tolist() == [1, 0]
    paid([1, 0], -1.0)
    assert agent.decided[0, :, 0].tolist() == [UNDECIDED, UNDECIDED]


def test_the_policy_is_over_the_tables_actions_with_the_last_joint_running_fastest() -> None:
    agent = JointQ(make_task("RobotGraspMulti", num_angles=4, target=(2, 2)), runs=2)
    assert agent.q.shape == (2, 3, 128, 4)
    agent.decided[:] = np.array([1, 3, 2])[:, None]
    policy = agent.policy()
    assert policy.shape == (2, 128, 64)
    np.testing.assert_array_equal(policy.argmax(axis=-1), 16 * 1 + 4 * 3 + 2)
    np.testing.assert_array_equal(agent.act(np.zeros((2, 4), dtype=np.int64), greedy=True), [[1, 3, 2]] * 2)


def test_values_never_fall_and_never_exceed_the_best_that_can_be_had() -> None:
    task = make_task("RobotGraspMulti", num_angles=4, target=(2, 2))
    agent = JointQ(task, runs=10)
    by_joint = task.truth.q_star.reshape(-1, 4, 4, 4)
    ceilings = [by_joint.max(axis=axes) for axes in ((2, 3), (1, 3), (1, 2))]
    before = agent.q.copy()
    for _ in range(5):
        play(agent, 400)
        assert (agent.q >= before).all()
        before = agent.q.copy()
        for joint, ceiling in enumerate(ceilings):
            assert (agent.q[:, joint] <= np.maximum(ceiling, 0.0) + 1e-12).all()


def test_three_joints_grasp_together() -> None:
    agent = JointQ(make_task("RobotGraspMulti", num_angles=4, target=(2, 2)), runs=100)
    final = train(agent, steps=10_000, checkpoints=1).scores[-1]
    assert (final >= 0.99).mean() >= 0.95


def test_a_sampled_episode_earns_what_the_exact_score_says() -> None:
    task = make_task("RobotGraspMulti", num_angles=4, target=(2, 2))
    agent = JointQ(task, runs=10)
    train(agent, steps=4_000, checkpoints=1)
    perfect = score(agent) >= 1 - 1e-9
    assert perfect.any()
    np.testing.assert_allclose(evaluate(agent, episodes=1)[perfect, 0], task.truth.optimal_episode_return(), rtol=1e-9)


def test_with_one_command_at_a_time_it_is_q_learning() -> None:
    # Nobody to forgive: values fall as they rise.
    agent = JointQ("LineBalance", config=JointQConfig(step_size=0.5))
    end = np.array([True])
    agent.update(Transition(np.array([9]), np.array([2]), np.array([-5.0]), np.array([10]), end, ~end))
    assert agent.q[0, 0, 9, 2] == -2.5


def test_joints_with_different_numbers_of_commands_are_refused() -> None:
    with pytest.raises(TypeError, match=r"every joint of Game must have as many commands, but they have \[2, 3\]"):
        JointQ(game(np.zeros((2, 3))))


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"falling_step_size must be in \[0, 1\], but is 1.5"):
        JointQConfig(falling_step_size=1.5)


def test_the_simultaneous_world_has_the_actions_that_the_tests_are_about() -> None:
    assert make_task("RobotGraspMulti").action_space == spaces.MultiDiscrete([4, 4, 4])
