"""REINFORCE with a baseline (Williams 1992; Sutton & Barto 2018, section 13.4), complete in one file.

for each episode S_0, A_0, R_1, ..., S_T played with pi(.|.; theta):
    G_t <- R_t+1 + gamma G_t+1, backwards from the end, where G_T = 0, or V(S_T) if a time limit cut it off
    follow the gradient of  sum_t gamma^t (G_t - V(S_t)) ln pi(A_t|S_t; theta)    with G - V a number
    move V(S_t) towards G_t
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from torch import nn

import rl_envs


@dataclass(frozen=True)
class Settings:
    discount: float = 0.99  # gamma, unless env_fn has an attribute `discount`
    hidden: int = 32  # units of the hidden layer (tanh) of each network
    learning_rate: float = 0.02  # of Adam


class Policy:
    def __init__(self, space, num_actions, hidden):
        self.space, width = space, gym.spaces.flatdim(space)
        self.actor = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, num_actions))  # logits
        self.critic = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        for layer, gain in zip([*self.actor[::2], *self.critic[::2]], [2**0.5, 0.01, 2**0.5, 1.0]):
            nn.init.orthogonal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)

    def features(self, observations):  # [n, D], one-hot if Discrete
        return torch.tensor(np.array([gym.spaces.flatten(self.space, seen) for seen in observations], np.float32))

    @torch.no_grad()
    def __call__(self, observations):  # [n] the most probable actions
        return self.actor(self.features(observations)).argmax(dim=1).numpy()

    @torch.no_grad()
    def value(self, observations):  # [n] the estimated values
        return self.critic(self.features(observations)).squeeze(1).numpy()


def train(env_fn, steps, seed, settings=Settings()):
    """Train for `steps` environment steps; `env_fn()` makes an environment with Discrete actions."""
    env = env_fn()
    discount = getattr(env_fn, "discount", settings.discount)
    with torch.random.fork_rng(devices=[]):  # restores torch's global generator afterwards
        torch.manual_seed(seed)
        policy = Policy(env.observation_space, int(env.action_space.n), settings.hidden)
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))  # a separate generator from here on
    optimiser = torch.optim.Adam([*policy.actor.parameters(), *policy.critic.parameters()], lr=settings.learning_rate)

    observation, _ = env.reset(seed=int(torch.randint(2**31, (), generator=generator)))
    episode = []  # the steps of the current episode
    for _ in range(steps):
        seen = policy.features([observation])[0]
        with torch.no_grad():
            action = torch.multinomial(policy.actor(seen).softmax(dim=0), 1, generator=generator)
        observation, reward, terminated, truncated, _ = env.step(action.item())
        episode.append((seen, action, torch.tensor(float(reward))))
        if not (terminated or truncated):
            continue

        observation_at_end, (observation, _) = observation, env.reset()
        seen, action, reward = map(torch.stack, zip(*episode))  # [T, ...]
        episode = []
        # A time limit ends the episode too, but only `terminated` makes the value of the next state 0.
        following = 0.0 if terminated else float(policy.value([observation_at_end])[0])
        returns = torch.zeros_like(reward)
        for t in reversed(range(len(reward))):
            returns[t] = following = reward[t] + discount * following

        value = policy.critic(seen).squeeze(1)  # [T] as the returns
        log_pi = policy.actor(seen).log_softmax(dim=1).gather(1, action).squeeze(1)  # [T]
        weight = discount ** torch.arange(len(reward))  # makes the mean of the sum the gradient of the discounted value
        policy_loss = -(weight * (returns - value.detach()) * log_pi).sum()
        value_loss = ((returns - value) ** 2).mean()
        optimiser.zero_grad()
        (policy_loss + value_loss).backward()
        optimiser.step()
    env.close()
    return policy


def main():
    parser = argparse.ArgumentParser(
        description="REINFORCE, scored exactly, or by its mean return where there is no table."
    )
    parser.add_argument("--env", default="rl_envs/LineWalk-v0")
    parser.add_argument("--steps", type=int, default=4_000, help="environment steps")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower with several
    answers = rl_envs.truth(args.env) if args.env.startswith("rl_envs/") else None
    settings = Settings() if answers is None else Settings(discount=answers.mdp.discount)
    policy = train(lambda: gym.make(args.env), args.steps, args.seed, settings)
    if answers is not None:
        print(f"exact score {answers.score(policy):.3f} (0 is the uniform policy, 1 the optimum)")
        return
    episodes = gym.wrappers.RecordEpisodeStatistics(gym.make(args.env))
    env = gym.wrappers.Autoreset(episodes)
    observation, _ = env.reset(seed=args.seed)
    while episodes.episode_count < 20:
        observation, *_ = env.step(policy(observation[None])[0])
    print(f"mean return of 20 greedy episodes {np.mean(episodes.return_queue):.0f}")


if __name__ == "__main__":
    main()
