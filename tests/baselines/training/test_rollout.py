"""Where runs learn: beginning in chosen states, and what info says of a step."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.training.rollout import Rollout
from baselines.training.seeding import run_seeds
from baselines.training.task import make_task


def rollout(name: str, runs: int, **arguments: object) -> Rollout:
    return Rollout(make_task(name, **arguments), run_seeds(0, name, "Nobody", range(runs), "environment"))


def test_episodes_begin_in_the_states_chosen() -> None:
    around = rollout("LineWalk", 4)
    around.begin_in(np.array([3, 8, 3, 1]))
    np.testing.assert_array_equal(around.observation, [3, 8, 3, 1])
    transition = around.step(np.array([1, 1, 0, 0]))
    np.testing.assert_array_equal(transition.observation, [3, 8, 3, 1])
    np.testing.assert_array_equal(transition.next_observation, [4, 9, 2, 0])
    np.testing.assert_array_equal(around.observation, [4, 9, 2, 5])  # the last has begun anew, at the start


def test_an_episode_that_began_in_a_chosen_state_has_its_full_length() -> None:
    around = rollout("Bandit", 2)
    around.step(np.array([0, 0]))
    around.begin_in(np.array([0, 0]))
    ends = [around.step(np.array([0, 0])).truncated.all() for _ in range(1_000)]
    assert ends.index(True) == 999


def test_a_state_in_which_no_episode_can_go_on_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a nonterminal state, but 10 is terminal"):
        rollout("LineWalk", 2).begin_in(np.array([5, 10]))


def test_environments_of_others_cannot_begin_in_a_state() -> None:
    with pytest.raises(TypeError, match="CartPole-v1 has no states of ours, so its episodes cannot begin in one"):
        rollout("CartPole-v1", 1).begin_in(np.array([0]))


def test_info_is_that_of_the_step_also_where_it_ended_the_episode() -> None:
    around = rollout("Bandit", 2)
    for _ in range(999):
        around.step(np.array([4, 4]))
    transition = around.step(np.array([0, 2]))
    assert transition.truncated.all()
    np.testing.assert_allclose(around.info("regret"), [1.0, 0.5])


def test_info_before_the_first_step_is_refused() -> None:
    with pytest.raises(ValueError, match="info is about the last step, but none was taken yet: there is no 'regret'"):
        rollout("Bandit", 1).info("regret")


def test_info_that_a_world_does_not_give_is_refused() -> None:
    around = rollout("Bandit", 1)
    around.step(np.array([0]))
    with pytest.raises(TypeError, match="the info of Bandit has no 'sorrow'"):
        around.info("sorrow")
