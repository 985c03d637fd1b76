"""What was found in an environment, as the reports read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rl_envs.inspection.finding import SEVERITIES, Fact, Finding
from rl_envs.worlds.world import World


@dataclass(frozen=True)
class Outcome:
    """What was found in an environment.

    Attributes:
        name: of the environment.
        findings: what is wrong or worth knowing, the worst first.
        facts: numbers from its table; empty where it has none.
        reason: why it has no table; None where it has one.
        untried: why its steps were not tried; None where they were.
        world: the table; None where there is none.
        seconds: how long it took.
        looked: whether faults were looked for.
    """

    name: str
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    reason: str | None
    untried: str | None
    world: World | None
    seconds: float
    looked: bool = True

    @property
    def verdict(self) -> str:
        """The severity of the worst finding, "clean" where there is none but notes, "not walked" for no table."""
        worst = next((one for one in SEVERITIES[:2] if any(finding.severity == one for finding in self.findings)), None)
        return worst or ("clean" if self.reason is None else "not walked")

    def fact(self, key: str) -> Any:
        """The value of a fact.

        Args:
            key: its name.

        Raises:
            KeyError: no such fact; the message lists those there are.
        """
        for fact in self.facts:
            if fact.key == key:
                return fact.value
        raise KeyError(f"no fact {key!r}; there are: {', '.join(fact.key for fact in self.facts) or 'none'}")

    def found(self, key: str) -> Finding | None:
        """The finding of a key; None where there is none."""
        return next((finding for finding in self.findings if finding.key == key), None)
