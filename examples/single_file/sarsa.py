"""Sarsa with a table (Rummery & Niranjan 1994; Sutton & Barto 2018, section 6.4), complete in one file.

A <- epsilon-greedy action in S
for each step of an episode:
    R, S' <- take action A in state S
    A' <- epsilon-greedy action in S'
    Q(S, A) <- Q(S, A) + alpha [R + gamma Q(S', A') - Q(S, A)]    with Q(S', .) = 0 if S' is terminal
    S, A <- S', A'
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
    final_epsilon: float = 0.02  # probability of exploring after the decay; Sarsa also learns the cost of exploring
    exploration_fraction: float = 0.6  # fraction of all steps over which epsilon decays linearly


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

    def epsilon(step):
        fall = settings.final_epsilon - settings.epsilon
        return max(settings.final_epsilon, settings.epsilon + fall * step / (settings.exploration_fraction * steps))

    def epsilon_greedy(state, step):
        if rng.random() < epsilon(step):
            return rng.integers(env.action_space.n)
        # Always taking the first of several best actions would be the same choice in every unvisited state.
        return rng.choice(np.flatnonzero(q[state] == q[state].max()))

    # Seeded with `seed` itself, the environment would draw the same numbers as the agent.
    observation, _ = env.reset(seed=int(rng.integers(2**31)))
    action = epsilon_greedy(observation, step=0)
    for step in range(steps):
        next_observation, reward, terminated, truncated, _ = env.step(action)

        if terminated:
            next_value = 0.0
        elif truncated:
            # Truncated: no next action is taken, so bootstrap from the mean over the policy's actions.
            best = q[next_observation] == q[next_observation].max()
            policy = epsilon(step) / len(best) + (1 - epsilon(step)) * best / best.sum()  # [A]
            next_value = (policy * q[next_observation]).sum()
        else:
            next_action = epsilon_greedy(next_observation, step + 1)
            next_value = q[next_observation, next_action]  # of the action that is taken next
        target = reward + discount * next_value
        step_size = settings.step_size / (1 + updates[observation, action] / settings.step_size_half_life)
        q[observation, action] += step_size * (target - q[observation, action])
        updates[observation, action] += 1

        if terminated or truncated:
            observation, _ = env.reset()
            action = epsilon_greedy(observation, step + 1)
        else:
            observation, action = next_observation, next_action
    env.close()
    return GreedyPolicy(q)


def main():
    parser = argparse.ArgumentParser(description="Sarsa with a table, scored exactly.")
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
