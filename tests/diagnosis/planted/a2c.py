"""A2C in one file: returns of n-step rollouts in a vector environment as targets; right unless `bug` is given."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from tests.diagnosis.planted.observations import count, features

BUGS = (
    "terminal_not_masked",
    "timeout_as_terminal",
    "reset_observation_as_next",
    "autoreset_row_learned",
    "return_leaks_across_episodes",
    "mask_one_step_early",
    "reward_one_step_late",
    "last_value_of_wrong_state",
    "stale_observation",
    "observation_ignored",
    "observation_aliased",
    "action_shifted",
    "broadcast_mean",
    "gradient_vanishes_on_large_errors",
    "target_not_detached",
    "wrong_sign",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "unseeded",
)


class ActorCriticPolicy:
    """What was learned: a policy network, asked for its most probable actions, and a value network."""

    def __init__(self, space: gym.Space[Any], actor: nn.Module, critic: nn.Module) -> None:
        self.space, self.actor, self.critic = space, actor, critic

    @torch.no_grad()
    def __call__(self, observations: Any) -> np.ndarray:
        return self.actor(torch.from_numpy(features(self.space, observations))).argmax(dim=-1).numpy()

    @torch.no_grad()
    def value(self, observations: Any) -> np.ndarray:
        return self.critic(torch.from_numpy(features(self.space, observations)))[..., 0].numpy()


def networks(inputs: int, num_actions: int, generator: torch.Generator) -> tuple[nn.Module, nn.Module]:
    """A policy network with logits near 0 and a value network."""
    actor = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, num_actions))
    critic = nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1))
    for parameter in [*actor.parameters(), *critic.parameters()]:
        parameter.data.uniform_(-0.1, 0.1, generator=generator)
    return actor, critic


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    bug: str | None = None,
    num_envs: int = 2,
    n: int = 5,
    learning_rate: float = 1e-2,
    entropy_weight: float = 0.01,
) -> ActorCriticPolicy:
    """Learn one gradient step a rollout of n steps in each copy."""
    discount = 1.0 if bug == "discount_ignored" else env_fn.discount
    envs = SyncVectorEnv(
        [env_fn] * num_envs,
        autoreset_mode=AutoresetMode.NEXT_STEP if bug == "autoreset_row_learned" else AutoresetMode.SAME_STEP,
        copy=bug != "observation_aliased",  # without copies every step returns the same array, filled anew
    )
    generator = torch.Generator()
    if bug == "unseeded":
        generator.seed()
        observation, _ = envs.reset()
    else:
        generator.manual_seed(seed)
        observation, _ = envs.reset(seed=seed)
    space = envs.single_observation_space
    actor, critic = networks(count(space), int(envs.single_action_space.n), generator)
    optimiser = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=learning_rate, fused=True)
    last_reward, last_action = np.zeros(num_envs), torch.zeros(num_envs, dtype=torch.int64)

    def see(given: Any) -> torch.Tensor:
        if bug == "observation_ignored":
            given = np.asarray(given) // 255  # scaled like an image, in whole numbers: 0 everywhere
        return torch.from_numpy(features(space, given))

    for _ in range(steps // (n * num_envs)):
        observations, actions, rewards, nexts, terminations, ends = [], [], [], [], [], []
        for _ in range(n):
            with torch.no_grad():
                logits = actor(see(observation))
            if bug == "no_exploration":
                action = logits.argmax(dim=1)
            else:
                action = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
            next_observation, reward, terminated, truncated, infos = envs.step(action.numpy())
            done = terminated | truncated

            following = next_observation
            if done.any() and bug not in ("reset_observation_as_next", "autoreset_row_learned"):
                following = next_observation.copy()
                following[done] = np.stack(infos["final_obs"][done])
            learned_reward = np.clip(reward, -1, 1) if bug == "rewards_clipped" else reward
            if bug == "reward_one_step_late":
                learned_reward, last_reward = last_reward, np.where(done, 0.0, learned_reward)
            learned_action = action
            if bug == "action_shifted":
                learned_action, last_action = last_action, action

            observations.append(observation)
            actions.append(learned_action)
            rewards.append(learned_reward)
            nexts.append(following)
            terminations.append(terminated)
            ends.append(done)
            if bug == "stale_observation":
                observation = following  # a new episode begins with the sight of the last one's end
            else:
                observation = next_observation

        if bug == "timeout_as_terminal":
            terminations = ends
        if bug == "mask_one_step_early":  # the flags of the step after
            terminations = [*terminations[1:], np.zeros(num_envs, dtype=bool)]
            ends = [*ends[1:], np.zeros(num_envs, dtype=bool)]
        value = critic(see(np.array(observations)))[..., 0]  # [n, N]
        with torch.set_grad_enabled(bug == "target_not_detached"):
            next_value = critic(see(np.array(nexts)))[..., 0]
        behind = value[-1].detach() if bug == "last_value_of_wrong_state" else next_value[-1]
        returns = []
        for t in reversed(range(n)):
            if bug != "return_leaks_across_episodes":
                behind = torch.where(torch.from_numpy(ends[t]), next_value[t], behind)
                if bug != "terminal_not_masked":
                    behind = torch.where(torch.from_numpy(terminations[t]), 0.0, behind)
            if bug == "discount_twice":
                behind = discount * behind
            behind = torch.from_numpy(rewards[t]).float() + discount * behind
            returns.insert(0, behind)
        target = torch.stack(returns)  # [n, N]

        log_policy = actor(see(np.array(observations))).log_softmax(dim=-1)
        chosen = log_policy.gather(2, torch.stack(actions)[..., None])[..., 0]
        advantage = (target - value).detach()
        if bug == "wrong_sign":
            policy_loss = (chosen * advantage).mean()
        else:
            policy_loss = -(chosen * advantage).mean()
        if bug == "broadcast_mean":
            error = target.flatten() - value.flatten()[:, None]  # [B] - [B, 1] = [B, B]
        else:
            error = target - value
        if bug == "gradient_vanishes_on_large_errors":
            error = error.clamp(-1, 1)
        entropy = -(log_policy.exp() * log_policy).sum(dim=-1).mean()
        optimiser.zero_grad()
        (policy_loss + error.square().mean() - entropy_weight * entropy).backward()
        optimiser.step()

    return ActorCriticPolicy(space, actor, critic)
