"""The base classes of bandit agents: arms, their pulls, and their estimated values.

How an agent chooses an arm is in its own file.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from baselines.learning.exploration import argmax_random_ties, greedy_policy
from baselines.learning.transition import Transition
from baselines.learning.updates import sample_average
from baselines.training.agent import Agent
from baselines.training.task import Task, TaskLike


class BanditAgent(Agent):
    """Chooses among arms, with the same observation at every step.

    It keeps its estimates when an episode ends. Where each episode is another problem (BanditTestbed), let a run last
    for one episode.

    Args:
        task: what to learn; all its observations must be the same, and its actions Discrete.
        runs: see `Agent`.
        seed: see `Agent`.
        config: of the agent's own `Config`.

    Attributes:
        pulls: how often each arm was pulled, [R, A] int64.

    Raises:
        TypeError: observations that differ, or actions that are not Discrete.
    """

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        different = _num_different_observations(self.task)
        if different != 1:
            raise TypeError(
                f"{self.name} is for bandits, where all observations are the same, but {self.task.name} has {different}"
            )
        self.pulls = np.zeros((self.num_runs, self.task.num_actions), dtype=np.int64)
        self._run = np.arange(self.num_runs)

    @abstractmethod
    def estimates(self) -> np.ndarray:
        """Estimated preference for each arm, on any scale that orders them, [R, A]."""

    @abstractmethod
    def choose(self) -> np.ndarray:
        """The arm that each run pulls to learn, [R]."""

    @abstractmethod
    def learn(self, arm: np.ndarray, reward: np.ndarray) -> None:
        """Learn from the rewards of the pulled arms, which `pulls` already counts.

        Args:
            arm: [R].
            reward: [R].
        """

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """The arm to learn from, or the greedy one; ties are broken at random."""
        return argmax_random_ties(self.estimates(), self.uniform(greedy=True)) if greedy else self.choose()

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from one pull of every run.

        Args:
            transition: one step of every run.

        Returns:
            No metrics.
        """
        self.pulls[self._run, transition.action] += 1
        self.learn(transition.action, transition.reward)
        self.steps += 1
        return {}

    def policy(self) -> np.ndarray:
        """The greedy policy, with equal probability for tied arms, [R, S, A] (read-only)."""
        num_states = len(self.task.observation_index_in_state)
        arms = greedy_policy(self.estimates())[:, None, :]
        return np.broadcast_to(arms, (self.num_runs, num_states, arms.shape[-1]))

    def parts(self) -> dict[str, object]:
        return {"pulls": self.pulls}


@dataclass(frozen=True)
class ValueConfig:
    """Hyperparameters: how arms are valued."""

    step_size: float = 0.0
    """alpha, in (0, 1], constant, so that late rewards count more; 0 for the mean of all rewards"""
    initial_value: float = 0.0
    """initial value of every arm, in units of reward. High values make an agent try
    everything (an optimistic start), for long with a constant step size and once with the mean"""

    def __post_init__(self) -> None:
        if not 0 <= self.step_size <= 1:
            raise ValueError(f"step_size must be in (0, 1], or 0 for the mean of all rewards, but is {self.step_size}")
        if not np.isfinite(self.initial_value):
            raise ValueError(f"initial_value must be finite, but is {self.initial_value}")


class ValueBandit(BanditAgent):
    """Estimates the value of each arm, as a mean or with a constant step size; subclasses choose by it.

    Args, Raises: as `BanditAgent`.

    Attributes:
        pulls: how often each arm was pulled, [R, A] int64.
        value: estimated value of each arm, [R, A] float64.
    """

    Config = ValueConfig

    def __init__(self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: Any = None) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.value = np.full(self.pulls.shape, float(self.config.initial_value))

    def estimates(self) -> np.ndarray:
        """The values."""
        return self.value

    def learn(self, arm: np.ndarray, reward: np.ndarray) -> None:
        """Move the value of each arm pulled towards what it paid."""
        value = self.value[self._run, arm]
        if self.config.step_size > 0:
            value = value + self.config.step_size * (reward - value)
        else:
            value = sample_average(value, reward, self.pulls[self._run, arm])
        self.value[self._run, arm] = value

    def parts(self) -> dict[str, object]:
        return {**super().parts(), "value": self.value}


def _num_different_observations(task: Task) -> int | str:
    """The number of distinct observations, or in words that there are many."""
    if task.world is not None:
        seen = task.world.observation.batch(np.arange(task.world.mdp.num_states))
        return len(np.unique(seen.reshape(len(seen), -1), axis=0))
    if isinstance(task.observation_space, (spaces.Discrete, spaces.MultiDiscrete)):
        return task.num_observations
    return f"many: {task.observation_space}"
