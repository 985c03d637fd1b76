"""How numbers are written in every report: intervals, shares, steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timezone

from baselines.comparison.decimals import decimals
from baselines.comparison.statistics import Interval
from baselines.comparison.summary import MINIMUM_RUNS

MISSING = "-"

# `strftime` would use the user's language.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# Mark behind an interval from too few runs.
FEW = "†"

# Coverage of the 95% interval of the mean by number of runs, for normally distributed runs; from 10,000 draws each,
# which tests/proofs/test_statistics.py repeats.
COVERAGE = {2: 0.50, 3: 0.73, 4: 0.80, 5: 0.84, 6: 0.86, 7: 0.87, 8: 0.88, 9: 0.89}


def interval_text(interval: Interval | None, digits: int = 3, *, runs: int = MINIMUM_RUNS) -> str:
    """An estimate with its interval, "0.812 [0.790, 0.833]"; alone where a single run gives no interval.

    Args:
        interval: what to write.
        digits: number of decimals.
        runs: number of runs behind it; too few are marked.
    """
    if interval is None:
        return MISSING
    estimate = decimals(interval.estimate, digits)
    if math.isnan(interval.low):
        return estimate
    mark = FEW if runs < MINIMUM_RUNS else ""
    return f"{estimate} [{decimals(interval.low, digits)}, {decimals(interval.high, digits)}]{mark}"


def few_runs_text(runs: Iterable[int]) -> str:
    """The meaning of the mark of too few runs, given each row's number of runs; empty where no row is marked."""
    few = [number for number in runs if 1 < number < MINIMUM_RUNS]
    if not few:
        return ""
    return (
        f"{FEW} Intervals from fewer than {MINIMUM_RUNS} runs are too narrow. With {min(few)} normally distributed "
        f"runs, a 95% interval covers the true mean in about {COVERAGE[min(few)]:.0%} of cases."
    )


def few_runs_somewhere_text(fewest: Iterable[int]) -> str:
    """The same for agents over several worlds, given each agent's fewest runs on any of them."""
    if not any(1 < number < MINIMUM_RUNS for number in fewest):
        return ""
    return f"{FEW} The interval is too narrow: the agent has fewer than {MINIMUM_RUNS} runs on some of these worlds."


def share_text(share: Interval | None) -> str:
    """A share with its interval in percent, "90% [74%, 97%]"."""
    return MISSING if share is None else f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]"


def steps_text(steps: float | None) -> str:
    """A number of steps, "1,200", or "not reached"."""
    if steps is None:
        return MISSING
    return "not reached" if math.isinf(steps) else f"{steps:,.0f}"


def number_text(number: float | None, digits: int = 3) -> str:
    """A number with so many decimals."""
    return MISSING if number is None else decimals(number, digits)


def moment_text(stamp: str) -> str:
    """A time stamp in words, "22 November 2026, 21:19 UTC"; text that is no time stamp with a zone stays as it is."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if moment.tzinfo is None:
        return stamp
    moment = moment.astimezone(timezone.utc)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"
