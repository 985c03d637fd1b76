"""A test over seeds that stops early, with rates of error that are computed and not estimated.

Training under one seed either solves a world or does not. A right agent does with a high probability, not with
certainty, so that a test that asks for every seed flakes. This one bounds how often it fails a right agent:

    fail   as soon as so many seeds have failed as a right agent hardly ever has
    pass   as soon as it cannot fail any more, or what has been seen is `evidence` times likelier of a right agent than
           of a poor one (a likelihood ratio, as in Wald's sequential test)

Both rates of error are sums over all paths that end in an error, by dynamic programming over numbers of successes and
failures: exact for seeds that are independent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class SequentialTest:
    """The rule by which seeds are judged.

    Args:
        runs: how many seeds are tried at most.
        right: the share of seeds with which a right agent solves the world, or more.
        poor: the share of seeds with which an agent solves it that is not to pass.
        false_alarms: the most often that a right agent may fail the test.
        evidence: the likelihood ratio at which it passes early.

    Raises:
        ValueError: a share or rate outside (0, 1), `poor` not below `right`, no run, or no ratio above 1.

    Source: Wald (1945), Sequential tests of statistical hypotheses, with an end after `runs`.
    """

    runs: int = 10
    right: float = 0.95
    poor: float = 0.5
    false_alarms: float = 0.002
    evidence: float = 20.0

    def __post_init__(self) -> None:
        for name in ("right", "poor", "false_alarms"):
            number = getattr(self, name)
            if not 0 < number < 1:
                raise ValueError(f"{name} must be above 0 and below 1, but is {number}")
        if self.poor >= self.right:
            raise ValueError(f"poor must be below right, but they are {self.poor} and {self.right}")
        if self.runs < 1:
            raise ValueError(f"runs must be at least 1, but is {self.runs}")
        if self.evidence <= 1:
            raise ValueError(f"evidence must be above 1, but is {self.evidence}")

    @cached_property
    def failures_to_fail(self) -> int:
        """The fewest failures at which a right agent fails the test no more often than is allowed.

        Raises:
            ValueError: a right agent fails in every run too often for the test to fail at all.
        """
        for failures in range(1, self.runs + 1):
            if self._chance_to_fail(self.right, failures) <= self.false_alarms:
                return failures
        raise ValueError(
            f"{self.runs} runs cannot tell a failure from bad luck: all fail with probability "
            f"{(1 - self.right) ** self.runs:.2g} though the agent is right, more than false_alarms={self.false_alarms}"
        )

    def decision(self, successes: int, failures: int) -> str:
        """What is to be done after so many seeds: "pass", "fail" or "go on"."""
        return self._decision(successes, failures, self.failures_to_fail)

    @cached_property
    def false_alarm_rate(self) -> float:
        """How often an agent fails the test that solves the world with a share `right` of seeds, exactly."""
        return self._chance_to_fail(self.right, self.failures_to_fail)

    def power(self, share: float) -> float:
        """How often an agent fails the test that solves the world with so large a share of seeds, exactly."""
        return self._chance_to_fail(share, self.failures_to_fail)

    def expected_runs(self, share: float) -> float:
        """The mean number of seeds until the test stops, for an agent that solves the world with such a share."""
        reached = self._reached(share, self.failures_to_fail)
        return sum(
            chance * (successes + failures)
            for (successes, failures), chance in reached.items()
            if self.decision(successes, failures) != "go on"
        )

    def _decision(self, successes: int, failures: int, failures_to_fail: int) -> str:
        if failures >= failures_to_fail:
            return "fail"
        cannot_fail = failures + self.runs - successes - failures < failures_to_fail
        ratio = (self.right / self.poor) ** successes * ((1 - self.right) / (1 - self.poor)) ** failures
        return "pass" if cannot_fail or ratio >= self.evidence else "go on"

    def _chance_to_fail(self, share: float, failures_to_fail: int) -> float:
        reached = self._reached(share, failures_to_fail)
        return sum(chance for (_, failures), chance in reached.items() if failures >= failures_to_fail)

    def _reached(self, share: float, failures_to_fail: int) -> dict[tuple[int, int], float]:
        """The probability of reaching each number of successes and failures, for paths that go on until then."""
        reached = {(0, 0): 1.0}
        steps: tuple[tuple[Callable[[int, int], tuple[int, int]], float], ...] = (
            (lambda successes, failures: (successes + 1, failures), share),
            (lambda successes, failures: (successes, failures + 1), 1 - share),
        )
        for trials in range(self.runs):
            for successes in range(trials + 1):
                here = (successes, trials - successes)
                if here not in reached or self._decision(*here, failures_to_fail) != "go on":
                    continue
                for step, chance in steps:
                    there = step(*here)
                    reached[there] = reached.get(there, 0.0) + reached[here] * chance
        return reached
