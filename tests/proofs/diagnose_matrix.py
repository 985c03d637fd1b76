"""The page of the confusion matrix: what diagnose said of every planted bug, and of agents that are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest


@dataclass(frozen=True)
class Case:
    """What one exam said.

    Attributes:
        agent: which agent was examined.
        key: the bug planted in it, "" where it is right.
        depth: "values" or "policy", by what the training function gave back.
        traceless: whether the bug changes nothing in the long run.
        verdict: the exam's.
        named: the keys of its first finding, most likely first.
        seconds: how long it took.
    """

    agent: str
    key: str
    depth: str
    traceless: bool
    verdict: str
    named: tuple[str, ...]
    seconds: float

    @property
    def first(self) -> bool:
        """Whether the planted bug is the most likely one of the first finding."""
        return self.verdict == "wrong" and self.named[:1] == (self.key,)

    @property
    def among(self) -> bool:
        """Whether the planted bug is in the first finding at all."""
        return self.verdict == "wrong" and self.key in self.named

    @property
    def said(self) -> str:
        """The verdict in a word: "right", "cannot tell", or the first key."""
        return self.named[0] if self.verdict == "wrong" and self.named else self.verdict.replace("_", " ")


def share(successes: int, trials: int) -> str:
    """Successes of trials with a 95% interval (Clopper & Pearson 1934)."""
    if trials == 0:
        return "none"
    interval = binomtest(successes, trials).proportion_ci(method="exact")
    return f"{successes} of {trials} ({successes / trials:.1%}; 95% interval {interval.low:.1%} to {interval.high:.1%})"


def page(cases: Sequence[Case], header: Sequence[str]) -> str:
    """The page in Markdown.

    Args:
        cases: every exam.
        header: lines about versions and machine.
    """
    planted = [case for case in cases if case.key and not case.traceless]
    correct = [case for case in cases if not case.key]
    traceless = [case for case in cases if case.traceless]
    lines = [
        "# How well diagnose names bugs",
        "",
        "What the exam said of agents with one bug planted in each, and of agents without. Written by `make proofs`.",
        "",
        *header,
        "",
        f"- planted bug first: {share(sum(case.first for case in planted), len(planted))}",
        f"- planted bug in the first finding: {share(sum(case.among for case in planted), len(planted))}",
        f"- another bug named instead: {share(_misnamed(planted), len(planted))}",
        f"- correct agents accused: {share(_accused(correct), len(correct))}",
        f"- bugs that leave no trace, accused of anything: {share(_accused(traceless), len(traceless))}",
    ]
    for depth in dict.fromkeys(case.depth for case in planted):
        lines += ["", f"## Planted bugs, {depth}", "", *_matrix([case for case in planted if case.depth == depth])]
    lines += ["", "## Missed or misnamed", "", *_misses(planted)]
    lines += ["", "## Correct agents", "", *_by_agent(correct)]
    return "\n".join(lines) + "\n"


def _misnamed(cases: Sequence[Case]) -> int:
    return sum(case.verdict == "wrong" and not case.among for case in cases)


def _accused(cases: Sequence[Case]) -> int:
    return sum(case.verdict == "wrong" for case in cases)


def _matrix(cases: Sequence[Case]) -> list[str]:
    """A row for each key: exams, how often it came first or among others, and what was said."""
    lines = ["| planted | exams | first | in the first finding | said |", "|---|---:|---:|---:|---|"]
    for key in sorted({case.key for case in cases}):
        row = [case for case in cases if case.key == key]
        said = ", ".join(f"{name} {count}" for name, count in Counter(case.said for case in row).most_common())
        lines.append(f"| {key} | {len(row)} | {sum(c.first for c in row)} | {sum(c.among for c in row)} | {said} |")
    return lines


def _misses(cases: Sequence[Case]) -> list[str]:
    missed = Counter((case.agent, case.key, case.depth, case.said) for case in cases if not case.among)
    if not missed:
        return ["None."]
    return [
        "| agent | planted | given | said | exams |",
        "|---|---|---|---|---:|",
        *(f"| {agent} | {key} | {depth} | {said} | {n} |" for (agent, key, depth, said), n in sorted(missed.items())),
    ]


def _by_agent(cases: Sequence[Case]) -> list[str]:
    lines = ["| agent | exams | right | cannot tell | accused | seconds (median) |", "|---|---:|---:|---:|---:|---:|"]
    for agent in dict.fromkeys(case.agent for case in cases):
        row = [case for case in cases if case.agent == agent]
        verdicts = Counter(case.verdict for case in row)
        seconds = np.median([case.seconds for case in row])
        counts = f"{verdicts['right']} | {verdicts['cannot_tell']} | {verdicts['wrong']}"
        lines.append(f"| {agent} | {len(row)} | {counts} | {seconds:.0f} |")
    return lines
