"""The agents that this library ships, with bugs planted from outside: in what they are told, or in a rule they use.

Nothing of theirs is changed. A bug in the data changes the transition on its way from the environment to `update`; a
bug in a rule replaces `baselines.learning.advantages.generalised_advantages` while the agent learns.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import torch

from baselines import Transition
from baselines.agents.probe_training import ProbeTask, learned
from baselines.learning.advantages import generalised_advantages
from baselines.registry import AGENTS

# What suits short trainings in small worlds, by agent.
SETTINGS: dict[str, dict[str, Any]] = {
    "QLearning": {},
    "DQN": {"learning_rate": 5e-3, "train_every": 2, "learning_starts": 64, "target_every": 50},
    "ActorCritic": {"num_envs": 2, "learning_rate": 1e-2, "entropy_weight": 0.01, "max_gradient_norm": float("inf")},
    "Reinforce": {},
}

IN_THE_DATA = (
    "timeout_as_terminal",
    "reset_observation_as_next",
    "reward_one_step_late",
    "stale_observation",
    "observation_ignored",
    "action_shifted",
    "rewards_clipped",
    "discount_ignored",
    "discount_twice",
    "unseeded",
)
BUGS: dict[str, tuple[str, ...]] = {
    "QLearning": (*IN_THE_DATA, "terminal_not_masked"),
    "DQN": (*IN_THE_DATA, "terminal_not_masked"),
    "ActorCritic": (
        *IN_THE_DATA,
        "terminal_not_masked",
        "return_leaks_across_episodes",
        "mask_one_step_early",
        "last_value_of_wrong_state",
    ),
    "Reinforce": IN_THE_DATA,
}


class ShippedPolicy:
    """What an agent has learned, asked for its actions and for the values of states alone."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __call__(self, observations: Any) -> np.ndarray:
        return self.found.q_values(observations).argmax(-1) if self._has_q else self.found(observations)

    def value(self, observations: Any) -> np.ndarray:
        return self.found.q_values(observations).max(axis=-1) if self._has_q else self.found.value(observations)

    @property
    def _has_q(self) -> bool:
        return hasattr(self.found, "q_values")


class Told:
    """Changes what an agent is told of each step, as a bug would."""

    def __init__(self, bug: str | None) -> None:
        self.bug = bug
        self.last_reward: np.ndarray | None = None
        self.last_action: np.ndarray | None = None
        self.stale: np.ndarray | None = None

    def seen(self, observation: np.ndarray) -> np.ndarray:
        """What the agent takes for the observation before it acts."""
        if self.bug == "observation_ignored":
            return observation // 255
        if self.bug == "stale_observation" and self.stale is not None:
            return self.stale
        return observation

    def __call__(self, step: Transition, after_reset: np.ndarray) -> Transition:
        """What the agent is told of a step; `after_reset` is what every copy shows now."""
        ended = step.terminated | step.truncated
        if self.bug == "terminal_not_masked":
            # The step is told as one that a time limit cut off: the episode is over, and something follows.
            return replace(step, terminated=np.zeros_like(ended), truncated=ended)
        if self.bug == "timeout_as_terminal":
            return replace(step, terminated=ended)
        if self.bug == "reset_observation_as_next":
            return replace(step, next_observation=after_reset)
        if self.bug == "rewards_clipped":
            return replace(step, reward=np.clip(step.reward, -1, 1))
        if self.bug == "observation_ignored":
            return replace(step, observation=step.observation // 255, next_observation=step.next_observation // 255)
        if self.bug == "reward_one_step_late":
            late = np.zeros_like(step.reward) if self.last_reward is None else self.last_reward
            self.last_reward = np.where(ended, 0.0, step.reward)
            return replace(step, reward=late)
        if self.bug == "action_shifted":
            late = np.zeros_like(step.action) if self.last_action is None else self.last_action
            self.last_action = step.action
            return replace(step, action=late)
        if self.bug == "stale_observation":
            told = replace(step, observation=self.seen(step.observation))
            # A new episode begins with what the last one ended with.
            self.stale = step.next_observation
            return told
        return step


@contextmanager
def rule(bug: str | None) -> Iterator[None]:
    """A wrong rule in place of the advantages of ActorCritic, while it learns."""
    right: Callable[..., torch.Tensor] = generalised_advantages

    def wrong(reward, terminated, ended, value, next_value, **settings):  # type: ignore[no-untyped-def]
        # [R, n, ...]
        nothing = torch.zeros_like(ended[:, :1])
        if bug == "return_leaks_across_episodes":
            terminated, ended = torch.zeros_like(terminated), torch.zeros_like(ended)
        if bug == "mask_one_step_early":
            terminated, ended = torch.cat([terminated[:, 1:], nothing], 1), torch.cat([ended[:, 1:], nothing], 1)
        if bug == "last_value_of_wrong_state":
            next_value = torch.cat([next_value[:, :-1], value[:, -1:]], 1)
        return right(reward, terminated, ended, value, next_value, **settings)

    module = importlib.import_module("baselines.agents.actor_critic")
    with mock.patch.object(module, "generalised_advantages", wrong):
        yield


def train(env_fn: Any, steps: int, seed: int, *, agent: str, bug: str | None = None) -> ShippedPolicy:
    """Train one run of a shipped agent on what `env_fn` makes."""
    discount = {"discount_ignored": 1.0, "discount_twice": env_fn.discount**2}.get(bug or "", env_fn.discount)
    task = ProbeTask.of(env_fn, discount=discount)
    if bug == "unseeded":
        seed = int(np.random.default_rng().integers(2**31))
    settings = dict(SETTINGS[agent])
    if agent == "DQN":
        settings["epsilon_steps"] = steps // 2
    factory: Any = AGENTS.load(agent)
    learner = factory(task, runs=1, seed=seed, config=factory.Config(**settings))
    told = Told(bug)
    with rule(bug):
        for _ in range(steps // learner.num_envs):
            transition = learner.rollout.step(learner.act(told.seen(learner.rollout.observation)))
            learner.update(told(transition, learner.rollout.observation))
    return ShippedPolicy(learned(learner))
