"""A grid world as a student writes it after Gymnasium's tutorial: nothing in it knows of rl_envs."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class GridEnv(gym.Env):
    """Walk to the target; with probability `slip` the agent goes somewhere else."""

    metadata = {"render_modes": ["ansi"]}

    def __init__(self, size=5, slip=0.2, render_mode=None):
        self.size = size
        self.slip = slip
        self.render_mode = render_mode
        self.walls = {(1, 1), (1, 2), (3, 3)}
        self._agent_location = np.array([-1, -1], dtype=np.int64)
        self._target_location = np.array([-1, -1], dtype=np.int64)
        self.observation_space = spaces.Dict(
            {
                "agent": spaces.Box(0, size - 1, shape=(2,), dtype=np.int64),
                "target": spaces.Box(0, size - 1, shape=(2,), dtype=np.int64),
            }
        )
        self.action_space = spaces.Discrete(4)
        self._action_to_direction = {
            0: np.array([0, 1]),
            1: np.array([-1, 0]),
            2: np.array([0, -1]),
            3: np.array([1, 0]),
        }
        self.steps = 0
        self.total_reward = 0.0
        self.history = []

    def _get_obs(self):
        return {"agent": self._agent_location, "target": self._target_location}

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self._target_location = np.array([self.size - 1, self.size - 1])
        while True:
            self._agent_location = self.np_random.integers(0, 2, size=2, dtype=np.int64)
            if tuple(self._agent_location) not in self.walls:
                break
        self.steps, self.total_reward, self.history = 0, 0.0, []
        return self._get_obs(), {}

    def step(self, action):
        if self.np_random.random() < self.slip:
            action = self.np_random.integers(4)
        moved = np.clip(self._agent_location + self._action_to_direction[int(action)], 0, self.size - 1)
        if tuple(moved) not in self.walls:
            self._agent_location = moved
        terminated = np.array_equal(self._agent_location, self._target_location)
        reward = 1.0 if terminated else -0.01
        self.steps += 1
        self.total_reward += reward
        self.history.append(int(action))
        return self._get_obs(), reward, terminated, self.steps >= 100, {}

    def render(self):
        rows = [["#" if (r, c) in self.walls else "." for c in range(self.size)] for r in range(self.size)]
        rows[self._target_location[0]][self._target_location[1]] = "G"
        rows[self._agent_location[0]][self._agent_location[1]] = "A"
        return "\n".join("".join(row) for row in rows)
