"""DQN as a short tutorial shows it: every step is learned once, when it happens, and there is a second network.

Its fault: the second network is never brought up to date, so that what follows a step is worth what an untrained
network says.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn


class QNetwork(nn.Module):
    """A value for each action, from a row of numbers."""

    def __init__(self, inputs: int, num_actions: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, num_actions))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layers(rows)


class DQNAgent:
    """Both networks, and how an observation becomes a row."""

    def __init__(self, space: gym.Space[Any], num_actions: int) -> None:
        self.space = space
        inputs = gym.spaces.utils.flatdim(space)
        self.network, self.target_network = QNetwork(inputs, num_actions), QNetwork(inputs, num_actions)
        self.target_network.load_state_dict(self.network.state_dict())

    def row(self, observation: Any) -> torch.Tensor:
        return torch.as_tensor(gym.spaces.utils.flatten(self.space, observation), dtype=torch.float32)

    @torch.no_grad()
    def q_values(self, observations: Any) -> np.ndarray:
        return self.network(torch.stack([self.row(observation) for observation in observations])).numpy()

    def __call__(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).argmax(axis=1)


def train(env_fn: Any, steps: int, seed: int, *, learning_rate: float = 3e-3, epsilon: float = 0.2) -> DQNAgent:
    """Play and learn for so many steps."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    env, discount = env_fn(), env_fn.discount
    num_actions = int(env.action_space.n)
    agent = DQNAgent(env.observation_space, num_actions)
    optimiser = torch.optim.Adam(agent.network.parameters(), lr=learning_rate, fused=True)
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        values = agent.network(agent.row(observation))
        action = int(rng.integers(num_actions)) if rng.random() < epsilon else int(values.argmax())
        next_observation, reward, terminated, truncated, _ = env.step(action)
        with torch.no_grad():
            following = agent.target_network(agent.row(next_observation)).max()
        target = float(reward) + (0.0 if terminated else discount * following)
        loss = (values[action] - target) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        observation = env.reset()[0] if terminated or truncated else next_observation
    return agent
