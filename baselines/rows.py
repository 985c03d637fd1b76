"""Rows of a comparison: all runs of one agent on one world, gathered from the cells that hold some of them each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines.results import Cell, read_result
from baselines.statistics import complete


@dataclass(frozen=True, eq=False)
class Row:
    """All runs of one agent on one world.

    Attributes:
        world: its name.
        agent: its name.
        steps: environment steps at the checkpoints, [C].
        scores: [C, R].
        exact: whether scores are exact, or means of sampled returns.
        seconds: training time of all runs together.
        regret: pseudo-regret so far at the checkpoints, in units of reward, [C, R]; None where the world is no bandit or
            the agent trains in a loop of its own.
        value_error: how far the values of what was learned are from the best, a state, the mean over runs, [S]: for a
            policy the exact v*(s) - v_policy(s), for predicted values |v_predicted(s) - v_uniform(s)|; None where there
            is no table.
    """

    world: str
    agent: str
    steps: np.ndarray
    scores: np.ndarray
    exact: bool
    seconds: float
    regret: np.ndarray | None = None
    value_error: np.ndarray | None = None

    @property
    def num_runs(self) -> int:
        """R."""
        return int(self.scores.shape[1])

    @property
    def final(self) -> np.ndarray:
        """Scores at the end of training, [R]."""
        return self.scores[-1]

    @property
    def steps_per_second(self) -> float:
        """Environment steps of all runs per second of training."""
        return float(self.steps[-1] - self.steps[0]) * self.num_runs / max(self.seconds, 1e-9)


def gather(cells: Sequence[Cell], folder: Path) -> list[Row]:
    """Put the results of cells of the same world and agent side by side.

    Args:
        cells: all cells of a comparison.
        folder: where result files lie.

    Returns:
        A row for each world and agent, in the order of the cells.

    Raises:
        ValueError: a run without a result, or with one that is NaN.
        StorageError: a result file that is corrupt.
    """
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.world, cell.agent), []).append(cell)
    rows = []
    for (world, agent), group in groups.items():
        results = []
        for cell in group:
            result = read_result(cell, folder)
            if result is None:
                raise ValueError(f"every run must have a result, but {cell} have none")
            complete(result.scores, f"{agent} on {world}", cell.runs)
            results.append(result)
        rows.append(
            Row(
                world=world,
                agent=agent,
                steps=results[0].steps,
                scores=np.concatenate([result.scores for result in results], axis=1),
                exact=results[0].exact,
                seconds=sum(result.seconds for result in results),
            )
        )
    return rows
