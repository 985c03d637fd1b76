"""A world of choices for agents that give back a policy alone: which fixed point did they learn?

At each start there is an offer: take a sure x and end, or go on into a chain, the Ruler, the Ratchet or the Split. A
learner goes on where it thinks that worth more than x, so its choices over a staircase of offers show what it has
learned to expect. Offers lie between the turning points of the known bugs. Each comes twice, with the two actions
exchanged.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rl_envs.diagnosis.operators import BUGS, ONE_STEP, Bug, Experience, Family, learned_values, with_bonus
from rl_envs.diagnosis.probes import Probe
from rl_envs.diagnosis.training import TrainingRun
from rl_envs.mdp.finite_mdp import Outcome, tabulate

# Neighbouring turning points are told apart where one is this many times the other.
APART = 1.15
MOST_OFFERS = 8
# How far from its turning point a learner chooses by chance: as a share of the offer, and of the largest reward.
UNSURE, UNSURE_OF_SCALE = 0.05, 0.005
# The share of choices that are made by mistake whatever is offered.
MISTAKE = 0.04
# What learners that value their policy's entropy may add to a step, as shares of the largest reward.
BONUSES = (0.01, 0.02, 0.035, 0.05, 0.07)
# How a learner may form its targets that gives back a policy alone, and so says nothing of it.
FAMILIES = (ONE_STEP, Family("n_step", 2), Family("n_step", 3), Family("rollout", 5, 1.0), Family("rollout", 16, 0.95))
# The policy counts as right while its choices are no less likely than this, one with another, in nats a choice.
LIKELY = -0.45
# A bug is named where it makes the choices more likely than what is right by at least so many nats.
MORE_LIKELY = 8.0


@dataclass(frozen=True)
class Chain:
    """What comes after going on.

    Attributes:
        name: of the probe that it is the chain of.
        labels: what its states are called.
        rows: for each state the outcomes, alike for both actions: (probability, next state or None, reward).
        entry: the state that going on leads to.
        end_shows: the state that an end looks like; None for the blank, which is worth nothing.
        starts_at: states that episodes start in as well, as often as at the offers.
        max_episode_steps: time limit in steps, counting the one of the offer.
        discount: gamma, where the chain needs one of its own.
    """

    name: str
    labels: tuple[str, ...]
    rows: tuple[tuple[tuple[float, int | None, float], ...], ...]
    entry: int = 0
    end_shows: int | None = None
    starts_at: int | None = None
    max_episode_steps: int = 100
    discount: float | None = None


def chains(scale: float) -> tuple[Chain, ...]:
    """The chains whose staircases are tried.

    Args:
        scale: the largest reward.
    """
    return (
        Chain(
            "Ruler",
            ("s0", "s1", "s2"),
            (((1.0, 1, scale / 100),), ((1.0, 2, scale / 10),), ((1.0, None, scale),)),
            end_shows=1,
        ),
        Chain("Ratchet", ("a", "b"), (((1.0, 1, 0.0),), ((1.0, 1, 0.4 * scale),)), max_episode_steps=4),
        # C is worth nothing; what is not detached drags it up to A, and A's other outcome.
        Chain(
            "Split",
            ("A", "B", "C"),
            (((0.5, 1, 0.0), (0.5, 2, 0.0)), ((1.0, None, scale),), ((1.0, None, 0.0),)),
            entry=2,
            starts_at=0,
            discount=1.0,
        ),
    )


@dataclass(frozen=True, eq=False)
class Staircase:
    """A staircase of offers.

    Attributes:
        probe: the world; its observations are the offers (each with both orders of actions), a blank, and the chain.
        offers: x of each start, [2 K]; the first K are taken by action 0, the others by action 1.
        chain: what comes after going on.
    """

    probe: Probe
    offers: np.ndarray
    chain: Chain


def build(chain: Chain, offers: Sequence[float], *, discount: float) -> Staircase:
    """The staircase over given offers.

    Args:
        chain: what comes after going on.
        offers: K sums to choose against.
        discount: gamma, where the chain has none of its own.
    """
    discount = discount if chain.discount is None else chain.discount
    both = [*offers, *offers]
    count = len(both)
    blank_start, blank, first = count, count + 1, count + 2
    shown = blank if chain.end_shows is None else first + chain.end_shows

    def rule(state: int, action: int) -> list[Outcome]:
        if state < count:
            takes = action == (state >= count // 2)
            # What is seen after an offer is taken is trained, and worth nothing.
            return [Outcome(1.0, blank, both[state], True) if takes else Outcome(1.0, first + chain.entry)]
        if state == blank_start:
            return [Outcome(1.0, blank)]
        if state == blank:
            return [Outcome(1.0, blank, 0.0, True)]
        return [
            Outcome(probability, shown if after is None else first + after, reward, after is None)
            for probability, after, reward in chain.rows[state - first]
        ]

    num_states = first + len(chain.rows)
    starts = tuple(range(count + 1))
    if chain.starts_at is not None:
        starts = tuple(start for offer in starts for start in (offer, first + chain.starts_at))
    sure = ", ".join(f"{offer:.3g}" for offer in offers)
    probe = Probe(
        name=f"Staircase to the {chain.name}",
        purpose="what a policy expects of going on, by what it gives up for it",
        picture=f"take a sure {sure} and end, or go on to {chain.labels[chain.entry]} of the {chain.name}",
        mdp=tabulate(
            rule,
            num_states=num_states,
            num_actions=2,
            start=np.bincount(starts, minlength=num_states) / len(starts),
            discount=discount,
        ),
        labels=np.arange(num_states),
        label_names=(*(f"offer {i}" for i in range(count)), "blank start", "blank", *chain.labels),
        starts=starts,
        max_episode_steps=chain.max_episode_steps,
        chooses=True,
    )
    return Staircase(probe, np.array(both), chain)


@dataclass(frozen=True)
class _Stream:
    """Steps with both actions taken equally often, as columns [T]; states are those of the staircase's world."""

    state: np.ndarray
    going: np.ndarray  # whether the step belongs to an episode that goes on
    reward: np.ndarray
    following: np.ndarray
    after: np.ndarray  # where the next step begins
    terminated: np.ndarray
    truncated: np.ndarray


@lru_cache(maxsize=64)
def _stream(staircase: Staircase, length: int) -> _Stream:
    """A cycle of steps whose number is a multiple of the length of a rollout."""
    mdp, count = staircase.probe.mdp, len(staircase.offers)
    taken = np.zeros(mdp.probability.shape)  # [S, A, K] how often each outcome came
    rows: list[tuple[int, bool, float, int, int, bool, bool]] = []
    # Every start with either choice, so that neighbours in the stream differ.
    starts = staircase.probe.starts
    episodes = [(start, (index + turn) % 2 == 1) for turn in range(2) for index, start in enumerate(starts)]
    for index, (start, going) in enumerate(episodes):
        state, elapsed = start, 0
        while True:
            action = int((state >= count // 2) != going) if state < count else 0
            outcome = staircase.probe.outcome_due(taken, state, action)
            following, elapsed = int(mdp.next_state[state, action, outcome]), elapsed + 1
            terminated = bool(mdp.terminated[state, action, outcome])
            truncated = not terminated and elapsed >= staircase.probe.max_episode_steps
            after = episodes[(index + 1) % len(episodes)][0] if terminated or truncated else following
            reward = float(mdp.reward[state, action, outcome])
            rows.append((state, going, reward, following, after, terminated, truncated))
            if terminated or truncated:
                break
            state = following
    times = length // np.gcd(len(rows), length)
    return _Stream(*(np.tile(np.array(column), times) for column in zip(*rows)))


def steps_with_choices(staircase: Staircase, family: Family, goes: np.ndarray) -> Experience:
    """The stream of steps with both actions taken equally often, and values of actions where there is a choice.

    Args:
        staircase: the world.
        family: how the learner forms targets.
        goes: at which starts the learner's policy goes on, [2 K] bool; what bootstraps from a start looks there.

    Returns:
        Steps whose first 2 K observations stand for taking, the next 2 K for going on, then the rest.
    """
    count = len(staircase.offers)
    stream = _stream(staircase, family.length if family.kind == "rollout" else 1)

    def entry(state: np.ndarray, going: np.ndarray) -> np.ndarray:
        return state + count * ((state >= count) | going)

    starts = np.minimum(stream.after, count - 1)
    return Experience(
        family=family,
        num_observations=staircase.probe.num_observations + count,
        state=entry(stream.state, stream.going),
        reward=stream.reward,
        next_state=entry(stream.following, np.zeros_like(stream.going)),
        after_reset=entry(stream.after, goes[starts]),
        terminated=stream.terminated,
        truncated=stream.truncated,
        bootstrap=1.0 - stream.terminated,
        carry=1.0 - (stream.terminated | stream.truncated),
        discount=staircase.probe.mdp.discount,
    )


def preferences(staircase: Staircase, family: Family, bug: Bug | None, bonus: float = 0.0) -> np.ndarray:
    """By how much going on is thought better than taking at each start, [2 K]; NaN where that is not learned.

    Args:
        staircase: the world.
        family: how the learner forms targets.
        bug: what is wrong, or None.
        bonus: what it adds for its policy's entropy to every step but those into an end.
    """
    count = len(staircase.offers)
    goes = np.zeros(count, dtype=bool)
    gain = np.zeros(count)
    for _ in range(10):  # policy improvement, which settles after a few
        steps = with_bonus(steps_with_choices(staircase, family, goes), bonus)
        values = learned_values(steps if bug is None else bug.change(steps))
        if not np.isfinite(values[: 2 * count]).all():
            return np.full(count, np.nan)
        gain = values[count : 2 * count] - values[:count]
        if ((gain > 0) == goes).all():
            break
        goes = gain > 0
    return gain


def choose_offers(chain: Chain, *, discount: float) -> list[float]:
    """Offers between the turning points of what is right and of every bug of one-step learners that shows here.

    Returns:
        At most eight sums, those around what is right first of all, in rising order.
    """
    scale = max(abs(reward) for row in chain.rows for _, _, reward in row)
    probe = build(chain, [scale / 10], discount=discount)
    points = []
    for bug in (None, *(one for one in BUGS if "one_step" in one.families and one.key != "rewards_clipped")):
        gain = preferences(probe, ONE_STEP, bug)[0]
        if np.isfinite(gain):
            points.append(gain + scale / 10)
    right = round(points[0], 9)
    distinct = sorted({round(point, 9) for point in points if point == points[0] or 0.02 * scale < point < 2 * scale})
    if right <= 0:  # what is worth nothing: offers from there to the first bug's turning point
        return [share * distinct[1] for share in (0.4, 0.6, 0.8)]
    offers = []
    for low, high in itertools.pairwise(distinct):
        if high / low > APART:
            # Two next to what is right, for most depends on these.
            shares = (1 / 3, 2 / 3) if right in (low, high) else (1 / 2,)
            offers += [float(low * (high / low) ** share) for share in shares]
    offers = [distinct[0] * 0.7, *offers, distinct[-1] * 1.3]
    offers.sort(key=lambda offer: abs(np.log(offer / right)))
    return sorted(offers[:MOST_OFFERS])


@lru_cache(maxsize=8)
def staircases(scale: float, discount: float) -> tuple[Staircase, ...]:
    """One staircase for each chain."""
    return tuple(build(chain, choose_offers(chain, discount=discount), discount=discount) for chain in chains(scale))


@dataclass(frozen=True)
class Choices:
    """What was chosen in one staircase.

    Attributes:
        staircase: which.
        goes: how many of the seeds go on at each start, [2 K].
        seeds: of how many.
    """

    staircase: Staircase
    goes: np.ndarray
    seeds: int


def read_choices(staircase: Staircase, runs: Sequence[TrainingRun]) -> Choices | None:
    """Put the seeds together; None where no policy was given back."""
    count = len(staircase.offers)
    if any(run.learned.policy is None for run in runs):
        return None
    going = np.where(np.arange(count) < count // 2, 1, 0)
    goes = np.zeros(count)
    for run in runs:
        assert run.learned.policy is not None
        goes += np.argmax(run.learned.policy[:count], axis=1) == going
    return Choices(staircase, goes, len(runs))


def log_likelihood_of_right(choices: Sequence[Choices], family: Family) -> float:
    """The same of what is right, be it for a learner that values its policy's entropy at some temperature."""
    plain = log_likelihood(choices, family, None)
    if family.kind != "one_step":
        return plain
    scale = max(float(np.abs(one.staircase.probe.mdp.reward).max()) for one in choices)
    found = [
        sum(_nats(one, preferences_cached(one.staircase, family, None, share * scale)) for one in choices) - 1.0
        for share in BONUSES
    ]
    return max(plain, *found)


def log_likelihood(choices: Sequence[Choices], family: Family, bug: Bug | None) -> float:
    """The logarithm of the probability of the choices under a hypothesis, in nats.

    Where a hypothesis says nothing, it counts as what is right or as chance, whichever is likelier.
    """
    total = 0.0
    for one in choices:
        gain = preferences_cached(one.staircase, family, bug)
        if np.isnan(gain).any():
            right = preferences_cached(one.staircase, family, None)
            total += max(_nats(one, right), -float(one.seeds * len(one.goes)) * np.log(2))
        else:
            total += _nats(one, gain)
    return total


def _nats(choices: Choices, gain: np.ndarray) -> float:
    """The log-likelihood of the choices of one staircase where going on is thought better by so much, [2 K]."""
    scale = float(np.abs(choices.staircase.probe.mdp.reward).max())
    width = UNSURE * choices.staircase.offers + UNSURE_OF_SCALE * scale
    with np.errstate(over="ignore"):
        probability = 1 / (1 + np.exp(-gain / width))
    probability = MISTAKE + (1 - 2 * MISTAKE) * probability
    goes, takes = choices.goes, choices.seeds - choices.goes
    return float((goes * np.log(probability) + takes * np.log(1 - probability)).sum())


@lru_cache(maxsize=4096)
def preferences_cached(staircase: Staircase, family: Family, bug: Bug | None, bonus: float = 0.0) -> np.ndarray:
    """As `preferences`, kept."""
    return preferences(staircase, family, bug, bonus)


@dataclass(frozen=True)
class ChoiceFit:
    """How a key fits the choices: its best log-likelihood in nats, with the family and bug that give it."""

    key: str
    nats: float
    family: Family
    bug: Bug | None


def ranked_choices(choices: Sequence[Choices], families: Sequence[Family]) -> list[ChoiceFit]:
    """Every key's best fit to the choices, the likeliest first; "right" is one of them."""
    best: dict[str, ChoiceFit] = {}
    for family in families:
        for bug in (None, *(one for one in BUGS if family.kind in one.families)):
            key = "right" if bug is None else bug.key
            if key == "entropy_at_terminal":
                continue
            if bug is None:
                nats = log_likelihood_of_right(choices, family)
            else:
                nats = log_likelihood(choices, family, bug)
            nats -= 1.0 * (family.kind != "one_step")
            if key not in best or nats > best[key].nats:
                best[key] = ChoiceFit(key, nats, family, bug)
    return sorted(best.values(), key=lambda fit: -fit.nats)


def turning_point(choices: Choices, family: Family, bug: Bug | None) -> float | None:
    """The offer at which a hypothesis turns from going on to taking; None where it never does or makes no choice."""
    gain = preferences_cached(choices.staircase, family, bug)
    half = len(gain) // 2
    if np.isnan(gain).any():
        return None
    middle = gain[:half] + choices.staircase.offers[:half]
    return float(np.median(middle))


def learned_bounds(choices: Choices) -> tuple[float, float]:
    """Between which offers the choices turn: the largest at which most go on, and the smallest at which most take."""
    half = len(choices.goes) // 2
    share = (choices.goes[:half] + choices.goes[half:]) / (2 * choices.seeds)
    offers = choices.staircase.offers[:half]
    going, taking = offers[share > 0.5], offers[share <= 0.5]
    return float(going.max(initial=0.0)), float(taking.min(initial=np.inf))
