"""Walk along a line to the end that pays a reward.

      -5  -4  -3  -2  -1   0   1   2   3   4   5
     [end] .   .   .   .   S   .   .   .   .  [+1]

State: the position -size..size, as the index position + size; 11 states by default.
Actions: 0 left, 1 right. With probability `slip` the move is reversed.
Rewards: 1 on arriving at +size, else 0.
Start: position `start`, 0 by default.
Episode end: at either end of the line; the registered time limit is 100 steps.
Exact solution: always go right. Without slip v*(s) = discount^(size - 1 - s) at position s, so 0.95^4 = 0.81450625 at
    the start; with slip 0.1 the start is worth 0.76724608. Without slip the uniform policy is worth 130321/647210 =
    0.20135814 there, and its episodes last 25 steps on average.
Source: the gambler's ruin, Feller (1968), An Introduction to Probability Theory, vol. 1, ch. XIV.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.mdp.finite_mdp import Outcome, check_integer, check_probability, tabulate
from rl_envs.worlds.observation import Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

LEFT, RIGHT = 0, 1


def line_walk(
    *, size: int = 5, slip: float = 0.0, start: int = 0, discount: float = 0.95, observation: str = "index"
) -> World:
    """Walk along a line to its right end.

    Args:
        size: the ends of the line are -size and +size; at least 1.
        slip: probability that a move goes the other way.
        start: position of the first state, strictly between the ends.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    size = check_integer("size", size, low=1)
    start = check_integer("start", start, low=1 - size, high=size - 1)
    slip = check_probability("slip", slip)
    num_states = 2 * size + 1

    def outcomes(state: int, action: int) -> Iterator[Outcome]:
        if state in (0, num_states - 1):
            yield Outcome(1.0, state, terminated=True)
            return
        for probability, move in ((1 - slip, action), (slip, 1 - action)):
            next_state = state + (1 if move == RIGHT else -1)
            goal = next_state == num_states - 1
            yield Outcome(probability, next_state, reward=float(goal), terminated=goal or next_state == 0)

    return World(
        name="LineWalk",
        mdp=tabulate(outcomes, num_states=num_states, num_actions=2, start=start + size, discount=discount),
        max_episode_steps=100,
        action_names=("left", "right"),
        observation=choose(observation, {"index": Index(num_states)}),
        drawing=LineDrawing(size),
        goal_states=np.arange(num_states) == num_states - 1,
        keys={"a": LEFT, "d": RIGHT},
    )


class LineDrawing(Drawing):
    """A line of positions with the agent on it, the end with the reward and the one without."""

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> tuple[int, int]:
        """A line of tiles and their numbers."""
        return 616, 112

    def text(self, frame: Frame) -> str:
        """One line: the end with the reward `G`, the other `#`, and the agent."""
        cells = ["#", *"." * (2 * self._size - 1), "G"]
        cells[frame.state] = "A"
        return " ".join(cells)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The line as tiles: a flag on the end with the reward, a wall for the other, and the positions below."""
        num_states = 2 * self._size + 1
        tiles = canvas.row(num_states, top=canvas.area.y + 28, arrows=((-1, 0), (1, 0)))
        canvas.box(tiles[0].inset(1), "wall")
        icons.flag(canvas, tiles[-1])
        canvas.text((tiles[0].x, tiles[0].y - 12), "end: 0", 12, "faint", align="left")
        canvas.text((tiles[-1].right, tiles[0].y - 12), "end: +1", 12, "goal", align="right")
        for position in canvas.spaced(range(-self._size, self._size + 1), tiles[0].width):
            x = tiles[position + self._size].center[0]
            canvas.text((x, tiles[0].bottom + 12), str(position), 11, "faint")
        icons.agent(canvas, tiles[frame.state])
