"""Puts into words what the best attempt at a function showed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rl_envs.diagnosis.oracles.attempts import Attempt, Question, first_wrong
from rl_envs.diagnosis.oracles.matching import pairs_of_mistakes
from rl_envs.diagnosis.oracles.mistakes import Mistake
from rl_envs.diagnosis.oracles.results import CheckResult, Example, Finding
from rl_envs.diagnosis.oracles.subjects import Subject

# So many explanations are told, where nothing that was tried tells them apart.
TOLD = 3

# A mistake in advantages that no learned value shows.
NO_TRACE = (
    "the values that an agent learns with this mistake show no trace of it, since each one-step error is right: only "
    "the function itself does"
)


def report(
    attempt: Attempt, question: Question, subject: Subject, name: str, extra_notes: Sequence[str]
) -> CheckResult:
    """The result of a check, from the attempt that told most.

    Args:
        attempt: as `best_attempt` gives it.
        question: what was asked.
        subject: what it was tried on.
        name: of the function.
        extra_notes: what else to say.

    Returns:
        The result.
    """
    tried = f"{subject.describe()}, {attempt.answered:,} calls; {attempt.form}; read as {attempt.reading.describe()}"
    notes = [*attempt.reading.notes(), *extra_notes]
    if attempt.changed:
        notes.append(f"it changes the arrays it is given as {', '.join(attempt.changed)}")
    if attempt.rank == 0:
        return CheckResult(question.what, name, "right", (), tuple(notes), tried=tried)
    if attempt.failure is not None:
        return _failed(attempt, question, subject, name, tuple(notes), tried)
    findings = _findings(attempt, question, subject)
    leaks = any("return_leaks_across_episodes" in f.keys and "terminal_not_masked" not in f.keys for f in findings)
    if question.part == "advantages" and leaks:
        notes.insert(0, NO_TRACE)
    return CheckResult(question.what, name, "wrong", findings, tuple(notes), tried=tried)


def _failed(
    attempt: Attempt, question: Question, subject: Subject, name: str, notes: tuple[str, ...], tried: str
) -> CheckResult:
    """A function that raised, or gave something that is no answer."""
    failure = attempt.failure
    assert failure is not None
    given = f"given {attempt.form}; read as {attempt.reading.describe()}"
    if failure.kind == "raised" and not attempt.answered:
        reason = f"it never returned: {failure.message} ({given})"
        return CheckResult(question.what, name, "cannot_tell", (), notes, reason)
    if failure.kind in ("nothing", "type"):
        return CheckResult(question.what, name, "cannot_tell", (), notes, f"{failure.message} ({given})")
    right = np.atleast_2d(question.answers(attempt.reading)[question.part].rules[0](attempt.failed_on))
    example = subject.example(attempt.failed_on, 0, None, right)
    if failure.kind == "raised":
        finding = Finding(("raises",), f"it raises {failure.message}", "see what is special about this case", example)
    elif len(failure.shape) == 2 and failure.shape[0] == failure.shape[1]:
        finding = Finding(
            ("broadcast_mean",),
            f"{failure.message}: [B, 1] meets [B], so that every row is added to every other",
            "make the shapes equal before adding (flatten or squeeze)",
            example,
        )
    else:
        finding = Finding(("wrong_shape",), failure.message, "return one number a step", example)
    return CheckResult(question.what, name, "wrong", (finding,), notes, tried=tried)


def _findings(attempt: Attempt, question: Question, subject: Subject) -> tuple[Finding, ...]:
    """What is wrong with the numbers: one finding where one mistake explains all parts, else one a part."""
    wrong = list(attempt.explained)
    if len(wrong) > 1:
        shared = tuple(m for m in attempt.explained[wrong[0]] if m in attempt.explained[wrong[1]])
        if shared:
            return (_known(shared, _example(attempt, wrong[0], subject), ""),)
    findings = []
    for part in wrong:
        named = part if part != question.part else ""
        example = _example(attempt, part, subject)
        if example.gave is not None and not np.isfinite(example.gave).all():
            sentence = "it gives numbers that are not finite"
            findings.append(Finding(("not_finite",), sentence, "look for a division by zero or log(0)", example, named))
        elif attempt.explained[part]:
            findings.append(_known(attempt.explained[part], example, named))
        else:
            pairs = pairs_of_mistakes(attempt.trials[part], attempt.answers[part])
            findings.append(_pair(pairs[0], example, named) if pairs else _unknown(example, named))
    return tuple(findings)


def _example(attempt: Attempt, part: str, subject: Subject) -> Example:
    problem, column, gave, right = first_wrong(attempt.trials[part], attempt.answers[part])
    return subject.example(problem, column, gave, right)


def _known(mistakes: Sequence[Mistake], example: Example, part: str) -> Finding:
    told = list({mistake.sentence: mistake for mistake in mistakes}.values())
    keys = tuple(dict.fromkeys(key for mistake in told for key in mistake.keys))
    sentence = "; or: ".join(mistake.sentence for mistake in told[:TOLD])
    if len(told) > 1:
        sentence += " (nothing that it can be told tells these apart)"
    return Finding(keys, sentence, "; or: ".join(mistake.advice for mistake in told[:TOLD]), example, part)


def _pair(pair: tuple[Mistake, Mistake], example: Example, part: str) -> Finding:
    keys = tuple(dict.fromkeys(key for mistake in pair for key in mistake.keys))
    sentence = f"two mistakes together: {pair[0].sentence}; and {pair[1].sentence}"
    return Finding(keys, sentence, f"{pair[0].advice}; and {pair[1].advice}", example, part)


def _unknown(example: Example, part: str) -> Finding:
    return Finding((), "no known mistake fits, nor do any two together", "compare with the example", example, part)
