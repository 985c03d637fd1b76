"""The planted agents are right without a bug, and each bug changes what is learned or done.

The numbers are worked out by hand from the chains, discount 1/2. Ruler: s2 = 100, s1 = 10 + 100/2 = 60,
s0 = 1 + 60/2 = 31. Ratchet: b = 8 + b/2 = 16, a = b/2 = 8.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import rl_envs
from tests.diagnosis.planted.small_worlds import Maker, ratchet, ruler
from tests.diagnosis.planted.table import CORRECT, NO_TRACE, PLANTED

NETWORKS = ("dqn", "double_dqn", "two_step_dqn", "a2c", "ppo", "shipped DQN", "shipped ActorCritic")
TABLES = tuple(agent for agent in CORRECT if agent not in NETWORKS and agent != "soft_q_learning")
# These need a time limit to be seen.
ON_RATCHET = ("timeout_as_terminal", "reset_observation_as_next", "autoreset_row_learned", "steps_after_end")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class LineWalk:
    """A short walk of the library's own, as the exam hands worlds out."""

    discount = 0.9

    def __call__(self) -> Any:
        return rl_envs.TabularEnv(rl_envs.build("LineWalk", size=3, discount=self.discount))


def values(train: Any, maker: Maker, steps: int = 4_000, seed: int = 0) -> np.ndarray:
    policy = train(maker, steps, seed)
    return policy.value(np.arange(maker().observation_space.n))


@pytest.mark.parametrize("agent", TABLES)
def test_a_correct_table_learns_the_right_values(agent: str) -> None:
    assert values(CORRECT[agent], ruler()) == pytest.approx([31, 60, 100], rel=1e-3)
    assert values(CORRECT[agent], ratchet()) == pytest.approx([8, 16], rel=1e-3)


@pytest.mark.parametrize("agent", TABLES)
def test_a_correct_table_reaches_the_optimum(agent: str) -> None:
    # The exact score of the greedy policy; 1 is the optimum found by the solver.
    assert rl_envs.truth(LineWalk()()).score(CORRECT[agent](LineWalk(), 6_000, 3)) == pytest.approx(1)


@pytest.mark.proofs
@pytest.mark.parametrize("agent", NETWORKS)
def test_a_correct_network_learns_the_right_values(agent: str) -> None:
    assert values(CORRECT[agent], ruler(largest=10.0)) == pytest.approx([3.1, 6, 10], rel=0.02)
    assert values(CORRECT[agent], ratchet()) == pytest.approx([8, 16], rel=0.02)


@pytest.mark.proofs
@pytest.mark.parametrize("agent", NETWORKS)
def test_a_correct_network_reaches_the_optimum(agent: str) -> None:
    assert rl_envs.truth(LineWalk()()).score(CORRECT[agent](LineWalk(), 8_000, 3)) == pytest.approx(1)


def test_correct_soft_q_learning_learns_its_own_values() -> None:
    # Both actions alike: each state adds an entropy of ln 2 a step to the plain values.
    bonus = np.log(2)
    expected = [31 + bonus * 1.75, 60 + bonus * 1.5, 100 + bonus]
    assert values(CORRECT["soft_q_learning"], ruler()) == pytest.approx(expected, rel=1e-3)
    # At the end there is no choice; with its entropy s2 would be worth ln 2 / 2 more. The end looks like s1.
    wrong = values(PLANTED["soft_q_learning", "entropy_at_terminal"], ruler())
    assert wrong[2] == pytest.approx(100 + bonus * 1.5, rel=1e-3)


# Without a mask V2 = 100 + V1/2, V1 = 10 + V2/2: V1 = 80, V2 = 140, V0 = 41, for the end looks like s1.
# Ratchet: after a reset b is bootstrapped from a in every second step of b: b = 8 + (a + b)/4, a = b/2: b = 12.8.
BY_HAND = {
    "terminal_not_masked": (ruler, [41, 80, 140]),
    "timeout_as_terminal": (ratchet, [16 / 3, 32 / 3]),  # b = 8 + b/4
    "reset_observation_as_next": (ratchet, [6.4, 12.8]),
    "reward_one_step_late": (ruler, [3, 6, 10]),  # 0, 1 and 10 arrive where 1, 10 and 100 belong
    "rewards_clipped": (ruler, [1.75, 1.5, 1]),
    "discount_ignored": (ruler, [111, 110, 100]),
    "discount_twice": (ruler, [9.75, 35, 100]),  # discount 1/4
}


@pytest.mark.parametrize("key", BY_HAND)
def test_a_bug_in_q_learning_learns_what_arithmetic_says(key: str) -> None:
    make, expected = BY_HAND[key]
    # The step size of 1/10 leaves values where outcomes differ a little off their mean.
    assert values(PLANTED["q_learning", key], make(), 6_000) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("n_step_discount", [56, 60, 100]),  # s0: 1 + 10/2 + 100/2
        ("n_step_rewards_undiscounted", [36, 110, 100]),  # s0: 1 + 10 + 100/4
        ("return_leaks_across_episodes", [34.875, 60, 115.5]),  # s2: 100 + 1/2 + 60/4; s0: 1 + 10/2 + 115.5/4
    ],
)
def test_a_bug_in_two_step_targets_learns_what_arithmetic_says(key: str, expected: list[float]) -> None:
    assert values(PLANTED["two_step_sarsa", key], ruler()) == pytest.approx(expected, rel=1e-3)


def six_steps(**settings: Any) -> Maker:
    """Longer than any window, and of a length that rollouts do not share: bootstrapping is needed everywhere."""
    return Maker(0.5, (1.0, 2.0, 4.0, 10.0, 20.0, 5.0), ends=True, **settings)


def outcome(train: Any, maker: Maker, seed: int = 5) -> bytes:
    """Everything that is learned and done in a short training, as bytes."""
    # The Huber loss of the shipped DQN follows every error above 1 alike: bugs show once it has learned a little.
    steps = 400 if train.keywords.get("agent") == "DQN" else 160
    policy = train(maker, steps, seed)
    size = len(maker.made[0].rewards)
    observations = np.eye(size, dtype=np.float32) if maker.made[0].one_hot else np.arange(size)
    parts = [policy.value(observations), policy(observations)]
    parts += [np.array([*env.actions, env.steps_after_end]) for env in maker.made]
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def world(key: str) -> Maker:
    """Where a bug can be seen; action 1 loses a little, so that choices matter."""
    make = ratchet if key in ON_RATCHET else six_steps
    return make(loss=0.4, one_hot=key == "observation_aliased")


@cache
def correct_outcome(agent: str, key: str) -> bytes:
    """What the correct agent learns and does in a bug's world."""
    return outcome(CORRECT[agent], world(key))


@pytest.mark.parametrize(("agent", "key"), [*dict.fromkeys([*PLANTED, *NO_TRACE])])
def test_every_bug_changes_what_is_learned_or_done(agent: str, key: str) -> None:
    like = "timeout_as_terminal" if key in ON_RATCHET else key if key == "observation_aliased" else ""
    for train in (planted[agent, key] for planted in (PLANTED, NO_TRACE) if (agent, key) in planted):
        assert outcome(train, world(key)) != correct_outcome(agent, like)


@pytest.mark.parametrize("agent", CORRECT)
def test_a_correct_agent_repeats(agent: str) -> None:
    # So a difference above is the bug's and not the seed's.
    for key in (
        ("timeout_as_terminal", "")
        if agent.startswith("shipped")
        else ("timeout_as_terminal", "observation_aliased", "")
    ):
        assert outcome(CORRECT[agent], world(key)) == correct_outcome(agent, key)


@pytest.mark.parametrize("agent", [agent for agent, key in PLANTED if key == "unseeded"])
def test_an_unseeded_agent_does_not_repeat(agent: str) -> None:
    first, second = (outcome(PLANTED[agent, "unseeded"], six_steps(loss=0.4)) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("agent", [agent for agent, key in PLANTED if key == "steps_after_end"])
def test_only_the_bug_steps_after_an_end(agent: str) -> None:
    right, wrong = ratchet(), ratchet()
    CORRECT[agent](right, 240, 7)
    PLANTED[agent, "steps_after_end"](wrong, 240, 7)
    assert sum(env.steps_after_end for env in right.made) == 0
    assert sum(env.steps_after_end for env in wrong.made) > 100
