"""What one training shows: a moving bar in a terminal, a line a checkpoint in a log, and how every run has ended."""

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

# How often the bar moves, at most: drawing it costs more than a step of a small agent.
MOVES = 500

# As many runs are listed one by one; of more there is only the summary.
LISTED = 30


class TrainingDisplay:
    """Shows how far a training is; used as a context.

    Args:
        console: where to.
        steps: environment steps that are to be taken.
        scored_by: what a score is called: "score", or "mean return" where there is no table.
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
            steps: environment steps of each run.
            scores: of those runs.
            name: of a run that trains alone.
        """
        text = f"{self._scored_by} {decimals(scores.mean())}"
        if len(scores) > 1:
            text += f", worst run {decimals(scores.min())}"
        self._bar.update(self._task, description=f"{name}{text}")
        if not self._console.is_terminal:
            say(f"{name}{steps:>9,} steps: {text}", self._console)


def say(line: str, console: Console) -> None:
    """Print a line as it is; a log has no width at which it would have to be broken."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def show_scores(agent: Agent, scores: np.ndarray, episodes: int, console: Console) -> None:
    """Show how each run has ended.

    Args:
        agent: the population.
        scores: of every run, [R].
        episodes: how many episodes a sampled score is the mean of.
        console: where to.
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
        share = f", {(scores >= 0.99).mean():.0%} of them at least 0.99" if exact else ""
        summary = f"mean {decimals(scores.mean(), digits)}, worst {decimals(scores.min(), digits)}{share}"
        say(f"{name} of {len(scores)} runs: {summary}", console)
    say(meaning(agent), console)


def meaning(agent: Agent) -> str:
    """What an agent's scores are."""
    if agent.task.truth is None:
        return f"return: of the greedy policy; {agent.task.name} has no table from which it could be computed"
    if isinstance(agent, ValueAgent):
        return f"score: {agent.name} learns to predict values and acts uniformly; it is {MEANINGS['values']}"
    return f"score: {MEANINGS['policy']}"
