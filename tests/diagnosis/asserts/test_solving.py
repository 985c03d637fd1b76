"""assert_solves passes right agents, fails others with every score in the message, and stops early."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import rl_envs
from rl_envs.diagnosis.asserts import assert_solves
from tests.diagnosis.asserts.tabular_training import Table, q_learning


def test_a_right_agent_passes_after_a_few_seeds() -> None:
    result = assert_solves(q_learning, "LineWalk", runs=10, steps=5_000)
    assert result.solved
    assert result.scores == (1.0,) * 5
    assert "5 of 5 seeds solved LineWalk: exact score at least 0.95 after 5,000 steps" in str(result)


def test_an_agent_that_does_not_learn_fails_with_every_score_told() -> None:
    with pytest.raises(AssertionError, match="0 of 4 seeds solved LineWalk") as raised:
        assert_solves(partial(q_learning, learns=False), "LineWalk", steps=100)
    message = str(raised.value)
    # Action 0 everywhere walks away from the goal: worse than uniform.
    score = rl_envs.truth("LineWalk").score(np.zeros(rl_envs.build("LineWalk").mdp.num_states, dtype=int))
    for seed in range(4):
        assert f"seed {seed}: {score:.3f}  not solved" in message
    assert (
        "fails at 4 that are not solved: an agent that solves 95% of seeds fails it with probability 0.001" in message
    )


def test_seeds_and_settings_are_handed_over() -> None:
    seen = []

    def watched(env_fn, steps, seed):
        seen.append((steps, seed, env_fn.discount, env_fn.num_envs, env_fn().spec.id))
        return rl_envs.truth("LineWalk").optimal_policy

    assert_solves(watched, "LineWalk", steps=7, first_seed=40, discount=0.8)
    assert seen == [(7, seed, 0.8, 1, "rl_envs/LineWalk-v0") for seed in range(40, 45)]


def test_a_world_of_ones_own_keeps_its_time_limit() -> None:
    world = rl_envs.build("FourRooms")

    def walks(env_fn, steps, seed):
        env = env_fn()
        env.reset(seed=seed)
        limit = world.max_episode_steps
        ends = [env.step(0)[2:4] for _ in range(limit)]  # against the wall, for ever
        assert ends == [(False, False)] * (limit - 1) + [(False, True)]
        return rl_envs.truth(world).optimal_policy

    assert assert_solves(walks, world).solved


def test_the_same_twice() -> None:
    scores = [assert_solves(q_learning, "LineWalk", steps=1_000, threshold=-9).scores for _ in range(2)]
    assert scores[0] == scores[1]


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(TypeError, match="gave None for seed 0: return the model"):
        assert_solves(lambda env_fn, steps, seed: None, "LineWalk")
    policy = rl_envs.truth("LineWalk").optimal_policy
    with pytest.raises(TypeError, match="must give back one policy for each seed, but gave 2 for seed 0"):
        assert_solves(lambda env_fn, steps, seed: np.stack([policy, policy]), "LineWalk")
    with pytest.raises(ValueError, match="steps must be at least 1, but is 0"):
        assert_solves(q_learning, "LineWalk", steps=0)


def test_a_table_is_a_policy() -> None:
    assert rl_envs.truth("LineWalk").score(Table(rl_envs.truth("LineWalk").q_star)) == 1.0
