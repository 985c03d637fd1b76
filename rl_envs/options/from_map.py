"""Options that a world's map or stages suggest: to the hallways of a room, from one stage of a task to the next.

Each comes from a subtask, which has the exact optimal policy for arriving in its goal.
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
    """A part of a task: get from some states to others, by the best policy for just that.

    Attributes:
        name: what it is called.
        initiation: where it may begin.
        region: where it goes on; it has failed on arriving anywhere but here and in the goal.
        goal: where it is done.
        policy: the exact optimal policy for a reward of 1 on arriving in the goal, under the world's discount and
            dynamics, as probabilities; 0 where the subtask neither begins nor goes on.
    """

    name: str
    initiation: np.ndarray  # [S] bool
    region: np.ndarray  # [S] bool
    goal: np.ndarray  # [S] bool
    policy: np.ndarray  # [S, A] float64

    def option(self) -> Option:
        """The option that carries it out: it ends on arriving anywhere outside the region."""
        return Option(self.name, self.initiation, self.policy, np.where(self.region, 0.0, 1.0))


def subtasks(world: World) -> tuple[Subtask, ...]:
    """The subtasks of a world whose task has stages: from each stage to the next, and from the last to the goal.

    Args:
        world: one with stages, as SubtaskGrid.

    Returns:
        A subtask a stage. Each begins anywhere in its stage and has failed if the stage is left another way.

    Raises:
        ValueError: a world without stages.
    """
    layout = world.layout
    if layout is None or not layout.subtasks:
        raise ValueError(f"subtasks need a world whose task has stages, as SubtaskGrid, but {world.name} has none")
    going_on = ~world.mdp.terminal_states
    found = []
    for stage, name in enumerate(layout.subtasks):
        inside = (layout.stage == stage) & going_on
        done = layout.stage == stage + 1 if stage + 1 < len(layout.subtasks) else ~going_on
        found.append(_subtask(world.mdp, name, inside, inside, done))
    return tuple(found)


def hallways(world: World) -> tuple[Subtask, ...]:
    """The subtasks of getting from each room of a map to each hallway that leads out of it.

    Rooms and hallways are told apart by the geometry of the map alone (`gridworld.find_rooms`). A subtask begins in any
    cell of its room and in the room's other hallways; it goes on inside the room, and arriving in another hallway is a
    failure. What is paid for and where does not matter: the policies are those of the bare map, whatever its goal.

    Args:
        world: one whose states are the cells of a map, as FourRooms.

    Returns:
        The subtasks, room by room; two a room in FourRooms.

    Raises:
        ValueError: a world whose states are not the cells of a map, or a map without hallways between rooms.
    """
    layout = world.layout
    if layout is None or layout.subtasks:
        raise ValueError(f"hallways need a world whose states are the cells of a map, but {world.name} is none")
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
        world: one with stages, as SubtaskGrid.

    Returns:
        An option a stage.

    Raises:
        ValueError: as `subtasks`.
    """
    return tuple(subtask.option() for subtask in subtasks(world))


def hallway_options(world: World) -> tuple[Option, ...]:
    """An option for each way from a room of a map to a hallway that leads out of it.

    An option may not start at the world's goal, where the episode is over. Elsewhere it is the same for every goal.

    Args:
        world: one whose states are the cells of a map, as FourRooms.

    Returns:
        The options, room by room; two a room in FourRooms.

    Raises:
        ValueError: as `hallways`.

    Differences from Sutton, Precup & Singh (1999): theirs follow a shortest path and on it keep away from the other
    hallway; these are exactly optimal for arriving in their own hallway, discounted. Without noise that is a shortest
    path too, and with it one that trades the risk of the other hallway against the length of the way.
    """
    going_on = ~world.mdp.terminal_states
    return tuple(
        Option(way.name, way.initiation & going_on, way.policy, way.option().termination)
        for way in hallways(world)
        if (way.initiation & going_on).any()
    )


def _bare_map(layout: Layout, discount: float) -> FiniteMDP:
    """The moves on a map as a table, without rewards and without an end."""

    def outcomes(cell: int, action: int) -> list[Outcome]:
        reached = layout.grid.neighbours[cell].tolist()
        return [Outcome(float(p), arrival) for p, arrival in zip(layout.move_probability[action], reached, strict=True)]

    num_cells, num_actions = layout.grid.num_cells, len(layout.move_probability)
    return tabulate(outcomes, num_states=num_cells, num_actions=num_actions, start=0, discount=discount)


def _subtask(mdp: FiniteMDP, name: str, initiation: np.ndarray, region: np.ndarray, goal: np.ndarray) -> Subtask:
    """The subtask with its optimal policy, found by planning with single actions in a table of its own."""
    runs = initiation | region

    def own_process(discount: float) -> SemiMDP:
        """Single moves where the subtask is the whole task."""
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

    # From a policy that gets there, so that at discounts of 0 and 1, where many are optimal, the result does so too.
    undiscounted = own_process(1.0)
    choice = undiscounted.towards(undiscounted.reward)
    stuck = np.flatnonzero((choice < 0) & runs)
    if len(stuck):
        raise ValueError(
            f"subtask {name!r} must be possible from everywhere it goes on, but is not from state {stuck[0]}"
        )
    process = own_process(mdp.discount)
    policy = process.one_hot(process.improve(np.maximum(choice, 0)))
    return Subtask(name, initiation, region, goal, policy)
