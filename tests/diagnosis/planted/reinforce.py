"""REINFORCE with a baseline, in tables, in one file; right unless `bug` is given.

A time limit cuts an episode off: what would have come after it counts by the baseline's value of the last observation.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from tests.diagnosis.planted.observations import count, number

BUGS = (
    "timeout_as_terminal",
    "return_leaks_across_episodes",
    "reward_one_step_late",
    "stale_observation",
    "observation_ignored",
    "action_shifted",
    "wrong_sign",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "unseeded",
    "steps_after_end",
)


class PreferencePolicy:
    """What was learned: preferences for actions, asked for the most preferred one, and the baseline's values."""

    def __init__(self, space: gym.Space[Any], preference: np.ndarray, baseline: np.ndarray) -> None:
        self.space, self.preference, self.baseline = space, preference, baseline  # [S, A], [S]

    def __call__(self, observations: Any) -> np.ndarray:
        return self.preference[number(self.space, observations)].argmax(axis=-1)

    def value(self, observations: Any) -> np.ndarray:
        return self.baseline[number(self.space, observations)]


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    bug: str | None = None,
    step_size: float = 0.1,
    episodes_per_update: int = 20,
) -> PreferencePolicy:
    """Learn from a batch of whole episodes at a time."""
    env = env_fn()
    discount = 1.0 if bug == "discount_ignored" else env_fn.discount
    space, num_actions = env.observation_space, int(env.action_space.n)
    rng = np.random.default_rng(None if bug == "unseeded" else seed)
    preference, baseline = np.zeros((count(space), num_actions)), np.zeros(count(space))
    visits, mean_square = np.zeros(count(space)), 0.0

    def probabilities(state: int) -> np.ndarray:
        weight = np.exp(preference[state] - preference[state].max())
        return weight / weight.sum()

    def see(observation: Any) -> int:
        if bug == "observation_ignored":
            observation = np.asarray(observation) // 255  # scaled like an image, in whole numbers: 0 everywhere
        return int(number(space, observation))

    observation, _ = env.reset() if bug == "unseeded" else env.reset(seed=seed)
    state = see(observation)
    rows: list[tuple[int, int, float, int, bool, bool]] = []  # state, action, reward, next state, terminated, truncated
    episodes, last_reward, last_action = 0, 0.0, 0

    for _ in range(steps):
        if bug == "no_exploration":
            action = int(probabilities(state).argmax())
        else:
            action = int(rng.choice(num_actions, p=probabilities(state)))
        observation, reward, terminated, truncated, _ = env.step(action)
        done = terminated or truncated
        learned_reward = float(np.clip(reward, -1, 1)) if bug == "rewards_clipped" else float(reward)
        if bug == "reward_one_step_late":
            learned_reward, last_reward = last_reward, 0.0 if done else learned_reward
        learned_action = action
        if bug == "action_shifted":
            learned_action, last_action = last_action, action
        next_state = see(observation)
        rows.append((state, learned_action, learned_reward, next_state, terminated, truncated))
        state = next_state
        if not done:
            continue
        if bug != "steps_after_end" or terminated:
            observation, _ = env.reset()
            if bug != "stale_observation":
                state = see(observation)
        episodes += 1
        if episodes % episodes_per_update:
            continue

        value = 0.0
        for row_state, row_action, row_reward, row_next, row_terminated, row_truncated in reversed(rows):
            if bug != "return_leaks_across_episodes":
                if row_terminated or (row_truncated and bug == "timeout_as_terminal"):
                    value = 0.0
                elif row_truncated:
                    value = float(baseline[row_next])
            value = row_reward + (discount**2 if bug == "discount_twice" else discount) * value
            advantage = value - baseline[row_state]
            visits[row_state] += 1
            baseline[row_state] += max(0.1, 1 / visits[row_state]) * advantage
            # Advantages count in units of their own size, so that rewards of any scale can be learned from.
            mean_square += 0.01 * (advantage**2 - mean_square)
            score = -probabilities(row_state)
            score[row_action] += 1
            step = step_size * advantage / (np.sqrt(mean_square) + 1e-8)
            preference[row_state] += (-step if bug == "wrong_sign" else step) * score
        rows.clear()

    return PreferencePolicy(space, preference, baseline)
