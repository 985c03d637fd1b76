"""Files are written as a whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.system import atomic_files
from baselines.system.atomic_files import StorageError, make_folder, remove_leftovers, write_atomically


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_atomically(tmp_path / "file", content)
        assert (tmp_path / "file").read_bytes() == content
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize("when", ["fsync", "replace"])
def test_a_full_disk_is_said_and_leaves_the_old_file(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_atomically(tmp_path / "file", b"old")
    monkeypatch.setattr(atomic_files.os, when, full)
    with pytest.raises(StorageError, match=r"cannot write .*file: No space left on device"):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == {"file"}


def folders_fail_with(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files can be forced onto the disk, but folders cannot."""
    fsync = os.fsync

    def fsync_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(atomic_files.os, "fsync", fsync_files)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP])
def test_a_file_system_that_cannot_force_folders_onto_the_disk_will_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders_fail_with(number, monkeypatch)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_folder_that_the_disk_fails_to_take_is_said(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders_fail_with(number, monkeypatch)
    with pytest.raises(StorageError, match=f"cannot write .*file: {os.strerror(number)}"):
        write_atomically(tmp_path / "file", b"new")


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic_files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert names(tmp_path) == set()


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write .*file: No such file or directory"):
        write_atomically(tmp_path / "nowhere" / "file", b"new")


def test_folders_are_made_with_those_above_them(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert names(make_folder(tmp_path / "a" / "b")) == set()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot make the folder .*file/folder: Not a directory"):
        make_folder(tmp_path / "file" / "folder")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", refuse)  # a mode would not stop root, as whom tests may run
    with pytest.raises(StorageError, match=r"cannot write into the folder .*: Permission denied"):
        make_folder(tmp_path)


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".one.npz.{dead.pid}.tmp").touch()
    (tmp_path / f".two.npz.{os.getpid()}.tmp").touch()
    (tmp_path / "three.npz").touch()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == {f".two.npz.{os.getpid()}.tmp", "three.npz"}
