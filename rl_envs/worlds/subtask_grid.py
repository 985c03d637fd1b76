"""Fetch the key, open the door, reach the goal.

    ###########
    #K...#....#
    #....#....#
    #..S.D....#
    #....#....#
    #....#...G#
    ###########

State: the cell and the stage: 0 without the key, 1 with it, 2 with the door open. Only reachable combinations are
    states, numbered by stage and, within a stage, in reading order: 19 + 20 + 41 = 80 on this map.
Actions: 0 up, 1 right, 2 down, 3 left. With probability `slip` the agent moves at a right angle to the chosen
    direction, equally likely to either side. Moving into a wall, or into the door without the key, it stays.
    Arriving at the key picks it up. Moving into the door with the key opens the door, and the agent stands in the
    doorway.
Rewards: 1 on reaching the goal, else 0.
Start: at S, without the key.
Episode end: at the goal; the registered time limit is 200 steps.
Exact solution: without slip the shortest path takes 4 steps to the key, 6 to the door and 6 to the goal: the start is
    worth discount^15 = 0.95^15 = 0.46329123. With slip 0.1 it is worth 0.42074058.
Source: the key-and-door task with one option per stage, after the subtasks of Dietterich (2000), "Hierarchical
    reinforcement learning with the MAXQ value function decomposition", Journal of Artificial Intelligence Research 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rl_envs.drawing import icons
from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Box
from rl_envs.mdp.finite_mdp import Outcome, check_probability, tabulate
from rl_envs.worlds.gridworld import ARROWS, KEYS, MOVES, GridWorld, Layout, reachable, read_map, scaled, views
from rl_envs.worlds.observation import Features, Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

MAP = (
    "###########",
    "#K...#....#",
    "#....#....#",
    "#..S.D....#",
    "#....#....#",
    "#....#...G#",
    "###########",
)
LETTERS = {"S": "start", "K": "key", "D": "door", "G": "goal"}
SUBTASKS = ("get the key", "open the door", "reach the goal")  # one per stage
NO_KEY, KEY, OPEN = 0, 1, 2

# What the numbers of a partial view stand for.
SEEN_FLOOR, SEEN_WALL, SEEN_KEY, SEEN_CLOSED_DOOR, SEEN_OPEN_DOOR, SEEN_GOAL = range(6)


def subtask_grid(
    *,
    map: str | Sequence[str] = MAP,
    slip: float = 0.0,
    discount: float = 0.95,
    observation: str = "index",
) -> World:
    """Fetch the key, open the door with it, and reach the goal behind the door.

    A map needs one each of S, K, D and G. The key must be in front of the door and the goal behind it. A map on which
    the goal can be reached without the door is refused, because it needs neither key nor door.

    Args:
        map: a drawing, as a string of several lines or a list of rows: S start, K key, D door, G goal, # wall, . or a
            space floor. Beyond the edge there is wall.
        slip: probability of moving at a right angle to the chosen direction, equally likely to either side.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete), "features" (Box: row and column from 0 to 1, then 1 for having the key and 1
            for the door being open), "view" (MultiDiscrete: the nine cells around and under the agent in reading order:
            0 floor, 1 wall, 2 key, 3 closed door, 4 open door, 5 goal; then 1 for having the key) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range, or a map with something wrong; the message shows the row and column.
        TypeError: an argument of the wrong type.
    """
    grid = read_map(map, required=LETTERS)
    _check_order(grid)
    slip = check_probability("slip", slip)
    start, key, door, goal = (grid.marks[letter] for letter in LETTERS)
    cell, stage = _states(grid)
    number = {where: state for state, where in enumerate(zip(cell.tolist(), stage.tolist(), strict=True))}
    chosen, right_of_it = np.eye(4), np.roll(np.eye(4), 1, axis=1)
    move_probability = (1 - slip) * chosen + slip / 2 * (right_of_it + right_of_it.T)

    def outcomes(state: int, action: int) -> Iterator[Outcome]:
        if cell[state] == goal:
            yield Outcome(1.0, state, terminated=True)
            return
        for move, probability in enumerate(move_probability[action]):
            next_state = int(grid.neighbours[cell[state], move])
            next_stage = int(stage[state])
            if next_state == door and next_stage == NO_KEY:
                next_state = int(cell[state])
            elif next_state == door:
                next_stage = OPEN
            elif next_state == key and next_stage == NO_KEY:
                next_stage = KEY
            reached = next_state == goal
            yield Outcome(probability, number[next_state, next_stage], reward=float(reached), terminated=reached)

    row, column = grid.cells[cell].T
    height, width = grid.shape
    offered = {
        "index": Index(len(cell)),
        "features": Features(
            np.stack([scaled(row, height), scaled(column, width), stage >= KEY, stage == OPEN], axis=1).astype(float),
            low=0.0,
            high=1.0,
        ),
        "view": Features(
            np.column_stack([views(_seen(grid), stage, row, column, outside=SEEN_WALL), stage >= KEY]),
            sizes=[SEEN_GOAL + 1] * 9 + [2],
        ),
    }
    return World(
        name="SubtaskGrid",
        mdp=tabulate(outcomes, num_states=len(cell), num_actions=4, start=number[start, NO_KEY], discount=discount),
        max_episode_steps=200,
        action_names=MOVES,
        observation=choose(observation, offered),
        drawing=SubtaskDrawing(grid, cell, stage),
        goal_states=cell == goal,
        keys=KEYS,
        layout=Layout(grid, cell, stage, move_probability, SUBTASKS),
    )


def _check_order(grid: GridWorld) -> None:
    """Refuse a map on which the three subtasks cannot be done in order, or are not all needed."""
    start, key, door, goal = (grid.marks[letter] for letter in LETTERS)
    before = reachable(grid, start, closed=[door])
    if not before[key]:
        raise ValueError(f"the key must be reachable from the start without the door, but is not: {grid.located(key)}")
    if before[goal]:
        raise ValueError(
            f"the goal must lie behind the door, but can be reached from the start without it: {grid.located(goal)}"
        )
    after = reachable(grid, start)
    if not after[door]:
        raise ValueError(f"the door must be reachable from the start, but is not: {grid.located(door)}")
    if not after[goal]:
        raise ValueError(f"the goal must be reachable through the door, but is not: {grid.located(goal)}")


def _states(grid: GridWorld) -> tuple[np.ndarray, np.ndarray]:
    """The cell and the stage of every reachable state: two arrays [S] of int64."""
    start, key, door, goal = (grid.marks[letter] for letter in LETTERS)
    without_key = reachable(grid, start, closed=[key, door])
    with_key = reachable(grid, start, closed=[door])
    behind = reachable(grid, door, closed=[goal])  # the episode ends at the goal, so no path leads through it
    behind[goal] = True
    cells = [np.flatnonzero(where) for where in (without_key, with_key, behind)]
    return np.concatenate(cells), np.repeat(np.arange(3), [len(part) for part in cells])


def _seen(grid: GridWorld) -> np.ndarray:
    """What is where in each stage, in the codes of a partial view: [3, height, width]."""
    plain = np.where(grid.index < 0, SEEN_WALL, SEEN_FLOOR)
    door, goal, key = (tuple(grid.cells[grid.marks[letter]]) for letter in "DGK")
    plain[door], plain[goal] = SEEN_CLOSED_DOOR, SEEN_GOAL
    by_stage = np.stack([plain] * 3)
    by_stage[(NO_KEY, *key)] = SEEN_KEY
    by_stage[(OPEN, *door)] = SEEN_OPEN_DOOR
    return by_stage


class SubtaskDrawing(Drawing):
    """The map with the agent `A`, the key until it is picked up, and the door until it is opened.

    Attributes:
        grid: the map; its marks "K", "D" and "G" are the cells of key, door and goal.
        cell: the agent's cell in each state, [S] int64.
        stage: 0 without the key, 1 with it, 2 with the door open, [S] int64.
    """

    def __init__(self, grid: GridWorld, cell: np.ndarray, stage: np.ndarray) -> None:
        self.grid = grid
        self.cell = cell
        self.stage = stage

    @property
    def size(self) -> tuple[int, int]:
        """The map with a line of subtasks below it."""
        width, height = self.grid.picture_size
        return width, height + 44

    def text(self, frame: Frame) -> str:
        """The map with the current subtask below it."""
        stage = int(self.stage[frame.state])
        shown = {"G": "G"}
        if stage == NO_KEY:
            shown["K"] = "K"
        if stage != OPEN:
            shown["D"] = "D"
        agent = int(self.cell[frame.state])
        rows = self.grid.text({**{self.grid.marks[letter]: glyph for letter, glyph in shown.items()}, agent: "A"})
        reached = agent == self.grid.marks["G"]
        return f"{rows}\n{'at the goal' if reached else 'to do: ' + SUBTASKS[stage]}"

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """The map in the current stage, whose states are the tiles, and the subtasks, the current one highlighted."""
        stage, agent = int(self.stage[frame.state]), int(self.cell[frame.state])
        here = np.flatnonzero(self.stage == stage)
        places = self.grid.cells[self.cell[here]].tolist()
        states = {(row, column): state for (row, column), state in zip(places, here.tolist(), strict=True)}
        below = canvas.area._replace(y=canvas.area.bottom - 34, height=34)
        above = canvas.area._replace(height=canvas.area.height - 44)
        boxes = canvas.map(self.grid.rows, states, arrows=ARROWS, option_policy=frame.option_policy, area=above)

        def box(cell: int) -> Box:
            row, column = self.grid.cells[cell].tolist()
            return boxes[row][column]

        icons.door(canvas, box(self.grid.marks["D"]), is_open=stage == OPEN)
        icons.flag(canvas, box(self.grid.marks["G"]))
        if stage == NO_KEY:
            icons.key(canvas, box(self.grid.marks["K"]))
        icons.agent(canvas, box(agent))
        if stage == KEY:  # carried along
            held = box(agent)
            corner = Box(
                held.center[0] + held.width * 0.1, held.y + held.height * 0.06, held.width * 0.4, held.height * 0.3
            )
            icons.key(canvas, corner, size=1.0)
        done = 3 if agent == self.grid.marks["G"] else stage
        for number, subtask in enumerate(SUBTASKS):
            third = below.width / 3
            chip = Box(below.x + number * third + 3, below.y + 4, third - 6, 26)
            colour = "goal" if number < done else "agent" if number == done else "floor"
            canvas.box(chip, colour, border="grid", radius=13)
            words = f"{subtask}: done" if number < done else subtask
            canvas.text(chip.center, words, 12, canvas.ink_on(colour), longest=chip.width - 12)
