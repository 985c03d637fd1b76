"""The interface that every agent implements.

An agent is a population: its first axis is `runs`, R independent learners that advance together, each in its own copy
of the world. A single learner is R = 1, by the same code. Runs never mix: no shared table, buffer or random stream.
Settings, copies and saving are those of learners in games as well: `population.py`.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np

from baselines.learning.exploration import RunStreams
from baselines.learning.transition import Transition
from baselines.system.atomic_files import StorageError
from baselines.training.agent_file import check_class, read_saved
from baselines.training.population import Population
from baselines.training.rollout import Rollout
from baselines.training.seeding import run_seeds
from baselines.training.task import Task, make_task
from rl_envs.registry import WORLDS
from rl_envs.specification import Specification
from rl_envs.worlds.world import World

SomeAgent = TypeVar("SomeAgent", bound="Agent")


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
        self._streams = {
            "exploration": RunStreams(self.copy_seeds("exploration")),
            "greedy": RunStreams(self.seeds("greedy")),
        }

    def seeds(self, purpose: str) -> list[np.random.SeedSequence]:
        """A seed for each run, another for each purpose."""
        return run_seeds(self.seed, self.task.name, self.name, self.runs, purpose)

    def copy_seeds(self, purpose: str) -> list[np.random.SeedSequence]:
        """A seed for each copy of each run, [R * C]; a run's first copy has the seed that it would have alone."""
        later = [self.seeds(f"{purpose}, copy {copy}") for copy in range(1, self.copies)]
        return [seed for of_run in zip(self.seeds(purpose), *later) for seed in of_run]

    def uniform(self, *, greedy: bool = False) -> np.ndarray:
        """The next random number of every run and copy, [R * C] in [0, 1); acting greedily has its own stream, [R]."""
        return self._streams["greedy" if greedy else "exploration"].next()

    @property
    def rollout(self) -> Rollout:
        """Where the runs learn; the first episodes begin when this is first asked for."""
        if self._rollout is None:
            self._rollout = Rollout(self.task, self.copy_seeds(f"environment from step {self.steps}"))
        return self._rollout

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

    @classmethod
    def load(
        cls: type[SomeAgent], path: str | os.PathLike[str], *, task: Task | World | str | None = None
    ) -> SomeAgent:
        """Load an agent of this class.

        Args:
            path: a file that `save` wrote.
            task: what it learns; needed where that was not a registered world or a Gymnasium id.

        Returns:
            The agent.

        Raises:
            StorageError: no such file, a truncated or foreign file, another agent's, another world's, or arrays of the
                wrong shape.
        """
        about, arrays = read_saved(Path(path))
        check_class(path, about, cls)
        own = _task_of(path, about) if task is None else make_task(task)
        if about["table"] != own.table_hash:
            raise StorageError(f"{path} was trained on another table than that of {own.name}: pass its own as task=")
        trained = Specification(about["world"], about["arguments"])
        if own.table_hash is None and trained != Specification(own.environment, own.arguments):
            raise StorageError(f"{path} was trained on {trained}, not on {own.name}: pass its own as task=")
        return cls._resumed(path, own, about, arrays)

    def _about_task(self) -> dict[str, Any]:
        return {
            "world": self.task.environment,
            "arguments": dict(self.task.arguments),
            "discount": self.task.discount,
            "table": self.task.table_hash,
        }


class LibraryAgent(Agent):
    """An agent of another library, which trains its runs in a loop of its own, one after the other."""

    @abstractmethod
    def learn(self, checkpoints: np.ndarray, *, episodes: int) -> tuple[np.ndarray, float]:
        """Train every run and score it at each checkpoint.

        Args:
            checkpoints: environment steps at which to score, rising, [C]; training ends with the last of them.
            episodes: how many episodes a score is the mean of where there is no table.

        Returns:
            Scores [C, R], and the seconds spent on training without scoring.
        """

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Refuse: the library's own loop does the learning."""
        raise TypeError(f"{self.name} trains in its library's own loop: call train(agent, steps=...)")


def _task_of(path: object, about: Mapping[str, Any]) -> Task:
    """The task that a saved agent was trained on, where its name is enough to make it again."""
    if about["world"] in WORLDS:
        return make_task(about["world"], **about["arguments"])
    if about["world"] in gym.registry:  # these have no discount, so the one they were given is passed on
        return make_task(about["world"], discount=about["discount"], **about["arguments"])
    raise StorageError(f"{path} was trained on {about['world']}, which is no registered world: pass it as task=")
