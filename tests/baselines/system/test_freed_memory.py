"""Memory that is freed and needed again is kept: counted in page faults of a fresh process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import sys

import numpy as np

from baselines.system.freed_memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()


def work() -> int:
    for _ in range(20):
        blocks = [np.ones(2**18) for _ in range(8)]  # 8 blocks of 2 MiB, freed together
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


print(-work() + work())
"""


def faults(what: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, what], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is the GNU C library that gives memory back")
def test_memory_that_is_needed_again_is_not_given_back() -> None:
    assert faults("kept") < faults("as usual") / 10
