"""Tries a function in every way in which its parameters may be meant, and judges the likeliest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rl_envs.diagnosis.oracles.calling import Failure, Form, as_numbers, call, forms, named_outputs
from rl_envs.diagnosis.oracles.matching import Answer, Trial, right_rule, same, single_mistakes
from rl_envs.diagnosis.oracles.mistakes import Mistake, Rule
from rl_envs.diagnosis.oracles.subjects import Reading, Subject

# The rank of a function that always raised, and one that every attempt beats.
NEVER_RETURNED, WORST = 5, 6


@dataclass(frozen=True)
class Question:
    """What is asked of a function.

    Attributes:
        what: in words, as "GAE".
        part: what it must give, as "advantages".
        other: what it may give with it, as "returns", or None.
        answers: what is right for each part, given how the parameters are read.
    """

    what: str
    part: str
    other: str | None
    answers: Callable[[Reading], Mapping[str, Answer]]


@dataclass
class Attempt:
    """A function tried with its parameters read in one way.

    Attributes:
        trials: what it gave, part by part.
        failure: why it could not go on, with what it was given last; None if it could.
        changed: the parameters whose arrays it changed.
        explained: for each part that is wrong, the mistakes that give the same numbers.
    """

    reading: Reading
    form: Form
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    failure: Failure | None = None
    failed_on: Any = None
    answered: int = 0
    changed: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    explained: dict[str, tuple[Mistake, ...]] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the mistakes that explain what is wrong, each once."""
        found = (key for mistakes in self.explained.values() for mistake in mistakes for key in mistake.keys)
        return tuple(dict.fromkeys(found))

    @property
    def rank(self) -> int:
        """How much it tells: 0 right, 1 wrong by a known mistake, 2 by numbers, 3 by its shape, 4 and 5 failed."""
        if self.failure is not None:
            if self.failure.kind != "raised":
                return 3
            return 4 if self.answered else NEVER_RETURNED
        if not self.explained:
            return 0
        return 1 if all(self.explained.values()) else 2


def best_attempt(
    function: Callable[..., Any],
    question: Question,
    subject: Subject,
    readings: Sequence[Reading],
    layouts: Sequence[str],
    framework: str | None,
    positional_only: tuple[str, ...],
) -> Attempt:
    """The attempt that tells most about a function: one in which it is right, if there is one.

    Args:
        function: the user's function.
        question: what is asked of it.
        subject: what it is tried on.
        readings: the ways of taking its parameters.
        layouts: the layouts to try.
        framework: "numpy", "torch", or None for both.
        positional_only: its parameters that cannot be named.

    Returns:
        The attempt; its `rank` says how it went.
    """
    best: Attempt | None = None
    for reading in readings:
        for layout in layouts:
            for form in forms(layout, framework):
                to_beat = WORST if best is None else best.rank
                for attempt in _try(function, question, subject, reading, form, positional_only, to_beat):
                    if attempt.rank == 0:
                        return attempt
                    if best is None or _preference(attempt, readings) < _preference(best, readings):
                        best = attempt
                if best is not None and best.rank == 1 and best.form == form and best.reading == reading:
                    break  # it runs in this form, and its mistake is known: others would say the same
    assert best is not None  # there is always a reading, a layout and a form
    return best


def _preference(attempt: Attempt, readings: Sequence[Reading]) -> tuple[int, int, int]:
    """The smaller, the more an attempt is to be believed.

    A known mistake explains more than any other wrong number. Without one the likeliest reading in which the function
    runs at all is the one that is meant, though it may fail there and not in another.
    """
    if attempt.rank <= 1:
        return (attempt.rank, 0, 0)
    return (2 if attempt.rank < NEVER_RETURNED else NEVER_RETURNED, readings.index(attempt.reading), attempt.rank)


def _try(
    function: Callable[..., Any],
    question: Question,
    subject: Subject,
    reading: Reading,
    form: Form,
    positional_only: tuple[str, ...],
    to_beat: int,
) -> list[Attempt]:
    """One attempt, or two where a pair may be read either way round; given up once its rank cannot be the best."""
    outputs: list[dict[str, list[Trial]]] = []
    stopped = Attempt(reading, form)
    changed: set[str] = set()
    for problem in subject.problems():
        x = subject.prepare(reading.view(problem), form.layout)
        if x is None:
            continue
        gathered: list[dict[str, list[np.ndarray]]] = []
        for piece in subject.pieces(x):
            handed = _keywords(subject, reading, form, piece)
            try:
                answer = named_outputs(call(function, handed, positional_only), question.part, question.other)
                arrays = [_checked(subject, question, form, piece, parts) for parts in answer]
                _check_alike(arrays, gathered)
            except Failure as failure:
                stopped.failure, stopped.failed_on = failure, piece
                return [stopped]
            if not outputs:
                changed |= _changed(handed, _keywords(subject, reading, form, piece))
            gathered = gathered or [{part: [] for part in parts} for parts in arrays]
            stopped.answered += 1
            for parts, collected in zip(arrays, gathered):
                for part, array in parts.items():
                    collected[part].append(array)
        first = not outputs
        outputs = outputs or [{part: [] for part in parts} for parts in gathered]
        for collected, trials in zip(gathered, outputs):
            for part, columns in collected.items():
                trials[part].append(Trial(x, np.concatenate(columns, axis=1)))
        if first and to_beat < WORST and min(_judged(stopped, question, trials).rank for trials in outputs) >= to_beat:
            return []
    stopped.changed = tuple(sorted(changed))
    return [_judged(stopped, question, trials) for trials in outputs]


def _judged(attempt: Attempt, question: Question, trials: dict[str, list[Trial]]) -> Attempt:
    """The attempt with what it gave, and the mistakes that explain what is wrong with it."""
    answers = question.answers(attempt.reading)
    explained = {
        part: single_mistakes(given, answers[part])
        for part, given in trials.items()
        if right_rule(given, answers[part]) is None
    }
    return replace(attempt, trials=trials, answers=answers, explained=explained)


def _keywords(subject: Subject, reading: Reading, form: Form, piece: Any) -> dict[str, Any]:
    keywords = {}
    for parameter, feed in reading.feeds.items():
        axes, read = subject.feeds[feed]
        keywords[parameter] = form.hand_over(axes, read(piece))
    return keywords


def _checked(
    subject: Subject, question: Question, form: Form, piece: Any, parts: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The outputs as arrays [T, B].

    Raises:
        Failure: one has a shape that is no answer.
    """
    arrays = {}
    for part, value in parts.items():
        array = as_numbers(value)
        shapes = subject.shapes(piece, form)
        if array.shape not in shapes:
            raise Failure(
                "shape", f"it returned {part} of shape {array.shape}, where {shapes[0]} is wanted", array.shape
            )
        arrays[part] = form.take_back(array, subject.copies(piece))
    return arrays


def _check_alike(arrays: Sequence[Mapping[str, np.ndarray]], before: Sequence[Mapping[str, list[np.ndarray]]]) -> None:
    """Raise unless outputs have as many rows as those for rollouts of the same length before.

    Raises:
        Failure: they do not.
    """
    for parts, earlier in zip(arrays, before):
        for part, array in parts.items():
            if earlier.get(part) and len(array) != len(earlier[part][0]):
                raise Failure(
                    "shape",
                    f"it returned {len(array)} {part} here and {len(earlier[part][0])} for another rollout of the same "
                    "length",
                    array.shape,
                )


def _changed(after: Mapping[str, Any], before: Mapping[str, Any]) -> set[str]:
    """The parameters whose arrays are not what they were."""
    return {name for name in before if not np.array_equal(as_numbers(after[name]), as_numbers(before[name]))}


def first_wrong(trials: Sequence[Trial], answer: Answer) -> tuple[Any, int, np.ndarray, np.ndarray]:
    """The simplest thing on which a function is wrong.

    Args:
        trials: the simplest first.
        answer: what is right; of several right rules the one that it comes nearest to.

    Returns:
        What it was tried on, the column, what it gave and what is right, both [T, B].
    """

    def right_columns(rule: Rule) -> int:
        return sum(int(same(trial.gave, rule(trial.problem)).sum()) for trial in trials)

    rule = max(answer.rules, key=right_columns)
    for trial in trials:
        right = np.atleast_2d(rule(trial.problem))
        wrong = ~same(trial.gave, right)
        if wrong.any():
            return trial.problem, int(np.argmax(wrong)), trial.gave, right
    raise ValueError("there is no wrong trial: the function gives what a right rule does")
