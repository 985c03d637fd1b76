"""Stored transitions of each run, in arrays that are made once: the storage of a replay buffer and of a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from baselines.learning.transition import Transition
from rl_envs.mdp.finite_mdp import check_integer


class TransitionBuffer:
    """The latest steps of each run.

    Step t lies in slot t modulo the capacity, of every run alike, so one count of steps is all there is to keep beside
    the arrays.

    Args:
        num_runs: R.
        capacity: number of steps stored per run, N, at least 1.
        observation_space: of one observation.
        num_envs: parallel environments per run, C; None for one, without an axis of its own.

    Attributes:
        observation: what was seen, [R, N, ...], or [R, N, C, ...] with several environments, like the others.
        action: int64.
        reward: float32.
        next_observation: what was seen after the step.
        terminated: whether the step ended the episode by the world's rules.
        ended: terminated, truncated or broken off: the step after it belongs to another episode.
        added: how many steps of each run have been stored so far.

    Raises:
        ValueError: a capacity below 1.
    """

    def __init__(
        self, num_runs: int, capacity: int, observation_space: spaces.Space[Any], *, num_envs: int | None = None
    ) -> None:
        self.capacity = check_integer("capacity", capacity, low=1)
        shape = (num_runs, capacity) if num_envs is None else (num_runs, capacity, num_envs)
        seen = (*shape, *(observation_space.shape or ()))
        self.observation = np.zeros(seen, dtype=observation_space.dtype)
        self.action = np.zeros(shape, dtype=np.int64)
        self.reward = np.zeros(shape, dtype=np.float32)
        self.next_observation = np.zeros(seen, dtype=observation_space.dtype)
        self.terminated = np.zeros(shape, dtype=np.bool_)
        self.ended = np.zeros(shape, dtype=np.bool_)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Store one step of every run; a full buffer drops the oldest."""
        slot = self.added % self.capacity
        arrived = {**vars(transition), "ended": transition.terminated | transition.truncated}
        for name, array in self._arrays.items():
            array[:, slot] = arrived[name].reshape(array[:, slot].shape)
        self.added += 1

    def clear(self) -> None:
        """Forget every step."""
        self.added = 0

    def break_off(self) -> None:
        """Mark that the next step does not follow the last one."""
        if self.added:
            self.ended[:, (self.added - 1) % self.capacity] = True

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: array for name, array in vars(self).items() if isinstance(array, np.ndarray)}

    def state(self) -> dict[str, np.ndarray]:
        """The content of the buffer, for saving."""
        return {**self._arrays, "added": np.array(self.added)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""
        for name, array in self._arrays.items():
            array[...] = state[name]
        self.added = int(state["added"])
