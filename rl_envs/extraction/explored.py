"""Any environment of finitely many states as a world: its exact table, found by walking it.

    world = rl_envs.tabulate_env(env)
    rl_envs.truth(world).optimal_value

Nothing about the environment need be told. Its random generator is replaced by one whose draws are branches, so that
each step is run once for each way in which chance can fall; what it remembers is taken down and put back. In the end
real steps of the environment are compared with the table.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.content import References
from rl_envs.extraction.contents import Contents
from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.global_random import GlobalGenerators
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.observation import Recorded, stacked
from rl_envs.extraction.own_picture import OwnRender, own_picture
from rl_envs.extraction.progress import Progress
from rl_envs.extraction.python_random import EnumeratingRandom
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.replay import Proof, replay
from rl_envs.extraction.stepping import Stepper
from rl_envs.extraction.walk import Limits, Walk, Walker
from rl_envs.mdp.finite_mdp import check_discount, check_integer, check_probability
from rl_envs.mdp.solve import solve
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import Drawing, StateNumber, World

CLOCKS = ("layers", "stopped")


@dataclass(frozen=True)
class Account:
    """How a world was found.

    Attributes:
        environment: the id or the class of the environment.
        states: how many states an episode can go on in; the world's further states only stand for its end.
        steps: how many of its steps were run.
        seconds: how long the walk took.
        left_out: the largest mass of chance that was left out of any step or the start, because each branch of it was
            less likely than `skip_below`.
        clock: name of the attribute that counts an episode's steps, if one was found and held still.
        clock_limit: the number of steps after which it ends the episode, or None.
        clock_terminates: whether it then says `terminated`.
        ignored: names of attributes that decide nothing, and are no part of the state.
        proof: how the real environment's steps fared in the table, or None where it was not asked for.
    """

    environment: str
    states: int
    steps: int
    seconds: float
    left_out: float
    clock: str | None
    clock_limit: int | None
    clock_terminates: bool
    ignored: tuple[str, ...]
    proof: Proof | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ExploredWorld(World):
    """A world that was found by walking an environment.

    Args:
        account: how it was found.
        left_out: the mass of chance left out of each pair, [S, A], or None where none was.
        start_left_out: the mass left out of the start.
    """

    account: Account
    left_out: np.ndarray | None = None  # [S, A]
    start_left_out: float = 0.0

    def optimum_interval(self) -> tuple[float, float]:
        """Between which numbers the optimal value lies, whatever happens in the branches of chance that were left out.

        Rewards there are taken to lie between the smallest and the largest seen, and an episode to last no longer than
        the time limit where the discount is 1.

        Returns:
            The lower and the upper bound.
        """
        mdp = self.mdp
        if self.left_out is None and not self.start_left_out:
            solution = solve(mdp)
            possible = mdp.start > 0
            value = float(solution.v_star[possible] @ mdp.start[possible])
            bound = float(solution.certificate.bound)
            return value - bound, value + bound
        return self._bound(-1), self._bound(1)

    def _bound(self, side: int) -> float:
        """The optimum where all that was left out is as bad (-1) or as good (1) as it may be."""
        mdp = self.mdp
        left_out = np.zeros(mdp.probability.shape[:2]) if self.left_out is None else self.left_out
        rewards = mdp.reward[mdp.probability > 0]
        extreme = float(min(rewards.min(), 0.0) if side < 0 else max(rewards.max(), 0.0))
        steps = 1 / (1 - mdp.discount) if mdp.discount < 1 else self.max_episode_steps
        if steps is None:
            return side * np.inf if extreme else 0.0
        worth = extreme * steps
        widened = _with_end(mdp, left_out, worth)
        solution = solve(widened)
        possible = mdp.start > 0
        value = float(solution.v_star[possible] @ mdp.start[possible])
        return (
            (1 - self.start_left_out) * value + self.start_left_out * worth + side * float(solution.certificate.bound)
        )


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
                check_steps=check_steps, progress=progress,
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
    drawing = own_picture(OwnRender(session.layers, session.stepper.contents, walk.contents), len(walk.contents))
    return _world(env, walk, proof, called, sizes, discount, limit, observation, drawing)


class Session:
    """An environment while it is being walked; afterwards it is as it was.

    Args:
        env: the environment.
        limits: how far to go.
        state: what tells states apart.
        seed: for reset.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        limits: Limits,
        *,
        state: Callable[[Any], Any] | Sequence[str] | str | None,
        seed: int | None,
    ) -> None:
        self.layers = Layers(env)
        self.shared = GlobalGenerators(self.layers.unwrapped)
        self.seed = seed
        self._limits = limits
        self._state = _state_function(state)

    def __enter__(self) -> Session:
        self.layers.connect()
        try:
            chance = Chance(skip_below=self._limits.skip_below, max_branches=self._limits.max_branches)
            generator = EnumeratingGenerator(chance)
            contents = Contents(self.layers, References(generator, EnumeratingRandom(generator), self.layers.parts))
            self.stepper = Stepper(self.layers, contents, generator, chance, self._state, self.seed)
            self.layers.seed_spaces(generator)
        except BaseException:
            self.layers.give_back()
            raise
        return self

    def play_for_real(self, seed: int) -> None:
        """Make the environment as it came, so that it draws as it does for its user."""
        self._real_seed = seed
        self.layers.give_back()
        self.layers.connect()
        self.stepper.contents.rewind((np.random.default_rng(seed), random.Random(seed)))

    def real_reset(self, episode: int, rng: np.random.Generator) -> Any:
        """Start an episode as the user would; the first one seeds the environment."""
        if self.seed is not None:
            observation, _ = self.layers.outermost.reset(seed=self.seed)
            # The same seed would let chance fall the same in every episode.
            self.layers.unwrapped.np_random = np.random.default_rng(int(rng.integers(2**31)))
            return observation
        observation, _ = (
            self.layers.outermost.reset(seed=self._real_seed) if episode == 0 else self.layers.outermost.reset()
        )
        return observation

    def real_key(self, observation: Any) -> Any:
        """The key of the state that the real environment is in."""
        return (
            self.stepper.key(observation)
            if self.stepper.state is not None
            else self.stepper.contents.take(own=False)[1]
        )

    def __exit__(self, *exception: Any) -> None:
        self.layers.give_back()
        self.shared.restore()


def actions_of(env: gym.Env[Any, Any]) -> tuple[list[Any], tuple[int, ...]]:
    """The actions of an environment in the table's order, and the sizes of their choices if they have several.

    Args:
        env: the environment.

    Returns:
        The actions as the space samples them, and () for a Discrete space.

    Raises:
        TypeError: actions that cannot be counted.
    """
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


def _state_function(state: Any) -> Callable[[Any, Any], Any] | None:
    """What `state=` asks for, as a function of the unwrapped environment and its observation."""
    if state is None:
        return None
    if callable(state):
        return lambda env, observation: state(env)
    if state == "observation":
        return lambda env, observation: observation
    names = (state,) if isinstance(state, str) else tuple(state)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"state must be a function, names of attributes or 'observation', but is {state!r}")

    def attributes(env: Any, observation: Any) -> Any:
        missing = [name for name in names if not hasattr(env, name)]
        if missing:
            raise NotTabular(f"state must name attributes of the environment, but it has no {missing[0]!r}")
        return tuple(getattr(env, name) for name in names)

    return attributes


def _with_end(mdp: Any, left_out: np.ndarray, worth: float) -> Any:
    """The table in which the mass left out ends the episode with a reward."""
    from dataclasses import replace

    pad = ((0, 0), (0, 0), (0, 1))
    probability = np.pad(mdp.probability * (1 - left_out)[:, :, None], pad)
    probability[:, :, -1] = left_out
    reward, terminated = np.pad(mdp.reward, pad), np.pad(mdp.terminated, pad)
    reward[:, :, -1], terminated[:, :, -1] = worth, True
    return replace(
        mdp,
        probability=probability,
        reward=reward,
        terminated=terminated,
        next_state=np.pad(mdp.next_state, pad),
        reward_std=None,
    )
