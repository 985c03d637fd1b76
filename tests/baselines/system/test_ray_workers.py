"""Jobs on a Ray cluster, a real one of two workers on this machine."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from baselines.__main__ import main
from baselines.comparison import cells
from baselines.comparison.comparison import Comparison
from baselines.comparison.results import read_results
from baselines.comparison.running import compare
from baselines.system.environment_variables import environment
from baselines.system.ray_workers import OBJECT_STORE, run_on_ray
from baselines.system.threads import ONE_THREAD
from baselines.system.workers import JobError, WorkerError
from tests.baselines.kills import words
from tests.baselines.library_threads import threads_of_libraries
from tests.baselines.processes import Command, command_line, to_the_byte

ray = pytest.importorskip("ray", reason="Ray is not installed")


def free_port() -> int:
    """A port where nobody listens, as one is once its socket is closed."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


# Cells that take long enough to be caught in the middle.
KILLED = Comparison(worlds=("RandomMDP",), agents=("QLearning", "Sarsa", "QLearning:epsilon=0.3"), runs=50, steps=8_000)


@pytest.fixture(scope="module", autouse=True)
def secret_of_ray() -> Iterator[None]:
    """What newer versions ask of those who connect; left out, they write one into a home that may not be there."""
    with environment({"RAY_AUTH_TOKEN": "0" * 64}):
        yield


@pytest.fixture(scope="class")
def cluster() -> Iterator[None]:
    """A cluster that this process is connected to; it has been told nothing of one thread."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with environment(dict.fromkeys(ONE_THREAD, "2")):
        small = {"num_cpus": 2, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
        ray.init(address="local", log_to_driver=False, logging_level="error", **small)
    yield
    ray.shutdown()


def do(job: tuple[str, Any]) -> Any:
    what, given = job
    if what == "fail":
        raise ZeroDivisionError("division by zero")
    if what == "exit":
        sys.exit(3)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "die once" and not given.exists():
        given.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "threads":
        return threads_of_libraries()
    if what == "call":
        return given()
    return os.getpid()


@pytest.mark.usefixtures("cluster")
class TestOnAClusterThatIsThere:
    """Tests that share one, as starting it takes seconds."""

    def test_every_job_is_done_once_by_other_processes(self) -> None:
        jobs = [("report", number) for number in range(6)]
        events = list(run_on_ray(jobs, do, 2))
        assert [job for what, job, _ in events if what == "started"] == jobs
        values = {job: value for what, job, value in events if what == "finished"}
        assert sorted(values) == jobs
        assert os.getpid() not in values.values()
        running = 0
        for what, _, _ in events:
            running += 1 if what == "started" else -1
            assert running <= 2
        assert ray.is_initialized()  # whoever has started it may have other plans for it

    @pytest.mark.parametrize(
        ("job", "message"),
        [
            (("fail", 0), r"\('fail', 0\) failed:\nTraceback(.|\n)*ZeroDivisionError: division by zero"),
            (("exit", 0), r"\('exit', 0\) failed:\nTraceback(.|\n)*SystemExit: 3"),
            (("call", socket), r"(?s)\('call', <module 'socket'.*TypeError: 'module' object is not callable"),
            (("call", threading.Lock()), r"\('call', <unlocked.*>\) failed:\nit cannot be sent to another process"),
        ],
    )
    def test_a_job_that_fails_is_told_with_its_traceback_and_the_others_are_done(self, job: Any, message: str) -> None:
        ends = {job: (what, value) for what, job, value in run_on_ray([job, ("report", 0)], do, 2) if what != "started"}
        assert ends["report", 0][0] == "finished"
        what, error = ends[job]
        assert what == "failed"
        assert isinstance(error, JobError)
        assert re.search(message, str(error))

    def test_a_job_whose_worker_dies_is_begun_again(self, tmp_path: Path) -> None:
        events = list(run_on_ray([("die once", tmp_path / "died"), ("report", 0)], do, 2))
        assert (tmp_path / "died").exists()
        assert [what for what, _, _ in events].count("finished") == 2

    def test_a_job_that_kills_every_worker_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("baselines.system.ray_workers.RETRIES", 1)
        with pytest.raises(WorkerError, match=r"the cluster lost \('die', 0\): \w+: .*worker.*died"):
            list(run_on_ray([("die", 0)], do, 2))

    def test_a_job_computes_on_one_thread(self) -> None:
        assert [value for what, _, value in run_on_ray([("threads", 0)], do, 2) if what == "finished"] == [{1}]

    def test_results_are_the_same_whichever_ran_them(self, tmp_path: Path) -> None:
        number = 1

        def mine(env_fn: Callable[[], Any], steps: int, seed: int) -> np.ndarray:
            return np.full(env_fn().observation_space.n, number)

        (tmp_path / "own.py").write_text(
            "import numpy as np\n\n"
            "class Guess:\n    def __init__(self, seed):\n        self.seed = seed\n\n"
            "def train(env_fn, steps, seed):\n"
            "    return np.random.default_rng(Guess(seed).seed).integers(2, size=env_fn().observation_space.n)\n"
        )
        every = Comparison(
            worlds=("LineWalk",),
            agents=("QLearning", "DQN", "SB3DQN"),
            functions=(f"File={tmp_path / 'own.py'}:train",),
            runs=2,
            library_runs=2,
            steps=150,
            checkpoints=2,
            games=("climbing",),
            game_agents=("IndependentQ",),
            rounds=100,
        )
        ways: dict[str, dict[str, Any]] = {
            "here": {"workers": 1},
            "joblib": {"workers": 2},
            "ray": {"workers": 2, "backend": "ray"},
        }
        found = {
            name: to_the_byte(compare(every, tmp_path / name, functions={"Mine": mine}, **way))
            for name, way in ways.items()
        }
        assert len(found["here"]) == 6
        assert found["here"] == found["joblib"] == found["ray"]
        names = {name: sorted(path.name for path in (tmp_path / name / "cells").iterdir()) for name in ways}
        assert names["here"] == names["joblib"] == names["ray"]

    def test_a_worker_with_other_versions_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Here alone: the workers are other processes, and find the real versions.
        monkeypatch.setattr(cells, "versions_of", lambda *_: {"numpy": "another"})
        few = Comparison(worlds=("LineWalk",), agents=("Random",), runs=2, steps=10, checkpoints=1)
        with pytest.raises(WorkerError, match="every worker must have the same versions as the process that sends it"):
            compare(few, tmp_path, backend="ray")
        assert not list((tmp_path / "cells").iterdir())

    def test_an_address_is_refused_by_a_process_that_is_connected_already(self) -> None:
        with pytest.raises(WorkerError, match=r"cannot connect to auto: this process is connected to a Ray cluster"):
            list(run_on_ray([("report", 0)], do, 2, "auto"))


# In processes of their own --------------------------------------------------------------------------------------------


def ray_workers(command: Command) -> list[psutil.Process]:
    """Workers of Ray that are in the middle of a cell."""
    children = psutil.Process(command.process.pid).children(recursive=True)
    return [child for child in children if command_line(child).startswith("ray::attempt_packed")]


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def they_end(processes: list[psutil.Process], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while alive := [process for process in processes if not has_ended(process)]:
        assert time.monotonic() < end, f"processes are left: {[command_line(process) for process in alive]}"
        time.sleep(0.05)


def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    command = Command.start(*words(KILLED, workers=2), "--backend", "ray", out=tmp_path / "there")
    assert command.wait_for(lambda: ray_workers(command))
    everybody = psutil.Process(command.process.pid).children(recursive=True)
    victim = ray_workers(command)[0]
    victim.kill()
    code, output = command.end()
    assert code == 0, output
    # Ray says in lines of its own that it is alone in the network.
    assert re.findall(r"(?m)^\[(\d+/\d+)\] ", output) == ["1/3", "2/3", "3/3"]
    assert not [noise for noise in ("(raylet)", "ray::", "died", "WARNING", "core_worker") if noise in output]
    they_end(everybody)
    assert to_the_byte(read_results(tmp_path / "there")) == to_the_byte(compare(KILLED, tmp_path / "here", workers=1))


def test_ctrl_c_ends_the_cluster_that_was_started(tmp_path: Path) -> None:
    command = Command.start(*words(KILLED, workers=2), "--backend", "ray", out=tmp_path)
    assert command.wait_for(lambda: ray_workers(command))
    everybody = psutil.Process(command.process.pid).children(recursive=True)
    command.interrupt(whole_group=True)
    code, output = command.end()
    lines = [line for line in output.splitlines() if not line.startswith("[")]
    assert code in (130, -signal.SIGINT)  # a shell says 130 of both
    assert lines == ["Stopped.", f"Finished cells are kept in {tmp_path}; run the same command to resume."]
    they_end(everybody)


def test_what_computes_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = Command.start(*words(KILLED, workers=2), "--backend", "ray", out=tmp_path)
    assert command.wait_for(lambda: ray_workers(command))
    children = psutil.Process(command.process.pid).children(recursive=True)
    everybody = {child: command_line(child) for child in children}
    command.kill()
    command.end()
    # Two processes of Ray's own, which only watch, take a minute to notice, and so does a worker without work.
    busy = ("ray::attempt_packed", "raylet/raylet ", "gcs_server ")
    they_end([process for process, line in everybody.items() if any(name in line for name in busy)])
    for process in everybody:
        if not has_ended(process):
            process.kill()


def test_cells_go_to_a_running_cluster_by_its_address(tmp_path: Path) -> None:
    few = Comparison(worlds=("LineWalk", "Bandit"), agents=("Random", "QLearning"), runs=3, steps=100, checkpoints=2)
    port = free_port()
    options = f"--head --block --num-cpus=2 --include-dashboard=false --disable-usage-stats --port={port}"
    more = f"--node-ip-address=127.0.0.1 --ray-client-server-port={free_port()}"
    secret = {"RAY_AUTH_MODE": "token"}  # newer versions have one by default, and take it up if told to
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", *options.split(), *more.split()],
        env={**os.environ, "PYTHONPATH": ".", **secret},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not any("raylet/raylet" in command_line(child) for child in psutil.Process(head.pid).children()):
            assert head.poll() is None
            time.sleep(0.1)
        where = ["--backend", "ray", "--address", f"127.0.0.1:{port}"]
        command = Command.start(*words(few, workers=1), *where, out=tmp_path / "there", **secret)
        code, output = command.end()
        assert code == 0, output
        assert head.poll() is None  # it is somebody else's cluster
        assert to_the_byte(read_results(tmp_path / "there")) == to_the_byte(compare(few, tmp_path / "here", workers=1))
    finally:
        everybody = psutil.Process(head.pid).children(recursive=True)
        head.terminate()
        head.wait(60)
        for process in everybody:
            if not has_ended(process):
                process.kill()


# Without a cluster ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:PORT", "no Ray cluster at 127.0.0.1:PORT: Connection refused"),
        ("ray://127.0.0.1:PORT", "no Ray cluster at ray://127.0.0.1:PORT: Connection refused"),
        ("localhost:99999", "'localhost:99999' is no address of a Ray cluster: Port out of range 0-65535"),
        ("nonsense", "no Ray cluster at nonsense: Invalid address format: nonsense"),
    ],
)
def test_an_address_where_nobody_listens_is_told_in_a_line(
    address: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Chosen here, for every process that collects the tests must see the same ones.
    port = str(free_port())
    address, message = address.replace("PORT", port), message.replace("PORT", port)
    few = Comparison(worlds=("LineWalk",), agents=("Random",), runs=2, steps=10, checkpoints=1)
    started = time.monotonic()
    assert main([*words(few, workers=1), "--backend", "ray", "--address", address, "--out", str(tmp_path)]) == 2
    assert time.monotonic() - started < 30
    assert capsys.readouterr().err.splitlines()[0] == f"Error: {message}"


def test_where_no_cluster_runs_auto_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would try the last cluster that it remembers, for minutes."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", frozenset)
    with pytest.raises(WorkerError, match="no Ray cluster at auto: none is running on this machine"):
        list(run_on_ray([("report", 0)], do, 1, "auto"))
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    with pytest.raises(WorkerError, match=r"no Ray cluster at 127\.0\.0\.1:\d+: Connection refused"):
        list(run_on_ray([("report", 0)], do, 1, "auto"))


def test_without_ray_the_way_to_get_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    few = Comparison(worlds=("LineWalk",), agents=("Random",), runs=2, steps=10, checkpoints=1)
    assert main([*words(few, workers=1), "--backend", "ray", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: the backend 'ray' needs Ray: pip install 'rl-envs[ray]'\n")
