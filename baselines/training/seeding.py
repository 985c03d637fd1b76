"""Seeds: a run's random numbers depend on the run alone, and on nothing beside it.

The seed of a run comes from the base seed, the names of the world and the agent, the purpose and the run's number. So a
new row in a comparison never moves an old one, and run 7 is the same run whether 10 or 10,000 advance together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from rl_envs.mdp.finite_mdp import check_integer


def stable_hash(name: str) -> int:
    """A number that stands for a name, the same in every process (Python's own `hash` is not)."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def run_seeds(seed: int, world: str, agent: str, runs: Sequence[int], purpose: str) -> list[np.random.SeedSequence]:
    """One seed for each run.

    Args:
        seed: the base seed, 0 or more.
        world: the world's name.
        agent: the agent's name.
        runs: the numbers of the runs, each 0 or more.
        purpose: what the random numbers are for ("environment", "exploration", ...); purposes never share a stream.

    Returns:
        A seed sequence for each run, in order.

    Raises:
        ValueError: a negative seed.
        TypeError: a seed that is no integer.
    """
    seed = check_integer("seed", seed, low=0)
    names = [stable_hash(world), stable_hash(agent), stable_hash(purpose)]
    return [np.random.SeedSequence([seed, *names, run]) for run in runs]


def integer_seeds(sequences: Sequence[np.random.SeedSequence], bits: int = 63) -> list[int]:
    """Each seed sequence as one whole number of so many bits (at most 63), for libraries that take nothing else."""
    return [int(sequence.generate_state(1, np.uint64)[0]) >> (64 - bits) for sequence in sequences]
