"""One comparison at a time in a folder."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import shlex
import threading
import time
from pathlib import Path

import pytest

from baselines.__main__ import main
from baselines.comparison.comparison import Comparison
from baselines.comparison.results import read_results
from baselines.comparison.running import compare
from baselines.system.atomic_files import StorageError
from baselines.system.folder_lock import HOLDER, locked
from tests.baselines.kills import words
from tests.baselines.processes import Command, to_the_byte

FEW = Comparison(worlds=("LineWalk",), agents=("Random",), runs=2, steps=20, checkpoints=2)
LONG = Comparison(worlds=("RandomMDP",), agents=("QLearning",), runs=50, steps=400_000)


def test_the_second_of_two_is_refused_and_told_who_is_there_until_the_first_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Command.start(*words(LONG, workers=2), out=tmp_path)
    assert first.wait_for(lambda: (tmp_path / "comparison.json").exists())
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file() and path.name != ".lock"}
    second = [*words(FEW, workers=1), "--out", str(tmp_path)]
    assert main(second) == 2
    (error,) = capsys.readouterr().err.splitlines()  # and no advice to say the same command again
    typed = shlex.join(["python", "-m", "baselines", *words(LONG, workers=2), "--out", str(tmp_path)])
    assert re.fullmatch(
        rf"Error: {re.escape(str(tmp_path))} is in use by process {first.process.pid} on {re.escape(platform.node())} "
        rf"since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 \({re.escape(typed)}\): "
        "wait until it has ended, or choose another folder",
        error,
    )
    assert before == {path: path.read_bytes() for path in before}  # the second has touched nothing
    first.kill()
    first.process.wait()
    assert (tmp_path / HOLDER).exists()  # what the first has left
    assert main(second) == 0  # at once, while the workers of the first may be on their way out
    assert not (tmp_path / HOLDER).exists()
    first.end()
    first.nobody_is_left()


def test_of_several_in_the_same_instant_one_works_and_the_others_are_refused(tmp_path: Path) -> None:
    started = [Command.start(*words(FEW, workers=1), out=tmp_path) for _ in range(4)]
    ends = [command.end() for command in started]
    for command, (code, output) in zip(started, ends):
        command.nobody_is_left()
        if code != 0:
            assert code == 2, output
            assert re.search(r"is in use by (process \d+ on |another process)", output), output  # the disk may be slow
    assert 0 in [code for code, _ in ends]
    assert to_the_byte(read_results(tmp_path)) == to_the_byte(compare(FEW, tmp_path / "alone", workers=1))


def test_a_holder_that_is_about_to_say_its_name_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(tmp_path, "first"):
        about = (tmp_path / HOLDER).read_bytes()
        (tmp_path / HOLDER).unlink()
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if sum(waits) > 1.5:
                (tmp_path / HOLDER).write_bytes(about)

        monkeypatch.setattr(time, "sleep", wait)
        with pytest.raises(StorageError, match=rf"is in use by process {os.getpid()} on .* \(first\)"):
            enter(tmp_path)


def test_the_lock_is_for_threads_of_one_process_too(tmp_path: Path) -> None:
    with locked(tmp_path, "first"):
        failures: list[str] = []

        def second() -> None:
            try:
                with locked(tmp_path, "second"):
                    pass
            except StorageError as error:
                failures.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert len(failures) == 1
        assert f"is in use by process {os.getpid()} on {platform.node()} since " in failures[0]
        assert "(first)" in failures[0]
    with locked(tmp_path, "third"):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, "first"):
        raise KeyError("anything")
    with locked(tmp_path, "second"):
        assert json.loads((tmp_path / HOLDER).read_text())["command"] == "second"


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(errno.EIO, os.strerror(errno.EIO)), KeyError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_the_lock_is_free_even_if_the_holders_name_cannot_be_taken_away(
    error: BaseException, told: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    def hold() -> None:
        with monkeypatch.context() as patch, locked(tmp_path, "first"):
            patch.setattr(Path, "unlink", refuse)
            raise KeyError("what has ended it")

    with pytest.raises(told):
        hold()
    with locked(tmp_path, "second"):
        assert json.loads((tmp_path / HOLDER).read_text())["command"] == "second"


# A holder whose process is no more: no system gives out so high a number.
DEAD = {"process": 2**22, "machine": platform.node(), "since": "then", "command": "something"}


@pytest.mark.parametrize("left", ["", "[]", "{", '{"process": 1}', json.dumps(DEAD)])
def test_what_a_killed_one_has_left_is_not_taken_for_the_holder(
    left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with locked(tmp_path, "first"):
        (tmp_path / HOLDER).write_text(left)
        with pytest.raises(StorageError, match="is in use by an unknown process: wait"):
            enter(tmp_path)


def test_of_a_holder_on_another_machine_nobody_here_can_tell_whether_it_lives(tmp_path: Path) -> None:
    with locked(tmp_path, "first"):
        (tmp_path / HOLDER).write_text(json.dumps({**DEAD, "machine": "elsewhere"}))
        with pytest.raises(StorageError, match=r"by process 4194304 on elsewhere since then \(something\)"):
            enter(tmp_path)


def enter(folder: Path) -> None:
    with locked(folder, "second"):
        raise AssertionError("nobody may come here")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_that_refuses_locks_is_told_of(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StorageError, match=f"cannot lock {re.escape(str(tmp_path))}: {os.strerror(number)}"):
        compare(FEW, tmp_path, workers=1)
    assert not (tmp_path / "cells").exists()


def test_where_there_are_no_locks_at_all_two_are_kept_apart_all_the_same_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", missing)
    # The second is what older versions of filelock come to, of the first holder already.
    refusal = r"is in use by process \d+ on .* \(first\)|its file system has no locks"
    with pytest.raises(StorageError, match=refusal), locked(tmp_path, "first"):
        enter(tmp_path)


def test_a_lock_file_that_is_something_else_is_told_of(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(StorageError, match=f"cannot lock {re.escape(str(tmp_path))}: Is a directory"):
        compare(FEW, tmp_path, workers=1)
