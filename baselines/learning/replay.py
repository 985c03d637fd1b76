"""Experience replay: minibatches of n-step transitions, drawn from the latest steps of each run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from baselines.learning.transition_buffer import TransitionBuffer
from baselines.learning.updates import n_step_return


class Batch(NamedTuple):
    """B transitions of each run over n steps each, or fewer where the episode ends sooner or the newest is reached."""

    observation: np.ndarray  # [R, B, ...]
    action: np.ndarray  # [R, B] int64
    reward: np.ndarray  # [R, B] discounted sum; float32 as stored where n is 1, otherwise float64
    next_observation: np.ndarray  # [R, B, ...] after the last of the steps
    terminated: np.ndarray  # [R, B] bool
    discount: np.ndarray  # [R, B] float32, gamma to the power of the number of steps


class Replay(TransitionBuffer):
    """The latest steps of each run, sampled with replacement. Its arguments are those of `TransitionBuffer`."""

    def sample(self, uniform: np.ndarray, *, n_step: int, discount: float) -> Batch:
        """The steps that random numbers pick, [R, B] in [0, 1); raises ValueError where nothing is stored yet."""
        if self.added == 0:
            raise ValueError("a sample needs at least one stored step, but there is none")
        run = np.arange(len(uniform))[:, None, None]  # [R, 1, 1]
        age = (uniform * len(self)).astype(np.int64)[:, :, None]  # [R, B, 1] 0 is the newest step
        ahead = np.minimum(np.arange(n_step), age)  # [R, B, n] never past the newest
        slot = (self.added - 1 - (age - ahead)) % self.capacity
        reward, length = self.reward[run, slot], np.ones(uniform.shape, dtype=np.int64)  # [R, B, n], [R, B]
        if n_step > 1:
            reward, length = n_step_return(reward, self.ended[run, slot] | (ahead == age), discount)
        run, first = run[:, :, 0], slot[:, :, 0]
        last = np.take_along_axis(slot, length[:, :, None] - 1, axis=2)[:, :, 0]
        return Batch(
            observation=self.observation[run, first],
            action=self.action[run, first],
            reward=reward.reshape(uniform.shape),
            next_observation=self.next_observation[run, last],
            terminated=self.terminated[run, last],
            discount=(discount**length).astype(np.float32),
        )
