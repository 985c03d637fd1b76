"""Limits computation to one thread, as in every comparison.

Libraries of linear algebra split sums among the available cores, so the order of summation and with it the last digits
would depend on the machine. And two threads of torch on two busy cores were measured up to twenty times slower than
one.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from baselines.system.environment_variables import environment

# Libraries read these when they are first imported.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let NumPy, SciPy and torch use one thread; the earlier number is restored afterwards.

    A library that is imported only meanwhile, and a process that is started, are bound by environment variables, the
    library for good.
    """
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    threads = None if torch is None else torch.get_num_threads()
    with environment(ONE_THREAD), threadpool_limits(1):
        if torch is not None:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch is not None:
                torch.set_num_threads(threads)
