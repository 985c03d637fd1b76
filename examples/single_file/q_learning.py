"""Q-learning with a table (Watkins 1989; Sutton & Barto 2018, section 6.5), complete in one file.

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
    discount: float = 0.99  # gamma, unless env_fn has an attribute `discount`
    step_size: float = 1.0  # alpha at the first update of an action's value in a state
    step_size_half_life: float = 5.0  # number of updates of a value that halves its alpha
    epsilon: float = 1.0  # probability of exploring at step 0
    final_epsilon: float = 0.1  # probability of exploring after a linear decay
    exploration_fraction: float = 0.6  # fraction of all steps over which epsilon decays


@dataclass
class GreedyPolicy:
    q: np.ndarray  # [S, A] the estimated action values

    def __call__(self, observations):
        """The probability of each action, equal for all best ones, [n, A]."""
        best = self.q[observations] == self.q[observations].max(axis=1, keepdims=True)
        return best / best.sum(axis=1, keepdims=True)

    def q_values(self, observations):
        """The estimated value of each action, [n, A]."""
        return self.q[observations]


def train(env_fn, steps, seed, settings=Settings()):
    """Train for `steps` environment steps; `env_fn()` makes an environment with Discrete observations and actions."""
    env = env_fn()
    discount = getattr(env_fn, "discount", settings.discount)
    rng = np.random.default_rng(seed)
    q = np.zeros((env.observation_space.n, env.action_space.n))  # [S, A]
    updates = np.zeros(q.shape, dtype=np.int64)  # [S, A]

    # Seeded with `seed` itself, the environment would draw the same numbers as the agent.
    observation, _ = env.reset(seed=int(rng.integers(2**31)))
    fall = settings.final_epsilon - settings.epsilon
    for step in range(steps):
        epsilon = max(settings.final_epsilon, settings.epsilon + fall * step / (settings.exploration_fraction * steps))
        if rng.random() < epsilon:
            action = rng.integers(env.action_space.n)
        else:
            # Always taking the first of several best actions would be the same choice in every unvisited state.
            action = rng.choice(np.flatnonzero(q[observation] == q[observation].max()))

        next_observation, reward, terminated, truncated, _ = env.step(action)

        # A time limit ends the episode too, but only `terminated` makes the value of the next state 0.
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
    print("(0 is the uniform policy, 1 the optimum)")


if __name__ == "__main__":
    main()
