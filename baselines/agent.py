"""The interface that every agent implements, and how agents are saved.

An agent is a population: its first axis is `runs`, R independent learners that advance together, each in its own copy
of the world. A single learner is R = 1, by the same code. Runs never mix: no shared table, buffer or random stream.
"""

from __future__ import annotations

import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import gymnasium as gym
import numpy as np

import rl_envs
from baselines.exploration import RunStreams
from baselines.seeding import run_seeds
from baselines.specification import label
from baselines.storage import StorageError, write_atomically
from baselines.surroundings import Surroundings, Transition
from baselines.task import Task, make_task
from rl_envs.mdp import check_integer
from rl_envs.registry import WORLDS
from rl_envs.world import World

__all__ = ["Agent", "LibraryAgent", "NoConfig", "Transition", "versions"]

# Rises when the layout of saved agents changes.
FILE_FORMAT = 1

SomeAgent = TypeVar("SomeAgent", bound="Agent")


@dataclass(frozen=True)
class NoConfig:
    """The Config of an agent that has nothing to set."""


class Agent(ABC):
    """A population of independent learners.

    Args:
        task: what to learn: a `Task`, or what `make_task` makes one of (a world's name, a `World`, a Gymnasium id).
        runs: how many runs (numbered from 0), or a range of their numbers. A run's number decides its random numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: environment steps that each run has learned from so far. Schedules count these.

    Raises:
        ValueError: no runs, a range with gaps, or a negative seed.
        TypeError: the Config of another agent, or a task that the agent cannot learn.
    """

    Config: ClassVar[type] = NoConfig
    # Rises when the same Config and seed no longer give the same result.
    version: ClassVar[int] = 1
    # Names in `PRESETS` that stand for a whole Config, chosen by "preset" in settings.
    PRESETS: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        self.task = make_task(task)
        self.runs = run_numbers(runs)
        self.num_runs = len(self.runs)
        self.seed = check_integer("seed", seed, low=0)
        self.config = self.Config() if config is None else config
        if not isinstance(self.config, self.Config):
            raise TypeError(f"the config of {self.name} must be a {self.name}.Config, but is {self.config!r}")
        self.steps = 0
        self._streams = {
            "exploration": RunStreams(self.copy_seeds("exploration")),
            "greedy": RunStreams(self.seeds("greedy")),
        }
        self._surroundings: Surroundings | None = None

    @property
    def name(self) -> str:
        """The name of the agent's class."""
        return type(self).__name__

    def seeds(self, purpose: str) -> list[np.random.SeedSequence]:
        """A seed for each run, another for each purpose."""
        return run_seeds(self.seed, self.task.name, self.name, self.runs, purpose)

    @property
    def copies(self) -> int:
        """In how many copies of the world each run learns at the same time, C; 1 for most agents.

        Where it is more, the arrays of a transition are [R * C, ...] with the copies of a run side by side, and one
        step of the loop is C environment steps of each run.
        """
        return 1

    def copy_seeds(self, purpose: str) -> list[np.random.SeedSequence]:
        """A seed for each copy of each run, [R * C]; a run's first copy has the seed that it would have alone."""
        later = [self.seeds(f"{purpose}, copy {copy}") for copy in range(1, self.copies)]
        return [seed for of_run in zip(self.seeds(purpose), *later) for seed in of_run]

    def uniform(self, *, greedy: bool = False) -> np.ndarray:
        """The next random number of every run and copy, [R * C] in [0, 1); acting greedily has its own stream, [R]."""
        return self._streams["greedy" if greedy else "exploration"].next()

    @property
    def surroundings(self) -> Surroundings:
        """Where the runs learn; the first episodes begin when this is first asked for."""
        if self._surroundings is None:
            self._surroundings = Surroundings(self.task, self.copy_seeds(f"environment from step {self.steps}"))
        return self._surroundings

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action in every run.

        Args:
            observation: what each run sees, [R, ...].
            greedy: play what is thought best and explore nothing. This draws no number that learning would draw, so
                that a run that was looked at goes on like one that was not.

        Returns:
            Actions [R, ...].
        """

    @abstractmethod
    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run.

        Args:
            transition: the step.

        Returns:
            Metrics by name, each [R].
        """

    @abstractmethod
    def policy(self) -> np.ndarray:
        """The greedy policy of every run, where the world has a table.

        Returns:
            Probabilities [R, S, A].

        Raises:
            TypeError: the world has no table.
        """

    def exact_score(self) -> np.ndarray | None:
        """How good every run is, without sampling; an agent that learns no policy says here what it is judged by.

        Returns:
            Scores [R], 0 for the uniform policy and 1 for the optimum; None where the world has no table.
        """
        truth = self.task.truth
        return None if truth is None else np.asarray(truth.score(self.policy()))

    def errors_by_state(self) -> np.ndarray | None:
        """How far the values of the greedy policy are from the best, v*(s) - v_policy(s), exact.

        Returns:
            Losses [R, S] in units of discounted reward; None where the world has no table.
        """
        truth = self.task.truth
        return None if truth is None else truth.loss(self.policy())

    def state(self) -> dict[str, np.ndarray]:
        """Every array that decides how the agent goes on, for `save`; an agent adds its own to these."""
        drawn = {f"drawn.{purpose}": np.array(streams.drawn) for purpose, streams in self._streams.items()}
        around = {} if self._surroundings is None else self._surroundings.state()
        return {"steps": np.array(self.steps), **drawn, **{f"environment.{name}": a for name, a in around.items()}}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave; an agent restores its own arrays beside these."""
        self.steps = int(state["steps"])
        for purpose, streams in self._streams.items():
            streams.jump(int(state[f"drawn.{purpose}"]))
        around = part_of(state, "environment")
        if around:
            self.surroundings.restore(around)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the agent to one safetensors file, from which it goes on exactly as if it had not been saved.

        Args:
            path: the file; one that exists is replaced, in one step.

        Raises:
            StorageError: the file cannot be written.
        """
        from safetensors.numpy import save

        about = {
            "format": FILE_FORMAT,
            "agent": self.name,
            "agent_version": self.version,
            "config": asdict(self.config),
            "seed": self.seed,
            "runs": [self.runs.start, self.runs.stop],
            "world": self.task.environment,
            "arguments": dict(self.task.arguments),
            "discount": self.task.discount,
            "table": self.task.table_hash,
            "versions": versions(),
        }
        arrays = {name: np.array(array, order="C") for name, array in self.state().items()}
        # One key, because safetensors writes several in an order that changes from file to file.
        write_atomically(path, save(arrays, metadata={"rl_envs": json.dumps(about, sort_keys=True)}))

    @classmethod
    def load(
        cls: type[SomeAgent], path: str | os.PathLike[str], *, task: Task | World | str | None = None
    ) -> SomeAgent:
        """Load an agent of this class.

        Args:
            path: a file that `save` wrote.
            task: what it learns; needed where that was not a registered world or a Gymnasium id.

        Returns:
            The agent.

        Raises:
            StorageError: no such file, a truncated or foreign file, another agent's, another world's, or arrays of the
                wrong shape.
        """
        about, arrays = read_saved(Path(path))
        check_class(path, about, cls)
        own = _task_of(path, about) if task is None else make_task(task)
        if about["table"] != own.table_hash:
            raise StorageError(f"{path} was trained on another table than that of {own.name}: pass its own as task=")
        trained = label(about["world"], about["arguments"])
        if own.table_hash is None and trained != label(own.environment, own.arguments):
            raise StorageError(f"{path} was trained on {trained}, not on {own.name}: pass its own as task=")
        agent = cls(own, runs=range(*about["runs"]), seed=about["seed"], config=cls.Config(**about["config"]))
        if any(name.startswith("environment.") for name in arrays):
            _ = agent.surroundings  # so that the file's arrays have something to be checked against
        check_arrays(path, arrays, agent.state())
        agent.restore(arrays)
        return agent


class LibraryAgent(Agent):
    """An agent of another library, which trains its runs in a loop of its own, one after the other."""

    @abstractmethod
    def learn(self, checkpoints: np.ndarray, *, episodes: int) -> tuple[np.ndarray, float]:
        """Train every run and score it at each checkpoint.

        Args:
            checkpoints: environment steps at which to score, rising, [C]; training ends with the last of them.
            episodes: how many episodes a score is the mean of where there is no table.

        Returns:
            Scores [C, R], and the seconds spent on training without scoring.
        """

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Refuse: the library's own loop does the learning."""
        raise TypeError(f"{self.name} trains in its library's own loop: call train(agent, steps=...)")


def part_of(state: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The saved arrays whose names begin with `name.`, under what follows it."""
    return {key.partition(".")[2]: array for key, array in state.items() if key.startswith(f"{name}.")}


def versions() -> dict[str, str]:
    """The versions of what decides results, for files that hold some."""
    return {
        "rl_envs": rl_envs.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gymnasium": gym.__version__,
    }


def run_numbers(runs: int | range) -> range:
    """The numbers of a population's runs: 0, 1, ... or a range; raises ValueError for none and for gaps."""
    numbers = runs if isinstance(runs, range) else range(check_integer("runs", runs, low=1))
    if len(numbers) == 0 or numbers.step != 1 or numbers.start < 0:
        raise ValueError(f"runs must be consecutive numbers from 0 or higher, at least one, but are {numbers}")
    return numbers


def _task_of(path: object, about: Mapping[str, Any]) -> Task:
    """The task that a saved agent was trained on, where its name is enough to make it again."""
    if about["world"] in WORLDS:
        return make_task(about["world"], **about["arguments"])
    if about["world"] in gym.registry:  # these have no discount, so the one they were given is passed on
        return make_task(about["world"], discount=about["discount"], **about["arguments"])
    raise StorageError(f"{path} was trained on {about['world']}, which is no registered world: pass it as task=")


def read_saved(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a file of `save` says about the agent, and its arrays; raises StorageError for any other file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise StorageError(f"{path} is cut short or is no safetensors file: {error}") from error
    if "rl_envs" not in metadata:
        raise StorageError(f"{path} is a safetensors file, but not one that an agent was saved to")
    about = json.loads(metadata["rl_envs"])
    if about["format"] != FILE_FORMAT:
        raise StorageError(f"{path} has file format {about['format']}, but this version reads format {FILE_FORMAT}")
    return about, arrays


def check_class(path: object, about: Mapping[str, Any], cls: Any) -> None:
    """Raise StorageError unless a saved agent is of this class, in this version and with these settings."""
    if about["agent"] != cls.__name__:
        raise StorageError(f"{path} holds an agent of class {about['agent']}, not {cls.__name__}")
    if about["agent_version"] != cls.version:
        raise StorageError(
            f"{path} holds version {about['agent_version']} of {cls.__name__}, but this is version {cls.version}"
        )
    unknown_fields = set(about["config"]) ^ {field.name for field in fields(cls.Config)}
    if unknown_fields:
        raise StorageError(f"{path} does not fit the Config of {cls.__name__}: {', '.join(sorted(unknown_fields))}")


def check_arrays(path: object, found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    """Raise StorageError unless the saved arrays have the names, shapes and types of those that the agent has."""
    if found.keys() != expected.keys():
        raise StorageError(f"{path} must hold the arrays {sorted(expected)}, but holds {sorted(found)}")
    for name, array in expected.items():
        if found[name].shape != array.shape or found[name].dtype != array.dtype:
            raise StorageError(
                f"{name} must have shape {array.shape} and dtype {array.dtype}, "
                f"but in {path} it has {found[name].shape} and {found[name].dtype}"
            )
