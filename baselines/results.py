"""Cells of a comparison and the files that hold their results.

A cell is some runs of one agent on one world. Its key is a hash of everything that decides what comes out, so a file
with the right key is the right result and anything else is computed anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import rl_envs
from baselines.registry import AGENTS, agent_class, make_config
from baselines.specification import parse
from baselines.storage import StorageError, write_atomically
from baselines.task import Task, named_task

# Rises when the layout of result files or the meaning of their numbers changes.
FILE_FORMAT = 1

# What reading an archive raises when its bytes are not what they should be.
DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Cell:
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

    @property
    def runs(self) -> range:
        """The numbers of the runs."""
        return range(self.first_run, self.first_run + self.num_runs)

    @property
    def agent_name(self) -> str:
        """The agent's name without settings."""
        return parse(self.agent)[0]

    def task(self) -> Task:
        """The task that the world's name stands for."""
        return named_task(self.world)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the result: what runs, on which table, for how long, from which seed, with what."""
        name, settings = parse(self.agent)
        libraries = ("numpy", "gymnasium", *AGENTS[name].libraries)
        return {
            "format": FILE_FORMAT,
            **asdict(self),
            "task": describe(self.task()),
            "config": asdict(make_config(name, settings)),
            "agent_version": agent_class(name).version,
            "versions": {"rl_envs": rl_envs.__version__, **{library: version(library) for library in libraries}},
        }

    @cached_property
    def key(self) -> str:
        """A hash of the identity, 16 hexadecimal digits."""
        return key_of(self.identity)

    def file(self, folder: Path) -> Path:
        """Where the result lies."""
        return file_of(folder, f"{self.world}-{self.agent}", self.runs, self.key)

    def __str__(self) -> str:
        return f"{self.world} · {self.agent} · runs {self.runs.start}-{self.runs.stop - 1}"


@dataclass(frozen=True, eq=False)
class Result:
    """What came out of a cell.

    Attributes:
        steps: environment steps at the checkpoints, [C] int64.
        scores: [C, R] float64.
        exact: whether the scores are exact, or means of sampled returns.
        seconds: training time of all runs, without scoring.
    """

    steps: np.ndarray
    scores: np.ndarray
    exact: bool
    seconds: float


def key_of(identity: Mapping[str, Any]) -> str:
    """A hash of everything that decides a result, 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def file_of(folder: Path, name: str, runs: range, key: str) -> Path:
    """Where a result lies: a name to read, the runs, and the key that decides."""
    readable = "".join(c if c.isalnum() or c in "-." else "_" for c in name)[:100]
    return folder / f"{readable}-runs{runs.start}-{runs.stop - 1}-{key}.npz"


def describe(task: Task) -> dict[str, Any]:
    """What decides how a task behaves, as plain values: the hash of its table, of what is observed, its limit."""
    about = {"environment": task.environment, "table": task.table_hash, "max_episode_steps": task.max_episode_steps}
    if task.world is None:
        return {**about, "arguments": dict(task.arguments), "discount": task.discount}
    seen = task.world.observation.batch(np.arange(task.world.mdp.num_states))
    return {**about, "observation": hashlib.sha256(np.ascontiguousarray(seen).tobytes()).hexdigest()}


@lru_cache
def version(distribution: str) -> str:
    """The installed version of a distribution, without importing it; "not installed" where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def write_result(cell: Cell, result: Result, folder: Path) -> None:
    """Write a cell's result file, as a whole or not at all.

    Args:
        cell: what was run.
        result: what came out.
        folder: where result files lie; it exists.

    Raises:
        StorageError: the file cannot be written.
    """
    arrays = {
        "steps": result.steps,
        "scores": result.scores,
        "exact": np.array(result.exact),
        "seconds": np.array(result.seconds),
    }
    write_arrays(cell.file(folder), cell.identity, arrays)


def read_result(cell: Cell, folder: Path) -> Result | None:
    """Read a cell's result file.

    Args:
        cell: what was run.
        folder: where result files lie.

    Returns:
        The result, or None where there is no file yet.

    Raises:
        StorageError: the file is cut short, edited or not of this cell.
    """
    arrays = read_arrays(cell.file(folder), cell.identity, {"steps", "scores", "exact", "seconds"})
    if arrays is None:
        return None
    return Result(arrays["steps"], arrays["scores"], bool(arrays["exact"]), float(arrays["seconds"]))


def write_arrays(path: Path, identity: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a result file, as a whole or not at all.

    Args:
        path: the file.
        identity: everything that decides the result.
        arrays: the result, by name.

    Raises:
        StorageError: the file cannot be written.
    """
    contents: dict[str, Any] = {"about": np.array(json.dumps(identity, sort_keys=True)), **arrays}
    content = io.BytesIO()
    np.savez(content, checksum=np.array(_checksum(contents)), **contents)
    write_atomically(path, content.getvalue())


def read_arrays(path: Path, identity: Mapping[str, Any], names: Set[str]) -> dict[str, np.ndarray] | None:
    """Read a result file.

    Args:
        path: the file.
        identity: everything that decides the result.
        names: of the arrays that it must hold, no more and no fewer.

    Returns:
        The arrays by name, or None where there is no file yet.

    Raises:
        StorageError: the file is cut short, edited or holds another result.
    """
    advice = "delete it and run the same command again: only this cell is computed anew"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read result file {path}: {error.strerror or error}") from error
    try:
        # Without pickle a file can hold numbers and nothing that runs.
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except DAMAGE as error:
        raise StorageError(f"result file {path} is corrupt ({error}); {advice}") from error
    checksum = arrays.pop("checksum", None)
    if arrays.keys() != {"about", *names} or str(checksum) != _checksum(arrays):
        raise StorageError(f"result file {path} is corrupt (its checksum does not match its content); {advice}")
    if json.loads(str(arrays.pop("about"))) != json.loads(json.dumps(identity)):
        raise StorageError(f"result file {path} holds another cell's result; {advice}")
    return arrays


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
