"""Runs jobs on a Ray cluster: a temporary one on this machine, or an existing one.

A cluster that is started here ends with this process, even if that is killed; two of Ray's own processes, which only
watch it, then take about a minute to notice.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from baselines.system.environment_variables import environment
from baselines.system.interrupts import interrupts_held_back
from baselines.system.workers import Event, Job, JobError, Value, WorkerError, attempt_packed, end_of, pack

# How often Ray restarts a job whose worker was killed: a job that always kills its worker must end eventually.
RETRIES = 5

# Bytes of shared memory for what passes between processes on this machine: results are small.
OBJECT_STORE = 100 * 2**20

# How long to wait for a cluster's answer.
SECONDS_TO_ANSWER = 10.0


def run_on_ray(
    jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int, address: str | None = None
) -> Iterator[Event[Job, Value]]:
    """Run all jobs, one per core of the cluster at a time, starting them in the given order.

    A job whose worker dies is begun again elsewhere, so a killed process or a lost machine loses nothing but time.

    Args:
        jobs: the jobs; each is pickled for a worker. This package must be installed on every machine.
        work: runs one job.
        num_workers: number of cores of this machine to use; with an address the cluster's own number counts.
        address: of a running cluster ("auto", "ray://host:10001", "host:6379"); when left out, the one that this
            process is connected to already, or else one that is started on this machine for the time being.

    Yields:
        As `baselines.system.workers.run_jobs`.

    Raises:
        WorkerError: Ray is not installed, no cluster answers, or a job's worker died again and again.
    """
    ray = _ray()
    with _cluster(ray, num_workers, address):
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(attempt_packed)
        waiting = deque(jobs)
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                # Only as many are sent as can run, so that a million jobs do not fill the cluster's memory.
                for _ in range(min(len(waiting), _cores(ray) - len(running))):
                    job = waiting.popleft()
                    yield "started", job, None
                    packed = pack(work, job)
                    if isinstance(packed, JobError):
                        yield end_of(job, packed)
                    else:
                        running[remote.remote(packed)] = job
                if not running:
                    continue
                for reference in ray.wait(list(running), num_returns=1)[0]:
                    outcome = _answer(ray, reference, running[reference])
                    job = running.pop(reference)
                    yield end_of(job, outcome)
        finally:
            with interrupts_held_back():
                for reference in running:
                    ray.cancel(reference, force=True)


def _ray() -> Any:
    # Ray prints in the driver whatever happens to a worker, without a switch for it; this it reads when it is imported.
    skip_all = {"RAY_DEDUP_LOGS_SKIP_REGEX": "."}
    try:
        with environment({name: value for name, value in skip_all.items() if name not in os.environ}):
            import ray
    except ImportError:
        raise WorkerError("the backend 'ray' needs Ray: pip install 'rl-envs[ray]'") from None
    return ray


@contextlib.contextmanager
def _cluster(ray: Any, num_workers: int, address: str | None) -> Iterator[None]:
    """Connect to a cluster; one that was started for this is shut down afterwards."""
    if ray.is_initialized():
        if address is not None:
            raise WorkerError(f"cannot connect to {address}: this process is connected to a Ray cluster already")
        yield
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address is None:
        own = {"num_cpus": num_workers, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
        options |= {"address": "local", **own}
    else:
        _check_listens(address)
        options |= {"address": address}
    try:
        # No usage statistics are sent.
        with interrupts_held_back(), environment({"RAY_USAGE_STATS_ENABLED": "0"}):
            ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        ray.shutdown()  # of what had begun to start
        raise WorkerError(f"no Ray cluster at {address or 'this machine'}: {_first_line(error)}") from error
    try:
        yield
    finally:
        with interrupts_held_back():
            ray.shutdown()


def _check_listens(address: str) -> None:
    """Raise WorkerError where nothing listens: Ray itself would try for minutes."""
    address = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    if address == "auto" and not _runs_here():
        raise WorkerError("no Ray cluster at auto: none is running on this machine")
    place = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = place.hostname, place.port
    except ValueError as error:
        raise WorkerError(f"{address!r} is no address of a Ray cluster: {error}") from None
    if host is None or port is None:
        return  # "auto", or a name that Ray knows
    try:
        socket.create_connection((host, port), timeout=SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise WorkerError(f"no Ray cluster at {address}: {error.strerror or error}") from error


def _runs_here() -> bool:
    """Whether a Ray cluster has processes on this machine; Ray itself would try the last one that it remembers."""
    from ray._private import services

    find = getattr(services, "find_gcs_addresses", None)
    return find is None or bool(find())


def _cores(ray: Any) -> int:
    """The number of jobs that can run at once; machines may join or leave."""
    return max(1, int(ray.cluster_resources().get("CPU", 0)))


def _answer(ray: Any, reference: Any, job: object) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error  # what went wrong in the worker, without Ray's colours
        raise WorkerError(f"the cluster lost {job}: {type(cause).__name__}: {_first_line(cause)}") from error


def _first_line(error: Exception) -> str:
    """An error's message, without Ray's long advice for cluster operators."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
