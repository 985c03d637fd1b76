"""Verdicts on synthetic learned values: correct agents are not accused, whatever their noise; bugs are named."""

from __future__ import annotations

import numpy as np
import pytest

from rl_envs.diagnosis.adapters import Learned
from rl_envs.diagnosis.episode_log import EpisodeLog
from rl_envs.diagnosis.evidence import Measured, measure
from rl_envs.diagnosis.operators import BUGS, ONE_STEP, Bug, Family, right_values, wrong_values
from rl_envs.diagnosis.probes import Probe, ratchet, ruler, split, twin_episodes
from rl_envs.diagnosis.staircase import Choices, preferences, staircases
from rl_envs.diagnosis.training import TrainingRun
from rl_envs.diagnosis.verdict import judge_choices, judge_values, to_ask_again

PROBES = (ruler(scale=10.0), ratchet(scale=10.0), twin_episodes(scale=10.0), split(scale=10.0))
SEEDS = 4


def log(probe: Probe) -> EpisodeLog:
    """The log of a training that saw everything that is not only seen at an end."""
    seen = ~np.isnan(right_values(probe))
    counts = np.where(seen[:, None], 500, 0) * np.ones((1, 2), dtype=np.int64)
    return EpisodeLog(1_000, 300, 1, 0, 0, (0,), counts, counts // 20, counts // 5, counts[:, 0], "same")


def measured(values: dict[str, np.ndarray], rng: np.random.Generator, noise: float, *, grown: float = 1.0) -> dict:
    """What four seeds give whose values are these, times how far they have grown, with noise as a share of each."""
    found: dict[str, Measured] = {}
    for probe in PROBES:
        true = np.nan_to_num(values[probe.name], nan=0.0, posinf=1e5)
        size = float(np.nanmax(np.abs(right_values(probe))))
        runs = [
            TrainingRun(
                probe.name,
                seed,
                1_000,
                Learned("an array", values=grown * true + noise * size * rng.standard_normal(len(true))),
                log(probe),
                0.0,
            )
            for seed in range(SEEDS)
        ]
        one = measure(probe, runs)
        assert one is not None
        found[probe.name] = one
    return found


RIGHT = {probe.name: right_values(probe) for probe in PROBES}


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.15])
@pytest.mark.parametrize("family", [None, ONE_STEP, Family("rollout", 5, 1.0)], ids=str)
def test_a_correct_agent_is_not_accused_whatever_its_noise(noise: float, family: Family | None) -> None:
    rng = np.random.default_rng(1)
    for _ in range(6):
        early, late = (measured(RIGHT, rng, noise) for _ in range(2))
        assert judge_values(late, family, early).verdict != "wrong"


@pytest.mark.parametrize("family", [None, ONE_STEP, Family("rollout", 64, 0.95)], ids=str)
def test_a_correct_agent_that_learns_slowly_is_not_accused(family: Family | None) -> None:
    rng = np.random.default_rng(2)
    for grown in (0.1, 0.3, 0.5, 0.7, 0.85, 0.93):
        early = measured(RIGHT, rng, 0.01, grown=grown)
        late = measured(RIGHT, rng, 0.01, grown=1 - (1 - grown) ** 2)  # twice the budget, the same rate
        assert judge_values(late, family, early).verdict != "wrong"


def leaves_a_trace(bug: Bug, family: Family) -> bool:
    """Whether some probe is off by more than a fifth of its size, beyond what noise and constant steps explain."""
    for probe in PROBES:
        wrong, right = wrong_values(probe, family, bug), right_values(probe)
        both = ~np.isnan(wrong) & ~np.isnan(right)
        if np.isinf(wrong[both]).any() or np.abs((wrong - right)[both]).max(initial=0) > np.nanmax(right) / 5:
            return True
    return False


@pytest.mark.parametrize("family", [ONE_STEP, Family("n_step", 2), Family("rollout", 5, 1.0)], ids=str)
def test_the_bug_that_was_planted_is_among_the_keys_named(family: Family) -> None:
    rng = np.random.default_rng(3)
    missed = []
    planted = [bug for bug in BUGS if family.kind in bug.families and leaves_a_trace(bug, family)]
    for bug in planted:
        values = {probe.name: wrong_values(probe, family, bug) for probe in PROBES}
        early, late = (measured(values, rng, 0.005) for _ in range(2))
        judgement = judge_values(late, family, early)
        if judgement.finding is None or bug.key not in judgement.finding.keys:
            missed.append((bug.key, bug.variant, judgement))
    assert not missed


def test_nothing_is_said_against_an_agent_before_twice_the_budget_agrees() -> None:
    rng = np.random.default_rng(4)
    bug = next(one for one in BUGS if one.key == "terminal_not_masked")
    values = {probe.name: wrong_values(probe, ONE_STEP, bug) for probe in PROBES}
    late = measured(values, rng, 0.005)
    assert judge_values(late, ONE_STEP).verdict == "cannot_tell"
    assert judge_values(late, ONE_STEP, late).verdict == "wrong"


def test_values_that_still_move_towards_right_are_not_judged() -> None:
    rng = np.random.default_rng(5)
    bug = next(one for one in BUGS if one.key == "terminal_not_masked")
    wrong = {probe.name: wrong_values(probe, ONE_STEP, bug) for probe in PROBES}
    further = {name: RIGHT[name] + 3 * (wrong[name] - RIGHT[name]) for name in RIGHT}
    judgement = judge_values(measured(wrong, rng, 0.002), ONE_STEP, measured(further, rng, 0.002))
    assert judgement.verdict == "cannot_tell"
    assert "had not settled" in judgement.reason


def test_values_that_fit_no_known_bug_are_not_called_one() -> None:
    rng = np.random.default_rng(6)
    strange = {name: 0.37 * values[::-1] + 3.3 for name, values in RIGHT.items()}
    late = measured(strange, rng, 0.005)
    judgement = judge_values(late, None, late)
    assert judgement.verdict == "cannot_tell"
    assert "no known bug fits it" in judgement.reason


def chosen(family: Family, bug: Bug | None, rng: np.random.Generator, mistakes: float) -> list[Choices]:
    """What four seeds choose that expect what a hypothesis says, but for mistakes."""
    found = []
    for staircase in staircases(10.0, 0.5):
        gain = np.nan_to_num(preferences(staircase, family, bug))
        noise = mistakes * rng.standard_normal((SEEDS, len(gain))) * np.abs(gain + staircase.offers)
        found.append(Choices(staircase, (gain + noise > 0).sum(axis=0).astype(float), SEEDS))
    return found


@pytest.mark.parametrize("mistakes", [0.0, 0.05, 0.1, 0.3])
def test_a_correct_policy_is_not_accused(mistakes: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        early, late = (chosen(ONE_STEP, None, rng, mistakes) for _ in range(2))
        assert judge_choices(late, early).verdict != "wrong"


@pytest.mark.parametrize(
    "key", ["terminal_not_masked", "timeout_as_terminal", "discount_twice", "max_over_batch", "discount_ignored"]
)
def test_a_policy_alone_shows_which_fixed_point_it_was_made_from(key: str) -> None:
    rng = np.random.default_rng(8)
    bug = next(one for one in BUGS if one.key == key)
    early, late = (chosen(ONE_STEP, bug, rng, 0.02) for _ in range(2))
    judgement = judge_choices(late, early)
    assert judgement.finding is not None
    assert key in judgement.finding.keys


def test_choices_at_random_are_not_called_a_bug() -> None:
    rng = np.random.default_rng(9)
    found = [
        Choices(one, rng.integers(0, SEEDS + 1, len(one.offers)).astype(float), SEEDS) for one in staircases(10.0, 0.5)
    ]
    assert judge_choices(found, found).verdict == "cannot_tell"


def test_a_small_constant_deviation_that_a_bug_explains_is_named_once_it_stays() -> None:
    # A rollout of 5 that bootstraps from its last observation again is off by a fifth at s0 and a tenth elsewhere.
    rng = np.random.default_rng(10)
    family = Family("rollout", 5, 1.0)
    bug = next(one for one in BUGS if one.variant == "the last observation again")
    values = {probe.name: wrong_values(probe, family, bug) for probe in PROBES}
    early, late = (measured(values, rng, 0.001) for _ in range(2))
    assert to_ask_again(early, family)
    assert judge_values(early, family).verdict == "cannot_tell"
    judgement = judge_values(late, family, early)
    assert judgement.finding is not None
    assert judgement.finding.keys[0] == "last_value_of_wrong_state"


def test_of_a_correct_agent_nothing_is_asked_again() -> None:
    assert to_ask_again(measured(RIGHT, np.random.default_rng(11), 0.001), ONE_STEP) == []


def test_values_that_nothing_moves_because_their_errors_are_large_are_told_from_values_that_nothing_moves() -> None:
    rng = np.random.default_rng(12)
    # s1 = 1 + s0' as in the Ruler, with s2 stuck at 0.7: s1 = 1.35, s0 = 0.1 + 0.675. Elsewhere all errors are large.
    stuck = {name: np.full(len(values), 0.3) for name, values in RIGHT.items()}
    stuck["Ruler"] = np.array([0.775, 1.35, 0.7])
    stuck["Split"] = np.array([0.15, 0.3, 0.0, np.nan, np.nan])
    stuck["Ratchet"] = np.array([0.15, 0.3])
    stuck["Twin episodes"] = np.array([0.15, 0.3, 1.0, 0.3, 0.3, 0.3])
    late = measured(stuck, rng, 0.001)
    judgement = judge_values(late, ONE_STEP, measured(stuck, rng, 0.001))
    assert judgement.finding is not None
    assert judgement.finding.keys == ("gradient_vanishes_on_large_errors",)
    nothing = measured({name: np.zeros(len(values)) for name, values in RIGHT.items()}, rng, 0.0)
    judgement = judge_values(nothing, ONE_STEP, nothing)
    assert judgement.finding is None or "gradient_vanishes_on_large_errors" not in judgement.finding.keys


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5, 2.0])
def test_a_policy_that_values_its_entropy_is_not_accused(temperature: float) -> None:
    rng = np.random.default_rng(13)
    bonus = 0.5 * temperature * np.log(2)  # discount, temperature, and the entropy of two actions alike

    def chosen_softly() -> list[Choices]:
        found = []
        for staircase in staircases(10.0, 0.5):
            gain = preferences(staircase, ONE_STEP, None, bonus)
            noise = 0.02 * rng.standard_normal((SEEDS, len(gain))) * np.abs(gain + staircase.offers)
            found.append(Choices(staircase, (gain + noise > 0).sum(axis=0).astype(float), SEEDS))
        return found

    assert judge_choices(chosen_softly(), chosen_softly()).verdict != "wrong"
