"""How well what was learned fits what is right, and what each bug would have given.

Every hypothesis (nothing is wrong, or one bug written in one way by one family of learners) predicts the value of every
trained observation in every probe. The distance to a prediction is measured in units of the noise between seeds and of
the numbers' own size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rl_envs.diagnosis.operators import BUGS, ONE_STEP, Bug, Family, experience, right_values, targets, wrong_values
from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.training import TrainingRun

# How far a learned value may be from what it settles on: as a share of that value, and of the probe's largest.
RELATIVE, ABSOLUTE = 0.03, 0.02
# The same as a share of the standard deviation of the targets there: steps of constant size never come to rest.
OF_TARGETS = 0.08
# A prediction fits while no value is further off than this, in units of noise.
FITS = 3.5
# The share of these that is left where twice the budget has halved what training leaves unfinished.
SHARP = 0.5
# How far others may have carried a value that nothing moves, as a share of the largest right one.
CARRIED = 0.15
# What one trained value counts that a prediction leaves out, and what every step away from one-step targets costs.
MISSING, LESS_USUAL = 4.0, 4.0

# Families to try where the learner does not say how it forms its targets.
UNKNOWN_FAMILIES = (
    ONE_STEP,
    Family("n_step", 2),
    Family("n_step", 3),
    Family("n_step", 5),
    Family("rollout", 5, 1.0),
    Family("rollout", 16, 0.95),
    Family("rollout", 64, 0.95),
    Family("rollout", 64, 1.0),
)


@dataclass(frozen=True)
class Hypothesis:
    """What may be the case: a bug in a family of learners, or nothing (`bug` is None)."""

    bug: Bug | None
    family: Family
    bonus: float = 0.0  # of a learner that values its policy's entropy, on every step but those into an end

    @property
    def key(self) -> str:
        """The bug's key, or "right"."""
        return "right" if self.bug is None else self.bug.key

    @property
    def stays_put(self) -> bool:
        """Whether there are values that no training moves, so that it tells nothing where they are."""
        return self.bug is not None and self.bug.squashes


@dataclass(frozen=True)
class Fit:
    """How a hypothesis fits.

    Attributes:
        hypothesis: which.
        distance: the sum of squared distances over all observations, in units of noise.
        worst: the largest single distance.
        entries: how many observations were compared.
        missing: how many trained ones the hypothesis says nothing about.
    """

    hypothesis: Hypothesis
    distance: float
    worst: float
    entries: int
    missing: int

    @property
    def fits(self) -> bool:
        """Whether no value is further off than noise explains."""
        return self.worst <= FITS


@lru_cache(maxsize=4096)
def prediction(probe: Probe, hypothesis: Hypothesis) -> np.ndarray:
    """What a hypothesis says about a probe, [N]; NaN where nothing is trained, infinite where values run away."""
    if hypothesis.bug is None:
        return right_values(probe, hypothesis.bonus)
    return wrong_values(probe, hypothesis.family, hypothesis.bug, hypothesis.bonus)


@lru_cache(maxsize=256)
def target_spread(probe: Probe) -> np.ndarray:
    """Standard deviation of the right one-step targets of each observation, [N]; 0 where they are all the same."""
    steps = experience(probe, ONE_STEP)
    constant, matrix = _right_targets(probe, ONE_STEP)
    values = np.nan_to_num(right_values(probe))
    target = constant + matrix @ values
    own = np.eye(steps.num_observations)[steps.state]
    visits = np.maximum(1, own.sum(axis=0))
    mean = own.T @ target / visits
    return np.sqrt(own.T @ (target - mean[steps.state]) ** 2 / visits)


# Bugs that are looked for in a learner that values its policy's entropy.
WITH_BONUS = ("entropy_at_terminal", "terminal_not_masked", "timeout_as_terminal", "discount_twice")


def hypotheses(family: Family | None, bonus: float = 0.0) -> list[Hypothesis]:
    """Every bug that a learner of a known family, or of any, may have.

    Args:
        family: how the learner forms its targets, or None.
        bonus: what it seems to add for its policy's entropy; 0 for a learner that does not.
    """
    families = UNKNOWN_FAMILIES if family is None else (_cut(family),)
    found = []
    for one in families:
        found += [Hypothesis(bug, one) for bug in BUGS if one.kind in bug.families and bug.key != "entropy_at_terminal"]
    if bonus:
        found += [Hypothesis(bug, families[0], bonus) for bug in BUGS if bug.key in WITH_BONUS]
    return found


def entropy_bonus(measured: Mapping[str, Measured]) -> float:
    """What a learner seems to add to every step but the last, as one does that values its policy's entropy; or 0.

    Read from the Ruler: the same must be missing between s0 and s1 and between s1 and s2.
    """
    one = measured.get("Ruler")
    if one is None or not np.isfinite(one.mean).all():
        return 0.0
    rewards, gamma = one.probe.mdp.mean_reward[:, 0], one.probe.mdp.discount
    extra = one.mean[:2] - rewards[:2] - gamma * one.mean[1:]
    unsure = 2 * ABSOLUTE * one.size + 2 * float(one.error.max())
    if extra.min() < unsure / 2 or abs(extra[0] - extra[1]) > unsure:
        return 0.0
    return float(np.round(extra.mean(), 6))


def _cut(family: Family) -> Family:
    """A family with its rollouts cut to a length whose fixed points cost little; longer ones hardly differ."""
    return Family(family.kind, min(family.length, 64 + family.length % 2), family.trace_decay)


def state_values(run: TrainingRun) -> np.ndarray | None:
    """The learned value of each observation of a probe where actions do not differ, [N].

    Action values are averaged, each action counting as often as it was taken: the largest of several noisy values
    would read high, and what is hardly ever taken is hardly ever brought up to date.
    """
    learned = run.learned
    if learned.q is not None:
        counts = run.log.counts
        visits = counts.sum(axis=1)
        weighted = (learned.q * counts).sum(axis=1) / np.maximum(1, visits)
        return np.where(visits > 0, weighted, learned.q.mean(axis=1))
    return learned.values


@dataclass(frozen=True)
class Measured:
    """The learned values of one probe over the seeds.

    Attributes:
        probe: which.
        mean: [N].
        error: standard error of the mean between seeds, [N].
        trained: which observations steps began at, [N] bool.
    """

    probe: Probe
    mean: np.ndarray
    error: np.ndarray
    trained: np.ndarray

    @property
    def size(self) -> float:
        """The largest right value of the probe."""
        return float(np.nanmax(np.abs(right_values(self.probe))))


def measure(probe: Probe, runs: Sequence[TrainingRun]) -> Measured | None:
    """Put the seeds together; None where no values were given back."""
    rows = [state_values(run) for run in runs]
    if not rows or any(row is None for row in rows):
        return None
    values = np.array(rows, dtype=np.float64)  # [seeds, N]
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    trained = np.all([run.log.counts.sum(axis=1) > 0 for run in runs], axis=0)
    return Measured(probe, values.mean(axis=0), spread / np.sqrt(len(values)), trained)


def deviations(
    measured: Measured, predicted: np.ndarray, allowance: float = 1.0, size: float | None = None
) -> np.ndarray:
    """How far each value is from a prediction in units of noise, [N]; NaN where the prediction says nothing.

    Args:
        measured: the learned values.
        predicted: [N].
        allowance: what is left of the distance that learned values are allowed apart from the noise between seeds.
        size: the largest value that is to be learned; of those predicted when left out.
    """
    if size is None:
        # Values of clipped rewards are small, and must be met as closely as they are small.
        size = min(measured.size, _size(predicted))
    allowed = np.sqrt(
        (RELATIVE * np.abs(predicted)) ** 2
        + (ABSOLUTE * size) ** 2
        + (OF_TARGETS * target_spread(measured.probe) * size / measured.size) ** 2
    )
    with np.errstate(invalid="ignore"):
        return (measured.mean - predicted) / np.sqrt(measured.error**2 + (allowance * allowed) ** 2)


def _size(predicted: np.ndarray) -> float:
    finite = np.abs(predicted[np.isfinite(predicted)])
    return float(finite.max()) if finite.size and finite.max() > 0 else np.inf


def fit(measured: Mapping[str, Measured], hypothesis: Hypothesis, allowance: float = 1.0) -> Fit:
    """How a hypothesis fits all probes together; `allowance` as for `deviations`."""
    distance, worst, entries, missing = 0.0, 0.0, 0, 0
    for one in measured.values():
        off, unknown = misfit(one, hypothesis, allowance)
        missing += unknown
        if off.size:
            distance += float((off**2).sum())
            worst = max(worst, float(off.max()))
            entries += off.size
    if entries == 0:
        worst = np.inf  # nothing was compared
    if hypothesis.stays_put and not _some_learned(measured, hypothesis.family):
        worst = np.inf  # nothing was learned at all: that is another fault
    return Fit(hypothesis, distance, worst, entries, missing)


def misfit(one: Measured, hypothesis: Hypothesis, allowance: float = 1.0) -> tuple[np.ndarray, int]:
    """How far trained values of one probe are from a hypothesis, [n] in units of noise, and how many it leaves out."""
    size = None
    if hypothesis.stays_put:
        predicted, size = within_reach(one, hypothesis.family), one.size
    else:
        predicted = prediction(one.probe, hypothesis)
    if np.isinf(predicted).any():
        # Where values run away they have no number to be near to: it fits if they have left all bounds.
        bounded = bool(np.abs(one.mean[one.trained]).max(initial=0.0) <= 1.5 * one.size)
        return np.array([2 * FITS if bounded else 0.0]), 0
    unknown = np.isnan(predicted)[one.trained]
    off = np.abs(deviations(one, predicted, allowance, size)[one.trained])
    # What was learned and is no number is as far off as can be.
    return np.where(np.isfinite(off), off, np.inf)[~unknown], int(unknown.sum())


def within_reach(one: Measured, family: Family) -> np.ndarray:
    """What values move to, from where they are, where errors above 1 have no gradient, [N]; NaN where all are above.

    Such values have no fixed point of their own: they stay where they began, near 0, or where others carried them on
    the way to their targets. Nothing is said either of those with an error close to 1, which is above at one time and
    below at another.
    """
    steps = experience(one.probe, family)
    constant, matrix = _right_targets(one.probe, family)
    error = constant + matrix @ one.mean - one.mean[steps.state]
    felt, close = np.abs(error) <= 1, np.abs(np.abs(error) - 1) < 0.1
    own = np.eye(steps.num_observations)[steps.state]
    visits = own[felt].sum(axis=0)
    known = (visits > 0) & (own[close].sum(axis=0) == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        reached = one.mean + np.where(known, own[felt].T @ error[felt] / visits, np.nan)
    # What stays between 0 and its targets may be anywhere there; what lies beyond has been moved, and must come back.
    sought = constant + matrix @ one.mean
    lowest, highest = np.full(steps.num_observations, np.inf), np.full(steps.num_observations, -np.inf)
    with np.errstate(invalid="ignore"):
        np.minimum.at(lowest, steps.state, sought)
        np.maximum.at(highest, steps.state, sought)
    between = np.clip(one.mean, np.minimum(lowest, 0), np.maximum(highest, 0))
    carried = CARRIED * one.size
    reached = np.where(np.isnan(reached) & (np.abs(one.mean - between) > carried), between, reached)
    # Where nothing is bootstrapped from, a target beyond the reach of 0 and of the others was never come near to.
    bootstraps = np.zeros(steps.num_observations, dtype=bool)
    bootstraps[steps.state[np.abs(matrix).sum(axis=1) > 0]] = True
    far = ~bootstraps & np.isfinite(lowest) & (lowest > 1 + carried)
    return np.where(far, np.minimum(reached, carried), reached)


@lru_cache(maxsize=256)
def _right_targets(probe: Probe, family: Family) -> tuple[np.ndarray, np.ndarray]:
    return targets(experience(probe, family))


def _some_learned(measured: Mapping[str, Measured], family: Family) -> bool:
    """Whether some values with errors below 1 are far from 0, so that learning goes on at all."""
    reached = [within_reach(one, family) / one.size for one in measured.values()]
    return (
        sum(int((np.abs(values[one.trained]) > ABSOLUTE).sum()) for values, one in zip(reached, measured.values())) > 1
    )


def fit_of_right(measured: Mapping[str, Measured], family: Family | None, allowance: float = 1.0) -> Fit:
    """How well the values fit those of a learner without a bug, be it one that values its policy's entropy."""
    plain = fit(measured, Hypothesis(None, family or ONE_STEP), allowance)
    bonus = 0.0 if plain.fits else entropy_bonus(measured)
    if not bonus:
        return plain
    return min(plain, fit(measured, Hypothesis(None, family or ONE_STEP, bonus), allowance), key=order)


def ranked(measured: Mapping[str, Measured], family: Family | None) -> list[Fit]:
    """Every bug's best fit, the best first."""
    best: dict[str, Fit] = {}
    for hypothesis in hypotheses(family, entropy_bonus(measured)):
        one = fit(measured, hypothesis)
        if hypothesis.key not in best or _rank(one) < _rank(best[hypothesis.key]):
            best[hypothesis.key] = one
    return sorted(best.values(), key=_rank)


def order(one: Fit) -> float:
    """By what fits are compared: the distance, with something for what is left out and for what is unusual."""
    # A prediction that leaves out what was trained must not win by that: each such value counts as a middling miss.
    unusual = (one.hypothesis.family.kind != "one_step") + (one.hypothesis.bonus != 0)
    return one.distance + MISSING * one.missing + LESS_USUAL * unusual


def _rank(one: Fit) -> tuple[bool, float]:
    """What fits comes first, by `order`."""
    return not one.fits, order(one)
