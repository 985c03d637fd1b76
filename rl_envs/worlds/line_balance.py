"""Stay near the middle of a line.

      -5  -4  -3  -2  -1   0   1   2   3   4   5
     [end] .   .   .   .   S   .   .   .   .  [end]
      -5  -4  -3  -2  -1   0  -1  -2  -3  -4  -5   reward on arriving

State: the position -size..size, as the index position + size; 11 states by default.
Actions: 0 left, 1 stay, 2 right: the position changes by -1, 0 or +1.
Rewards: -|position after the move|: each step costs the distance from the middle, and leaving the line costs `size`.
Start: position `start`, 0 by default; `start="uniform"` draws one of the positions between the ends.
Episode end: at either end of the line; the registered time limit is 20 steps.
Exact solution: v*(0) = 0 by staying there. At |position| = 4, walking off the end is worth -5 and walking back
    -3 - 2 discount - discount^2. Walking off is better if and only if discount > sqrt(3) - 1, about 0.732. At 0.95
    walking back is worth -5.8025, so v* is 0, 0, -1, -2.95, -5 at |position| 0, 1, 2, 3, 4. The uniform
    policy's mean return within 20 steps of position 0 is -96752106370/3486784401 = -27.748233.
Source: the regulator of optimal control, on a finite line and with absolute costs (Bertsekas, Dynamic Programming and
    Optimal Control, vol. 1).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Box
from rl_envs.mdp.finite_mdp import Outcome, check_integer, tabulate
from rl_envs.worlds.observation import Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

LEFT, STAY, RIGHT = 0, 1, 2


def line_balance(*, size: int = 5, start: int | str = 0, discount: float = 0.95, observation: str = "index") -> World:
    """Stay as close as possible to the middle of a line.

    Args:
        size: the ends of the line are -size and +size; at least 1.
        start: position of the first state, strictly between the ends, or "uniform" for any of those positions.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    size = check_integer("size", size, low=1)
    num_states = 2 * size + 1

    def outcomes(state: int, action: int) -> Iterator[Outcome]:
        if state in (0, num_states - 1):
            yield Outcome(1.0, state, terminated=True)
            return
        next_state = state + action - STAY
        yield Outcome(1.0, next_state, reward=-abs(next_state - size), terminated=next_state in (0, num_states - 1))

    return World(
        name="LineBalance",
        mdp=tabulate(outcomes, num_states=num_states, num_actions=3, start=_start(start, size), discount=discount),
        max_episode_steps=20,
        action_names=("left", "stay", "right"),
        observation=choose(observation, {"index": Index(num_states)}),
        drawing=BalanceDrawing(size),
        keys={"a": LEFT, "s": STAY, "d": RIGHT},
    )


def _start(start: int | str, size: int) -> np.ndarray:
    """The distribution of the first state, [2 size + 1]."""
    distribution = np.zeros(2 * size + 1)
    if not isinstance(start, str):
        distribution[size + check_integer("start", start, low=1 - size, high=size - 1)] = 1
    elif start == "uniform":
        distribution[1:-1] = 1 / (2 * size - 1)
    else:
        raise ValueError(f'start must be a position or "uniform", but is {start!r}')
    return distribution


class BalanceDrawing(Drawing):
    """A line of positions with the agent on it, and the cost of arriving at each."""

    def __init__(self, size: int) -> None:
        self._size = size

    @property
    def size(self) -> tuple[int, int]:
        """A line of tiles with bars below."""
        return 616, 160

    def text(self, frame: Frame) -> str:
        """One line: the ends `#`, the middle and the agent."""
        cells = ["#", *"." * (2 * self._size - 1), "#"]
        cells[self._size] = "0"
        cells[frame.state] = "A"
        return " ".join(cells)

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The line as tiles between two walls, and below each tile the reward of arriving there, as a bar."""
        tiles = canvas.row(2 * self._size + 1, top=canvas.area.y + 28, arrows=((-1, 0), (0, 0), (1, 0)))
        for end in (tiles[0], tiles[-1]):
            canvas.box(end.inset(1), "wall")
        canvas.text((tiles[0].x, tiles[0].y - 12), "end", 12, "faint", align="left")
        canvas.text((tiles[-1].right, tiles[0].y - 12), "end", 12, "faint", align="right")
        middle = tiles[self._size]
        canvas.text((middle.center[0], middle.y - 12), "stay here", 12, "goal")
        for position in range(-self._size, self._size + 1):
            tile = tiles[position + self._size]
            cost = 42 * abs(position) / self._size
            canvas.box(Box(tile.x + tile.width / 4, tile.bottom + 6, tile.width / 2, cost), "bad")
        for position in canvas.spaced(range(-self._size, self._size + 1), middle.width):
            tile = tiles[position + self._size]
            cost = 42 * abs(position) / self._size
            canvas.text((tile.center[0], tile.bottom + 16 + cost), str(-abs(position)), 11, "faint")
        icons.agent(canvas, tiles[frame.state])
