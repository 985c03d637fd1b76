"""Rows of a comparison: all runs of one agent on one world, gathered from several cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from baselines.comparison.cells import Result
from baselines.comparison.measures import complete
from baselines.training.specification import WorldSpecification
from rl_envs.specification import Specification


@dataclass(frozen=True, eq=False)
class Row:
    """All runs of one agent on one world.

    Attributes:
        where: the world, read from the name in its results.
        who: the agent with its settings, likewise; or the name of a function.
        steps: environment steps at the checkpoints, [C].
        scores: [C, R].
        exact: whether scores are exact, or means of sampled returns.
        seconds: training time of all runs together.
        regret: pseudo-regret so far at the checkpoints, in units of reward, [C, R]; None where the world is no bandit
            or the agent trains in a loop of its own.
        value_error: value error by state, the mean over runs, [S]: for a policy its suboptimality v*(s) - v_policy(s),
            for predicted values |v_predicted(s) - v_uniform(s)|; None where there is no table.
    """

    where: WorldSpecification
    who: Specification
    steps: np.ndarray
    scores: np.ndarray
    exact: bool
    seconds: float
    regret: np.ndarray | None = None
    value_error: np.ndarray | None = None

    @property
    def world(self) -> str:
        """The world's name with its settings."""
        return self.where.label

    @property
    def agent(self) -> str:
        """The agent's name with its settings."""
        return self.who.label

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
        return float(self.steps[-1]) * self.num_runs / max(self.seconds, 1e-9)


def gather(parts: Iterable[tuple[WorldSpecification, Specification, range, Result]]) -> list[Row]:
    """Gather the runs of each world and agent into one row.

    Args:
        parts: world, agent, numbers of the runs and their result, those of one row in the order of their runs.

    Returns:
        A row for each world and agent, in the order in which they first come.

    Raises:
        ValueError: a run that is missing, or whose result is NaN; the message names it.
    """
    groups: dict[tuple[WorldSpecification, Specification], list[tuple[range, Result]]] = {}
    for world, agent, runs, result in parts:
        groups.setdefault((world, agent), []).append((runs, result))
    return [_row(world, agent, group) for (world, agent), group in groups.items()]


def _row(world: WorldSpecification, agent: Specification, group: Sequence[tuple[range, Result]]) -> Row:
    where = f"{agent} on {world}"
    expected = 0
    for runs, result in group:
        if runs.start != expected:
            raise ValueError(f"every run must have a result, but run {expected} of {where} has none")
        complete(result.scores, where, runs)
        expected = runs.stop
    results = [result for _, result in group]
    regrets = [result.regret for result in results if result.regret is not None]
    errors = [result.value_error for result in results if result.value_error is not None]
    weights = np.array([len(runs) for runs, _ in group]) / expected
    return Row(
        where=world,
        who=agent,
        steps=results[0].steps,
        scores=np.concatenate([result.scores for result in results], axis=1),
        exact=results[0].exact,
        seconds=sum(result.seconds for result in results),
        regret=np.concatenate(regrets, axis=1) if regrets else None,
        value_error=np.tensordot(weights, errors, axes=1) if errors else None,
    )
