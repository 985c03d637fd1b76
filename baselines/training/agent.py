"""The interface that every agent implements.

An agent is a population: its first axis is `runs`, R independent learners that advance together, each in its own copy
of the world. A single learner is R = 1, by the same code. Runs never mix: no shared table, buffer or random stream.
Settings, random numbers and saving are in `population.py`, the loop that calls `act` and `update` in `loop.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.population import Population
from baselines.training.rollout import Rollout
from baselines.training.task import Task, make_task, registered_task
from rl_envs.worlds.world import World


class Agent(Population):
    """A population of independent learners.

    Args:
        task: what to learn: a `Task`, or what `make_task` makes one of (a world's name, a `World`, a Gymnasium id).
        runs: how many runs (numbered from 0), or a range of their numbers. A run's number decides its random numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: environment steps that each run has learned from so far. Schedules count these.

    Raises:
        ValueError: no runs, a range with gaps, or a negative seed.
        TypeError: the Config of another agent, or a task that the agent cannot learn.
    """

    task: Task
    _rollout: Rollout | None

    def __init__(self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(make_task(task), runs=runs, seed=seed, config=config)

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action in every run.

        Args:
            observation: what each run sees, [R, ...].
            greedy: play what is thought best and explore nothing. This draws no number that learning would draw, so
                that a run that was looked at goes on like one that was not.

        Returns:
            Actions [R, ...].
        """

    @abstractmethod
    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run.

        Args:
            transition: the step.

        Returns:
            Metrics by name, each [R].
        """

    @abstractmethod
    def policy(self) -> np.ndarray:
        """The greedy policy of every run, where the world has a table.

        Returns:
            Probabilities [R, S, A].

        Raises:
            TypeError: the world has no table.
        """

    def exact_score(self) -> np.ndarray | None:
        """How good every run is, without sampling; an agent that learns no policy says here what it is judged by.

        Returns:
            Scores [R], 0 for the uniform policy and 1 for the optimum; None where the world has no table.
        """
        truth = self.task.truth
        return None if truth is None else np.asarray(truth.score(self.policy()))

    def errors_by_state(self) -> np.ndarray | None:
        """How far the values of the greedy policy are from the best, v*(s) - v_policy(s), exact.

        Returns:
            Losses [R, S] in units of discounted reward; None where the world has no table.
        """
        truth = self.task.truth
        return None if truth is None else truth.loss(self.policy())

    @property
    def rollout(self) -> Rollout:
        """Where the runs learn; the first episodes begin when this is first asked for."""
        if self._rollout is None:
            seeds = self.stream_seeds(f"environment from step {self.steps}", self.num_envs)
            self._rollout = Rollout(self.task, seeds)
        return self._rollout

    @classmethod
    def registered_task(cls, metadata: Mapping[str, Any]) -> Task | None:
        """The task that a saved agent's metadata names; None where nothing is registered by that name."""
        return registered_task(metadata)
