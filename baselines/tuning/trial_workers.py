"""Runs trials in several processes: workers train, and only the parent process talks to the study."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from baselines.system.environment_variables import environment
from baselines.system.interrupts import interrupts_held_back
from baselines.system.threads import ONE_THREAD
from baselines.system.workers import JobError, WorkerError, attempt
from baselines.training.registration import AgentSpecification
from baselines.tuning.trials import Outcome, Tuning, run_trial


class Asker(Protocol):
    """Decides what to try, and records the outcomes."""

    def ask(self) -> tuple[int, AgentSpecification] | None:
        """The number of a new trial and the hyperparameters to try; None if no trial should start now."""

    def should_prune(self, number: int, checkpoint: int, value: float) -> bool:
        """Whether to prune a trial at a checkpoint."""

    def tell(self, number: int, outcome: Outcome | JobError) -> None:
        """Record how a trial ended; a JobError holds the traceback of a failed training."""


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    trial: tuple[int, AgentSpecification] | None = None

    def send(self, message: Any) -> None:
        with self._is_alive():
            self.connection.send(message)

    def receive(self) -> Any:
        with self._is_alive():
            return self.connection.recv()

    @contextlib.contextmanager
    def _is_alive(self) -> Iterator[None]:
        """Raise WorkerError if the process at the other end of the pipe has died."""
        try:
            yield
        except (EOFError, OSError) as error:
            self.process.join()
            number, agent = self.trial or ("none", "it was idle")
            raise WorkerError(
                f"the process running trial {number} ({agent}) died with exit code {self.process.exitcode} "
                "(killed, out of memory, or begun by a script that calls tune() outside of if __name__ == '__main__'?)"
            ) from error


def run_trials(tuning: Tuning, asker: Asker, num_workers: int) -> None:
    """Run trials until all have ended and no other should start.

    Args:
        tuning: what is tuned.
        asker: decides what to try; called in this process only.
        num_workers: number of processes; with 1 the trials run in this one.

    Raises:
        WorkerError: a process died.
    """
    if num_workers == 1:
        while (trial := asker.ask()) is not None:
            number, agent = trial
            should_prune = _PruningDecision(asker, number)
            outcome = attempt(partial(_run, tuning, should_prune), agent)
            if should_prune.error is not None:
                raise should_prune.error
            asker.tell(number, outcome)
        return
    with _workers(tuning, num_workers) as workers:
        while True:
            for worker in workers:
                if worker.trial is None and (trial := asker.ask()) is not None:
                    worker.trial = trial
                    worker.send(trial[1])
            busy = {worker.connection: worker for worker in workers if worker.trial is not None}
            if not busy:
                return
            # With a time limit Ctrl-C is heard on every system.
            for connection in wait(list(busy), timeout=1.0):
                _listen(busy[connection], asker)  # type: ignore[index]  # all of them are connections


class _PruningDecision:
    """Decides about pruning a trial in this process, and keeps its own errors apart from the trial's."""

    def __init__(self, asker: Asker, number: int) -> None:
        self._asker = asker
        self._number = number
        self.error: Exception | None = None

    def __call__(self, checkpoint: int, value: float) -> bool:
        try:
            return self._asker.should_prune(self._number, checkpoint, value)
        except Exception as error:
            self.error = error
            raise


def _listen(worker: _Worker, asker: Asker) -> None:
    """Take one message from a busy worker: a checkpoint, which needs an answer, or the trial's end."""
    trial = worker.trial
    if trial is None:
        raise AssertionError("an idle worker sends no messages")
    what, message = worker.receive()
    if what == "checkpoint":
        worker.send(asker.should_prune(trial[0], *message))
    else:
        worker.trial = None
        asker.tell(trial[0], message)


def _run(tuning: Tuning, should_prune: Callable[[int, float], bool], agent: AgentSpecification) -> Outcome:
    return run_trial(tuning, agent, should_prune)


@contextlib.contextmanager
def _workers(tuning: Tuning, number: int) -> Iterator[list[_Worker]]:
    """Processes that end with this block, or with this process if it is killed."""
    workers: list[_Worker] = []
    try:
        with interrupts_held_back(), environment(ONE_THREAD):
            workers.extend(_start(tuning) for _ in range(number))
        yield workers
    finally:
        with interrupts_held_back():
            for worker in workers:
                worker.connection.close()
                worker.process.terminate()
            for worker in workers:
                worker.process.join()


def _start(tuning: Tuning) -> _Worker:
    # Fresh interpreters: a fork would inherit locks that torch's threads hold.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, tuning), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends when the worker does
    return _Worker(process, ours)


def _serve(connection: Connection, tuning: Tuning) -> None:
    """The main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be kept from new processes
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def should_prune(checkpoint: int, value: float) -> bool:
        connection.send(("checkpoint", (checkpoint, value)))
        return connection.recv()

    while True:
        try:
            agent = connection.recv()
        except (EOFError, OSError):  # closed by the parent, or with it
            return
        connection.send(("end", attempt(partial(_run, tuning, should_prune), agent)))


def _end_with_parent() -> None:
    """End at once, in the middle of a trial, when the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
