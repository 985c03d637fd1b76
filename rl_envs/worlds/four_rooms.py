"""Four rooms joined by four hallways, the gridworld in which options were introduced.

    #############
    #.....#.....#
    #.....#.....#
    #...........#
    #.....#.....#
    #.....#.....#
    ##.####.....#
    #.....###G###
    #.....#.....#
    #.....#.....#
    #...........#
    #.....#.....#
    #############

State: the cell, numbered in reading order; 104 cells.
Actions: 0 up, 1 right, 2 down, 3 left. With probability 1 - `noise` = 2/3 the agent moves in the chosen direction, with
    noise / 3 = 1/9 in each of the other three. Where a wall is in the way, it stays.
Rewards: 1 on reaching the goal, else 0.
Start: uniform over all cells but the goal.
Episode end: at the goal, by default the east hallway (row 7, column 9); the registered time limit is 500 steps.
Exact solution: v* is 0.09310934 in the upper left corner, 0.88211352 just above the goal, and 0.32943920 on average
    over the start. Without noise it is discount^(d - 1) at d steps from the goal: 0.9^13 = 0.25418658 in that corner.
    With the eight options of `rl_envs.options.hallway_options`, two per room, planning by synchronous sweeps reaches
    every cell after two sweeps. Without noise the values are then exact. With primitive actions it takes 14 sweeps.
Source: Sutton, Precup & Singh (1999), "Between MDPs and semi-MDPs: a framework for temporal abstraction in
    reinforcement learning", Artificial Intelligence 112, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.mdp.finite_mdp import Outcome, check_probability, tabulate
from rl_envs.worlds.gridworld import ARROWS, KEYS, MOVES, GridWorld, Layout, reachable, read_map, scaled, views
from rl_envs.worlds.observation import Features, Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

MAP = (
    "#############",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#.....#.....#",
    "##.####.....#",
    "#.....###G###",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#############",
)

# What the numbers of a partial view stand for.
SEEN_FLOOR, SEEN_WALL, SEEN_GOAL = range(3)


def four_rooms(
    *,
    goal: Sequence[int] | None = None,
    noise: float = 1 / 3,
    map: str | Sequence[str] = MAP,
    discount: float = 0.9,
    observation: str = "index",
) -> World:
    """Find the goal in four rooms joined by hallways.

    Args:
        goal: row and column of the goal, counted from 0, as [9, 9]; a G elsewhere on the map is then floor. By default,
            the map's G.
        noise: probability of moving in another direction than the chosen one, a third of it each; 0 for none.
        map: a drawing, as a string of several lines or a list of rows: G goal, # wall, . or a space floor. Beyond the
            edge there is wall. Options for hallways need rooms of at least two cells' width (`gridworld.find_rooms`).
        discount: gamma, in [0, 1].
        observation: "index" (Discrete), "features" (Box: row and column, each from 0 to 1), "view" (MultiDiscrete: the
            nine cells around the agent in reading order: 0 floor, 1 wall, 2 goal) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range, or a map with something wrong; the message shows the row and column.
        TypeError: an argument of the wrong type.
    """
    letters = {"G": "goal"}
    grid = read_map(map, required=letters) if goal is None else read_map(map, required={}, optional=letters)
    target = grid.marks["G"] if goal is None else grid.cell_at("goal", goal)
    noise = check_probability("noise", noise)
    _check_connected(grid, target)
    everywhere = np.arange(grid.num_cells)
    move_probability = np.where(np.eye(4, dtype=np.bool_), 1 - noise, noise / 3)

    def outcomes(state: int, action: int) -> Iterator[Outcome]:
        if state == target:
            yield Outcome(1.0, state, terminated=True)
            return
        for move, probability in enumerate(move_probability[action]):
            next_state = int(grid.neighbours[state, move])
            reached = next_state == target
            yield Outcome(probability, next_state, reward=float(reached), terminated=reached)

    row, column = grid.cells.T
    height, width = grid.shape
    codes = np.where(grid.index < 0, SEEN_WALL, SEEN_FLOOR)
    codes[tuple(grid.cells[target])] = SEEN_GOAL
    offered = {
        "index": Index(grid.num_cells),
        "features": Features(np.stack([scaled(row, height), scaled(column, width)], axis=1), low=0.0, high=1.0),
        "view": Features(views(codes[None], np.zeros_like(row), row, column, outside=SEEN_WALL), sizes=SEEN_GOAL + 1),
    }
    return World(
        name="FourRooms",
        mdp=tabulate(
            outcomes,
            num_states=grid.num_cells,
            num_actions=4,
            start=(everywhere != target) / (grid.num_cells - 1),
            discount=discount,
        ),
        max_episode_steps=500,
        action_names=MOVES,
        observation=choose(observation, offered),
        drawing=RoomsDrawing(grid, target),
        goal_states=everywhere == target,
        keys=KEYS,
        layout=Layout(grid, everywhere, np.zeros_like(everywhere), move_probability),
    )


def _check_connected(grid: GridWorld, target: int) -> None:
    """Refuse a map with no cell to start in, or with one from which the goal cannot be reached."""
    if grid.num_cells == 1:
        raise ValueError(f"the map must have a cell beside the goal, but has none: {grid.located(target)}")
    cut_off = np.flatnonzero(~reachable(grid, target))
    if len(cut_off):
        raise ValueError(
            "the goal must be reachable from every cell, but is not from "
            f"{grid.located(int(cut_off[0]))}\nThe goal is at {grid.located(target)}"
        )


class RoomsDrawing(Drawing):
    """The map with the agent `A`, the goal `G` and, if the agent reports one, the active option's moves.

    Attributes:
        grid: the map.
        goal: the goal's cell.
        cell: the agent's cell in each state, [S] int64: here the state itself.
    """

    def __init__(self, grid: GridWorld, goal: int) -> None:
        self.grid = grid
        self.goal = goal
        self.cell = np.arange(grid.num_cells)

    @property
    def size(self) -> tuple[int, int]:
        """The map."""
        return self.grid.picture_size

    def text(self, frame: Frame) -> str:
        """The map; arrows show an active option's most probable move in each cell where it runs."""
        glyphs: dict[int, str] = {}
        if frame.option_policy is not None:
            for cell in np.flatnonzero(frame.option_policy.any(axis=1)).tolist():
                glyphs[cell] = "^>v<"[int(frame.option_policy[cell].argmax())]
        return self.grid.text({**glyphs, self.goal: "G", frame.state: "A"})

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The map with goal and agent, and the active option's moves where it runs."""
        places = self.grid.cells.tolist()
        states = {(row, column): cell for cell, (row, column) in enumerate(places)}
        boxes = canvas.map(self.grid.rows, states, arrows=ARROWS, option_policy=frame.option_policy)
        goal, agent = (boxes[row][column] for row, column in (places[self.goal], places[frame.state]))
        icons.flag(canvas, goal)
        icons.agent(canvas, agent)
