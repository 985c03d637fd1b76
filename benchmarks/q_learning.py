"""Updates per second of Q-learning: 1,000 runs advancing together against a tutorial's loop over one run.

Both learn LineWalk-v0 with random ties in the argmax, in this one process on one core. The tutorial's loop is correct:
it breaks ties at random, masks the bootstrap by `terminated` only, and makes its environment with `gym.make`. The two
take turns, so that a machine that is busy for a while slows both; what counts is the ratio of the medians.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is imported

import statistics
import time

import gymnasium as gym
import numpy as np

import rl_envs  # noqa: F401 - registers the worlds
from baselines import train
from baselines.agents.q_learning import QLearning

RUNS = 1_000
ROUNDS = 7
STEPS = 4_000
TUTORIAL_STEPS = 20_000


def tutorial(env: gym.Env, q: np.ndarray, rng: np.random.Generator, steps: int) -> None:
    """Q-learning as a tutorial writes it, for one run."""
    epsilon, step_size, discount = 0.1, 0.1, 0.95
    state, _ = env.reset(seed=int(rng.integers(2**31)))
    for _ in range(steps):
        if rng.random() < epsilon:
            action = rng.integers(q.shape[1])
        else:
            action = rng.choice(np.flatnonzero(q[state] == q[state].max()))
        next_state, reward, terminated, truncated, _ = env.step(action)
        target = reward if terminated else reward + discount * q[next_state].max()
        q[state, action] += step_size * (target - q[state, action])
        state = next_state
        if terminated or truncated:
            state, _ = env.reset()


def main() -> None:
    rng = np.random.default_rng(0)
    env = gym.make("rl_envs/LineWalk-v0")
    q = np.zeros((env.observation_space.n, env.action_space.n))
    agent = QLearning("LineWalk", runs=RUNS, seed=0)
    tutorial(env, q, rng, 1_000)
    train(agent, steps=100, checkpoints=1)

    alone, together = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        tutorial(env, q, rng, TUTORIAL_STEPS)
        alone.append(TUTORIAL_STEPS / (time.perf_counter() - started))
        together.append(STEPS * RUNS / train(agent, steps=STEPS, checkpoints=1).seconds)
    one, many = statistics.median(alone), statistics.median(together)
    print(f"LineWalk-v0, medians of {ROUNDS} rounds, one core")
    print(f"  tutorial's loop, one run      {one:12,.0f} updates/s")
    print(f"  {RUNS:,} runs together         {many:12,.0f} updates/s")
    print(f"  ratio                         {many / one:12,.0f}   (asked for: at least 100)")


if __name__ == "__main__":
    main()
