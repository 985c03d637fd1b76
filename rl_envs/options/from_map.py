"""Options from a world's map or stages: to the hallways of a room, or from one stage of a task to the next.

Each option comes from a subtask, whose policy is exactly optimal for reaching the subtask's goal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP, Outcome, tabulate
from rl_envs.mdp.semi_mdp import SemiMDP
from rl_envs.options.option import Option, primitive_options
from rl_envs.options.planning import models_of, semi_mdp_of
from rl_envs.worlds.gridworld import Layout, find_rooms
from rl_envs.worlds.world import World


@dataclass(frozen=True, eq=False)
class Subtask:
    """A part of a task: reach a set of states, with the optimal policy for that alone.

    Attributes:
        name: for messages and pictures.
        initiation: the states in which it may start.
        region: the states in which it continues; it fails on arriving outside the region and the goal.
        goal: the states in which it succeeds.
        policy: the exact optimal policy for a reward of 1 on arriving in the goal, under the world's discount and
            dynamics, as probabilities; 0 where the subtask neither starts nor continues.
    """

    name: str
    initiation: np.ndarray  # [S] bool
    region: np.ndarray  # [S] bool
    goal: np.ndarray  # [S] bool
    policy: np.ndarray  # [S, A] float64

    def option(self) -> Option:
        """The option for this subtask: it ends on arriving anywhere outside the region."""
        return Option(self.name, self.initiation, self.policy, np.where(self.region, 0.0, 1.0))


def subtasks(world: World) -> tuple[Subtask, ...]:
    """The subtasks of a world whose task has stages: from each stage to the next, and from the last to the goal.

    Args:
        world: one with stages, such as SubtaskGrid.

    Returns:
        One subtask per stage. Each may start anywhere in its stage, and fails if it leaves the stage in another way.

    Raises:
        ValueError: a world without stages.
    """
    layout = world.layout
    if layout is None or not layout.subtasks:
        raise ValueError(f"subtasks need a world whose task has stages, such as SubtaskGrid, but {world.name} has none")
    going_on = ~world.mdp.terminal_states
    found = []
    for stage, name in enumerate(layout.subtasks):
        inside = (layout.stage == stage) & going_on
        done = layout.stage == stage + 1 if stage + 1 < len(layout.subtasks) else ~going_on
        found.append(_subtask(world.mdp, name, inside, inside, done))
    return tuple(found)


def hallways(world: World) -> tuple[Subtask, ...]:
    """The subtasks of moving from each room of a map to each hallway that leads out of it.

    Rooms and hallways follow from the geometry of the map alone (`gridworld.find_rooms`). A subtask may start in any
    cell of its room and in the room's other hallways. It continues inside the room, and fails on arriving in another
    hallway. The world's rewards and goal do not matter: the policies depend on the map only.

    Args:
        world: one whose states are the cells of a map, such as FourRooms.

    Returns:
        The subtasks, room by room; two per room in FourRooms.

    Raises:
        ValueError: a world whose states are not the cells of a map, or a map without hallways between rooms.
    """
    layout = world.layout
    if layout is None or layout.subtasks:
        raise ValueError(f"hallways need a world whose states are the cells of a map, but {world.name} is not one")
    grid = layout.grid
    rooms = find_rooms(grid)
    if not rooms.hallways:
        raise ValueError(
            "the map must have hallways: cells with wall on two opposite sides that join two different rooms. "
            f"It has {rooms.num_rooms} room and no hallway:\n{grid.text({})}"
        )
    bare = _bare_map(layout, world.mdp.discount)
    found = []
    for room in range(rooms.num_rooms):
        inside = rooms.room == room
        for target in rooms.of_room(room):
            initiation = inside.copy()
            initiation[[cell for cell in rooms.of_room(room) if cell != target]] = True
            row, column = grid.cells[target].tolist()
            done = np.arange(grid.num_cells) == target
            found.append(_subtask(bare, f"room {room} to hallway {row},{column}", initiation, inside, done))
    return tuple(found)


def subtask_options(world: World) -> tuple[Option, ...]:
    """An option for each of a world's subtasks, with the subtask's own optimal policy.

    Args:
        world: one with stages, such as SubtaskGrid.

    Returns:
        One option per stage.

    Raises:
        ValueError: as `subtasks`.
    """
    return tuple(subtask.option() for subtask in subtasks(world))


def hallway_options(world: World) -> tuple[Option, ...]:
    """An option for each pair of a room and a hallway that leads out of it.

    An option may not start at the world's goal, where the episode has ended. Otherwise it does not depend on the goal.

    Args:
        world: one whose states are the cells of a map, such as FourRooms.

    Returns:
        The options, room by room; two per room in FourRooms.

    Raises:
        ValueError: as `hallways`.

    Difference from Sutton, Precup & Singh (1999): their options follow a shortest path that avoids the other hallway;
    these are exactly optimal for the discounted arrival in their own hallway. Without noise this is a shortest path
    too; with noise it trades the risk of the other hallway against the length of the path.
    """
    going_on = ~world.mdp.terminal_states
    return tuple(
        Option(way.name, way.initiation & going_on, way.policy, way.option().termination)
        for way in hallways(world)
        if (way.initiation & going_on).any()
    )


def _bare_map(layout: Layout, discount: float) -> FiniteMDP:
    """The moves on a map as a table, without rewards or terminal states."""

    def outcomes(cell: int, action: int) -> list[Outcome]:
        reached = layout.grid.neighbours[cell].tolist()
        return [
            Outcome(float(p), next_state)
            for p, next_state in zip(layout.move_probability[action], reached, strict=True)
        ]

    num_cells, num_actions = layout.grid.num_cells, len(layout.move_probability)
    return tabulate(outcomes, num_states=num_cells, num_actions=num_actions, start=0, discount=discount)


def _subtask(mdp: FiniteMDP, name: str, initiation: np.ndarray, region: np.ndarray, goal: np.ndarray) -> Subtask:
    """The subtask with its optimal policy, found by planning with primitive actions in a separate table."""
    runs = initiation | region

    def own_process(discount: float) -> SemiMDP:
        """The process of primitive actions in which the subtask is the whole task."""
        table = FiniteMDP(
            probability=mdp.probability,
            next_state=np.where(runs[:, None, None], mdp.next_state, np.arange(mdp.num_states)[:, None, None]),
            reward=np.where(runs[:, None, None] & goal[mdp.next_state], 1.0, 0.0),
            terminated=mdp.terminated | ~region[mdp.next_state] | ~runs[:, None, None],
            start=runs / runs.sum(),
            discount=discount,
        )
        moves = primitive_options(table)
        return semi_mdp_of(table, models_of(table, moves), moves)

    # Start from a policy that reaches the goal, so that the result does so too at discounts of 0 and 1, where many
    # policies are optimal.
    undiscounted = own_process(1.0)
    choice = undiscounted.towards(undiscounted.reward)
    stuck = np.flatnonzero((choice < 0) & runs)
    if len(stuck):
        raise ValueError(
            f"subtask {name!r} must be possible from every state of its region, but is not from state {stuck[0]}"
        )
    process = own_process(mdp.discount)
    policy = process.one_hot(process.improve(np.maximum(choice, 0)))
    return Subtask(name, initiation, region, goal, policy)
