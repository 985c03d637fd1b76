"""Runs a user's training function in a probe world and takes down what came of it."""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rl_envs.diagnosis.adapters import Learned, read
from rl_envs.diagnosis.episode_log import EpisodeLog
from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.watched_env import EnvFactory

# train(env_fn, steps, seed) -> whatever holds what was learned, or None
Train = Callable[[Any, int, int], Any]


class TrainingError(RuntimeError):
    """The user's training function raised, or its process died; the message is the end of its traceback."""


@dataclass(frozen=True)
class Job:
    """A training to be run: in which world, for how many steps, with which seed."""

    probe: Probe
    steps: int
    seed: int


@dataclass(frozen=True)
class TrainingRun:
    """One training in one probe world.

    Attributes:
        probe: the world's name.
        seed: the seed given.
        steps: the steps asked for.
        learned: what was given back, as numbers.
        log: what the world saw.
        seconds: how long it took.
    """

    probe: str
    seed: int
    steps: int
    learned: Learned
    log: EpisodeLog
    seconds: float


def run_training(train: Train, probe: Probe, *, steps: int, seed: int, observation: str) -> TrainingRun:
    """Train once and read what was learned.

    Raises:
        TrainingError: the function raised, or what it gave back cannot be read.
    """
    factory = EnvFactory(probe, observation=observation, seed=seed)
    began = time.perf_counter()
    try:
        given = train(factory, steps, seed)
        learned = read(given, factory.observations, probe.mdp.num_actions)
    except (Exception, SystemExit) as error:  # a script may end with sys.exit, which must not end the exam
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        raise TrainingError("".join(lines[-4:]).rstrip()) from error
    seconds = time.perf_counter() - began
    logs = [copy.log for copy in factory.copies]
    log = EpisodeLog.of(logs, probe.num_observations, probe.mdp.num_actions)
    return TrainingRun(probe.name, seed, steps, learned, log, seconds)


class Trainings:
    """Runs trainings one after the other, or side by side in processes that begin as copies of this one.

    Copies need no pickling of the training function, which may be a closure or stand in a notebook. With several
    workers this process trains nothing itself, for a GPU or a thread pool that it started would be lost to its copies.

    Args:
        train: the user's function.
        workers: how many processes; 1 trains in this one.

    Raises:
        ValueError: several workers where a process cannot be copied (Windows).
    """

    def __init__(self, train: Train, workers: int) -> None:
        if workers > 1 and "fork" not in multiprocessing.get_all_start_methods():
            raise ValueError(f"workers must be 1 on a system that cannot fork, but is {workers}")
        self._train = train
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Trainings:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _TRAIN.pop(id(self), None)
        if self._pool is not None:
            _STOPPED.set()  # after an error or Ctrl-C, what waits in the processes' own queue is not trained any more
            self._pool.shutdown(cancel_futures=True)

    def run(self, jobs: Sequence[Job], observation: str) -> Iterator[TrainingRun]:
        """Train, and yield in the order of the jobs.

        Raises:
            TrainingError: as `run_training`, or a process died.
        """
        if self._workers == 1:
            for job in jobs:
                yield run_training(self._train, job.probe, steps=job.steps, seed=job.seed, observation=observation)
            return
        if self._pool is None:
            _TRAIN[id(self)] = self._train
            _STOPPED.clear()
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=multiprocessing.get_context("fork"), initializer=_use_one_thread
            )
        with warnings.catch_warnings():
            # Python warns of copies of processes with several threads; the copies use one, and no lock of the others.
            warnings.simplefilter("ignore", DeprecationWarning)
            futures: list[Future[TrainingRun]] = [
                self._pool.submit(_run_in_copy, id(self), job, observation) for job in jobs
            ]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise TrainingError("a training process died: try workers=1") from error


# The training functions of pools under way, by the id of their `Trainings`; the copies of this process find them here.
_TRAIN: dict[int, Train] = {}
_STOPPED = multiprocessing.Event()


def _use_one_thread() -> None:
    # Where a copy began with a pool of threads, these are gone; and several processes share the cores already.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _run_in_copy(key: int, job: Job, observation: str) -> TrainingRun:
    if _STOPPED.is_set():
        raise TrainingError("the exam was stopped")
    return run_training(_TRAIN[key], job.probe, steps=job.steps, seed=job.seed, observation=observation)
