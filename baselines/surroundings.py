"""Where a population of runs learns: one copy of the world for each of them, and what has just happened in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.seeding import integer_seeds
from baselines.task import Task


@dataclass(frozen=True)
class Transition:
    """One step of every run.

    Attributes:
        observation: what each run saw, [R, ...].
        action: what it did, [R, ...].
        reward: what it got, [R] float64.
        next_observation: what it saw next, [R, ...]: where the episode ended its last observation, never the first one
            of the episode after it.
        terminated: whether the episode ended by the world's rules, [R] bool; then nothing is left to be had.
        truncated: whether it was cut off by the time limit, [R] bool; both may be true.
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_observation: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray


class Surroundings:
    """A copy of the world for each run, seeded each by itself and reset within the step that ends its episode.

    Args:
        task: the world.
        seeds: one for each run.

    Attributes:
        observation: what each run sees now, [R, ...].
    """

    def __init__(self, task: Task, seeds: Sequence[np.random.SeedSequence]) -> None:
        self._envs: Any = task.make_vector(len(seeds))
        numbers: Any = integer_seeds(seeds)  # Gymnasium's annotation forgets that a list is allowed
        self.observation, _ = self._envs.reset(seed=numbers)

    def step(self, action: np.ndarray) -> Transition:
        """Take an action in every run.

        Args:
            action: [R, ...].

        Returns:
            What happened, with the true next observations.
        """
        observation = self.observation
        self.observation, reward, terminated, truncated, infos = self._envs.step(action)
        next_observation = true_next_observation(self.observation, terminated | truncated, infos)
        return Transition(observation, action, reward, next_observation, terminated, truncated)

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which the episodes go on; none where the environment cannot give any."""
        if not hasattr(self._envs, "get_state"):
            return {}
        return {"observation": self.observation, **self._envs.get_state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave."""
        if state:
            self.observation = np.array(state["observation"])
            self._envs.set_state({name: array for name, array in state.items() if name != "observation"})

    def close(self) -> None:
        """Let go of the copies."""
        self._envs.close()


def true_next_observation(observation: np.ndarray, ended: np.ndarray, infos: Mapping[str, Any]) -> np.ndarray:
    """What each run saw after its action, before any reset.

    Args:
        observation: what a vector environment in mode SAME_STEP returned, [R, ...]: of the new episode where one ended.
        ended: where an episode has ended, [R] bool.
        infos: what it returned with it.

    Returns:
        [R, ...]; the observation itself where no episode has ended.
    """
    runs = ended.nonzero()[0]
    if runs.size == 0:
        return observation
    last = observation.copy()
    last[runs] = infos["final_obs"][runs].tolist()
    return last
