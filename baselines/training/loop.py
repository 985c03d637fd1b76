"""Training and evaluation. `learn` is the only loop in which agents learn, in worlds and in games."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from baselines.learning.transition import Transition
from baselines.system.freed_memory import keep_freed_memory
from baselines.system.threads import one_thread
from baselines.training.agent import Agent
from baselines.training.library_agent import LibraryAgent
from baselines.training.seeding import integer_seeds
from rl_envs.mdp.finite_mdp import check_integer

# One step of every run: a `Transition`, or in a game a `JointTransition`.
Step = TypeVar("Step")
StepIn = TypeVar("StepIn", contravariant=True)
StepOut = TypeVar("StepOut", covariant=True)

# Called after every step with the transition and the agent's metrics.
Callback = Callable[[Step, Mapping[str, np.ndarray]], None]


class Learner(Protocol[StepIn]):
    """What the loop needs from an agent; `Agent` and `GameAgent` have it."""

    @property
    def steps(self) -> int:
        """Environment steps that each run has learned from so far."""

    @property
    def num_envs(self) -> int:
        """The number of parallel environments per run."""

    def act(self, observation: np.ndarray, /) -> np.ndarray:
        """Choose an action in every run."""

    def update(self, transition: StepIn, /) -> Mapping[str, np.ndarray]:
        """Learn from one step of every run; returns metrics by name."""


class Environments(Protocol[StepOut]):
    """What the loop needs from the environments of an agent; `Rollout` and `GameRollout` have it."""

    @property
    def observation(self) -> np.ndarray:
        """What each run sees now."""

    def step(self, action: np.ndarray, /) -> StepOut:
        """Take an action in every run."""


@dataclass(frozen=True)
class LearningCurve:
    """The score of each run at each checkpoint.

    Attributes:
        steps: environment steps of each run at the checkpoints, [C] int64.
        scores: [C, R] float64. Where there is a table, the normalised score of the greedy policy (0 = uniform
            policy, 1 = optimal); for agents that predict values, 0 is predicting 0 everywhere and 1 is no error.
            Without a table, the mean return of evaluation episodes.
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
    on_step: Callback[Transition] | None = None,
    on_checkpoint: Callable[[int], None] | None = None,
    measure: Callable[[Agent], np.ndarray] | None = None,
) -> LearningCurve:
    """Train every run of an agent for a number of environment steps, with evaluations along the way.

    A second call continues where the first ended: two calls equal one long call byte for byte, also with saving and
    loading in between. Gymnasium's own environments are an exception: they cannot be saved, so they begin new episodes
    after loading.

    Args:
        agent: the population.
        steps: environment steps per run. A run in C environments takes C steps at a time, so it may pass a checkpoint
            by up to C - 1 before it is scored.
        checkpoints: number of evaluations, evenly spaced, besides the one at the start.
        episodes: episodes per evaluation where there is no table.
        on_step: called with each transition and the agent's metrics.
        on_checkpoint: called after each evaluation with the steps taken.
        measure: what to record at each checkpoint instead of the score, [R]: the regret so far, say.

    Returns:
        The learning curve.

    Raises:
        ValueError: steps, checkpoints or episodes below 1.
        TypeError: a measure for a library's agent, which is scored in its library's own loop.
    """
    check_integer("steps", steps, low=1)
    check_integer("checkpoints", checkpoints, low=1)
    check_integer("episodes", episodes, low=1)
    begin, taken = agent.steps, checkpoint_steps(steps, checkpoints)
    # On busy cores, several threads of torch are many times slower than one, and sum in a different order each time.
    with one_thread():
        if isinstance(agent, LibraryAgent):
            if measure is not None:
                raise TypeError(f"{agent.name} trains in its library's own loop, which measures nothing but scores")
            scores, seconds = agent.learn(taken, episodes=episodes)
        else:
            keep_freed_memory()
            scorer = partial(score, agent, episodes=episodes) if measure is None else partial(measure, agent)
            scores, seconds = learn(
                agent, agent.rollout, begin + taken, scorer=scorer, on_step=on_step, on_checkpoint=on_checkpoint
            )
    return LearningCurve(begin + taken, scores, agent.task.truth is not None, seconds)


def learn(
    agent: Learner[Step],
    rollout: Environments[Step],
    checkpoints: np.ndarray,
    *,
    scorer: Callable[[], np.ndarray],
    on_step: Callback[Step] | None = None,
    on_checkpoint: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, float]:
    """The loop in which every population learns, in worlds and in games.

    Args:
        agent: the population.
        rollout: its environments.
        checkpoints: the values of `agent.steps` at which it is scored, ascending, [C]; the first is where it is now.
        scorer: returns what to note at a checkpoint, [R].
        on_step: called after each step with the transition and the agent's metrics.
        on_checkpoint: called after each evaluation but the first with the steps taken.

    Returns:
        What was noted at each checkpoint, [C, R], and the seconds of acting and learning without scoring.
    """
    scores = [scorer()]
    seconds = 0.0
    for checkpoint in checkpoints[1:]:
        started = time.perf_counter()
        for _ in range(math.ceil((checkpoint - agent.steps) / agent.num_envs)):
            transition = rollout.step(agent.act(rollout.observation))
            metrics = agent.update(transition)
            if on_step is not None:
                on_step(transition, metrics)
        seconds += time.perf_counter() - started
        scores.append(scorer())
        if on_checkpoint is not None:
            on_checkpoint(agent.steps)
    return np.array(scores), seconds


def checkpoint_steps(steps: int, checkpoints: int) -> np.ndarray:
    """Step 0 and up to `checkpoints` evenly spaced steps, the last step among them: [C] int64."""
    return np.unique(np.round(np.linspace(0, steps, checkpoints + 1)).astype(np.int64))


def score(agent: Agent, *, episodes: int = 10) -> np.ndarray:
    """Score every run's greedy policy.

    Args:
        agent: the population; scoring does not change how it learns.
        episodes: episodes to play where there is no table.

    Returns:
        Scores [R]: `agent.exact_score()` where there is a table, otherwise mean returns.
    """
    exact = agent.exact_score()
    return evaluate(agent, episodes=episodes).mean(axis=1) if exact is None else exact


def evaluate(agent: Agent, *, episodes: int, max_steps: int = 10_000) -> np.ndarray:
    """Play whole episodes greedily in every run, in separate environments and without learning.

    Args:
        agent: the population.
        episodes: episodes per run.
        max_steps: longest episode, whatever the environment's own limit.

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
