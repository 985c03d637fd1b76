"""A population that learns on a world: its task, its environments and its exact score."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from baselines.training.population import Population
from baselines.training.rollout import Rollout
from baselines.training.task import Task, TaskLike, make_task, registered_task


class WorldPopulation(Population):
    """Runs that learn side by side, each in its own environments.

    Args:
        task: what to learn: a `Task`, or what `make_task` makes one of (a world's name, a `World`, a Gymnasium id).
        runs, seed, config: as for `Population`.

    Raises:
        ValueError, TypeError: as `Population`.
        TypeError: a task that the agent cannot learn.
    """

    task: Task
    _rollout: Rollout | None

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(make_task(task), runs=runs, seed=seed, config=config)

    @property
    def rollout(self) -> Rollout:
        """The environments of the runs; first use begins the first episodes."""
        if self._rollout is None:
            seeds = self.stream_seeds(f"environment from step {self.steps}", self.num_envs)
            self._rollout = Rollout(self.task, seeds)
        return self._rollout

    @abstractmethod
    def policy(self) -> np.ndarray:
        """The policy to score; see `Agent`."""

    def exact_score(self) -> np.ndarray | None:
        """Each run's normalised score, [R] (0 = uniform policy, 1 = optimal); None where there is no table."""
        truth = self.task.truth
        return None if truth is None else np.asarray(truth.score(self.policy()))

    def errors_by_state(self) -> np.ndarray | None:
        """The greedy policy's exact suboptimality, v*(s) - v_policy(s), [R, S]; None where there is no table."""
        truth = self.task.truth
        return None if truth is None else truth.loss(self.policy())

    @classmethod
    def registered_task(cls, metadata: Mapping[str, Any]) -> Task | None:
        """The task that a saved agent's metadata names; None where nothing is registered by that name."""
        return registered_task(metadata)
