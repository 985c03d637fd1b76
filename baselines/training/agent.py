"""The interface that every agent implements: act, update, policy.

An agent is a population: its first axis is `runs`, R independent learners that advance together, each in its own copy
of the world. A single learner is R = 1, by the same code. Runs never mix: no shared table, buffer or random stream.
The loop that calls `act` and `update` is in `loop.py`; settings, random numbers and saving are in `population.py`.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.world_population import WorldPopulation


class Agent(WorldPopulation):
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

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action in every run, [R, ...].

        Args:
            observation: what each run sees, [R, ...].
            greedy: play what is thought best and explore nothing. This draws no number that learning would draw, so
                that a run that was looked at goes on like one that was not.
        """

    @abstractmethod
    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; gives metrics by name, each [R]."""

    @abstractmethod
    def policy(self) -> np.ndarray:
        """The greedy policy of every run, [R, S, A]; raises TypeError where the world has no table."""

    def exact_score(self) -> np.ndarray | None:
        """How good every run is, [R]: 0 is the uniform policy and 1 the optimum; None where the world has no table."""
        truth = self.task.truth
        return None if truth is None else np.asarray(truth.score(self.policy()))

    def errors_by_state(self) -> np.ndarray | None:
        """The loss of the greedy policy, v*(s) - v_policy(s), exact, [R, S]; None where the world has no table."""
        truth = self.task.truth
        return None if truth is None else truth.loss(self.policy())
