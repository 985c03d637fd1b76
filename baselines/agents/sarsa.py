"""Sarsa with tables: learn the value of the policy that is being followed, exploration and all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.agents.tabular import WORLD_PRESETS, TabularAgent, TabularConfig
from baselines.learning.exploration import epsilon_greedy_policy
from baselines.learning.transition import Transition
from baselines.learning.updates import expected_sarsa_target, sarsa_target
from baselines.training.task import Task
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class SarsaConfig(TabularConfig):
    """What can be set: as for every agent with a table."""


@final
class Sarsa(TabularAgent):
    """Tabular Sarsa with epsilon-greedy exploration (Rummery & Niranjan 1994; Sutton & Barto 2018, section 6.4).

        Q(S, A) <- Q(S, A) + alpha [R + gamma Q(S', A') - Q(S, A)]

    A' is the action really taken in S', so a step is learned from one step later, when A' is known; meanwhile it waits.
    A step that ends the episode has no A' and is learned from at once. The agent learns about the policy that it
    follows (on-policy): where exploring is dangerous it keeps away from the edge.

    Args:
        task: what to learn; its observations must be countable and its actions Discrete.
        runs: as for every `Agent`.
        seed: as for every `Agent`.
        config: a `Sarsa.Config`.

    Attributes:
        q: the estimated action values, [R, S, A] float64, where S counts the observations.
        updates: how often each of them has been updated, int64, of the same shape.

    Raises:
        TypeError: observations or actions that cannot be counted.

    Differences from the paper: alpha and epsilon fall on schedules, alpha for each action in each state by itself; ties
    are broken at random. Where the time limit cuts an episode off, no action follows, so the target takes the mean over
    those that the policy might have taken in the last observation.
    """

    Config = SarsaConfig
    # What exploring costs is part of what Sarsa learns, so it must come to little in the end.
    PRESETS = {
        "SubtaskGrid": SarsaConfig(epsilon_steps=20_000, final_epsilon=0.02),
        # Except here, where the best way stays the best however often one strays from it.
        "FourRooms": SarsaConfig(**WORLD_PRESETS["FourRooms"]),
        # No exploring at all: to begin with, everything looks as good as success.
        "RobotGrasp": SarsaConfig(step_size_half_life=math.inf, initial_value=1.0, epsilon=0.0, final_epsilon=0.0),
    }

    def __init__(
        self, task: Task | World | str, *, runs: int | range = 1, seed: int = 0, config: SarsaConfig | None = None
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        # The step that waits for its next action.
        self._waits = np.zeros(self.num_runs, dtype=np.bool_)  # [R] whether there is one
        self._entry = self._first_entry.copy()  # [R] its place in the table
        self._reward = np.zeros(self.num_runs)  # [R]

    def update(self, transition: Transition) -> dict[str, np.ndarray]:
        """Learn from the step before, whose next action is known now, and from this one if it ended the episode.

        Args:
            transition: one step of every run.

        Returns:
            "td_error" of the last step learned from, [R]; 0 where none was.
        """
        entry = self.entry(self.task.observation_index(transition.observation), transition.action)
        td_error = np.zeros(self.num_runs)

        waits = self._waits
        next_value = self.q.take(entry)  # of the action just taken, before anything is learned
        before = sarsa_target(self._reward, np.zeros_like(waits), next_value, self.task.discount)
        td_error[waits] = self.learn(self._entry[waits], before[waits])

        ended = transition.terminated | transition.truncated
        if ended.any():
            next_q = self.values(self.task.observation_index(transition.next_observation))
            policy = epsilon_greedy_policy(next_q, self.epsilon)
            last = expected_sarsa_target(transition.reward, transition.terminated, next_q, policy, self.task.discount)
            td_error[ended] = self.learn(entry[ended], last[ended])

        self._waits, self._entry, self._reward = ~ended, entry, transition.reward
        self.steps += 1
        return {"td_error": td_error}

    def state(self) -> dict[str, np.ndarray]:
        """The table and the step that waits, beside what every agent saves."""
        waiting = {"waits": self._waits, "waits.entry": self._entry, "waits.reward": self._reward}
        return {**super().state(), **waiting}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over a saved table and the step that waits."""
        super().restore(state)
        self._waits = np.array(state["waits"])
        self._entry = np.array(state["waits.entry"])
        self._reward = np.array(state["waits.reward"])
        if not any(name.startswith("environment.") for name in state):
            # Episodes that could not be saved do not go on, so the action that was waited for will never be taken.
            self._waits[:] = False
