"""n-step tabular control in one file (Sutton & Barto 2018, section 7.2); right unless `bug` is given.

n = 1 with "sarsa" is Sarsa itself; "max" takes the greedy value behind the n rewards, as DQN with n-step returns does.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from tests.diagnosis.planted.observations import count, number
from tests.diagnosis.planted.q_learning import TablePolicy

BUGS = (
    "terminal_not_masked",
    "timeout_as_terminal",
    "reset_observation_as_next",
    "return_leaks_across_episodes",
    "reward_one_step_late",
    "n_step_discount",
    "n_step_rewards_undiscounted",
    "last_value_of_wrong_state",
    "stale_observation",
    "action_shifted",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "no_exploration",
    "exploration_never_ends",
    "unseeded",
    "steps_after_end",
)
# With a window of one step these are no faults, or others.
NOT_WITH_ONE_STEP = ("return_leaks_across_episodes", "n_step_discount", "n_step_rewards_undiscounted")


def train(
    env_fn: Any,
    steps: int,
    seed: int,
    *,
    n: int = 2,
    bootstrap: str = "sarsa",
    bug: str | None = None,
    step_size: float = 0.1,
    last_epsilon: float = 0.05,
) -> TablePolicy:
    """Learn a table from windows of n steps; epsilon falls from 1 to its last value over the first half of them."""
    env = env_fn()
    discount = 1.0 if bug == "discount_ignored" else env_fn.discount
    space = env.observation_space
    rng = np.random.default_rng(None if bug == "unseeded" else seed)
    q = np.zeros((count(space), int(env.action_space.n)))
    window: deque[tuple[int, int, float]] = deque()  # (state, action, reward), the oldest first

    def choose(state: int, step: int) -> int:
        progress = step // steps if bug == "exploration_never_ends" else step / steps  # whole numbers: 0 until the end
        if bug == "no_exploration":
            return int(q[state].argmax())
        if rng.random() < max(last_epsilon, 1 - 2 * progress):
            return int(rng.integers(q.shape[1]))
        return int(rng.choice(np.flatnonzero(q[state] == q[state].max())))

    def learn_oldest(value_behind: float) -> None:
        state, action, _ = window[0]
        target = 0.0
        for i, (_, _, reward) in enumerate(window):
            target += reward if bug == "n_step_rewards_undiscounted" else discount**i * reward
        length = len(window)
        if bug == "n_step_discount":
            length = 1  # the discount of one step, whatever the window's length
        if bug == "discount_twice":
            length *= 2
        target += discount**length * value_behind
        q[state, action] += step_size * (target - q[state, action])
        window.popleft()

    observation, _ = env.reset() if bug == "unseeded" else env.reset(seed=seed)
    state = int(number(space, observation))
    action = choose(state, 0)
    last_reward, last_action = 0.0, 0

    for step in range(steps):
        next_observation, reward, terminated, truncated, _ = env.step(action)
        done = terminated or truncated

        learned_reward = float(reward)
        if bug == "rewards_clipped":
            learned_reward = float(np.clip(reward, -1, 1))
        if bug == "reward_one_step_late":
            learned_reward, last_reward = last_reward, 0.0 if done else learned_reward
        learned_action = action
        if bug == "action_shifted":
            learned_action, last_action = last_action, action
        window.append((state, learned_action, learned_reward))

        following = next_observation
        if bug == "reset_observation_as_next" and done:
            following, _ = env.reset()
        next_state = int(number(space, following))
        next_action = choose(next_state, step)

        behind = state if bug == "last_value_of_wrong_state" else next_state
        value_behind = float(q[behind].max() if bootstrap == "max" else q[behind, next_action])
        if bug == "terminal_not_masked":
            end = False
        elif bug == "timeout_as_terminal":
            end = done
        else:
            end = terminated
        if end:
            value_behind = 0.0

        if done and bug != "return_leaks_across_episodes":
            while window:
                learn_oldest(value_behind)
        elif len(window) == n:
            learn_oldest(value_behind)

        if not done or (bug == "steps_after_end" and not terminated):
            state, action = next_state, next_action
            continue
        if bug == "reset_observation_as_next":
            state, action = next_state, next_action
            continue
        observation, _ = env.reset()
        if bug == "stale_observation":
            observation = next_observation
        state = int(number(space, observation))
        action = choose(state, step)

    return TablePolicy(space, q)
