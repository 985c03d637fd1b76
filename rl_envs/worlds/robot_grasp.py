"""A three-joint arm grasps an object on the ground.

    Seen from above:

      y                        S shoulder, fixed in cell (0, 0)
      4      X                 E elbow, 3 cells from it
      3                        W wrist, 2 cells further
      2          W - H         H hand, 1 cell further
      1        /               X the object, by default in cell (2, 4)
      0  S - - - E
         0   2   4   6   x

State: five numbers: the positions 0..num_angles-1 of shoulder, elbow and wrist, whose turn it is (0 shoulder, 1 elbow,
    2 wrist), and the grip flag. A position is an angle relative to the direction of the previous link. The grip flag is
    1 if every joint commanded so far in this sweep chose grip, and 0 before the first command. By default there are 8 x
    8 x 8 x 3 x 2 = 3,072 states. With `control="simultaneous"`: the positions, and whether the hand has closed on the
    object; 1,024 states.
Actions: a command to the joint whose turn it is, shoulder first, wrist last: 0 hold, 1 turn one position back, 2 turn
    one position forward, 3 grip. Joints turn all the way round. With probability `slip` a turn does not happen. When
    all three joints chose grip in one sweep, the hand closes. With `control="simultaneous"`: a command to each joint at
    once.
Rewards: 1 when the hand closes with the fingertip in the object's cell, -0.1 when it closes elsewhere (it opens again);
    -0.01 for each turn commanded, whether or not it happens.
Start: every joint at position 0, the arm straight along x; the shoulder's turn.
Episode end: when the hand closes on the object; the registered time limit is 200 steps.
Exact solution: by default the optimal policy takes 9 steps, three sweeps: forward, hold, hold; forward, back, back;
    grip, grip, grip. With g = 0.98 they are worth g^8 - 0.01 (1 + g^3 + g^4 + g^5) = 0.81308821. With simultaneous
    control it takes 3 steps, worth g^2 - 0.01 (1 + 3 g) = 0.921.
Source: forward kinematics of a planar arm, as in Craig (2005), Introduction to Robotics, chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer, check_probability, start_distribution
from rl_envs.names import unknown
from rl_envs.worlds.observation import Features, Index, choose
from rl_envs.worlds.robot_arm import BACK, COMMANDS, FORWARD, GRIP, HOLD, JOINTS, TURN, Arm, ArmDrawing
from rl_envs.worlds.world import World

CONTROLS = ("joint_by_joint", "simultaneous")
CAUGHT, MISSED, TURN_COST = 1.0, -0.1, 0.01


def robot_grasp(
    *,
    num_angles: int = 8,
    target: Sequence[int] = (2, 4),
    slip: float = 0.0,
    control: str = "joint_by_joint",
    joint_action: bool = False,
    discount: float = 0.98,
    observation: str = "joints",
) -> World:
    """Grasp an object with a three-joint arm.

    Args:
        num_angles: positions of each joint, evenly spaced over the full circle, at least 2.
        target: the object's cell [x, y]; the fingertip must be able to reach it.
        slip: probability that a joint commanded to turn stays where it is.
        control: "joint_by_joint" (a step commands one joint, action Discrete(4)) or "simultaneous" (a step commands all
            three, action MultiDiscrete([4, 4, 4])).
        joint_action: with simultaneous control, whether the three commands form one number, Discrete(64):
            16 x shoulder + 4 x elbow + wrist.
        discount: gamma, in [0, 1].
        observation: "joints" (MultiDiscrete: the state as above), "angles" (Box: sine and cosine of each joint's angle,
            then whose turn it is and the grip as zeros and ones), "index" (Discrete) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which. For a target out of reach, it
            lists all cells within reach.
        TypeError: an argument of the wrong type.
    """
    arm = Arm(check_integer("num_angles", num_angles, low=2))
    slip = check_probability("slip", slip)
    target = _check_target(target, arm)
    on_target = (arm.fingertip == target).all(axis=-1)  # [n, n, n]
    if control not in CONTROLS:
        raise ValueError(unknown("control", control, CONTROLS))
    if not isinstance(joint_action, bool):
        raise TypeError(f"joint_action must be True or False, but is {joint_action!r}")
    simultaneous = control == "simultaneous"
    if joint_action and not simultaneous:
        raise ValueError(f'joint_action must go with control="simultaneous", but control is {control!r}')

    sizes, tables = (_simultaneous if simultaneous else _joint_by_joint)(arm, on_target, slip)
    mdp = FiniteMDP(**tables, start=start_distribution(0, math.prod(sizes)), discount=discount)
    rows = np.stack(np.unravel_index(np.arange(mdp.num_states), sizes), axis=1)  # [S, 5], simultaneous [S, 4]
    offered = {
        "joints": Features(rows, sizes=sizes),
        "angles": _angles_observation(rows, arm),
        "index": Index(mdp.num_states),
    }
    choices = list(product(range(len(COMMANDS)), repeat=3 if simultaneous else 1))
    return World(
        name=f"RobotGrasp{'' if not simultaneous else 'Joint' if joint_action else 'Multi'}",
        mdp=mdp,
        max_episode_steps=200,
        action_names=tuple(", ".join(COMMANDS[command] for command in choice) for choice in choices),
        observation=choose(observation, offered),
        drawing=ArmDrawing(arm, target, rows),
        simultaneous=(4, 4, 4) if simultaneous and not joint_action else (),
        goal_states=on_target[tuple(rows[:, :3].T)] & mdp.terminal_states,
        keys=_chords() if simultaneous else {"s": HOLD, "a": BACK, "d": FORWARD, "g": GRIP},
    )


Tables = dict[str, np.ndarray]


def _joint_by_joint(arm: Arm, on_target: np.ndarray, slip: float) -> tuple[tuple[int, ...], Tables]:
    """How many values each number of the state has, and the dynamics, one command a step."""
    n = arm.num_angles
    sizes = (n, n, n, len(JOINTS), 2)
    # Every entry of the table at once: axes are the state's numbers, then the command, then whether a turn slips.
    indices = np.indices((*sizes, 4, 2 if slip > 0 else 1), dtype=np.int16)
    positions, (turn, gripping, command, slips) = indices[:3], indices[3:]
    turns = np.stack([np.where(turn == joint, TURN[command], 0) for joint in range(len(JOINTS))])

    grips = (command == GRIP) & ((turn == 0) | (gripping == 1))
    last = turn == len(JOINTS) - 1
    closes = grips & last
    caught = closes & on_target[tuple(positions)]
    moved = (positions + turns * (1 - slips)) % n
    next_state = np.ravel_multi_index((*moved, np.where(last, 0, turn + 1), np.where(last, caught, grips)), sizes)
    chance = _chance(TURN[command][None], slips[None], slip)
    ended = (turn == 0) & (gripping == 1)
    return sizes, _tables((math.prod(sizes), 4, -1), ended, chance, next_state, turns, closes, caught)


def _simultaneous(arm: Arm, on_target: np.ndarray, slip: float) -> tuple[tuple[int, ...], Tables]:
    """How many values each number of the state has, and the dynamics, three commands a step."""
    n = arm.num_angles
    sizes = (n, n, n, 2)
    # Every entry of the table at once: axes are the state's numbers, then the commands, then which turns slip.
    slipping = (2, 2, 2) if slip > 0 else (1, 1, 1)
    indices = np.indices((*sizes, 4, 4, 4, *slipping), dtype=np.int16)
    positions, closed, commands, slips = indices[:3], indices[3], indices[4:7], indices[7:]
    turns = TURN[commands]

    closes = (commands == GRIP).all(axis=0)
    caught = closes & on_target[tuple(positions)]
    moved = (positions + turns * (1 - slips)) % n
    next_state = np.ravel_multi_index((*moved, caught.astype(np.int64)), sizes)
    chance = _chance(turns, slips, slip)
    return sizes, _tables((math.prod(sizes), 4**3, -1), closed == 1, chance, next_state, turns, closes, caught)


def _chance(turns: np.ndarray, slips: np.ndarray, slip: float) -> np.ndarray:
    """The probability that exactly these joints slip; a joint that was not commanded to turn never does."""
    moving = np.where(slips == 1, slip, 1 - slip)
    return np.where(turns != 0, moving, slips == 0).prod(axis=0)


def _tables(
    shape: tuple[int, int, int],
    ended: np.ndarray,
    chance: np.ndarray,
    next_state: np.ndarray,
    turns: np.ndarray,
    closes: np.ndarray,
    caught: np.ndarray,
) -> Tables:
    """The table's arrays [S, A, K], with every terminal state leading to itself."""
    paid = np.where(caught, CAUGHT, np.where(closes, MISSED, 0.0)) - TURN_COST * (turns != 0).sum(axis=0)
    tables = {
        "probability": chance.astype(np.float64).reshape(shape),
        "next_state": next_state.reshape(shape),
        "reward": paid.reshape(shape),
        "terminated": caught.reshape(shape),
    }
    over = np.flatnonzero(ended.reshape(shape)[:, 0, 0])
    tables["probability"][over] = np.arange(tables["probability"].shape[2]) == 0
    tables["next_state"][over] = over[:, None, None]
    tables["reward"][over] = 0.0
    tables["terminated"][over] = True
    return tables


def _angles_observation(rows: np.ndarray, arm: Arm) -> Features:
    """Sine and cosine of each joint's angle, then whose turn it is as zeros and a one, then the last flag."""
    angles = rows[:, :3] * (2 * np.pi / arm.num_angles)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(rows), 6)
    turn = np.eye(len(JOINTS))[rows[:, 3]] if rows.shape[1] == 5 else np.empty((len(rows), 0))
    # Rounded, because sin(pi) = 1e-16 would be shown as a separate feature value.
    features = np.concatenate([waves.round(12), turn, rows[:, -1:]], axis=1)
    low = np.zeros(features.shape[1])
    low[:6] = -1.0
    return Features(features, low=low, high=1.0)


def _check_target(target: Sequence[int], arm: Arm) -> tuple[int, int]:
    """The object's cell; raises TypeError or ValueError unless it is a cell that the fingertip reaches."""
    pair = tuple(target) if isinstance(target, (list, tuple, np.ndarray)) else ()
    if len(pair) != 2 or not all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) for c in pair):
        raise TypeError(f"target must be a cell [x, y] of two integers, but is {target!r}")
    cell = (int(pair[0]), int(pair[1]))
    if cell not in arm.reach:
        cells = ", ".join(map(str, arm.reach))
        raise ValueError(f"target must be a cell that the fingertip reaches, but is {cell}. In reach: {cells}")
    return cell


def _chords() -> dict[str, int]:
    """Keys pressed together that command all three joints: one pair of keys a joint, and one key to grip with all."""
    back, forward = "asd", "qwe"
    chords: dict[str, tuple[int, ...]] = {"g": (GRIP, GRIP, GRIP)}
    for choice in product((HOLD, BACK, FORWARD), repeat=len(JOINTS)):
        keys = [{BACK: back, FORWARD: forward}[command][joint] for joint, command in enumerate(choice) if command]
        if keys:
            chords["".join(keys)] = choice
    return {keys: int(np.ravel_multi_index(choice, (4, 4, 4))) for keys, choice in chords.items()}
