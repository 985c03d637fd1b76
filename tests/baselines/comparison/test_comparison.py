"""The comparison: what is run, what is kept, and what an interruption costs."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from baselines.__main__ import main
from baselines.agents.q_learning import QLearning
from baselines.comparison import cells, running
from baselines.comparison import comparison as comparison_module
from baselines.comparison.cells import Result, WorldCell
from baselines.comparison.comparison import PRESETS, Comparison
from baselines.comparison.provenance import command_line, into, repeating_command
from baselines.comparison.result_files import execution_metadata
from baselines.comparison.results import Results, read_results
from baselines.comparison.rows import gather
from baselines.comparison.running import compare
from baselines.registry import make_agent
from baselines.system.atomic_files import StorageError
from baselines.system.workers import JobError, WorkerError
from baselines.training.loop import train
from rl_envs import truth
from rl_envs.exact import Truth
from rl_envs.mdp.evaluation import evaluate_policy

SMALL = Comparison(worlds=("LineWalk", "Bandit"), agents=("Random", "QLearning"), runs=4, steps=200, checkpoints=2)


def by_cell(results: Results) -> dict[tuple[str, str], np.ndarray]:
    return {(row.world, row.agent): row.scores for row in results.rows}


def test_there_is_a_row_for_each_world_and_agent_in_their_order(tmp_path: Path) -> None:
    results = compare(SMALL, tmp_path, workers=1)
    rows = results.rows
    assert [(row.world, row.agent) for row in rows] == [(w, a) for w in SMALL.worlds for a in SMALL.agents]
    for row in rows:
        assert row.scores.shape == (3, 4)
        np.testing.assert_array_equal(row.steps, [0, 100, 200])
        assert row.exact
        assert row.steps_per_second == pytest.approx(800 / row.seconds)
    np.testing.assert_allclose(by_cell(results)["LineWalk", "Random"], 0.0, atol=1e-12)


def test_finished_cells_are_not_computed_again(tmp_path: Path) -> None:
    first = compare(SMALL, tmp_path, workers=1)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    told = []
    second = compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(what), workers=1)
    assert told == ["reused"] * 4
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    for one, two in zip(first.rows, second.rows):
        np.testing.assert_array_equal(one.scores, two.scores)
        assert one.seconds == two.seconds


def test_all_cells_of_the_comparison_and_no_others_are_computed_anew_if_so_asked(tmp_path: Path) -> None:
    first = by_cell(compare(SMALL, tmp_path, workers=1))
    others = replace(SMALL, worlds=("LineBalance",))
    compare(others, tmp_path, workers=1)
    for path in (tmp_path / "cells").glob("*QLearning*"):
        path.write_bytes(b"nonsense")  # nothing is read of what is computed anew
    told: list[str] = []
    second = by_cell(compare(SMALL, tmp_path, fresh=True, on_cell=lambda what, _: told.append(what), workers=1))
    assert (told.count("finished"), told.count("reused")) == (4, 0)
    for cell, scores in first.items():
        np.testing.assert_array_equal(second[cell], scores)
    told.clear()
    with pytest.raises(StorageError, match="is corrupt"):  # that of the other comparison, left as it was
        compare(others, tmp_path, on_cell=lambda what, _: told.append(what), workers=1)
    assert told == ["reused"]


def test_computing_anew_that_was_interrupted_is_gone_on_with_and_keeps_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(SMALL, tmp_path, workers=1)

    def fails(self: QLearning, transition: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(QLearning, "update", fails)
        with pytest.raises(JobError, match="ZeroDivisionError"):
            compare(SMALL, tmp_path, fresh=True, workers=1)
    told: list[str] = []
    compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(f"{what} {cell.title}"), workers=1)
    assert [event for event in told if not event.startswith("started")] == [
        f"{what} {world} · {agent}"
        for what, agent in (("reused", "Random"), ("finished", "QLearning"))
        for world in SMALL.worlds
    ]


def test_a_new_world_or_agent_moves_no_old_one(tmp_path: Path) -> None:
    compare(SMALL, tmp_path, workers=1)
    told = []
    wider = replace(SMALL, worlds=("LineBalance", *SMALL.worlds), agents=("QLearning:epsilon=0.5", *SMALL.agents))
    found = compare(wider, tmp_path, on_cell=lambda what, cell: told.append(what), workers=1)
    assert (told.count("reused"), told.count("finished")) == (4, 5)
    for cell, scores in by_cell(compare(SMALL, tmp_path, workers=1)).items():
        np.testing.assert_array_equal(scores, by_cell(found)[cell])


def test_run_i_does_not_depend_on_how_many_there_are_nor_on_how_they_are_cut_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = by_cell(compare(SMALL, tmp_path / "whole", workers=1))
    monkeypatch.setattr(comparison_module, "LIBRARY_RUNS_PER_CELL", 3)
    monkeypatch.setattr(comparison_module, "LibraryAgent", object)  # as if every agent were a library's
    cut = replace(SMALL, library_runs=7)
    assert sorted({cell.num_runs for cell in cut.cells()}) == [1, 3]
    for cell, scores in by_cell(compare(cut, tmp_path / "cut", workers=1)).items():
        assert scores.shape == (3, 7)
        np.testing.assert_array_equal(scores[:, :4], whole[cell])


def test_several_processes_give_the_same_results_as_one(tmp_path: Path) -> None:
    one, two = compare(SMALL, tmp_path / "1", workers=1), compare(SMALL, tmp_path / "2", workers=2)
    for cell, scores in by_cell(one).items():
        np.testing.assert_array_equal(scores, by_cell(two)[cell])


def test_how_it_was_made_is_written_down(tmp_path: Path) -> None:
    compare(SMALL, tmp_path, workers=1)
    about = json.loads((tmp_path / "comparison.json").read_text())
    assert about["comparison"]["worlds"] == ["LineWalk", "Bandit"]
    assert about["configs"]["QLearning"]["step_size"] > 0
    assert {"rl_envs", "numpy", "gymnasium", "torch", "stable-baselines3", "scipy"} <= set(about["versions"])
    assert about["command"]


def test_each_result_says_where_and_when_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = compare(SMALL, tmp_path, workers=1).provenance
    (here,) = about["machines"]
    assert here["cpus"] >= 1
    moment = datetime.fromisoformat(about["last"])
    assert timedelta(0) <= datetime.now(timezone.utc) - moment < timedelta(minutes=5)
    next((tmp_path / "cells").glob("*.npz")).unlink()
    elsewhere = {"finished": "2099-01-01T00:00:00+00:00", "machine": {"platform": "Elsewhere"}}
    monkeypatch.setattr("baselines.comparison.running.execution_metadata", lambda: elsewhere)
    about = compare(SMALL, tmp_path, workers=1).provenance
    assert sorted(map(str, about["machines"])) == sorted(map(str, [here, elsewhere["machine"]]))
    assert about["last"] == elsewhere["finished"]
    assert about["first"] <= moment.isoformat()


def test_an_infinite_setting_is_written_down_as_json_has_it(tmp_path: Path) -> None:
    compare(replace(SMALL, agents=("QLearning:step_size_half_life=inf",)), tmp_path, workers=1)
    about = json.loads((tmp_path / "comparison.json").read_text(), parse_constant=pytest.fail)
    assert about["configs"]["QLearning:step_size_half_life=inf"]["step_size_half_life"] == "inf"


def test_the_command_is_what_can_be_typed_again() -> None:
    typed = ["/somewhere/baselines/__main__.py", "compare", "--out", "my results"]
    assert command_line(typed) == "python -m baselines compare --out 'my results'"
    assert command_line(["script.py", "-x"]) == "python script.py -x"


def test_libraries_train_in_small_cells_which_come_first(tmp_path: Path) -> None:
    comparison = Comparison(worlds=("LineWalk",), runs=30, library_runs=5)
    cells = [cell for cell in comparison.cells() if isinstance(cell, WorldCell)]
    assert [(str(cell.agent), cell.first_run, cell.num_runs) for cell in cells if cell.agent.name == "SB3DQN"] == [
        ("SB3DQN", 0, 2),
        ("SB3DQN", 2, 2),
        ("SB3DQN", 4, 1),
    ]
    assert [cell.num_runs for cell in cells if cell.agent.name == "QLearning"] == [30]
    begun = []
    few = replace(SMALL, worlds=("LineWalk",), agents=("Random", "SB3A2C"), library_runs=3)
    compare(few, tmp_path, on_cell=lambda what, cell: begun.append(str(cell)) if what == "started" else None, workers=1)
    assert begun == [
        "LineWalk · SB3A2C · runs 0-1",
        "LineWalk · SB3A2C · runs 2-2",
        "LineWalk · Random · runs 0-3",
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_worlds_and_agents_that_there_are(preset: str) -> None:
    cells = PRESETS[preset].cells()
    assert len({cell.key for cell in cells}) == len(cells)
    assert len(PRESETS[preset].worlds) == 4


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"worlds": ("LineWlk",)}, ValueError, "unknown world 'LineWlk'. Did you mean 'LineWalk'"),
        ({"agents": ("QLerning",)}, ValueError, "unknown agent 'QLerning'. Did you mean 'QLearning'"),
        ({"agents": ("QLearning:alpha=1",)}, ValueError, "unknown setting of QLearning 'alpha'"),
        ({"worlds": ("LineWalk:length=1",)}, TypeError, "unknown argument of LineWalk 'length'"),
        ({"worlds": ()}, ValueError, "worlds must name at least one, but is empty"),
        (
            {"worlds": ("LineWalk", "rl_envs/LineWalk-v0")},
            ValueError,
            "worlds must be different, but 'LineWalk' and 'rl_envs/LineWalk-v0' are the same",
        ),
        ({"agents": ()}, ValueError, "agents must name at least one, but is empty"),
        ({"agents": ("Random", "Random")}, ValueError, "agents must be different, but 'Random' is given twice"),
        (
            {"worlds": ("LineWalk:size=3,slip=0.1", "LineWalk:slip=0.1,size=3")},
            ValueError,
            "worlds must be different",
        ),
        (
            {"worlds": ("LineWalk", "LineWalk:size=5")},
            ValueError,
            "worlds must be different, but 'LineWalk' and 'LineWalk:size=5' are the same",
        ),
        (
            {"worlds": ("FrozenLake-v1", "FrozenLake-v1:is_slippery=True")},
            ValueError,
            "'FrozenLake-v1' and 'FrozenLake-v1:is_slippery=True' are the same",
        ),
        (
            {"agents": ("QLearning:epsilon=1", "QLearning")},
            ValueError,
            "agents must be different, but 'QLearning:epsilon=1' and 'QLearning' are the same",
        ),
        (
            {"games": ("penalty", "penalty:k=-100.0")},
            ValueError,
            "games must be different, but 'penalty' and 'penalty:k=-100.0' are the same",
        ),
        (
            {"games": ("climbing",), "game_agents": ("IndependentQ", "IndependentQ:exploration=epsilon_greedy")},
            ValueError,
            "'IndependentQ' and 'IndependentQ:exploration=epsilon_greedy' are the same",
        ),
        (
            {"game_agents": ("IndependentQ",)},
            ValueError,
            "game agents must have games to play, but games is empty beside IndependentQ",
        ),
        ({"game_agents": ("Nope",)}, ValueError, "unknown game agent 'Nope'"),
        ({"worlds": (), "games": ("climbing",), "agents": ("Nope",)}, ValueError, "unknown agent 'Nope'"),
        (
            {"worlds": ("CartPole-v1",), "agents": ("Random", "QLearning")},
            TypeError,
            "^QLearning: the observations of CartPole-v1 must be Discrete",
        ),
        ({"agents": ("QLearning:epsilon=5.0",)}, ValueError, r"^QLearning:epsilon=5.0: epsilon must be in \[0, 1\]"),
        ({"worlds": ("LineWalk:size=-3",)}, ValueError, "^LineWalk:size=-3: size must be at least "),
        ({"games": ("climbing:max_cycles=0",)}, ValueError, "^climbing:max_cycles=0: max_cycles must be at least 1"),
        ({"runs": 0}, ValueError, "runs must be at least 1, but is 0"),
        ({"steps": 1.5}, TypeError, "steps must be an integer, but is 1.5"),
        ({"seed": -1}, ValueError, "seed must be at least 0, but is -1"),
    ],
    ids=str,
)
def test_mistakes_are_found_before_anything_runs(
    changed: dict[str, object], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        compare(replace(SMALL, **changed), tmp_path / "results", workers=1)
    assert not (tmp_path / "results").exists()


def test_worlds_that_differ_in_their_discount_alone_are_two() -> None:
    few = replace(SMALL, worlds=("CartPole-v1", "CartPole-v1:discount=0.9"), agents=("Random",))
    assert [cell.title for cell in few.cells()] == ["CartPole-v1 · Random", "CartPole-v1:discount=0.9 · Random"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"worlds": "LineWalk"}, r"worlds must be a tuple or a list .* but is 'LineWalk': write \('LineWalk',\)$"),
        ({"worlds": 3}, "worlds must be a tuple or a list of names, but is 3$"),
        ({"worlds": {"LineWalk"}}, "worlds must be a tuple or a list of names, but is {'LineWalk'}"),
        ({"agents": (name for name in "AB")}, "agents must be a tuple or a list of names, but is <generator"),
        ({"agents": ("Random", 3)}, "agents must hold names, which are strings, but holds 3"),
        ({"functions": [print]}, "functions must hold names, which are strings, but holds <built-in function print>"),
    ],
)
def test_what_is_no_list_of_names_is_refused_at_once(given: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        replace(SMALL, **given)


def test_lists_and_integers_of_numpy_are_taken_as_plain_ones(tmp_path: Path) -> None:
    made = replace(SMALL, worlds=["LineWalk"], runs=np.int64(3), seed=np.int32(5))
    assert made == replace(SMALL, worlds=("LineWalk",), runs=3, seed=5)
    assert [row.scores.shape for row in compare(made, tmp_path, workers=np.int64(1)).rows] == [(3, 3), (3, 3)]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({"runs": 3}, {}, "comparison must be a Comparison, but is {'runs': 3}"),
        (SMALL, {"functions": [print]}, r"functions must be a dictionary .* but is \[<built-in function print>\]"),
        (SMALL, {"functions": {3: print}}, "functions must have names that are strings, but one is 3"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    given: object, options: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=message):
        compare(given, tmp_path / "results", **options)
    assert not (tmp_path / "results").exists()


def test_a_corrupt_file_is_found_before_anything_runs(tmp_path: Path) -> None:
    compare(SMALL, tmp_path, workers=1)
    victim = sorted((tmp_path / "cells").iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:-50])
    told = []
    with pytest.raises(StorageError, match=re.escape(f"result file {victim} is corrupt")):
        compare(replace(SMALL, seed=0), tmp_path, on_cell=lambda what, cell: told.append(what), workers=1)
    assert "started" not in told
    victim.unlink()
    compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(what), workers=1)
    assert told.count("finished") == 1


def test_a_missing_and_a_nan_run_are_errors_that_name_it(tmp_path: Path) -> None:
    compare(SMALL, tmp_path, workers=1)
    victim = next((tmp_path / "cells").glob("Bandit-QLearning-*"))
    whole = victim.read_bytes()
    victim.unlink()
    with pytest.raises(StorageError, match=r"every run must have a result, but there is no .*Bandit-QLearning-runs0-3"):
        read_results(tmp_path)
    victim.write_bytes(whole)
    (cell,) = [cell for cell in SMALL.cells() if str(cell) == "Bandit · QLearning · runs 0-3"]
    arrays = cell.read(tmp_path / "cells")
    arrays["scores"][1, 2] = np.nan
    cell.write(arrays, tmp_path / "cells", execution_metadata())
    with pytest.raises(ValueError, match="run 2 of QLearning on Bandit has nan"):
        read_results(tmp_path)
    cell.write({**arrays, "scores": np.zeros((3, 3))}, tmp_path / "cells", execution_metadata())
    with pytest.raises(ValueError, match="every run must have a score, but QLearning on Bandit has 3 of 4"):
        read_results(tmp_path)


def test_runs_that_are_missing_between_cells_are_named() -> None:
    result = Result(np.array([0, 10]), np.zeros((2, 2)), exact=True, seconds=1.0)
    with pytest.raises(ValueError, match="every run must have a result, but run 2 of SB3DQN on LineWalk has none"):
        gather([("LineWalk", "SB3DQN", range(2), result), ("LineWalk", "SB3DQN", range(4, 6), result)])


def test_a_comparison_is_read_back_whatever_libraries_are_installed_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = compare(SMALL, tmp_path, workers=1)
    monkeypatch.setattr(cells, "versions_of", lambda *_: {"numpy": "another"})
    found = read_results(tmp_path)
    for cell, scores in by_cell(made).items():
        np.testing.assert_array_equal(scores, by_cell(found)[cell])
    told = []
    compare(SMALL, tmp_path, on_cell=lambda what, _: told.append(what), workers=1)
    assert "reused" not in told  # but what other versions would give is not known


def test_a_folder_without_a_comparison_and_one_of_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no comparison: there is no"):
        read_results(tmp_path)
    (tmp_path / "comparison.json").write_text('{"command": "python -m baselines compare --runs 3"}')
    with pytest.raises(StorageError, match=r"has format 1, .*again with: python -m baselines compare --runs 3 --out"):
        read_results(tmp_path)
    with pytest.raises(StorageError, match=r"comparison\.json holds no comparison: it is a file, and no folder"):
        read_results(tmp_path / "comparison.json")
    for nothing in ("{}", "[]", "3", '{"format": 4, "cells": 5}', '{"format": 4, "command": "x", "cells": 5}'):
        (tmp_path / "comparison.json").write_text(nothing)
        with pytest.raises(StorageError, match="does not say how results were made: run the comparison's command"):
            read_results(tmp_path)
    (tmp_path / "comparison.json").write_text("[")
    with pytest.raises(StorageError, match="cannot read"):
        read_results(tmp_path)


def test_an_unfinished_comparison_that_was_moved_is_gone_on_with_where_it_is_now(tmp_path: Path) -> None:
    compare(SMALL, tmp_path / "two", workers=1)
    moved = (tmp_path / "two").rename(tmp_path / "moved")
    next((moved / "cells").glob("Bandit-*")).unlink()
    with pytest.raises(StorageError, match=r"go on with: python -m baselines compare --worlds .* --out .*/moved'?$"):
        read_results(moved)


@pytest.mark.parametrize(
    ("command", "moved"),
    [
        ("python -m baselines compare --out two --runs 3", "python -m baselines compare --runs 3 --out moved"),
        ("python -m baselines compare --runs 3 --out=two", "python -m baselines compare --runs 3 --out moved"),
        ("python -m baselines compare", "python -m baselines compare --out moved"),
        ("python mine.py --out two", "python mine.py --out two"),
        ("python 'mine", "python 'mine"),
    ],
)
def test_a_command_goes_into_the_folder_that_is_asked_about(command: str, moved: str) -> None:
    assert into(Path("moved"), command) == moved


def test_regret_and_value_errors_are_kept(tmp_path: Path) -> None:
    rows = {(row.world, row.agent): row for row in compare(SMALL, tmp_path, workers=1).rows}
    assert rows["LineWalk", "QLearning"].regret is None
    bandit = rows["Bandit", "Random"]
    assert bandit.regret.shape == (3, 4)
    np.testing.assert_array_equal(bandit.regret[0], 0.0)
    # Uniform play loses 0.64 a pull on average, by WORLDS.md's arithmetic; 4 runs of 200 pulls with a spread of 0.33
    # each have a standard error of 0.012.
    assert bandit.regret[-1].mean() / 200 == pytest.approx(0.64, abs=0.06)
    walk = truth("rl_envs/LineWalk-v0")
    lost = walk.v_star - walk_values(walk)
    np.testing.assert_allclose(rows["LineWalk", "Random"].value_error, lost, atol=1e-12)
    assert (rows["LineWalk", "QLearning"].value_error >= -1e-12).all()


def walk_values(walk: Truth) -> np.ndarray:
    return evaluate_policy(walk.mdp, np.full((walk.mdp.num_states, 2), 0.5))


def test_value_errors_of_several_cells_are_the_mean_over_all_runs(tmp_path: Path) -> None:
    few = replace(SMALL, worlds=("LineWalk",), agents=("SB3A2C",), library_runs=3, steps=40)
    (row,) = compare(few, tmp_path, workers=1).rows
    agent = make_agent("SB3A2C", "LineWalk", runs=3)
    train(agent, steps=40, checkpoints=2)
    np.testing.assert_allclose(row.value_error, agent.errors_by_state().mean(axis=0), atol=1e-12)


def test_value_errors_and_scores_are_of_the_same_policy(tmp_path: Path) -> None:
    """From the start states the loss is what the score lacks; but for those who predict values it is another thing."""
    on = {"SubtaskGrid": ("HierarchicalQ", "QLearning", "Random"), "LineWalk": ("DQN", "MaxEntIRL", "Reinforce")}
    for world, agents in on.items():
        few = Comparison(worlds=(world,), agents=agents, runs=3, steps=300, checkpoints=2)
        exact = truth(f"rl_envs/{world}-v0")
        for row in compare(few, tmp_path / world, workers=1).rows:
            lost = exact.mdp.start @ row.value_error
            gain = exact.optimal_value - exact.random_value
            assert lost == pytest.approx((1 - row.final.mean()) * gain, abs=1e-9), row.agent


def test_cells_that_fail_are_named_and_the_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: QLearning, transition: object) -> None:
        raise ZeroDivisionError

    told = []
    with monkeypatch.context() as patch:
        patch.setattr(QLearning, "update", fails)
        with pytest.raises(JobError, match=r"(?s)LineWalk · QLearning · runs 0-3 failed:.*ZeroDivisionError") as e:
            compare(SMALL, tmp_path, on_cell=lambda what, cell: told.append(f"{what} {cell}"), workers=1)
    assert "1 more failed:\nBandit · QLearning · runs 0-3" in str(e.value)
    assert [event.split(" ·")[0] for event in told if not event.startswith("started")] == [
        "finished LineWalk",
        "failed LineWalk",
        "finished Bandit",
        "failed Bandit",
    ]
    kept = []
    compare(SMALL, tmp_path, on_cell=lambda what, _: kept.append(what), workers=1)
    assert kept.count("reused") == 2


def test_a_world_without_anything_to_gain_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a score needs an optimal policy that is better than the uniform one"):
        compare(replace(SMALL, worlds=("LineWalk", "Bandit:means=(1.0,1.0)")), tmp_path / "results", workers=1)
    assert not (tmp_path / "results").exists()


def test_an_endless_policy_at_discount_1_is_explained(tmp_path: Path) -> None:
    endless = replace(SMALL, worlds=("CliffWalking-v1:discount=1.0",), agents=("QLearning",), steps=5)
    with pytest.raises(JobError, match="never ends an episode, which at discount 1 costs without end"):
        compare(endless, tmp_path, workers=1)


def test_a_long_name_in_any_script_is_a_file_name_still(tmp_path: Path) -> None:
    few = replace(SMALL, worlds=("LineWalk",), agents=(), library_runs=1)
    (row,) = compare(few, tmp_path, functions={"学" * 90: always_right}, workers=1).rows
    assert row.agent == "学" * 90
    (file,) = (tmp_path / "cells").iterdir()
    assert file.name.isascii()  # whatever the locale says of file names


def always_right(env_fn: object, steps: int, seed: int) -> np.ndarray:
    return np.ones(11, dtype=np.int64)


def test_the_repeating_command_makes_the_same_cells(tmp_path: Path) -> None:
    own = replace(
        SMALL, agents=("Random", "QLearning:epsilon=0.5"), games=("penalty:k=-10",), game_agents=("IndependentQ",)
    )
    words = shlex.split(repeating_command(own, tmp_path / "a folder"))
    assert words[:4] == ["python", "-m", "baselines", "compare"]
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("baselines.commands.compare.run_comparison", lambda *given: seen.append(given) or 0)
        assert main(words[3:]) == 0
    ((comparison, execution),) = seen
    assert comparison == own
    assert execution.out == tmp_path / "a folder"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "rey"}, "unknown backend 'rey'. Did you mean 'ray'"),
        ({"address": "auto"}, "an address is for the backend 'ray', but the backend is 'joblib'"),
        ({"workers": 0}, "workers must be at least 1, but is 0"),
    ],
)
def test_mistakes_in_how_it_is_run_are_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        compare(SMALL, tmp_path / "results", **options)
    assert not (tmp_path / "results").exists()


def test_a_worker_with_other_versions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "compute", lambda cell: ("another key", cell.compute(), execution_metadata()))
    with pytest.raises(WorkerError, match="every worker must have the same versions as the process that sends it"):
        compare(SMALL, tmp_path, workers=1)
