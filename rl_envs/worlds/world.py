"""A world: a table of dynamics with observations, a time limit and a drawing."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from gymnasium import spaces

from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer
from rl_envs.worlds.observation import Index, Observation

if TYPE_CHECKING:
    from rl_envs.drawing.canvas import Canvas
    from rl_envs.worlds.gridworld import Layout


@dataclass(frozen=True)
class Frame:
    """The moment of an episode that a drawing shows.

    Attributes:
        state: the current state.
        action: the last action as the table counts it, or None at the start.
        reward: the last reward, or None at the start.
        steps: how many steps the episode has lasted.
        total_reward: the sum of the episode's rewards.
        action_counts: how often each action was taken in this episode, [A] int64.
        state_counts: how often each state was visited since the environment was made, [S] int64.
        action_rewards: the sum of each action's rewards in this episode, [A] float64; None if not recorded.
        previous_state: the state in which the last action was taken, or None at the start.
        option: name of the option that the agent is following, if it reports one.
        option_policy: that option's policy, [S, A] probabilities, all 0 where it does not run; None if unknown.
    """

    state: int
    action: int | None
    reward: float | None
    steps: int
    total_reward: float
    action_counts: np.ndarray  # [A] int64
    state_counts: np.ndarray  # [S] int64
    action_rewards: np.ndarray | None = None  # [A] float64
    previous_state: int | None = None
    option: str | None = None
    option_policy: np.ndarray | None = None  # [S, A] float64


class Drawing(ABC):
    """How a world is drawn. It holds the fixed parts of the picture; each frame brings the rest."""

    # Whether the picture shows the value of each action; if so, the heat map's range covers them too.
    shows_action_values: ClassVar[bool] = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture inside its border, in pixels; always the same for one drawing."""
        return 520, 150

    @abstractmethod
    def text(self, frame: Frame) -> str:
        """The frame as lines of text, for a terminal."""

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """Paint the frame into the canvas's area; by default, its text."""
        canvas.lines_of_text(self.text(frame))


class StateNumber(Drawing):
    """The simplest drawing: the state's number."""

    def __init__(self, num_states: int) -> None:
        self._num_states = num_states

    def text(self, frame: Frame) -> str:
        return f"state {frame.state} of {self._num_states}"


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """A finite MDP with everything else that an environment needs.

    Args:
        name: the name under which it is registered, without version: "LineWalk".
        mdp: the dynamics.
        max_episode_steps: registered time limit in steps, or None for none.
        action_names: a name for each of the table's A actions.
        observation: what the agent sees in each state.
        drawing: how it is drawn.
        simultaneous: sizes of the choices that make up one action, for a MultiDiscrete action space. The
            table's actions are their combinations, the last choice varying fastest. Empty for `Discrete(A)`.
        goal_states: an episode that ends by arriving in one of them is a success, [S] bool; None without a goal.
        action_info: numbers for `info` about the last step's state and action, each [S, A] float64.
        keys: the keys for playing with the keyboard, with the action of each.
        layout: where the states are on a map, for worlds that have one; options are derived from it.

    Raises:
        ValueError: parts that do not fit together.
        TypeError: a part of the wrong type.
    """

    name: str
    mdp: FiniteMDP
    max_episode_steps: int | None
    action_names: tuple[str, ...]
    observation: Observation
    drawing: Drawing
    simultaneous: tuple[int, ...] = ()
    goal_states: np.ndarray | None = None  # [S] bool
    action_info: Mapping[str, np.ndarray] = field(default_factory=dict)  # each [S, A] float64
    keys: Mapping[str, int] = field(default_factory=dict)
    layout: Layout | None = None

    def __post_init__(self) -> None:
        mdp = self.mdp
        if self.max_episode_steps is not None:
            check_integer("max_episode_steps", self.max_episode_steps, low=1)
        if len(self.action_names) != mdp.num_actions:
            raise ValueError(f"action_names must name {mdp.num_actions} actions, but has {len(self.action_names)}")
        if self.simultaneous and math.prod(self.simultaneous) != mdp.num_actions:
            raise ValueError(f"simultaneous choices {self.simultaneous} must make up {mdp.num_actions} actions")
        _check_observation(self.observation, mdp.num_states)
        if self.goal_states is not None:
            if self.goal_states.dtype != np.bool_:
                raise TypeError(f"goal_states must hold bools, but has dtype {self.goal_states.dtype}")
            if self.goal_states.shape != (mdp.num_states,):
                raise ValueError(f"goal_states must have shape ({mdp.num_states},), but has {self.goal_states.shape}")
        for name, table in self.action_info.items():
            if name == "is_success":
                raise ValueError("action_info must not be called 'is_success': that says whether a goal was reached")
            shape = (mdp.num_states, mdp.num_actions)
            if table.shape != shape:
                raise ValueError(f"action_info {name!r} must have shape {shape}, but has {table.shape}")
        for key, action in self.keys.items():
            check_integer(f"the action of key {key!r}", action, low=0, high=mdp.num_actions - 1)

    @cached_property
    def action_space(self) -> spaces.Discrete | spaces.MultiDiscrete:
        """The space of actions: `Discrete(A)`, or MultiDiscrete where an action is made of several choices."""
        if self.simultaneous:
            return spaces.MultiDiscrete(np.array(self.simultaneous, dtype=np.int64))
        return spaces.Discrete(self.mdp.num_actions)

    def __deepcopy__(self, memo: dict[int, Any]) -> World:
        return self  # nothing in it changes


def _check_observation(observation: Observation, num_states: int) -> None:
    """Check that an observation covers all states and fits its space; the first and the last state are tried."""
    if isinstance(observation, Index) and observation.space.n != num_states:
        raise ValueError(f"observation must show {num_states} states, but shows {observation.space.n}")
    for state in (0, num_states - 1):
        try:
            seen = observation.of(state)
        except IndexError:
            raise ValueError(f"observation must show {num_states} states, but has none for state {state}") from None
        row = observation.batch(np.array([state]))
        for shown in (seen, *([row[0]] if isinstance(row, np.ndarray) else [])):  # of dictionaries there is no row
            if not observation.space.contains(shown):
                raise ValueError(f"observation must lie in {observation.space}, but state {state} shows {shown!r}")


def initial_state(world: World, options: dict[str, Any] | None) -> int | None:
    """The state requested by `reset(options={"state": s})`.

    Args:
        world: the world to start in.
        options: the argument of reset.

    Returns:
        The state, or None if the options have none.

    Raises:
        ValueError: a state out of range, or a terminal one.
        TypeError: a state that is not an integer.
    """
    if options is None or "state" not in options:
        return None
    state = check_integer("options['state']", options["state"], low=0, high=world.mdp.num_states - 1)
    if world.mdp.terminal_states[state]:
        raise ValueError(f"options['state'] must be a nonterminal state, but {state} is terminal")
    return state
