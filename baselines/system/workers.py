"""Doing jobs in several processes of this machine, so that a kill, an interrupt or a crash leaves none behind.

joblib's processes do them: fresh interpreters with one thread each. They are asked for by its executor (loky), as
`joblib.Parallel` can neither tell when a job begins nor, in its older versions, let the processes watch whether their
parent lives. What a job gives back comes to this process, which alone writes files.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any, TypeVar

from baselines.system.environment_variables import environment
from baselines.system.interrupts import interrupts_held_back
from baselines.system.threads import ONE_THREAD, one_thread

Job = TypeVar("Job")
Value = TypeVar("Value")

# How often a process looks whether the one that started it is still there.
SECONDS_BETWEEN_LOOKS = 0.5

# Characters of a traceback that are kept of each end: an error may quote a whole array.
TRACEBACK_ENDS = 5_000


def cores() -> int:
    """How many cores this process may use: what the system and a container allow it; 1 where it may start no others."""
    import joblib

    return 1 if multiprocessing.current_process().daemon else joblib.cpu_count()


class JobError(Exception):
    """A job that failed; the message names it and ends with its traceback."""


class Mistake(Exception):
    """What a job refuses, and says whole in its message: a traceback would tell no more."""


class WorkerError(Exception):
    """A worker process that died, or a cluster that cannot be had."""


# What became of a job ("started", "finished" or "failed"), the job, and what it gave back or how it failed.
Event = tuple[str, Job, Value | JobError | None]


def run_jobs(jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int) -> Iterator[Event[Job, Value]]:
    """Do every job, begun in the order given.

    Args:
        jobs: what to do; each goes to a worker as a pickle.
        work: does one job.
        num_workers: how many processes; with 1 the jobs are done in this one.

    Yields:
        ("started", job, None), and in the order in which they end ("finished", job, what it gave back) or ("failed",
        job, a JobError) where it raised anything or cannot be pickled.

    Raises:
        WorkerError: a process died, for want of memory perhaps.
    """
    if num_workers == 1 or len(jobs) <= 1:
        for job in jobs:
            yield "started", job, None
            yield end_of(job, attempt(work, job))
        return
    with _executor(min(num_workers, len(jobs))) as executor:
        yield from _share_out(jobs, work, executor, min(num_workers, len(jobs)))


def _share_out(
    jobs: Sequence[Job], work: Callable[[Job], Value], executor: Any, num_workers: int
) -> Iterator[Event[Job, Value]]:
    """Keep as many jobs in the executor as it has processes, so that a job that is in it has begun."""
    waiting = deque(jobs)
    running: dict[Future[Any], Job] = {}
    try:
        while waiting or running:
            begun: list[Event[Job, Value]] = []
            while waiting and len(running) < num_workers:
                job = waiting.popleft()
                begun.append(("started", job, None))
                packed = pack(work, job)
                if isinstance(packed, JobError):
                    begun.append(end_of(job, packed))
                    continue
                with interrupts_held_back():  # it may start processes
                    running[executor.submit(attempt_packed, packed)] = job
            yield from begun
            # With a time limit Ctrl-C is heard on every system.
            for future in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
                outcome = future.result()
                job = running.pop(future)
                yield end_of(job, outcome)
    except BrokenExecutor as error:
        names = "; ".join(str(job) for job in running.values())
        raise WorkerError(f"a process died (killed, or out of memory?), working on one of: {names}") from error


@contextlib.contextmanager
def _executor(num_workers: int) -> Iterator[Any]:
    """Processes that end with this block, or with this process if it is killed."""
    from joblib.externals.loky import ProcessPoolExecutor

    # A process whose memory has grown much is replaced between two jobs, which is as it should be and no news.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
        _start_trackers()
        with interrupts_held_back():
            executor = ProcessPoolExecutor(num_workers, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD)
        kill = True
        try:
            yield executor
            kill = False
        finally:
            with interrupts_held_back():
                executor.shutdown(wait=True, kill_workers=kill)


def _start_trackers() -> None:
    """Start the processes that clear away after a parent that was killed; what they find to clear away is no news.

    Those of some versions of Python let Ctrl-C through again when they start, so it is not done while it is held back
    from workers.
    """
    if os.name == "posix":
        from multiprocessing import resource_tracker

        from joblib.externals.loky.backend import resource_tracker as resource_tracker_of_joblib

        with environment({"PYTHONWARNINGS": "ignore::UserWarning"}):
            resource_tracker.ensure_running()
            resource_tracker_of_joblib.ensure_running()


def _begin(parent: int) -> None:
    """What a process does first."""
    # Of its own environments in processes, say: joblib leaves its own way of starting some, which is only for itself.
    multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be kept from new processes
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End at once, in the middle of a job, when the parent is gone: its children then get another."""
    while os.name != "posix" or os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def pack(work: Callable[[Job], Any], job: Job) -> bytes | JobError:
    """Pickle a job and what does it.

    Args:
        work: does one job.
        job: the job; functions in it that no other process could import are taken along whole.

    Returns:
        The pickle, or an error where something in it cannot be pickled.
    """
    import cloudpickle

    try:
        return cloudpickle.dumps((work, job))
    except Exception as error:  # noqa: BLE001 - a pickler raises whatever the objects raise, and it is told
        return JobError(f"it cannot be sent to another process: {error}\nJoblib with one worker sends nothing.")


def attempt_packed(packed: bytes) -> Any:
    """Do a job that was packed, in another process; gives back a JobError if it fails."""
    return attempt(_unpack_and_do, packed)


def _unpack_and_do(packed: bytes) -> Any:
    work, job = pickle.loads(packed)
    return work(job)


def attempt(work: Callable[[Any], Value], job: Any) -> Value | JobError:
    """Do a job on one thread; what goes wrong comes back in a form that passes through a pipe."""
    try:
        with one_thread():
            return work(job)
    except Mistake as mistake:
        return JobError(str(mistake))
    except (Exception, SystemExit):  # noqa: BLE001 - it is told by the parent, which has the traceback to show
        return JobError(_shortened(traceback.format_exc()))


def _shortened(text: str) -> str:
    left_out = len(text) - 2 * TRACEBACK_ENDS
    if left_out <= 0:
        return text
    return f"{text[:TRACEBACK_ENDS]}\n... {left_out} characters are left out ...\n{text[-TRACEBACK_ENDS:]}"


def end_of(job: Job, outcome: Value | JobError) -> Event[Job, Value]:
    """What there is to say of a job that has ended."""
    if isinstance(outcome, JobError):
        return "failed", job, JobError(f"{job} failed:\n{outcome}")
    return "finished", job, outcome
