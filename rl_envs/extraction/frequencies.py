"""Whether outcomes are as frequent as a table says."""

from __future__ import annotations

from typing import Any

import numpy as np

# Frequencies as far from a table that is right come out once in a million times.
LEAST_LIKELY = 1e-6

# Cells in which fewer are expected are counted together.
FEWEST = 5.0


class Frequencies:
    """How often outcomes were seen and expected, pooled over all pairs with the same probabilities."""

    def __init__(self) -> None:
        self._seen: dict[Any, np.ndarray] = {}
        self._expected: dict[Any, np.ndarray] = {}

    def add(self, probabilities: list[float], which: int, pool: Any = None) -> None:
        """One draw came out as one of several branches.

        Args:
            probabilities: of the branches.
            which: number of the branch.
            pool: draws with the same pool and probabilities are counted together.
        """
        if len(probabilities) < 2:
            return
        weights = np.asarray(probabilities)
        order = np.argsort(weights, kind="stable")
        law = (pool, *np.round(weights[order], 12).tolist())
        if law not in self._seen:
            self._seen[law] = np.zeros(len(weights))
            self._expected[law] = np.zeros(len(weights))
        self._seen[law][int(np.flatnonzero(order == which)[0])] += 1
        self._expected[law] += weights[order] / weights.sum()

    def p_value(self) -> float:
        """How likely frequencies are that are at least so far from those expected; 1 where nothing was drawn.

        Source: Pearson's chi-square test.
        """
        # What scipy.stats.chi2.sf computes, without the seconds that its import takes.
        from scipy.special import chdtrc

        statistic, freedom = 0.0, 0
        for law, seen in self._seen.items():
            expected = self._expected[law]
            rare = expected < FEWEST
            cells = list(zip(seen[~rare].tolist(), expected[~rare].tolist(), strict=True))
            if expected[rare].sum() >= FEWEST:
                cells.append((float(seen[rare].sum()), float(expected[rare].sum())))
            elif cells:
                cells[0] = (cells[0][0] + float(seen[rare].sum()), cells[0][1] + float(expected[rare].sum()))
            if len(cells) > 1:
                statistic += sum((one - other) ** 2 / other for one, other in cells)
                freedom += len(cells) - 1
        return float(chdtrc(freedom, statistic)) if freedom else 1.0
