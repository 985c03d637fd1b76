"""One-step tabular control in one file: Q-learning, Expected Sarsa, Double Q-learning; right unless `bug` is given."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from tests.diagnosis.planted.observations import count, number

BUGS = (
    "terminal_not_masked",
    "timeout_as_terminal",
    "reset_observation_as_next",
    "autoreset_row_learned",
    "reward_one_step_late",
    "stale_observation",
    "observation_ignored",
    "action_shifted",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "exploration_never_ends",
    "unseeded",
    "steps_after_end",
)


class TablePolicy:
    """What was learned: a table of action values, and the policy that is greedy in it."""

    def __init__(self, space: gym.Space[Any], q: np.ndarray) -> None:
        self.space, self.q = space, q  # q [S, A]

    def __call__(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).argmax(axis=-1)

    def q_values(self, observations: Any) -> np.ndarray:
        return self.q[number(self.space, observations)]

    def value(self, observations: Any) -> np.ndarray:
        return self.q_values(observations).max(axis=-1)


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    rule: str = "q_learning",
    bug: str | None = None,
    step_size: float = 0.1,
    last_epsilon: float = 0.05,
) -> TablePolicy:
    """Learn a table; epsilon falls from 1 to its last value over the first half of the steps."""
    env, discount = env_fn(), env_fn.discount
    if bug == "autoreset_row_learned":
        env = gym.wrappers.Autoreset(env)
    if bug == "discount_ignored":
        discount = 1.0

    if bug == "unseeded":
        rng = np.random.default_rng()
        observation, _ = env.reset()
    else:
        rng = np.random.default_rng(seed)
        observation, _ = env.reset(seed=seed)

    # Double Q-learning has two tables; the others use the first alone.
    tables = np.zeros((2 if rule == "double" else 1, count(env.observation_space), int(env.action_space.n)))
    last_reward, last_action = 0.0, 0

    for step in range(steps):
        if bug == "exploration_never_ends":
            epsilon = max(last_epsilon, 1.0 - 2 * (step // steps))  # whole numbers: 0 until the end
        else:
            epsilon = max(last_epsilon, 1.0 - 2 * step / steps)

        if bug == "observation_ignored":
            observation = np.asarray(observation) // 255  # scaled like an image, in whole numbers: 0 everywhere
        state = int(number(env.observation_space, observation))

        q = tables.mean(axis=0)
        if bug == "no_exploration":
            action = int(q[state].argmax())
        elif rng.random() < epsilon:
            action = int(rng.integers(q.shape[1]))
        else:
            action = int(rng.choice(np.flatnonzero(q[state] == q[state].max())))

        next_observation, reward, terminated, truncated, _ = env.step(action)
        done = terminated or truncated

        learned_reward = float(reward)
        if bug == "rewards_clipped":
            learned_reward = float(np.clip(reward, -1, 1))
        if bug == "reward_one_step_late":
            learned_reward, last_reward = last_reward, learned_reward
        learned_action = action
        if bug == "action_shifted":
            learned_action, last_action = last_action, action

        following = next_observation
        if bug == "reset_observation_as_next" and done:
            following, _ = env.reset()
        if bug == "observation_ignored":
            following = np.asarray(following) // 255
        next_state = int(number(env.observation_space, following))

        if bug == "terminal_not_masked":
            end = False
        elif bug == "timeout_as_terminal":
            end = done
        else:
            end = terminated

        learned = int(rng.integers(2)) if rule == "double" else 0
        next_q = tables[learned][next_state]
        if rule == "double":
            next_value = tables[1 - learned][next_state][int(next_q.argmax())]
        elif rule == "expected_sarsa":
            next_value = epsilon * next_q.mean() + (1 - epsilon) * next_q.max()
        else:
            next_value = next_q.max()
        if bug == "discount_twice":
            next_value = discount * next_value

        target = learned_reward + (0.0 if end else discount * next_value)
        tables[learned, state, learned_action] += step_size * (target - tables[learned, state, learned_action])

        if bug == "autoreset_row_learned":
            observation = next_observation  # the wrapper resets in the next step, whose row is learned like any other
        elif not done or (bug == "steps_after_end" and not terminated):
            observation = next_observation
        elif bug == "reset_observation_as_next":
            observation = following
        elif bug == "stale_observation":
            env.reset()
            observation = next_observation
        else:
            observation, _ = env.reset()
        if done and bug == "reward_one_step_late":
            last_reward = 0.0

    return TablePolicy(env.observation_space, tables.mean(axis=0))
