"""Doing jobs in several processes, so that a kill, an interrupt or a crash leaves no process behind.

Each worker is a fresh interpreter with one thread, at the end of a pipe. It is sent a job, answers when it is done, and
ends when the pipe closes, which the operating system does even if the parent is killed outright.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from baselines.storage import StorageError

Job = TypeVar("Job")

# Libraries read these when they are first imported. Two threads a process on two busy cores are many times slower than
# one.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class JobError(Exception):
    """A job that failed in a way nobody foresaw; the message ends with its traceback."""


class WorkerError(Exception):
    """A worker process that died."""


@dataclass
class _Worker(Generic[Job]):
    process: BaseProcess
    connection: Connection
    job: Job | None = None


def run_jobs(jobs: Sequence[Job], work: Callable[[Job], None], num_workers: int) -> Iterator[tuple[str, Job]]:
    """Do every job, in the order given as far as several at once have one.

    Args:
        jobs: what to do; each goes to a worker as a pickle.
        work: a function of a module that does one job.
        num_workers: how many processes; with 1 the jobs are done in this one.

    Yields:
        ("started", job) and ("finished", job).

    Raises:
        StorageError: a job could not write or read a file.
        JobError: a job raised anything else.
        WorkerError: a process died, for want of memory perhaps.
    """
    if num_workers == 1 or len(jobs) == 1:
        for job in jobs:
            yield "started", job
            _raise(_attempt(work, job), job)
            yield "finished", job
        return
    waiting = list(reversed(jobs))
    workers: list[_Worker[Job]] = []
    try:
        with _environment(dict.fromkeys(THREAD_VARIABLES, "1")):
            workers.extend(_start(work) for _ in range(min(num_workers, len(jobs))))
        for worker in workers:
            yield from _hand_out(worker, waiting)
        while any(worker.job is not None for worker in workers):
            ready = wait([worker.connection for worker in workers if worker.job is not None])
            for worker in workers:
                if worker.connection in ready:
                    job = _answer(worker)
                    yield "finished", job
                    yield from _hand_out(worker, waiting)
    finally:
        for worker in workers:
            worker.connection.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join()


def _start(work: Callable[[Job], None]) -> _Worker[Job]:
    # Fresh interpreters: a fork would inherit locks that torch's threads hold.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends when the worker does
    return _Worker(process, ours)


def _hand_out(worker: _Worker[Job], waiting: list[Job]) -> Iterator[tuple[str, Job]]:
    """Give a worker the next job, if one is left."""
    worker.job = waiting.pop() if waiting else None
    if worker.job is not None:
        worker.connection.send(worker.job)
        yield "started", worker.job


def _answer(worker: _Worker[Job]) -> Job:
    """The job that a worker has finished."""
    job = worker.job
    if job is None:
        raise AssertionError("an idle worker has nothing to answer")
    try:
        failure = worker.connection.recv()
    except EOFError:
        worker.process.join()
        raise WorkerError(
            f"the process working on {job} died with exit code {worker.process.exitcode} (killed, or out of memory?)"
        ) from None
    _raise(failure, job)
    return job


def _serve(connection: Connection, work: Callable[[Any], None]) -> None:
    """The life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(_attempt(work, job))


def _attempt(work: Callable[[Any], None], job: Any) -> Exception | None:
    """Do a job; what goes wrong comes back in a form that passes through a pipe."""
    try:
        work(job)
    except StorageError as error:
        return error
    except Exception:  # noqa: BLE001 - it is raised again by the parent, which has the whole traceback to show
        return JobError(traceback.format_exc())
    return None


def _raise(failure: Exception | None, job: Any) -> None:
    if isinstance(failure, JobError):
        raise JobError(f"{job} failed:\n{failure}")
    if failure is not None:
        raise failure


def _end_with_parent() -> None:
    """End at once, in the middle of a job, when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
