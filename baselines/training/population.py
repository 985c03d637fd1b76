"""What agents and game agents share: numbered runs, hyperparameters, random streams, saving and loading."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np

from baselines.system.atomic_files import StorageError
from baselines.training.agent_file import (
    check_arrays,
    check_class,
    check_task,
    prefixed,
    read_saved,
    section,
    write_saved,
)
from baselines.training.seeding import run_seeds
from rl_envs.envs.random_streams import Streams
from rl_envs.mdp.finite_mdp import check_integer

SomePopulation = TypeVar("SomePopulation", bound="Population")


@dataclass(frozen=True)
class NoConfig:
    """The Config of an agent without hyperparameters."""


class AnyTask(Protocol):
    """What a population needs from a `Task` or a `GameTask`."""

    @property
    def name(self) -> str:
        """Its name, which enters the seeds."""

    @property
    def metadata(self) -> dict[str, Any]:
        """Its description in a saved agent's file."""


@runtime_checkable
class Part(Protocol):
    """What can be saved on its own: a replay buffer, an optimiser, the environments."""

    def state(self) -> dict[str, np.ndarray]:
        """The arrays to resume from; none where they cannot be saved."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""


class Population(ABC):
    """A population of independent runs that learn side by side: an `Agent` on a world, or a `GameAgent` in a game.

    Args:
        task: what to learn.
        runs: the number of runs (numbered from 0), or a range of their numbers. A run's number decides its random
            numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: environment steps that each run has learned from so far. Schedules count these.
        streams: random numbers by purpose, one stream per run or environment.

    Raises:
        ValueError: no runs, a range with gaps, or a negative seed.
        TypeError: the Config of another agent.
    """

    Config: ClassVar[type] = NoConfig
    # Rises when the same Config and seed no longer give the same result.
    version: ClassVar[int] = 1
    # Named Configs, chosen by "preset" in settings.
    PRESETS: ClassVar[Mapping[str, Any]] = {}

    task: AnyTask
    _rollout: Part | None

    def __init__(self, task: AnyTask, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        self.task = task
        self.runs = run_numbers(runs)
        self.num_runs = len(self.runs)
        self.seed = check_integer("seed", seed, low=0)
        self.config = self.Config() if config is None else config
        if not isinstance(self.config, self.Config):
            raise TypeError(f"the config of {self.name} must be a {self.name}.Config, but is {self.config!r}")
        self.steps = 0
        self._rollout = None
        self.streams = {
            "exploration": Streams.from_seeds(self.stream_seeds("exploration", self.num_envs)),
            "greedy": Streams.from_seeds(self.stream_seeds("greedy", 1)),
        }

    @property
    def name(self) -> str:
        """The name of the agent's class."""
        return type(self).__name__

    @property
    def num_envs(self) -> int:
        """The number of parallel environments per run, C; 1 for most agents.

        With more, the arrays of a transition are [R * C, ...] with the environments of a run side by side, and one step
        of the loop is C steps of each run.
        """
        return 1

    # Random numbers and environments ----------------------------------------------------------------------------------

    def seeds(self, purpose: str) -> list[np.random.SeedSequence]:
        """A seed for each run, different for each purpose."""
        return run_seeds(self.seed, self.task.name, self.name, self.runs, purpose)

    def stream_seeds(self, purpose: str, num_envs: int) -> list[np.random.SeedSequence]:
        """A seed for each environment of each run, [R * C]; the first one of a run does not depend on C."""
        later = [self.seeds(f"{purpose}, copy {copy}") for copy in range(1, num_envs)]
        return [seed for of_run in zip(self.seeds(purpose), *later) for seed in of_run]

    def add_stream(self, purpose: str) -> None:
        """A random stream for each run besides those for actions, by its purpose in `streams`."""
        self.streams[purpose] = Streams.from_seeds(self.seeds(purpose))

    def uniform(self, *, greedy: bool = False) -> np.ndarray:
        """The next random number of every environment, [R * C] in [0, 1); greedy actions have their own stream, [R]."""
        return self.streams["greedy" if greedy else "exploration"].next()

    @property
    @abstractmethod
    def rollout(self) -> Part:
        """The environments of the runs; first use begins the first episodes."""

    # Saving and loading -----------------------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def registered_task(cls, metadata: Mapping[str, Any]) -> AnyTask | None:
        """The task that a saved agent's metadata names; None where nothing is registered by that name."""

    def parts(self) -> dict[str, object]:
        """What the agent has learned, by name, for saving: arrays, lists of arrays, and objects that are a `Part`."""
        return {}

    def break_off(self) -> None:  # noqa: B027 - most agents remember nothing of an episode
        """Forget the episodes under way, after a restore without environments, which begin new ones."""

    def state(self) -> dict[str, np.ndarray]:
        """Every array needed to resume, for `save`."""
        drawn = {purpose: np.array(streams.drawn) for purpose, streams in self.streams.items()}
        environment = {} if self._rollout is None else self._rollout.state()
        state = {"steps": np.array(self.steps), **prefixed("drawn", drawn), **prefixed("environment", environment)}
        for name, part in self.parts().items():
            state |= part_state(name, part)
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned; arrays are overwritten in place."""
        self.steps = int(state["steps"])
        for purpose, streams in self.streams.items():
            streams.jump(int(state[f"drawn.{purpose}"]))
        for name, part in self.parts().items():
            if isinstance(part, Part):
                part.restore(section(state, name))
            else:
                for key, array in part_state(name, part).items():
                    array[...] = state[key]
        environment = section(state, "environment")
        if environment:
            self.rollout.restore(environment)
        else:
            self.break_off()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the agent to one safetensors file, from which training resumes exactly.

        Args:
            path: the file; an existing one is replaced atomically.

        Raises:
            StorageError: the file cannot be written.
        """
        metadata = {
            "agent": self.name,
            "agent_version": self.version,
            "config": asdict(self.config),
            "seed": self.seed,
            "runs": [self.runs.start, self.runs.stop],
            **self.task.metadata,
        }
        write_saved(path, metadata, self.state())

    @classmethod
    def load(cls: type[SomePopulation], path: str | os.PathLike[str], *, task: Any = None) -> SomePopulation:
        """Load an agent of this class.

        Args:
            path: a file that `save` wrote.
            task: the agent's task; needed where it is not a registered world or game, or a Gymnasium id.

        Returns:
            The agent.

        Raises:
            StorageError: no such file, a truncated or foreign file, another agent or task, or arrays of the wrong
                shape.
        """
        metadata, arrays = read_saved(Path(path))
        check_class(path, metadata, cls)
        if task is None:
            task = cls.registered_task(metadata)
        if task is None:
            raise StorageError(
                f"{path} was trained on {metadata['environment']}, which is not registered: pass it as task="
            )
        agent = cls(task, runs=range(*metadata["runs"]), seed=metadata["seed"], config=cls.Config(**metadata["config"]))
        check_task(path, metadata, agent.task.metadata)
        if section(arrays, "environment"):
            _ = agent.rollout  # to check the file's arrays against
        check_arrays(path, arrays, agent.state())
        agent.restore(arrays)
        return agent


def part_state(name: str, part: object) -> dict[str, np.ndarray]:
    """The arrays of an agent's part, which share its memory unless it is a `Part`."""
    if isinstance(part, Part):
        return prefixed(name, part.state())
    if isinstance(part, list):
        return prefixed(name, {str(number): np.asarray(array) for number, array in enumerate(part)})
    return {name: np.asarray(part)}


def run_numbers(runs: int | range) -> range:
    """The numbers of a population's runs: 0, 1, ... or a range; raises ValueError for none and for gaps."""
    numbers = runs if isinstance(runs, range) else range(check_integer("runs", runs, low=1))
    if len(numbers) == 0 or numbers.step != 1 or numbers.start < 0:
        raise ValueError(f"runs must be consecutive numbers from 0 or higher, at least one, but are {numbers}")
    return numbers
