"""One thread: results must not depend on how many cores there are."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_limits

from baselines.comparison.comparison import Comparison
from baselines.comparison.results import read_results
from baselines.comparison.running import compare
from baselines.system.threads import ONE_THREAD, one_thread
from baselines.system.workers import cores
from baselines.training.task import task_of
from rl_envs.specification import Specification
from tests.baselines.library_threads import threads_of_libraries
from tests.baselines.processes import Command, to_the_byte

# Linear algebra would share the tables of this world out among cores.
LARGE = ("FourRooms",)


def test_libraries_compute_on_one_thread_and_the_callers_number_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMEXPR_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            assert threads_of_libraries() == {2}
            with one_thread():
                assert threads_of_libraries() == {1}
                assert {name: os.environ[name] for name in ONE_THREAD} == ONE_THREAD
            with pytest.raises(ZeroDivisionError), one_thread():
                raise ZeroDivisionError
            assert threads_of_libraries() == {2}
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "NUMEXPR_NUM_THREADS" not in os.environ
    finally:
        torch.set_num_threads(before)


def test_results_are_the_same_in_one_process_and_in_several_where_libraries_may_use_all_cores(tmp_path: Path) -> None:
    words = ["--worlds", *LARGE, "--agents", "QLearning", "ActorCritic", "--runs", "2"]
    found = {}
    for workers in ("1", "2"):
        options = ["--steps", "200", "--checkpoints", "2", "--workers", workers]
        command = Command.start(
            "compare", *words, *options, out=tmp_path / workers, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2"
        )
        code, output = command.end()
        assert code == 0, output
        found[workers] = to_the_byte(read_results(tmp_path / workers))
    assert found["1"] == found["2"]


def test_results_are_the_same_in_one_process_that_has_solved_the_worlds_on_all_cores_before(tmp_path: Path) -> None:
    comparison = Comparison(worlds=LARGE, agents=("QLearning", "ActorCritic"), runs=2, steps=200, checkpoints=2)
    with threadpool_limits(2):
        task_of.cache_clear()
        for world in LARGE:
            assert task_of(Specification.parse(world)).truth.optimal_value > 0
        one = to_the_byte(compare(comparison, tmp_path / "1", workers=1))
    assert one == to_the_byte(compare(comparison, tmp_path / "2", workers=2))


def test_a_daemon_which_may_start_no_processes_uses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() >= 1
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert cores() == 1
