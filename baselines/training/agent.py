"""The interface that every agent implements: act, update, policy.

An agent is a population: its first axis is `runs`, R independent learners that advance together, each in its own copy
of the world. Runs never mix: no shared table, buffer or random stream. The loop that calls `act` and `update` is in
`loop.py`; hyperparameters, random numbers and saving are in `population.py`, scores in `world_population.py`.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.world_population import WorldPopulation


class Agent(WorldPopulation):
    """A population of independent learners.

    Args:
        task: a `Task`, or anything that `make_task` accepts: a world's name, a `World`, a Gymnasium id.
        runs: the number of runs, numbered from 0, or a range of their numbers, which decide their random numbers.
        seed: the base seed, 0 or more.
        config: the agent's own `Config`; the defaults when left out.

    Attributes:
        steps: environment steps that each run has learned from so far. Schedules count these.
    """

    @abstractmethod
    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Choose an action in every run, [R, ...].

        Args:
            observation: what each run sees, [R, ...].
            greedy: act greedily, without exploration. This uses a random stream of its own, so evaluation never changes
                how a run learns.
        """

    @abstractmethod
    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one step of every run; returns metrics by name, each [R]."""

    @abstractmethod
    def policy(self) -> np.ndarray:
        """The greedy policy of every run, [R, S, A]; raises TypeError where the world has no table."""
