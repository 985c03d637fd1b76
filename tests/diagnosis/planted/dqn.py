"""DQN in one file: replay, a target network, optionally Double and n-step; right unless `bug` is given."""

from __future__ import annotations

import copy
import random
from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from tests.diagnosis.planted.observations import count, features

BUGS = (
    "terminal_not_masked",
    "timeout_as_terminal",
    "reset_observation_as_next",
    "autoreset_row_learned",
    "mask_one_step_early",
    "target_never_synced",
    "no_target_network",
    "reward_one_step_late",
    "stale_observation",
    "observation_ignored",
    "observation_aliased",
    "action_shifted",
    "broadcast_mean",
    "max_over_batch",
    "gradient_vanishes_on_large_errors",
    "target_not_detached",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "exploration_never_ends",
    "unseeded",
    "steps_after_end",
)
DOUBLE_BUGS = ("double_networks_swapped",)
N_STEP_BUGS = ("return_leaks_across_episodes", "n_step_discount", "n_step_rewards_undiscounted")


class NetworkPolicy:
    """What was learned: the network's action values, and the policy that is greedy in them."""

    def __init__(self, space: gym.Space[Any], network: nn.Module) -> None:
        self.space, self.network = space, network

    @torch.no_grad()
    def q_values(self, observations: Any) -> np.ndarray:
        return self.network(torch.from_numpy(features(self.space, observations))).numpy()

    def __call__(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).argmax(axis=-1)

    def value(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).max(axis=-1)


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    bug: str | None = None,
    double: bool = False,
    n: int = 1,
    learning_rate: float = 5e-3,
    batch_size: int = 32,
    train_every: int = 2,
    sync_every: int = 50,
    last_epsilon: float = 0.05,
) -> NetworkPolicy:
    """Learn one gradient step every other environment step; epsilon falls to its last value over the first half."""
    env, discount = env_fn(), 1.0 if bug == "discount_ignored" else env_fn.discount
    if bug == "autoreset_row_learned":
        env = gym.wrappers.Autoreset(env)
    if bug == "unseeded":
        rng, generator = random.Random(), torch.Generator()
        generator.seed()
        observation, _ = env.reset()
    else:
        rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
        observation, _ = env.reset(seed=seed)

    space, num_actions = env.observation_space, int(env.action_space.n)
    network = nn.Sequential(nn.Linear(count(space), 64), nn.ReLU(), nn.Linear(64, num_actions))
    for parameter in network.parameters():
        parameter.data.uniform_(-0.1, 0.1, generator=generator)
    if bug == "no_target_network":
        target_network = network  # the same network under another name
    else:
        target_network = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)

    replay: list[list[Any]] = []
    window: deque[list[Any]] = deque()
    last_reward, last_action = 0.0, 0

    def see(given: Any) -> torch.Tensor:
        if bug == "observation_ignored":
            given = np.asarray(given) // 255  # scaled like an image, in whole numbers: 0 everywhere
        return torch.from_numpy(features(space, given))

    for step in range(steps):
        progress = step // steps if bug == "exploration_never_ends" else step / steps  # whole numbers: 0 until the end
        if bug != "no_exploration" and rng.random() < max(last_epsilon, 1 - 2 * progress):
            action = rng.randrange(num_actions)
        else:
            with torch.no_grad():
                action = int(network(see(observation)).argmax())

        next_observation, reward, terminated, truncated, _ = env.step(action)
        done = terminated or truncated

        reward = float(reward)
        if bug == "rewards_clipped":
            reward = float(np.sign(reward))
        if bug == "reward_one_step_late":
            reward, last_reward = last_reward, 0.0 if done else reward
        learned_action = action
        if bug == "action_shifted":
            learned_action, last_action = last_action, action
        following = next_observation
        if bug == "reset_observation_as_next" and done:
            following, _ = env.reset()
        end = done if bug == "timeout_as_terminal" else terminated
        if bug == "mask_one_step_early" and replay:
            replay[-1][4] = end  # written to the row before
            end = False

        # The window turns single steps into n-step ones: [observation, action, reward, next, end, length].
        for i, row in enumerate(reversed(window), start=1):
            row[2] += reward if bug == "n_step_rewards_undiscounted" else discount**i * reward
            row[3], row[4], row[5] = following, end, i + 1
        window.append([observation, learned_action, reward, following, end, 1])
        if done and bug != "return_leaks_across_episodes":
            replay.extend(window)
            window.clear()
        elif len(window) == n:
            replay.append(window.popleft())

        if bug == "observation_aliased" and isinstance(space, gym.spaces.Box):
            observation[...] = next_observation  # one array for all: the rows in the replay change with it
        else:
            observation = next_observation
        if done and bug == "stale_observation":
            env.reset()
        elif bug == "reset_observation_as_next":
            observation = following
        elif done and bug != "autoreset_row_learned" and not (bug == "steps_after_end" and not terminated):
            observation, _ = env.reset()

        if len(replay) < batch_size or step % train_every:
            continue
        observations, actions, rewards, nexts, ends, lengths = zip(*rng.choices(replay, k=batch_size))
        action_index = torch.tensor(actions)[:, None]
        reward_row, end_row = torch.tensor(rewards), torch.tensor(ends, dtype=torch.float32)
        next_features = see(np.array(nexts))
        with torch.set_grad_enabled(bug == "target_not_detached"):
            # What is not detached is the network itself: a target network has no gradient to give.
            next_q = (network if bug == "target_not_detached" else target_network)(next_features)
            if bug == "max_over_batch":
                next_value = next_q.max()
            elif double and bug == "double_networks_swapped":
                next_value = network(next_features).gather(1, next_q.argmax(1, keepdim=True))[:, 0]
            elif double:
                next_value = next_q.gather(1, network(next_features).argmax(1, keepdim=True))[:, 0]
            else:
                next_value = next_q.max(dim=1).values
            length = torch.tensor(lengths)
            if bug == "n_step_discount":
                length = torch.ones_like(length)
            if bug == "discount_twice":
                length = 2 * length
            if bug == "terminal_not_masked":
                target = reward_row + discount**length * next_value
            else:
                target = reward_row + (1 - end_row) * discount**length * next_value

        q = network(see(np.array(observations))).gather(1, action_index)  # [B, 1]
        if bug == "broadcast_mean":
            error = q - target  # [B, 1] - [B] = [B, B]
        else:
            error = q - target[:, None]
        if bug == "gradient_vanishes_on_large_errors":
            loss = error.clamp(-1, 1).square().mean()
        else:
            loss = error.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        if step % sync_every == 0 and bug != "target_never_synced":
            target_network.load_state_dict(network.state_dict())

    return NetworkPolicy(space, network)
