"""DQN (Mnih et al. 2015) with Double DQN's target (van Hasselt et al. 2016) over n steps, complete in one file.

for each step:
    A  <- any action with probability epsilon, otherwise argmax_a Q(S, a; w)
    R, S' <- take action A in state S; store S, A, the discounted sum G of the next n rewards, and S_n after them
    every few steps, for a batch from the replay buffer:
        target <- G + gamma^n Q(S_n, argmax_a Q(S_n, a; w); w-), a number; G alone, over fewer steps, if S_n is terminal
        follow the gradient of the Huber loss of Q(S, A; w) from the target
    less often: w- <- w
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from torch import nn

import rl_envs


@dataclass(frozen=True)
class Settings:
    discount: float = 0.99  # gamma, unless env_fn has an attribute `discount`
    n_step: int = 3  # number of rewards in the target before bootstrapping
    hidden: int = 64  # units of each of the two hidden layers (ReLU)
    learning_rate: float = 2.3e-3  # of Adam at step 0; it decays linearly to 0
    batch_size: int = 64  # steps per update
    capacity: int = 40_000  # size of the replay buffer
    learning_starts: int = 500  # steps of the uniform policy before the first update
    train_every: int = 2  # steps between updates
    target_every: int = 250  # steps between copies of the network into the target network
    final_epsilon: float = 0.05  # of a linear decay from 1
    exploration_fraction: float = 0.2  # fraction of all steps over which epsilon decays


class Policy:
    def __init__(self, space, num_actions, hidden):
        self.space, width = space, gym.spaces.flatdim(space)
        layers = nn.Linear(width, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, num_actions)
        self.network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])

    def features(self, observations):  # [n, D], one-hot if Discrete
        return torch.tensor(np.array([gym.spaces.flatten(self.space, seen) for seen in observations], np.float32))

    def __call__(self, observations):  # [n] the actions of the largest value
        return self.q_values(observations).argmax(axis=1)

    @torch.no_grad()
    def q_values(self, observations):  # [n, A] the estimated values of all actions
        return self.network(self.features(observations)).numpy()


def train(env_fn, steps, seed, settings=Settings()):
    """Train for `steps` environment steps; `env_fn()` makes an environment with Discrete actions."""
    env, rng = env_fn(), np.random.default_rng(seed)
    discount = getattr(env_fn, "discount", settings.discount)
    with torch.random.fork_rng(devices=[]):  # restores torch's global generator afterwards
        torch.manual_seed(seed)
        policy = Policy(env.observation_space, int(env.action_space.n), settings.hidden)
    network, target_network = policy.network, copy.deepcopy(policy.network)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    capacity, width = settings.capacity, gym.spaces.flatdim(env.observation_space)
    seen, next_seen, actions = *torch.zeros(2, capacity, width), torch.zeros(capacity, 1, dtype=torch.int64)
    returns, weights, stored = *torch.zeros(2, capacity), 0
    # Seeded with `seed` itself, the environment would draw the same numbers as the agent.
    now = policy.features([env.reset(seed=int(rng.integers(2**31)))[0]])  # [1, D]
    latest = []  # steps whose n rewards have not all come yet
    for step in range(steps):
        epsilon = np.interp(step, [0, settings.exploration_fraction * steps], [1.0, settings.final_epsilon])
        if step < settings.learning_starts or rng.random() < epsilon:
            action = int(rng.integers(env.action_space.n))
        else:
            action = int(network(now).argmax())
        observation, reward, terminated, truncated, _ = env.step(action)
        latest.append((now[0], action, float(reward)))
        now = policy.features([observation])
        while len(latest) == settings.n_step or (latest and (terminated or truncated)):
            slot, stored = stored % capacity, stored + 1
            returns[slot] = sum(discount**k * reward for k, (_, _, reward) in enumerate(latest))
            # A time limit ends the episode too, but only `terminated` makes the value of the next state 0.
            weights[slot] = 0.0 if terminated else discount ** len(latest)
            (seen[slot], actions[slot], _), next_seen[slot] = latest.pop(0), now[0]
        now = policy.features([env.reset()[0]]) if terminated or truncated else now

        if step >= settings.learning_starts and step % settings.train_every == 0:
            batch = torch.from_numpy(rng.integers(min(stored, capacity), size=settings.batch_size))
            with torch.no_grad():
                best = network(next_seen[batch]).argmax(dim=1, keepdim=True)
                next_value = target_network(next_seen[batch]).gather(1, best).squeeze(1)
                target = returns[batch] + weights[batch] * next_value  # [B]
            q = network(seen[batch]).gather(1, actions[batch]).squeeze(1)  # [B] as the target; [B, 1] would broadcast
            optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - step / steps)
            optimiser.zero_grad()
            nn.functional.smooth_l1_loss(q, target).backward()
            optimiser.step()
        if step % settings.target_every == 0:
            target_network.load_state_dict(network.state_dict())
    env.close()
    return policy


def main():
    parser = argparse.ArgumentParser(description="DQN, scored exactly, or by its mean return where there is no table.")
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
