"""Cells: the parts of a comparison that are computed at once and kept in a file each.

A cell is some runs of one agent on one world. Its key is a hash of everything that decides what comes out, so a file
with the right key is the right result and anything else is computed anew.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import rl_envs
from baselines.comparison.results import FILE_FORMAT, file_of, key_of, read_arrays, version, write_arrays
from baselines.comparison.statistics import complete
from baselines.registry import AGENTS, agent_class, make_agent, make_config
from baselines.training.custom_agent import TrainFunction, train_function
from baselines.training.library_agent import LibraryAgent
from baselines.training.loop import train
from baselines.training.origin import Origin
from baselines.training.regret import RegretMeter, has_regret
from baselines.training.specification import parse
from baselines.training.task import Task, named_task


class Cell(ABC):
    """What every cell has in common; the classes below it are frozen dataclasses of plain values."""

    # Names of the arrays in its file: those that are always there, and those that may be.
    ARRAYS: ClassVar[Set[str]]
    OPTIONAL: ClassVar[Set[str]] = frozenset()

    @property
    @abstractmethod
    def runs(self) -> range:
        """The numbers of the runs."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The names of what is in it, to be read by people."""

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result: what runs, on which table, for how long, from which seed, with what."""

    @property
    @abstractmethod
    def cost(self) -> float:
        """About how long it takes, in no particular unit: what takes longest is begun first."""

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
        # Another process finds out for itself what decides: it may have other versions of the libraries.
        return {name: value for name, value in vars(self).items() if name not in ("identity", "key")}

    def file(self, folder: Path) -> Path:
        """Where the result lies."""
        return file_of(folder, self.title.replace(" · ", "-"), self.runs, self.key)

    def read(self, folder: Path) -> dict[str, np.ndarray] | None:
        """The result; None where there is none yet, StorageError where it is cut short, edited or another cell's."""
        return read_arrays(self.file(folder), self.identity, self.ARRAYS, self.OPTIONAL)

    def write(self, arrays: Mapping[str, np.ndarray], folder: Path, made: Mapping[str, Any]) -> None:
        """Write the result file, as a whole or not at all; raises StorageError if it cannot be written."""
        write_arrays(self.file(folder), self.identity, arrays, made)

    def __str__(self) -> str:
        return f"{self.title} · runs {self.runs.start}-{self.runs.stop - 1}"


@dataclass(frozen=True)
class Result:
    """What came out of a cell of a world.

    Attributes:
        steps: environment steps at the checkpoints, [C] int64.
        scores: [C, R] float64.
        exact: whether the scores are exact, or means of sampled returns.
        seconds: training time of all runs, without scoring.
        regret: pseudo-regret so far at the checkpoints, in units of reward, [C, R]; None where it is not known.
        value_error: how far values are from the best at the end, a state, the mean over runs, [S]; None where there is
            no table.
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
    """Some runs of one agent on one world.

    Args:
        world: a task's name with settings: "LineWalk:size=9".
        agent: an agent's name with settings: "QLearning:epsilon=0.2".
        first_run: number of the first run.
        num_runs: how many runs.
        steps: environment steps of each run.
        checkpoints: how often to score, evenly spaced, besides once at the start.
        seed: the base seed.
    """

    world: str
    agent: str
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

    def task(self) -> Task:
        """The task that the world's name stands for."""
        return named_task(self.world)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result."""
        name, settings = parse(self.agent)
        return {
            **self._settings(),
            "config": asdict(make_config(name, settings)),
            "agent_version": agent_class(name).version,
            "versions": versions_of("gymnasium", *AGENTS[name].libraries),
        }

    @property
    def cost(self) -> float:
        """Libraries' runs are trained one after the other, and each takes longer than all of ours together."""
        return self.steps * (self.num_runs * 100 if AGENTS[parse(self.agent)[0]].libraries else 1)

    def compute(self) -> dict[str, np.ndarray]:
        """Train the runs, and note what they lose on the way where that is told."""
        agent = make_agent(self.agent, self.task(), runs=self.runs, seed=self.seed)
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

    def _complete(self, scores: np.ndarray) -> np.ndarray:
        """The scores themselves, [C, R], once it is sure that each run has one."""
        where = f"{self.agent} on {self.world}"
        if self.task().discount == 1 and np.isneginf(scores).any():
            run = self.runs[int(np.isneginf(scores).any(axis=0).argmax())]
            raise ValueError(
                f"every run must have a finite score, but the policy of run {run} of {where} never ends an episode, "
                "which at discount 1 costs without end: a discount below 1 gives it a score"
            )
        return complete(scores, where, self.runs)

    def _settings(self) -> dict[str, Any]:
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.compare}
        return {"format": FILE_FORMAT, **plain, "task": describe(self.world)}


@dataclass(frozen=True)
class FunctionCell(WorldCell):
    """Some runs of somebody else's agent, which is a function that trains it; see `baselines.training.custom_agent`.

    Args:
        function: trains one run and gives back its policy.
        origin: where it comes from; it goes with the function to machines that lack its file.
    """

    function: TrainFunction = field(compare=False, repr=False, kw_only=True)
    origin: Origin = field(compare=False, repr=False, kw_only=True)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result, as far as the function's source tells."""
        return {
            **self._settings(),
            "function": asdict(self.origin),
            "versions": versions_of("gymnasium", *self.origin.libraries),
        }

    @property
    def cost(self) -> float:
        """As that of a library's agent."""
        return self.steps * self.num_runs * 100

    def compute(self) -> dict[str, np.ndarray]:
        """Train one run after the other and judge the policy that each ends with."""
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


def versions_of(*libraries: str) -> dict[str, str]:
    """The versions of rl_envs, NumPy and these distributions."""
    return {"rl_envs": rl_envs.__version__, **{library: version(library) for library in ("numpy", *libraries)}}


def world_meant(world: str) -> object:
    """What a specification of a world comes to, by which it is told from others; raises as `named_task`."""
    about = describe(world)
    # Arguments of environments of others matter by their table, where there is one.
    return about if about["table"] is None else {**about, "arguments": None}


@lru_cache(maxsize=64)
def describe(world: str) -> dict[str, Any]:
    """What decides how a task behaves, as plain values: the hash of its table, of what is observed, its limit.

    Args:
        world: a task's name with settings.
    """
    task = named_task(world)
    about = {"environment": task.environment, "table": task.table_hash, "max_episode_steps": task.max_episode_steps}
    if task.world is None:
        return {**about, "arguments": dict(task.arguments), "discount": task.discount}
    seen = task.world.observation.batch(np.arange(task.world.mdp.num_states))
    return {**about, "observation": hashlib.sha256(np.ascontiguousarray(seen).tobytes()).hexdigest()}
