"""What an exam comes to, as data; `exam.Diagnosis` adds how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.training import TrainingRun
from rl_envs.diagnosis.verdict import Finding


@dataclass(frozen=True)
class Outcome:
    """What the exam found.

    Attributes:
        verdict: "right", "wrong" or "cannot_tell".
        reason: why, in a sentence.
        findings: what was found, most likely first.
        depth: how deep the exam could look: "values", "policy" or "training only".
        source: what the learned numbers were read from.
        steps: the budget of the last trainings, in environment steps each.
        trainings: how many trainings were run.
        seconds: how long the exam took.
        pictures: a drawing of each probe world, as text.
        worlds: each probe world, by name, for the drawings of a page.
        runs: every training, for whoever wants the numbers.
    """

    verdict: str
    reason: str
    findings: tuple[Finding, ...]
    depth: str
    source: str
    steps: int
    trainings: int
    seconds: float
    pictures: Mapping[str, str] = field(repr=False, default_factory=dict)
    worlds: Mapping[str, Probe] = field(repr=False, default_factory=dict)
    runs: tuple[TrainingRun, ...] = field(repr=False, default=())
