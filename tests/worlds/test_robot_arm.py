"""The arm of RobotGrasp: its geometry, with points derived by hand."""

import itertools
import math

import numpy as np
import pytest

from rl_envs.worlds.robot_arm import Arm

GRASPING = (2, 7, 7)  # the positions in which the default object is grasped


@pytest.mark.parametrize(
    ("positions", "tip"),
    [
        ((0, 0, 0), (6, 0)),  # straight along x: 3 + 2 + 1
        ((2, 0, 0), (0, 6)),  # two positions are a right angle
        ((4, 0, 0), (-6, 0)),
        ((0, 2, 0), (3, 3)),  # 3 along x, then 2 + 1 along y
        ((0, 2, 2), (2, 2)),  # 3 along x, 2 along y, 1 back along x
        ((0, 4, 0), (0, 0)),  # 3 out, 2 + 1 back onto the shoulder
        ((2, 6, 6), (2, 2)),  # 3 up, 2 along x, 1 down
    ],
)
def test_right_angles_put_the_fingertip_on_whole_cells(positions, tip):
    arm = Arm(8)
    np.testing.assert_allclose(arm.points(np.array(positions))[3], tip, atol=1e-12)
    assert tuple(arm.fingertip[positions]) == tip


def test_the_default_object_is_where_three_up_two_slanting_and_one_along_lead():
    # (0, 3), then 2 at 45 degrees, then 1 along x: (1 + sqrt 2, 3 + sqrt 2) = (2.41, 4.41), in cell (2, 4).
    arm = Arm(8)
    np.testing.assert_allclose(arm.points(np.array(GRASPING))[3], [1 + math.sqrt(2), 3 + math.sqrt(2)], atol=1e-12)
    assert tuple(arm.fingertip[GRASPING]) == (2, 4)


def test_the_arm_is_three_links_of_3_2_and_1_cells_from_the_shoulder():
    for positions in itertools.product(range(0, 8, 3), repeat=3):
        points = Arm(8).points(np.array(positions))
        assert points[0].tolist() == [0, 0]
        np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), [3, 2, 1], atol=1e-12)


def test_half_way_between_cells_goes_up():
    # With six positions (60 degrees) the shoulder at 1 puts the elbow at x = 1.5, the whole arm at x = 3: exact halves.
    assert tuple(Arm(6).fingertip[1, 0, 1]) == (2, 5)  # 1.5 + 1 - 0.5 = 2, (3 + 2 + 1) sqrt(3)/2 = 5.196
    assert tuple(Arm(6).fingertip[1, 5, 0]) == (5, 3)  # 1.5 + 3 = 4.5 goes to 5, 3 sqrt(3)/2 = 2.598
    assert tuple(Arm(6).fingertip[2, 1, 0]) == (-4, 3)  # -1.5 - 3 = -4.5 goes to -4
