"""Asserts that a training function solves a world, by exact scores under fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.diagnosis.asserts.sequential_test import SequentialTest
from rl_envs.exact import Truth, truth
from rl_envs.registry import environment_id
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class MakeEnv:
    """What a training function gets as `env_fn`: each call makes an environment.

    Args:
        world: an id, or a world.
        discount: gamma, to train with.
        num_envs: a hint; any number of environments may be made.
    """

    world: World | str
    discount: float
    num_envs: int = 1

    def __call__(self) -> gym.Env[Any, Any]:
        if isinstance(self.world, str):
            return gym.make(self.world)
        from rl_envs.envs.tabular_env import TabularEnv

        env: gym.Env[Any, Any] = TabularEnv(self.world)
        limit = self.world.max_episode_steps
        return env if limit is None else gym.wrappers.TimeLimit(env, limit)


@dataclass(frozen=True)
class Solving:
    """How training went, seed by seed.

    Attributes:
        world: its name.
        steps: environment steps a seed.
        scores: the exact score of each seed that was tried: 1 the optimum, 0 the uniform policy.
        threshold: the score from which a seed counts as solved.
        test: the rule by which seeds were judged.
        first_seed: the seed of the first.
    """

    world: str
    steps: int
    scores: tuple[float, ...]
    threshold: float
    test: SequentialTest
    first_seed: int = 0

    @property
    def solved(self) -> bool:
        """Whether it passes."""
        return self.test.decision(*self._counts) == "pass"

    @property
    def _counts(self) -> tuple[int, int]:
        successes = sum(score >= self.threshold for score in self.scores)
        return successes, len(self.scores) - successes

    def __str__(self) -> str:
        successes, _ = self._counts
        test = self.test
        lines = [
            f"{successes} of {len(self.scores)} seeds solved {self.world}: "
            f"exact score at least {self.threshold:g} after {self.steps:,} steps (1 the optimum, 0 the uniform policy)"
        ]
        for seed, score in enumerate(self.scores, self.first_seed):
            lines.append(f"  seed {seed}: {score:.3f}{'' if score >= self.threshold else '  not solved'}")
        lines.append(
            f"{'Passed' if self.solved else 'Failed'} after {len(self.scores)} of at most {test.runs} seeds, the test "
            f"fails at {test.failures_to_fail} that are not solved: an agent that solves {test.right:.0%} of seeds "
            f"fails it with probability {test.false_alarm_rate:.2g}, one that solves {test.poor:.0%} with "
            f"{test.power(test.poor):.2g}."
        )
        return "\n".join(lines)


def assert_solves(
    train: Callable[..., Any],
    world: World | str,
    *,
    runs: int = 10,
    steps: int = 20_000,
    threshold: float = 0.95,
    discount: float | None = None,
    first_seed: int = 0,
    right: float = 0.95,
    false_alarms: float = 0.002,
) -> Solving:
    """Assert that training solves a world.

    Each policy is scored exactly, with no evaluation episodes; seeds are fixed; and seeds are tried one after another
    until the verdict is clear. See `SequentialTest` for the rule.

    Args:
        train: called as train(env_fn, steps, seed). `env_fn()` makes an environment, `env_fn.discount` is the discount
            to train with, `env_fn.num_envs` a hint. It gives back anything that `truth(...).score` takes: an object
            with Stable-Baselines3's `predict`, a function of observations, or an array of actions.
        world: a registered name ("LineWalk"), a Gymnasium id of an environment with a table, or a `World`.
        runs: how many seeds are tried at most.
        steps: environment steps to train for.
        threshold: the score from which a seed counts as solved; 1 is the optimum, 0 the uniform policy.
        discount: gamma; the world's own when left out.
        first_seed: the first of the seeds.
        right: the share of seeds with which a right agent solves the world.
        false_alarms: the most often that such an agent may fail this assert.

    Returns:
        Scores and verdict, to be printed or kept.

    Raises:
        AssertionError: too many seeds are not solved; the message has the score of each.
        TypeError: `train` gave back nothing that can be scored.
        ValueError: a setting that makes no test, or a world without a table.
    """
    __tracebackhide__ = True
    if steps < 1:
        raise ValueError(f"steps must be at least 1, but is {steps}")
    test = SequentialTest(runs, right, poor=min(0.5, right / 2), false_alarms=false_alarms)
    answers = truth(world, discount=discount)
    environment = environment_id(world) if isinstance(world, str) else world
    env_fn = MakeEnv(environment, answers.mdp.discount)
    scores: list[float] = []
    successes = 0
    while test.decision(successes, len(scores) - successes) == "go on":
        seed = first_seed + len(scores)
        scores.append(_score(answers, train(env_fn, steps, seed), seed))
        successes += scores[-1] >= threshold
    result = Solving(answers.name, steps, tuple(scores), threshold, test, first_seed)
    if not result.solved:
        raise AssertionError(str(result))
    return result


def _score(answers: Truth, policy: Any, seed: int) -> float:
    if policy is None:
        raise TypeError(
            f"train must give back a policy that can be scored, but gave None for seed {seed}: return the model, a "
            "function of observations, or an array of actions"
        )
    score = np.asarray(answers.score(policy))
    if score.size != 1:
        raise TypeError(f"train must give back one policy for each seed, but gave {score.size} for seed {seed}")
    return float(score.reshape(()))
