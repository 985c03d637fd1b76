"""Demonstrations: what is recorded, how it is counted, and what a file may hold."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

import baselines
import rl_envs
from baselines.system.atomic_files import StorageError
from baselines.training.demonstrations import Demonstrations, demonstrations
from rl_envs.mdp.evaluation import occupancy
from rl_envs.mdp.finite_horizon import finite_horizon_values

COLUMNS = ("state", "action", "next_state", "terminated", "truncated")


def two_walks() -> Demonstrations:
    """Two episodes by hand: 3, 4, end; and 3, 3, cut off."""
    return Demonstrations(
        state=np.array([3, 4, 3, 3]),
        action=np.array([1, 1, 0, 0]),
        next_state=np.array([4, 5, 3, 2]),
        terminated=np.array([False, True, False, False]),
        truncated=np.array([False, False, False, True]),
        discount=0.5,
        table="none",
    )


def test_visits_are_counted_with_the_discount_and_per_episode() -> None:
    shown = two_walks()
    assert shown.num_episodes == 2
    np.testing.assert_array_equal(shown.time, [0, 1, 0, 1])
    expected = np.zeros((6, 2))
    expected[3, 1] = 1 / 2
    expected[4, 1] = 0.5 / 2
    expected[3, 0] = (1 + 0.5) / 2
    np.testing.assert_allclose(shown.visitation(6, 2), expected, rtol=1e-15)


def test_it_is_a_function_of_the_package_whatever_was_imported_before() -> None:
    assert baselines.demonstrations is demonstrations
    assert baselines.Demonstrations is Demonstrations


def test_the_optimal_walk_is_written_down_as_it_is() -> None:
    shown = baselines.demonstrations("LineWalk", np.ones(11, dtype=int), 2, seed=0)
    np.testing.assert_array_equal(shown.state, [5, 6, 7, 8, 9] * 2)
    np.testing.assert_array_equal(shown.next_state, [6, 7, 8, 9, 10] * 2)
    np.testing.assert_array_equal(shown.terminated, [False, False, False, False, True] * 2)
    assert not shown.truncated.any()
    truth = rl_envs.truth("rl_envs/LineWalk-v0")
    assert shown.discount == truth.mdp.discount
    assert shown.table == truth.mdp.content_hash
    np.testing.assert_allclose(shown.visitation(11, 2), occupancy(truth.mdp, np.ones(11, dtype=int)), rtol=1e-12)


def test_visits_come_near_their_exact_mean() -> None:
    truth = rl_envs.truth("rl_envs/FourRooms-v0")
    uniform = np.full((104, 4), 0.25)
    visits = [demonstrations("FourRooms", uniform, 100, seed=seed).visitation(104, 4) for seed in range(6)]
    exact = occupancy(truth.mdp, uniform)
    # 600 episodes in 6 batches; the discounted sums of 104 * 4 counts lie within 6 standard errors.
    error = np.std(visits, axis=0, ddof=1) / np.sqrt(6)
    assert (np.abs(np.mean(visits, axis=0) - exact) < 6 * error + 0.02).all()
    assert np.abs(np.mean(visits, axis=0).sum() - exact.sum()) < 0.05


def test_the_horizon_cuts_the_count_where_it_cuts_the_episode() -> None:
    truth = rl_envs.truth("rl_envs/LineBalance-v0")
    shown = demonstrations("LineBalance", truth.optimal_policy, 3, seed=0)
    assert shown.truncated.sum() == 3
    np.testing.assert_array_equal(shown.time, np.tile(np.arange(20), 3))
    visits = shown.visitation(11, 3)
    assert visits.sum() == pytest.approx((1 - 0.95**20) / (1 - 0.95))
    value = finite_horizon_values(truth.mdp, truth.optimal_policy, 20, discount=0.95) @ truth.mdp.start
    assert (visits * truth.mdp.mean_reward).sum() == pytest.approx(value, abs=1e-12)


def test_episodes_without_end_are_cut_off() -> None:
    shown = demonstrations("RandomWalk", np.full((1002, 2), 0.5), 2, seed=0, max_length=3)
    np.testing.assert_array_equal(shown.truncated, [False, False, True] * 2)


def test_an_episode_does_not_depend_on_how_many_there_are() -> None:
    uniform = np.full((5, 3), 1 / 3)
    few, many = (demonstrations("RandomMDP", uniform, n, seed=3) for n in (2, 5))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[: len(few.state)])
    other = demonstrations("RandomMDP", uniform, 2, seed=4)
    assert not np.array_equal(few.action, other.action)


def test_the_state_is_recorded_also_where_it_is_hidden() -> None:
    truth = rl_envs.truth("rl_envs/BanditTestbed-v0")
    shown = demonstrations("BanditTestbed", truth.optimal_policy, 3, seed=0, max_length=2)
    np.testing.assert_array_equal(shown.action, truth.optimal_policy[shown.state])
    assert len(np.unique(shown.state)) == 3


def test_joint_actions_are_recorded_as_the_table_counts_them() -> None:
    truth = rl_envs.truth("rl_envs/RobotGraspMulti-v0")
    shown = demonstrations("RobotGraspMulti", truth.optimal_policy, 2, seed=0)
    np.testing.assert_array_equal(shown.action, truth.optimal_policy[shown.state])
    assert shown.action.max() >= 4


def test_a_file_gives_back_what_was_saved(tmp_path) -> None:
    shown = demonstrations("RandomMDP", np.full((5, 3), 1 / 3), 4, seed=1)
    shown.save(tmp_path / "shown.npz")
    loaded = Demonstrations.load(tmp_path / "shown.npz")
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(shown, name))
        assert getattr(loaded, name).dtype == getattr(shown, name).dtype
    assert (loaded.discount, loaded.table) == (shown.discount, shown.table)


class Trap:
    """Says so if it is ever unpickled."""

    def __reduce__(self):
        return os.mkdir, ("trap-sprung",)


def test_nothing_in_a_file_is_unpickled(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("trap.npz", state=np.array([Trap()], dtype=object))
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Trap()))
    for name in ("trap.npz", "plain.npz"):
        with pytest.raises(StorageError, match=f"{name} is cut short or is no npz file"):
            Demonstrations.load(name)
    assert not (tmp_path / "trap-sprung").exists()


def test_other_files_are_refused(tmp_path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*nowhere.npz: No such file"):
        Demonstrations.load(tmp_path / "nowhere.npz")
    path = tmp_path / "shown.npz"
    two_walks().save(path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match=r"shown.npz is cut short or is no npz file"):
            Demonstrations.load(path)
    np.savez(path, state=np.arange(3))
    with pytest.raises(StorageError, match=r"shown.npz must hold the arrays \['action', .*, but holds \['state'\]"):
        Demonstrations.load(path)


def test_a_file_of_steps_that_are_no_episodes_is_refused(tmp_path) -> None:
    two_walks().save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "b.npz", **{**arrays, "state": np.array([3, 3, 3, 3])})
    with pytest.raises(StorageError, match=r"b.npz holds no demonstrations: each step must begin where"):
        Demonstrations.load(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", **{**arrays, "format": np.array(99)})
    with pytest.raises(StorageError, match=r"c.npz has file format 99, but this version reads 1"):
        Demonstrations.load(tmp_path / "c.npz")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"action": np.array([1, 1, 0])}, ValueError, r"action must have one entry a step, \(4,\), but has \(3,\)"),
        ({"action": np.array([1, 1, 0, -2])}, ValueError, "action must not be negative, but is -2 at step 3"),
        ({"action": np.array([1.0, 1, 0, 0])}, TypeError, "action must hold integers, but has float64"),
        ({"terminated": np.zeros(4, dtype=int)}, TypeError, "terminated must hold bools, but has int64"),
        ({"truncated": np.zeros(4, dtype=bool)}, ValueError, "the last step must end its episode"),
        (
            {"next_state": np.array([3, 5, 3, 2])},
            ValueError,
            "step 0 led to state 3 and step 1 begins in state 4",
        ),
        ({"discount": 1.5}, ValueError, r"discount must be in \[0, 1\], but is 1.5"),
    ],
)
def test_steps_that_are_no_episodes_are_refused(change: dict, error: type[Exception], message: str) -> None:
    walks = two_walks()
    columns = {name: getattr(walks, name) for name in (*COLUMNS, "discount", "table")}
    with pytest.raises(error, match=message):
        Demonstrations(**{**columns, **change})


def test_states_beyond_the_table_are_refused() -> None:
    with pytest.raises(ValueError, match="state must be below 4, but is 4 at step 1"):
        two_walks().visitation(4, 2)
    with pytest.raises(ValueError, match="action must be below 1, but is 1 at step 0"):
        two_walks().visitation(6, 1)


def test_what_cannot_be_demonstrated_is_refused() -> None:
    with pytest.raises(TypeError, match="CartPole-v1 has no table"):
        demonstrations("CartPole-v1", np.zeros(1, dtype=int), 1)
    with pytest.raises(ValueError, match="a demonstration needs one policy, but these are 3"):
        demonstrations("LineWalk", np.ones((3, 11), dtype=int), 1)
    with pytest.raises(ValueError, match="n must be at least 1, but is 0"):
        demonstrations("LineWalk", np.ones(11, dtype=int), 0)
    with pytest.raises(ValueError, match="max_length must be at least 1, but is 0"):
        demonstrations("LineWalk", np.ones(11, dtype=int), 1, max_length=0)
