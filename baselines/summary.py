"""What the results of a comparison come to: one summary a row, and whether ours and a library's agents agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from baselines.registry import AGENTS
from baselines.rows import Row
from baselines.specification import parse
from baselines.statistics import (
    Interval,
    area_under_curve,
    difference_interval,
    mean_interval,
    share_within,
    steps_to,
    worst_decile,
)

# The cross-check, fixed before any result is seen: two agents agree on a world if the 95% interval of the difference of
# their mean exact scores lies within plus or minus this much, from at least so many runs a side.
MARGIN = 0.05
MINIMUM_RUNS = 10

# An agent has solved a world if its mean exact score is at least this.
SOLVED = 0.99


@dataclass(frozen=True)
class Summary:
    """What a row comes to.

    Attributes:
        world: its name.
        agent: its name.
        runs: R.
        exact: whether scores are exact; if not they are means of sampled returns, with no optimum to compare with.
        score: mean of the final scores; without ends where there is a single run.
        worst_decile: mean of the worst tenth of the runs.
        within_1_percent: share of runs within 1% of the optimum; None where scores are sampled.
        steps_to_95_percent: steps until half of the runs had once reached 95% of the optimum, infinite if fewer than
            half of them ever did; None where scores are sampled.
        area: mean score over training.
        steps_per_second: environment steps of all runs per second of training.
        seconds: training time of all runs together.
    """

    world: str
    agent: str
    runs: int
    exact: bool
    score: Interval
    worst_decile: float
    within_1_percent: Interval | None
    steps_to_95_percent: float | None
    area: float
    steps_per_second: float
    seconds: float


def summarise(row: Row) -> Summary:
    """The numbers that stand for all runs of an agent on a world."""
    mean = float(row.final.mean())
    return Summary(
        world=row.world,
        agent=row.agent,
        runs=row.num_runs,
        exact=row.exact,
        score=mean_interval(row.final) if row.num_runs > 1 else Interval(mean, np.nan, np.nan),
        worst_decile=worst_decile(row.final),
        within_1_percent=share_within(row.final) if row.exact else None,
        steps_to_95_percent=until_half(steps_to(row.steps, row.scores)) if row.exact else None,
        area=float(area_under_curve(row.steps, row.scores).mean()),
        steps_per_second=row.steps_per_second,
        seconds=row.seconds,
    )


def until_half(steps: np.ndarray) -> float:
    """When half of the runs had got there: the lower median, which is finite even if the other half never do.

    Args:
        steps: of each run, infinite where it never got there, [R].
    """
    return float(np.sort(steps)[(len(steps) - 1) // 2])


def agreements(rows: Sequence[Row]) -> list[str]:
    """A sentence for each world and library's agent: whether it and our counterpart agree."""
    # Of several rows of the same agent with different settings, the first.
    by_name = {(row.world, parse(row.agent)[0]): row for row in reversed(rows)}
    sentences = []
    for row in rows:
        counterparts = AGENTS[parse(row.agent)[0]].counterparts
        ours = next((by_name[row.world, name] for name in counterparts if (row.world, name) in by_name), None)
        if ours is not None and row.exact:
            sentences.append(agreement(ours, row))
    return sentences


def agreement(ours: Row, library: Row) -> str:
    """A sentence on whether two agents' final scores agree.

    Args:
        ours: the runs of our agent.
        library: the runs of the library's agent, on the same world.
    """
    fewest = min(ours.num_runs, library.num_runs)
    pair = f"{ours.world}: {ours.agent} and {library.agent}"
    if fewest < 2:
        return f"{pair}: too few runs to tell whether they agree, 1 on one side."
    difference = difference_interval(ours.final, library.final)
    numbers = f"difference {difference.estimate:+.3f}, 95% interval {difference.low:+.3f} to {difference.high:+.3f}"
    if fewest < MINIMUM_RUNS:
        verdict = f"{pair}: too few runs to tell whether they agree, {fewest} on one side ({numbers})."
    elif difference.low >= -MARGIN and difference.high <= MARGIN:
        verdict = f"{pair} agree ({numbers}, inside the margin)."
    elif difference.low > MARGIN or difference.high < -MARGIN:
        better = ours.agent if difference.estimate > 0 else library.agent
        verdict = f"{pair} differ: {better} is better ({numbers}, outside the margin)."
    else:
        verdict = f"{pair} may or may not agree ({numbers}, across the margin): more runs would tell."
    return " ".join([verdict, *_unsolved(ours, library)])


def _unsolved(ours: Row, library: Row) -> list[str]:
    """Which of the two have not solved the world: agents can agree on a bad policy."""
    unsolved = [
        f"{row.agent} (mean score {row.final.mean():.3f})" for row in (ours, library) if row.final.mean() < SOLVED
    ]
    return [f"Not solved by {' nor by '.join(unsolved)}."] if unsolved else []
