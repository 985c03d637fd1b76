"""Score your own agent exactly: here Stable-Baselines3's PPO, trained in the usual way.

`truth` queries the model's action in every state and evaluates that policy with a linear system, without rollouts.
A score below 1 means that the agent is not optimal; `regret` shows in which states.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO

import rl_envs

env = gym.make("rl_envs/LineWalk-v0")
answers = rl_envs.truth(env)
print(f"optimum {answers.optimal_value:.4f}, uniform policy {answers.random_value:.4f}")

model = PPO("MlpPolicy", env, n_steps=128, batch_size=64, learning_rate=2e-3, seed=0, device="cpu")
for steps in (0, 1_024, 2_048):
    if steps:
        model.learn(1_024, reset_num_timesteps=False)
    print(f"after {steps:5,} steps: exact score {answers.score(model):.4f}")

states = np.arange(1, 10)  # the ends of the line are terminal
actions, _ = model.predict(states, deterministic=True)
losses = answers.regret(states, actions)
print("states in which it is not optimal:", states[losses > 1e-9].tolist() or "none")

# Other policies can be scored too: a function of a batch of observations, or an array.
print(f"always right: {answers.score(lambda observations: np.ones(len(observations), dtype=int)):.4f}")
print(f"always left: {answers.score(np.zeros(11, dtype=int)):.4f}")
