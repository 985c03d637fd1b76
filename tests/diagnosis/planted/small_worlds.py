"""Chains whose values a person can work out, written as a plain environment that knows nothing of this library."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Chain(gym.Env[Any, Any]):
    """States in a row and one way through them; behind the last one comes an end, or the last one again.

    Args:
        rewards: for leaving each state.
        ends: whether the last step is an end; otherwise the last state leads to itself for ever.
        end_shows: the state that the end looks like.
        limit: steps after which an episode is cut off, or None.
        loss: what action 1 takes off each reward; with 0 both actions do the same.
        one_hot: whether observations are rows of a Box instead of numbers.

    Attributes:
        actions: every action taken.
        steps_after_end: steps taken between an end and a reset.
    """

    def __init__(
        self,
        rewards: tuple[float, ...],
        *,
        ends: bool,
        end_shows: int = 1,
        limit: int | None = None,
        loss: float = 0.0,
        one_hot: bool = False,
    ) -> None:
        self.rewards, self.ends, self.end_shows, self.limit, self.loss = rewards, ends, end_shows, limit, loss
        self.one_hot = one_hot
        size = len(rewards)
        self.observation_space = gym.spaces.Box(0, 1, (size,), np.float32) if one_hot else gym.spaces.Discrete(size)
        self.action_space = gym.spaces.Discrete(2)
        self.actions: list[int] = []
        self.steps_after_end = 0

    def _show(self, state: int) -> Any:
        return np.eye(len(self.rewards), dtype=np.float32)[state] if self.one_hot else state

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.state, self.time, self.over = 0, 0, False
        return self._show(0), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.actions.append(int(action))
        self.steps_after_end += self.over
        reward = self.rewards[self.state] - self.loss * int(action)
        last = self.state == len(self.rewards) - 1
        self.time += 1
        terminated = last and self.ends
        truncated = self.limit is not None and self.time >= self.limit
        self.over = terminated or truncated
        self.state = self.state if last else self.state + 1
        return self._show(self.end_shows if terminated else self.state), reward, terminated, truncated, {}


class Maker:
    """What a training function is given: a call makes an environment, `discount` is gamma.

    Attributes:
        made: the environments, in order.
    """

    def __init__(self, discount: float, *chain: Any, **settings: Any) -> None:
        self.discount, self._chain, self._settings = discount, chain, settings
        self.made: list[Chain] = []

    def __call__(self) -> Chain:
        self.made.append(Chain(*self._chain, **self._settings))
        return self.made[-1]


def ruler(*, largest: float = 100.0, **settings: Any) -> Maker:
    """s0 -> s1 -> s2 -> end, paying 1, 10, 100: worth 31, 60, 100 at discount 1/2; the end looks like s1."""
    return Maker(0.5, (largest / 100, largest / 10, largest), ends=True, **settings)


def ratchet(**settings: Any) -> Maker:
    """a -> b, b -> b paying 8 for ever, cut off after 3 steps: worth 8, 16 at discount 1/2."""
    return Maker(0.5, (0.0, 8.0), ends=False, limit=3, **settings)
