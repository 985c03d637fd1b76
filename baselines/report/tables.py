"""The tables of a report, column by column, for both the page and the Markdown file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from baselines.comparison.game_rows import GameSummary
from baselines.comparison.summary import AcrossWorlds, Summary
from baselines.report.games import GAME_HEADINGS, ends_text
from baselines.report.scores import MARKS, kind_of, kind_of_agent, meanings_text
from baselines.report.terminal import HEADINGS
from baselines.report.wording import interval_text, number_text, share_text, steps_text

Line = TypeVar("Line")

# Up to so many worlds are named in a cell of a table; beyond, only their number is.
MOST_WORLDS = 4


def names_text(names: Sequence[str]) -> str:
    """Names, or how many there are."""
    return ", ".join(names) if len(names) <= MOST_WORLDS else f"{len(names)} worlds"


@dataclass(frozen=True)
class Column(Generic[Line]):
    """A column of a table.

    Attributes:
        heading: its heading.
        text: the text of a line's cell.
        order: the sort key of a line: text, or a number; infinity where something was never reached, None where it is
            unknown.
        meaning: the column's meaning in one sentence; empty for a name.
    """

    heading: str
    text: Callable[[Line], str]
    order: Callable[[Line], float | str | None]
    meaning: str = ""

    def is_number(self, lines: Sequence[Line]) -> bool:
        """Whether the column holds numbers, which are right-aligned."""
        return not any(isinstance(self.order(line), str) for line in lines)


def digits(summary: Summary) -> int:
    """Decimals of a score: fewer for sampled returns, which can be of any size."""
    return 3 if summary.exact else 1


AGENT: Column[Any] = Column("agent", lambda line: line.agent, lambda line: line.agent)
RUNS: Column[Any] = Column(
    "runs", lambda line: f"{line.runs}", lambda line: line.runs, "number of independent runs, each with its own seed"
)

WORLD_COLUMNS: tuple[Column[Summary], ...] = (
    Column("world", lambda line: line.world, lambda line: line.world),
    AGENT,
    RUNS,
    Column(
        "score",
        lambda line: interval_text(line.score, digits(line), runs=line.runs) + MARKS[kind_of(line)],
        lambda line: line.score.estimate,
        "mean over runs with its 95% confidence interval",
    ),
    Column(
        "worst tenth",
        lambda line: number_text(line.worst_decile, digits(line)),
        lambda line: line.worst_decile,
        HEADINGS["worst tenth"],
    ),
    Column(
        "solve rate",
        lambda line: share_text(line.within_1_percent),
        lambda line: None if line.within_1_percent is None else line.within_1_percent.estimate,
        HEADINGS["solve rate"],
    ),
    Column(
        "steps to 95%",
        lambda line: steps_text(line.steps_to_95_percent),
        lambda line: line.steps_to_95_percent,
        HEADINGS["steps to 95%"],
    ),
    Column(
        "area",
        lambda line: number_text(line.area, digits(line)),
        lambda line: line.area,
        "mean score over all of training (area under the learning curve)",
    ),
    Column(
        "steps/s", lambda line: f"{line.steps_per_second:,.0f}", lambda line: line.steps_per_second, HEADINGS["steps/s"]
    ),
    Column("time", lambda line: f"{line.seconds:.1f} s", lambda line: line.seconds, "total training time of all runs"),
)


def world_columns(summaries: Sequence[Summary]) -> list[Column[Summary]]:
    """The columns of a table of these lines, on which the meaning of a score depends."""
    return [
        replace(column, meaning=f"{column.meaning}: {meanings_text(summaries)}")
        if column.heading == "score"
        else column
        for column in WORLD_COLUMNS
    ]


def fewest_runs(summaries: Sequence[Summary]) -> dict[str, int]:
    """The fewest runs that each agent has on any of its worlds with exact scores."""
    exact = [summary for summary in summaries if summary.exact]
    return {agent: min(one.runs for one in exact if one.agent == agent) for agent in {one.agent for one in exact}}


def across_columns(summaries: Sequence[Summary]) -> list[Column[AcrossWorlds]]:
    """The columns of a table of agents over the worlds of these lines: intervals of too few runs are marked."""
    fewest = fewest_runs(summaries)
    texts: dict[str, Callable[[AcrossWorlds], str]] = {
        "mean": lambda line: interval_text(line.score, runs=fewest[line.agent]) + MARKS[kind_of_agent(line.who)],
        "interquartile mean": lambda line: interval_text(line.interquartile_mean, runs=fewest[line.agent]),
    }
    return [replace(column, text=texts.get(column.heading, column.text)) for column in ACROSS_COLUMNS]


ACROSS_COLUMNS: tuple[Column[AcrossWorlds], ...] = (
    AGENT,
    Column(
        "worlds",
        lambda line: names_text(line.worlds),
        lambda line: len(line.worlds),
        "worlds where the agent's scores are exact",
    ),
    Column(
        "mean",
        lambda line: interval_text(line.score) + MARKS[kind_of_agent(line.who)],
        lambda line: line.score.estimate,
        "mean over worlds of the mean over runs, with its 95% confidence interval",
    ),
    Column(
        "interquartile mean",
        lambda line: interval_text(line.interquartile_mean),
        lambda line: line.interquartile_mean.estimate,
        "mean of the middle half of all runs: more robust than the mean, but blind to failures of up to a quarter of "
        "the runs",
    ),
    Column(
        "worst tenth",
        lambda line: number_text(line.worst_decile),
        lambda line: line.worst_decile,
        "mean score of the worst tenth of all runs",
    ),
)

GAME_COLUMNS: tuple[Column[GameSummary], ...] = (
    Column("game", lambda line: line.game, lambda line: line.game),
    AGENT,
    RUNS,
    Column(
        "ended with",
        lambda line: ends_text(line.joint_actions),
        lambda line: ends_text(line.joint_actions),
        GAME_HEADINGS["ended with"],
    ),
    Column(
        "exploitability",
        lambda line: interval_text(line.exploitability, runs=line.runs),
        lambda line: line.exploitability.estimate,
        f"mean over runs with its 95% interval: {GAME_HEADINGS['exploitability']}",
    ),
    Column(
        "CCE gap",
        lambda line: number_text(line.coarse_correlated_gain),
        lambda line: line.coarse_correlated_gain,
        GAME_HEADINGS["CCE gap"],
    ),
    Column(
        "payoff",
        lambda line: number_text(line.payoff.estimate, 2),
        lambda line: line.payoff.estimate,
        "mean sum of the players' payoffs per round in the last tenth of the rounds, exploration included",
    ),
    Column(
        "optimum",
        lambda line: f"{line.social_optimum:g}",
        lambda line: line.social_optimum,
        "largest possible sum of payoffs per round",
    ),
    Column(
        "rounds/s",
        lambda line: f"{line.steps_per_second:,.0f}",
        lambda line: line.steps_per_second,
        "rounds of all runs per second of learning, in one process",
    ),
    Column("time", lambda line: f"{line.seconds:.1f} s", lambda line: line.seconds, "total time of all runs"),
)
