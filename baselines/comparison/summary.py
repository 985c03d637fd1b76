"""Summaries of a comparison: one per row, one per agent over its worlds, and the cross-checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from baselines.comparison.decimals import decimals
from baselines.comparison.measures import EDGE, area_under_curve, complete, middle_half_mean, steps_to, worst_decile
from baselines.comparison.rows import Row
from baselines.comparison.statistics import (
    RESAMPLES_OF_WORLDS,
    Interval,
    difference_interval,
    interquartile_mean,
    mean_interval,
    share_within,
)
from baselines.registry import AGENTS
from rl_envs.specification import Specification

# The cross-check, fixed before any result was seen: two agents agree on a world if the 95% interval of the difference
# of their mean exact scores lies within plus or minus this margin, ends included, from at least so many runs each.
MARGIN = 0.05
MINIMUM_RUNS = 10
HOW_CHECKED = (
    f"Two agents agree on a world if the 95% interval of the difference of their mean scores lies within ±{MARGIN}. "
    f"This margin was fixed beforehand; a check takes at least {MINIMUM_RUNS} runs a side."
)

# An agent has solved a world if its mean exact score is at least this.
SOLVED = 0.99


@dataclass(frozen=True)
class Summary:
    """The summary of a row.

    Attributes:
        world: its name.
        who: the agent with its settings.
        runs: R.
        exact: whether scores are exact; otherwise they are means of sampled returns, without a known optimum.
        score: mean of the final scores; no interval for a single run.
        worst_decile: mean of the worst tenth of the runs.
        within_1_percent: solve rate, the share of runs with a final score of at least 0.99; None where scores are
            sampled.
        steps_to_95_percent: steps until half of the runs have reached a score of 0.95, infinite if fewer than half ever
            do; None where scores are sampled, or known at the end of training only.
        area: mean score over training; None where scores are known at the end of training only.
        steps_per_second: environment steps of all runs per second of training.
        seconds: training time of all runs together.
    """

    world: str
    who: Specification
    runs: int
    exact: bool
    score: Interval
    worst_decile: float
    within_1_percent: Interval | None
    steps_to_95_percent: float | None
    area: float | None
    steps_per_second: float
    seconds: float

    @property
    def agent(self) -> str:
        """The agent's name with its settings."""
        return self.who.label


def summarise(row: Row) -> Summary:
    """Summarise all runs of an agent on a world.

    Raises:
        ValueError: a run that is NaN or infinite.
    """
    complete(row.scores, f"{row.agent} on {row.world}")
    mean = float(row.final.mean())
    curve = len(row.steps) > 1
    return Summary(
        world=row.world,
        who=row.who,
        runs=row.num_runs,
        exact=row.exact,
        score=mean_interval(row.final) if row.num_runs > 1 else Interval(mean, np.nan, np.nan),
        worst_decile=worst_decile(row.final),
        within_1_percent=share_within(row.final) if row.exact else None,
        steps_to_95_percent=until_half(steps_to(row.steps, row.scores)) if row.exact and curve else None,
        area=float(area_under_curve(row.steps, row.scores).mean()) if curve else None,
        steps_per_second=row.steps_per_second,
        seconds=row.seconds,
    )


def until_half(steps: np.ndarray) -> float:
    """The steps after which half of the runs have succeeded: the lower median, finite even if the other half never do.

    Args:
        steps: of each run, infinite where it never succeeded, [R].
    """
    return float(np.sort(steps)[(len(steps) - 1) // 2])


@dataclass(frozen=True)
class AcrossWorlds:
    """The summary of an agent over all of its worlds with exact scores, with equal weight for each world.

    Attributes:
        who: the agent with its settings.
        worlds: their names, in the order of the rows. Only agents of the same worlds can be compared.
        score: mean over worlds of the mean final score; no interval where some world has a single run.
        interquartile_mean: mean of the middle half of all runs; no interval where some world has a single run.
        worst_decile: mean of the worst tenth of all runs.
    """

    who: Specification
    worlds: tuple[str, ...]
    score: Interval
    interquartile_mean: Interval
    worst_decile: float

    @property
    def agent(self) -> str:
        """The agent's name with its settings."""
        return self.who.label


def across_worlds(rows: Sequence[Row]) -> list[AcrossWorlds]:
    """Summarise each agent over the worlds where its scores are exact.

    An agent is summarised over all such worlds that it ran on, at least two. No world is left out to make agents
    comparable: the summary names the agent's worlds, agents of the same worlds come together, and means over different
    worlds must not be compared. Rows of sampled returns are left out because they share no scale.

    Args:
        rows: of a comparison.

    Returns:
        One for each agent with at least two worlds, in the order of the rows, with agents of the same worlds together.

    Raises:
        ValueError: an agent with two rows of one world, or a run that is NaN or infinite.
    """
    order = list(dict.fromkeys(row.world for row in rows))
    by_agent: dict[Specification, dict[str, Row]] = {}
    for row in rows:
        if row.exact:
            complete(row.scores, f"{row.agent} on {row.world}")
            own = by_agent.setdefault(row.who, {})
            if row.world in own:
                raise ValueError(f"an agent must have one row a world, but {row.agent} has several of {row.world}")
            own[row.world] = row
    together: dict[tuple[str, ...], list[AcrossWorlds]] = {}
    for agent, own in by_agent.items():
        worlds = tuple(sorted(own, key=order.index))
        if len(worlds) > 1:
            together.setdefault(worlds, []).append(_over(agent, worlds, [own[world].final for world in worlds]))
    return [agent for agents in together.values() for agent in agents]


def _over(agent: Specification, worlds: tuple[str, ...], finals: Sequence[np.ndarray]) -> AcrossWorlds:
    """The summary of an agent's final scores, [R] for each world."""
    if min(map(len, finals)) > 1:
        mean = mean_interval(*finals, resamples=RESAMPLES_OF_WORLDS)
        middle = interquartile_mean(*finals, resamples=RESAMPLES_OF_WORLDS)
    else:
        mean = Interval(float(np.mean([final.mean() for final in finals])), np.nan, np.nan)
        middle = Interval(middle_half_mean(*finals), np.nan, np.nan)
    return AcrossWorlds(agent, worlds, mean, middle, worst_decile(*finals))


@dataclass(frozen=True)
class CrossCheck:
    """Whether our agent and a library's agree on a world.

    Attributes:
        world: its name.
        ours: our agent's name.
        library: the name of the library's agent.
        difference: of the mean final scores, ours minus the library's; None where either has a single run.
        verdict: "agree" if the interval lies inside the margin, "differ" if outside, "unclear" if across it, and "too
            few runs" if either has fewer than `MINIMUM_RUNS`.
        sentence: the same in words, and which of the two have not solved the world.
    """

    world: str
    ours: str
    library: str
    difference: Interval | None
    verdict: Literal["agree", "differ", "unclear", "too few runs"]
    sentence: str


def counterparts(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Pairs of our agent and a library's counterpart on the same world.

    An agent that is not in the registry, such as a user's own, has no counterpart.
    """
    # Of several rows of the same agent with different settings, the first.
    by_name = {(row.world, row.who.name): row for row in reversed(rows)}
    pairs = []
    for row in rows:
        entry = AGENTS.get(row.who.name)
        names = entry.counterparts if entry is not None else ()
        ours = next((by_name[row.world, name] for name in names if (row.world, name) in by_name), None)
        if ours is not None:
            pairs.append((ours, row))
    return pairs


def cross_checks(rows: Sequence[Row]) -> list[CrossCheck]:
    """Each library agent against our counterpart, on every world where both have exact scores."""
    return [cross_check(ours, library) for ours, library in counterparts(rows) if library.exact]


def not_checked(rows: Sequence[Row]) -> str:
    """A sentence on the pairs that cannot be checked because their scores are sampled; empty if there are none."""
    pairs = [
        f"{ours.agent} and {library.agent} on {ours.world}" for ours, library in counterparts(rows) if not library.exact
    ]
    if not pairs:
        return ""
    return f"Not checked: {', '.join(pairs)}. Their scores are means of sampled returns; a check is of exact scores."


def cross_check(ours: Row, library: Row) -> CrossCheck:
    """Whether two agents' final scores agree.

    Args:
        ours: the runs of our agent.
        library: the runs of the library's agent, on the same world.

    Raises:
        ValueError: a run that is NaN or infinite.
    """
    for row in (ours, library):
        complete(row.scores, f"{row.agent} on {row.world}")
    fewest = min(ours.num_runs, library.num_runs)
    difference = difference_interval(ours.final, library.final) if fewest > 1 else None
    verdict = _verdict(difference, fewest)
    sentence = " ".join([_words(ours, library, difference, verdict), *_unsolved(ours, library)])
    return CrossCheck(ours.world, ours.agent, library.agent, difference, verdict, sentence)


def _verdict(difference: Interval | None, fewest: int) -> Literal["agree", "differ", "unclear", "too few runs"]:
    """The verdict from the interval and from the smaller number of runs."""
    if difference is None or fewest < MINIMUM_RUNS:
        return "too few runs"
    # In floating point 1 - 0.95 is slightly above 0.05 and 0.5 - 0.45 slightly below: both count as the margin.
    margin = MARGIN + EDGE
    if difference.low >= -margin and difference.high <= margin:
        return "agree"
    if difference.low > margin or difference.high < -margin:
        return "differ"
    return "unclear"


def _words(ours: Row, library: Row, difference: Interval | None, verdict: str) -> str:
    """A verdict as a sentence with its numbers."""
    pair = f"{ours.world}: {ours.agent} and {library.agent}"
    too_few = f"{pair}: too few runs to tell whether they agree, {min(ours.num_runs, library.num_runs)} on one side"
    if difference is None:
        return f"{too_few}."
    estimate, low, high = (decimals(number, sign=True) for number in difference)
    numbers = f"difference {estimate}, 95% interval {low} to {high}"
    better = ours.agent if difference.estimate > 0 else library.agent
    return {
        "too few runs": f"{too_few} ({numbers}).",
        "agree": f"{pair} agree ({numbers}, inside the margin).",
        "differ": f"{pair} differ: {better} is better ({numbers}, outside the margin).",
        "unclear": f"{pair} may or may not agree ({numbers}, across the margin): more runs would tell.",
    }[verdict]


def _unsolved(ours: Row, library: Row) -> list[str]:
    """Which of the two have not solved the world: agents can agree on a bad policy."""
    unsolved = [
        f"{row.agent} (mean score {decimals(float(row.final.mean()))})"
        for row in (ours, library)
        if row.final.mean() < SOLVED
    ]
    return [f"Not solved by {' nor by '.join(unsolved)}."] if unsolved else []
