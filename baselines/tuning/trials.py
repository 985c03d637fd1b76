"""Trials of tuning: what is tuned, and how one choice of hyperparameters is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import numpy as np

from baselines.comparison.measures import area_under_curve, worst_decile
from baselines.registry import AGENTS
from baselines.training.agent import Agent
from baselines.training.library_agent import LibraryAgent
from baselines.training.loop import score, train
from baselines.training.registration import AgentSpecification
from baselines.training.regret import RegretMeter, arm_means
from baselines.training.seeding import integer_seeds, stable_hash
from baselines.training.specification import WorldSpecification, each_once
from baselines.tuning.search_space import Dimension, search_space
from rl_envs.mdp.finite_mdp import check_integer

Metric = Literal["score", "area", "worst_decile", "regret"]

# Called at each checkpoint with its number, counted over all worlds, and the trial's value; True prunes the trial.
ShouldPrune = Callable[[int, float], bool]


@dataclass(frozen=True)
class Tuning:
    """What to tune, and by which metric.

    Attributes:
        worlds: names of worlds, with settings after a colon: "LineWalk:size=9". The metric is averaged over them.
        agent: name of the agent. Settings after a colon are where the search starts, and stay fixed unless `search`
            names them.
        runs: independent runs of each trial on each world.
        steps: environment steps per run.
        checkpoints: number of evaluations per world, at each of which a trial may be pruned.
        seed: base seed, from which every run's seed is derived. A comparison with this seed shares none of them.
        metric: "score", "area", "worst_decile" or "regret". "score" is the mean score at the end, "area" that over all
            of training. "worst_decile" is the mean score of the worst tenth of the runs at the end. "regret" is that of
            a bandit agent, to be minimised.
        prune: whether to stop a trial early if it does worse than the median of the completed trials.
        search: hyperparameters to search: "step_size=0.01..1:log", "hidden=(32,)|(64,64)", or "epsilon" (default
            range). "usual", the default, searches all that have a default range.
    """

    worlds: tuple[str, ...]
    agent: str
    runs: int = 10
    steps: int = 6_000
    checkpoints: int = 10
    seed: int = 0
    metric: Metric = "score"
    prune: bool = True
    search: tuple[str, ...] = ()

    def check(self) -> None:
        """Check before any training that it can be tuned.

        Raises:
            ValueError: a number out of range, an unknown name (the message names the nearest), no world, worlds whose
                scores cannot be averaged, or nothing to search.
            TypeError: an agent that cannot learn one of the worlds, or regret on a world that is no bandit.
        """
        for number in ("runs", "steps", "checkpoints"):
            check_integer(number, getattr(self, number), low=1)
        check_integer("seed", self.seed, low=0)
        if not self.worlds:
            raise ValueError("worlds must name at least one, but is empty")
        each_once("worlds", self.named_worlds)
        _ = self.space
        for world in self.named_worlds:
            agent = self.named_agent.make(world.task)
            if agent.task.truth is None and len(self.worlds) > 1:
                raise ValueError(f"a world without a table must be tuned on alone, for its scores are returns: {world}")
            if self.metric == "regret":
                arm_means(agent.task)
                if isinstance(agent, LibraryAgent):
                    raise TypeError(f"regret is not known of {agent.name}, which trains in its library's own loop")

    @cached_property
    def named_agent(self) -> AgentSpecification:
        """The agent, parsed from its name; raises ValueError and TypeError as `check`."""
        return AGENTS.read(self.agent)

    @cached_property
    def named_worlds(self) -> tuple[WorldSpecification, ...]:
        """The worlds, parsed from their names; raises ValueError as `check`."""
        return tuple(map(WorldSpecification.read, self.worlds))

    @cached_property
    def space(self) -> dict[str, Dimension]:
        """The search space, by hyperparameter."""
        return search_space(self.named_agent, self.search)

    @property
    def name(self) -> str:
        """What is tuned, in words."""
        return f"{self.named_agent} on {', '.join(self.worlds)}"

    @property
    def is_sampled(self) -> bool:
        """Whether scores are mean returns of episodes because there is no table."""
        return self.metric != "regret" and any(world.task.truth is None for world in self.named_worlds)

    @property
    def can_prune(self) -> bool:
        """Whether a trial may be pruned; a library's agent is scored only after its training."""
        return self.prune and not issubclass(self.named_agent.agent_class, LibraryAgent)

    def derived_seed(self, purpose: str) -> int:
        """A base seed for one purpose, whose random numbers no comparison and no other purpose uses."""
        return integer_seeds([np.random.SeedSequence([self.seed, stable_hash(f"tuning: {purpose}")])])[0]


@dataclass(frozen=True, eq=False)
class Curve:
    """The metric of each run at each checkpoint.

    Attributes:
        steps: environment steps at the checkpoints, [C].
        values: scores, or regret in units of reward, [C, R].
    """

    steps: np.ndarray
    values: np.ndarray

    def of_each_run(self, metric: Metric) -> np.ndarray:
        """One number per run, [R]; for the worst decile, which needs many runs, the final score."""
        return area_under_curve(self.steps, self.values) if metric == "area" else self.values[-1]

    def value(self, metric: Metric) -> float:
        """The metric of the curve so far."""
        runs = self.of_each_run(metric)
        return worst_decile(runs) if metric == "worst_decile" else float(runs.mean())


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        value: of the metric; None unless the trial completed.
        reason: why it did not: "pruned at ...", "refused: ...", "diverged: ...", "failed: ...".
    """

    value: float | None
    reason: str = ""


class Stopped(Exception):
    """Ends a trial early; the message is the reason."""


def run_trial(tuning: Tuning, agent: AgentSpecification, should_prune: ShouldPrune) -> Outcome:
    """Train one choice of hyperparameters on every world.

    All trials use the same seeds, so that they differ by their hyperparameters and not by chance.

    Args:
        tuning: what is tuned.
        agent: the agent with the hyperparameters to try.
        should_prune: called with the trial's value at each checkpoint; True prunes the trial.

    Returns:
        The mean of the metric over the worlds, or the reason why there is none: the trial was pruned, the agent refuses
        these hyperparameters, or a run's values are no longer finite. Any other error is raised.
    """
    try:
        curves = train_on_worlds(tuning, agent, tuning.derived_seed("trials"), tuning.runs, should_prune)
    except Stopped as stopped:
        return Outcome(None, str(stopped))
    return Outcome(float(np.mean([curve.value(tuning.metric) for curve in curves.values()])))


def train_on_worlds(
    tuning: Tuning, agent: AgentSpecification, seed: int, runs: int, should_prune: ShouldPrune | None = None
) -> dict[str, Curve]:
    """Train one choice of hyperparameters on each world in turn, and measure it at each checkpoint.

    Args:
        tuning: what is tuned.
        agent: the agent with the hyperparameters.
        seed: the base seed.
        runs: number of runs.
        should_prune: called with the value at each checkpoint; None to prune nothing.

    Returns:
        A curve for each world, by its label.

    Raises:
        Stopped: the agent refuses the hyperparameters, a value is no longer finite, or the trial is pruned.
    """
    curves: dict[str, Curve] = {}
    for world in tuning.named_worlds:
        try:
            population = agent.make(world.task, runs=runs, seed=seed)
        except (ValueError, TypeError) as error:
            raise Stopped(f"refused: {error}") from error
        # Overflow shows in the curve.
        with np.errstate(over="ignore", invalid="ignore"):
            check = partial(_check_curve, tuning, list(curves.values()), world.label, should_prune)
            curves[world.label] = _train(population, tuning, check)
    return curves


def _check_curve(
    tuning: Tuning, earlier: Sequence[Curve], world: str, should_prune: ShouldPrune | None, curve: Curve
) -> None:
    """Check a curve so far; raises Stopped where the trial must end."""
    where = f"at step {curve.steps[-1]:,} on {world}"
    if not np.isfinite(curve.values[-1]).all():
        raise Stopped(f"diverged: a run's value is not finite {where}")
    checkpoint = len(curve.steps) - 1
    is_over = len(earlier) + 1 == len(tuning.worlds) and curve.steps[-1] >= tuning.steps
    if should_prune is not None and checkpoint > 0 and not is_over:
        value = _so_far(tuning, [*earlier, curve])
        if should_prune(len(earlier) * tuning.checkpoints + checkpoint, value):
            raise Stopped(f"pruned {where}")


def _so_far(tuning: Tuning, curves: Sequence[Curve]) -> float:
    """The trial's value so far, on a scale that improves with training: pruning uses each trial's best value.

    So later worlds count 0, and regret, which only grows, is taken per step.
    """
    if tuning.metric == "regret":
        return float(np.mean([curve.value("regret") / curve.steps[-1] for curve in curves]))
    return sum(curve.value(tuning.metric) for curve in curves) / len(tuning.worlds)


def _score(agent: Agent) -> np.ndarray:
    """Each run's score, [R]; NaN if a policy is, as when a network's weights have overflowed."""
    try:
        return score(agent)
    except ValueError:
        if agent.task.truth is None or not np.isnan(agent.policy()).any():
            raise
        return np.full(agent.num_runs, np.nan)


def _train(agent: Agent, tuning: Tuning, check: Callable[[Curve], None]) -> Curve:
    """Train an agent and check its curve at every checkpoint; a library's agent only at the end."""
    if isinstance(agent, LibraryAgent):
        whole = train(agent, steps=tuning.steps, checkpoints=tuning.checkpoints)
        curve = Curve(whole.steps, whole.scores)
        check(curve)
        return curve
    meter = RegretMeter(agent) if tuning.metric == "regret" else None
    steps: list[int] = []
    values: list[np.ndarray] = []

    def measure(agent: Agent) -> np.ndarray:
        steps.append(agent.steps)
        values.append(_score(agent) if meter is None else meter.total.copy())
        check(Curve(np.array(steps), np.array(values)))
        return values[-1]

    train(agent, steps=tuning.steps, checkpoints=tuning.checkpoints, on_step=meter, measure=measure)
    return Curve(np.array(steps), np.array(values))
