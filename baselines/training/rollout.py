"""The environments of a population: one for each run, and what happened in the last step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.seeding import integer_seeds
from baselines.training.task import Task


class Rollout:
    """An environment for each run, seeded separately and reset within the step that ends its episode (SAME_STEP).

    Args:
        task: the world.
        seeds: one for each run.

    Attributes:
        observation: what each run sees now, [R, ...].
    """

    def __init__(self, task: Task, seeds: Sequence[np.random.SeedSequence]) -> None:
        self._task = task
        self._envs: Any = task.make_vector(len(seeds))
        self._infos: Mapping[str, Any] = {}
        self._ended = np.zeros(len(seeds), dtype=np.bool_)  # [R] by the last step
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
        self._infos, self._ended = infos, terminated | truncated
        next_observation = true_next_observation(self.observation, self._ended, infos)
        return Transition(observation, action, reward, next_observation, terminated, truncated)

    def info(self, name: str) -> np.ndarray:
        """A number in the last step's info for each run, also where the step ended the episode.

        Args:
            name: "regret", say.

        Returns:
            Numbers [R].

        Raises:
            TypeError: the world's info has no such thing.
            ValueError: no step was taken yet.
        """
        if not self._infos:
            raise ValueError(f"info is about the last step, but none was taken yet: there is no {name!r}")
        if name not in self._infos:
            raise TypeError(f"the info of {self._task.name} has no {name!r}")
        numbers = self._infos[name].copy()
        if self._ended.any():
            numbers[self._ended] = self._infos["final_info"][name][self._ended]
        return numbers

    def begin_in(self, states: np.ndarray) -> None:
        """Begin a new episode in every run, in a given state.

        Args:
            states: of the table, [R] int.

        Raises:
            TypeError: the environment has no table to name states of.
            ValueError: a state that does not exist, or that only stands for an episode that has ended.
        """
        if self._task.world is None:
            raise TypeError(
                f"{self._task.name} has no states of ours, so its episodes cannot begin in one that is chosen"
            )
        for state in np.unique(states).tolist():
            self.observation, _ = self._envs.reset(options={"reset_mask": states == state, "state": state})

    def state(self) -> dict[str, np.ndarray]:
        """The arrays to resume the episodes from; empty where the environment cannot be saved."""
        if not hasattr(self._envs, "get_state"):
            return {}
        return {"observation": self.observation, **self._envs.get_state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""
        if state:
            self.observation = np.array(state["observation"])
            self._envs.set_state({name: array for name, array in state.items() if name != "observation"})

    def close(self) -> None:
        """Close the environments."""
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
