"""What goes wrong from outside, each for real: kills, Ctrl-C, a full disk, damaged and old files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from baselines.__main__ import main
from baselines.commands.exit_codes import raised_at_interrupts
from baselines.comparison.comparison import Comparison
from baselines.comparison.provenance import repeating_command
from baselines.comparison.results import read_results
from baselines.comparison.running import compare
from baselines.system.atomic_files import StorageError
from tests.baselines.kills import FEW, MEASURED, killed_and_resumed, words
from tests.baselines.processes import Command, to_the_byte

# Cells that take milliseconds, and some that take a while.
SMALL = Comparison(
    worlds=("LineWalk", "Bandit"),
    agents=("Random", "QLearning"),
    runs=3,
    steps=100,
    checkpoints=2,
    games=("climbing",),
    game_agents=("IndependentQ",),
    rounds=100,
)
LONG = Comparison(worlds=("RandomMDP",), agents=("QLearning:epsilon=0.1", "QLearning"), runs=50, steps=10_000_000)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[bytes, ...]]:
    return to_the_byte(compare(MEASURED, tmp_path_factory.mktemp("unbroken"), workers=1))


# Kills ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", FEW, ids=str)
def test_a_kill_loses_only_the_cells_it_was_in(
    moment: tuple[object, ...], tmp_path: Path, unbroken: dict[tuple[str, str], tuple[bytes, ...]]
) -> None:
    outcome = killed_and_resumed(tmp_path, *moment)  # also sees that no process is left
    assert to_the_byte(outcome.results) == unbroken
    assert outcome.reused >= outcome.files_at_kill
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_worker_that_is_killed_is_told_of_and_the_same_command_goes_on(
    tmp_path: Path, unbroken: dict[tuple[str, str], tuple[bytes, ...]]
) -> None:
    command = Command.start(*words(MEASURED, workers=2), out=tmp_path)
    assert command.wait_for(command.workers)
    command.workers()[0].kill()  # before it can have done all there is to do: it takes longer than that to start
    code, output = command.end()
    command.nobody_is_left()
    error, advice = output.splitlines()[-2:]
    assert code == 2
    assert error.startswith("Error: a process died (killed, or out of memory?), working on one of: ")
    assert " runs 0-49" in error  # of one cell, or of two where the second had begun
    assert advice == f"Finished cells are kept in {tmp_path}; run the same command to resume."
    assert to_the_byte(compare(MEASURED, tmp_path, workers=1)) == unbroken


# Ctrl-C ---------------------------------------------------------------------------------------------------------------


# Python ends by the signal itself where it caught it in certain places; a shell says 130 of both.
INTERRUPTED = (130, -signal.SIGINT)


def said_at_the_end(folder: Path) -> str:
    return f"Stopped.\nFinished cells are kept in {folder}; run the same command to resume.\n"


@pytest.mark.parametrize("whole_group", [True, False], ids=["group", "parent"])
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_everything_and_says_how_to_go_on(workers: int, whole_group: bool, tmp_path: Path) -> None:
    command = Command.start(*words(LONG, workers=workers), out=tmp_path)
    assert command.wait_for(lambda: (tmp_path / "comparison.json").exists())
    time.sleep(0.2 if whole_group else 1.0)  # while workers start, and while they work
    command.interrupt(whole_group=whole_group)
    code, output = command.end()
    assert code in INTERRUPTED
    assert output == said_at_the_end(tmp_path)
    command.nobody_is_left()


def test_ctrl_c_while_the_program_starts_is_silent(tmp_path: Path) -> None:
    for delay in (0.6, 1.2):
        command = Command.start(*words(LONG, workers=2), out=tmp_path)
        time.sleep(delay)
        command.interrupt(whole_group=True)
        code, output = command.end()
        assert code in INTERRUPTED
        # Nothing at all if nothing had begun, and no advice as long as there is no folder to go on from.
        assert output in ("", "Stopped.\n", said_at_the_end(tmp_path))
        command.nobody_is_left()


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.2])
def test_ctrl_c_twice_is_no_worse_than_once(pause: float, tmp_path: Path) -> None:
    command = Command.start(*words(LONG, workers=2), out=tmp_path)
    assert command.wait_for(lambda: (tmp_path / "comparison.json").exists())
    time.sleep(0.5)
    command.interrupt(whole_group=True)
    time.sleep(pause)
    if command.process.poll() is None:
        command.interrupt(whole_group=True)
    code, output = command.end()
    assert code in INTERRUPTED
    assert output == said_at_the_end(tmp_path)
    command.nobody_is_left()


def test_the_second_ctrl_c_does_not_disturb_the_clearing_away_and_the_third_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with raised_at_interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    program = (
        "import contextlib, signal\n"
        "from baselines.commands.exit_codes import raised_at_interrupts\n"
        "with raised_at_interrupts():\n"
        "    for _ in range(3):\n"
        "        with contextlib.suppress(KeyboardInterrupt):\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "            print('it goes on', flush=True)\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."}, check=False)
    assert (ended.returncode, ended.stdout) == (130, "it goes on\n")


# A full disk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


# How much room is made, in pages of 4 kB: a cell takes one or more, a picture some dozens, the page a thousand.
PAGES = (0, 1, 2, 3, 4, 5, 6, 9, 12, 20, 60, 1200, 3000)


def fill(disk: Path, pages_left: int) -> None:
    """Fill the disk up to some pages of 4 kB."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    free = os.statvfs(disk).f_bavail
    if free > pages_left:
        ballast.write_bytes(bytes((free - pages_left) * os.statvfs(disk).f_frsize))


def test_a_full_disk_stops_it_with_one_line_whatever_was_being_written(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_disk / "results"
    typed = [*words(SMALL, workers=1), "--out", str(out)]
    stopped: set[str] = set()
    for pages in PAGES:
        kept: list[Path] | None = None
        # Where there is just room for one more cell, each of them is once the one that finds none.
        while kept != sorted(out.rglob("*.npz")):
            kept = sorted(out.rglob("*.npz"))
            fill(small_disk, pages)
            code = main(typed)
            said = capsys.readouterr().err.splitlines()
            if code == 0:
                break
            assert code == 2
            assert said[0].startswith("Error: cannot ")
            assert said[0].endswith("No space left on device")
            assert said[1:] in ([], [f"Finished cells are kept in {out}; run the same command to resume."])
            stopped.add(said[0].split(str(out))[1].split(":")[0].split("-")[0])
            assert not list(out.rglob("*.tmp"))
    assert {"/.holder.json", "/comparison.json", "/cells/LineWalk", "/cells/Bandit", "/cells/climbing"} <= stopped
    assert {"/results.csv", "/learning_curves.png"} & stopped
    assert to_the_byte(read_results(out)) == to_the_byte(compare(SMALL, tmp_path / "unbroken", workers=1))


def test_a_disk_that_fills_up_while_workers_run_ends_them(
    small_disk: Path, unbroken: dict[tuple[str, str], tuple[bytes, ...]]
) -> None:
    out = small_disk / "results"
    command = Command.start(*words(MEASURED, workers=2), out=out)
    assert command.wait_for(command.result_files)
    fill(small_disk, 0)
    code, output = command.end()
    error, advice = output.splitlines()[-2:]
    assert code == 2
    assert error.startswith(f"Error: cannot write {out}")
    assert error.endswith(": No space left on device")
    assert advice == f"Finished cells are kept in {out}; run the same command to resume."
    command.nobody_is_left()
    assert not list(out.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
    assert to_the_byte(compare(MEASURED, out, workers=1)) == unbroken


def test_a_folder_that_is_read_only_is_refused_at_once(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = small_disk / "results"
    compare(SMALL, out, workers=1)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert main([*words(SMALL, workers=1), "--out", str(out)]) == 2
    assert f"Error: cannot write into the folder {out}: Read-only file system" in capsys.readouterr().err
    assert main([*words(SMALL, workers=1), "--out", str(small_disk / "new")]) == 2
    assert f"Error: cannot make the folder {small_disk / 'new'}: Read-only file system" in capsys.readouterr().err
    read_results(out)


# Damaged and old files ------------------------------------------------------------------------------------------------


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def a_byte_flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[content.index(b"scores.npy") + 150] ^= 1
    file.write_bytes(content)


def a_number_changed(file: Path) -> None:
    with np.load(file) as found:
        arrays = dict(found)
    arrays["scores"][-1, 0] += 1e-9
    np.savez(file, **arrays)


def swapped(file: Path) -> None:
    other = next(path for path in sorted(file.parent.iterdir()) if path != file)
    content = file.read_bytes()
    file.write_bytes(other.read_bytes())
    other.write_bytes(content)


@pytest.mark.parametrize("damage", [cut_short, emptied, a_byte_flipped, a_number_changed, swapped])
def test_a_damaged_file_is_named_before_anything_trains(
    damage: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [*words(SMALL, workers=1), "--out", str(tmp_path)]
    whole = to_the_byte(compare(SMALL, tmp_path, workers=1))
    first, *_, last = sorted(path for path in (tmp_path / "cells").iterdir() if path.name.startswith("LineWalk"))
    damage(first)  # type: ignore[operator]
    with pytest.raises(StorageError, match=r"result file .* (is corrupt|holds another cell's result)"):
        read_results(tmp_path)
    assert main(["report", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: result file ")
    assert not (tmp_path / "report.html").exists()
    last.unlink()  # something is left to be trained
    capsys.readouterr()
    assert main(typed) == 2
    said = capsys.readouterr()
    named = next(path for path in (tmp_path / "cells").iterdir() if str(path) in said.err)
    assert f"Error: result file {named} " in said.err
    assert "delete it and run the same command again: only this cell is recomputed" in said.err
    assert said.out == ""
    assert not last.exists()
    # The way out that it said, as often as it says so.
    while True:
        try:
            again = compare(SMALL, tmp_path, workers=1)
            break
        except StorageError as error:
            Path(str(error).removeprefix("result file ").split(".npz")[0] + ".npz").unlink()
    assert to_the_byte(again) == whole


def test_a_comparison_that_was_stopped_is_not_reported_as_a_whole_one(tmp_path: Path) -> None:
    compare(SMALL, tmp_path, workers=1)
    file = next((tmp_path / "cells").iterdir())
    file.unlink()
    with pytest.raises(StorageError, match=r"there is no .*: the comparison is not finished; go on with: ") as caught:
        read_results(tmp_path)
    assert shlex.split(str(caught.value).split("go on with: ")[1]) == shlex.split(repeating_command(SMALL, tmp_path))


OLD_COMMAND = "python -m baselines compare --worlds LineWalk --agents Random --runs 3 --steps 100 --checkpoints 2"


def write_old_folder(folder: Path) -> dict[Path, bytes]:
    """Write what the first version of this package wrote, and give back the contents by file."""
    identity = {
        "agent": "Random",
        "agent_version": 1,
        "checkpoints": 2,
        "config": {},
        "first_run": 0,
        "format": 1,
        "num_runs": 3,
        "seed": 0,
        "steps": 100,
        "task": {
            "environment": "LineWalk",
            "max_episode_steps": 100,
            "observation": "2121328acdf4592d1d9250e74871207361b39ce2382e60fc303f79a02e5399e6",
            "table": "8162897a4e2f54b82e734a6105ce8e050c9ec5fdc1385d3a2e27c27d20bc1a53",
        },
        "versions": {"gymnasium": "1.4.0", "numpy": "2.4.6", "rl_envs": "0.1.0"},
        "world": "LineWalk",
    }
    arrays = {
        "identity": np.array(json.dumps(identity, sort_keys=True)),
        "steps": np.array([0, 50, 100]),
        "scores": np.zeros((3, 3)),
        "exact": np.array(True),
        "seconds": np.array(0.001),
    }
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    content = io.BytesIO()
    np.savez(content, checksum=np.array(digest.hexdigest()), **arrays)
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    comparison = {"worlds": ["LineWalk"], "agents": ["Random"], "runs": 3, "steps": 100, "checkpoints": 2, "seed": 0}
    about = {"command": f"{OLD_COMMAND} --out {shlex.quote(str(folder))}", "comparison": comparison}
    (folder / "cells").mkdir(parents=True)
    (folder / "comparison.json").write_text(json.dumps(about, indent=2))
    (folder / "cells" / f"LineWalk-Random-runs0-2-{key}.npz").write_bytes(content.getvalue())
    return {path: path.read_bytes() for path in (folder / "cells").iterdir()}


def test_a_folder_of_an_older_version_is_neither_used_nor_spoilt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write_old_folder(tmp_path / "results")
    with pytest.raises(
        StorageError, match=r"has format 1, but this version reads format \d: make the comparison again"
    ) as e:
        read_results(tmp_path / "results")
    command = str(e.value).split("again with: ")[1]
    assert command == f"{OLD_COMMAND} --out {shlex.quote(str(tmp_path / 'results'))}"
    assert main(shlex.split(command)[3:]) == 0
    printed = capsys.readouterr().out
    assert "[1/1] LineWalk · Random · runs 0-2" in printed
    assert "Results in cells/ from other settings or versions, not used here: 1." in printed
    assert all(path.read_bytes() == content for path, content in old.items())
    assert len(list((tmp_path / "results" / "cells").iterdir())) == 2
    alone = Comparison(worlds=("LineWalk",), agents=("Random",), runs=3, steps=100, checkpoints=2)
    assert to_the_byte(read_results(tmp_path / "results")) == to_the_byte(compare(alone, tmp_path / "anew", workers=1))
