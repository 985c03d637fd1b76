"""Gymnasium's CartPole-v1 for many copies at once, each with its own random numbers.

Gymnasium's own vector version draws the numbers of all copies from one generator and resets in the step after an
episode's end; so the runs of a population would not be independent. This one is bit for bit what `SyncVectorEnv` makes
of single copies in mode SAME_STEP, many times faster, and its state can be saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space


class CartPoleVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many copies of CartPole-v1, which reset in the step that ends their episode.

    Args:
        num_envs: how many copies.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int) -> None:
        single = gym.make("CartPole-v1")
        if single.spec is None or single.spec.max_episode_steps is None:
            raise AssertionError("CartPole-v1 is registered with a time limit")
        self._limit = single.spec.max_episode_steps
        self._pole: Any = single.unwrapped  # its constants
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = single.observation_space, single.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self._state = np.zeros((4, num_envs))  # position and speed of the cart, angle and its speed
        self._elapsed = np.zeros(num_envs, dtype=np.int64)  # [n] steps of the episode

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode in every copy; one seed counts up from copy to copy, as in `SyncVectorEnv`."""
        seeds = [seed + copy for copy in range(self.num_envs)] if isinstance(seed, int) else seed
        if seeds is not None:
            for copy, own in enumerate(seeds):
                if own is not None:
                    self._generators[copy], _ = seeding.np_random(own)
        self._begin(range(self.num_envs))
        return self._observation(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Push every cart, 0 to the left and 1 to the right."""
        self._push(np.where(np.asarray(actions) == 1, self._pole.force_mag, -self._pole.force_mag))
        self._elapsed += 1
        position, _, angle, _ = np.abs(self._state)
        terminated = (position > self._pole.x_threshold) | (angle > self._pole.theta_threshold_radians)
        truncated = self._elapsed >= self._limit
        reward = np.ones(self.num_envs)
        ended = terminated | truncated
        if not ended.any():
            return self._observation(), reward, terminated, truncated, {}
        infos: dict[str, Any] = {"final_obs": np.full(self.num_envs, None), "_final_obs": ended}
        last = self._observation()
        for copy in np.flatnonzero(ended):
            infos["final_obs"][copy] = last[copy]
        self._begin(np.flatnonzero(ended))
        return self._observation(), reward, terminated, truncated, infos

    def get_state(self) -> dict[str, np.ndarray]:
        """All that decides how the episodes go on, for `set_state`."""
        numbers = [generator.bit_generator.state["state"] for generator in self._generators]
        halves = [
            [number[part] >> shift & (2**64 - 1) for part in ("state", "inc") for shift in (64, 0)]
            for number in numbers
        ]
        return {"state": self._state, "elapsed": self._elapsed, "generators": np.array(halves, dtype=np.uint64)}

    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        """Go back to what `get_state` gave."""
        self._state, self._elapsed = np.array(saved["state"]), np.array(saved["elapsed"])
        for copy, (state_high, state_low, inc_high, inc_low) in enumerate(saved["generators"].tolist()):
            generator = np.random.Generator(np.random.PCG64())
            generator.bit_generator.state = {
                "bit_generator": "PCG64",
                "state": {"state": state_high << 64 | state_low, "inc": inc_high << 64 | inc_low},
                "has_uint32": 0,
                "uinteger": 0,
            }
            self._generators[copy] = generator

    def _begin(self, copies: Sequence[int] | np.ndarray) -> None:
        for copy in copies:
            self._state[:, copy] = self._generators[copy].uniform(low=-0.05, high=0.05, size=(4,))
            self._elapsed[copy] = 0

    def _push(self, force: np.ndarray) -> None:
        """Move every cart and pole over one interval, in the operations and the order of Gymnasium's `step`."""
        pole = self._pole
        x, x_dot, theta, theta_dot = self._state
        costheta, sintheta = np.cos(theta), np.sin(theta)
        temp = (force + pole.polemass_length * np.square(theta_dot) * sintheta) / pole.total_mass
        thetaacc = (pole.gravity * sintheta - costheta * temp) / (
            pole.length * (4.0 / 3.0 - pole.masspole * np.square(costheta) / pole.total_mass)
        )
        xacc = temp - pole.polemass_length * thetaacc * costheta / pole.total_mass
        self._state = np.stack(
            [
                x + pole.tau * x_dot,
                x_dot + pole.tau * xacc,
                theta + pole.tau * theta_dot,
                theta_dot + pole.tau * thetaacc,
            ]
        )

    def _observation(self) -> np.ndarray:
        return np.ascontiguousarray(self._state.T, dtype=np.float32)
