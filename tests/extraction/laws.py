"""The exact law of a draw by enumeration, and what a real generator of NumPy's gives."""

import numpy as np
from scipy.stats import chisquare

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.refusal import BranchLeftOut


def plain(value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return tuple(plain(part) for part in value)
    return value.item() if isinstance(value, np.generic) else value


def law_of(draw, *, skip_below=1e-9, max_branches=100_000):
    """The exact law of what a function makes of a generator, and the mass left out."""
    chance = Chance(skip_below=skip_below, max_branches=max_branches)
    generator = EnumeratingGenerator(chance)
    chance.begin()
    law = {}
    while True:
        try:
            value = plain(draw(generator))
            law[value] = law.get(value, 0.0) + chance.mass
        except BranchLeftOut:
            pass  # counted in left_out
        if not chance.advance():
            return law, chance.left_out


def p_value(law, draw, *, number=4_000, seed=0):
    """How likely NumPy's own generator is to draw as far from the law as it does."""
    generator = np.random.default_rng(seed)
    counts = dict.fromkeys(law, 0)
    for _ in range(number):
        counts[plain(draw(generator))] += 1  # KeyError: a value that the law says is impossible
    expected = np.array(list(law.values())) / sum(law.values()) * number
    seen = np.array(list(counts.values()), dtype=float)
    rare = expected < 5
    if rare.any():
        expected = np.append(expected[~rare], expected[rare].sum())
        seen = np.append(seen[~rare], seen[rare].sum())
    return 1.0 if len(seen) < 2 else float(chisquare(seen, expected * seen.sum() / expected.sum()).pvalue)
