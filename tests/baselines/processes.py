"""Comparisons in processes of their own, to be killed and interrupted for real."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from baselines.comparison.result_files import CELLS
from baselines.comparison.results import Results

# How long anything here may take on a busy machine.
PATIENCE = 120.0

# What the test that runs has started.
started: list[Command] = []


@dataclass
class Command:
    """A command that runs in a process of its own.

    Attributes:
        process: the process, leader of a session as in a terminal.
        folder: where its results go.
        mark: stands in the environment of it and of every process that it starts.
    """

    process: subprocess.Popen[str]
    folder: Path
    mark: str

    @classmethod
    def start(cls, *words: str, out: Path, **environment: str) -> Command:
        mark = str(uuid.uuid4())
        process = subprocess.Popen(
            [sys.executable, "-m", "baselines", *words, "--out", str(out)],
            env={**os.environ, "PYTHONPATH": ".", "MARK": mark, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(cls(process, out, mark))
        return started[-1]

    def result_files(self) -> list[Path]:
        return [path for path in self.folder.glob(f"{CELLS}/*.npz") if not path.name.startswith(".")]

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Wait until something holds; False where the command ended first."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.002)
        return True

    def workers(self) -> list[psutil.Process]:
        """The processes that compute for it through joblib."""
        return [child for child in psutil.Process(self.process.pid).children() if "LokyProcess" in command_line(child)]

    def interrupt(self, *, whole_group: bool) -> None:
        """Ctrl-C: a terminal sends it to every process of the group."""
        (os.killpg if whole_group else os.kill)(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """As the kernel does where memory is short: this process alone."""
        os.kill(self.process.pid, signal.SIGKILL)

    def end(self) -> tuple[int, str]:
        """Wait for its end; gives back the exit code and what it printed."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output

    def nobody_is_left(self, seconds: float = 10.0) -> None:
        """Wait until none lives of the processes that it has started."""
        end = time.monotonic() + seconds
        while alive := self._alive():
            assert time.monotonic() < end, f"processes are left: {[command_line(process) for process in alive]}"
            time.sleep(0.02)

    def kill_everybody(self) -> None:
        """Kill it and all that it has started; nothing happens where they have ended."""
        left = self._alive()
        if self.process.poll() is None:  # some of Ray's have written a title over their mark
            left += psutil.Process(self.process.pid).children(recursive=True)
        while left:
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=PATIENCE)
            left = self._alive()
        self.process.wait()
        self.process.stdout.close()

    def _alive(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("MARK") == self.mark:
                    found.append(process)
            except psutil.Error:
                continue  # it has ended meanwhile, or is somebody else's
        return found


@pytest.fixture(autouse=True)
def no_command_outlives_its_test() -> Iterator[None]:
    """Wherever a test ends, as one that fails does in the middle."""
    yield
    while started:
        started.pop().kill_everybody()


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has ended meanwhile


def to_the_byte(results: Results) -> dict[tuple[str, str], tuple[bytes, ...]]:
    """All that was found but times, as bytes."""
    found = {}
    for row in results.rows:
        kept = (row.steps, row.scores, row.regret, row.value_error)
        found[row.world, row.agent] = tuple(b"" if array is None else np.asarray(array).tobytes() for array in kept)
    for game in results.games:
        arrays = {name: array for name, array in vars(game.record).items() if name != "seconds"}
        found[game.game, game.agent] = tuple(np.asarray(arrays[name]).tobytes() for name in sorted(arrays))
    return found
