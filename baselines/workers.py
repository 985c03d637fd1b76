"""Doing jobs in several processes of this machine, so that a kill, an interrupt or a crash leaves none behind.

joblib runs them, in fresh interpreters with one thread each. What a job gives back comes to this process, which alone
writes files.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Job = TypeVar("Job")
Value = TypeVar("Value")

# How often a process looks whether the one that started it is still there.
SECONDS_BETWEEN_LOOKS = 0.5


class JobError(Exception):
    """A job that failed; the message names it and ends with its traceback."""


class WorkerError(Exception):
    """A worker process that died, or a cluster that cannot be had."""


def run_jobs(
    jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int
) -> Iterator[tuple[str, Job, Value | None]]:
    """Do every job, begun in the order given.

    Args:
        jobs: what to do; each goes to a worker as a pickle.
        work: does one job.
        num_workers: how many processes; with 1 the jobs are done in this one.

    Yields:
        ("started", job, None) and ("finished", job, what it gave back), these in the order in which they end.

    Raises:
        JobError: a job raised anything.
        WorkerError: a process died, for want of memory perhaps.
    """
    if num_workers == 1 or len(jobs) <= 1:
        for job in jobs:
            yield "started", job, None
            yield "finished", job, value_or_error(attempt(work, job), job)
        return
    yield from _run_in_processes(jobs, work, min(num_workers, len(jobs)))


def _run_in_processes(
    jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int
) -> Iterator[tuple[str, Job, Value | None]]:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    handed_out: queue.SimpleQueue[int] = queue.SimpleQueue()
    running: dict[int, Job] = {}

    def tasks() -> Iterator[Any]:
        # joblib takes the next one when a process is free, so taking it is its start.
        for number, job in enumerate(jobs):
            handed_out.put(number)
            yield delayed(_serve)(os.getpid(), work, number, job)

    def new_starts() -> Iterator[tuple[str, Job, None]]:
        with contextlib.suppress(queue.Empty):
            while True:
                number = handed_out.get_nowait()
                running[number] = jobs[number]
                yield "started", jobs[number], None

    with parallel_config(backend="loky", n_jobs=num_workers, inner_max_num_threads=1):
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        answers = parallel(tasks())
    try:
        yield from new_starts()
        for number, outcome in answers:
            yield from new_starts()
            job = running.pop(number)
            yield "finished", job, value_or_error(outcome, job)
    except TerminatedWorkerError as error:
        names = "; ".join(str(job) for job in running.values())
        raise WorkerError(f"a process died (killed, or out of memory?), working on one of: {names}") from error
    finally:
        answers.close()
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def attempt(work: Callable[[Any], Value], job: Any) -> Value | JobError:
    """Do a job on one thread; what goes wrong comes back in a form that passes through a pipe."""
    try:
        with one_torch_thread():
            return work(job)
    except Exception:  # noqa: BLE001 - it is raised again by the parent, which has the whole traceback to show
        return JobError(traceback.format_exc())


def value_or_error(outcome: Value | JobError, job: object) -> Value:
    """What a job gave back; raises JobError naming it where it failed."""
    if isinstance(outcome, JobError):
        raise JobError(f"{job} failed:\n{outcome}")
    return outcome


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread: two a process, on two busy cores, measured up to twenty times slower.

    A torch that is imported only meanwhile is bound by the environment variable.
    """
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    torch = sys.modules.get("torch")
    threads = None if torch is None else torch.get_num_threads()
    if torch is not None:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch is not None:
            torch.set_num_threads(threads)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _serve(parent: int, work: Callable[[Any], Any], number: int, job: Any) -> tuple[int, Any]:
    """One job in a worker."""
    global _watched
    if _watched != parent:
        _watched = parent
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent decides
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return number, attempt(work, job)


# Whose end this process waits for, once it works for somebody.
_watched: int | None = None


def _end_with(parent: int) -> None:
    """End at once, in the middle of a job, when the parent is gone: its children then get another."""
    while os.name != "posix" or os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
