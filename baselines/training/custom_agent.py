"""Your own agents in a comparison: any function `train(env_fn, steps, seed) -> policy`.

    def train(env_fn, steps, seed):
        model = PPO("MlpPolicy", env_fn(), gamma=env_fn.discount, seed=seed)
        return model.learn(steps)

Each call of `env_fn()` makes a new copy of the world, an ordinary Gymnasium environment. The function returns whatever
`rl_envs.truth(...).score` takes: an array, a function of observations, or an object with Stable-Baselines3's `predict`.
It is scored exactly where the world has a table.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np

from baselines.system.atomic_files import StorageError
from baselines.system.workers import Mistake
from baselines.training.global_random import library_conventions
from baselines.training.origin import OURS, user_modules
from baselines.training.seeding import integer_seeds, run_seeds
from baselines.training.specification import WorldSpecification
from baselines.training.task import Task
from rl_envs.user_file import is_in_file, load_from_file

# Trains one run for a number of environment steps with a seed, and returns its policy.
TrainFunction = Callable[["EnvMaker", int, int], Any]

# Without a table, a score is the mean return of so many episodes, each cut off after so many steps.
EPISODES, MAX_STEPS = 10, 10_000


class EnvMaker:
    """Makes copies of a world for one run: the `env_fn` of a training function.

    Each copy and its spaces are seeded from the run's seed and the copy's number, so that a function that does not seed
    its environments is still reproducible.

    Args:
        world: where to learn.
        seed: of the run.

    Attributes:
        discount: gamma, with which the policy is scored.
    """

    def __init__(self, world: WorldSpecification, seed: int | np.random.SeedSequence) -> None:
        self.world = world
        self.discount = world.task.discount
        self._seeds = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        # In another process, a pickled copy of this would make the same environments again.
        self._process: int | None = os.getpid()

    def __call__(self) -> gym.Env[Any, Any]:
        """A new copy.

        Raises:
            RuntimeError: called in another process than the run's.
        """
        if self._process not in (None, os.getpid()):
            raise RuntimeError(
                "env_fn makes environments in its own process only, because several processes would make the same "
                "ones: give each process one of env_fn.copies(number)"
            )
        env = self.world.task.make_single()
        of_world, of_actions, of_observations = integer_seeds(self._seeds.spawn(3), bits=31)
        env.reset(seed=of_world)
        env.action_space.seed(of_actions)
        env.observation_space.seed(of_observations)
        return env

    def copies(self, number: int) -> list[EnvMaker]:
        """One maker per process, each with its own random numbers: `AsyncVectorEnv(env_fn.copies(4))`."""
        makers = [EnvMaker(self.world, seeds) for seeds in self._seeds.spawn(number)]
        for maker in makers:
            maker._process = None
        return makers


@dataclass(frozen=True)
class Trained:
    """The results of a function's runs.

    Attributes:
        scores: of each run's policy, [R].
        exact: whether they are exact, or means of sampled returns.
        seconds: training time of all runs.
        value_error: v*(s) - v_policy(s), the mean over runs, [S]; None where there is no table.
    """

    scores: np.ndarray
    exact: bool
    seconds: float
    value_error: np.ndarray | None


def train_function(
    function: TrainFunction, world: WorldSpecification, *, name: str, runs: range, steps: int, seed: int
) -> Trained:
    """Train some runs, one after the other, and score their final policies.

    Args:
        function: trains one run.
        world: where they learn.
        name: the agent's name; with the world and the run it decides the seeds.
        runs: the numbers of the runs.
        steps: environment steps per run, which the function itself must respect.
        seed: the base seed.

    Returns:
        Scores and errors.

    Raises:
        Mistake: the function returns no policy for this world.
    """
    task = world.task
    numbers = integer_seeds(run_seeds(seed, task.name, name, runs, "function"), bits=31)
    scores, errors, seconds = [], [], 0.0
    for number in numbers:
        env_fn = EnvMaker(world, number)
        started = time.perf_counter()
        # Global random generators give the same numbers in every process, and are restored afterwards.
        with library_conventions(number):
            policy = function(env_fn, steps, number)
            seconds += time.perf_counter() - started
            with mistakes_of(f"what {name} returns on {task.name}"):
                if policy is None:
                    raise TypeError("a training function must return a policy, but it returned None")
                if task.truth is None:
                    scores.append(mean_return(policy, task, number))
                else:
                    table = task.truth.policy_table(policy)
                    if table.ndim > 2:
                        raise ValueError(f"a training function must return one policy, but it returned {len(table)}")
                    scores.append(float(task.truth.score(table)))
                    errors.append(task.truth.loss(table))
    return Trained(np.array(scores), task.truth is not None, seconds, np.mean(errors, axis=0) if errors else None)


def mean_return(policy: Any, task: Task, seed: int) -> float:
    """The mean undiscounted return of a policy over episodes, where no table can evaluate it.

    Args:
        policy: a function of a batch of observations, or an object with `predict(observations, deterministic=True)`.
        task: where it plays.
        seed: of the episodes.

    Raises:
        TypeError: the policy cannot be asked for actions.
        ValueError: it returns something that is no action.
    """
    answer = _answers_of(policy, task)
    env = task.make_single()
    total = 0.0
    for episode in range(EPISODES):
        observation, _ = env.reset(seed=seed if episode == 0 else None)
        for _ in range(MAX_STEPS):
            action = _only_action(answer(np.asarray(observation)[None]), env.action_space)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
    env.close()
    return total / EPISODES


def _answers_of(policy: Any, task: Task) -> Callable[[np.ndarray], Any]:
    """A policy as a function of a batch of observations; raises TypeError if it cannot be asked for actions."""
    if hasattr(policy, "predict"):
        return lambda seen: policy.predict(seen, deterministic=True)[0]
    if callable(policy):
        return policy
    raise TypeError(f"{task.name} has no table, so its policies must be functions of observations, not {policy!r}")


def _only_action(answers: Any, space: gym.Space[Any]) -> Any:
    """The action in a policy's answer to a batch of one observation; a Box's bounds are left to the world."""
    actions = np.asarray(answers)
    if actions.ndim > 0 and len(actions) == 1:
        action = actions[0]
        if not isinstance(space, gym.spaces.Box):
            if space.contains(action):
                return action
        elif action.shape == space.shape and np.issubdtype(action.dtype, np.number) and np.isfinite(action).all():
            return action.astype(space.dtype)
    raise ValueError(
        f"a policy must return n actions of {space} for n observations, but for one it returned {answers!r}"
    )


@contextlib.contextmanager
def mistakes_of(whose: str) -> Iterator[None]:
    """Turn what this package refuses into a `Mistake`; errors in a user's own code keep their traceback."""
    try:
        yield
    except (TypeError, ValueError) as error:
        *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
        if innermost.f_globals.get("__name__", "").partition(".")[0] not in OURS:
            raise
        raise Mistake(f"{whose}: {error}") from error


def check_function(function: object) -> None:
    """Raise TypeError unless it can be called as train(env_fn, steps, seed)."""
    rule = "an agent of your own must be a function train(env_fn, steps, seed)"
    if not callable(function):
        raise TypeError(f"{rule}, but is {function!r}")
    name = getattr(function, "__qualname__", repr(function))
    try:
        signature = inspect.signature(function)
    except ValueError:
        raise TypeError(f"{rule}, but the arguments of {name} are unknown") from None
    try:
        signature.bind(None, 1, 0)
    except TypeError as error:
        raise TypeError(f"{rule}, but {name} takes {signature}: {error}") from None


def load_function(place: str) -> TrainFunction:
    """Load a function from a file.

    Args:
        place: "file.py:name".

    Returns:
        The function.

    Raises:
        StorageError: the file cannot be read.
        ValueError: another form, a file that cannot be imported, or no such function in it (the message names the
            nearest).
        TypeError: it does not take (env_fn, steps, seed).
    """
    file, _, _ = place.rpartition(":")
    if not is_in_file(place):
        raise ValueError(f"a function must be given as file.py:name, but is {place!r}")
    if not Path(file).is_file():
        raise StorageError(f"cannot read {file}: there is no such file")
    function = load_from_file(place)
    check_function(function)
    return function


def pickle_by_value(function: TrainFunction) -> None:
    """Send a function to workers by value, with the user's modules that it uses.

    Workers might lack those modules, or import a version that was edited meanwhile.
    """
    for module in user_modules(function):
        if module.__name__ != "__main__" and hasattr(
            module, "__file__"
        ):  # cloudpickle always pickles `__main__` by value
            cloudpickle.register_pickle_by_value(module)
