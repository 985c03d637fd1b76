"""What agents and game agents have in common: numbered runs, settings, random streams, and a file to go on from."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from baselines.learning.exploration import RunStreams
from baselines.training.agent_file import check_arrays, part_of, write_saved
from rl_envs.mdp.finite_mdp import check_integer

SomePopulation = TypeVar("SomePopulation", bound="Population")


@dataclass(frozen=True)
class NoConfig:
    """The Config of an agent that has nothing to set."""


class Population(ABC):
    """A population of runs that learn side by side; `Agent` says how in a world, `GameAgent` how in a game.

    Args:
        task: what to learn.
        runs: how many runs (numbered from 0), or a range of their numbers. A run's number decides its random numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: environment steps that each run has learned from so far. Schedules count these.

    Raises:
        ValueError: no runs, a range with gaps, or a negative seed.
        TypeError: the Config of another agent.
    """

    Config: ClassVar[type] = NoConfig
    # Rises when the same Config and seed no longer give the same result.
    version: ClassVar[int] = 1
    # Names that stand for a whole Config, chosen by "preset" in settings.
    PRESETS: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, task: Any, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        self.task = task
        self.runs = run_numbers(runs)
        self.num_runs = len(self.runs)
        self.seed = check_integer("seed", seed, low=0)
        self.config = self.Config() if config is None else config
        if not isinstance(self.config, self.Config):
            raise TypeError(f"the config of {self.name} must be a {self.name}.Config, but is {self.config!r}")
        self.steps = 0
        self._streams: dict[str, RunStreams] = {}  # by purpose
        self._rollout: Any = None

    @property
    def name(self) -> str:
        """The name of the agent's class."""
        return type(self).__name__

    @property
    def copies(self) -> int:
        """In how many copies of the world or game each run learns at the same time, C; 1 for most agents.

        Where it is more, the arrays of a transition are [R * C, ...] with the copies of a run side by side, and one
        step of the loop is C steps of each run.
        """
        return 1

    @property
    @abstractmethod
    def rollout(self) -> Any:
        """Where the runs learn; the first episodes begin when this is first asked for."""

    @abstractmethod
    def _about_task(self) -> dict[str, Any]:
        """What the file of a saved agent says of its task."""

    def state(self) -> dict[str, np.ndarray]:
        """Every array that decides how the agent goes on, for `save`; an agent adds its own to these."""
        drawn = {f"drawn.{purpose}": np.array(streams.drawn) for purpose, streams in self._streams.items()}
        around = {} if self._rollout is None else self._rollout.state()
        return {"steps": np.array(self.steps), **drawn, **{f"environment.{name}": a for name, a in around.items()}}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave; an agent restores its own arrays beside these."""
        self.steps = int(state["steps"])
        for purpose, streams in self._streams.items():
            streams.jump(int(state[f"drawn.{purpose}"]))
        around = part_of(state, "environment")
        if around:
            self.rollout.restore(around)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the agent to one safetensors file, from which it goes on exactly as if it had not been saved.

        Args:
            path: the file; one that exists is replaced, in one step.

        Raises:
            StorageError: the file cannot be written.
        """
        about = {
            "agent": self.name,
            "agent_version": self.version,
            "config": asdict(self.config),
            "seed": self.seed,
            "runs": [self.runs.start, self.runs.stop],
            **self._about_task(),
        }
        write_saved(path, about, self.state())

    @classmethod
    def _resumed(
        cls: type[SomePopulation],
        path: object,
        task: Any,
        about: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
    ) -> SomePopulation:
        """The agent of a file that holds one of this class, on its own task; raises StorageError for other arrays."""
        agent = cls(task, runs=range(*about["runs"]), seed=about["seed"], config=cls.Config(**about["config"]))
        if part_of(arrays, "environment"):
            _ = agent.rollout  # so that the file's arrays have something to be checked against
        check_arrays(path, arrays, agent.state())
        agent.restore(arrays)
        return agent


def run_numbers(runs: int | range) -> range:
    """The numbers of a population's runs: 0, 1, ... or a range; raises ValueError for none and for gaps."""
    numbers = runs if isinstance(runs, range) else range(check_integer("runs", runs, low=1))
    if len(numbers) == 0 or numbers.step != 1 or numbers.start < 0:
        raise ValueError(f"runs must be consecutive numbers from 0 or higher, at least one, but are {numbers}")
    return numbers
