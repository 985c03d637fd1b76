"""The base class of agents with tables of action values: hyperparameters, tables, and saving.

How an agent acts and learns is in its own file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from baselines.agents import presets
from baselines.learning.exploration import greedy_policy
from baselines.learning.hyperparameters import Finite, Hyperparameters, Positive, Probability, Steps, StepSize
from baselines.learning.schedules import harmonic, linear
from baselines.training.agent import Agent
from baselines.training.task import TaskLike


@dataclass(frozen=True)
class TabularConfig(Hyperparameters):
    """Hyperparameters. Steps are environment steps of each run."""

    step_size: StepSize = 1.0  # alpha at the first update of an action's value in a state, in (0, 1]
    step_size_half_life: Positive = 5.0  # updates until half of alpha is left; it decays harmonically; inf for never
    epsilon: Probability = 1.0  # probability of exploring at step 0
    final_epsilon: Probability = 0.1  # probability of exploring after the linear decay
    epsilon_steps: Steps = 10_000  # steps over which epsilon decays linearly
    initial_value: Finite = 0.0  # initial value of every action, in units of discounted reward


class TabularAgent(Agent):
    """A table of action values, and the schedules of alpha and epsilon.

    Args:
        task: what to learn; its observations must be countable, and its actions Discrete unless a class says more.
        runs: see `Agent`.
        seed: see `Agent`.
        config: of the agent's own `Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations; [R, n, S, A] where a run has
            n tables.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.
    """

    Config = TabularConfig
    PRESETS = {world: TabularConfig(**settings) for world, settings in presets.TABULAR.items()}

    def __init__(
        self, task: TaskLike, *, runs: int | range = 1, seed: int = 0, config: TabularConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.q = np.full((self.num_runs, *self.table_shape()), float(self.config.initial_value))  # [R, S, A]
        self.updates = np.zeros(self.q.shape, dtype=np.int64)  # [R, S, A]

    def table_shape(self) -> tuple[int, ...]:
        """The shape of what one run learns: (S, A), or (n, S, A) where it has n tables."""
        return self.task.num_observations, self.task.num_actions

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.q)[:, self.task.observation_index_in_state]

    def step_size(self, updates: np.ndarray) -> np.ndarray:
        """Alpha for values that have been updated so many times."""
        return harmonic(updates, self.config.step_size, self.config.step_size_half_life)

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        return linear(self.steps, self.config.epsilon, self.config.final_epsilon, self.config.epsilon_steps)

    def parts(self) -> dict[str, object]:
        return {"q": self.q, "updates": self.updates}
