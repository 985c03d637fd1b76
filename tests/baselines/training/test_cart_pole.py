"""CartPole for many copies is bit for bit Gymnasium's own, copy by copy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from baselines.training.cart_pole import CartPoleVectorEnv
from baselines.training.task import make_task


def balancing(observation: np.ndarray) -> np.ndarray:
    """Pushes that keep the pole up in most episodes, so that some last until the time limit."""
    return (observation @ np.array([0.1, 0.5, 1.0, 1.0]) > 0).astype(np.int64)


@pytest.mark.parametrize("seed", [3, [5, 1, 4, 1, 5]])
def test_every_copy_goes_the_way_of_gymnasiums_own_bit_for_bit(seed: int | list[int]) -> None:
    own = CartPoleVectorEnv(5)
    theirs = gym.make_vec(
        "CartPole-v1", num_envs=5, vectorization_mode="sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}
    )
    generator = np.random.default_rng(0)
    observation, _ = own.reset(seed=seed)
    np.testing.assert_array_equal(observation, theirs.reset(seed=seed)[0], strict=True)
    ends = np.zeros(2)
    for _ in range(1500):
        action = np.where(np.arange(5) < 3, balancing(observation), generator.integers(2, size=5))
        observation, *outcome, info = own.step(action)
        their_observation, *their_outcome, their_info = theirs.step(action)
        np.testing.assert_array_equal(observation, their_observation, strict=True)
        for ours, other in zip(outcome, their_outcome):
            np.testing.assert_array_equal(ours, other, strict=True)
        assert ("final_obs" in info) == ("final_obs" in their_info)
        if "final_obs" in info:
            np.testing.assert_array_equal(info["_final_obs"], their_info["_final_obs"])
            for mask, ours, other in zip(info["_final_obs"], info["final_obs"], their_info["final_obs"]):
                assert not mask or (ours == other).all()
        ends += [outcome[1].sum(), outcome[2].sum()]
    assert (ends > 0).all()  # some episodes terminated and some were truncated


def test_copies_given_the_saved_state_go_on_in_the_same_way() -> None:
    env, other = CartPoleVectorEnv(3), CartPoleVectorEnv(3)
    env.reset(seed=1)
    other.reset(seed=2)
    for _ in range(40):
        env.step(np.ones(3, dtype=np.int64))
    other.set_state({name: array.copy() for name, array in env.get_state().items()})
    for _ in range(40):  # long enough for new episodes to begin
        action = np.ones(3, dtype=np.int64)
        for ours, others in zip(env.step(action)[:4], other.step(action)[:4]):
            np.testing.assert_array_equal(ours, others, strict=True)


def test_tasks_use_it_for_cart_pole_as_it_is_registered_and_for_nothing_else() -> None:
    assert isinstance(make_task("CartPole-v1").make_vector(2), CartPoleVectorEnv)
    assert not isinstance(make_task("CartPole-v1", sutton_barto_reward=True).make_vector(2), CartPoleVectorEnv)
    assert not isinstance(make_task("MountainCar-v0").make_vector(2), CartPoleVectorEnv)
