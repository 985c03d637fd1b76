"""Experience replay: the latest steps of each run, and random samples of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from baselines.learning.transition import Transition
from baselines.learning.updates import n_step_return
from rl_envs.envs.random_streams import Streams
from rl_envs.mdp.finite_mdp import check_integer


@dataclass(frozen=True)
class Batch:
    """Steps drawn from the memory of each run; B is the size of the batch.

    Attributes:
        observation: what was seen, [R, B, ...].
        action: what was done, [R, B] int64.
        reward: the discounted sum of rewards over the next n steps, or up to the episode's end, [R, B]; float32 as it
            is stored where n is 1, and float64 where several are added up.
        next_observation: what was seen after them, [R, B, ...].
        terminated: whether the episode ended with them by the world's rules, [R, B] bool.
        discount: gamma to the power of how many steps they are, [R, B] float32.
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_observation: np.ndarray
    terminated: np.ndarray
    discount: np.ndarray


class Replay:
    """The latest steps of each run, in arrays that are made once.

    Step t lies in slot t modulo the capacity, of every run alike, so one count of steps is all there is to keep beside
    the arrays.

    Args:
        capacity: number of steps stored per run, at least 1.
        observation_space: of one observation.
        seeds: one a run, for what is sampled.

    Attributes:
        added: how many steps of each run have been stored so far.

    Raises:
        ValueError: a capacity below 1.
    """

    def __init__(
        self, capacity: int, observation_space: spaces.Space[Any], seeds: Sequence[np.random.SeedSequence]
    ) -> None:
        self.capacity = check_integer("capacity", capacity, low=1)
        num_runs, shape = len(seeds), observation_space.shape or ()
        self._arrays = {
            "observation": np.zeros((num_runs, capacity, *shape), dtype=observation_space.dtype),
            "action": np.zeros((num_runs, capacity), dtype=np.int64),
            "reward": np.zeros((num_runs, capacity), dtype=np.float32),
            "next_observation": np.zeros((num_runs, capacity, *shape), dtype=observation_space.dtype),
            "terminated": np.zeros((num_runs, capacity), dtype=np.bool_),
            # Terminated, truncated or broken off: the step after it belongs to another episode.
            "ended": np.zeros((num_runs, capacity), dtype=np.bool_),
        }
        self._run = np.arange(num_runs)[:, None]  # [R, 1]
        self._uniform = Streams.from_seeds(seeds)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Store one step of every run; a full buffer drops the oldest."""
        slot = self.added % self.capacity
        arrays = self._arrays
        arrays["observation"][:, slot] = transition.observation
        arrays["action"][:, slot] = transition.action
        arrays["reward"][:, slot] = transition.reward
        arrays["next_observation"][:, slot] = transition.next_observation
        arrays["terminated"][:, slot] = transition.terminated
        arrays["ended"][:, slot] = transition.terminated | transition.truncated
        self.added += 1

    def break_off(self) -> None:
        """Mark that the next step does not follow the last one."""
        if self.added:
            self._arrays["ended"][:, (self.added - 1) % self.capacity] = True

    def sample(self, batch_size: int, *, n_step: int, discount: float) -> Batch:
        """Draw steps of each run uniformly, with replacement.

        Args:
            batch_size: B.
            n_step: how many rewards are added up before the value of what comes after stands for the rest. Fewer where
                the episode ends sooner, and where the newest step is reached.
            discount: gamma.

        Returns:
            The batch.

        Raises:
            ValueError: nothing is stored yet.
        """
        if self.added == 0:
            raise ValueError("a sample needs at least one stored step, but there is none")
        age = (self._uniform.next_batch(batch_size) * len(self)).astype(np.int64)  # [R, B] 0 is the newest
        reward, length = self._n_step_return(age, n_step, discount)
        first, last = self._slot(age), self._slot(age - (length - 1))
        return Batch(
            observation=self._arrays["observation"][self._run, first],
            action=self._arrays["action"][self._run, first],
            reward=reward,
            next_observation=self._arrays["next_observation"][self._run, last],
            terminated=self._arrays["terminated"][self._run, last],
            discount=(discount**length).astype(np.float32),
        )

    def _n_step_return(self, age: np.ndarray, n_step: int, discount: float) -> tuple[np.ndarray, np.ndarray]:
        """The discounted sum of the next n rewards from steps of this age on, and how many they really are, [R, B]."""
        if n_step == 1:
            return self._arrays["reward"][self._run, self._slot(age)], np.ones_like(age)
        ahead = np.minimum(np.arange(n_step), age[:, :, None])  # [R, B, n] never past the newest step
        run, slot = self._run[:, :, None], self._slot(age[:, :, None] - ahead)
        stops = self._arrays["ended"][run, slot] | (ahead == age[:, :, None])
        return n_step_return(self._arrays["reward"][run, slot], stops, discount)

    def _slot(self, age: np.ndarray) -> np.ndarray:
        """Where the steps of this age lie; the newest has age 0."""
        return (self.added - 1 - age) % self.capacity

    def state(self) -> dict[str, np.ndarray]:
        """The content of the buffer, for saving."""
        return {**self._arrays, "added": np.array(self.added), "drawn": np.array(self._uniform.drawn)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Resume from what `state` returned."""
        for name, array in self._arrays.items():
            array[...] = state[name]
        self.added = int(state["added"])
        self._uniform.jump(int(state["drawn"]))
