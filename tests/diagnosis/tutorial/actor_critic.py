"""Actor-critic as a short tutorial shows it: two networks, one step at a time, the error as the advantage.

Its fault: the critic's loss is followed through its own target, so that what comes next is pulled towards what came
before. Where half the ways lead to a reward of 1 it learns 1/2, 3/4 and 1/4 for 1/2, 1 and 0.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn


class ActorCriticAgent:
    """A policy and a value, each with a network of its own."""

    def __init__(self, space: gym.Space[Any], num_actions: int) -> None:
        self.space = space
        inputs = gym.spaces.utils.flatdim(space)
        self.actor = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, num_actions))
        self.critic = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, 1))

    def row(self, observation: Any) -> torch.Tensor:
        return torch.as_tensor(gym.spaces.utils.flatten(self.space, observation), dtype=torch.float32)

    def rows(self, observations: Any) -> torch.Tensor:
        return torch.stack([self.row(observation) for observation in observations])

    @torch.no_grad()
    def value(self, observations: Any) -> np.ndarray:
        return self.critic(self.rows(observations))[:, 0].numpy()

    @torch.no_grad()
    def __call__(self, observations: Any) -> np.ndarray:
        return self.actor(self.rows(observations)).argmax(dim=1).numpy()


def train(env_fn: Any, steps: int, seed: int, *, learning_rate: float = 5e-3) -> ActorCriticAgent:
    """Play and learn for so many steps."""
    torch.manual_seed(seed)
    env, discount = env_fn(), env_fn.discount
    agent = ActorCriticAgent(env.observation_space, int(env.action_space.n))
    parameters = [*agent.actor.parameters(), *agent.critic.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    observation, _ = env.reset(seed=seed)
    for step in range(steps):
        # The rate falls to 0, for errors of single steps never come to rest.
        optimiser.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        row = agent.row(observation)
        policy = torch.distributions.Categorical(logits=agent.actor(row))
        action = policy.sample()
        next_observation, reward, terminated, truncated, _ = env.step(int(action))
        following = 0.0 if terminated else discount * agent.critic(agent.row(next_observation))[0]
        error = float(reward) + following - agent.critic(row)[0]
        loss = error**2 - policy.log_prob(action) * error.detach() - 0.05 * policy.entropy()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        observation = env.reset()[0] if terminated or truncated else next_observation
    return agent
