"""Files in the form of the BRIDGE data set, made by hand."""

from pathlib import Path

import numpy as np
import pytest

from rl_envs import truth
from rl_envs.extraction.bridge_file import load_bridge


def test_a_table_of_bridge_is_a_world(tmp_path: Path) -> None:
    # Two states: action 0 stays for nothing or goes back, action 1 goes on for 1 and then ends with 3.
    folder = tmp_path / "two_3_fs1"
    folder.mkdir()
    np.savez(folder / "consolidated.npz", transitions=np.array([[0, 1], [0, -1]]), rewards=np.float32([[0, 1], [0, 3]]))
    world = load_bridge(folder / "consolidated.npz", discount=0.5, max_episode_steps=4)
    assert world.name == "two_3_fs1"
    answers = truth(world)
    # From state 1: ending is worth 3; going back 0 + v(0)/2. From 0: 1 + 3/2.
    assert answers.v_star == pytest.approx([2.5, 3.0, 0.0])
    # Within 4 steps: 1, back for 0, 1, 3.
    assert answers.optimal_episode_return() == 5.0


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"transitions": np.zeros((2, 2), int)}, "must have transitions and rewards, but .* has no rewards"),
        (
            {"transitions": np.zeros((2, 2), int), "rewards": np.zeros((2, 3))},
            r"must have one shape .* \(2, 2\) and \(2",
        ),
        (
            {"transitions": np.full((2, 2), 2), "rewards": np.zeros((2, 2))},
            r"must be -1 or a state 0\.\.1, but go from 2",
        ),
    ],
)
def test_another_file_is_refused(arrays: dict, message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "consolidated.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_bridge(tmp_path / "consolidated.npz")
