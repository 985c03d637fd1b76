"""What the agents with tables of action values have in common: the table, epsilon-greedy action, the schedules.

How an agent learns from a step is its own file's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.learning.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.learning.schedules import harmonic, linear
from baselines.training.agent import Agent
from baselines.training.task import Task
from rl_envs.mdp.finite_mdp import check_integer, check_probability
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class TabularConfig:
    """What can be set. Steps are environment steps of each run.

    Attributes:
        step_size: alpha at the first update of an action's value in a state, in (0, 1].
        step_size_half_life: updates of that value after which half of alpha is left; it falls harmonically, for each
            action in each state by itself, so that what is seldom seen still counts fully when it is. `inf` keeps alpha
            constant.
        epsilon: probability of exploring at step 0.
        final_epsilon: probability of exploring once it has fallen, in a straight line.
        epsilon_steps: steps that the fall of epsilon takes.
        initial_value: every action's value before anything is learned, in units of discounted reward.
    """

    step_size: float = 1.0
    step_size_half_life: float = 5.0
    epsilon: float = 1.0
    final_epsilon: float = 0.1
    epsilon_steps: int = 10_000
    initial_value: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.step_size <= 1:
            raise ValueError(f"step_size must be in (0, 1], but is {self.step_size}")
        if not self.step_size_half_life > 0:
            raise ValueError(f"step_size_half_life must be positive, but is {self.step_size_half_life}")
        check_probability("epsilon", self.epsilon)
        check_probability("final_epsilon", self.final_epsilon)
        check_integer("epsilon_steps", self.epsilon_steps, low=0)
        if not np.isfinite(self.initial_value):
            raise ValueError(f"initial_value must be finite, but is {self.initial_value}")


# Settings for worlds on which the defaults take too long, by the world's name; an agent may depart from them.
# SubtaskGrid: three errands in a row, so exploring is given up later. FourRooms: chance everywhere and values close
# together, so exploring goes on. RobotGrasp: no chance, and ways too long to be stumbled on, so every target is taken
# over whole, and what is untried looks better than doing nothing.
WORLD_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "SubtaskGrid": {"epsilon_steps": 20_000},
    "FourRooms": {"epsilon": 0.5, "final_epsilon": 0.5},
    "RobotGrasp": {"step_size_half_life": math.inf, "initial_value": 0.2, "epsilon": 0.1},
}


class TabularAgent(Agent):
    """Epsilon-greedy action over a table of action values; a final class says how the table is learned.

    Args:
        task: what to learn; its observations must be countable, and its actions Discrete unless a class says more.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: of the agent's own `Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations; [R, n, S, A] where a run has
            n tables.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.
    """

    Config = TabularConfig

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: TabularConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        shape = self.table_shape()
        self.q = np.full((self.num_runs, *shape), float(self.config.initial_value))
        self.updates = np.zeros(self.q.shape, dtype=np.int64)
        # Entry (run, table, state, action) of the flat array is first_entry[run] + (table * S + state) * A + action.
        self._first_entry = np.arange(self.num_runs) * math.prod(shape)  # [R]
        self._num_states = shape[-2]
        self._actions = np.arange(shape[-1])[:, None]  # [A, 1]

    def table_shape(self) -> tuple[int, ...]:
        """The shape of what one run learns: (S, A), or (n, S, A) where it has n tables."""
        return self.task.num_observations, self.task.num_actions

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        values = self.values(self.task.observation_index(observation))
        if greedy:
            return argmax_random_ties(values, self.uniform(greedy=True))
        return epsilon_greedy(values, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.q)[:, self.task.observation_index_in_state]

    def values(self, state: np.ndarray) -> np.ndarray:
        """The action values by which each run acts in a state of its own.

        Args:
            state: numbers of observations, [R].

        Returns:
            Values [R, A].
        """
        return self.table_values(state, 0)

    def table_values(self, state: np.ndarray, table: int | np.ndarray) -> np.ndarray:
        """What one of each run's tables says of a state.

        Args:
            state: numbers of observations, [R].
            table: which table, one for all runs or [R].

        Returns:
            Values [R, A]; laid out action by action in memory, which makes maxima cheap.
        """
        return self.q.take(self._row(state, table) + self._actions).T

    def entry(self, state: np.ndarray, action: np.ndarray, table: int | np.ndarray = 0) -> np.ndarray:
        """Where each run's value of an action in a state stands in the flat table.

        Args:
            state: numbers of observations, [R].
            action: [R].
            table: which of a run's tables, one for all runs or [R].

        Returns:
            Indices [R] of int64 into `q` as if it were flat; those of two runs are never the same.
        """
        return self._row(state, table) + action

    def learn(self, entry: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Move each run's value of one action towards a target: Q <- Q + alpha (target - Q).

        Args:
            entry: which value, as `entry` gives it, at most one a run.
            target: for each of them.

        Returns:
            The errors, target - Q before the step.
        """
        value, updates = self.q.take(entry), self.updates.take(entry)
        td_error = target - value
        # Each entry is named once, so writing equals adding; the flat views are of contiguous tables.
        self.q.reshape(-1)[entry] = value + self.step_size(updates) * td_error
        self.updates.reshape(-1)[entry] = updates + 1
        return td_error

    def step_size(self, updates: np.ndarray) -> np.ndarray:
        """Alpha for values that have been updated so many times."""
        return harmonic(updates, self.config.step_size, self.config.step_size_half_life)

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        return linear(self.steps, self.config.epsilon, self.config.final_epsilon, self.config.epsilon_steps)

    def state(self) -> dict[str, np.ndarray]:
        """The tables, beside what every agent saves."""
        return {**super().state(), "q": self.q, "updates": self.updates}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over saved tables."""
        super().restore(state)
        self.q = np.array(state["q"])
        self.updates = np.array(state["updates"])

    def _row(self, state: np.ndarray, table: int | np.ndarray) -> np.ndarray:
        """Where each run's row of a state begins in the flat table, [R]."""
        return self._first_entry + (self._num_states * table + state) * len(self._actions)
