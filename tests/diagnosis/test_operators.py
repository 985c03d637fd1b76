"""The fixed points of right and wrong learners, against the published fingerprints and by second methods."""

from __future__ import annotations

import numpy as np
import pytest

from rl_envs.diagnosis.bugs import BUG_TABLE
from rl_envs.diagnosis.operators import (
    BUGS,
    ONE_STEP,
    Bug,
    Experience,
    Family,
    experience,
    learned_values,
    right_values,
    wrong_values,
)
from rl_envs.diagnosis.probes import Probe, ratchet, ruler, split, twin_episodes
from rl_envs.exact import truth
from rl_envs.mdp.evaluation import evaluate_policy

TWO_STEP, ROLLOUT = Family("n_step", 2), Family("rollout", 5, 1.0)
# The table of fingerprints was made with an end that shows the start, and 100 as the largest reward.
RULER, RATCHET, SPLIT = ruler(end_shows=0), ratchet(reward=8.0), split(scale=1.0)


def bug(key: str, variant: str = "") -> Bug:
    return next(one for one in BUGS if one.key == key and variant in one.variant)


@pytest.mark.parametrize(
    ("family", "key", "variant", "on_ruler"),
    [
        (ONE_STEP, "terminal_not_masked", "end's", [35.43, 68.86, 117.71]),
        (ONE_STEP, "mask_one_step_early", "", [6, 10, 103]),
        (ONE_STEP, "discount_ignored", "", [111, 110, 100]),
        (ONE_STEP, "discount_twice", "", [9.75, 35, 100]),
        (ONE_STEP, "target_never_synced", "", [1, 10, 100]),
        (ONE_STEP, "broadcast_mean", "", [55.5, 55.5, 55.5]),
        (ONE_STEP, "max_over_batch", "", [51, 60, 100]),
        (ONE_STEP, "reward_one_step_late", "0 at", [3, 6, 10]),
        (ONE_STEP, "reward_one_step_late", "over", [103, 6, 10]),
        (ONE_STEP, "rewards_clipped", "[-1", [1.75, 1.5, 1]),
        (ONE_STEP, "autoreset_row_learned", "", [20.67, 60, 100]),
        (TWO_STEP, "return_leaks_across_episodes", "masked b", [34.88, 60, 115.5]),
        (TWO_STEP, "n_step_discount", "discount", [56, 60, 100]),
        (TWO_STEP, "n_step_discount", "one power", [18.5, 60, 100]),
        (TWO_STEP, "n_step_rewards_undiscounted", "", [36, 110, 100]),
        (ROLLOUT, "return_leaks_across_episodes", "masked b", [31, 60, 100]),  # leaves no trace here
    ],
)
def test_the_ruler_shows_the_published_fingerprint(
    family: Family, key: str, variant: str, on_ruler: list[float]
) -> None:
    assert wrong_values(RULER, family, bug(key, variant)) == pytest.approx(on_ruler, abs=0.006)


@pytest.mark.parametrize(
    ("family", "key", "on_ratchet"),
    [
        (ONE_STEP, "timeout_as_terminal", [5.33, 10.67]),
        (ONE_STEP, "reset_observation_as_next", [6.4, 12.8]),
        (ONE_STEP, "autoreset_row_learned", [4.57, 9.14]),
        (ROLLOUT, "timeout_as_terminal", [5.92, 10.11]),
        (Family("rollout", 64, 0.95), "timeout_as_terminal", [5.96, 10.04]),
        (ROLLOUT, "reset_observation_as_next", [6.8, 12.6]),
    ],
)
def test_the_ratchet_shows_the_published_fingerprint(family: Family, key: str, on_ratchet: list[float]) -> None:
    assert wrong_values(RATCHET, family, bug(key)) == pytest.approx(on_ratchet, abs=0.015)


def test_an_undetached_target_learns_the_residual_gradient_solution_on_split() -> None:
    # Sutton & Barto (2018), example 11.2: the naive residual-gradient algorithm learns 1/2, 3/4, 1/4.
    assert wrong_values(SPLIT, ONE_STEP, bug("target_not_detached"))[:3] == pytest.approx([1 / 2, 3 / 4, 1 / 4])


def test_a_batch_mean_in_rollouts_lies_where_actor_critics_were_seen() -> None:
    values = wrong_values(RULER, ROLLOUT, bug("broadcast_mean"))
    assert (values > 59.9).all()
    assert (values < 64.2).all()


@pytest.mark.parametrize("discount", [0.5, 0.9])
@pytest.mark.parametrize("make", [ruler, ratchet])
def test_right_values_are_those_of_the_exact_solver(make: object, discount: float) -> None:
    probe = make(discount=discount)  # type: ignore[operator]
    assert right_values(probe) == pytest.approx(truth(probe.mdp).v_star)


def test_right_values_where_two_starts_look_alike_are_their_mean() -> None:
    # By the exact solver on the states, and the mean over the two starts by hand.
    probe = twin_episodes()
    v = evaluate_policy(probe.mdp, np.zeros(7, dtype=np.int64))
    assert right_values(probe) == pytest.approx([(v[0] + v[3]) / 2, v[1], v[2], v[4], v[5], v[6]])


@pytest.mark.parametrize("family", [ONE_STEP, TWO_STEP, Family("n_step", 5), ROLLOUT, Family("rollout", 64, 0.95)])
@pytest.mark.parametrize("probe", [ruler(), ratchet(), twin_episodes(), split()], ids=lambda probe: probe.name)
def test_every_family_without_a_bug_learns_the_right_values(probe: Probe, family: Family) -> None:
    np.testing.assert_allclose(learned_values(experience(probe, family)), right_values(probe), atol=1e-9)


def simulated(steps: Experience, step_size: float = 0.02, rounds: int = 20_000) -> np.ndarray:
    """One-step TD along the stream of steps, one at a time, as an agent learns: no linear algebra."""
    values, mean = np.zeros(steps.num_observations), np.zeros(steps.num_observations)
    count = len(steps.state)
    for t in range(rounds):
        i = t % count
        target = steps.reward[i] + steps.discount * steps.bootstrap[i] * values[steps.next_state[i]]
        values[steps.state[i]] += step_size * (target - values[steps.state[i]])
        mean += values * (t >= rounds - 10 * count) / (10 * count)
    return mean


@pytest.mark.parametrize(
    ("key", "variant"),
    [
        ("terminal_not_masked", "end's"),
        ("terminal_not_masked", "reset"),
        ("timeout_as_terminal", ""),
        ("reset_observation_as_next", ""),
        ("autoreset_row_learned", ""),
        ("mask_one_step_early", ""),
        ("stale_observation", "not renewed"),
        ("discount_twice", ""),
    ],
)
@pytest.mark.parametrize("probe", [ruler(scale=10.0), ratchet(scale=10.0)], ids=lambda probe: probe.name)
def test_a_learner_that_goes_step_by_step_arrives_at_the_fixed_point(probe: Probe, key: str, variant: str) -> None:
    steps = bug(key, variant).change(experience(probe, ONE_STEP))
    predicted = learned_values(steps)
    trained = ~np.isnan(predicted)
    assert simulated(steps)[trained] == pytest.approx(predicted[trained], rel=0.02, abs=0.02)


def test_generalised_advantages_agree_with_a_loop_over_one_rollout() -> None:
    # A5 of Schulman et al. (2016), written step by step with numbers for values.
    probe, family = twin_episodes(scale=10.0), Family("rollout", 7, 0.8)
    steps = experience(probe, family)
    from rl_envs.diagnosis.operators import targets

    constant, matrix = targets(steps)
    values = np.arange(1.0, 7.0)
    for first in range(0, len(steps.state), 7):
        advantage = 0.0
        for t in reversed(range(first, first + 7)):
            following = 0.0 if steps.terminated[t] else values[steps.next_state[t]]
            delta = steps.reward[t] + 0.5 * following - values[steps.state[t]]
            advantage = delta + 0.5 * 0.8 * (0.0 if steps.terminated[t] or steps.truncated[t] else advantage)
            assert constant[t] + matrix[t] @ values == pytest.approx(advantage + values[steps.state[t]])


def test_values_that_run_away_are_infinite() -> None:
    assert np.isinf(wrong_values(ratchet(), ONE_STEP, bug("discount_ignored"))).all()


def test_what_is_never_trained_is_nan() -> None:
    # Without the observation of a reset, nothing starts at s0 any more.
    assert np.isnan(wrong_values(ruler(), ONE_STEP, bug("stale_observation", "not renewed"))[0])


def test_twin_episodes_show_a_leak_that_the_ruler_does_not() -> None:
    leak = bug("return_leaks_across_episodes", "masked b")
    assert np.abs(wrong_values(twin_episodes(), ROLLOUT, leak) - right_values(twin_episodes())).max() > 20


def test_a_bonus_for_entropy_is_right_between_steps_and_wrong_at_the_end() -> None:
    # By hand, with a bonus of 2 a step: s2 is the last, so it gets none; s1 = 10 + 2 + 100 / 2; s0 = 1 + 2 + 62 / 2.
    assert right_values(ruler(), 2.0) == pytest.approx([34, 62, 100])
    # With it at the end too: s2 = 102, s1 = 12 + 51, s0 = 3 + 31.5.
    assert wrong_values(ruler(), ONE_STEP, bug("entropy_at_terminal"), 2.0) == pytest.approx([34.5, 63, 102])


def test_every_bug_has_an_entry_that_explains_it() -> None:
    assert {one.key for one in BUGS} <= set(BUG_TABLE)
