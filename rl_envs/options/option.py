"""Options: courses of action with a beginning and an end, their exact models, and exact planning with them.

An option may start in some states, then follows a policy of its own, and ends with some probability in each state that
it arrives at. Over a finite MDP a set of options makes a semi-Markov decision process: what an option earns and where
it ends is all that planning needs to know of it, and both are computed here from the table, never sampled.

Conventions, the same throughout:
- an option lasts at least one step: whether it ends is judged in each state that it arrives in, never in the one that
  it starts in;
- rewards and arrivals are discounted by discount^k, with k the steps really taken;
- when the episode ends inside an option, both end, and nothing is added for a state arrived at;
- the maximum goes over the options that may start in a state, and over no others. Every state in which an episode can
  go on must have one; in states that only stand for an ended episode none starts, and their value is 0.

Source: Sutton, Precup & Singh (1999), "Between MDPs and semi-MDPs: a framework for temporal abstraction in
reinforcement learning", Artificial Intelligence 112; sections are cited below. Options here are Markov: policy and
termination depend on the state alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.mdp.bellman import Matrix, solve_chain
from rl_envs.mdp.finite_mdp import SUM_TOLERANCE, FiniteMDP, Outcome, check_integer, tabulate
from rl_envs.mdp.semi_mdp import SemiMDP, reached, scale_rows
from rl_envs.worlds.gridworld import Layout, find_rooms
from rl_envs.worlds.world import World


@dataclass(frozen=True, eq=False)
class Option:
    """A course of action: where it may start, what it does, and where it ends.

    Args:
        name: what it is called in messages and pictures.
        initiation: in which states it may start.
        policy: what it does, as probabilities; a row is read only where the option runs (see `runs`) and must sum to 1
            there. The other rows are stored as 0.
        termination: the probability that it ends on arriving in a state.

    Raises:
        TypeError: an array of the wrong kind of number.
        ValueError: an array of the wrong shape, probabilities that are none, or an option that may start nowhere; the
            message names the option and the state.

    Source: Sutton, Precup & Singh (1999), section 2.
    """

    name: str
    initiation: np.ndarray  # [S] bool
    policy: np.ndarray  # [S, A] float64
    termination: np.ndarray  # [S] float64

    def __post_init__(self) -> None:
        initiation = np.array(self.initiation)
        policy, termination = (_numbers(self, name) for name in ("policy", "termination"))
        if initiation.dtype != np.bool_:
            raise TypeError(f"initiation of option {self.name!r} must hold bools, but has dtype {initiation.dtype}")
        if initiation.ndim != 1 or policy.shape[:1] != initiation.shape or policy.ndim != 2:
            raise ValueError(
                f"option {self.name!r} must have initiation [states] and policy [states, actions], "
                f"but they have shapes {initiation.shape} and {policy.shape}"
            )
        if termination.shape != initiation.shape:
            raise ValueError(
                f"termination of option {self.name!r} must have initiation's shape {initiation.shape}, "
                f"but has {termination.shape}"
            )
        if not initiation.any():
            raise ValueError(f"option {self.name!r} must start in some state, but may start in none")
        wrong = np.flatnonzero(~((termination >= 0) & (termination <= 1)))
        if len(wrong):
            raise ValueError(
                f"termination of option {self.name!r} must be in [0, 1], "
                f"but in state {wrong[0]} is {termination[wrong[0]]:g}"
            )
        runs = initiation | (termination < 1)
        policy[~runs] = 0.0
        right = (policy >= 0).all(axis=1) & (np.abs(policy.sum(axis=1) - runs) <= SUM_TOLERANCE)  # NaN is not right
        wrong = np.flatnonzero(~right)
        if len(wrong):
            raise ValueError(
                f"the policy of option {self.name!r} must be probabilities that sum to 1 wherever it runs, "
                f"but in state {wrong[0]} is {policy[wrong[0]].tolist()}"
            )
        for name, array in (("initiation", initiation), ("policy", policy), ("termination", termination)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def runs(self) -> np.ndarray:
        """Where it may be the one that acts: it may start there, or go on having arrived. Array [S] of bool."""
        return self.initiation | (self.termination < 1)

    def __repr__(self) -> str:
        return f"Option({self.name!r}, starts in {self.initiation.sum()} of {len(self.initiation)} states)"


@dataclass(frozen=True, eq=False)
class OptionModel:
    """What an option does from its start to its end, exactly.

    Rows are given for the states in which the option can be running, and are 0 elsewhere. A state in which it runs
    without being allowed to start there counts as if it went on from it.

    Attributes:
        reward: expected discounted reward from here to the end.
        transition: sum over k of discount^k times the probability to end in a state after k steps, SciPy CSR; a row
            sums to at most the discount.
        duration: expected number of steps.
        episode_ends: probability that the episode ends before the option does.
    """

    reward: np.ndarray  # [S] float64
    transition: Any  # [S, S] CSR
    duration: np.ndarray  # [S] float64
    episode_ends: np.ndarray  # [S] float64


@dataclass(frozen=True, eq=False)
class OptionPlan:
    """The best that can be done with a set of options.

    Attributes:
        v: value of each state, when the best option is followed to its end and so on; 0 in terminal states.
        q: value of starting each option in each state; -inf where it may not start.
        policy: one best option in each state, as probabilities; all 0 in terminal states.
    """

    v: np.ndarray  # [S] float64
    q: np.ndarray  # [S, O] float64
    policy: np.ndarray  # [S, O] float64


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


# Models ---------------------------------------------------------------------------------------------------------------


def option_model(mdp: FiniteMDP, option: Option) -> OptionModel:
    """The exact model of an option, by linear solves over the states in which it can be running.

    Args:
        mdp: the dynamics.
        option: over the same states and actions.

    Returns:
        Its model.

    Raises:
        TypeError: what is no option.
        ValueError: an option over other states or actions, or one whose policy may never end; the message names the
            state in which it is trapped.

    Source: Sutton, Precup & Singh (1999), section 3, there as expectations over discount^k with the real length k; one
        step at a time they are linear equations, and those are solved here.
    """
    from scipy.sparse import csr_array

    if not isinstance(option, Option):
        raise TypeError(f"option must be an Option, but is {option!r}")
    if option.policy.shape != (mdp.num_states, mdp.num_actions):
        raise ValueError(
            f"option {option.name!r} must be over {mdp.num_states} states and {mdp.num_actions} actions, "
            f"but is over {option.policy.shape[0]} and {option.policy.shape[1]}"
        )
    arrive, ends = _chain(mdp, option.policy)
    go_on, stop = _split(arrive, option.termination)
    running = reached(go_on, option.initiation & ~mdp.terminal_states)
    stop = scale_rows(stop, running)
    trapped = running & ~reached(go_on.T.tocsr(), (np.diff(stop.indptr) > 0) | (ends > 0))
    if trapped.any():
        raise ValueError(
            f"option {option.name!r} must end sooner or later from wherever it gets to, "
            f"but is trapped in state {np.flatnonzero(trapped)[0]}"
        )
    here = np.flatnonzero(running)
    inside = go_on[here][:, here]
    one_step = inside.nnz == 0

    def to_the_end(each_step: np.ndarray, discount: float) -> np.ndarray:
        """What is met at every step, summed until the option ends: x = each_step + discount * inside x."""
        return each_step if one_step or each_step.size == 0 else solve_chain(inside, each_step, discount)

    def spread(values: np.ndarray) -> np.ndarray:
        everywhere = np.zeros(mdp.num_states)
        everywhere[here] = values
        return everywhere

    if one_step:
        transition = mdp.discount * stop
    else:
        # Few states are ever the last one for most options, so there are few right sides.
        last = np.unique(stop.indices)
        discounted = to_the_end(mdp.discount * stop[here][:, last].toarray(), mdp.discount)
        row, column = np.nonzero(discounted > 0)  # below 0 is rounding: the terms of the series are not
        transition = csr_array((discounted[row, column], (here[row], last[column])), shape=stop.shape)
    reward = np.einsum("sa,sa->s", option.policy, mdp.mean_reward)
    return OptionModel(
        reward=spread(to_the_end(reward[here], mdp.discount)),
        transition=transition,
        duration=spread(to_the_end(np.ones(len(here)), 1.0)),
        episode_ends=spread(to_the_end(ends[here], 1.0)),
    )


# Planning -------------------------------------------------------------------------------------------------------------


def plan(mdp: FiniteMDP, options: Sequence[Option]) -> OptionPlan:
    """The best policy over options, by policy iteration over their models.

    Guarantee: every policy on the way is better than the one before it and there are finitely many, so it ends, at the
    optimum; each is evaluated by a linear solve. At discount 1 it is the best of the policies that end every episode.

    Args:
        mdp: the dynamics.
        options: those to choose from; add `primitive_options(mdp)` to choose among single actions as well.

    Returns:
        The optimal values and a policy that attains them.

    Raises:
        ValueError: a state in which no option may start, an option that `option_model` refuses, or, at discount 1, a
            state from which the episode never ends under the options or under the best policy over them.

    Source: Sutton, Precup & Singh (1999), section 3; Puterman (1994), Markov Decision Processes, section 6.4.
    """
    process = _semi_mdp(mdp, _models(mdp, options), options)
    choice = process.towards(process.ends + process.arrivals(mdp.terminal_states.astype(np.float64)))
    if mdp.discount == 1:
        process.refuse_endless(choice < 0)
        choice = process.shorten(np.maximum(choice, 0))
    anything = process.offered.argmax(axis=1)
    policy = process.one_hot(process.improve(np.where(choice < 0, anything, choice)))
    v = process.evaluate(policy)
    return OptionPlan(v, process.action_values(v), policy)


def sweep_values(mdp: FiniteMDP, options: Sequence[Option], num_sweeps: int) -> np.ndarray:
    """Synchronous value iteration over options, from values of 0.

    Args:
        mdp: the dynamics.
        options: those to choose from.
        num_sweeps: how many sweeps; in each, every state is backed up once from the values of the sweep before.

    Returns:
        The values before the first sweep and after each, [num_sweeps + 1, S].

    Raises:
        ValueError: a state in which no option may start, or an option that `option_model` refuses.

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    num_sweeps = check_integer("num_sweeps", num_sweeps, low=0)
    process = _semi_mdp(mdp, _models(mdp, options), options)
    values = np.zeros((num_sweeps + 1, mdp.num_states))
    for sweep in range(num_sweeps):
        values[sweep + 1] = process.backup(values[sweep])
    return values


def evaluate_options(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> np.ndarray:
    """The exact value of a policy over options, each followed to its end before the next is chosen.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        Values [S].

    Raises:
        ValueError: a policy of the wrong shape, probabilities that do not sum to 1, an option chosen where it may not
            start, an option that `option_model` refuses, or, at discount 1, a policy under which an episode never ends.

    Source: Sutton, Precup & Singh (1999), section 3.
    """
    process = _semi_mdp(mdp, _models(mdp, options), options)
    return process.evaluate(process.checked(policy))


def interrupted(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> tuple[Option, ...]:
    """The options cut short wherever choosing anew is worth more than going on.

    Following the policy with the shortened options is worth at least as much from every state, and more from where an
    interruption that gains something can come up: `evaluate_options(mdp, interrupted(mdp, options, policy), policy)`.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        For each option one that also ends on arriving where q(s, option) < v(s), both under the policy.

    Raises:
        ValueError: as `evaluate_options`.

    Source: Sutton, Precup & Singh (1999), section 4 and theorem 2.
    """
    models = _models(mdp, options)
    process = _semi_mdp(mdp, models, options)
    v = process.evaluate(process.checked(policy))
    shortened = []
    for option, model in zip(options, models, strict=True):
        going_on = model.reward + model.transition @ v
        better_anew = (model.duration > 0) & ~mdp.terminal_states & (going_on < v - process.rounding(v))
        termination = np.where(better_anew, 1.0, option.termination)
        shortened.append(Option(option.name, option.initiation, option.policy, termination))
    return tuple(shortened)


def flat_policy(mdp: FiniteMDP, options: Sequence[Option], policy: np.ndarray) -> np.ndarray:
    """The policy over single actions that chooses an option anew at every step and takes its action.

    Where options may start wherever they go on, and the policy is greedy for its own values, this is worth at least as
    much as following each option to its end: it is interruption at every chance, also where going on loses nothing.

    Args:
        mdp: the dynamics.
        options: those that the policy chooses from.
        policy: probability of starting each option in each state, [S, O]; rows of terminal states are not read.

    Returns:
        Probabilities [S, A]; uniform in terminal states.

    Raises:
        ValueError: as `evaluate_options`.
    """
    weights = _semi_mdp(mdp, _models(mdp, options), options).checked(policy)
    actions = np.einsum("so,osa->sa", weights, np.stack([option.policy for option in options]))
    return np.where(mdp.terminal_states[:, None], 1 / mdp.num_actions, actions)


# Where options come from ----------------------------------------------------------------------------------------------


def primitive_options(mdp: FiniteMDP, names: Sequence[str] | None = None) -> tuple[Option, ...]:
    """Every action as an option that lasts one step and may start wherever an episode can go on.

    Args:
        mdp: the dynamics.
        names: of the actions, "action 0", "action 1", ... when left out.

    Returns:
        A options, in the order of the actions.

    Raises:
        ValueError: another number of names than of actions.
    """
    names = [f"action {a}" for a in range(mdp.num_actions)] if names is None else list(names)
    if len(names) != mdp.num_actions:
        raise ValueError(f"names must name {mdp.num_actions} actions, but there are {len(names)}")
    everywhere = np.ones(mdp.num_states)
    alone = np.eye(mdp.num_actions)
    return tuple(
        Option(name, ~mdp.terminal_states, np.tile(alone[a], (mdp.num_states, 1)), everywhere)
        for a, name in enumerate(names)
    )


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
        return _semi_mdp(table, _models(table, moves), moves)

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


# Shared steps ---------------------------------------------------------------------------------------------------------


def _models(mdp: FiniteMDP, options: Sequence[Option]) -> list[OptionModel]:
    if not options:
        raise ValueError("options must hold at least one option, but are empty")
    return [option_model(mdp, option) for option in options]


def _semi_mdp(mdp: FiniteMDP, models: Sequence[OptionModel], options: Sequence[Option]) -> SemiMDP:
    """The process that options make, refused where it leaves a state without a choice."""
    going_on = ~mdp.terminal_states
    offered = np.stack([option.initiation & going_on for option in options], axis=1)
    without = np.flatnonzero(going_on & ~offered.any(axis=1))
    if len(without):
        raise ValueError(
            "some option must start in every state where an episode can go on, "
            f"but in state {without[0]} none may; primitive_options(mdp) may everywhere"
        )
    return SemiMDP(
        offered=offered,
        reward=np.stack([model.reward for model in models], axis=1),
        transitions=[model.transition for model in models],
        ends=np.stack([model.episode_ends for model in models], axis=1),
        duration=np.stack([model.duration for model in models], axis=1),
        discounted=mdp.discount < 1,
    )


def _chain(mdp: FiniteMDP, policy: np.ndarray) -> tuple[Matrix, np.ndarray]:
    """Under a policy [S, A], the probability of arriving in each state, CSR [S, S], and of ending the episode, [S]."""
    from scipy.sparse import csr_array

    weight = policy[:, :, None] * mdp.probability
    ends = np.where(mdp.terminated, weight, 0.0).sum(axis=(1, 2))
    s, a, k = np.nonzero(np.where(mdp.terminated, 0.0, weight))
    shape = (mdp.num_states, mdp.num_states)
    return csr_array((weight[s, a, k], (s, mdp.next_state[s, a, k])), shape=shape), ends


def _split(arrive: Matrix, termination: np.ndarray) -> tuple[Matrix, Matrix]:
    """The arrivals after which the option goes on, and those at which it ends."""
    parts = []
    for share in (1 - termination, termination):
        part = arrive.copy()
        part.data = part.data * share[part.indices]
        part.eliminate_zeros()
        parts.append(part)
    return parts[0], parts[1]


def _numbers(option: Option, name: str) -> np.ndarray:
    """One of an option's arrays as a fresh float64 array."""
    array = np.array(getattr(option, name))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} of option {option.name!r} must hold real numbers, but has dtype {array.dtype}")
    return array.astype(np.float64)
