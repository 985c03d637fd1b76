"""A world of choices for agents that give back a policy alone: which fixed point did they learn?

At each start there is an offer: take a sure x and end, or go on into the Ruler or the Ratchet. A learner goes on where
it thinks that worth more than x, so its choices over a staircase of offers show what it has learned to expect. Offers
lie between the turning points of the known bugs. Each comes twice, with the two actions exchanged.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rl_envs.diagnosis.operators import BUGS, ONE_STEP, Bug, Experience, Family, learned_values
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
# The policy counts as right while its choices are no less likely than this, one with another, in nats a choice.
LIKELY = -0.45
# A bug is named where it makes the choices more likely than what is right by at least so many nats.
MORE_LIKELY = 8.0


@dataclass(frozen=True, eq=False)
class Staircase:
    """A staircase of offers.

    Attributes:
        probe: the world; its observations are the offers (each with both orders of actions), a blank, and the chain.
        offers: x of each start, [2 K]; the first K are taken by action 0, the others by action 1.
        chain: "Ruler" or "Ratchet", what comes after going on.
    """

    probe: Probe
    offers: np.ndarray
    chain: str


def build(chain: str, offers: Sequence[float], *, scale: float, discount: float) -> Staircase:
    """The staircase over given offers.

    Args:
        chain: "Ruler" or "Ratchet".
        offers: K sums to choose against.
        scale: the largest reward of the chain.
        discount: gamma.
    """
    both = [*offers, *offers]
    count = len(both)
    blank_start, blank, first = count, count + 1, count + 2
    rewards = [scale / 100, scale / 10, scale] if chain == "Ruler" else [0.0, 0.4 * scale]
    names = ("s0", "s1", "s2") if chain == "Ruler" else ("a", "b")

    def rule(state: int, action: int) -> list[Outcome]:
        if state < count:
            takes = action == (state >= count // 2)
            # What is seen after an offer is taken is trained, and worth nothing.
            return [Outcome(1.0, blank, both[state], True) if takes else Outcome(1.0, first)]
        if state == blank_start:
            return [Outcome(1.0, blank)]
        if state == blank:
            return [Outcome(1.0, blank, 0.0, True)]
        step = state - first
        if chain == "Ratchet":
            return [Outcome(1.0, first + 1, rewards[step])]
        ends = step == len(rewards) - 1
        return [Outcome(1.0, first + 1 if ends else state + 1, rewards[step], ends)]

    num_states = first + len(rewards)
    starts = tuple(range(count + 1))
    sure = ", ".join(f"{offer:.3g}" for offer in offers)
    probe = Probe(
        name=f"Staircase to the {chain}",
        purpose="what a policy expects of going on, by what it gives up for it",
        picture=f"take a sure {sure} and end, or go on to {names[0]} of the {chain}",
        mdp=tabulate(
            rule,
            num_states=num_states,
            num_actions=2,
            start=np.isin(np.arange(num_states), starts) / len(starts),
            discount=discount,
        ),
        labels=np.arange(num_states),
        label_names=(*(f"offer {i}" for i in range(count)), "blank start", "blank", *names),
        starts=starts,
        max_episode_steps=100 if chain == "Ruler" else 4,
        chooses=True,
    )
    return Staircase(probe, np.array(both), chain)


def steps_with_choices(staircase: Staircase, family: Family, goes: np.ndarray) -> Experience:
    """The stream of steps with both actions taken equally often, and values of actions where there is a choice.

    Args:
        staircase: the world.
        family: how the learner forms targets.
        goes: at which starts the learner's policy goes on, [2 K] bool; what bootstraps from a start looks there.

    Returns:
        Steps whose first 2 K observations stand for taking, the next 2 K for going on, then the rest.
    """
    mdp, count = staircase.probe.mdp, len(staircase.offers)
    columns: list[tuple[int, float, int, int, bool, bool]] = []
    # Every start with either choice, so that neighbours in the stream differ; a whole number of rollouts.
    episodes = [(start, (start + turn) % 2) for turn in range(2) for start in staircase.probe.starts]
    episodes *= family.length if family.kind == "rollout" else 1

    def entry(state: int, going: bool) -> int:
        if state >= count:
            return state + count
        return state + count * going

    for index, (start, going) in enumerate(episodes):
        state, elapsed = start, 0
        following_start = episodes[(index + 1) % len(episodes)][0]
        while True:
            action = int((state >= count // 2) != bool(going)) if state < count else 0
            following, elapsed = int(mdp.next_state[state, action, 0]), elapsed + 1
            terminated = bool(mdp.terminated[state, action, 0])
            truncated = not terminated and elapsed >= staircase.probe.max_episode_steps
            over = terminated or truncated
            after = following_start if over else following
            greedy = bool(goes[after]) if after < count else False
            columns.append(
                (
                    entry(state, bool(going)),
                    float(mdp.reward[state, action, 0]),
                    entry(following, False),
                    entry(after, greedy),
                    terminated,
                    truncated,
                )
            )
            if over:
                break
            state = following
    state_, reward, next_, after_, terminated_, truncated_ = (np.array(column) for column in zip(*columns))
    return Experience(
        family=family,
        num_observations=staircase.probe.num_observations + count,
        state=state_,
        reward=reward,
        next_state=next_,
        after_reset=after_,
        terminated=terminated_,
        truncated=truncated_,
        bootstrap=1.0 - terminated_,
        carry=1.0 - (terminated_ | truncated_),
        discount=mdp.discount,
    )


def preferences(staircase: Staircase, family: Family, bug: Bug | None) -> np.ndarray:
    """By how much going on is thought better than taking at each start, [2 K]; NaN where that is not learned."""
    count = len(staircase.offers)
    goes = np.zeros(count, dtype=bool)
    gain = np.zeros(count)
    for _ in range(10):  # policy improvement, which settles after a few
        steps = steps_with_choices(staircase, family, goes)
        values = learned_values(steps if bug is None else bug.change(steps))
        if not np.isfinite(values[: 2 * count]).all():
            return np.full(count, np.nan)
        gain = values[count : 2 * count] - values[:count]
        if ((gain > 0) == goes).all():
            break
        goes = gain > 0
    return gain


def choose_offers(chain: str, *, scale: float, discount: float) -> list[float]:
    """Offers between the turning points of what is right and of every bug of one-step learners that shows here.

    Returns:
        At most eight sums, those around what is right first of all, in rising order.
    """
    probe = build(chain, [scale / 10], scale=scale, discount=discount)
    points = []
    for bug in (None, *(one for one in BUGS if "one_step" in one.families and one.key != "rewards_clipped")):
        gain = preferences(probe, ONE_STEP, bug)[0]
        if np.isfinite(gain):
            points.append(gain + scale / 10)
    right = points[0]
    distinct = sorted({round(point, 9) for point in points if 0.02 * scale < point < 2 * scale})
    offers = [float(np.sqrt(low * high)) for low, high in itertools.pairwise(distinct) if high / low > APART]
    offers = [distinct[0] * 0.7, *offers, distinct[-1] * 1.3]
    offers.sort(key=lambda offer: abs(np.log(offer / right)))
    return sorted(offers[:MOST_OFFERS])


@lru_cache(maxsize=8)
def staircases(scale: float, discount: float) -> tuple[Staircase, Staircase]:
    """The staircase to the Ruler and the one to the Ratchet."""

    def one(chain: str) -> Staircase:
        offers = choose_offers(chain, scale=scale, discount=discount)
        return build(chain, offers, scale=scale, discount=discount)

    return one("Ruler"), one("Ratchet")


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


def log_likelihood(choices: Sequence[Choices], family: Family, bug: Bug | None) -> float:
    """The logarithm of the probability of the choices under a hypothesis, in nats; -inf where it makes none."""
    total = 0.0
    for one in choices:
        gain = preferences_cached(one.staircase, family, bug)
        scale = float(np.abs(one.staircase.probe.mdp.reward).max())
        width = UNSURE * one.staircase.offers + UNSURE_OF_SCALE * scale
        with np.errstate(over="ignore"):
            probability = 1 / (1 + np.exp(-np.where(np.isnan(gain), 0.0, gain) / width))
        probability = MISTAKE + (1 - 2 * MISTAKE) * probability
        total += float((one.goes * np.log(probability) + (one.seeds - one.goes) * np.log(1 - probability)).sum())
    return total


@lru_cache(maxsize=4096)
def preferences_cached(staircase: Staircase, family: Family, bug: Bug | None) -> np.ndarray:
    """As `preferences`, kept."""
    return preferences(staircase, family, bug)


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
            nats = log_likelihood(choices, family, bug) - 1.0 * (family.kind != "one_step")
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
