"""Keeps freed memory that every update of a network needs again at once."""

from __future__ import annotations

import numpy as np


def keep_freed_memory() -> None:
    """Let the allocator of this process keep what is freed.

    The C library on Linux gives large blocks back to the system, and taking them again costs a third of an update of
    thirty small networks. It stops doing so for blocks up to the size of the largest one that it has seen come and go,
    at most 32 MiB. This one is never written to, so it takes no memory.
    """
    np.empty(31 * 2**20, dtype=np.uint8)
