"""Jobs in several processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from threadpoolctl import threadpool_limits

from baselines.system.interrupts import interrupts_held_back
from baselines.system.threads import ONE_THREAD
from baselines.system.workers import JobError, WorkerError, run_jobs
from tests.baselines.library_threads import threads_of_libraries


def do(job: tuple[str, object]) -> object:
    """Do what the first part says."""
    what, given = job
    if what == "fail":
        raise ZeroDivisionError("division by zero")
    if what == "fail at length":
        raise ValueError("x" * 10**6)
    if what == "fail oddly":
        raise Odd(given, lambda: None)
    if what == "exit":
        sys.exit(3)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "wait":
        time.sleep(60)
    if what == "print":
        print(given)
    if what == "grow":
        KEPT.append(bytearray(400 * 2**20))
        time.sleep(1.1)  # memory is looked at once a second
    if what == "threads":
        return threads_of_libraries()
    if what == "call":
        return given()  # type: ignore[operator]
    return os.getpid(), {name: os.environ.get(name) for name in ONE_THREAD}


KEPT: list[bytearray] = []


class Odd(Exception):
    """Its arguments cannot be pickled, and it cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words for it")


def workers_alive() -> list[psutil.Process]:
    """What works for this process; joblib's tracker of semaphores is no worker, and stays."""
    children = [child for child in psutil.Process().children(recursive=True) if child.is_running()]
    return [child for child in children if "LokyProcess" in " ".join(cmdline(child))]


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []  # it has ended meanwhile


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    yield
    assert not workers_alive()


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_is_done_once_and_begun_in_order(workers: int) -> None:
    jobs = [("report", number) for number in range(8)]
    events = list(run_jobs(jobs, do, workers))
    assert [job for what, job, _ in events if what == "started"] == jobs
    assert sorted(job for what, job, _ in events if what == "finished") == jobs
    values = {job: value for what, job, value in events if what == "finished"}
    assert (os.getpid() in {process for process, _ in values.values()}) == (workers == 1)
    if workers > 1:
        assert all(set(variables.values()) == {"1"} for _, variables in values.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_never_more_jobs_run_than_there_are_processes(workers: int) -> None:
    running: set[Any] = set()
    most = 0
    for what, job, _ in run_jobs([("report", number) for number in range(8)], do, workers):
        if what == "started":
            running.add(job)
        else:
            running.remove(job)
        most = max(most, len(running))
    assert most == workers


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("job", "message"),
    [
        (("fail", 0), r"\('fail', 0\) failed:\nTraceback(.|\n)*ZeroDivisionError: division by zero"),
        (("exit", 0), r"\('exit', 0\) failed:\nTraceback(.|\n)*SystemExit: 3"),
        (("fail oddly", 0), r"\('fail oddly', 0\) failed:\nTraceback(.|\n)*Odd: <exception str\(\) failed>"),
        (("fail at length", 0), r"failed:\nTraceback(.|\n)*x\n\.\.\. 99\d{4} characters are left out \.\.\.\nx"),
    ],
)
def test_a_job_that_fails_is_told_with_its_traceback_and_the_others_are_done(
    workers: int, job: Any, message: str
) -> None:
    ends = {job: (what, value) for what, job, value in run_jobs([job, ("report", 0)], do, workers) if what != "started"}
    assert ends["report", 0][0] == "finished"
    what, error = ends[job]
    assert what == "failed"
    assert isinstance(error, JobError)
    assert re.search(message, str(error))
    assert len(str(error)) < 15_000


def test_a_process_that_dies_is_an_error_that_names_what_it_may_have_been_doing() -> None:
    with pytest.raises(
        WorkerError, match=r"a process died \(killed, or out of memory\?\), working on one of: \('"
    ) as e:
        list(run_jobs([("die", 1), ("wait", 2), ("report", 3)], do, 2))
    assert "('die', 1); ('wait', 2)" in str(e.value)
    assert "report" not in str(e.value)


def test_a_job_that_cannot_be_sent_is_named() -> None:
    lock = threading.Lock()
    events = list(run_jobs([("call", lock), ("report", 0), ("report", 1)], do, 2))
    (error,) = [value for what, _, value in events if what == "failed"]
    assert re.search(
        r"\('call', <unlocked.*>\) failed:\nit cannot be sent to another process: cannot pickle", str(error)
    )
    assert [what for what, _, _ in events].count("finished") == 2


def test_functions_that_no_process_could_import_are_taken_along() -> None:
    number = 41
    values = [value for what, _, value in run_jobs([("call", lambda: number + 1)] * 2, do, 2) if what == "finished"]
    assert values == [42, 42]


# A thread of joblib's own may trip over work that was withdrawn while it took it; the workers end all the same.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_stopping_early_ends_the_workers() -> None:
    events = run_jobs([("wait", 0), ("wait", 1)], do, 2)
    assert next(events)[0] == "started"
    assert len(workers_alive()) == 2
    started = time.monotonic()
    events.close()
    assert time.monotonic() - started < 10


def test_an_error_of_the_caller_between_two_events_ends_the_workers() -> None:
    events = run_jobs([("report", 0), ("wait", 1)], do, 2)
    while next(events)[0] != "finished":
        pass
    with pytest.raises(KeyError, match="the disk is full"):
        events.throw(KeyError("the disk is full"))


def test_a_job_may_print(capfd: pytest.CaptureFixture[str]) -> None:
    list(run_jobs([("print", "first"), ("print", "second")], do, 2))
    assert sorted(capfd.readouterr().out.split()) == ["first", "second"]


def test_a_worker_that_grew_is_replaced_without_a_word() -> None:
    # Warnings are errors in these tests: one in joblib's thread would end it, and this would wait for ever.
    jobs = [("report", 0), ("report", 1), ("grow", 2), ("grow", 3), ("report", 4), ("report", 5), ("report", 6)]
    values = {job[1]: value for what, job, value in run_jobs(jobs, do, 2) if what == "finished"}
    assert sorted(values) == list(range(7))
    assert {values[0][0], values[1][0]}.isdisjoint({values[number][0] for number in (5, 6)})


def test_a_job_computes_on_one_thread_wherever_it_is_done() -> None:
    for workers in (1, 2):
        with threadpool_limits(2):
            events = list(run_jobs([("threads", number) for number in range(2)], do, workers))
        assert [value for what, _, value in events if what == "finished"] == [{1}, {1}]


def test_the_callers_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMEXPR_NUM_THREADS", raising=False)
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    for workers in (1, 2):
        list(run_jobs([("report", 0), ("report", 1)], do, workers))
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert not {"NUMEXPR_NUM_THREADS", "PYTHONWARNINGS"} & os.environ.keys()


def test_an_interrupt_waits_until_a_block_is_over() -> None:
    reached = []

    def block() -> None:
        with interrupts_held_back():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        block()
    assert reached
    assert signal.getsignal(signal.SIGINT) is handler
    with interrupts_held_back():
        pass


def test_processes_that_are_started_in_the_block_are_never_interrupted() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('still here')"
    with interrupts_held_back():
        child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout.strip()) == (0, "still here")
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert child.returncode != 0


def test_a_block_in_another_thread_changes_nothing() -> None:
    seen = []

    def block() -> None:
        with interrupts_held_back():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
