"""The 1,000-state random walk, for value prediction with function approximation.

      0    1    2          ...  500  ...         999   1000  1001
    [-1]   .    .    .    .    . S .    .    .    .     .   [+1]
                             <- 1..100 | 1..100 ->

State: the textbook's number 1..num_states as the index, with the left end at 0 and the right end at num_states + 1;
    1,002 states by default.
Actions: 0 jumps left and 1 jumps right, by 1..max_jump states with equal probability. A jump past an end arrives at
    that end. The uniform policy is the textbook's walk.
Rewards: -1 on arriving at the left end, +1 at the right end, else 0.
Start: the state in the middle, (num_states + 1) // 2; 500 by default.
Episode end: at either end; there is no time limit.
Exact solution: always jumping right is worth 1. Under the uniform policy v(1) = -0.92196046 and v(500) = -0.00094350,
    and an episode lasts 83.152449 steps on average. With max_jump = 1 that policy's v(s) = 2 s / (num_states + 1) - 1:
    the walk of 5 states is worth 1/6, ..., 5/6 scaled to -1..1, and the walk of 19 states -0.9, -0.8, ..., 0.9.
Source: Sutton & Barto (2018), Example 9.1; with max_jump = 1 Example 6.2 (5 states) and Example 7.1 (19 states).
"""

from __future__ import annotations

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Box
from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer, start_distribution
from rl_envs.worlds.observation import Features, Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

LEFT, RIGHT = 0, 1

# How many characters wide the text drawing is at most.
TEXT_WIDTH = 61


def random_walk(
    *, num_states: int = 1000, max_jump: int = 100, discount: float = 1.0, observation: str = "index"
) -> World:
    """Jump left or right until an end is reached.

    Args:
        num_states: states between the two ends, at least 1.
        max_jump: the longest jump, in states, at least 1.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete), "position" (Box, one number from -1 at the left end to 1 at the right end) or
            "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    num_states = check_integer("num_states", num_states, low=1)
    max_jump = check_integer("max_jump", max_jump, low=1)
    offered = {
        "index": Index(num_states + 2),
        "position": Features(np.linspace(-1.0, 1.0, num_states + 2)[:, None]),
    }
    return World(
        name="RandomWalk",
        mdp=_table(num_states, max_jump, discount),
        max_episode_steps=None,
        action_names=("left", "right"),
        observation=choose(observation, offered),
        drawing=WalkDrawing(num_states + 2, max_jump),
        keys={"a": LEFT, "d": RIGHT},
    )


def _table(num_states: int, max_jump: int, discount: float) -> FiniteMDP:
    """The dynamics as whole arrays: outcome k of a pair is the jump over k + 1 states."""
    right_end = num_states + 1
    state = np.arange(num_states + 2)
    to_end = np.stack([state, right_end - state], axis=1)[:, :, None]  # [S, 2, 1] distance to the end jumped towards
    jump = np.arange(1, min(max_jump, num_states) + 1)  # from any state the ends are within num_states

    # Arriving at the end also collects the probabilities of all longer jumps, which remain as padding.
    longer = np.where(jump == to_end, max_jump - to_end, 0)  # [S, 2, K]
    probability = np.where(jump <= to_end, (1 + longer) / max_jump, 0.0)
    direction = np.array([-1, 1])[:, None]
    next_state = np.clip(state[:, None, None] + direction * jump, 0, right_end)
    terminated = (next_state == 0) | (next_state == right_end)
    reward = np.where(next_state == right_end, 1.0, np.where(next_state == 0, -1.0, 0.0))

    ends = [0, right_end]
    probability[ends] = jump == 1
    next_state[ends] = np.array(ends)[:, None, None]
    terminated[ends], reward[ends] = True, 0.0
    return FiniteMDP(
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        start=start_distribution((num_states + 1) // 2, num_states + 2),
        discount=discount,
    )


class WalkDrawing(Drawing):
    """A line with the agent where it is between the ends, and how far a jump goes from there.

    Args:
        num_states: with the two ends.
        max_jump: the longest jump, in states.
    """

    def __init__(self, num_states: int, max_jump: int) -> None:
        self._num_states = num_states
        self._max_jump = max_jump

    @property
    def size(self) -> tuple[int, int]:
        """A line and its numbers."""
        return 680, 128

    def text(self, frame: Frame) -> str:
        """One line: the ends `-` and `+`, the agent, and the state's number; many states may share a character."""
        width = min(self._num_states, TEXT_WIDTH)
        cells = ["-", *"." * (width - 2), "+"]
        cells[round(frame.state * (width - 1) / (self._num_states - 1))] = "A"
        return f"{''.join(cells)}  {frame.state}"

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The line between its ends, and above it a bracket over the states that one jump can reach."""
        last = self._num_states - 1
        tiles = canvas.row(self._num_states, top=canvas.area.y + 52, arrows=((-1, 0), (1, 0)))
        for end, label, colour in ((tiles[0], "-1", "bad"), (tiles[-1], "+1", "goal")):
            canvas.box(Box(end.center[0] - max(8, end.width / 2), end.y, max(16, end.width), end.height), colour)
            canvas.text(end.center, label, 12, "white")
        for state in canvas.spaced(range(1, last), tiles[0].width, room=50):
            x = tiles[state].center[0]
            canvas.line((x, tiles[0].bottom), (x, tiles[0].bottom + 5), "faint", 1)
            canvas.text((x, tiles[0].bottom + 14), str(state), 11, "faint")
        x, y = tiles[frame.state].center
        if 0 < frame.state < last:
            near, far = (tiles[min(max(frame.state + jump, 0), last)] for jump in (-self._max_jump, self._max_jump))
            for start, tip in ((x - 12, near.center[0]), (x + 12, far.center[0])):
                canvas.arrow((start, y - 34), (tip, y - 34), "sky", 2)
        canvas.line((x, y - 26), (x, y + tiles[0].height / 2), "agent", 2)
        icons.agent(canvas, Box(x - 15, y - 49, 30, 30), size=0.8)
