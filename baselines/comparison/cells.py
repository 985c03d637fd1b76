"""Cells: the units of work of a comparison, each stored in a file.

A cell is some runs of one agent on one world. Its key is a hash of everything that determines the result, so a file
with the right key is the right result, and anything else is recomputed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import rl_envs
from baselines.comparison.measures import complete
from baselines.comparison.result_files import FILE_FORMAT, file_of, key_of, read_arrays, version, write_arrays
from baselines.training.custom_agent import TrainFunction, train_function
from baselines.training.library_agent import LibraryAgent
from baselines.training.loop import train
from baselines.training.origin import Origin
from baselines.training.registration import AgentSpecification
from baselines.training.regret import RegretMeter, has_regret
from baselines.training.specification import Resolved, WorldSpecification


@dataclass(frozen=True)
class Cell(ABC):
    """The base class of cells, which are frozen dataclasses of numbers and specifications."""

    # Names of the arrays in its file: required and optional ones.
    ARRAYS: ClassVar[Set[str]]
    OPTIONAL: ClassVar[Set[str]] = frozenset()

    @property
    @abstractmethod
    def runs(self) -> range:
        """The numbers of the runs."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A readable title: the names of what it trains."""

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Everything that determines the result: agent, table, steps, seed and versions."""

    @property
    @abstractmethod
    def cost(self) -> float:
        """A rough cost without a unit: the most expensive cells start first."""

    @abstractmethod
    def compute(self) -> dict[str, np.ndarray]:
        """Train the runs.

        Returns:
            The result as arrays by name, those of `ARRAYS` and some of `OPTIONAL`.

        Raises:
            ValueError: a run whose result is NaN or infinite.
        """

    @cached_property
    def key(self) -> str:
        """A hash of the identity, 16 hexadecimal digits."""
        return key_of(self.identity)

    def __getstate__(self) -> dict[str, Any]:
        # Another process computes its own key, because it may have other versions of the libraries.
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    def file(self, folder: Path) -> Path:
        """The path of the result."""
        return file_of(folder, self.title.replace(" · ", "-"), self.runs, self.key)

    def read(self, folder: Path) -> dict[str, np.ndarray] | None:
        """The result; None if there is none yet; raises StorageError if it is damaged or another cell's."""
        return read_arrays(self.file(folder), self.identity, self.ARRAYS, self.OPTIONAL)

    def write(self, arrays: Mapping[str, np.ndarray], folder: Path, execution: Mapping[str, Any]) -> None:
        """Write the result file atomically; raises StorageError if it cannot be written."""
        write_arrays(self.file(folder), self.identity, arrays, execution)

    def plain(self) -> dict[str, Any]:
        """Its fields as plain values, with labels for specifications: a part of the identity."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.compare}
        return {
            "format": FILE_FORMAT,
            **{name: value.label if isinstance(value, Resolved) else value for name, value in given.items()},
        }

    def __str__(self) -> str:
        return f"{self.title} · runs {self.runs.start}-{self.runs.stop - 1}"


@dataclass(frozen=True)
class Result:
    """The result of a cell of a world.

    Attributes:
        steps: environment steps at the checkpoints, [C] int64.
        scores: [C, R] float64.
        exact: whether the scores are exact, or means of sampled returns.
        seconds: training time of all runs, without scoring.
        regret: pseudo-regret so far at the checkpoints, in units of reward, [C, R]; None where it is not known.
        value_error: value error by state at the end, the mean over runs, [S]; None where there is no table.
    """

    steps: np.ndarray
    scores: np.ndarray
    exact: bool
    seconds: float
    regret: np.ndarray | None = None
    value_error: np.ndarray | None = None

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Result:
        """The result that a file holds."""
        plain: dict[str, Any] = {"exact": bool(arrays["exact"]), "seconds": float(arrays["seconds"])}
        return cls(**{**arrays, **plain})

    def arrays(self) -> dict[str, np.ndarray]:
        """The result as a file holds it."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: np.asarray(value) for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class WorldCell(Cell):
    """Some runs on one world, of an agent or a function.

    Args:
        world: the world.
        agent: the agent, or the name of a function.
        first_run: number of the first run.
        num_runs: number of runs.
        steps: environment steps per run.
        checkpoints: number of evaluations, evenly spaced, besides the one at the start.
        seed: the base seed.
    """

    world: WorldSpecification
    agent: AgentSpecification | str
    first_run: int
    num_runs: int
    steps: int
    checkpoints: int
    seed: int

    ARRAYS: ClassVar[Set[str]] = frozenset({"steps", "scores", "exact", "seconds"})
    OPTIONAL: ClassVar[Set[str]] = frozenset({"regret", "value_error"})

    @property
    def runs(self) -> range:
        """The numbers of the runs."""
        return range(self.first_run, self.first_run + self.num_runs)

    @property
    def title(self) -> str:
        """The world and the agent."""
        return f"{self.world} · {self.agent}"

    def plain(self) -> dict[str, Any]:
        return {**super().plain(), "task": self.world.description}

    def _complete(self, scores: np.ndarray) -> np.ndarray:
        """The scores, [C, R], after checking that each run has one."""
        where = f"{self.agent} on {self.world}"
        if self.world.task.discount == 1 and np.isneginf(scores).any():
            run = self.runs[int(np.isneginf(scores).any(axis=0).argmax())]
            raise ValueError(
                f"every run must have a finite score, but the policy of run {run} of {where} never ends an episode, "
                "which at discount 1 costs without end: a discount below 1 gives it a score"
            )
        return complete(scores, where, self.runs)


@dataclass(frozen=True)
class AgentCell(WorldCell):
    """Some runs of one registered agent on one world."""

    agent: AgentSpecification

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the result."""
        return {**self.plain(), **decisive(self.agent, "gymnasium")}

    @property
    def cost(self) -> float:
        """Runs of a library train one after the other, and each takes longer than all of ours together."""
        return self.steps * (self.num_runs * 100 if self.agent.entry.libraries else 1)

    def compute(self) -> dict[str, np.ndarray]:
        """Train the runs, and record regret on bandits."""
        agent = self.agent.make(self.world.task, runs=self.runs, seed=self.seed)
        meter = None
        if has_regret(agent.task) and not isinstance(agent, LibraryAgent):
            meter = RegretMeter(agent)
        regret = [] if meter is None else [meter.total.copy()]

        def note_regret(_: int) -> None:
            if meter is not None:
                regret.append(meter.total.copy())

        curve = train(agent, steps=self.steps, checkpoints=self.checkpoints, on_step=meter, on_checkpoint=note_regret)
        errors = agent.errors_by_state()
        return Result(
            curve.steps,
            self._complete(curve.scores),
            curve.exact,
            curve.seconds,
            np.array(regret) if regret else None,
            None if errors is None else errors.mean(axis=0),
        ).arrays()


@dataclass(frozen=True)
class FunctionCell(WorldCell):
    """Some runs of a user's training function; see `baselines.training.custom_agent`.

    Args:
        agent: the function's name in the comparison.
        function: trains one run and returns its policy.
        origin: hashes and versions that identify the function, also on machines without its file.
    """

    agent: str
    function: TrainFunction = field(compare=False, repr=False, kw_only=True)
    origin: Origin = field(compare=False, repr=False, kw_only=True)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the result, as far as the function's source shows."""
        return {
            **self.plain(),
            "function": asdict(self.origin),
            "versions": versions_of("gymnasium", *self.origin.libraries),
        }

    @property
    def cost(self) -> float:
        """The same as for a library's agent."""
        return self.steps * self.num_runs * 100

    def compute(self) -> dict[str, np.ndarray]:
        """Train one run after the other and score its final policy."""
        trained = train_function(
            self.function, self.world, name=self.agent, runs=self.runs, steps=self.steps, seed=self.seed
        )
        return Result(
            np.array([self.steps]),
            self._complete(trained.scores[None]),
            trained.exact,
            trained.seconds,
            value_error=trained.value_error,
        ).arrays()


def decisive(agent: AgentSpecification, *libraries: str) -> dict[str, Any]:
    """What determines an agent's result besides its name: hyperparameters, version, and versions of libraries.

    Args:
        agent: the agent.
        *libraries: distributions that matter besides the agent's own.
    """
    return {
        "config": asdict(agent.config),
        "agent_version": agent.agent_class.version,
        "versions": versions_of(*libraries, *agent.entry.libraries),
    }


def versions_of(*libraries: str) -> dict[str, str]:
    """The versions of rl_envs, NumPy and these distributions."""
    return {"rl_envs": rl_envs.__version__, **{library: version(library) for library in ("numpy", *libraries)}}
