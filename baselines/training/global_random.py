"""Seeds the global random generators, which only libraries use, and restores them afterwards."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np

from baselines.system.threads import one_thread


@contextlib.contextmanager
def library_conventions(seed: int | None = None) -> Iterator[None]:
    """Set up the process for a library, and restore it afterwards: global generators, and one thread.

    Libraries seed Python's, NumPy's and torch's global generators and draw from them. Whoever calls this must find
    theirs as they were.

    Args:
        seed: of all three in the meantime, in [0, 2^32); they are left as they are when there is none.
    """
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - libraries draw from it
    if seed is not None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
    try:
        with one_thread():
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
