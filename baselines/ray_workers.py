"""Doing jobs on a Ray cluster: this machine's own for the time being, or one that is there already."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from baselines.workers import Job, Value, WorkerError, attempt, value_or_error

# How often Ray begins a job again whose worker was killed: one that kills its worker each time must not go on for ever.
RETRIES = 5

# Bytes of shared memory for what passes between processes on this machine: results are small.
OBJECT_STORE = 100 * 2**20

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_on_ray(
    jobs: Sequence[Job], work: Callable[[Job], Value], num_workers: int, address: str | None = None
) -> Iterator[tuple[str, Job, Value | None]]:
    """Do every job, one a core of the cluster at a time, begun in the order given.

    A job whose worker dies is begun again elsewhere, so a killed process or a lost machine loses nothing but time.

    Args:
        jobs: what to do; each goes to a worker as a pickle. This package must be installed on every machine.
        work: does one job.
        num_workers: how many cores of this machine to use; a cluster's own number counts where there is an address.
        address: of a running cluster ("auto", "ray://host:10001", "host:6379"); one is started on this machine for the
            time being when left out.

    Yields:
        ("started", job, None) and ("finished", job, what it gave back), these in the order in which they end.

    Raises:
        JobError: a job raised anything.
        WorkerError: Ray is not installed, no cluster answers, or a job's worker died again and again.
    """
    ray = _ray()
    with _cluster(ray, num_workers, address):
        remote = ray.remote(num_cpus=1, max_retries=RETRIES, runtime_env={"env_vars": ONE_THREAD})(attempt)
        at_once = max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = list(reversed(jobs))
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                # No more are sent than can run, so that a million jobs do not lie in the cluster's memory.
                while waiting and len(running) < at_once:
                    job = waiting.pop()
                    running[remote.remote(work, job)] = job
                    yield "started", job, None
                (reference,), _ = ray.wait(list(running), num_returns=1)
                job = running.pop(reference)
                yield "finished", job, value_or_error(_answer(ray, reference, job), job)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise WorkerError("the backend 'ray' needs Ray: pip install 'rl-envs[ray]'") from None
    return ray


@contextlib.contextmanager
def _cluster(ray: Any, num_workers: int, address: str | None) -> Iterator[None]:
    """Be connected to a cluster; one that was started for this is shut down again."""
    own = {"num_cpus": num_workers, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="error", **({} if address else own))
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise WorkerError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _answer(ray: Any, reference: Any, job: object) -> Any:
    try:
        return ray.get(reference)
    except (ray.exceptions.RayTaskError, ray.exceptions.WorkerCrashedError, ray.exceptions.RayError) as error:
        raise WorkerError(f"the cluster lost {job}: {error}") from error
