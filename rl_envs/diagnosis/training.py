"""Runs a user's training function in a probe world and takes down what came of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rl_envs.diagnosis.adapters import Learned, read
from rl_envs.diagnosis.episode_log import EpisodeLog
from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.watched_env import EnvFactory

# train(env_fn, steps, seed) -> whatever holds what was learned, or None
Train = Callable[[Any, int, int], Any]


class TrainingError(RuntimeError):
    """The user's training function raised; the message is the end of its traceback."""


@dataclass(frozen=True)
class TrainingRun:
    """One training in one probe world.

    Attributes:
        probe: the world's name.
        seed: the seed given.
        steps: the steps asked for.
        learned: what was given back, as numbers.
        log: what the world saw.
        seconds: how long it took.
    """

    probe: str
    seed: int
    steps: int
    learned: Learned
    log: EpisodeLog
    seconds: float


def run_training(train: Train, probe: Probe, *, steps: int, seed: int, observation: str) -> TrainingRun:
    """Train once and read what was learned.

    Raises:
        TrainingError: the function raised, or what it gave back cannot be read.
    """
    factory = EnvFactory(probe, observation=observation, seed=seed)
    began = time.perf_counter()
    try:
        given = train(factory, steps, seed)
        learned = read(given, factory.observations, probe.mdp.num_actions)
    except Exception as error:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        raise TrainingError("".join(lines[-4:]).rstrip()) from error
    seconds = time.perf_counter() - began
    logs = [copy.log for copy in factory.copies]
    log = EpisodeLog.of(logs, probe.num_observations, probe.mdp.num_actions)
    return TrainingRun(probe.name, seed, steps, learned, log, seconds)
