"""PPO in one file: rollouts with generalised advantages, epochs of clipped updates; right unless `bug` is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from tests.diagnosis.planted.a2c import ActorCriticPolicy, networks
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
    "wrong_sign",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "unseeded",
)
# Only the sum of what follows is not cut; the values are masked, so it is noise around the right ones.
NO_TRACE = ("uncut_carry",)


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    bug: str | None = None,
    num_envs: int = 2,
    length: int = 16,
    trace_decay: float = 0.95,
    epochs: int = 4,
    batch_size: int = 16,
    learning_rate: float = 5e-3,
    clip: float = 0.2,
    entropy_weight: float = 0.01,
) -> ActorCriticPolicy:
    """Learn a few epochs of every rollout."""
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

    for _ in range(steps // (length * num_envs)):
        observations, actions, rewards, nexts, terminations, ends = [], [], [], [], [], []
        for _ in range(length):
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
            learned_reward = np.sign(reward) if bug == "rewards_clipped" else reward
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
            observation = following if bug == "stale_observation" else next_observation

        seen = see(np.array(observations))  # [T, N, D]
        with torch.no_grad():
            value = critic(seen)[..., 0].numpy()  # [T, N]
            next_value = critic(see(np.array(nexts)))[..., 0].numpy()
            action_rows = torch.stack(actions)[..., None]
            old_log = actor(seen).log_softmax(dim=-1).gather(2, action_rows)[..., 0]
        if bug == "last_value_of_wrong_state":
            next_value[-1] = value[-1]  # of the rollout's last state, not of the one behind it
        if bug == "timeout_as_terminal":
            terminations = ends
        if bug == "mask_one_step_early":  # the flags of the step after
            terminations = [*terminations[1:], np.zeros(num_envs, dtype=bool)]
            ends = [*ends[1:], np.zeros(num_envs, dtype=bool)]

        advantage = np.zeros_like(value)
        carry = np.zeros(num_envs)
        for t in reversed(range(length)):
            if bug == "return_leaks_across_episodes":
                # Neither the value nor the sum of what follows is cut where an episode ends.
                following_value = value[t + 1] if t + 1 < length else next_value[t]
                carried = carry
            else:
                masked = next_value[t] if bug == "terminal_not_masked" else np.where(terminations[t], 0, next_value[t])
                following_value = masked
                carried = carry if bug == "uncut_carry" else np.where(ends[t], 0.0, carry)
            if bug == "discount_twice":
                following_value, carried = discount * following_value, discount * carried
            carry = rewards[t] + discount * following_value - value[t] + discount * trace_decay * carried
            advantage[t] = carry

        batch = [seen.flatten(0, 1), action_rows.flatten(0, 1), old_log.flatten()]
        batch += [torch.from_numpy(advantage).flatten(), torch.from_numpy(advantage + value).flatten()]
        for _ in range(epochs):
            for rows in torch.randperm(length * num_envs, generator=generator).split(batch_size):
                seen_row, action_row, old_row, advantage_row, target = (tensor[rows] for tensor in batch)
                log_policy = actor(seen_row).log_softmax(dim=1)
                ratio = (log_policy.gather(1, action_row)[:, 0] - old_row).exp()
                spread = advantage_row.std() + 1e-8
                normal = (advantage_row - advantage_row.mean()) / spread
                gain = torch.minimum(ratio * normal, ratio.clamp(1 - clip, 1 + clip) * normal).mean()
                prediction = critic(seen_row)  # [B, 1]
                if bug == "broadcast_mean":
                    error = prediction - target  # [B, 1] - [B] = [B, B]
                else:
                    error = prediction[:, 0] - target
                if bug == "gradient_vanishes_on_large_errors":
                    error = error.clamp(-1, 1)
                entropy = -(log_policy.exp() * log_policy).sum(dim=1).mean()
                policy_loss = gain if bug == "wrong_sign" else -gain
                optimiser.zero_grad()
                (policy_loss + 0.5 * error.square().mean() - entropy_weight * entropy).backward()
                optimiser.step()

    return ActorCriticPolicy(space, actor, critic)
