"""Experience replay: what each run has lived through lately, and random samples of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from baselines.learning.transition import Transition
from baselines.learning.updates import n_step_return
from rl_envs.mdp.finite_mdp import check_integer

# Batches' worth of random numbers that each run draws ahead.
BATCHES_AHEAD = 32


@dataclass(frozen=True)
class Batch:
    """Steps drawn from the memory of each run; B is the size of the batch.

    Attributes:
        observation: what was seen, [R, B, ...].
        action: what was done, [R, B] int64.
        reward: the discounted sum of rewards over the next n steps, or up to the episode's end, [R, B] float32.
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
        capacity: how many steps of each run are kept, at least 1.
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
        # The same memory with runs and slots in one axis: step (run, slot) is row run * capacity + slot.
        self._rows = {name: array.reshape(-1, *array.shape[2:]) for name, array in self._arrays.items()}
        self._first_row = np.arange(num_runs)[:, None] * capacity  # [R, 1]
        self._uniform = BatchStreams(seeds)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, transition: Transition) -> None:
        """Store one step of every run; the oldest makes room when there is none."""
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
        """Mark that what is added next does not follow on what was added last."""
        if self.added:
            self._arrays["ended"][:, (self.added - 1) % self.capacity] = True

    def sample(self, batch_size: int, *, n_step: int, discount: float) -> Batch:
        """Draw steps of each run, every one with the same probability, with replacement.

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
        age = (self._uniform.next(batch_size) * len(self)).astype(np.int64)  # [R, B] 0 is the newest
        row = self._first_row + (self.added - 1 - age) % self.capacity
        if n_step == 1:
            last, reward = row, self._take("reward", row)
            discounts = np.full(row.shape, discount, dtype=np.float32)
        else:
            ahead = np.minimum(np.arange(n_step), age[:, :, None])  # [R, B, n] never past the newest step
            rows = self._first_row[:, :, None] + (self.added - 1 - age[:, :, None] + ahead) % self.capacity
            stops = self._take("ended", rows) | (ahead == age[:, :, None])
            reward, length = n_step_return(self._take("reward", rows), stops, discount)
            last = np.take_along_axis(rows, length[:, :, None] - 1, axis=2)[:, :, 0]
            discounts = (discount**length).astype(np.float32)
        return Batch(
            observation=self._take("observation", row),
            action=self._take("action", row),
            reward=reward,
            next_observation=self._take("next_observation", last),
            terminated=self._take("terminated", last),
            discount=discounts,
        )

    def state(self) -> dict[str, np.ndarray]:
        """Everything that is remembered, for saving."""
        return {**self._arrays, "added": np.array(self.added), "drawn": np.array(self._uniform.drawn)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave."""
        for name, array in self._arrays.items():
            array[...] = state[name]
        self.added = int(state["added"])
        self._uniform.jump(int(state["drawn"]))

    def _take(self, name: str, rows: np.ndarray) -> np.ndarray:
        return self._rows[name].take(rows, axis=0)


class BatchStreams:
    """A stream of uniform random numbers for each run, read a batch at a time.

    All runs have drawn equally many numbers at any time, so one count beside the seeds is the whole state.

    Args:
        seeds: one a run.

    Attributes:
        drawn: how many numbers of each stream are used up.
    """

    def __init__(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        self._seeds = list(seeds)
        self.jump(0)

    def jump(self, drawn: int) -> None:
        """Go to where so many numbers of each stream are used up."""
        self.drawn = drawn
        self._generators = [np.random.Generator(np.random.PCG64(seed).advance(drawn)) for seed in self._seeds]
        self._ahead = np.empty((len(self._seeds), 0))  # [R, numbers drawn and not yet used]

    def next(self, size: int) -> np.ndarray:
        """The next numbers of every run, [R, size] in [0, 1)."""
        if self._ahead.shape[1] < size:
            fresh = [generator.random(size * BATCHES_AHEAD) for generator in self._generators]
            self._ahead = np.concatenate([self._ahead, fresh], axis=1)
        numbers, self._ahead = self._ahead[:, :size], self._ahead[:, size:]
        self.drawn += size
        return numbers
