"""Trainings side by side: the same runs as one after the other, and errors that reach the user."""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

import numpy as np
import pytest

from rl_envs.diagnosis.probes import ratchet, ruler
from rl_envs.diagnosis.training import Job, TrainingError, Trainings

forks = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
JOBS = [Job(probe, 50, seed) for probe in (ruler(), ratchet()) for seed in range(3)]


def acts_by_its_seed(env_fn: Any, steps: int, seed: int) -> np.ndarray:
    """Takes random actions of its own seed, and gives back how often each was taken."""
    env, rng = env_fn(), np.random.default_rng(seed)
    env.reset(seed=seed)
    counts = np.zeros((env.observation_space.n, 2))
    for _ in range(steps):
        action = int(rng.integers(2))
        observation, _, terminated, truncated, _ = env.step(action)
        counts[observation, action] += 1
        if terminated or truncated:
            env.reset()
    return counts


@forks
def test_side_by_side_gives_the_runs_of_one_after_the_other_in_their_order() -> None:
    closure = 0

    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        return acts_by_its_seed(env_fn, steps, seed + closure)

    with Trainings(train, 1) as alone, Trainings(train, 2) as side_by_side:
        for one, other in zip(alone.run(JOBS, "index"), side_by_side.run(JOBS, "index"), strict=True):
            assert (one.probe, one.seed, one.log.digest) == (other.probe, other.seed, other.log.digest)
            np.testing.assert_array_equal(one.learned.q, other.learned.q)


@forks
def test_side_by_side_trains_in_other_processes() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> np.ndarray:
        return np.full(3, float(os.getpid()))

    with Trainings(train, 2) as trainings:
        processes = {run.learned.values[0] for run in trainings.run([Job(ruler(), 1, 0)] * 4, "index")}
    assert os.getpid() not in processes


@forks
def test_what_a_training_raises_in_another_process_is_told() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> None:
        raise LookupError("no such layer")

    with Trainings(train, 2) as trainings, pytest.raises(TrainingError, match="LookupError: no such layer"):
        list(trainings.run(JOBS, "index"))


@forks
def test_a_process_that_dies_is_told() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> None:
        os._exit(3)

    with Trainings(train, 2) as trainings, pytest.raises(TrainingError, match="a training process died"):
        list(trainings.run(JOBS, "index"))


def test_several_workers_need_a_system_that_can_copy_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(ValueError, match="workers must be 1 on a system that cannot fork, but is 2"):
        Trainings(acts_by_its_seed, 2)
