"""The regret of bandit agents, and theoretical bounds.

Regret is pseudo-regret, from the true means of the arms pulled: it never falls, and contains no reward noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from baselines.learning.transition import Transition
from baselines.training.agent import Agent
from baselines.training.loop import train
from baselines.training.task import Task
from rl_envs.mdp.bandit_theory import lai_robbins_bernoulli, lai_robbins_gaussian, ucb1_regret_bound, uniform_regret
from rl_envs.mdp.finite_mdp import FiniteMDP, check_integer


@dataclass(frozen=True, eq=False)
class RegretBounds:
    """Theoretical bounds on the expected regret.

    Attributes:
        pulls: T, [C] int64.
        uniform: the regret of the uniform policy, [C].
        lai_robbins: the Lai-Robbins constant times ln T, [C]: an asymptotic lower bound for consistent algorithms,
            which may be violated at any one T. None where there is more than one problem, or neither Gaussian noise nor
            rewards of 0 and 1.
        ucb1: the upper bound of UCB1's regret, [C]; None where there is more than one problem, or rewards may leave
            [0, 1].
    """

    pulls: np.ndarray
    uniform: np.ndarray
    lai_robbins: np.ndarray | None
    ucb1: np.ndarray | None


@dataclass(frozen=True, eq=False)
class RegretCurve:
    """The regret of each run at each checkpoint, with bounds.

    Attributes:
        steps: pulls of each run at the checkpoints, [C] int64.
        regret: pseudo-regret so far, [C, R] float64, in units of reward.
        bounds: the theoretical bounds.
    """

    steps: np.ndarray
    regret: np.ndarray
    bounds: RegretBounds

    @property
    def mean(self) -> np.ndarray:
        """The mean over runs, [C]."""
        return self.regret.mean(axis=1)

    @property
    def standard_error(self) -> np.ndarray:
        """The standard error of that mean, [C]; NaN for a single run."""
        runs = self.regret.shape[1]
        if runs == 1:
            return np.full(len(self.steps), np.nan)
        return self.regret.std(axis=1, ddof=1) / np.sqrt(runs)


class RegretMeter:
    """Adds up the regret of each run during training: `train(agent, ..., on_step=RegretMeter(agent))`.

    Args:
        agent: what is trained, on a bandit.

    Attributes:
        total: pseudo-regret of each run so far, [R] float64, in units of reward.

    Raises:
        TypeError: a task whose info has no "regret".
    """

    def __init__(self, agent: Agent) -> None:
        arm_means(agent.task)
        self.total = np.zeros(agent.num_runs)
        self._agent = agent

    def __call__(self, transition: Transition, metrics: Mapping[str, np.ndarray]) -> None:
        """Add the regret of the last step of every run, in all of its environments."""
        self.total += self._agent.rollout.info("regret").reshape(len(self.total), -1).sum(axis=1)


def regret_curve(agent: Agent, *, steps: int | None = None, checkpoints: int = 50) -> RegretCurve:
    """Train an agent on a bandit, and record its regret.

    Where the world has many problems with the same observation (BanditTestbed), run i learns problem i modulo their
    number, so that 2,000 runs cover the 2,000 problems. Problems after the first episode are drawn as usual.

    Args:
        agent: an untrained agent; it is trained.
        steps: pulls per run; one episode when left out.
        checkpoints: number of times to record the regret, evenly spaced, besides the 0 at the start.

    Returns:
        The curve with its bounds.

    Raises:
        TypeError: a task whose info has no "regret", or a library's agent.
        ValueError: an agent that has learned before, or no steps where the world has no time limit.
    """
    means = arm_means(agent.task)
    if agent.steps > 0:
        raise ValueError(f"regret counts from the first step, but {agent.name} has learned for {agent.steps} already")
    steps = agent.task.max_episode_steps if steps is None else steps
    if steps is None:
        raise ValueError(f"steps must be given, for {agent.task.name} has no time limit")
    meter = RegretMeter(agent)
    agent.rollout.begin_in(np.repeat(np.array(agent.runs) % len(means), agent.num_envs))
    curve = train(agent, steps=steps, checkpoints=checkpoints, on_step=meter, measure=lambda _: meter.total.copy())
    return RegretCurve(curve.steps, curve.scores, regret_bounds(agent.task, curve.steps))


def regret_bounds(task: Task, pulls: np.ndarray) -> RegretBounds:
    """Theoretical bounds on the expected regret on a bandit.

    Args:
        task: a bandit.
        pulls: numbers of pulls, T, [C] int, at least 0.

    Returns:
        The bounds, [C] each; for UCB1 and ln T, 0 pulls count as 1.

    Raises:
        TypeError: a task that is no bandit.
    """
    means = arm_means(task)
    pulls = np.array([check_integer("pulls", number, low=0) for number in np.asarray(pulls).tolist()])
    uniform = np.mean([uniform_regret(row, 1) for row in means]) * pulls
    if len(means) > 1:
        return RegretBounds(pulls, uniform, None, None)
    mdp = _table(task)
    possible = mdp.reward[mdp.probability > 0]
    bernoulli = mdp.reward_std is None and np.isin(possible, (0.0, 1.0)).all() and mdp.num_outcomes == 2
    bounded = mdp.reward_std is None and possible.min() >= 0 and possible.max() <= 1
    constant = None
    if bernoulli:
        constant = lai_robbins_bernoulli(means[0])
    elif mdp.num_outcomes == 1:
        constant = lai_robbins_gaussian(means[0], 0.0 if mdp.reward_std is None else float(mdp.reward_std.max()))
    at_least_one = np.maximum(pulls, 1)
    return RegretBounds(
        pulls=pulls,
        uniform=uniform,
        lai_robbins=None if constant is None else constant * np.log(at_least_one),
        ucb1=np.array([ucb1_regret_bound(means[0], int(T)) for T in at_least_one]) if bounded else None,
    )


def has_regret(task: Task) -> bool:
    """Whether a task is a bandit whose info contains regret."""
    return task.world is not None and "regret" in task.world.action_info


def arm_means(task: Task) -> np.ndarray:
    """The mean reward of each arm in each problem of a bandit, [problems, A]; raises TypeError for any other task."""
    return _table(task).mean_reward


def _table(task: Task) -> FiniteMDP:
    if task.world is None or not has_regret(task):
        raise TypeError(f"regret is for bandits, whose info has it, but {task.name} is none")
    return task.world.mdp
