"""Q-learning with tables: learn the value of the best policy while following another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agent import Agent, Transition
from baselines.exploration import argmax_random_ties, epsilon_greedy, greedy_policy
from baselines.schedules import harmonic, linear
from baselines.task import Task
from baselines.updates import q_learning_target
from rl_envs.mdp import check_integer, check_probability
from rl_envs.world import World


@dataclass(frozen=True)
class QLearningConfig:
    """What can be set. Steps are environment steps of each run.

    Attributes:
        step_size: alpha at step 0, in (0, 1].
        step_size_half_life: steps after which half of alpha is left; it falls harmonically. `inf` keeps it constant.
        epsilon: probability of exploring at step 0.
        final_epsilon: probability of exploring once it has fallen, in a straight line.
        epsilon_steps: steps that the fall of epsilon takes.
        initial_value: every action's value before anything is learned, in units of discounted reward.
    """

    step_size: float = 0.5
    step_size_half_life: float = 500.0
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


@final
class QLearning(Agent):
    """Tabular Q-learning with epsilon-greedy exploration (Watkins 1989; Sutton & Barto 2018, section 6.5).

        Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: a `QLearning.Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations.

    Raises:
        TypeError: observations or actions that cannot be counted.

    Differences from the paper: alpha and epsilon fall on schedules; ties are broken at random; where the time limit
    cuts an episode off, the target bootstraps from the last observation, for the episode could have gone on.
    """

    Config = QLearningConfig

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: QLearningConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        num_states, num_actions = self.task.num_observations, self.task.num_actions
        self.q = np.full((self.num_runs, num_states, num_actions), float(self.config.initial_value))  # [R, S, A]
        # Entry (run, state, action) of the flat table is entry first_entry[run] + state * A + action.
        self._first_entry = np.arange(self.num_runs) * num_states * num_actions  # [R]
        self._actions = np.arange(num_actions)[:, None]  # [A, 1]

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Epsilon-greedy, or greedy; ties are broken at random in either case."""
        values = self._values(self.task.number(observation))
        if greedy:
            return argmax_random_ties(values, self.uniform(greedy=True))
        return epsilon_greedy(values, self.epsilon, explore=self.uniform(), choice=self.uniform())

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Move each run's value of what it did towards its target.

        Args:
            transition: one step of every run.

        Returns:
            "td_error", [R].
        """
        next_q = self._values(self.task.number(transition.next_observation))
        target = q_learning_target(transition.reward, transition.terminated, next_q, self.task.discount)
        entry = self._row(self.task.number(transition.observation)) + transition.action
        value = self.q.take(entry)
        td_error = target - value
        # A run has one entry in every step, so no entry is named twice.
        self.q.reshape(-1)[entry] = value + self.step_size * td_error
        self.steps += 1
        return {"td_error": td_error}

    def policy(self) -> np.ndarray:
        """Greedy with respect to Q, the probability shared equally among tied actions, [R, S, A]."""
        return greedy_policy(self.q)[:, self.task.number_in_state]

    @property
    def step_size(self) -> float:
        """Alpha at this step."""
        return harmonic(self.steps, self.config.step_size, self.config.step_size_half_life)

    @property
    def epsilon(self) -> float:
        """The probability of exploring at this step."""
        return linear(self.steps, self.config.epsilon, self.config.final_epsilon, self.config.epsilon_steps)

    def state(self) -> dict[str, np.ndarray]:
        """The table, beside what every agent saves."""
        return {**super().state(), "q": self.q}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over a saved table."""
        super().restore(state)
        self.q = np.array(state["q"])

    def _row(self, state: np.ndarray) -> np.ndarray:
        """Where each run's state begins in the flat table, [R]."""
        return self._first_entry + state * len(self._actions)

    def _values(self, state: np.ndarray) -> np.ndarray:
        """Each run's values in a state of its own, [R, A]; laid out action by action, which makes maxima cheap."""
        return self.q.take(self._row(state) + self._actions).T
