"""Q-learning with one mistake: it scores 1 on LineWalk, and its values are wrong.

python examples/unmasked_q_learning.py
python -m rl_envs diagnose examples/unmasked_q_learning.py:train
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import rl_envs


def train(env_fn, steps, seed):
    """Learn a table of action values; `env_fn()` makes an environment with Discrete observations and actions."""
    env, rng = env_fn(), np.random.default_rng(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    state, _ = env.reset(seed=seed)
    for _ in range(steps):
        best = np.flatnonzero(q[state] == q[state].max())
        action = int(rng.integers(env.action_space.n) if rng.random() < 0.2 else rng.choice(best))
        next_state, reward, terminated, truncated, _ = env.step(action)
        q[state, action] += 0.1 * (reward + env_fn.discount * q[next_state].max() - q[state, action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q


def make():
    """One environment."""
    return gym.make("rl_envs/LineWalk-v0")


make.discount = rl_envs.build("LineWalk").mdp.discount


if __name__ == "__main__":
    q = train(make, 6_000, seed=0)
    print(f"exact score on LineWalk: {rl_envs.truth('LineWalk').score(q.argmax(axis=1)):.3f}")
