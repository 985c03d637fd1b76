"""Games in a comparison: cells, files, summaries, the table, and the command line."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from baselines.__main__ import main
from baselines.comparison import cells
from baselines.comparison.comparison import Comparison
from baselines.comparison.game_cells import GameCell, game_cells
from baselines.comparison.game_rows import GameRow, summarise_game
from baselines.comparison.result_files import execution_metadata
from baselines.comparison.running import compare
from baselines.games.independent_q import IndependentQ
from baselines.games.loop import GameRecord, play
from baselines.games.registry import GAME_AGENTS
from baselines.games.specification import GameSpecification
from baselines.games.task import make_game_task
from baselines.report.games import flat_game, game_table
from baselines.report.spreadsheet import write_csv
from baselines.system.atomic_files import StorageError
from baselines.system.workers import JobError
from baselines.training.registration import AgentSpecification

PENALTY, Q = GameSpecification.read("penalty:k=-10"), GAME_AGENTS.read("IndependentQ:epsilon=0.5")
CELL = GameCell(PENALTY, Q, num_runs=3, rounds=60, checkpoints=2, seed=1)


def record(late_play: list[list[list[int]]], payoff: list[float], exploitability: list[float]) -> GameRecord:
    """What a population might have done, [R, 3, 3] joint actions of its last tenth."""
    late = np.array(late_play)
    return GameRecord(
        steps=np.array([0, 100]),
        exploitability=np.array([[9.0] * len(late), exploitability]),
        joint_play=late * 10,
        late_play=late,
        late_payoff=np.array(payoff)[:, None] * np.ones(2),
        seconds=0.5,
    )


def only(row: int, column: int) -> list[list[int]]:
    play = np.zeros((3, 3), dtype=int)
    play[row, column] = 9
    play[0, 0] += 1
    return play.tolist()


RECORD = record([only(2, 2), only(2, 2), only(1, 1), only(2, 2)], [5.0, 5.0, 7.0, 5.0], [0.5, 0.5, 0.0, 0.5])
ROW = GameRow("climbing", "IndependentQ", make_game_task("climbing"), RECORD)


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    assert CELL.read(tmp_path) is None
    CELL.write(CELL.compute(), tmp_path, execution_metadata())
    found = GameRow.of(CELL.game, CELL.agent.label, CELL.read(tmp_path)).record
    again = play(
        IndependentQ(CELL.game.task, runs=3, seed=1, config=replace(IndependentQ.Config(), epsilon=0.5)),
        steps=60,
        checkpoints=2,
    )
    for part in ("steps", "exploitability", "joint_play", "late_play", "late_payoff"):
        np.testing.assert_array_equal(getattr(found, part), getattr(again, part))
        assert getattr(found, part).dtype == getattr(again, part).dtype
    assert [path.name.split("-runs")[0] for path in tmp_path.iterdir()] == ["penalty_k_-10-IndependentQ_epsilon_0.5"]


@pytest.mark.parametrize(
    "changed",
    [
        {"game": GameSpecification.read("penalty:k=-11")},
        {"game": GameSpecification.read("penalty:k=-10,max_cycles=3")},
        {"agent": GAME_AGENTS.read("IndependentQ:epsilon=0.4")},
        {"agent": GAME_AGENTS.read("RegretMatching")},
        {"num_runs": 4},
        {"rounds": 61},
        {"checkpoints": 3},
        {"seed": 2},
    ],
    ids=str,
)
def test_everything_that_decides_the_result_changes_the_file(changed: dict[str, object], tmp_path: Path) -> None:
    assert replace(CELL, **changed).file(tmp_path) != CELL.file(tmp_path)


def test_versions_and_defaults_change_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = [CELL.file(tmp_path)]
    config = GAME_AGENTS.config("IndependentQ", {"epsilon": 0.5, "initial_value": 1.0})
    for owner, name, value in (
        (cells, "versions_of", lambda: {"numpy": "99"}),
        (AgentSpecification, "config", config),
        (cells, "FILE_FORMAT", 99),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, value)
            files.append(replace(CELL, agent=GAME_AGENTS.read(CELL.agent.label)).file(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(IndependentQ, "version", 99)
        files.append(replace(CELL).file(tmp_path))
    assert len(set(files)) == 5


def test_a_corrupt_or_foreign_file_is_found(tmp_path: Path) -> None:
    CELL.write(CELL.compute(), tmp_path, execution_metadata())
    path = CELL.file(tmp_path)
    whole = path.read_bytes()
    other = replace(CELL, seed=9)
    other.file(tmp_path).write_bytes(whole)
    with pytest.raises(StorageError, match="holds another cell's result; delete it"):
        other.read(tmp_path)
    path.write_bytes(whole[:-30])
    with pytest.raises(StorageError, match="is corrupt"):
        CELL.read(tmp_path)


def test_all_that_can_play_a_game_do_unless_some_are_named() -> None:
    all_games = list(map(GameSpecification.read, ["climbing", "grid_soccer"]))
    pairs = [
        (cell.game.label, cell.agent.label)
        for cell in game_cells(all_games, [], runs=1, rounds=1, checkpoints=1, seed=0)
    ]
    assert pairs == [
        ("climbing", "IndependentQ"),
        ("climbing", "FictitiousPlay"),
        ("climbing", "RegretMatching"),
        ("grid_soccer", "IndependentQ"),
        ("grid_soccer", "MinimaxQ"),
    ]
    game, agent = GameSpecification.read("penalty:k=-3"), GAME_AGENTS.read("RegretMatching")
    named = game_cells([game], [agent], runs=2, rounds=5, checkpoints=3, seed=7)
    assert named == [GameCell(game, agent, 2, 5, 3, 7)]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"games": ("climbin",)}, ValueError, "unknown game 'climbin'"),
        ({"games": ("climbing", "climbing")}, ValueError, "games must be different, but 'climbing' is given twice"),
        ({"game_agents": ("Regret",)}, ValueError, "unknown game agent 'Regret'"),
        ({"game_agents": ("MinimaxQ",)}, TypeError, "MinimaxQ plays two-player zero-sum games, but climbing is none"),
        ({"game_agents": ("IndependentQ:epsilon=2",)}, ValueError, r"epsilon must be in \[0, 1\], but is 2"),
        ({"rounds": 0}, ValueError, "rounds must be at least 1, but is 0"),
        ({"runs": 0}, ValueError, "runs must be at least 1, but is 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, but is -1"),
    ],
    ids=str,
)
def test_what_cannot_be_played_is_refused_at_once(
    changes: dict[str, object], error: type[Exception], message: str
) -> None:
    comparison = replace(Comparison(worlds=(), games=("climbing",)), **changes)
    with pytest.raises(error, match=message):
        comparison.cells()


def test_worlds_may_be_none_only_beside_games() -> None:
    assert {type(cell) for cell in Comparison(worlds=(), games=("climbing",)).cells()} == {GameCell}
    with pytest.raises(ValueError, match="worlds must name at least one, but is empty"):
        Comparison(worlds=()).cells()
    assert GameCell not in {type(cell) for cell in Comparison().cells()}


def only_games(*agents: str, **changes: object) -> Comparison:
    return Comparison(
        worlds=(), games=("climbing",), game_agents=agents, **{"runs": 2, "rounds": 30, "checkpoints": 2, **changes}
    )


def test_finished_cells_are_kept(tmp_path: Path) -> None:
    told: list[str] = []

    def tell(what: str, cell: object) -> None:
        told.append(f"{what} {cell}")

    first = compare(only_games("IndependentQ"), tmp_path, on_cell=tell, workers=1)
    second = compare(only_games("IndependentQ", "RegretMatching"), tmp_path, on_cell=tell, workers=1)
    assert told == [
        "started climbing · IndependentQ · runs 0-1",
        "finished climbing · IndependentQ · runs 0-1",
        "reused climbing · IndependentQ · runs 0-1",
        "started climbing · RegretMatching · runs 0-1",
        "finished climbing · RegretMatching · runs 0-1",
    ]
    np.testing.assert_array_equal(first.games[0].record.joint_play, second.games[0].record.joint_play)
    assert [row.agent for row in second.games] == ["IndependentQ", "RegretMatching"]


def test_the_settings_of_all_who_play_are_written_down_though_none_was_named(tmp_path: Path) -> None:
    compare(only_games(), tmp_path, workers=1)
    about = json.loads((tmp_path / "comparison.json").read_text())
    assert set(about["game_configs"]) == {"IndependentQ", "FictitiousPlay", "RegretMatching"}


def test_a_corrupt_result_of_a_game_is_found_before_any_world_is_trained(tmp_path: Path) -> None:
    compare(only_games("IndependentQ"), tmp_path, workers=1)
    (victim,) = (tmp_path / "cells").iterdir()
    victim.write_bytes(victim.read_bytes()[:-30])
    told: list[str] = []
    both = replace(only_games("IndependentQ"), worlds=("LineWalk",), agents=("Random",), steps=10)
    with pytest.raises(StorageError, match="is corrupt"):
        compare(both, tmp_path, on_cell=lambda what, _: told.append(what), workers=1)
    assert told == []


def test_an_agent_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IndependentQ, "strategies", lambda self: (np.full((2, 3), np.nan), np.full((2, 3), np.nan)))
    with pytest.raises(JobError, match="climbing · IndependentQ · runs 0-1 failed"):
        compare(only_games("IndependentQ", rounds=3), tmp_path, workers=1)
    assert not list((tmp_path / "cells").iterdir())


def test_a_summary_says_where_the_runs_ended() -> None:
    summary = summarise_game(ROW)
    assert summary.joint_actions == (("(c, c)", 0.75), ("(b, b)", 0.25))
    assert summary.runs == 4
    assert summary.exploitability.estimate == 0.375
    assert summary.exploitability.low < 0.375 < summary.exploitability.high
    assert (summary.payoff.estimate, summary.social_optimum) == (11.0, 22.0)  # two players with 5.5 each, of 11 each
    # (c, c) in 9 rounds of 10 and (a, a) in one: 5.6 a round, where always c would have got 4.5 and always b 2.4.
    # (b, b) in 9 and (a, a) in one: 7.4, where always b would have got 3.3 and the column player's c 0.9 * 6 = 5.4.
    gains = np.array([4.5 - 5.6, 4.5 - 5.6, 5.4 - 7.4, 4.5 - 5.6])
    assert summary.coarse_correlated_gain == pytest.approx(gains.mean())
    assert summary.steps_per_second == 800.0


def test_a_single_run_has_no_interval() -> None:
    summary = summarise_game(replace(ROW, record=record([only(2, 2)], [5.0], [0.5])))
    assert summary.exploitability[0] == 0.5
    assert np.isnan(summary.exploitability.low)
    assert flat_game(summary)["exploitability_low"] == ""


def test_a_game_with_states_has_no_joint_actions(tmp_path: Path) -> None:
    (row,) = compare(replace(only_games("IndependentQ", rounds=20), games=("grid_soccer",)), tmp_path, workers=1).games
    summary = summarise_game(row)
    assert (summary.joint_actions, summary.coarse_correlated_gain, summary.social_optimum) == ((), None, 0.0)
    assert summary.payoff.estimate == 0.0
    line = flat_game(summary)
    assert (line["final_joint_actions"], line["coarse_correlated_gain"]) == ("", "")
    assert "│ -" in printed([row])


def printed(rows: list[GameRow]) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(game_table([summarise_game(row) for row in rows]))
    return console.file.getvalue()


def test_the_table_has_a_line_a_game_and_agent_with_every_number() -> None:
    text = printed([ROW, replace(ROW, agent="RegretMatching")])
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "(c, c)" in line]
    low, high = summarise_game(ROW).exploitability[1:]
    numbers = [
        "4",
        "(c, c) 75%, (b, b) 25%",
        f"0.375 [{low:.3f}, {high:.3f}]†",
        "-1.325",
        "11.00 of 22",
        "800",
        "0.5 s",
    ]
    assert cells == [["climbing", "IndependentQ", *numbers], ["", "RegretMatching", *numbers]]
    explained = [line.partition(":")[0] for line in text.splitlines() if not line.startswith(("│", "┃", "├"))]
    assert {"ended with", "exploitability", "CCE gap", "payoff of optimum"} <= set(explained)
    assert "† Intervals from fewer than 10 runs are too narrow. With 4 normally distributed runs" in text


def test_many_ends_are_counted_together() -> None:
    ends = [only(2, 2)] * 4 + [only(1, 1)] * 3 + [only(1, 2)] * 2 + [only(2, 1), only(0, 2)]
    row = replace(ROW, record=record(ends, [5.0] * 11, [0.5] * 11))
    assert "(c, c) 36%, (b, b) 27%, (b, c) 18%, others 18%" in " ".join(printed([row]).split())


def test_games_fill_columns_of_their_own_in_the_file(tmp_path: Path) -> None:
    write_csv([], tmp_path / "results.csv", [summarise_game(ROW)])
    (line,) = csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text()))
    assert line["final_joint_actions"] == "(c, c) 0.75; (b, b) 0.25"
    assert (float(line["exploitability"]), float(line["payoff"]), float(line["social_optimum"])) == (0.375, 11.0, 22.0)
    assert (line["world"], line["agent"], line["runs"]) == ("climbing", "IndependentQ", "4")


COMMAND = ["compare", "--games", "climbing", "penalty:k=-10", "--rounds", "200", "--runs", "5", "--workers", "1"]
AGENTS = ["--game-agents", "IndependentQ", "RegretMatching"]


def test_the_command_takes_games_beside_worlds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worlds = ["--worlds", "LineWalk", "--agents", "Random", "--steps", "50"]
    assert main([*COMMAND, *AGENTS, *worlds, "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "[4/5] penalty:k=-10 · RegretMatching · runs 0-4" in text
    assert "[5/5] LineWalk · Random · runs 0-4" in text  # what takes longest comes first
    assert text.index("Normalised scores, computed exactly") < text.index("Agents in games")
    for meaning in ("ended with:", "exploitability:", "CCE gap:", "payoff of optimum:"):
        assert meaning in text
    lines = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert [(line["world"], line["agent"]) for line in lines] == [
        ("LineWalk", "Random"),
        ("climbing", "IndependentQ"),
        ("climbing", "RegretMatching"),
        ("penalty:k=-10", "IndependentQ"),
        ("penalty:k=-10", "RegretMatching"),
    ]
    assert [line["social_optimum"] for line in lines] == ["", "22.0", "22.0", "20.0", "20.0"]
    assert lines[1]["score"] == ""
    about = json.loads((tmp_path / "comparison.json").read_text())
    assert about["comparison"]["games"] == ["climbing", "penalty:k=-10"]
    assert about["game_configs"]["IndependentQ"]["epsilon"] == 1.0

    assert main([*COMMAND, *AGENTS, *worlds, "--out", str(tmp_path)]) == 0
    assert "[1/5]" not in capsys.readouterr().out  # all kept


def test_the_command_takes_games_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, *AGENTS, "--worlds", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "Normalised scores, computed exactly" not in text
    results = {"report.html", "report.md", "results.csv", "games.png"}
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "cells", "comparison.json", *results}
    assert f"Open {tmp_path / 'report.html'} in a browser." in " ".join(text.split())


def test_a_mistake_in_a_game_is_said_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--games", "climbin", "--workers", "1", "--out", str(tmp_path / "out")]) == 2
    assert "Error: unknown game 'climbin'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_games_and_those_who_play_them_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    for name in ("climbing", "grid_soccer", "5 x 5", "IndependentQ", "FictitiousPlay", "RegretMatching", "MinimaxQ"):
        assert name in text


def test_a_comparison_of_worlds_is_what_it_was(tmp_path: Path) -> None:
    """No column and no cell more where no game is asked for."""
    comparison = Comparison(worlds=("LineWalk",), agents=("Random",), runs=2, steps=10, checkpoints=1)
    results = compare(comparison, tmp_path, workers=1)
    assert (len(results.rows), len(results.games)) == (1, 0)
    assert comparison.games == comparison.game_agents == ()
