"""A population that learns on a world: its task and its environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baselines.training.population import Population
from baselines.training.rollout import Rollout
from baselines.training.task import Task, make_task, registered_task
from rl_envs.worlds.world import World


class WorldPopulation(Population):
    """Runs that learn side by side, each in its own environments.

    Args:
        task: what to learn: a `Task`, or what `make_task` makes one of (a world's name, a `World`, a Gymnasium id).
        runs, seed, config: as for `Population`.
    """

    task: Task
    _rollout: Rollout | None

    def __init__(self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(make_task(task), runs=runs, seed=seed, config=config)

    @property
    def rollout(self) -> Rollout:
        """The environments of the runs; first use begins the first episodes."""
        if self._rollout is None:
            seeds = self.stream_seeds(f"environment from step {self.steps}", self.num_envs)
            self._rollout = Rollout(self.task, seeds)
        return self._rollout

    @classmethod
    def registered_task(cls, metadata: Mapping[str, Any]) -> Task | None:
        """The task that a saved agent's metadata names; None where nothing is registered by that name."""
        return registered_task(metadata)
