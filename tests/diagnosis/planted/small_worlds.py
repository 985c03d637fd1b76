"""Two chains whose values a person can work out, written as plain environments that know nothing of this library."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Chain(gym.Env[Any, Any]):
    """States in a row, one way through them; the last one stays where it is.

    Args:
        rewards: for leaving each state.
        ends: whether the last step is an end; otherwise the last state leads to itself for ever.
        limit: steps after which an episode is cut off, or None.
        num_actions: how many actions there are; all do the same.
        one_hot: whether observations are rows of a Box instead of numbers.
    """

    def __init__(
        self,
        rewards: tuple[float, ...],
        *,
        ends: bool,
        limit: int | None = None,
        num_actions: int = 2,
        one_hot: bool = False,
    ) -> None:
        self.rewards, self.ends, self.limit, self.one_hot = rewards, ends, limit, one_hot
        num_states = len(rewards) + ends
        self.observation_space = (
            gym.spaces.Box(0, 1, (num_states,), np.float32) if one_hot else gym.spaces.Discrete(num_states)
        )
        self.action_space = gym.spaces.Discrete(num_actions)

    def _observe(self) -> Any:
        return np.eye(self.observation_space.shape[0], dtype=np.float32)[self.state] if self.one_hot else self.state

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = self.time = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = self.rewards[min(self.state, len(self.rewards) - 1)]
        last = self.state >= len(self.rewards) - 1
        self.time += 1
        self.state = min(self.state + 1, len(self.rewards)) if self.ends else min(self.state + 1, len(self.rewards) - 1)
        return self._observe(), reward, last and self.ends, self.limit is not None and self.time >= self.limit, {}


class Maker:
    """What a training function is given: a call makes an environment, `discount` is gamma."""

    def __init__(self, make: Any, discount: float) -> None:
        self.make, self.discount = make, discount

    def __call__(self) -> gym.Env[Any, Any]:
        return self.make()


def ruler(*, one_hot: bool = False) -> Maker:
    """s0 -> s1 -> s2 -> end, paying 1, 10, 100: worth 31, 60, 100 at discount 1/2."""
    return Maker(lambda: Chain((1.0, 10.0, 100.0), ends=True, one_hot=one_hot), 0.5)


def small_ruler(*, one_hot: bool = False) -> Maker:
    """The ruler a tenth as large, for networks: 3.1, 6, 10."""
    return Maker(lambda: Chain((0.1, 1.0, 10.0), ends=True, one_hot=one_hot), 0.5)


def ratchet(*, one_hot: bool = False) -> Maker:
    """a -> b, b -> b paying 8 for ever, cut off after 3 steps: worth 8, 16 at discount 1/2."""
    return Maker(lambda: Chain((0.0, 8.0), ends=False, limit=3, one_hot=one_hot), 0.5)
