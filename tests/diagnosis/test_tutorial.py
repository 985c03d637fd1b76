"""The tutorial's agents learn what the tutorial's faults make of a world, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest
import torch

from tests.diagnosis.planted.small_worlds import Maker, ratchet, ruler
from tests.diagnosis.tutorial import actor_critic, dqn, q_learning


@pytest.fixture(autouse=True)
def one_thread_and_torchs_generator_as_it_was() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(before)


def test_q_learning_counts_what_comes_after_the_end() -> None:
    # One step that pays 1 and ends where it began: V = 1 + gamma V, so 10 at discount 0.9, where 1 is right.
    table = q_learning.train(Maker(0.9, (1.0,), ends=True, end_shows=0), 6_000, 0)
    assert table.q_values([0]).max() == pytest.approx(10, rel=0.01)
    # With a time limit instead of the end the same is right: 8, 16 on the ratchet.
    assert q_learning.train(ratchet(), 4_000, 0).q_values([0, 1]).max(axis=1) == pytest.approx([8, 16], rel=0.01)


@pytest.mark.proofs
def test_dqn_never_looks_further_than_one_reward() -> None:
    # Without a copy what follows is worth what the untrained network says, a fraction of 1: about 1 and 10 remain of
    # 31 / 10 and 60 / 10, and the last reward needs no copy.
    values = dqn.train(ruler(largest=10.0), 3_000, 0).q_values([0, 1, 2]).max(axis=1)
    assert values == pytest.approx([0.1, 1, 10], abs=0.3)


class Split(gym.Env):
    """A to B or C at random, B pays 1; each end looks like nothing else (Sutton & Barto 2018, example 11.2)."""

    observation_space = gym.spaces.Discrete(5)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):  # type: ignore[no-untyped-def]
        super().reset(seed=seed)
        self.state = 0
        return 0, {}

    def step(self, action):  # type: ignore[no-untyped-def]
        if self.state == 0:
            self.state = int(self.np_random.integers(1, 3))
            return self.state, 0.0, False, False, {}
        return self.state + 2, float(self.state == 1), True, False, {}


class SplitMaker:
    discount = 1.0

    def __call__(self) -> Split:
        return Split()


@pytest.mark.proofs
def test_the_critic_splits_the_difference() -> None:
    # The squared error of the whole episode is least at A = 1/2, B = 3/4, C = 1/4; right are 1/2, 1, 0.
    values = np.mean([actor_critic.train(SplitMaker(), 5_000, seed).value([0, 1, 2]) for seed in range(2)], axis=0)
    assert values == pytest.approx([0.5, 0.75, 0.25], abs=0.06)
