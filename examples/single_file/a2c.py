"""A2C, advantage actor-critic (Mnih et al. 2016; Sutton & Barto 2018, section 13.5), complete in one file.

take n steps in each of several environments with pi(.|.; w)
G <- R_1 + gamma R_2 + ... + gamma^n V(S_n) for each step, or up to its episode's end, where V(S') counts as 0 if
    S' is terminal;  A <- G - V(S)
minimise the mean of  -A ln pi(a|s; w) + value_weight (G - V(s; w))^2 - entropy_weight H(pi(.|s; w)),
    where A and G are numbers
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
    num_envs: int = 8  # environments in the vector environment
    num_steps: int = 5  # n, steps per environment between updates
    hidden: int = 64  # units of the hidden layer (tanh) of each network
    learning_rate: float = 5e-3  # of RMSprop
    value_weight: float = 0.5  # of the value's squared error in the loss
    entropy_weight: float = 0.1  # of the policy's entropy in the loss, in nats; more keeps it exploring
    max_gradient_norm: float = 0.5  # clips the norm of the gradient of both networks together


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
    """Train for `steps` environment steps over all copies; `env_fn()` makes an environment with Discrete actions."""
    envs = gym.vector.SyncVectorEnv([env_fn] * settings.num_envs, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    discount = getattr(env_fn, "discount", settings.discount)
    with torch.random.fork_rng(devices=[]):  # restores torch's global generator afterwards
        torch.manual_seed(seed)
        policy = Policy(envs.single_observation_space, int(envs.single_action_space.n), settings.hidden)
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))  # a separate generator from here on
    parameters = [*policy.actor.parameters(), *policy.critic.parameters()]
    optimiser = torch.optim.RMSprop(parameters, lr=settings.learning_rate, alpha=0.99, eps=1e-5)

    # With consecutive seeds, the second environment of this run would equal the first one of the next run.
    observation, _ = envs.reset(seed=torch.randint(2**31, (settings.num_envs,), generator=generator).tolist())
    for _ in range(steps // (settings.num_steps * settings.num_envs)):
        rollout = []
        for _ in range(settings.num_steps):
            seen = policy.features(observation)
            with torch.no_grad():
                action = torch.multinomial(policy.actor(seen).softmax(dim=1), 1, generator=generator)
            observation, reward, terminated, truncated, infos = envs.step(action.squeeze(1).numpy())
            # After an episode end, `observation` is already that of the next episode; the final one is in the infos.
            ended = terminated | truncated
            last = policy.features([infos["final_obs"][i] if end else observation[i] for i, end in enumerate(ended)])
            rollout.append((seen, action, last, *map(torch.from_numpy, (reward.astype(np.float32), terminated, ended))))
        seen, action, last, reward, terminated, ended = map(torch.stack, zip(*rollout))  # [n, N, ...]

        # A time limit ends the episode too, but only `terminated` makes the value of the next state 0.
        with torch.no_grad():
            next_value = policy.critic(last).squeeze(2) * ~terminated  # [n, N]
        returns, following = torch.zeros_like(reward), next_value[-1]
        for t in reversed(range(settings.num_steps)):
            returns[t] = reward[t] + discount * torch.where(ended[t], next_value[t], following)
            following = returns[t]

        value = policy.critic(seen).squeeze(2)  # [n, N] as the returns
        advantage = returns - value.detach()
        log_pi = policy.actor(seen).log_softmax(dim=2)  # [n, N, A]
        policy_loss = -(advantage * log_pi.gather(2, action).squeeze(2)).mean()
        value_loss = ((returns - value) ** 2).mean()
        entropy = -(log_pi.exp() * log_pi).sum(dim=2).mean()
        optimiser.zero_grad()
        (policy_loss + settings.value_weight * value_loss - settings.entropy_weight * entropy).backward()
        nn.utils.clip_grad_norm_(parameters, settings.max_gradient_norm)
        optimiser.step()
    envs.close()
    return policy


def main():
    parser = argparse.ArgumentParser(description="A2C, scored exactly, or by its mean return where there is no table.")
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
