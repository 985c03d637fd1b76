"""The command line: what it prints, and what it says of mistakes."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import rl_envs
from baselines.__main__ import main
from baselines.agents.q_learning import QLearning
from baselines.commands import COMMANDS
from baselines.commands import compare as program
from baselines.commands.resumable import may_pass
from baselines.system import atomic_files
from baselines.system.atomic_files import StorageError
from baselines.system.folder_lock import FolderLockError

SMALL = {"--worlds": ["LineWalk"], "--agents": ["Random", "QLearning"], "--runs": ["3"], "--steps": ["100"]}


def run(out: Path, *more: str) -> int:
    small = [word for flag, values in SMALL.items() if flag not in more for word in (flag, *values)]
    alone = [] if "--workers" in more else ["--workers", "1"]
    return main(["compare", *small, *alone, *more, "--out", str(out)])


def test_a_comparison_prints_its_table_and_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "[2/2] LineWalk · QLearning · runs 0-2" in printed
    assert "Normalised scores, computed exactly" in printed
    assert {path.name for path in tmp_path.iterdir()} == {
        ".lock",
        "cells",
        "comparison.json",
        "learning_curves.png",
        "performance_profiles.png",
        "report.html",
        "report.md",
        "results.csv",
        "value_error_LineWalk.png",
    }


def table_row(printed: str, agent: str) -> list[str]:
    (line,) = [line for line in printed.splitlines() if f"│ {agent} " in line]
    return [cell.strip() for cell in line.split("│")[2:]]


def test_the_same_command_again_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path)
    first = capsys.readouterr().out
    assert run(tmp_path, "--agents", "Random", "QLearning", "Optimal") == 0
    printed = capsys.readouterr().out
    assert "2 of 3 cells were already finished." in printed
    assert "[3/3] LineWalk · Optimal · runs 0-2" in printed
    assert table_row(first, "QLearning") == table_row(printed, "QLearning")


def test_worlds_and_agents_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in ("LineWalk", "BanditTestbed", "QLearning", "SB3A2C"):
        assert name in printed


def test_a_preset_gives_the_defaults_of_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(program, "run_comparison", lambda *given: seen.append(given) or 0)
    for typed in (["--preset", "quick"], ["--preset=quick", "--runs", "5"], []):
        main(["compare", *typed])
    quick, fewer, default = (comparison for comparison, _ in seen)
    assert quick == program.PRESETS["quick"]
    assert (fewer.runs, fewer.steps) == (5, quick.steps)
    assert default == program.PRESETS["default"]
    assert (seen[0][1].out, seen[0][1].workers) == (Path("results"), program.cores())


def test_a_flag_that_stands_twice_is_refused_by_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert main([name, "--thing", "a", "--thing=b"]) == 2
        said = "Error: a flag must be given once, followed by all of its values, but --thing is given twice\n"
        assert capsys.readouterr().err == said


def test_no_folder_is_not_the_folder_one_is_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--out", ""]) == 2
    assert capsys.readouterr().err == "Error: --out must not be empty, but is ''\n"
    assert not list(tmp_path.iterdir())


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rl-envs {rl_envs.__version__}\n"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["--agents", "QLearnin"], "Error: unknown agent 'QLearnin'. Did you mean 'QLearning'?"),
        (["--worlds", "LineWlk"], "Error: unknown world 'LineWlk'. Did you mean 'LineWalk'?"),
        (["--agents", "QLearning:epsilon=5"], "Error: QLearning:epsilon=5: epsilon must be in [0, 1], but is 5"),
        (["--runs", "0"], "Error: runs must be at least 1, but is 0"),
        (["--workers", "0"], "Error: workers must be at least 1, but is 0"),
        (["--library-runs", "0"], "Error: --library-runs must be at least 1, but is 0"),
        (["--agents", "Random", "QLearning", "--worlds", "CartPole-v1"], "Error: QLearning: the observations of "),
        (["--game-agents", "Nope"], "Error: unknown game agent 'Nope'"),
    ],
)
def test_a_mistake_is_said_in_a_line(
    typed: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", *typed) == 2
    said = capsys.readouterr().err
    assert said.startswith(message)
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(tmp_path / "file") == 2
    assert f"cannot make the folder {tmp_path / 'file'}" in capsys.readouterr().err


def test_a_full_disk_is_said_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if "QLearning" in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_files.os, "replace", full)
        assert run(tmp_path) == 2
    said = capsys.readouterr().err
    assert "Error: cannot write " in said
    assert "LineWalk-QLearning-runs0-2" in said
    assert "No space left on device" in said
    assert f"Finished cells are kept in {tmp_path}; run the same command to resume." in said
    assert run(tmp_path) == 0
    assert "1 of 2 cells were already finished." in capsys.readouterr().out


def test_a_corrupt_result_is_named_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path)
    victim = next((tmp_path / "cells").glob("*QLearning*"))
    victim.write_bytes(b"nonsense")
    capsys.readouterr()
    assert run(tmp_path) == 2
    said = capsys.readouterr().err
    assert f"Error: result file {victim} is corrupt" in said
    assert said.endswith("delete it and run the same command again: only this cell is recomputed\n")
    victim.unlink()
    assert run(tmp_path) == 0


def test_a_corrupt_result_is_computed_anew_with_the_others_by_fresh(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path)
    next((tmp_path / "cells").glob("*QLearning*")).write_bytes(b"nonsense")
    capsys.readouterr()
    assert run(tmp_path, "--fresh") == 0
    said = capsys.readouterr().out
    assert "[2/2]" in said
    assert "were already finished" not in said


def test_after_fresh_the_way_to_go_on_is_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QLearning, "update", lambda self, transition: 1 / 0)
    assert run(tmp_path, "--fresh") == 1
    advice = f"Finished cells are kept in {tmp_path}; run the same command without --fresh to resume.\n"
    assert capsys.readouterr().err.endswith(advice)


def caused(error: Exception, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (caused(StorageError("cannot write x"), OSError(errno.ENOSPC, "No space left on device")), True),
        (caused(StorageError("corrupt"), OSError("no archive")), False),
        (StorageError("there is no such file"), False),
        (caused(FolderLockError("no locks"), OSError(errno.ENOLCK, "No locks available")), False),
        (ValueError("5"), False),
    ],
)
def test_what_lies_in_the_machine_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) == passes


def test_a_database_that_is_full_may_pass_and_one_that_is_none_will_not() -> None:
    wrapped = pytest.importorskip("sqlalchemy.exc")
    full = wrapped.OperationalError("", {}, sqlite3.OperationalError("database or disk is full"))
    damaged = wrapped.DatabaseError("", {}, sqlite3.DatabaseError("file is not a database"))
    assert may_pass(caused(StorageError("cannot use the database"), full))
    assert not may_pass(caused(StorageError("cannot use the database"), damaged))


def test_a_file_of_functions_that_is_missing_is_no_reason_to_say_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path)
    capsys.readouterr()
    assert run(tmp_path, "--functions", f"Mine={tmp_path}/mine.py:train") == 2
    assert capsys.readouterr().err == f"Error: cannot read {tmp_path}/mine.py: there is no such file\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_nothing_of_python(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    said = capsys.readouterr().out
    assert "--help" in said
    assert "{None}" not in said


def test_an_agent_that_breaks_shows_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QLearning, "update", lambda self, transition: 1 / 0)
    assert run(tmp_path) == 1
    said = capsys.readouterr().err
    assert "LineWalk · QLearning · runs 0-2 failed" in said
    assert "ZeroDivisionError" in said


def test_an_interrupt_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(QLearning, "update", interrupt)
    assert run(tmp_path) == 130
    assert "Stopped.\nFinished cells are kept in" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code"), [(["list"], 1), (["train", "--help"], 141)])  # 1 is what rich gives
def test_a_reader_who_has_read_enough_sees_no_traceback(words: list[str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-u", "-m", "baselines", *words]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})
    os.close(write)
    assert (done.returncode, done.stderr) == (code, b"")


def test_a_log_without_the_characters_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", log)
    assert run(tmp_path) == 0
    log.flush()
    printed = log.buffer.getvalue().decode("ascii")
    assert "[2/2] LineWalk ? QLearning ? runs 0-2" in printed
    assert "report.html in a browser." in " ".join(printed.split())
