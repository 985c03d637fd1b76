"""What the replay keeps, how it is sampled, and n-step returns that end where they must."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from baselines.learning.replay import Replay
from baselines.learning.transition import Transition


def uniform(runs: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).random((runs, size))


def filled(capacity: int, steps: int, *, runs: range = range(2), ends: dict[int, str] | None = None) -> Replay:
    """Step t of run r sees 100 r + t and then 100 r + t + 1, does t % 3 and earns 10^t."""
    replay = Replay(len(runs), capacity, spaces.Discrete(1000))
    number = np.array(runs)
    for t in range(steps):
        end = (ends or {}).get(t, "")
        replay.add(
            Transition(
                observation=100 * number + t,
                action=np.full(len(runs), t % 3),
                reward=np.full(len(runs), 10.0**t),
                next_observation=100 * number + t + 1,
                terminated=np.full(len(runs), end == "terminated"),
                truncated=np.full(len(runs), end == "truncated"),
            )
        )
    return replay


def test_a_batch_holds_whole_steps_of_its_own_run() -> None:
    batch = filled(10, 6).sample(uniform(2, 50), n_step=1, discount=0.9)
    time = batch.observation - [[0], [100]]
    assert ((time >= 0) & (time < 6)).all()
    np.testing.assert_array_equal(batch.action, time % 3)
    np.testing.assert_array_equal(batch.reward, np.float32(10.0) ** time)
    np.testing.assert_array_equal(batch.next_observation, batch.observation + 1)
    assert not batch.terminated.any()
    np.testing.assert_allclose(batch.discount, 0.9)


def test_the_newest_steps_replace_the_oldest() -> None:
    replay = filled(4, 7)
    assert len(replay) == 4
    assert set(replay.sample(uniform(2, 200), n_step=1, discount=1.0).observation[0]) == {3, 4, 5, 6}


def test_every_step_kept_is_drawn_equally_often() -> None:
    times = filled(4, 7).sample(uniform(2, 4000), n_step=1, discount=1.0).observation[0]
    # Counts have mean 1000 and standard deviation sqrt(4000 * 3/16) = 27.4; four of them are allowed.
    np.testing.assert_allclose(np.bincount(times, minlength=7)[3:], 1000, atol=110)


def test_what_is_stored_is_a_copy() -> None:
    replay = Replay(1, 3, spaces.Box(-1, 1, (2,)))
    row = np.zeros((1, 2), dtype=np.float32)
    flag = np.zeros(1, dtype=np.bool_)
    replay.add(Transition(row, np.array([0]), np.array([0.0]), row, flag, flag))
    row[:] = 7.0
    assert not replay.sample(uniform(1, 1), n_step=1, discount=1.0).observation.any()


def n_step_by_observation(replay: Replay, n_step: int) -> dict[int, tuple[float, int, bool, float]]:
    """For each step of run 0: the return, what was seen after it, whether it terminated, and the discount."""
    batch = replay.sample(uniform(2, 500), n_step=n_step, discount=0.5)
    rows = zip(batch.observation[0], batch.reward[0], batch.next_observation[0], batch.terminated[0], batch.discount[0])
    return {int(seen): (float(r), int(after), bool(ended), float(d)) for seen, r, after, ended, d in rows}


def test_n_step_returns_stop_at_ends_and_at_the_newest_step() -> None:
    found = n_step_by_observation(filled(20, 9, ends={2: "terminated", 5: "truncated"}), 3)
    assert found == {
        0: (1 + 5 + 25, 3, True, 0.125),  # 10^0 + 10/2 + 100/4, up to the termination at step 2
        1: (10 + 50, 3, True, 0.25),
        2: (100, 3, True, 0.5),
        3: (1e3 + 5e3 + 2.5e4, 6, False, 0.125),  # up to the truncation at step 5, from which it bootstraps
        4: (1e4 + 5e4, 6, False, 0.25),
        5: (1e5, 6, False, 0.5),
        6: (1e6 + 5e6 + 2.5e7, 9, False, 0.125),
        7: (1e7 + 5e7, 9, False, 0.25),  # nothing is known after step 8
        8: (1e8, 9, False, 0.5),
    }


def test_n_step_returns_go_on_over_the_seam_of_the_ring() -> None:
    found = n_step_by_observation(filled(4, 7), 2)
    assert found == {
        3: (1e3 + 5e3, 5, False, 0.25),
        4: (1e4 + 5e4, 6, False, 0.25),
        5: (1e5 + 5e5, 7, False, 0.25),
        6: (1e6, 7, False, 0.5),
    }


def test_nothing_is_added_up_over_a_break() -> None:
    replay = filled(20, 3)
    replay.break_off()
    flag = np.zeros(2, dtype=np.bool_)
    one = np.ones(2)
    replay.add(Transition(np.array([50, 150]), one.astype(int), one, np.array([51, 151]), flag, flag))
    assert n_step_by_observation(replay, 3)[2] == (100, 3, False, 0.5)


def test_a_run_draws_the_same_in_any_population() -> None:
    numbers = uniform(5, 8)
    few = filled(10, 6, runs=range(2, 4)).sample(numbers[2:4], n_step=1, discount=1.0)
    many = filled(10, 6, runs=range(5)).sample(numbers, n_step=1, discount=1.0)
    np.testing.assert_array_equal(few.observation, many.observation[2:4])
    assert not np.array_equal(many.observation[0] % 100, many.observation[1] % 100)


def test_a_restored_replay_holds_the_same_steps_in_arrays_of_its_own() -> None:
    replay = filled(4, 7)
    other = Replay(2, 4, spaces.Discrete(1000))
    other.restore(replay.state())
    assert len(other) == 4
    one, two = (r.sample(uniform(2, 40), n_step=2, discount=1.0) for r in (replay, other))
    for before, after in zip(one, two):
        np.testing.assert_array_equal(before, after)
    replay.break_off()
    assert not other.ended.any()


def test_an_empty_replay_and_one_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="a sample needs at least one stored step, but there is none"):
        Replay(1, 4, spaces.Discrete(3)).sample(uniform(1, 1), n_step=1, discount=1.0)
    with pytest.raises(ValueError, match="capacity must be at least 1, but is 0"):
        Replay(1, 0, spaces.Discrete(3))
