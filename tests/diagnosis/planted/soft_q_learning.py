"""Soft Q-learning in one table (Haarnoja et al. 2017): values the entropy of its policy too; right unless `bug`.

The value of a state is temperature * log sum_a exp(Q(s, a) / temperature): the mean of Q under the policy, plus its
entropy times the temperature. After an end there is neither.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from tests.diagnosis.planted.observations import count, number

BUGS = ("entropy_at_terminal", "terminal_not_masked", "timeout_as_terminal", "discount_twice", "unseeded")


class SoftPolicy:
    """What was learned: action values, a policy that is a softmax of them, and the soft value."""

    def __init__(self, space: gym.Space[Any], q: np.ndarray, temperature: float) -> None:
        self.space, self.q, self.temperature = space, q, temperature

    def __call__(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).argmax(axis=-1)

    def q_values(self, observations: Any) -> np.ndarray:
        return self.q[number(self.space, observations)]

    def value(self, observations: Any) -> np.ndarray:
        q = self.q_values(observations)
        policy = softmax(q / self.temperature)
        return (policy * q).sum(axis=-1) + self.temperature * entropy(policy)


def softmax(preference: np.ndarray) -> np.ndarray:
    weight = np.exp(preference - preference.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def entropy(policy: np.ndarray) -> np.ndarray:
    return -(policy * np.log(np.maximum(policy, 1e-300))).sum(axis=-1)


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    bug: str | None = None,
    temperature: float = 1.0,
    step_size: float = 0.1,
    epsilon: float = 0.3,
) -> SoftPolicy:
    """Learn from every step, once."""
    env, discount = env_fn(), env_fn.discount
    space = env.observation_space
    rng = np.random.default_rng(None if bug == "unseeded" else seed)
    q = np.zeros((count(space), int(env.action_space.n)))
    observation, _ = env.reset() if bug == "unseeded" else env.reset(seed=seed)
    for _ in range(steps):
        state = int(number(space, observation))
        uniform = np.full(q.shape[1], 1 / q.shape[1])
        action = int(rng.choice(q.shape[1], p=(1 - epsilon) * softmax(q[state] / temperature) + epsilon * uniform))
        observation, reward, terminated, truncated, _ = env.step(action)
        next_state = int(number(space, observation))
        policy = softmax(q[next_state] / temperature)
        mean, bonus = policy @ q[next_state], temperature * entropy(policy)
        end = (terminated or truncated) if bug == "timeout_as_terminal" else terminated
        if bug == "entropy_at_terminal":
            following = (1 - end) * mean + bonus
        elif bug == "terminal_not_masked":
            following = mean + bonus
        else:
            following = (1 - end) * (mean + bonus)
        if bug == "discount_twice":
            following = discount * following
        q[state, action] += step_size * (float(reward) + discount * following - q[state, action])
        if terminated or truncated:
            observation, _ = env.reset()
    return SoftPolicy(space, q, temperature)
