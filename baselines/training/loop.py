"""Training and evaluation. `train` is the only loop in which agents learn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from baselines.learning.transition import Transition
from baselines.system.freed_memory import keep_freed_memory
from baselines.system.threads import one_thread
from baselines.training.agent import Agent
from baselines.training.library_agent import LibraryAgent
from baselines.training.seeding import integer_seeds
from rl_envs.mdp.finite_mdp import check_integer

# Called after every step with the transition and the agent's metrics.
Callback = Callable[[Transition, Mapping[str, np.ndarray]], None]


@dataclass(frozen=True)
class LearningCurve:
    """How good each run was at each checkpoint.

    Attributes:
        steps: environment steps of each run at the checkpoints, [C] int64.
        scores: [C, R] float64. Where there is a table, the exact score of the greedy policy: 0 is the uniform policy
            and 1 the optimum; of agents that predict values, 0 is to predict 0 everywhere and 1 to be exact. Elsewhere
            the mean return of evaluation episodes.
        exact: whether the scores are exact or sampled.
        seconds: time spent on training all runs, without scoring.
    """

    steps: np.ndarray
    scores: np.ndarray
    exact: bool
    seconds: float


def train(
    agent: Agent,
    *,
    steps: int,
    checkpoints: int = 20,
    episodes: int = 10,
    on_step: Callback | None = None,
    on_checkpoint: Callable[[int], None] | None = None,
    measure: Callable[[Agent], np.ndarray] | None = None,
) -> LearningCurve:
    """Let every run of an agent take so many environment steps, and score it along the way.

    A second call goes on where the first ended: schedules, random streams and episodes run on, so that two calls equal
    one long call, byte for byte. So does a call after saving and loading, except that Gymnasium's own environments,
    which cannot be saved, begin new episodes then.

    Args:
        agent: the population.
        steps: environment steps of each run. One that learns in C copies of the world takes C at a time, so it may pass
            a checkpoint by up to C - 1 before it is scored.
        checkpoints: how often to score, evenly spaced, besides once before the first step.
        episodes: how many episodes a score is the mean of where there is no table.
        on_step: called with each transition and the agent's metrics.
        on_checkpoint: called with the steps taken after each scoring.
        measure: what to note at each checkpoint instead of the score, [R]: the regret so far, say.

    Returns:
        The learning curve.

    Raises:
        ValueError: steps, checkpoints or episodes below 1.
        TypeError: a measure for a library's agent, which is scored in a loop of its own.
    """
    check_integer("steps", steps, low=1)
    check_integer("checkpoints", checkpoints, low=1)
    check_integer("episodes", episodes, low=1)
    begin, taken = agent.steps, checkpoint_steps(steps, checkpoints)
    # Two threads of torch on two busy cores are many times slower than one, and add up in another order each time.
    with one_thread():
        if isinstance(agent, LibraryAgent):
            if measure is not None:
                raise TypeError(f"{agent.name} trains in its library's own loop, which measures nothing but scores")
            scores, seconds = agent.learn(taken, episodes=episodes)
        else:
            scorer = measure or partial(score, episodes=episodes)
            scores, seconds = _learn(agent, begin + taken, scorer, on_step, on_checkpoint)
    return LearningCurve(begin + taken, scores, agent.task.truth is not None, seconds)


def _learn(
    agent: Agent,
    checkpoints: np.ndarray,
    scorer: Callable[[Agent], np.ndarray],
    on_step: Callback | None,
    on_checkpoint: Callable[[int], None] | None,
) -> tuple[np.ndarray, float]:
    """The loop: scores at each checkpoint, [C, R], and the seconds spent without scoring."""
    keep_freed_memory()
    rollout = agent.rollout
    scores = [scorer(agent)]
    seconds = 0.0
    for checkpoint in checkpoints[1:]:
        started = time.perf_counter()
        for _ in range(math.ceil((checkpoint - agent.steps) / agent.num_envs)):
            transition = rollout.step(agent.act(rollout.observation))
            metrics = agent.update(transition)
            if on_step is not None:
                on_step(transition, metrics)
        seconds += time.perf_counter() - started
        scores.append(scorer(agent))
        if on_checkpoint is not None:
            on_checkpoint(agent.steps)
    return np.array(scores), seconds


def checkpoint_steps(steps: int, checkpoints: int) -> np.ndarray:
    """Step 0 and then up to so many steps, evenly spaced, that end with the last step: [C] int64."""
    return np.unique(np.round(np.linspace(0, steps, checkpoints + 1)).astype(np.int64))


def score(agent: Agent, *, episodes: int = 10) -> np.ndarray:
    """How good every run's greedy policy is.

    Args:
        agent: the population; it neither learns nor explores, and goes on as if it had not been scored.
        episodes: how many episodes to play where there is no table.

    Returns:
        Scores [R]: where there is a table `agent.exact_score()`, else mean returns.
    """
    exact = agent.exact_score()
    return evaluate(agent, episodes=episodes).mean(axis=1) if exact is None else exact


def evaluate(agent: Agent, *, episodes: int, max_steps: int = 10_000) -> np.ndarray:
    """Play whole episodes greedily in every run, in copies of the world of their own, and learn nothing from them.

    Args:
        agent: the population.
        episodes: how many episodes each run plays.
        max_steps: an episode that lasts longer is cut off there, whatever the world's own limit.

    Returns:
        Undiscounted returns [R, episodes].

    Raises:
        ValueError: episodes or max_steps below 1.
    """
    check_integer("episodes", episodes, low=1)
    check_integer("max_steps", max_steps, low=1)
    returns = np.zeros((agent.num_runs, episodes))
    for episode in range(episodes):
        returns[:, episode] = _play_one_episode(agent, episode, max_steps)
    return returns


def _play_one_episode(agent: Agent, episode: int, max_steps: int) -> np.ndarray:
    """The return of one greedy episode of every run, [R]."""
    envs = agent.task.make_vector(agent.num_runs)
    seeds: Any = integer_seeds(
        agent.seeds(f"evaluation {episode}")
    )  # Gymnasium's annotation forgets that a list is allowed
    observation, _ = envs.reset(seed=seeds)
    total, running = np.zeros(agent.num_runs), np.ones(agent.num_runs, dtype=np.bool_)
    for _ in range(max_steps):
        observation, reward, terminated, truncated, _ = envs.step(agent.act(observation, greedy=True))
        total += np.where(running, reward, 0.0)
        running &= ~(terminated | truncated)
        if not running.any():
            break
    envs.close()
    return total
