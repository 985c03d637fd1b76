r"""A random MDP without terminal states.

     (0)---> (3)        each arrow has a probability p(s'|s, a) and a reward r(s, a, s'),
      ^  \    |         both drawn once, when the world is built; an episode follows
      |   v   v         the arrows until its time limit
     (4)<--- (1) ...

State: its index, one of `num_states`; 5 by default.
Actions: one of `num_actions`; 3 by default. What they do differs from state to state.
Rewards: r(s, a, s'), standard normal, fixed when the world is built.
Start: state 0.
Episode end: never; the registered time limit is 100 steps.
Exact solution: no formula, but the table is small: v*(0) = 16.0099860369 with the default arguments.
Source: Archibald, McKinnon & Thomas (1995), On the generation of Markov decision processes (Garnet).
"""

from __future__ import annotations

import math

import numpy as np

from rl_envs.drawing.canvas import Canvas
from rl_envs.drawing.picture import Point
from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer, start_distribution
from rl_envs.worlds.observation import Index, choose
from rl_envs.worlds.world import Drawing, Frame, World

# Above this many states, a drawing shows only the current one and its successors.
MAX_DRAWN = 16


def random_mdp(
    *,
    num_states: int = 5,
    num_actions: int = 3,
    model_seed: int = 0,
    branching: int | None = None,
    discount: float = 0.95,
    observation: str = "index",
) -> World:
    """Draw a random MDP; the same arguments always give the same one.

    Args:
        num_states: S, at least 1.
        num_actions: A, at least 1.
        model_seed: seed of the generator that draws the table, at least 0. Independent of `reset(seed=)`.
        branching: number of different next states of each state and action, in 1..S (a Garnet, whose table takes memory
            proportional to S x A x branching); None for all states, with uniform weights.
        discount: gamma, in [0, 1].
        observation: "index" (Discrete) or "one_hot" (Box).

    Returns:
        The world.

    Raises:
        ValueError: an argument out of range; the message says which.
        TypeError: an argument of the wrong type.
    """
    num_states = check_integer("num_states", num_states, low=1)
    num_actions = check_integer("num_actions", num_actions, low=1)
    generator = np.random.default_rng(check_integer("model_seed", model_seed, low=0))
    if branching is None:
        shape = (num_states, num_actions, num_states)
        probability, next_state = _dense(generator, shape)
    else:
        shape = (num_states, num_actions, check_integer("branching", branching, low=1, high=num_states))
        probability, next_state = _garnet(generator, shape)
    mdp = FiniteMDP(
        probability=probability,
        next_state=next_state,
        reward=generator.standard_normal(shape),
        terminated=np.zeros(shape, dtype=np.bool_),
        start=start_distribution(0, num_states),
        discount=discount,
    )
    return World(
        name="RandomMDP",
        mdp=mdp,
        max_episode_steps=100,
        action_names=tuple(f"action {action}" for action in range(num_actions)),
        observation=choose(observation, {"index": Index(num_states)}),
        drawing=GraphDrawing(mdp),
        keys={str(action): action for action in range(min(num_actions, 10))},
    )


def _dense(generator: np.random.Generator, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and next states [S, A, S]: every state may follow, with uniform weights made to sum to 1."""
    weights = generator.random(shape)
    next_state = np.broadcast_to(np.arange(shape[2]), shape)
    return weights / weights.sum(axis=2, keepdims=True), next_state


def _garnet(generator: np.random.Generator, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and next states [S, A, branching]: sorted uniform cuts of [0, 1], and states without repeats."""
    num_states, num_actions, branching = shape
    # Floyd's algorithm for a random subset, all pairs at once: it needs no [S, A, S] and no second try.
    # Source: Bentley & Floyd (1987), Programming pearls: a sample of brilliance.
    next_state = np.empty(shape, dtype=np.int64)
    for k, largest in enumerate(range(num_states - branching, num_states)):
        drawn = generator.integers(largest + 1, size=(num_states, num_actions))
        taken = (next_state[:, :, :k] == drawn[:, :, None]).any(axis=2)
        next_state[:, :, k] = np.where(taken, largest, drawn)
    cuts = np.sort(generator.random((num_states, num_actions, branching - 1)), axis=2)
    return np.diff(cuts, axis=2, prepend=0.0, append=1.0), next_state


class GraphDrawing(Drawing):
    """The states as a graph with the current one highlighted; of many states, only that one and its successors."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self._mdp = mdp

    @property
    def size(self) -> tuple[int, int]:
        """A circle of states."""
        return 520, 350

    def text(self, frame: Frame) -> str:
        """The states with the current one in brackets, or its number and those of its successors."""
        num_states = self._mdp.num_states
        if num_states <= MAX_DRAWN:
            return " ".join(f"[{s}]" if s == frame.state else f" {s} " for s in range(num_states))
        chances = self._chances(frame.state)
        others = ", ".join(str(state) for state in list(chances)[:MAX_DRAWN])
        more = ", ..." if len(chances) > MAX_DRAWN else ""
        return f"state [{frame.state}] of 0..{num_states - 1}; next may be {others}{more}"

    def paint(self, canvas: Canvas, frame: Frame) -> None:
        """States as discs, arrows to where the next step may lead, and the last step in the agent's colour."""
        places = self._places(canvas, frame)
        center = places.pop(-1)
        here = places[frame.state]
        radius = 20.0
        if self._mdp.num_states <= MAX_DRAWN:
            for state in places:
                for following in self._chances(state):
                    canvas.line(places[state], places[following], "grid", 1)
        for following, chance in self._chances(frame.state).items():
            width = 1 + 7 * chance
            if following == frame.state:
                canvas.loop(here, _beside(here, center), radius, "sky", width)
            elif following in places:
                canvas.arrow(here, _short_of(here, places[following], radius + 2), "sky", width)
        if frame.previous_state is not None and frame.previous_state in places:
            before = places[frame.previous_state]
            if frame.previous_state == frame.state:
                canvas.loop(here, _beside(here, center), radius + 4, "agent", 4)
            else:
                # A little to one side, so that an arrow of the next step along the same line stays in sight.
                right, down = _away(here, before)
                start, end = ((x - 6 * down, y + 6 * right) for x, y in (before, _short_of(before, here, radius + 5)))
                canvas.arrow(start, end, "agent", 4)
        hint = "blue: possible next states, wider if more probable; orange: the last step"
        canvas.text((canvas.area.x, canvas.area.bottom - 6), hint, 11, "faint", align="left")
        for state, place in places.items():
            canvas.node(place, state, radius=radius, lit=state == frame.state)
            best = [str(action) for action in range(self._mdp.num_actions) if canvas.weight(state, action) >= 0.01]
            if best:
                right, down = _away(place, center)
                label = (place[0] + right * (radius + 26), place[1] + down * (radius + 16))
                canvas.text(label, f"do {','.join(best)}", 12)

    def _chances(self, state: int) -> dict[int, float]:
        """The probability of each next state under the uniform policy, the most probable first."""
        chances: dict[int, float] = {}
        num_actions = self._mdp.num_actions
        for following, chance in zip(
            self._mdp.next_state[state].ravel().tolist(), self._mdp.probability[state].ravel().tolist(), strict=True
        ):
            if chance > 0:
                chances[following] = chances.get(following, 0.0) + chance / num_actions
        return dict(sorted(chances.items(), key=lambda item: (-item[1], item[0])))

    def _places(self, canvas: Canvas, frame: Frame) -> dict[int, Point]:
        """Where each state drawn is; the key -1 has the middle, which arrows and labels point away from."""
        x, y = canvas.area.center
        y -= 6
        if self._mdp.num_states <= MAX_DRAWN:
            around, first = list(range(self._mdp.num_states)), -0.5
            places = {-1: (x, y)}
        else:
            likely = [state for state in self._chances(frame.state) if state != frame.state]
            around, first = likely[:MAX_DRAWN], -0.5
            if frame.previous_state is not None and frame.previous_state != frame.state:
                around = [frame.previous_state, *(state for state in around if state != frame.previous_state)]
                first = -1.0  # where the episode came from is on the left
            places = {-1: (x, y - 1), frame.state: (x, y)}
        for number, state in enumerate(around):
            angle = math.pi * (first + 2 * number / len(around))
            places[state] = (x + 190 * math.cos(angle), y + 125 * math.sin(angle))
        return places


def _away(place: Point, center: Point) -> Point:
    """The direction from the center to a place, of length 1."""
    right, down = place[0] - center[0], place[1] - center[1]
    length = math.hypot(right, down)
    return (right / length, down / length) if length else (0.0, -1.0)


def _beside(place: Point, center: Point) -> Point:
    """Away from the center, turned aside so far that a label further out stays free."""
    right, down = _away(place, center)
    return right - down, right + down


def _short_of(start: Point, end: Point, distance: float) -> Point:
    """The point a number of pixels before the end of the line from start to end."""
    right, down = _away(end, start)
    return end[0] - right * distance, end[1] - down * distance
