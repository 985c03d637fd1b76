"""How many threads the libraries of this process compute on."""

from __future__ import annotations

import numpy as np
import torch
from threadpoolctl import threadpool_info


def threads_of_libraries() -> set[int]:
    """The numbers of threads of NumPy's linear algebra, of torch, and of whatever else is imported."""
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info()} | {torch.get_num_threads()}
