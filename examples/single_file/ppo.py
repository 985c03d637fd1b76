"""PPO, proximal policy optimisation (Schulman et al. 2017), complete in one file.

take T steps in each of several environments with pi(.|.; w), called the old policy from then on
delta_t <- R_t+1 + gamma V(S_t+1) - V(S_t), where V(S_t+1) counts as 0 if S_t+1 is terminal
A_t <- delta_t + gamma lambda A_t+1, where A_t+1 counts as 0 if the episode has ended with S_t+1
several times, for each minibatch of these steps, with ratio = pi(a|s; w) / pi_old(a|s):
    minimise the mean of  -min(ratio A, clip(ratio, 1 - c, 1 + c) A) + (A + V_old(s) - V(s; w))^2 / 2
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
    discount: float = 0.98  # gamma, unless env_fn has an attribute `discount`
    trace_decay: float = 0.9  # lambda of the generalised advantage estimates
    num_envs: int = 8  # environments in the vector environment
    num_steps: int = 64  # T, steps per environment between updates
    epochs: int = 10  # passes over the rollout per update
    minibatch: int = 128  # steps per gradient step
    clip: float = 0.2  # c, the range of the ratio around 1
    hidden: int = 64  # units of the hidden layer (tanh) of each network
    learning_rate: float = 1e-3  # of Adam at step 0; it decays linearly to 0
    max_gradient_norm: float = 0.5  # clips the norm of the gradient of both networks together


class Policy:
    def __init__(self, space, num_actions, hidden):
        self.space, width = space, gym.spaces.flatdim(space)
        self.actor = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, num_actions))  # logits
        self.critic = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        nn.init.orthogonal_(self.actor[2].weight, gain=0.01)  # at first the policy is nearly uniform

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
    optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate, eps=1e-5)
    # With consecutive seeds, the second environment of this run would equal the first one of the next run.
    observation, _ = envs.reset(seed=torch.randint(2**31, (settings.num_envs,), generator=generator).tolist())
    num_updates = steps // (settings.num_steps * settings.num_envs)
    for update in range(num_updates):
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
        seen, action, last, reward, terminated, ended = map(torch.stack, zip(*rollout))  # [T, N, ...]

        with torch.no_grad():
            # A time limit ends the episode too, but only `terminated` makes the value of the next state 0.
            value, next_value = policy.critic(seen).squeeze(2), policy.critic(last).squeeze(2)
            advantage = reward + discount * ~terminated * next_value - value
            for t in reversed(range(settings.num_steps - 1)):
                advantage[t] += discount * settings.trace_decay * ~ended[t] * advantage[t + 1]
            target = advantage + value
            old_log_pi = policy.actor(seen).log_softmax(dim=2).gather(2, action).squeeze(2)
        optimiser.param_groups[0]["lr"] = settings.learning_rate * (1 - update / num_updates)
        rows = [array.flatten(0, 1) for array in (seen, action, old_log_pi, advantage, target)]
        for _ in range(settings.epochs):
            for batch in torch.randperm(len(rows[0]), generator=generator).split(settings.minibatch):
                s, a, old, gain, goal = (row[batch] for row in rows)
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                ratio = (policy.actor(s).log_softmax(dim=1).gather(1, a).squeeze(1) - old).exp()  # [B] as the gain
                policy_loss = -torch.min(ratio * gain, ratio.clamp(1 - settings.clip, 1 + settings.clip) * gain).mean()
                value_loss = ((goal - policy.critic(s).squeeze(1)) ** 2).mean() / 2
                optimiser.zero_grad()
                (policy_loss + value_loss).backward()
                nn.utils.clip_grad_norm_(parameters, settings.max_gradient_norm)
                optimiser.step()
    envs.close()
    return policy


def main():
    parser = argparse.ArgumentParser(description="PPO, scored exactly, or by its mean return where there is no table.")
    parser.add_argument("--env", default="rl_envs/LineWalk-v0")
    parser.add_argument("--steps", type=int, default=8_192, help="environment steps")
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
