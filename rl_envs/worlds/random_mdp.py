r"""A random MDP that never ends.

     (0)---> (3)        every arrow a chance p(s'|s, a) drawn once, when the world is built,
      ^  \    |         every arrow's reward r(s, a, s') likewise; an episode goes on along
      |   v   v         them until its time limit
     (4)<--- (1) ...

State: one of `num_states`, as its index; 5 by default.
Actions: one of `num_actions`; 3 by default. What they do differs from state to state.
Rewards: r(s, a, s'), standard normal, fixed when the world is built.
Start: state 0.
Episode end: never; the registered time limit is 100 steps.
Exact solution: no formula, but the table is small: v*(0) = 16.0099860386 with the default arguments.
Source: Archibald, McKinnon & Thomas (1995), On the generation of Markov decision processes (Garnet).
"""

from __future__ import annotations

import numpy as np

from rl_envs.mdp import FiniteMDP, check_integer, start_distribution
from rl_envs.observation import Index, choose
from rl_envs.world import Drawing, Moment, World

# Above this many states the text drawing gives the state's number alone.
MAX_NUMBERS_IN_TEXT = 20


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
        model_seed: seed of the generator that draws the table, at least 0. It has nothing to do with `reset(seed=)`.
        branching: how many different next states each state and action has, in 1..S (a Garnet, whose table takes memory
            in proportion to S x A x branching); None for all of them, with uniform weights.
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
    """The states as numbers, the present one in brackets; it holds the table, whose outcomes are the graph's arrows."""

    def __init__(self, mdp: FiniteMDP) -> None:
        self.mdp = mdp

    def text(self, moment: Moment) -> str:
        """The states, and below them the last action and what it paid."""
        num_states = self.mdp.num_states
        if num_states > MAX_NUMBERS_IN_TEXT:
            line = f"state [{moment.state}] of 0..{num_states - 1}"
        else:
            line = " ".join(f"[{s}]" if s == moment.state else f" {s} " for s in range(num_states))
        if moment.action is None:
            return line
        return f"{line}\naction {moment.action}, reward {moment.reward:+.3f}"
