"""Games in a comparison: a table for the terminal, and lines of `results.csv`."""

from __future__ import annotations

from collections.abc import Sequence

from baselines.comparison.decimals import decimals
from baselines.comparison.game_rows import GameSummary
from baselines.report.console_table import ConsoleTable
from baselines.report.wording import MISSING, few_runs_text, interval_text, number_text

# The most frequent joint actions are named in the terminal, up to so many; the rest are added up.
MOST_NAMED = 3

GAME_HEADINGS = {
    "ended with": "joint action played most in the last tenth of the rounds, with the share of runs",
    "exploitability": "a player's gain from a best response to the learned strategies, averaged over players, exact: "
    "0 at an equilibrium",
    "CCE gap": "gain of the best fixed action against all past play: 0 or less at a coarse correlated equilibrium",
    "payoff of optimum": "sum of payoffs per round in the last tenth, exploration included, and the largest possible",
}


EXPLOITABILITY = "exploitability, 95% interval"


def game_table(summaries: Sequence[GameSummary]) -> ConsoleTable:
    """The table of games for the terminal, with the meaning of its columns."""
    numbers = (EXPLOITABILITY, "CCE gap", "payoff of optimum", "rounds/s", "time")
    headings = ("game", "agent", "runs", "ended with", *numbers)
    lines = [[summary.game, *_cells_of(summary)] for summary in summaries]
    legend = [
        (EXPLOITABILITY if name == "exploitability" else name, f"{name}: {meaning}")
        for name, meaning in GAME_HEADINGS.items()
    ]
    few = few_runs_text(summary.runs for summary in summaries)
    text = ("game", "agent", "ended with")
    return ConsoleTable("Agents in games", headings, text, lines, legend=legend, notes=[few] if few else [])


def flat_game(summary: GameSummary) -> dict[str, object]:
    """A summary as columns of `results.csv`; an interval becomes three, an unknown value is empty."""
    columns: dict[str, object] = {
        "world": summary.game,
        "agent": summary.agent,
        "runs": summary.runs,
        "exact": True,
        "steps_per_second": summary.steps_per_second,
        "seconds": summary.seconds,
        "final_joint_actions": "; ".join(f"{name} {share:.6g}" for name, share in summary.joint_actions),
        "exploitability": summary.exploitability.estimate,
        "exploitability_low": summary.exploitability.low,
        "exploitability_high": summary.exploitability.high,
        "coarse_correlated_gain": summary.coarse_correlated_gain,
        "payoff": summary.payoff.estimate,
        "payoff_low": summary.payoff.low,
        "payoff_high": summary.payoff.high,
        "social_optimum": summary.social_optimum,
    }
    return {name: "" if value is None or value != value else value for name, value in columns.items()}


def _cells_of(summary: GameSummary) -> list[str]:
    """The cells of a summary's row, from the agent's name on."""
    return [
        summary.agent,
        str(summary.runs),
        ends_text(summary.joint_actions),
        interval_text(summary.exploitability, runs=summary.runs),
        number_text(summary.coarse_correlated_gain),
        f"{decimals(summary.payoff.estimate, 2)} of {summary.social_optimum:g}",
        f"{summary.steps_per_second:,.0f}",
        f"{summary.seconds:.1f} s",
    ]


def ends_text(joint_actions: Sequence[tuple[str, float]]) -> str:
    """The most frequent joint actions with their shares: "(c, c) 93%, (b, b) 7%"."""
    if not joint_actions:
        return MISSING
    named = [f"{name} {share:.0%}" for name, share in joint_actions[:MOST_NAMED]]
    rest = joint_actions[MOST_NAMED:]
    return ", ".join(named + ([f"others {sum(share for _, share in rest):.0%}"] if rest else []))
