"""The state of many copies as arrays: what training goes on from after loading."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from rl_envs.envs.tabular_vector_env import AutoresetMode, TabularVectorEnv

SLIPPERY = {"world": "LineWalk", "slip": 0.2}
NOISY = {"world": "Bandit", "std": 1.0, "max_episode_steps": 7}
PLAIN = {"world": "LineBalance"}
DRAWN_STARTS = {"world": "LineBalance", "start": "uniform"}


def walk(envs: TabularVectorEnv, rng: np.random.Generator, steps: int) -> list[tuple[np.ndarray, ...]]:
    num_actions = envs.single_action_space.n
    return [envs.step(rng.integers(num_actions, size=envs.num_envs))[:4] for _ in range(steps)]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("world", [SLIPPERY, NOISY, PLAIN, DRAWN_STARTS], ids=str)
def test_another_environment_goes_on_exactly_where_this_one_is(world: dict[str, object], mode: AutoresetMode) -> None:
    original = TabularVectorEnv(num_envs=3, autoreset_mode=mode, **world)
    original.reset(seed=0)
    walk(original, np.random.default_rng(1), 301)
    saved = original.get_state()
    other = TabularVectorEnv(num_envs=3, autoreset_mode=mode, **world)
    other.set_state(saved)
    for expected, found in zip(*(walk(envs, np.random.default_rng(2), 600) for envs in (original, other))):
        for one, two in zip(expected, found):
            np.testing.assert_array_equal(one, two)


def test_what_was_saved_does_not_change_afterwards() -> None:
    envs = TabularVectorEnv("LineWalk", 2, slip=0.2)
    envs.reset(seed=0)
    saved = envs.get_state()
    copies = {name: array.copy() for name, array in saved.items()}
    walk(envs, np.random.default_rng(0), 300)
    np.testing.assert_equal(saved, copies)


def test_a_state_that_does_not_fit_is_refused() -> None:
    envs = TabularVectorEnv("LineWalk", 2)
    with pytest.raises(ResetNeeded, match="there is no state before the first reset"):
        envs.get_state()
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="must come from get_state\\(\\) of 3 copies of this LineWalk"):
        TabularVectorEnv("LineWalk", 3).set_state(envs.get_state())
    with pytest.raises(ValueError, match="must come from get_state"):
        TabularVectorEnv("LineWalk", 2, slip=0.5).set_state(envs.get_state())
