"""An environment without a table, walked: from then on it is a world in training, comparison and report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import baselines
from baselines.report.value_maps import value_maps
from baselines.training.specification import WorldSpecification
from rl_envs.envs.tabular_vector_env import TabularVectorEnv
from rl_envs.extraction.explored_world import ExploredWorld
from tests.corridor import own as own

PLACE = "rooms.py:make_env:size=4"


def test_explore_makes_it_a_world_with_exact_scores(own: Path) -> None:
    assert baselines.make_task(PLACE).truth is None
    assert baselines.make_task(f"{PLACE},explore=false").world is None
    task = baselines.make_task(f"{PLACE},explore=true", discount=0.5)
    assert isinstance(task.world, ExploredWorld)
    assert task.name == "rooms.py:make_env:discount=0.5,explore=True,size=4"
    assert task.truth is not None
    assert task.truth.optimal_value == 0.25  # paid in the third step, so discounted twice
    assert task.max_episode_steps == 50  # of the wrapper
    assert isinstance(task.make_vector(3), TabularVectorEnv)
    curve = baselines.train(baselines.make_agent("QLearning:epsilon_steps=200", task, runs=2), steps=600, checkpoints=1)
    assert curve.exact
    assert curve.scores[-1].tolist() == [1.0, 1.0]


def test_a_comparison_scores_it_exactly_and_its_report_has_a_map_of_its_values(own: Path) -> None:
    comparison = baselines.Comparison(
        worlds=(f"{PLACE},explore=true",), agents=("Random", "Optimal", "QLearning:epsilon_steps=200"),
        runs=2, library_runs=1, steps=600, checkpoints=2,
    )  # fmt: skip
    result = baselines.compare(comparison, own / "results", workers=1)
    assert all(row.exact for row in result.rows)
    final = {row.agent: row.final.tolist() for row in result.rows}
    assert set(final["Optimal"]) == {1.0}
    assert set(final["Random"]) == {0.0}
    maps = value_maps(f"{PLACE},explore=true", result.rows, ("Random", "Optimal"))
    assert maps is not None
    assert np.isfinite(maps.errors["Random"]).sum() == 3  # a state for each cell but the last


def test_its_description_changes_with_the_table_and_with_what_is_seen(own: Path) -> None:
    described = [WorldSpecification.read(f"rooms.py:make_env:size={size},explore=true").description for size in (3, 4)]
    assert described[0]["table"] != described[1]["table"]
    assert described[0]["observation"] != described[1]["observation"]


def test_explore_is_true_or_false(own: Path) -> None:
    with pytest.raises(TypeError, match=r"rooms.py:make_env's explore must be true or false, but is 'ture'. Did you"):
        baselines.make_task("rooms.py:make_env:explore=ture")
