"""Marks a report's PNGs with a text chunk that holds their name, so that a later report can recognise them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from baselines.system.atomic_files import StorageError, write_atomically

# The first chunk of every PNG, its header, ends here (PNG specification, third edition, 5.2 and 11.2.2).
HEADER_ENDS = 33


def sign(path: Path) -> None:
    """Add the text chunk to a PNG.

    Args:
        path: the file; its picture does not change.

    Raises:
        StorageError: it cannot be written.
    """
    content = path.read_bytes()
    write_atomically(path, content[:HEADER_ENDS] + _signature(path.name) + content[HEADER_ENDS:])


def is_signed(path: Path) -> bool:
    """Whether a file is a report's figure under its original name; a renamed copy belongs to the user."""
    signature = _signature(path.name)
    try:
        with path.open("rb") as file:
            return file.read(HEADER_ENDS + len(signature))[HEADER_ENDS:] == signature
    except OSError:
        return False


def remove_others(folder: Path, written: Sequence[str]) -> None:
    """Remove the figures of an earlier report that this one has not written, and nothing else.

    Args:
        folder: where reports lie.
        written: names of the files that stay.

    Raises:
        StorageError: one cannot be removed.
    """
    for path in sorted(folder.glob("*.png")):
        if path.name not in written and not path.is_symlink() and is_signed(path):
            try:
                path.unlink()
            except OSError as error:
                raise StorageError(f"cannot remove {path} of an earlier report: {error.strerror or error}") from error


def _signature(name: str) -> bytes:
    """A chunk of text: its length, its type, a keyword and the text in UTF-8, and a checksum."""
    text = b"Source\0\0\0\0\0" + f"a report of rl-envs, {name}".encode(errors="surrogateescape")
    return struct.pack(">I", len(text)) + b"iTXt" + text + struct.pack(">I", zlib.crc32(b"iTXt" + text))
