"""Facts about RobotGrasp that follow from its geometry and rules by hand."""

import itertools
import math

import numpy as np
import pytest
from gymnasium import spaces

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_horizon import best_finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.registry import build
from rl_envs.worlds.robot_arm import BACK, FORWARD, GRIP, HOLD, Arm
from rl_envs.worlds.robot_grasp import robot_grasp
from tests import second_method

EXACT = 1e-9
# The best way to the default object: the shoulder up, then elbow and wrist back while the shoulder goes on.
BEST = [FORWARD, HOLD, HOLD, FORWARD, BACK, BACK, GRIP, GRIP, GRIP]
GRASPING = (2, 7, 7)  # the positions that it ends in


def state_of(*numbers):
    """The state's index in joint-by-joint control with 8 positions a joint."""
    return int(np.ravel_multi_index(numbers, (8, 8, 8, 3, 2)))


def play(env, actions):
    return [env.step(action) for action in actions]


def test_states_are_the_positions_whose_turn_and_the_grip():
    env = TabularEnv("RobotGrasp")
    assert env.observation_space == spaces.MultiDiscrete([8, 8, 8, 3, 2])
    assert env.action_space == spaces.Discrete(4)
    assert env.reset(seed=0)[0].tolist() == [0, 0, 0, 0, 0]
    seen = [row[0].tolist() for row in play(env, [FORWARD, BACK, HOLD, GRIP, GRIP, HOLD])]
    assert seen == [
        [1, 0, 0, 1, 0],
        [1, 7, 0, 2, 0],  # back from 0 goes round to 7
        [1, 7, 0, 0, 0],
        [1, 7, 0, 1, 1],
        [1, 7, 0, 2, 1],
        [1, 7, 0, 0, 0],  # the wrist let go, so the hand stayed open
    ]


def test_only_turns_cost():
    env = TabularEnv("RobotGrasp")
    env.reset(seed=0)
    assert [row[1] for row in play(env, [HOLD, BACK, FORWARD, GRIP, HOLD, GRIP])] == [0.0, -0.01, -0.01, 0.0, 0.0, 0.0]


def test_a_grip_beside_the_object_costs_a_tenth_and_the_arm_goes_on():
    env = TabularEnv("RobotGrasp")
    env.reset(seed=0)
    rows = play(env, [GRIP, GRIP, GRIP])
    assert [row[1] for row in rows] == [0.0, 0.0, -0.1]
    assert rows[-1][0].tolist() == [0, 0, 0, 0, 0]
    assert not any(row[2] for row in rows)
    assert [int(row[4]["is_success"]) for row in rows] == [0, 0, 0]


def test_a_grip_that_begins_after_the_shoulder_does_not_close_the_hand():
    env = TabularEnv("RobotGrasp")
    env.reset(seed=0, options={"state": state_of(*GRASPING, 0, 0)})
    assert [row[1:3] for row in play(env, [HOLD, GRIP, GRIP])] == [(0.0, False)] * 3


def test_three_grips_across_two_sweeps_do_not_close_the_hand():
    env = TabularEnv("RobotGrasp")
    env.reset(seed=0, options={"state": state_of(*GRASPING, 1, 0)})
    assert [row[1:3] for row in play(env, [GRIP, GRIP, GRIP])] == [(0.0, False)] * 3


def test_the_best_nine_commands_grasp_the_object():
    env = TabularEnv("RobotGrasp")
    env.reset(seed=0)
    rows = play(env, BEST)
    assert [row[1] for row in rows] == [-0.01, 0.0, 0.0, -0.01, -0.01, -0.01, 0.0, 0.0, 1.0]
    assert [row[2] for row in rows] == [False] * 8 + [True]
    assert int(rows[-1][4]["is_success"]) == 1
    assert rows[-1][0].tolist() == [2, 7, 7, 0, 1]


def test_the_optimum_is_the_best_nine_commands():
    g = 0.98
    solution = solve(robot_grasp().mdp)
    assert solution.v_star[0] == pytest.approx(g**8 - 0.01 * (1 + g**3 + g**4 + g**5), abs=EXACT)
    assert round(solution.v_star[0], 8) == 0.81308821
    state, taken = 0, []
    while not robot_grasp().mdp.terminal_states[state]:
        taken.append(int(solution.policy[state]))
        state = int(robot_grasp().mdp.next_state[state, taken[-1], 0])
    assert taken == BEST


def test_no_eight_commands_grasp_the_object():
    # With a prize for success alone, eight steps from the start earn nothing and nine do.
    mdp = robot_grasp().mdp
    succeeds = (mdp.reward == 1.0).astype(float)
    for steps, chance in ((8, 0.0), (9, 1.0)):
        reached = np.zeros(mdp.num_states)
        for _ in range(steps):
            reached = (succeeds[:, :, 0] + ~mdp.terminated[:, :, 0] * reached[mdp.next_state[:, :, 0]]).max(axis=1)
        assert reached[0] == chance


def test_the_optimum_agrees_with_plain_value_iteration():
    for arguments in ({}, {"slip": 0.2}, {"control": "simultaneous"}, {"target": [0, 0], "num_angles": 4}):
        mdp = robot_grasp(**arguments).mdp
        np.testing.assert_allclose(solve(mdp).v_star, second_method.best_values(mdp, 1200), rtol=0, atol=EXACT)


def test_the_best_return_within_the_time_limit_is_1_less_four_turns():
    assert best_finite_horizon_values(robot_grasp().mdp, 200)[0] == pytest.approx(0.96, abs=EXACT)


def test_one_turn_that_slips_half_of_the_time_is_paid_twice_on_average():
    # The object is one forward turn of the wrist away, and undiscounted x = -0.01 + (1 + x) / 2 gives x = 0.98.
    target = [int(c) for c in Arm(8).fingertip[0, 0, 1]]
    reaching = [p for p in itertools.product(range(8), repeat=3) if tuple(Arm(8).fingertip[p]) == tuple(target)]
    assert reaching == [(0, 0, 1)]
    mdp = robot_grasp(target=target, slip=0.5, discount=1.0, control="simultaneous").mdp
    assert solve(mdp).v_star[0] == pytest.approx(0.98, abs=EXACT)


def test_a_slip_leaves_the_joint_where_it_is_and_costs_as_much():
    rows = robot_grasp(slip=0.25).mdp.transitions()[0]
    stayed, turned = state_of(0, 0, 0, 1, 0), state_of(1, 0, 0, 1, 0)
    assert rows[FORWARD] == [(0.75, turned, -0.01, False), (0.25, stayed, -0.01, False)]
    assert rows[HOLD] == [(1.0, stayed, 0.0, False)]
    assert rows[GRIP] == [(1.0, state_of(0, 0, 0, 1, 1), 0.0, False)]


def test_simultaneous_turns_slip_one_by_one():
    mdp = build("RobotGraspJoint", slip=0.25).mdp
    action = 16 * FORWARD + 4 * HOLD + BACK
    arrivals = {np.unravel_index(s, (8, 8, 8, 2)): p for p, s, _, _ in mdp.transitions()[0][action]}
    assert arrivals == {(1, 0, 7, 0): 0.5625, (1, 0, 0, 0): 0.1875, (0, 0, 7, 0): 0.1875, (0, 0, 0, 0): 0.0625}


def test_certain_slip_leaves_the_arm_where_it_is_for_ever():
    for control in ("joint_by_joint", "simultaneous"):
        mdp = robot_grasp(slip=1.0, control=control).mdp
        assert solve(mdp).v_star[0] == pytest.approx(0, abs=EXACT)


def test_simultaneous_control_takes_a_command_for_each_joint():
    env = TabularEnv("RobotGraspMulti")
    assert env.action_space == spaces.MultiDiscrete([4, 4, 4])
    assert env.observation_space == spaces.MultiDiscrete([8, 8, 8, 2])
    env.reset(seed=0)
    rows = play(env, [np.array(sweep) for sweep in ([FORWARD, HOLD, HOLD], [FORWARD, BACK, BACK], [GRIP, GRIP, GRIP])])
    assert [row[0].tolist() for row in rows] == [[1, 0, 0, 0], [2, 7, 7, 0], [2, 7, 7, 1]]
    assert [row[1] for row in rows] == pytest.approx([-0.01, -0.03, 1.0], abs=1e-15)
    assert [row[2] for row in rows] == [False, False, True]


def test_simultaneous_grips_beside_the_object_or_of_two_joints_do_not_end_the_episode():
    env = TabularEnv("RobotGraspMulti")
    env.reset(seed=0)
    rows = play(env, [np.array([GRIP, GRIP, GRIP]), np.array([GRIP, GRIP, HOLD])])
    assert [row[1:3] for row in rows] == [(-0.1, False), (0.0, False)]


def test_one_number_for_three_commands_counts_the_wrist_fastest():
    joint, multi = TabularEnv("RobotGraspJoint"), TabularEnv("RobotGraspMulti")
    assert joint.action_space == spaces.Discrete(64)
    assert joint.world.mdp == multi.world.mdp
    for commands in itertools.product(range(4), repeat=3):
        joint.reset(seed=0)
        multi.reset(seed=0)
        first = joint.step(16 * commands[0] + 4 * commands[1] + commands[2])
        second = multi.step(np.array(commands))
        assert first[0].tolist() == second[0].tolist()
        assert first[1:] == second[1:]


def test_simultaneous_control_needs_three_steps():
    g = 0.98
    v_star = solve(build("RobotGraspMulti").mdp).v_star
    assert v_star[0] == pytest.approx(g**2 - 0.01 * (1 + 3 * g), abs=EXACT)
    assert round(v_star[0], 8) == 0.921


def test_actions_have_names():
    assert TabularEnv("RobotGrasp").action_names == ("hold", "back", "forward", "grip")
    names = TabularEnv("RobotGraspMulti").action_names
    assert len(names) == 64
    assert names[16 * FORWARD + 4 * BACK + GRIP] == "forward, back, grip"


def test_goals_are_the_ended_states_with_the_hand_on_the_object():
    world = robot_grasp()
    goals = [np.unravel_index(s, (8, 8, 8, 3, 2)) for s in np.flatnonzero(world.goal_states)]
    arm = Arm(8)
    reaching = [p for p in itertools.product(range(8), repeat=3) if tuple(arm.fingertip[p]) == (2, 4)]
    assert goals == [(*positions, 0, 1) for positions in reaching]
    assert GRASPING in reaching


def test_every_success_arrives_in_a_goal_and_nothing_else_ends_an_episode():
    for name in ("RobotGrasp", "RobotGraspMulti"):
        world = build(name)
        mdp = world.mdp
        ends = mdp.terminated & ~mdp.terminal_states[:, None, None]
        assert (mdp.reward[ends] == 1).all()
        assert world.goal_states[mdp.next_state[ends]].all()
        assert ends.any()


def test_angles_are_sines_and_cosines_with_the_turn_and_the_grip():
    env = TabularEnv("RobotGrasp", observation="angles")
    low = np.array([-1] * 6 + [0] * 4, dtype=np.float32)
    assert env.observation_space == spaces.Box(low, np.ones(10, dtype=np.float32), dtype=np.float32)
    root = np.float32(math.sqrt(0.5))
    observation = env.reset(options={"state": state_of(2, 7, 4, 1, 1)})[0]
    np.testing.assert_array_equal(observation, np.float32([1, 0, -root, root, 0, -1, 0, 1, 0, 1]))
    observation = TabularEnv("RobotGraspMulti", observation="angles").reset(seed=0)[0]
    np.testing.assert_array_equal(observation, np.float32([0, 1, 0, 1, 0, 1, 0]))


def test_any_cell_in_reach_can_be_the_target_and_is_worth_reaching():
    arm = Arm(4)
    for cell in arm.reach:
        assert solve(robot_grasp(num_angles=4, target=cell).mdp).v_star[0] > 0


def test_keys_pressed_together_command_all_joints():
    keys = build("RobotGraspMulti").keys
    assert keys["g"] == 63
    assert keys["qsd"] == 16 * FORWARD + 4 * BACK + BACK
    assert len(keys) == 27  # 3 x 3 x 3 turns and holds, without all three holding, and the grip


def test_the_text_draws_the_arm_and_the_object():
    env = TabularEnv("RobotGrasp", render_mode="ansi")
    env.reset(seed=0)
    text = env.render()
    assert "S-----E---W-H" in text
    assert "X" in text
    assert "shoulder 0, elbow 0, wrist 0, shoulder's turn" in text
    play(env, BEST)
    assert "@" in env.render()
    assert "the hand has closed on the object" in env.render()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_angles": 1}, ValueError, "num_angles must be at least 2, but is 1"),
        ({"num_angles": 8.0}, TypeError, "num_angles must be an integer, but is 8.0"),
        (
            {"num_angles": 4, "target": [5, 5]},
            ValueError,
            r"target must be a cell that the fingertip reaches, but is \(5, 5\). In reach: \(-6, 0\), .*, \(6, 0\)$",
        ),
        ({"target": [2.0, 4]}, TypeError, r"target must be a cell \[x, y\] of two integers, but is \[2.0, 4\]"),
        ({"target": [2]}, TypeError, r"target must be a cell \[x, y\] of two integers, but is \[2\]"),
        ({"target": 3}, TypeError, r"target must be a cell \[x, y\] of two integers, but is 3"),
        ({"target": "24"}, TypeError, r"target must be a cell \[x, y\] of two integers, but is '24'"),
        ({"slip": -0.1}, ValueError, r"slip must be in \[0, 1\], but is -0.1"),
        ({"control": "simultanous"}, ValueError, "unknown control 'simultanous'. Did you mean 'simultaneous'?"),
        ({"control": None}, ValueError, "unknown control None"),
        ({"joint_action": 1}, TypeError, "joint_action must be True or False, but is 1"),
        ({"joint_action": True}, ValueError, 'joint_action must go with control="simultaneous", but control is'),
        ({"discount": 1.5}, ValueError, r"discount must be in \[0, 1\], but is 1.5"),
        ({"observation": "angle"}, ValueError, "unknown observation 'angle'. Did you mean 'angles'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        robot_grasp(**arguments)
