"""What choices and logs tell, from made-up trainings of Contexts and Loud."""

from __future__ import annotations

import numpy as np
import pytest

from rl_envs.diagnosis import behaviour
from rl_envs.diagnosis.adapters import Learned
from rl_envs.diagnosis.episode_log import EpisodeLog
from rl_envs.diagnosis.probes import Probe, contexts, detour, loud
from rl_envs.diagnosis.training import TrainingRun
from rl_envs.diagnosis.watched_env import CopyLog

CONTEXTS = contexts(scale=10.0)
BEST = [0, 1, 2]


def run(probe: Probe, chosen: list[int], *, late_share: float = 0.95) -> TrainingRun:
    """A training that ends with a policy, taking its actions with a probability in the last fifth."""
    n, num_actions = len(chosen), probe.mdp.num_actions
    policy = np.eye(num_actions)[chosen]
    rest = (1 - late_share) / (num_actions - 1)
    late = np.rint(1_000 * (policy * (late_share - rest) + rest)).astype(np.int64)
    counts = late + 500
    early = np.full_like(late, 50)
    log = EpisodeLog(3_000, 1_000, 1, 0, 0, (0,), counts, early, late, np.full(n, 100), "same")
    return TrainingRun(probe.name, 0, 3_000, Learned("a policy", policy=policy), log, 0.0)


def test_no_action_pattern_of_one_bug_is_that_of_another() -> None:
    # The worst actions must not be the best ones of the context before or behind.
    rewards = CONTEXTS.mdp.mean_reward
    worst, best = rewards.argmin(axis=1), rewards.argmax(axis=1)
    assert best.tolist() == BEST
    assert not any((worst == np.roll(best, shift)).all() for shift in (1, 2))
    assert len(set(rewards.sum(axis=1))) == 3


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (CONTEXTS.mdp.mean_reward.argmin(axis=1).tolist(), ("wrong_sign",)),
        ([2, 0, 1], ("stale_observation",)),
        ([1, 2, 0], ("stale_observation",)),
        ([1, 1, 1], ("action_shifted", "observation_ignored")),
    ],
)
def test_choices_that_a_bug_explains_are_named(chosen: list[int], keys: tuple[str, ...]) -> None:
    misread = behaviour.misread_contexts(CONTEXTS, [run(CONTEXTS, chosen) for _ in range(4)])
    assert misread is not None
    assert misread[0] == keys


@pytest.mark.parametrize(
    "runs",
    [
        [run(CONTEXTS, BEST) for _ in range(4)],
        # One seed in four that came to take one action everywhere accuses nobody, nor do actions that are still tried.
        [run(CONTEXTS, [1, 1, 1]), *(run(CONTEXTS, BEST) for _ in range(3))],
        [run(CONTEXTS, [1, 1, 1], late_share=0.4) for _ in range(4)],
    ],
    ids=["right", "one in four", "still trying"],
)
def test_other_choices_are_not(runs: list[TrainingRun]) -> None:
    assert behaviour.misread_contexts(CONTEXTS, runs) is None


def test_in_loud_the_sure_reward_is_worth_less_and_with_clipping_more() -> None:
    probe = loud(scale=10.0)
    outcomes, weights = probe.mdp.reward, probe.mdp.probability
    mean, clipped = ((weights * np.clip(outcomes, -bound, bound)).sum(axis=-1) for bound in (np.inf, 1.0))
    assert mean.argmax(axis=1).tolist() == [1, 0]
    assert clipped.argmax(axis=1).tolist() == [0, 1]


def test_only_seeds_that_all_take_the_sure_reward_tell_of_clipping() -> None:
    probe = loud(scale=10.0)
    clipped, right = run(probe, [0, 1]), run(probe, [1, 0])
    assert behaviour.never_takes_the_loud([clipped] * 4)
    assert not behaviour.never_takes_the_loud([clipped, clipped, clipped, right])
    assert not behaviour.never_takes_the_loud([right] * 4)


def in_detour(value: float, *, share: float) -> list[TrainingRun]:
    """Four trainings that expect so much at the start and take the paying action with this share."""
    probe = detour(scale=10.0)
    q = np.array([[value] * 3, [10.0, 0.0, 0.0]])
    late = np.rint([[300, 300, 300], [900 * share, 450 * (1 - share), 450 * (1 - share)]]).astype(np.int64)
    log = EpisodeLog(3_000, 1_000, 1, 0, 0, (0,), late * 5, late, late, np.full(2, 100), "same")
    return [TrainingRun(probe.name, seed, 3_000, Learned("a table", q=q), log, 0.0) for seed in range(4)]


def test_values_of_the_exploring_policy_are_told_from_the_best_ones() -> None:
    probe = detour(scale=10.0)
    found = behaviour.values_its_exploration(probe, in_detour(4.0, share=0.8))  # 10 / 2 times 0.8
    assert found == pytest.approx({"learned": 4.0, "best": 5.0, "exploring": 4.0})
    assert behaviour.values_its_exploration(probe, in_detour(5.0, share=0.8)) is None
    assert behaviour.values_its_exploration(probe, in_detour(4.9, share=0.98)) is None  # too close to tell


def of_actions(actions: np.ndarray) -> TrainingRun:
    """A training that took these actions in the three contexts of Contexts in turn."""
    labels = np.arange(len(actions)) % 3
    copy = CopyLog(labels=labels.tolist(), actions=actions.tolist())
    log = EpisodeLog.of([copy], 3, 3)
    return TrainingRun("Contexts", 0, len(actions), Learned("nothing"), log, 0.0)


def test_actions_that_change_only_with_the_policy_are_told_from_those_of_chance() -> None:
    rng = np.random.default_rng(0)
    best = np.arange(3_000) % 3
    # Another action everywhere for each of the first ten rollouts of 30 steps, then the best one for good.
    in_rollouts = np.where(np.arange(3_000) < 300, np.arange(3_000) // 30 % 3, best)
    by_chance = np.where(rng.random(3_000) < 0.1, rng.integers(3, size=3_000), best)
    falling = np.where(rng.random(3_000) < 1 - np.arange(3_000) / 1_500, rng.integers(3, size=3_000), best)
    rows = behaviour.never_explores([of_actions(in_rollouts)] * 4)
    assert rows is not None
    assert "never by chance" in rows
    assert behaviour.never_explores([of_actions(by_chance)] * 4) is None
    assert behaviour.never_explores([of_actions(falling)] * 4) is None
    alone = behaviour.never_explores([of_actions(np.zeros(3_000, dtype=np.int64))] * 4)
    assert alone is not None
    assert "never tried" in alone
