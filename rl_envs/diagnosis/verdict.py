"""From evidence to a verdict: right, wrong with the keys that fit, or cannot tell with the reason.

A correct agent must not be accused. So nothing is said against an agent before its values have settled, and a bug is
named only where what is right does not fit, the bug does, and both hold again with twice the budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rl_envs.diagnosis.evidence import (
    ABSOLUTE,
    FITS,
    SHARP,
    Fit,
    Hypothesis,
    Measured,
    deviations,
    fit,
    fit_of_right,
    misfit,
    order,
    prediction,
    ranked,
)
from rl_envs.diagnosis.operators import Family, right_values
from rl_envs.diagnosis.staircase import (
    FAMILIES,
    LIKELY,
    MORE_LIKELY,
    ChoiceFit,
    Choices,
    learned_bounds,
    log_likelihood,
    ranked_choices,
    turning_point,
)

# A bug is named when what is right is further off than this many times the bug, and by at least so much.
MARGIN_TIMES, MARGIN = 4.0, 30.0
# What is within noise of right is looked at again where a bug explains it better, by so much.
RIVAL = 8.0
RIGHT = "every learned value is what it should be, to within noise"
# Keys whose distance is within this of the best one's are named together with it.
NEAR = 8.0
# The same for choices, in nats.
NEAR_NATS = 3.0
# A deviation from what is right counts as settled when twice the budget leaves at least this share of it.
SETTLED = 0.75


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        keys: names of the bugs that fit, most likely first; several where they cannot be told apart.
        probe: the world that shows it best.
        learned: what was learned there, by observation.
        right: what is right there.
        would_be: what the first key's bug would give there.
        reason: one sentence of what was seen.
        fault: whether it is a fault; a note otherwise.
    """

    keys: tuple[str, ...]
    probe: str
    learned: dict[str, float] = field(default_factory=dict)
    right: dict[str, float] = field(default_factory=dict)
    would_be: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    fault: bool = True


@dataclass(frozen=True)
class Judgement:
    """What the values say.

    Attributes:
        verdict: "right", "wrong" or "cannot_tell".
        reason: why, in a sentence.
        finding: what to name, where the verdict is "wrong".
    """

    verdict: str
    reason: str
    finding: Finding | None = None


def judge_values(
    measured: Mapping[str, Measured], family: Family | None, earlier: Mapping[str, Measured] | None = None
) -> Judgement:
    """Judge learned values.

    Args:
        measured: by probe.
        family: how the learner forms its targets, if it is known.
        earlier: the same with half the budget; without it nobody is accused.
    """
    right, fits = fit_of_right(measured, family), ranked(measured, family)
    best = fits[0]
    for name, one in measured.items():
        if np.isnan(one.mean[one.trained]).any():
            return Judgement("cannot_tell", f"some values learned in {name} are not numbers (NaN): training diverged")
    rivalled = best.fits and right.distance > MARGIN_TIMES * best.distance + RIVAL
    if right.fits and not rivalled:
        return Judgement("right", RIGHT)
    if earlier is None:
        finding = _finding(measured, fits, best) if best.fits else None
        return Judgement("cannot_tell", "not confirmed with twice the budget", finding)
    named = best.fits and _sharply(measured, best) * MARGIN_TIMES + MARGIN < _sharply(measured, right)
    if not named and right.fits:
        return Judgement("right", RIGHT)
    if not named:
        reason = f"what was learned in {_worst(measured)} is not right, and no known bug fits it"
        return Judgement("cannot_tell", f"{reason}: the budget may be too small")
    if not _settled(measured, earlier) or (best.hypothesis.stays_put and _moved(measured, earlier)):
        if right.fits:
            return Judgement("right", RIGHT)
        return Judgement("cannot_tell", "the learned values had not settled: they still move towards what is right")
    return Judgement("wrong", "the learned values are those of a known bug", _finding(measured, fits, best))


def _sharply(measured: Mapping[str, Measured], one: Fit) -> float:
    """The distance of a hypothesis with the allowance that is left after twice the budget."""
    return fit(measured, one.hypothesis, SHARP).distance


def to_ask_again(measured: Mapping[str, Measured], family: Family | None) -> list[str]:
    """The probes in which twice the budget can tell more: what is off there, or what a bug explains better."""
    right, best = fit_of_right(measured, family), ranked(measured, family)[0]

    def distance(one: Measured, hypothesis: Hypothesis) -> float:
        return float((misfit(one, hypothesis)[0] ** 2).sum())

    return [
        name
        for name, one in measured.items()
        if is_off(one) or distance(one, right.hypothesis) > distance(one, best.hypothesis) + 1
    ]


def judge_choices(
    choices: Sequence[Choices], earlier: Sequence[Choices] | None = None, families: Sequence[Family] = FAMILIES
) -> Judgement:
    """Judge the choices of a policy in the staircases.

    Args:
        choices: by staircase.
        earlier: the same with half the budget; without it nobody is accused.
        families: how the learner may form its targets.
    """
    number = sum(one.seeds * len(one.goes) for one in choices)
    fits = ranked_choices(choices, families)
    right = next(fit for fit in fits if fit.bug is None)
    best = fits[0]
    if right.nats > best.nats - MORE_LIKELY:
        if right.nats / number > LIKELY:
            return Judgement("right", "nothing wrong was seen in what the policy chooses")
        return Judgement("cannot_tell", "the policy's choices follow no expectation: the budget may be too small")
    if best.nats / number <= LIKELY:
        return Judgement("cannot_tell", "the policy's choices are not right, and no known bug explains them")
    if earlier is None:
        return Judgement("cannot_tell", "not confirmed with twice the budget", _chosen(choices, fits))
    before = {fit.key: fit.nats for fit in ranked_choices(earlier, families)}
    if before[best.key] < before["right"]:
        return Judgement("cannot_tell", "the policy's choices had not settled")
    return Judgement("wrong", "the policy chooses as with a known bug", _chosen(choices, fits))


def _chosen(choices: Sequence[Choices], fits: Sequence[ChoiceFit]) -> Finding:
    best = fits[0]
    assert best.bug is not None
    right = next(fit for fit in fits if fit.bug is None)

    def difference(one: Choices) -> float:
        return log_likelihood([one], best.family, best.bug) - log_likelihood([one], right.family, None)

    shows = max(choices, key=difference)
    low, high = learned_bounds(shows)
    turn_right = turning_point(shows, right.family, None)
    turn_wrong = turning_point(shows, best.family, best.bug)
    near = tuple(fit.key for fit in fits if fit.bug is not None and fit.nats > best.nats - NEAR_NATS)
    learned = {"goes on up to": low} | ({"takes from": high} if np.isfinite(high) else {})
    return Finding(
        keys=near,
        probe=shows.staircase.probe.name,
        learned={name: round(value, 4) for name, value in learned.items()},
        right={name: round(turn_right, 4) for name in learned} if turn_right is not None else {},
        would_be={name: round(turn_wrong, 4) for name in learned} if turn_wrong is not None else {},
        reason=(
            f"the choices in {shows.staircase.probe.name} turn where {best.key}"
            f"{f' ({best.bug.variant})' if best.bug.variant else ''} makes them turn"
        ),
    )


def is_off(one: Measured) -> bool:
    """Whether some value of a probe is further from what is right than noise explains."""
    off = _off(one)
    return bool((~np.isfinite(off)).any() or np.abs(off).max() > FITS)


def _worst(measured: Mapping[str, Measured]) -> str:
    """The probe whose values are furthest from right."""
    return max(measured, key=lambda name: float(np.nan_to_num(np.abs(_off(measured[name])), nan=np.inf).max()))


def _off(one: Measured) -> np.ndarray:
    off = deviations(one, right_values(one.probe))
    return np.where(one.trained, off, 0.0)


def _settled(measured: Mapping[str, Measured], earlier: Mapping[str, Measured]) -> bool:
    """Whether what is off stayed off when the budget was doubled."""
    for name, one in measured.items():
        before = earlier[name]
        if before is one:
            continue  # not asked again
        right = right_values(one.probe)
        off = np.abs(np.where(one.trained, deviations(one, right, SHARP), 0.0)) > FITS / 2
        if not off.any():
            continue
        now, then = np.abs(one.mean - right)[off], np.abs(before.mean - right)[off]
        if now.sum() < SETTLED * then.sum():
            return False
    return True


def _moved(measured: Mapping[str, Measured], earlier: Mapping[str, Measured]) -> bool:
    """Whether twice the budget moved any value by more than noise explains."""
    for name, one in measured.items():
        before = earlier[name]
        noise = np.sqrt(one.error**2 + before.error**2 + (ABSOLUTE * one.size) ** 2)
        if (np.abs(one.mean - before.mean) > FITS * noise)[one.trained].any():
            return True
    return False


def _finding(measured: Mapping[str, Measured], fits: list[Fit], best: Fit) -> Finding:
    near = [one.hypothesis.key for one in fits if one.fits and order(one) <= order(best) + NEAR]
    # The probe that tells best against right.
    name = _worst(measured)
    one = measured[name]
    labels = one.probe.label_names
    predicted = prediction(one.probe, best.hypothesis)
    right = right_values(one.probe)
    bug = best.hypothesis.bug
    assert bug is not None
    how = f" ({bug.variant})" if bug.variant else ""
    return Finding(
        keys=tuple(near),
        probe=name,
        learned=_by_label(labels, one.mean),
        right=_by_label(labels, right),
        would_be=_by_label(labels, predicted),
        reason=f"the values learned in {name} are those of {bug.key}{how} with {best.hypothesis.family}",
    )


def _by_label(labels: tuple[str, ...], values: np.ndarray) -> dict[str, float]:
    return {label: round(float(value), 4) for label, value in zip(labels, values) if np.isfinite(value)}
