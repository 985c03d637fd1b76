"""Environments of a user's own, from the command line to the workers."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import baselines
from baselines.__main__ import main
from baselines.training.specification import WorldSpecification
from tests.corridor import own as own

# Every run walks to the right end at once, which pays 1 and nothing before: sampled or exact, that is the optimum.
LEARN = ["QLearning:epsilon_steps=200"]
SMALL = {"runs": 2, "library_runs": 1, "steps": 600, "checkpoints": 2}


@pytest.mark.parametrize("name", ["corridors:Corridor-v0", "rooms.py:make_env"])
def test_without_a_table_scores_are_sampled_and_copies_reset_within_a_step(own: Path, name: str) -> None:
    task = baselines.make_task(f"{name}:size=3")
    assert task.truth is None
    assert task.name == f"{name}:size=3"
    assert task.make_single().observation_space.n == 3
    envs = task.make_vector(2)
    envs.reset(seed=[0, 1])
    envs.step(np.array([1, 0]))
    observation, reward, terminated, _, info = envs.step(np.array([1, 1]))
    assert (observation.tolist(), reward.tolist(), terminated.tolist()) == ([0, 1], [1.0, 0.0], [True, False])
    assert info["final_obs"][0] == 2
    envs.close()
    curve = baselines.train(baselines.make_agent(LEARN[0], task, runs=2), steps=600, checkpoints=1)
    assert not curve.exact
    assert curve.scores[-1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["corridors:Corridor-v0", "rooms.py:make_env"])
def test_with_a_table_scores_are_exact(own: Path, name: str) -> None:
    task = baselines.make_task(f"{name}:size=3,table=true", discount=0.5)
    assert task.truth.optimal_value == 0.5  # paid in the second step, so discounted once
    curve = baselines.train(baselines.make_agent(LEARN[0], task, runs=2), steps=600, checkpoints=1)
    assert curve.exact
    assert curve.scores[-1].tolist() == [1.0, 1.0]


def test_a_comparison_in_workers_imports_them_there(own: Path) -> None:
    worlds = ("corridors:Corridor-v0:size=3", "rooms.py:make_env:size=3", "rooms.py:make_env:size=3,table=True")
    comparison = baselines.Comparison(worlds=worlds, agents=("Random", *LEARN), **SMALL)
    there = baselines.compare(comparison, own / "two", workers=2)
    here = baselines.compare(comparison, own / "one", workers=1)
    assert [row.world for row in there.rows] == [world for world in worlds for _ in range(2)]
    for row, other in zip(there.rows, here.rows):
        assert row.scores.tobytes() == other.scores.tobytes()
        assert row.exact == ("table" in row.world)
    assert [row.final.tolist() for row in there.rows if row.agent != "Random"] == [[1.0, 1.0]] * 3


def test_results_of_an_environment_without_a_table_hold_for_its_source(own: Path) -> None:
    comparison = baselines.Comparison(worlds=("rooms.py:make_env",), agents=LEARN, **SMALL)
    before = comparison.cells()[0].key
    (own / "rooms.py").write_text((own / "rooms.py").read_text() + "# changed\n")
    from baselines.training import specification

    specification._describe.cache_clear()  # what a new process does not have
    assert baselines.Comparison(worlds=("rooms.py:make_env",), agents=LEARN, **SMALL).cells()[0].key != before


def test_the_command_trains_in_them(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["--agent", *LEARN, "--steps", "600", "--checkpoints", "1"]
    for world in ("corridors:Corridor-v0:size=3", "rooms.py:make_env:size=3"):
        assert main(["train", "--world", world, *short]) == 0
        assert "mean return" in capsys.readouterr().out
    assert main(["train", "--world", "rooms.py:make_env:walled=flase", *short]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "Error: rooms.py:make_env's walled must be true or false, but is 'flase'. Did you mean false?"
    )


def test_a_table_that_does_not_say_all_is_no_table() -> None:
    """The passenger of this Taxi changes his mind, which its P does not hold."""
    taxi = next(name for name in ("Taxi-v4", "Taxi-v3") if name in gym.registry)
    assert WorldSpecification.read(f"{taxi}:fickle_passenger=true").task.truth is None
    assert WorldSpecification.read(taxi).task.truth is not None
