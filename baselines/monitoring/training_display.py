"""Progress of a training: a bar in a terminal, one line per checkpoint in a log, and each run's final score."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from baselines.agents.value_prediction import ValueAgent
from baselines.comparison.decimals import decimals
from baselines.report.scores import MEANINGS
from baselines.training.agent import Agent

if TYPE_CHECKING:
    from rich.console import Console

# Most updates of the bar: drawing it costs more than a step of a small agent.
MOVES = 500

# Up to so many runs are listed one by one; beyond, only the summary is shown.
LISTED = 30


class TrainingDisplay:
    """Progress of a training; a context manager.

    Args:
        console: where to print.
        steps: environment steps in all.
        scored_by: name of the score: "score", or "mean return" where there is no table.
    """

    def __init__(self, console: Console, steps: int, scored_by: str = "score") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._scored_by = scored_by
        self._every = max(1, steps // MOVES)
        self._steps = self._shown = 0
        self._bar = Progress(
            TextColumn("steps"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=steps)

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.update(self._task, completed=self._steps)
        self._bar.stop()

    def advance(self, steps: int) -> None:
        """So many of the steps have been taken."""
        self._steps = steps
        if steps - self._shown >= self._every:
            self._shown = steps
            self._bar.update(self._task, completed=steps)

    def scored(self, steps: int, scores: np.ndarray, name: str = "") -> None:
        """Runs have been scored after so many steps.

        Args:
            steps: environment steps per run.
            scores: one per run.
            name: prefix that names a run that trains alone.
        """
        text = f"{self._scored_by} {decimals(scores.mean())}"
        if len(scores) > 1:
            text += f", worst run {decimals(scores.min())}"
        self._bar.update(self._task, description=f"{name}{text}")
        if not self._console.is_terminal:
            say(f"{name}{steps:>9,} steps: {text}", self._console)


def say(line: str, console: Console) -> None:
    """Print a line as it is, never wrapped by rich."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def show_scores(agent: Agent, scores: np.ndarray, episodes: int, console: Console) -> None:
    """Show each run's final score.

    Args:
        agent: the population.
        scores: one per run, [R].
        episodes: number of episodes that a sampled score averages.
        console: where to print.
    """
    exact = agent.task.truth is not None
    digits = 4 if exact else 1
    if 1 < len(scores) <= LISTED:
        for run, score in zip(agent.runs, scores):
            say(f"run {run:<4} {decimals(score, digits)}", console)
    name = "exact score" if exact else f"mean return of {episodes} sampled episodes"
    if len(scores) == 1:
        say(f"{name} {decimals(scores[0], digits)}", console)
    else:
        share = f", solve rate {(scores >= 0.99).mean():.0%} (at least 0.99)" if exact else ""
        summary = f"mean {decimals(scores.mean(), digits)}, worst {decimals(scores.min(), digits)}{share}"
        say(f"{name} of {len(scores)} runs: {summary}", console)
    say(meaning(agent), console)


def meaning(agent: Agent) -> str:
    """What an agent's scores mean."""
    if agent.task.truth is None:
        return f"return: that of the greedy policy, sampled, because {agent.task.name} has no table"
    if isinstance(agent, ValueAgent):
        return f"{agent.name} acts uniformly at random; its score is {MEANINGS['values']}"
    return f"score: {MEANINGS['policy']}"
