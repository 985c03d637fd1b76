"""Q-learning with a table (Watkins 1989; Sutton & Barto 2018, section 6.5), the whole of it in one file.

for each step of an episode:
    A  <- any action with probability epsilon, otherwise argmax_a Q(S, a), ties broken at random
    R, S' <- take action A in state S
    Q(S, A) <- Q(S, A) + alpha [R + gamma max_a Q(S', a) - Q(S, A)]    with Q(S', .) = 0 if S' is terminal
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial

import gymnasium as gym
import numpy as np

import rl_envs


@dataclass(frozen=True)
class Settings:
    discount: float = 0.99  # gamma, unless env_fn has a discount of its own
    step_size: float = 1.0  # alpha at the first update of an action's value in a state
    step_size_half_life: float = 5.0  # updates of that value after which half of its alpha is left
    epsilon: float = 1.0  # probability of exploring at step 0
    final_epsilon: float = 0.1  # probability of exploring once it has fallen, in a straight line
    exploration_fraction: float = 0.6  # part of all steps that the fall of epsilon takes


@dataclass
class GreedyPolicy:
    q: np.ndarray  # [S, A] the estimated action values

    def __call__(self, observations):
        """The probability of each action, shared equally among the best where several are, [n, A]."""
        best = self.q[observations] == self.q[observations].max(axis=1, keepdims=True)
        return best / best.sum(axis=1, keepdims=True)

    def q_values(self, observations):
        """The estimated value of each action, [n, A]."""
        return self.q[observations]


def train(env_fn, steps, seed, settings=Settings()):
    """Learn for so many environment steps; `env_fn()` makes the environment, its observations and actions Discrete."""
    env = env_fn()
    discount = getattr(env_fn, "discount", settings.discount)
    rng = np.random.default_rng(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))  # [S, A]
    updates = np.zeros(q.shape, dtype=np.int64)  # [S, A]

    # Seeded with `seed` itself, the environment would draw the very numbers that the agent draws.
    observation, _ = env.reset(seed=int(rng.integers(2**31)))
    fall = settings.final_epsilon - settings.epsilon
    for step in range(steps):
        epsilon = max(settings.final_epsilon, settings.epsilon + fall * step / (settings.exploration_fraction * steps))
        if rng.random() < epsilon:
            action = rng.integers(env.action_space.n)
        else:
            # The first of several best actions would be the same one in every state that is still unknown.
            action = rng.choice(np.flatnonzero(q[observation] == q[observation].max()))

        next_observation, reward, terminated, truncated, _ = env.step(action)

        # A time limit ends the episode too, but more was to come: only `terminated` makes the rest worth nothing.
        next_value = 0.0 if terminated else q[next_observation].max()
        target = reward + discount * next_value
        step_size = settings.step_size / (1 + updates[observation, action] / settings.step_size_half_life)
        q[observation, action] += step_size * (target - q[observation, action])
        updates[observation, action] += 1

        observation = next_observation
        if terminated or truncated:
            observation, _ = env.reset()
    env.close()
    return GreedyPolicy(q)


def main():
    parser = argparse.ArgumentParser(description="Q-learning with a table, scored exactly.")
    parser.add_argument("--env", default="rl_envs/LineWalk-v0", help="id of an environment with a table")
    parser.add_argument("--steps", type=int, default=5_000, help="environment steps")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    answers = rl_envs.truth(args.env)
    policy = train(partial(gym.make, args.env), args.steps, args.seed, Settings(discount=answers.mdp.discount))
    print(f"{args.env}, {args.steps:,} steps, seed {args.seed}: exact score {answers.score(policy):.3f}")
    print("(0 is the uniform random policy, 1 the optimum)")


if __name__ == "__main__":
    main()
