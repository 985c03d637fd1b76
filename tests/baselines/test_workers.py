"""Jobs in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from baselines.storage import StorageError
from baselines.workers import JobError, WorkerError, run_jobs


def note(job: tuple[Path, str]) -> None:
    """Do what the second part says, and leave a file with this process's number and thread setting."""
    folder, what = job
    if what == "storage":
        raise StorageError("cannot write there")
    if what == "fail":
        raise ZeroDivisionError("division by zero")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "wait":
        time.sleep(60)
    (folder / what).write_text(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")


def alive() -> list[object]:
    return multiprocessing.active_children()


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_is_done_once(workers: int, tmp_path: Path) -> None:
    jobs = [(tmp_path, name) for name in "abcdefg"]
    events = list(run_jobs(jobs, note, workers))
    assert sorted(job[1] for what, job in events if what == "started") == list("abcdefg")
    assert sorted(job[1] for what, job in events if what == "finished") == list("abcdefg")
    notes = [(tmp_path / name).read_text().split() for name in "abcdefg"]
    assert {threads for _, threads in notes} == {"1"}
    assert (str(os.getpid()) in {process for process, _ in notes}) == (workers == 1)
    assert not alive()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_a_job_reaches_the_caller(workers: int, tmp_path: Path) -> None:
    for what, error, message in (
        ("storage", StorageError, "cannot write there"),
        ("fail", JobError, r"'fail'\) failed:\nTraceback(.|\n)*ZeroDivisionError: division by zero"),
    ):
        with pytest.raises(error, match=message):
            list(run_jobs([(tmp_path, what), (tmp_path, "wait")], note, workers))
    assert not alive()


def test_a_worker_that_dies_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"'die'\) died with exit code -9 \(killed, or out of memory\?\)"):
        list(run_jobs([(tmp_path, "die"), (tmp_path, "wait")], note, 2))
    assert not alive()


def test_stopping_early_ends_the_workers(tmp_path: Path) -> None:
    events = run_jobs([(tmp_path, "wait"), (tmp_path, "wait")], note, 2)
    assert next(events)[0] == "started"
    assert alive()
    events.close()
    assert not alive()


def test_the_callers_environment_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMEXPR_NUM_THREADS", raising=False)
    list(run_jobs([(tmp_path, "a"), (tmp_path, "b")], note, 2))
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "NUMEXPR_NUM_THREADS" not in os.environ
