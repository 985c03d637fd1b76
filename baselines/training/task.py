"""A task: an environment with its spaces, its discount and, where there is one, its table.

An agent learns from observations and rewards alone. The table behind a task is for scoring what it learned, and for
the few agents that are allowed to use it (`Optimal`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_envs.exact import NoTableError, Truth, truth
from rl_envs.extraction.explored import tabulate_env
from rl_envs.making import make_environment, parameters_of
from rl_envs.mdp.finite_mdp import check_discount
from rl_envs.registry import WORLDS, build_named, own_world
from rl_envs.specification import Specification, named, refuse
from rl_envs.user_file import is_in_file
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import World

# Gamma for environments without one.
DEFAULT_DISCOUNT = 0.99


@dataclass(frozen=True, eq=False)
class Task:
    """What to learn.

    Args:
        name: its name in tables, files and seeds: "LineWalk", "LineWalk:size=9", "CartPole-v1".
        environment: the registered world's name, the Gymnasium id, or the place of a user's own environment.
        arguments: keyword arguments of what makes it.
        discount: gamma.
        max_episode_steps: the time limit in steps, or None.
        observation_space: space of one copy's observation.
        action_space: space of one copy's action.
        truth: the exact answers, or None where there is no table.
        world: the world, or None where the environment is not one of ours.
    """

    name: str
    environment: str
    arguments: Mapping[str, Any]
    discount: float
    max_episode_steps: int | None
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]
    truth: Truth | None
    world: World | None

    @property
    def num_actions(self) -> int:
        """A; raises TypeError where actions cannot be counted."""
        if not isinstance(self.action_space, spaces.Discrete):
            raise TypeError(f"the actions of {self.name} must be Discrete, but are {self.action_space}")
        if self.action_space.start != 0:
            raise TypeError(f"the actions of {self.name} must be numbered from 0, but are {self.action_space}")
        return int(self.action_space.n)

    @property
    def num_observations(self) -> int:
        """The number of distinct observations; raises TypeError where they cannot be counted."""
        space = self.observation_space
        if isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)):
            # The space of Gymnasium before 1.0 has no start where it is a MultiDiscrete one.
            if np.any(getattr(space, "start", 0)) or np.ndim(getattr(space, "nvec", 0)) > 1:
                raise TypeError(
                    f"the observations of {self.name} must be numbered from 0 and lie in a row to be counted, "
                    f"but are {space}"
                )
            return int(np.prod(space.n if isinstance(space, spaces.Discrete) else space.nvec))
        raise TypeError(
            f"the observations of {self.name} must be Discrete or MultiDiscrete to be counted, "
            f"but are {self.observation_space}"
        )

    def observation_index(self, observation: np.ndarray) -> np.ndarray:
        """Number observations 0, 1, ..., num_observations - 1, for tables that are indexed by them.

        Args:
            observation: one a run, [R] where Discrete or [R, m] where MultiDiscrete.

        Returns:
            Numbers [R] of int64.
        """
        if isinstance(self.observation_space, spaces.MultiDiscrete):
            return np.ravel_multi_index(tuple(observation.T), tuple(self.observation_space.nvec))
        return observation

    @property
    def table_hash(self) -> str | None:
        """The hash of the table's content, or None where there is no table."""
        return None if self.truth is None else self.truth.mdp.content_hash

    @property
    def metadata(self) -> dict[str, Any]:
        """The task's description in a saved agent's file."""
        return {
            "environment": self.environment,
            "arguments": dict(self.arguments),
            "discount": self.discount,
            "table": self.table_hash,
        }

    @cached_property
    def observation_index_in_state(self) -> np.ndarray:
        """The index of the observation in each state, [S]; raises TypeError where there is no table."""
        return self.observation_index(self.observation_in_state)

    @cached_property
    def observation_in_state(self) -> np.ndarray:
        """The observation in each state, [S, ...]; raises TypeError where there is no table."""
        if self.truth is None:
            raise TypeError(f"{self.name} has no table, so its states cannot be listed")
        states = np.arange(self.truth.mdp.num_states)
        # Third-party environments have a table only if the observation is the state itself.
        return states if self.world is None else self.world.observation.batch(states)

    def revealed(self) -> Task:
        """The same task with the state as observation, for agents that are allowed to see it."""
        if self.truth is None:
            raise TypeError(f"{self.name} has no table, so its state cannot be shown")
        if self.world is None:
            return self
        world = replace(self.world, observation=Index(self.world.mdp.num_states))
        return replace(self, world=world, truth=truth(world), observation_space=world.observation.space)

    def make_vector(self, num_envs: int) -> gym.vector.VectorEnv[Any, Any, Any]:
        """A vector environment that resets within the step that ends an episode (SAME_STEP)."""
        from gymnasium.vector import AutoresetMode

        if self.world is not None:
            from rl_envs.envs.tabular_vector_env import TabularVectorEnv

            return TabularVectorEnv(
                self.world,
                num_envs=num_envs,
                max_episode_steps=self.max_episode_steps,
                autoreset_mode=AutoresetMode.SAME_STEP,
            )
        if self.environment == "CartPole-v1" and not self.arguments:
            from baselines.training.cart_pole import CartPoleVectorEnv

            return CartPoleVectorEnv(num_envs)
        if is_in_file(self.environment):
            copies = [partial(make_environment, self.environment, self.arguments)] * num_envs
            return gym.vector.SyncVectorEnv(copies, autoreset_mode=AutoresetMode.SAME_STEP)
        return gym.make_vec(
            self.environment,
            num_envs=num_envs,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
            **self.arguments,
        )

    def make_single(self) -> gym.Env[Any, Any]:
        """One environment, with its time limit."""
        if self.world is not None:
            from gymnasium.wrappers import TimeLimit

            from rl_envs.envs.tabular_env import TabularEnv

            env = TabularEnv(self.world)
            return env if self.max_episode_steps is None else TimeLimit(env, self.max_episode_steps)
        return make_environment(self.environment, self.arguments)


# What a task is made of: a name or a Gymnasium id, a world, or a task as it is.
TaskLike = Task | World | str


def make_task(environment: TaskLike, *, discount: float | None = None, **arguments: Any) -> Task:
    """Make a task of a world or of any Gymnasium environment.

    Args:
        environment: a name, perhaps with settings: that of a registered world ("LineWalk", "LineWalk:size=9"), its id
            ("rl_envs/LineWalk-v0", or that of its one-hot twin), the id of another Gymnasium environment, or the place
            of one of your own ("my_module:MyEnv-v0:size=3", "file.py:make_env:size=3"). Environments that are not ours
            take the setting explore=true: they are walked, as `tabulate_env` does, and are a world from then on,
            scored exactly. Or a `World`; or a `Task`, which is given back as it is.
        discount: gamma; the world's own by default, 0.99 for an environment without a table.
        **arguments: settings of the world or the environment, beside those behind its name.

    Returns:
        The task.

    Raises:
        ValueError: an unknown name, naming the nearest, a value that the world refuses, or an environment whose own
            packages are not installed.
        TypeError: an argument that the world does not take, one given twice, or a word for a number.
    """
    if isinstance(environment, Task):
        return environment
    if isinstance(environment, World):
        if arguments or discount is not None:
            raise TypeError("a World is built already and takes neither arguments nor a discount")
        return _task_of_world(environment, environment.name, {})
    if not isinstance(environment, str):
        raise TypeError(f"environment must be a name, an id or a World, but is {environment!r}")
    specification = Specification.parse(environment)
    given = arguments if discount is None else {**arguments, "discount": discount}
    return _make_named(Specification(specification.name, specification.also(given)))


def registered_task(metadata: Mapping[str, Any]) -> Task | None:
    """The task that `Task.metadata` describes; None where nothing is registered by its name."""
    environment, arguments = metadata["environment"], metadata["arguments"]
    if environment in WORLDS:
        return _make_named(Specification(environment, arguments))
    if environment in gym.registry:  # these have no discount of their own, so the one they were given is passed on
        return _make_named(Specification(environment, {**arguments, "discount": metadata["discount"]}))
    return None


@lru_cache(maxsize=64)
def task_of(specification: Specification) -> Task:
    """The task of a specification, made and solved once per process.

    Args:
        specification: of a world or an environment.

    Returns:
        The task.

    Raises:
        ValueError, TypeError: as `make_task`.
    """
    with named(specification):
        return _make_named(specification)


def _make_named(specification: Specification) -> Task:
    name, arguments = specification.name, dict(specification.settings)
    own = own_world(name)
    if own is not None:
        world, preset = own
        arguments = {**preset, **arguments}
        return _task_of_world(build_named(world, arguments), world, arguments)
    if "explore" in arguments and "explore" not in (parameters_of(name) or {}):
        return _task_of_explored(name, arguments)
    return _task_of_environment(name, arguments.pop("discount", DEFAULT_DISCOUNT), arguments)


def _task_of_world(world: World, environment: str, arguments: Mapping[str, Any]) -> Task:
    return Task(
        name=Specification(environment, arguments).label,
        environment=environment,
        arguments=dict(arguments),
        discount=world.mdp.discount,
        max_episode_steps=world.max_episode_steps,
        observation_space=world.observation.space,
        action_space=world.action_space,
        truth=truth(world),
        world=world,
    )


def _task_of_explored(environment: str, settings: Mapping[str, Any]) -> Task:
    """The task of an environment that is walked first."""
    arguments = dict(settings)
    explore = arguments.pop("explore")
    if not isinstance(explore, bool):
        refuse(f"{environment}'s explore", explore, False)
    discount = check_discount(arguments.pop("discount", DEFAULT_DISCOUNT))
    if not explore:
        return _task_of_environment(environment, discount, arguments)
    label = Specification(environment, settings).label
    env = make_environment(environment, arguments)
    try:
        world = tabulate_env(env, discount=discount, name=label)
    finally:
        env.close()
    return _task_of_world(world, environment, settings)


def _task_of_environment(environment: str, discount: float, arguments: Mapping[str, Any]) -> Task:
    discount = check_discount(discount)
    env = make_environment(environment, arguments)
    env.close()
    return Task(
        name=Specification(environment, arguments).label,
        environment=environment,
        arguments=dict(arguments),
        discount=discount,
        max_episode_steps=None if env.spec is None else env.spec.max_episode_steps,
        observation_space=env.observation_space,
        action_space=env.action_space,
        truth=_truth_of_others(env, discount),
        world=None,
    )


def _truth_of_others(env: gym.Env[Any, Any], discount: float) -> Truth | None:
    """The exact answers of a third-party environment with a whole table; None where scores are sampled."""
    try:
        return truth(env, discount=discount)
    except NoTableError:
        return None
