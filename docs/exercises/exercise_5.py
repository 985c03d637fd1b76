"""A Double DQN with a target network that follows slowly.

Question: it balances without a fault. Does it know what comes after the next step?

    python docs/exercises/exercise_5.py
    python -m rl_envs diagnose docs/exercises/exercise_5.py:train
"""

import copy
import random
from collections import deque

import gymnasium as gym
import numpy as np
import torch
from torch import nn


def rows(space, observations):
    """Observations as rows of numbers: Discrete ones one-hot, those of a Box flat."""
    if isinstance(space, gym.spaces.Discrete):
        return torch.eye(int(space.n))[torch.as_tensor(np.asarray(observations)) - int(space.start)]
    observations = torch.as_tensor(np.asarray(observations), dtype=torch.float32)
    return observations.reshape(*observations.shape[: observations.ndim - len(space.shape)], -1)


class Agent:
    """A network of action values; as a policy it takes the best one."""

    def __init__(self, space, num_actions):
        self.space = space
        inputs = gym.spaces.utils.flatdim(space)
        self.network = nn.Sequential(nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, num_actions))

    @torch.no_grad()
    def q_values(self, observations):
        return self.network(rows(self.space, observations)).numpy()

    def __call__(self, observations):
        return self.q_values(observations).argmax(axis=-1)


def train(env_fn, steps, seed):
    """Learn from a replay of single steps; the target network takes a twentieth of each difference."""
    random.seed(seed)
    torch.manual_seed(seed)
    env, discount = env_fn(), env_fn.discount
    num_actions = int(env.action_space.n)
    agent = Agent(env.observation_space, num_actions)
    network, target_network = agent.network, copy.deepcopy(agent.network)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3, fused=True)
    replay = deque(maxlen=20_000)
    observation, _ = env.reset(seed=seed)
    for step in range(steps):
        if random.random() < max(0.05, 1 - 2 * step / steps):
            action = random.randrange(num_actions)
        else:
            action = int(agent(np.array([observation]))[0])
        next_observation, reward, terminated, truncated, _ = env.step(action)
        replay.append((observation, action, float(reward), next_observation, terminated))
        observation = next_observation
        if terminated or truncated:
            observation, _ = env.reset()
        if len(replay) < 64 or step % 2:
            continue

        batch = list(zip(*random.sample(replay, 32)))
        seen, following = (rows(env.observation_space, np.array(batch[i])) for i in (0, 3))
        actions = torch.tensor(batch[1])
        rewards = torch.tensor(batch[2], dtype=torch.float32)
        ends = torch.tensor(batch[4], dtype=torch.float32)
        with torch.no_grad():
            best = network(following).argmax(dim=1, keepdim=True)
            target = rewards + discount * (1 - ends) * target_network(following).gather(1, best)[:, 0]
        prediction = network(seen).gather(1, actions[:, None])[:, 0]
        loss = nn.functional.mse_loss(prediction, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        with torch.no_grad():
            for parameter, target_parameter in zip(network.parameters(), target_network.parameters()):
                target_parameter = 0.05 * parameter + 0.95 * target_parameter

    return agent


if __name__ == "__main__":
    torch.set_num_threads(1)  # the networks are so small that a second thread only gets in the way
    # The id names the package that registers the environment, so that nothing else has to be imported.
    ENVIRONMENT = "rl_envs:rl_envs/LineBalance-v0"

    def make():
        return gym.make(ENVIRONMENT)

    make.discount = 0.95
    agent = train(make, 6_000, seed=0)
    env, returns = make(), []
    for episode in range(20):
        observation, _ = env.reset(seed=episode)
        total, done = 0.0, False
        while not done:
            action = int(agent(np.array([observation]))[0])
            observation, reward, terminated, truncated, _ = env.step(action)
            total, done = total + float(reward), terminated or truncated
        returns.append(total)
    print(f"{ENVIRONMENT}: mean return of 20 greedy episodes {np.mean(returns):.2f}")
