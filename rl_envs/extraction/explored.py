"""Any environment of finitely many states as a world: its exact table, found by walking it.

    world = rl_envs.tabulate_env(env)
    rl_envs.truth(world).optimal_value

Nothing about the environment need be told. Its random generator is replaced by one whose draws are branches, so that
each step is run once for each way in which chance can fall; what it remembers is taken down and put back. In the end
real steps of the environment are compared with the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_envs.extraction.cache import cached_file, keep, load_cached
from rl_envs.extraction.explored_world import Account, ExploredWorld
from rl_envs.extraction.observation import Recorded, stacked
from rl_envs.extraction.own_picture import OwnPicture, OwnRender
from rl_envs.extraction.progress import Progress
from rl_envs.extraction.replay import Proof, replay
from rl_envs.extraction.session import Session
from rl_envs.extraction.walk import Limits, Walk, Walker
from rl_envs.mdp.finite_mdp import check_discount, check_integer, check_probability
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import Drawing, StateNumber

CLOCKS = ("layers", "stopped")


def tabulate_env(
    env: gym.Env[Any, Any] | str,
    *,
    discount: float = 0.99,
    state: Callable[[Any], Any] | Sequence[str] | str | None = None,
    ignore: Sequence[str] | str = (),
    clock: str | None = None,
    seed: int | None = None,
    observation: str = "own",
    name: str | None = None,
    max_states: int = 200_000,
    max_branches: int = 100_000,
    skip_below: float = 1e-9,
    check_steps: int = 10_000,
    progress: bool = False,
    cache: str | Path | None = None,
) -> ExploredWorld:
    """Walk an environment of finitely many states, and write down its exact table.

    The environment is left as it was.

    Args:
        env: a Gymnasium environment, with wrappers if any, or an id.
        discount: gamma of the world; no environment carries one.
        state: what tells states apart: a function of the unwrapped environment, names of its attributes, or
            "observation". Left out, all that it remembers. Checked: states with one key must have one law of outcomes.
        ignore: names of attributes that decide nothing, to be left out of the state. Checked likewise; those that are
            found to decide nothing are left out without being named.
        clock: what to do with an attribute that counts an episode's steps if rewards depend on it: "layers" keeps it in
            the state, "stopped" holds it at its first value.
        seed: passed to every reset, which then draws nothing; left out, all ways to start are walked.
        observation: "own" for what the environment shows, "index" for the state's number.
        name: of the world; the environment's id or class when left out.
        max_states: more states are refused.
        max_branches: more ways for one step to go are refused.
        skip_below: branches of chance less likely than this are left out; `optimum_interval` says what that can cost.
        check_steps: how many random steps of the real environment are compared with the table; 0 for none.
        progress: whether to print how far it is, to standard error.
        cache: a folder to keep the world in; it is loaded from there, drawn by its states' numbers alone, until the
            environment's source, its arguments, those given here or a version changes.

    Returns:
        The world. Its states are those in which an episode can go on, in the order in which they are reached, and then
        one for each observation at an end.

    Raises:
        NotTabular: the environment has no finite table, or the table is not the environment; a ValueError.
        TypeError: something else than a Gymnasium environment, or actions that cannot be counted.
    """
    if isinstance(env, str):
        made = gym.make(env)
        try:
            return tabulate_env(
                made, discount=discount, state=state, ignore=ignore, clock=clock, seed=seed, observation=observation,
                name=name, max_states=max_states, max_branches=max_branches, skip_below=skip_below,
                check_steps=check_steps, progress=progress, cache=cache,
            )  # fmt: skip
        finally:
            made.close()
    if not isinstance(env, gym.Env):
        raise TypeError(f"tabulate_env() takes a Gymnasium environment or its id, not {env!r}")
    check_discount(discount)
    if clock is not None and clock not in CLOCKS:
        raise ValueError(f"clock must be one of {', '.join(CLOCKS)} or None, but is {clock!r}")
    if observation not in ("own", "index"):
        raise ValueError(f'observation must be "own" or "index", but is {observation!r}')
    limits = Limits(
        check_integer("max_states", max_states, low=1),
        check_integer("max_branches", max_branches, low=1),
        check_probability("skip_below", skip_below),
    )
    check_integer("check_steps", check_steps, low=0)
    actions, sizes = actions_of(env)
    called = name or _name_of(env)
    kept = None
    if cache is not None:
        options = [state, ignore, clock, seed, observation, check_steps]
        kept = cached_file(cache, called, env, discount, limits, options)
        known = load_cached(kept)
        if known is not None:
            return known

    with Session(env, limits, state=state, seed=seed) as session:
        walker = Walker(
            session.stepper,
            actions,
            limits,
            ignore=(ignore,) if isinstance(ignore, str) else tuple(ignore),
            clock=clock,
            check=session.shared.check,
            progress=Progress(called, limits.max_states) if progress else None,
        )
        walk = walker.walk()
        proof = replay(session, walk, actions, check_steps, clock=clock) if check_steps else None
        limit = session.layers.max_episode_steps
    render = OwnRender(session.layers, session.stepper.contents, walk.contents)
    drawing = OwnPicture(render, len(walk.contents)) if render.modes else None
    world = _world(env, walk, proof, called, sizes, discount, limit, observation, drawing)
    if kept is not None:
        keep(world, kept)
    return world


def actions_of(env: gym.Env[Any, Any]) -> tuple[list[Any], tuple[int, ...]]:
    """The actions of an environment in the table's order, and the sizes of their choices if they have several.

    Args:
        env: the environment.

    Returns:
        The actions as the space samples them, and () for a Discrete space.

    Raises:
        TypeError: no spaces, or actions that cannot be counted.
    """
    for kind in missing_spaces(env):
        raise TypeError(
            f"an environment must have an {kind}, but {_name_of(env)} has none: set self.{kind} in __init__()"
        )
    space = env.action_space
    if isinstance(space, spaces.Discrete):
        return [space.dtype.type(space.start + action) for action in range(int(space.n))], ()
    if isinstance(space, spaces.MultiDiscrete) and np.ndim(space.nvec) == 1:
        sizes = tuple(int(size) for size in space.nvec)
        start = getattr(space, "start", 0)
        return [np.array(index, dtype=space.dtype) + start for index in np.ndindex(*sizes)], sizes
    raise TypeError(
        f"actions must be Discrete or MultiDiscrete to be counted, but those of {_name_of(env)} are {space}: wrap the "
        "environment in one that offers some of them"
    )


def missing_spaces(env: gym.Env[Any, Any]) -> list[str]:
    """Which of "action_space" and "observation_space" an environment lacks.

    Args:
        env: the environment.
    """
    return [kind for kind in ("action_space", "observation_space") if getattr(env, kind, None) is None]


def _world(
    env: gym.Env[Any, Any],
    walk: Walk,
    proof: Proof | None,
    name: str,
    sizes: tuple[int, ...],
    discount: float,
    limit: int | None,
    observation: str,
    drawing: Drawing | None,
) -> ExploredWorld:
    num_states = len(walk.contents)
    start = np.zeros(num_states)
    for state, probability in walk.start.items():
        start[state] += probability
    mdp = walk.table.mdp(start / start.sum(), discount)
    left_out = None
    if walk.left_out:
        left_out = np.zeros((num_states, walk.num_actions))
        left_out.ravel()[list(walk.left_out)] = list(walk.left_out.values())
    clock = walk.clock
    limits = [steps for steps in (limit, clock.limit if clock else None) if steps is not None]
    account = Account(
        environment=_name_of(env),
        states=walk.states,
        steps=walk.steps,
        seconds=walk.seconds,
        left_out=max([walk.start_left_out, *walk.left_out.values()]),
        clock=clock.slot[1] if clock else None,
        clock_limit=clock.limit if clock else None,
        clock_terminates=bool(clock and clock.terminates),
        ignored=tuple(walk.ignored),
        proof=proof,
    )
    return ExploredWorld(
        name=name,
        mdp=mdp,
        max_episode_steps=min(limits, default=None),
        action_names=_action_names(env, walk.num_actions),
        observation=_observation(env, walk) if observation == "own" else Index(num_states),
        drawing=drawing or StateNumber(num_states),
        simultaneous=sizes,
        account=account,
        left_out=left_out,
        start_left_out=walk.start_left_out,
    )


def _observation(env: gym.Env[Any, Any], walk: Walk) -> Recorded:
    """What is seen in each state, equal ones once."""
    first: dict[Any, int] = {}
    distinct: list[Any] = []
    which: list[int] = []
    for seen, observation in zip(walk.seen, walk.observations, strict=True):
        if seen not in first:
            first[seen] = len(distinct)
            distinct.append(observation)
        which.append(first[seen])
    return Recorded(env.observation_space, stacked(env.observation_space, distinct), np.array(which))


def _action_names(env: Any, num_actions: int) -> tuple[str, ...]:
    """The environment's own names for its actions where it has an enumeration of them, else their numbers."""
    names = getattr(env.unwrapped, "actions", None)
    if isinstance(names, type) and hasattr(names, "__members__") and len(names.__members__) == num_actions:
        return tuple(names.__members__)
    return tuple(f"action {action}" for action in range(num_actions))


def _name_of(env: Any) -> str:
    return str(env.spec.id) if getattr(env, "spec", None) is not None else type(env.unwrapped).__name__
