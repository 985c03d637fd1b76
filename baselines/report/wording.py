"""How numbers are written in every report: intervals, shares, steps."""

from __future__ import annotations

import math

from baselines.statistics import Interval

MISSING = "-"


def interval_text(interval: Interval | None, digits: int = 3) -> str:
    """An estimate with its interval, "0.812 [0.790, 0.833]", or alone where a single run gives no interval."""
    if interval is None:
        return MISSING
    estimate = f"{interval.estimate:.{digits}f}"
    if math.isnan(interval.low):
        return estimate
    return f"{estimate} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def share_text(share: Interval | None) -> str:
    """A share with its interval in per cent, "90% [74%, 97%]"."""
    return MISSING if share is None else f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]"


def steps_text(steps: float | None) -> str:
    """A number of steps, "1,200", or that it was not reached."""
    if steps is None:
        return MISSING
    return "not reached" if math.isinf(steps) else f"{steps:,.0f}"


def number_text(number: float | None, digits: int = 3) -> str:
    """A number with so many decimals."""
    return MISSING if number is None else f"{number:.{digits}f}"
