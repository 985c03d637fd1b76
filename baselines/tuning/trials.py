"""Trials of tuning: what is tuned, and how one setting of an agent is judged."""

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

# Told of a checkpoint (its number, counted through all worlds, and how good the trial is); says whether to stop there.
Judge = Callable[[int, float], bool]


@dataclass(frozen=True)
class Tuning:
    """What is tuned, and what it is judged by.

    Attributes:
        worlds: names of worlds, with settings after a colon: "LineWalk:size=9"; the mean over them counts.
        agent: name of the agent. Settings after a colon are where the search begins; a field that is set there is not
            searched, unless `search` names it.
        runs: independent runs of each trial on each world.
        steps: environment steps of each run.
        checkpoints: how often a trial is scored, and may be given up, on each world.
        seed: the base seed. Seeds of training are derived from it, and are not those that a comparison uses.
        metric: "score", the mean score at the end; "area", the mean score over the whole of training; "worst_decile",
            the mean of the worst tenth of the runs at the end; "regret", what a bandit agent has lost, the less the
            better.
        prune: whether to give up a trial in its second half, at a checkpoint where it does worse than the median of
            those that went all the way.
        search: what to search: "step_size=0.01..1:log", "hidden=(32,)|(64,64)", "epsilon" (its usual range), "usual"
            (all fields that have a usual range, as when nothing is given).
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
        """See that it can be tuned, before anything is trained.

        Raises:
            ValueError: a number out of range, an unknown name, naming the nearest, no world, worlds whose scores cannot
                be averaged, or nothing to search.
            TypeError: an agent that cannot learn one of the worlds, or regret of what is no bandit.
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
        """The agent, read from its name; raises ValueError and TypeError as `check`."""
        return AGENTS.read(self.agent)

    @cached_property
    def named_worlds(self) -> tuple[WorldSpecification, ...]:
        """The worlds, read from their names; raises ValueError as `check`."""
        return tuple(map(WorldSpecification.read, self.worlds))

    @cached_property
    def space(self) -> dict[str, Dimension]:
        """What is searched, by field."""
        return search_space(self.named_agent, self.search)

    @property
    def name(self) -> str:
        """What is tuned, for people."""
        return f"{self.named_agent} on {', '.join(self.worlds)}"

    @property
    def is_sampled(self) -> bool:
        """Whether scores are mean returns of episodes, for want of a table."""
        return self.metric != "regret" and any(world.task.truth is None for world in self.named_worlds)

    @property
    def can_prune(self) -> bool:
        """Whether a trial may be given up on its way; a library's agent is scored only when it has been trained."""
        return self.prune and not issubclass(self.named_agent.agent_class, LibraryAgent)

    def derived_seed(self, purpose: str) -> int:
        """A base seed for one purpose, with random numbers that no comparison and no other purpose has."""
        return integer_seeds([np.random.SeedSequence([self.seed, stable_hash(f"tuning: {purpose}")])])[0]


@dataclass(frozen=True, eq=False)
class Curve:
    """What was measured of each run at each checkpoint.

    Attributes:
        steps: environment steps at the checkpoints, [C].
        values: scores, or regret in units of reward, [C, R].
    """

    steps: np.ndarray
    values: np.ndarray

    def of_each_run(self, metric: Metric) -> np.ndarray:
        """One number a run, [R]; of the worst decile the score at the end, for a decile takes many runs."""
        return area_under_curve(self.steps, self.values) if metric == "area" else self.values[-1]

    def value(self, metric: Metric) -> float:
        """What the metric says of the curve as far as it goes."""
        runs = self.of_each_run(metric)
        return worst_decile(runs) if metric == "worst_decile" else float(runs.mean())


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        value: of the metric; None unless the trial went all the way.
        reason: why it did not: "pruned at ...", "refused: ...", "diverged: ...", "failed: ...".
    """

    value: float | None
    reason: str = ""


class Stopped(Exception):
    """Ends a trial before its end; the message is the reason."""


def run_trial(tuning: Tuning, agent: AgentSpecification, judge: Judge) -> Outcome:
    """Train one setting of the agent on every world.

    All trials train the same runs, with the same seeds, so that they differ by their settings and not by luck.

    Args:
        tuning: what is tuned.
        agent: the agent with the settings to try.
        judge: told how good the trial is at each checkpoint; it says whether to give the trial up.

    Returns:
        The mean of the metric over the worlds; or why there is none. Settings that the agent refuses together, and runs
        whose values are no longer finite, are such a reason; any other error is raised.
    """
    try:
        curves = train_on_worlds(tuning, agent, tuning.derived_seed("trials"), tuning.runs, judge)
    except Stopped as stopped:
        return Outcome(None, str(stopped))
    return Outcome(float(np.mean([curve.value(tuning.metric) for curve in curves.values()])))


def train_on_worlds(
    tuning: Tuning, agent: AgentSpecification, seed: int, runs: int, judge: Judge | None = None
) -> dict[str, Curve]:
    """Train one setting on every world, one after the other, and measure it at each checkpoint.

    Args:
        tuning: what is tuned.
        agent: the agent with the settings to train.
        seed: the base seed.
        runs: how many runs.
        judge: told how good the setting is at each checkpoint; None for no one.

    Returns:
        A curve for each world, by its label.

    Raises:
        Stopped: the agent refuses the settings, a value is no longer finite, or the judge has had enough.
    """
    curves: dict[str, Curve] = {}
    for world in tuning.named_worlds:
        try:
            population = agent.make(world.task, runs=runs, seed=seed)
        except (ValueError, TypeError) as error:
            raise Stopped(f"refused: {error}") from error
        # Numbers that overflow are found by looking at the curve.
        with np.errstate(over="ignore", invalid="ignore"):
            look = partial(_look, tuning, list(curves.values()), world.label, judge)
            curves[world.label] = _train(population, tuning, look)
    return curves


def _look(tuning: Tuning, earlier: Sequence[Curve], world: str, judge: Judge | None, curve: Curve) -> None:
    """Look at a curve as far as it goes; raises Stopped where it shall go no further."""
    where = f"at step {curve.steps[-1]:,} on {world}"
    if not np.isfinite(curve.values[-1]).all():
        raise Stopped(f"diverged: a run's value is not finite {where}")
    checkpoint = len(curve.steps) - 1
    is_over = len(earlier) + 1 == len(tuning.worlds) and curve.steps[-1] >= tuning.steps
    if judge is not None and checkpoint > 0 and not is_over:
        value = _so_far(tuning, [*earlier, curve])
        if judge(len(earlier) * tuning.checkpoints + checkpoint, value):
            raise Stopped(f"pruned {where}")


def _so_far(tuning: Tuning, curves: Sequence[Curve]) -> float:
    """How good a trial is so far, such that training makes it better: pruning goes by the best that a trial ever was.

    So worlds that are still to come count 0, and regret, which only grows, is taken by the step.
    """
    if tuning.metric == "regret":
        return float(np.mean([curve.value("regret") / curve.steps[-1] for curve in curves]))
    return sum(curve.value(tuning.metric) for curve in curves) / len(tuning.worlds)


def _score(agent: Agent) -> np.ndarray:
    """How good every run is, [R]; NaN if some policy is, as it may be when a network's weights have overflowed."""
    try:
        return score(agent)
    except ValueError:
        if agent.task.truth is None or not np.isnan(agent.policy()).any():
            raise
        return np.full(agent.num_runs, np.nan)


def _train(agent: Agent, tuning: Tuning, look: Callable[[Curve], None]) -> Curve:
    """Train an agent, and let every checkpoint be looked at; a library's agent only at the end."""
    if isinstance(agent, LibraryAgent):
        whole = train(agent, steps=tuning.steps, checkpoints=tuning.checkpoints)
        curve = Curve(whole.steps, whole.scores)
        look(curve)
        return curve
    meter = RegretMeter(agent) if tuning.metric == "regret" else None
    steps: list[int] = []
    values: list[np.ndarray] = []

    def measure(agent: Agent) -> np.ndarray:
        steps.append(agent.steps)
        values.append(_score(agent) if meter is None else meter.total.copy())
        look(Curve(np.array(steps), np.array(values)))
        return values[-1]

    train(agent, steps=tuning.steps, checkpoints=tuning.checkpoints, on_step=meter, measure=measure)
    return Curve(np.array(steps), np.array(values))
