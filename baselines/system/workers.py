"""Runs jobs in several processes of this machine; a kill, an interrupt or a crash leaves none behind.

The processes are joblib's: fresh interpreters with one thread each. Its executor (loky) is used directly, because
`joblib.Parallel` does not report when a job starts, nor do its older versions let processes notice that their parent
has died. Results return to this process, which alone writes files.
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

# How often a process checks that its parent is alive.
SECONDS_BETWEEN_LOOKS = 0.5

# Characters kept at each end of a traceback: an error may quote a whole array.
TRACEBACK_ENDS = 5_000


def cores() -> int:
    """The number of cores that the system and a container allow; 1 where this process cannot start others."""
    import joblib

    return 1 if multiprocessing.current_process().daemon else joblib.cpu_count()


class JobError(Exception):
    """A job that failed; the message names it and ends with its traceback."""


class Mistake(Exception):
    """A job's refusal whose message says everything, so that no traceback is needed."""


class WorkerError(Exception):
    """A worker process that died, or a cluster that is unavailable."""


# A job's new state ("started", "finished" or "failed"), the job, and its result or error.
Event = tuple[str, Job, Value | JobError | None]


def run_jobs(jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int) -> Iterator[Event[Job, Value]]:
    """Run all jobs, starting them in the given order.

    Args:
        jobs: the jobs; each is pickled for a worker.
        work: runs one job.
        num_workers: number of processes; with 1 the jobs run in this one.

    Yields:
        ("started", job, None), and in the order in which they end ("finished", job, result), or ("failed", job,
        JobError) where it raised anything or cannot be pickled.

    Raises:
        WorkerError: a process died, out of memory say.
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
    """Submit only as many jobs as there are processes, so that a submitted job has started."""
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

    # joblib replaces a process whose memory has grown, and warns of it; that is intended.
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
    """Start the processes that clean up after a killed parent, without their warnings.

    In some versions of Python starting them re-enables Ctrl-C, so this comes before it is held back from workers.
    """
    if os.name == "posix":
        from multiprocessing import resource_tracker

        from joblib.externals.loky.backend import resource_tracker as resource_tracker_of_joblib

        with environment({"PYTHONWARNINGS": "ignore::UserWarning"}):
            resource_tracker.ensure_running()
            resource_tracker_of_joblib.ensure_running()


def _begin(parent: int) -> None:
    """Initialise a worker process."""
    # For vector environments that start processes: joblib leaves its own start method set, which serves only itself.
    multiprocessing.set_start_method(multiprocessing.get_all_start_methods()[0], force=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be kept from new processes
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End at once, even in the middle of a job, when the parent is gone and the system has assigned another."""
    while os.name != "posix" or os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def pack(work: Callable[[Job], Any], job: Job) -> bytes | JobError:
    """Pickle a job and its function.

    Args:
        work: runs one job.
        job: the job; functions that another process could not import are pickled by value.

    Returns:
        The pickle, or an error where something cannot be pickled.
    """
    import cloudpickle

    try:
        return cloudpickle.dumps((work, job))
    except Exception as error:  # noqa: BLE001 - a pickler raises whatever the objects raise
        return JobError(f"it cannot be sent to another process: {error}\nJoblib with one worker sends nothing.")


def attempt_packed(packed: bytes) -> Any:
    """Run a packed job, in another process; returns a JobError if it fails."""
    return attempt(_unpack_and_do, packed)


def _unpack_and_do(packed: bytes) -> Any:
    work, job = pickle.loads(packed)
    return work(job)


def attempt(work: Callable[[Any], Value], job: Any) -> Value | JobError:
    """Run a job on one thread; an error is returned in a form that can be pickled."""
    try:
        with one_thread():
            return work(job)
    except Mistake as mistake:
        return JobError(str(mistake))
    except (Exception, SystemExit):  # noqa: BLE001 - the parent reports it with its traceback
        return JobError(_shortened(traceback.format_exc()))


def _shortened(text: str) -> str:
    left_out = len(text) - 2 * TRACEBACK_ENDS
    if left_out <= 0:
        return text
    return f"{text[:TRACEBACK_ENDS]}\n... {left_out} characters are left out ...\n{text[-TRACEBACK_ENDS:]}"


def end_of(job: Job, outcome: Value | JobError) -> Event[Job, Value]:
    """The event of a job that has ended."""
    if isinstance(outcome, JobError):
        return "failed", job, JobError(f"{job} failed:\n{outcome}")
    return "finished", job, outcome
