"""A PPO with the value loss written by hand.

Question: its policy is as good as any. What are its values worth?

    python docs/exercises/exercise_7.py
    python -m rl_envs diagnose docs/exercises/exercise_7.py:train
"""

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn


def rows(space, observations):
    """Observations as rows of numbers: Discrete ones one-hot, those of a Box flat."""
    if isinstance(space, gym.spaces.Discrete):
        return torch.eye(int(space.n))[torch.as_tensor(np.asarray(observations)) - int(space.start)]
    observations = torch.as_tensor(np.asarray(observations), dtype=torch.float32)
    return observations.reshape(*observations.shape[: observations.ndim - len(space.shape)], -1)


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, outputs))


class Agent:
    """A policy network and a value network; as a policy it takes the most probable action."""

    def __init__(self, space, num_actions):
        self.space = space
        inputs = gym.spaces.utils.flatdim(space)
        self.actor, self.critic = network(inputs, num_actions), network(inputs, 1)

    @torch.no_grad()
    def value(self, observations):
        return self.critic(rows(self.space, observations))[..., 0].numpy()

    @torch.no_grad()
    def __call__(self, observations):
        return self.actor(rows(self.space, observations)).argmax(dim=-1).numpy()


def train(env_fn, steps, seed):
    """Learn four epochs from every rollout, with generalised advantages."""
    torch.manual_seed(seed)
    discount, num_envs, length = env_fn.discount, 2, 16
    envs = SyncVectorEnv([env_fn] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)
    space = envs.single_observation_space
    agent = Agent(space, int(envs.single_action_space.n))
    parameters = [*agent.actor.parameters(), *agent.critic.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=5e-3, fused=True)
    observation, _ = envs.reset(seed=seed)
    for _ in range(steps // (length * num_envs)):
        seen, chosen, rewards, following, terminations, ends = [], [], [], [], [], []
        for _ in range(length):
            with torch.no_grad():
                action = torch.distributions.Categorical(logits=agent.actor(rows(space, observation))).sample()
            next_observation, reward, terminated, truncated, infos = envs.step(action.numpy())
            ended = terminated | truncated
            # Where an episode ended the next one is shown already; the last observation is in infos.
            last_observation = next_observation.copy()
            if ended.any():
                last_observation[ended] = np.stack(infos["final_obs"][ended])
            seen.append(rows(space, observation))
            chosen.append(action)
            rewards.append(torch.as_tensor(reward, dtype=torch.float32))
            following.append(rows(space, last_observation))
            terminations.append(torch.as_tensor(terminated))
            ends.append(torch.as_tensor(ended))
            observation = next_observation

        seen, chosen, rewards = torch.stack(seen), torch.stack(chosen), torch.stack(rewards)  # [T, N, ...]
        terminations, ends = torch.stack(terminations), torch.stack(ends)
        with torch.no_grad():
            values = agent.critic(seen)[..., 0]
            next_values = agent.critic(torch.stack(following))[..., 0]
        advantages, carry = torch.zeros_like(values), torch.zeros(num_envs)
        for t in reversed(range(length)):
            going, bootstrap = 1.0 - ends[t].float(), 1.0 - terminations[t].float()
            delta = rewards[t] + discount * bootstrap * next_values[t] - values[t]
            carry = delta + discount * 0.95 * going * carry
            advantages[t] = carry

        batch = [tensor.flatten(0, 1) for tensor in (seen, chosen, advantages, advantages + values)]
        with torch.no_grad():
            old_log = torch.distributions.Categorical(logits=agent.actor(batch[0])).log_prob(batch[1])
        for _ in range(4):
            for index in torch.randperm(length * num_envs).split(16):
                states, actions, gains, targets = (tensor[index] for tensor in batch)
                distribution = torch.distributions.Categorical(logits=agent.actor(states))
                ratio = (distribution.log_prob(actions) - old_log[index]).exp()
                gains = (gains - gains.mean()) / (gains.std() + 1e-8)
                policy_loss = -torch.minimum(ratio * gains, ratio.clamp(0.8, 1.2) * gains).mean()
                value_loss = (agent.critic(states) - targets).square().mean()
                optimiser.zero_grad()
                (policy_loss + 0.5 * value_loss - 0.01 * distribution.entropy().mean()).backward()
                optimiser.step()

    return agent


if __name__ == "__main__":
    torch.set_num_threads(1)  # the networks are so small that a second thread only gets in the way
    # The id names the package that registers the environment, so that nothing else has to be imported.
    ENVIRONMENT = "rl_envs:rl_envs/LineWalk-v0"

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
