"""The three-joint arm of RobotGrasp: its commands, its geometry and its drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Box, Point
from rl_envs.worlds.world import Drawing, Frame

HOLD, BACK, FORWARD, GRIP = range(4)
COMMANDS = ("hold", "back", "forward", "grip")
JOINTS = ("shoulder", "elbow", "wrist")
TURN = np.array([0, -1, 1, 0], dtype=np.int16)  # positions that each command turns a joint by
LINKS = (3.0, 2.0, 1.0)  # lengths in cells, from the shoulder outwards


@dataclass(frozen=True)
class Arm:
    """The geometry of the arm.

    Args:
        num_angles: positions of each joint, evenly spaced over the full circle.
    """

    num_angles: int

    def points(self, positions: np.ndarray) -> np.ndarray:
        """Where the shoulder, the elbow, the wrist and the fingertip are.

        Args:
            positions: of the three joints, [..., 3] int.

        Returns:
            Points [..., 4, 2], x and y in cells.
        """
        direction = np.cumsum(positions, axis=-1) * (2 * np.pi / self.num_angles)  # [..., 3] of each link
        links = np.stack([np.cos(direction), np.sin(direction)], axis=-1) * np.array(LINKS)[:, None]
        return np.concatenate([np.zeros_like(links[..., :1, :]), np.cumsum(links, axis=-2)], axis=-2)

    @cached_property
    def fingertip(self) -> np.ndarray:
        """The fingertip's cell for all positions of the joints, [n, n, n, 2] int."""
        n = self.num_angles
        tips = self.points(np.moveaxis(np.indices((n, n, n)), 0, -1))[..., 3, :]
        return _nearest(tips)

    @cached_property
    def reach(self) -> list[tuple[int, int]]:
        """All cells that the fingertip can be in, from left to right and from bottom to top."""
        return sorted({(x, y) for x, y in self.fingertip.reshape(-1, 2).tolist()})


def _nearest(numbers: np.ndarray) -> np.ndarray:
    """The nearest integers; half-way goes up, and rounding errors of sine and cosine do not decide what is half-way."""
    return np.floor(numbers + 0.5 + 1e-9).astype(np.int64)


class ArmDrawing(Drawing):
    """The arm seen from above, with its hand and the object.

    Args:
        arm: its geometry.
        target: the object's cell.
        rows: the numbers of each state, [S, 5] (positions, turn, grip), or [S, 4] (positions, closed).
    """

    shows_action_values = True

    def __init__(self, arm: Arm, target: tuple[int, int], rows: np.ndarray) -> None:
        self.arm, self.target, self.rows = arm, target, rows
        self._sizes = tuple((rows.max(axis=0) + 1).tolist())

    @property
    def size(self) -> tuple[int, int]:
        """The ground on the left, the joints on the right."""
        return 600, 400

    def text(self, frame: Frame) -> str:
        """The cells in reach as dots, the object `X`, the arm `S`, `E`, `W`, `H`; `@` is the hand over it."""
        positions = self.rows[frame.state, :3]
        points = self.arm.points(positions)
        points[3] = hand = self.arm.fingertip[tuple(positions)]
        marks = [((x, y), ".") for x, y in self.arm.reach]
        for start, end in pairwise(points):
            slope = math.atan2(*(end - start)[::-1]) % math.pi
            mark = "-/|\\"[round(slope / (math.pi / 4)) % 4]
            marks += [(start + part * (end - start), mark) for part in np.linspace(0, 1, 16)]
        marks += [(self.target, "X"), *zip(points, "SEW", strict=False)]
        marks.append((hand, "@" if tuple(hand) == self.target else "H"))

        size = int(sum(LINKS))
        lines = [[" "] * (4 * size + 1) for _ in range(2 * size + 1)]
        for (x, y), mark in marks:
            column, line = _nearest(np.array([2 * x, -y])) + (2 * size, size)
            lines[line][column] = mark
        return "\n".join(["".join(line).rstrip() for line in lines] + [self.caption(frame)])

    def caption(self, frame: Frame) -> str:
        """The joints' positions, whose turn it is and the state of the hand, in words."""
        row = self.rows[frame.state].tolist()
        words = [f"{joint} {position}" for joint, position in zip(JOINTS, row, strict=False)]
        if row[-1] == 1 and (len(row) == 4 or row[3] == 0):
            words.append("the hand has closed on the object")
        elif len(row) == 5:
            words.append(f"{JOINTS[row[3]]}'s turn")
            if row[-1]:
                words.append("gripping")
        return ", ".join(words)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The cells in reach, the object and the arm from above; beside them a dial for each joint."""
        ground = canvas.area.left_part(400)
        unit = ground.width / (2 * sum(LINKS) + 1)  # pixels a cell

        def at(x: float, y: float) -> Point:
            return ground.center[0] + x * unit, ground.center[1] - y * unit

        def cell(x: int, y: int) -> Box:
            left, bottom = at(x - 0.5, y - 0.5)
            return Box(left, bottom - unit, unit, unit)

        for x, y in self.arm.reach:
            canvas.box(cell(x, y), "floor", border="grid")
        row = self.rows[frame.state].tolist()
        tip = self.arm.fingertip[tuple(row[:3])].tolist()
        canvas.box(cell(*tip), "tint", border="grid")  # the cell that the fingertip counts as being in
        canvas.box(cell(*self.target).inset(unit * 0.16), "key", border="ink", radius=3)
        points = [at(x, y) for x, y in self.arm.points(np.array(row[:3])).tolist()]
        canvas.box(cell(0, 0).inset(unit * 0.04), "wall", radius=5)
        for link, (start, end) in enumerate(pairwise(points)):
            canvas.line(start, end, "blue", unit * (0.5 - 0.1 * link), round_ends=True)
        for joint, point in enumerate(points[:3]):
            canvas.circle(point, unit * 0.27, "agent" if joint in self._turn(frame) else "white", border="ink")
        icons.gripper(canvas, points[2], points[3], unit * 0.42, opening=0.35 if row[-1] else 1.0)
        for joint in range(3):
            panel = canvas.area.right_part(190)
            self._dial(canvas, frame, joint, panel._replace(y=panel.y + joint * 132, height=126))

    def _turn(self, frame: Frame) -> list[int]:
        """The joints that are commanded next."""
        row = self.rows[frame.state].tolist()
        return [row[3]] if len(row) == 5 else [0, 1, 2]

    def _dial(self, canvas: Canvas, frame: Frame, joint: int, box: Box) -> None:
        """A joint's positions around a circle with the current one marked, and the commands it may get now."""
        row = self.rows[frame.state].tolist()
        commanded = joint in self._turn(frame)
        canvas.box(box, "paper", border="agent" if commanded else "grid", border_width=2 if commanded else 1, radius=6)
        x, y = box.x + 44, box.y + 48
        for position in range(self.arm.num_angles):
            angle = position * 2 * math.pi / self.arm.num_angles
            place = (x + 30 * math.cos(angle), y - 30 * math.sin(angle))
            there = int(np.ravel_multi_index([*row[:joint], position, *row[joint + 1 :]], self._sizes))
            here = position == row[joint]
            radius = min(9.0, 80 / self.arm.num_angles)
            if here:
                canvas.line((x, y), place, "blue", 4)
            canvas.circle(place, radius, canvas.shade(there, "floor"), border="blue" if here else "grid")
        canvas.circle((x, y), 5, "agent" if commanded else "white", border="ink")
        canvas.text((x + 46, y - 18), JOINTS[joint], 13, align="left")
        canvas.text((x + 46, y + 2), f"position {row[joint]}", 11, "faint", align="left")
        if len(row) == 5 and commanded:
            canvas.text((x + 46, y + 20), "its turn", 11, "agent", align="left")
        if commanded:
            self._commands(canvas, frame, joint, Box(box.x + 6, box.bottom - 28, box.width - 12, 20))

    def _commands(self, canvas: Canvas, frame: Frame, joint: int, box: Box) -> None:
        """The four commands, with the overlay's value of each, and a green frame around those of its policy."""
        joints = len(self._turn(frame))
        actions = np.arange(len(COMMANDS) ** joints).reshape((len(COMMANDS),) * joints)
        for command, name in enumerate(COMMANDS):
            chip = Box(box.x + command * box.width / 4, box.y, box.width / 4 - 2, box.height)
            choices = actions.take(command, axis=0 if joints == 1 else joint).ravel().tolist()
            shade = canvas.action_shade(frame.state, choices, "floor")
            chosen = max(canvas.weight(frame.state, choice) for choice in choices)
            border, width = ("goal", 1 + 2 * chosen) if chosen >= 0.01 else ("grid", 1)
            canvas.box(chip, shade, border=border, border_width=width, radius=4)
            canvas.text(chip.center, name, 9, canvas.ink_on(shade))
