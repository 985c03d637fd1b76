"""The exam: trains an agent in the probe worlds and says whether it learns what it should, and if not, why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rl_envs.diagnosis import behaviour, probes
from rl_envs.diagnosis.evidence import Measured, measure
from rl_envs.diagnosis.outcome import Outcome
from rl_envs.diagnosis.page import as_html
from rl_envs.diagnosis.report import as_json, as_text
from rl_envs.diagnosis.staircase import Choices, read_choices, staircases
from rl_envs.diagnosis.training import Job, Train, TrainingError, TrainingRun, Trainings
from rl_envs.diagnosis.verdict import Finding, Judgement, judge_choices, judge_values, to_ask_again
from rl_envs.diagnosis.watched_env import OBSERVATIONS
from rl_envs.mdp.finite_mdp import check_discount, check_integer

# (done, total, seconds left) -> shown to the user
Progress = Callable[[int, int, float], None]

SCALES = (100.0, 10.0, 1.0)

# The reason where a policy alone, or nothing, was given back and nothing wrong was seen.
ONLY_VALUES_TELL = "nothing wrong was seen, but only values tell that nothing is: give back q_values or value"


class WrongAgentError(AssertionError):
    """What `Diagnosis.raise_if_wrong` raises; the message is the whole report."""


class Diagnosis(Outcome):
    """What the exam found: the fields of `Outcome`, and the report as text, JSON and HTML."""

    def __str__(self) -> str:
        return as_text(self)

    def raise_if_wrong(self) -> None:
        """Raise WrongAgentError with the report where the verdict is "wrong"."""
        if self.verdict == "wrong":
            raise WrongAgentError(str(self))

    def to_json(self) -> str:
        """The verdict and the findings as one JSON object."""
        return json.dumps(as_json(self), indent=2)

    def save_html(self, path: str | Path) -> None:
        """Write the report as one HTML page."""
        Path(path).write_text(as_html(self), encoding="utf-8")


def diagnose(
    train: Train,
    *,
    seeds: int = 4,
    budget: int = 3_000,
    scale: float = 10.0,
    observation: str | None = None,
    discount: float = 0.5,
    workers: int = 1,
    progress: Progress | None = None,
) -> Diagnosis:
    """Say whether a training function learns what it should, and if not, which known bugs fit what it learned.

    Args:
        train: called as train(env_fn, steps, seed). `env_fn()` makes a Gymnasium environment, `env_fn.discount` is the
            discount to train with. What it gives back is read by `rl_envs.diagnosis.adapters`; None is enough for what
            the worlds themselves can see.
        seeds: trainings in each world, at least 2.
        budget: environment steps of a training; doubled where what was learned is not right.
        scale: the largest reward: 100, 10 or 1.
        observation: "index" for Discrete, "one_hot" for Box; when left out, Discrete unless the function refuses it.
        discount: gamma of all worlds that do not need one of their own.
        workers: trainings side by side, each in a process of its own that begins as a copy of this one.
        progress: called after each training.

    Returns:
        The diagnosis.

    Raises:
        TrainingError: the function raised, or gave back what cannot be read.
        TypeError, ValueError: arguments out of range.
    """
    if not callable(train):
        raise TypeError(f"train must be a function train(env_fn, steps, seed), but is {train!r}")
    check_integer("seeds", seeds, low=2)
    check_integer("budget", budget, low=100)
    check_integer("workers", workers, low=1)
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(f'{one:g}' for one in SCALES)}, but is {scale!r}")
    if not 0 < check_discount(discount) < 1:
        raise ValueError(f"discount must be between 0 and 1, but is {discount}")
    if observation not in (None, *OBSERVATIONS):
        raise ValueError(f"observation must be one of {', '.join(OBSERVATIONS)}, but is {observation!r}")
    with Trainings(train, workers) as trainings:
        return _Exam(trainings, seeds, budget, scale, observation, discount, progress).run()


class _Exam:
    """One exam under way: which trainings were run, and what they cost."""

    def __init__(
        self,
        trainings: Trainings,
        seeds: int,
        budget: int,
        scale: float,
        observation: str | None,
        discount: float,
        progress: Progress | None,
    ) -> None:
        self.trainings = trainings
        self.seeds = seeds
        self.budget = budget
        self.observation = observation
        self.progress = progress
        self.runs: list[TrainingRun] = []
        self.began = time.perf_counter()
        self.contexts = probes.contexts(scale=scale, discount=discount)
        self.value_probes = (
            probes.ruler(scale=scale, discount=discount),
            probes.ratchet(scale=scale, discount=discount),
            probes.twin_episodes(scale=scale, discount=discount),
            probes.split(scale=scale),
        )
        self.loud = probes.loud(scale=scale, discount=discount)
        self.detour = probes.detour(scale=scale, discount=discount)
        self.staircases = staircases(scale, discount)
        asked = (self.contexts, self.loud, self.detour, *self.value_probes, *(one.probe for one in self.staircases))
        self.worlds = {probe.name: probe for probe in asked}
        self.total = seeds * (1 + len(self.value_probes)) + 1

    def run(self) -> Diagnosis:
        first = self._first_training()
        gate_runs = [first, *self._train([Job(self.contexts, self.budget, seed) for seed in range(1, self.seeds)])]
        (again,) = self._train([Job(self.contexts, self.budget, 0)])
        gate = behaviour.gate(self.contexts, gate_runs)
        unseen = self._unseen(gate_runs)
        if unseen is not None:
            return self._diagnosis([], gate, Judgement("cannot_tell", unseen), first, first.learned.depth, self.budget)
        findings = self._log_findings(gate_runs, again) + self._behaviour_findings(gate_runs)

        judgement: Judgement | None = None
        steps = self.budget
        depth = first.learned.depth
        if depth == "values" and not behaviour.holds_values(self.contexts, gate_runs):
            depth = "policy"  # a bare network whose numbers are preferences, it seems
        if depth == "values":
            measured = self._measure(self.value_probes, steps)
            judgement = judge_values(measured, first.learned.family)
            if judgement.verdict != "right":
                # Only what is not right is asked again.
                names = to_ask_again(measured, first.learned.family)
                again_probes = [probe for probe in self.value_probes if probe.name in names]
                steps *= 2
                later = measured | self._measure(again_probes, steps)
                judgement = judge_values(later, first.learned.family, measured)
            if judgement.verdict == "right" and first.learned.q is not None:
                findings += self._exploration_note()
        elif depth == "policy" and gate.read:
            # A staircase has many starts, so it takes twice as many steps.
            steps *= 2
            choices = self._choose(steps)
            judgement = judge_choices(choices)
            if judgement.verdict != "right":
                steps *= 2
                judgement = judge_choices(self._choose(steps), choices)
        elif depth == "policy":
            findings += self._loud_finding()
        return self._diagnosis(findings, gate, judgement, first, depth, steps)

    def _unseen(self, runs: Sequence[TrainingRun]) -> str | None:
        """Whether the worlds saw too few of the steps that were asked for, and why that may be."""
        seen = min(run.log.steps for run in runs)
        if seen >= self.budget // 2:
            return None
        return (
            f"the worlds saw {seen:,} of {self.budget:,} steps: make environments by calling env_fn in the same "
            "process (no AsyncVectorEnv, SubprocVecEnv or deepcopy), and train for as many steps as you are told"
        )

    def _choose(self, steps: int) -> list[Choices]:
        """What is chosen in the staircases."""
        by_probe = self._by_probe([one.probe for one in self.staircases], steps)
        found = [read_choices(staircase, by_probe[staircase.probe.name]) for staircase in self.staircases]
        return [choices for choices in found if choices is not None]

    def _loud_finding(self) -> list[Finding]:
        """Where no best action is known: whether that is because all rewards count the same."""
        for steps in (self.budget, 2 * self.budget):
            if not behaviour.never_takes_the_loud(self._by_probe([self.loud], steps)[self.loud.name]):
                return []
        reason = "a small sure reward is preferred to a large one that comes every other time, though it is worth less"
        return [Finding(("rewards_clipped",), self.loud.name, reason=reason)]

    def _exploration_note(self) -> list[Finding]:
        """Whether action values are those of a policy that explores: no fault, but good to know."""
        found = behaviour.values_its_exploration(self.detour, self._by_probe([self.detour], self.budget)["Detour"])
        if found is None:
            return []
        return [
            Finding(
                ("learns_its_exploring_policy",),
                self.detour.name,
                learned={"s": round(found["learned"], 4)},
                right={"s": round(found["best"], 4)},
                would_be={"s": round(found["exploring"], 4)},
                reason="the values are those of the policy that explores, as Sarsa's are; the best policy's are higher",
                fault=False,
            )
        ]

    def _first_training(self) -> TrainingRun:
        """The first training; it also finds out which observations the function takes."""
        job = Job(self.contexts, self.budget, 0)
        if self.observation is not None:
            return self._train([job])[0]
        self.observation = "index"
        try:
            return self._train([job])[0]
        except TrainingError as error:
            self.observation = "one_hot"
            try:
                return self._train([job])[0]
            except TrainingError:
                raise error from None

    def _train(self, jobs: Sequence[Job]) -> list[TrainingRun]:
        assert self.observation is not None
        self.total = max(self.total, len(self.runs) + len(jobs))
        found = []
        for run in self.trainings.run(jobs, self.observation):
            found.append(run)
            self.runs.append(run)
            if self.progress is not None:
                elapsed = time.perf_counter() - self.began
                self.progress(len(self.runs), self.total, elapsed / len(self.runs) * (self.total - len(self.runs)))
        return found

    def _by_probe(self, asked: Sequence[probes.Probe], steps: int) -> dict[str, list[TrainingRun]]:
        """Every seed in every one of some worlds, all side by side."""
        runs = self._train([Job(probe, steps, seed) for probe in asked for seed in range(self.seeds)])
        return {probe.name: runs[i * self.seeds : (i + 1) * self.seeds] for i, probe in enumerate(asked)}

    def _measure(self, asked: Sequence[probes.Probe], steps: int) -> dict[str, Measured]:
        by_probe = self._by_probe(asked, steps)
        found = {probe.name: measure(probe, by_probe[probe.name]) for probe in asked}
        return {name: one for name, one in found.items() if one is not None}

    def _log_findings(self, gate_runs: list[TrainingRun], again: TrainingRun) -> list[Finding]:
        """What the worlds themselves saw."""
        name = self.contexts.name
        findings = []
        if again.log.digest != gate_runs[0].log.digest:
            findings.append(Finding(("unseeded",), name, reason="the same seed gave two different trainings"))
        changed = sum(run.log.changed_observations for run in gate_runs)
        if changed:
            findings.append(
                Finding(
                    ("observation_aliased",),
                    name,
                    reason=f"{changed} observations were changed by the training function after it got them",
                )
            )
        return findings

    def _behaviour_findings(self, runs: list[TrainingRun]) -> list[Finding]:
        """What the choices in Contexts tell, where trainings of twice the length tell it again."""
        found = self._told_by_choices(runs)
        if not found:
            return []
        later = self._told_by_choices(self._by_probe([self.contexts], 2 * self.budget)[self.contexts.name])
        confirmed = {finding.keys for finding in later}
        return [finding for finding in found if finding.keys in confirmed]

    def _told_by_choices(self, runs: list[TrainingRun]) -> list[Finding]:
        name = self.contexts.name
        findings = []
        stuck = behaviour.never_explores(runs)
        if stuck is not None:
            findings.append(Finding(("no_exploration",), name, reason=stuck))
        misread = behaviour.misread_contexts(self.contexts, runs)
        if misread is not None:
            keys, reason = misread
            findings.append(Finding(keys, name, reason=reason))
        if behaviour.never_stops_exploring(runs) and behaviour.gate(self.contexts, runs).read:
            findings.append(
                Finding(
                    ("exploration_never_ends",),
                    name,
                    reason="the best actions are known, and all were still taken equally often in the last fifth",
                )
            )
        return findings

    def _diagnosis(
        self,
        findings: list[Finding],
        gate: behaviour.Gate,
        judgement: Judgement | None,
        first: TrainingRun,
        depth: str,
        steps: int,
    ) -> Diagnosis:
        after_end = sum(run.log.steps_after_end for run in self.runs)
        if after_end:
            seen = next(run.probe for run in self.runs if run.log.steps_after_end)
            reason = f"{after_end} steps were taken after an end, without a reset"
            findings.append(Finding(("steps_after_end",), seen, reason=reason))
        interval = first.learned.target_interval
        if judgement is not None and judgement.finding is not None and interval is not None and interval >= steps:
            reason = (
                f"the target network is to move every {interval:,} steps and no training had more than {steps:,}: "
                f"raise the budget above {2 * interval:,}"
            )
            judgement = Judgement("cannot_tell", reason)
        if judgement is not None and judgement.verdict == "wrong" and judgement.finding is not None:
            findings.insert(0, judgement.finding)
        if any(finding.fault for finding in findings):
            verdict, reason = "wrong", findings[0].reason
        elif judgement is not None and judgement.verdict == "cannot_tell":
            verdict, reason = "cannot_tell", judgement.reason
        elif not gate.read:
            verdict = "cannot_tell"
            reason = (
                f"{self.budget:,} steps were too few: the best action of a one-step world was known in "
                f"{gate.right_choices:.0%} of the situations"
            )
        elif depth == "values":
            verdict = "right"
            reason = judgement.reason if judgement is not None else "nothing wrong was seen"
        else:
            # A bug that moves what is expected by a third may leave every choice as it is.
            verdict, reason = "cannot_tell", ONLY_VALUES_TELL
        if verdict == "cannot_tell" and reason != ONLY_VALUES_TELL:
            findings.append(Finding(("not_trained_enough",), self.contexts.name, reason=reason, fault=False))
        return Diagnosis(
            verdict=verdict,
            reason=reason,
            findings=tuple(findings),
            depth=depth,
            source=first.learned.source,
            steps=steps,
            trainings=len(self.runs),
            seconds=time.perf_counter() - self.began,
            pictures={name: probe.picture for name, probe in self.worlds.items()},
            worlds=self.worlds,
            runs=tuple(self.runs),
        )
