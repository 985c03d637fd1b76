"""Q-learning as a short tutorial shows it: a dictionary of values, the first of equal ones taken, and no end.

Its fault: the value of what is seen at the end counts, though nothing follows it. In a world whose reward is 1 it
learns more than 7 where 1 is right.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import numpy as np


class QTable:
    """Values of actions by observation, 0 until learned."""

    def __init__(self, num_actions: int) -> None:
        self.num_actions = num_actions
        self.q: dict[Any, float] = defaultdict(float)

    def key(self, observation: Any) -> Any:
        return tuple(np.asarray(observation).ravel().tolist())

    def values_of(self, observation: Any) -> list[float]:
        return [self.q[self.key(observation), action] for action in range(self.num_actions)]

    def choose(self, observation: Any) -> int:
        values = self.values_of(observation)
        return values.index(max(values))

    def q_values(self, observations: Any) -> np.ndarray:
        return np.array([self.values_of(observation) for observation in observations])

    def __call__(self, observations: Any) -> np.ndarray:
        return np.array([self.choose(observation) for observation in observations])


def train(env_fn: Any, steps: int, seed: int, *, step_size: float = 0.1, epsilon: float = 0.1) -> QTable:
    """Play and learn for so many steps."""
    rng = random.Random(seed)
    env, discount = env_fn(), env_fn.discount
    table = QTable(int(env.action_space.n))
    observation, _ = env.reset(seed=seed)
    for _ in range(steps):
        if rng.random() < epsilon:
            action = rng.randrange(table.num_actions)
        else:
            action = table.choose(observation)
        next_observation, reward, terminated, truncated, _ = env.step(action)
        target = float(reward) + discount * max(table.values_of(next_observation))
        key = (table.key(observation), action)
        table.q[key] += step_size * (target - table.q[key])
        observation = env.reset()[0] if terminated or truncated else next_observation
    return table
