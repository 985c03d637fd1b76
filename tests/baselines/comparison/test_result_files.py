"""Cells, their keys and their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.comparison import cells
from baselines.comparison.cells import AgentCell, Result
from baselines.comparison.result_files import execution_metadata, version
from baselines.registry import AGENTS
from baselines.system.atomic_files import StorageError
from baselines.training.registration import AgentSpecification
from baselines.training.specification import WorldSpecification

WORLD, AGENT = WorldSpecification.read("LineWalk:size=3"), AGENTS.read("QLearning:epsilon=0.5")
CELL = AgentCell(WORLD, AGENT, first_run=2, num_runs=3, steps=100, checkpoints=2, seed=1)
RESULT = Result(np.array([0, 50, 100]), np.arange(9.0).reshape(3, 3) / 7, exact=True, seconds=1.5)


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    assert CELL.read(tmp_path) is None
    CELL.write(RESULT.arrays(), tmp_path, execution_metadata())
    found = Result.of(CELL.read(tmp_path))
    np.testing.assert_array_equal(found.steps, RESULT.steps)
    np.testing.assert_array_equal(found.scores, RESULT.scores)
    assert (found.exact, found.seconds) == (True, 1.5)
    assert [path.name.split("-runs")[0] for path in tmp_path.iterdir()] == ["LineWalk_size_3-QLearning_epsilon_0.5"]


@pytest.mark.parametrize(
    "changed",
    [
        {"world": WorldSpecification.read("LineWalk:size=4")},
        {"world": WorldSpecification.read("LineWalk:size=3,observation=one_hot")},
        {"agent": AGENTS.read("QLearning:epsilon=0.6")},
        {"agent": AGENTS.read("Random")},
        {"first_run": 0},
        {"num_runs": 4},
        {"steps": 101},
        {"checkpoints": 3},
        {"seed": 2},
    ],
    ids=str,
)
def test_everything_that_decides_the_result_changes_the_key(changed: dict[str, object]) -> None:
    assert replace(CELL, **changed).key != CELL.key


def test_versions_the_table_and_the_defaults_change_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [CELL.key]
    config = AGENTS.config("QLearning", {"initial_value": 1.0})
    for owner, name, value in (
        (cells, "version", lambda distribution: "99"),
        (WorldSpecification, "description", {"table": "another"}),
        (AgentSpecification, "config", config),
        (cells, "FILE_FORMAT", 99),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            keys.append(replace(CELL, agent=AGENTS.read("QLearning:epsilon=0.5")).key)
    assert len(set(keys)) == 5
    assert replace(CELL).key == CELL.key


def test_a_library_s_version_is_part_of_its_own_agents_keys_only() -> None:
    ours, theirs = (replace(CELL, agent=AGENTS.read(agent)).identity["versions"] for agent in ("QLearning", "SB3DQN"))
    assert "torch" not in ours
    assert {"torch", "stable-baselines3"} <= set(theirs)
    assert version("no-such-distribution") == "not installed"


def path_of(tmp_path: Path) -> Path:
    CELL.write(RESULT.arrays(), tmp_path, execution_metadata())
    return CELL.file(tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 30, 200, -1, -30])
def test_a_file_cut_short_is_named(kept: int, tmp_path: Path) -> None:
    path = path_of(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        StorageError, match=r"result file .*\.npz is corrupt .*delete it and run the same command again"
    ):
        CELL.read(tmp_path)


def read_or_error(folder: Path) -> Result | StorageError:
    try:
        return Result.of(CELL.read(folder))
    except StorageError as error:
        return error


def test_any_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    path = path_of(tmp_path)
    whole = path.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        found = read_or_error(tmp_path)
        if isinstance(found, StorageError):
            assert str(path) in str(found)
            noticed += 1
        else:  # a byte that says nothing, such as a date in the archive
            np.testing.assert_array_equal(found.scores, RESULT.scores)
    assert noticed > len(whole) / 7 / 2


def test_an_edited_score_is_noticed(tmp_path: Path) -> None:
    path = path_of(tmp_path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "scores": arrays["scores"] + 0.1})
    with pytest.raises(StorageError, match="its checksum does not match its content"):
        CELL.read(tmp_path)


def test_another_cell_s_result_is_noticed(tmp_path: Path) -> None:
    other = replace(CELL, seed=5)
    other.write(RESULT.arrays(), tmp_path, execution_metadata())
    other.file(tmp_path).rename(CELL.file(tmp_path))
    with pytest.raises(StorageError, match=r"holds another cell's result; delete it"):
        CELL.read(tmp_path)


def test_a_pickle_inside_is_not_opened(tmp_path: Path) -> None:
    np.savez(CELL.file(tmp_path), scores=np.array([{"a": 1}], dtype=object))
    with pytest.raises(StorageError, match="is corrupt"):
        CELL.read(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    CELL.file(tmp_path).mkdir()
    with pytest.raises(StorageError, match=r"cannot read result file .*: Is a directory"):
        CELL.read(tmp_path)
