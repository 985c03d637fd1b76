"""`python -m baselines tune`: a search for settings that do better, judged by runs of their own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from baselines.commands.exit_codes import complain
from baselines.commands.resumable import ENDS, console_for_tables, end_early
from baselines.comparison.decimals import decimals
from baselines.comparison.measures import worst_decile
from baselines.comparison.statistics import Interval, mean_interval
from baselines.monitoring.progress import TrialDisplay
from baselines.report.scores import MEANINGS, kind_of_agent
from baselines.report.wording import few_runs_text, interval_text
from baselines.tuning.result import Contender, TuningResult
from baselines.tuning.trials import Tuning
from baselines.tuning.tune import OptunaMissingError, tune
from baselines.tuning.tuning_file import DATABASE, REPORT, as_toml

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# What is said of each run, by metric: in the table and in the verdict.
MEANING = {
    "score": "score at the end",
    "area": "mean score over training",
    "worst_decile": "score at the end",
    "regret": "regret",
}


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command, whatever was typed after it."""
    return tune_agent


def tune_agent(
    tuning: tyro.conf.OmitArgPrefixes[Tuning],
    trials: int = 50,
    out: Path = Path("tuning"),
    held_out_runs: int = 30,
    workers: int = 1,
) -> int:
    """Search for settings with which an agent does better than with those it has, and judge them by runs of their own.

    The same command again goes on where an interrupted one ended, up to the same number of trials in all.

    Args:
        tuning: What is tuned.
        trials: Trials in all, those of earlier commands among them.
        out: Folder of the database and of what is written at the end.
        held_out_runs: Fresh runs of the default and of the best settings at the end, on each world.
        workers: Processes. With one, the seed decides every trial; with more, it matters which ends first.
    """
    console = console_for_tables()
    try:
        with TrialDisplay(console, trials) as display:
            result = tune(tuning, out, trials=trials, held_out_runs=held_out_runs, workers=workers, on_trial=display)
    except OptunaMissingError as error:
        return complain(f"Error: {error}")
    except ENDS as error:
        return end_early(error, "trials", out, DATABASE)
    show(result, console)
    console.print(f"Written to {out}: {DATABASE}, {REPORT}", markup=False)
    return 0


def show(result: TuningResult, console: Console) -> None:
    """Print what tuning came to.

    Args:
        result: of `tune`.
        console: where to.
    """
    console.print(contenders_table(result))
    for line in explanation(result):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def contenders_table(result: TuningResult) -> Table:
    """The default and the best side by side, by their fresh runs."""
    from rich.table import Table

    table = Table(
        "world", "settings", "runs", f"{meaning(result)} (95%)", "worst tenth of the runs", title_justify="left"
    )
    table.title = "Fresh runs, which the search has not seen"
    for world in (named.label for named in result.tuning.named_worlds):
        for name, contender in contenders(result).items():
            if not contender.held_out:
                table.add_row(world, name, "0", contender.failure, "")
                continue
            runs = contender.held_out[world].of_each_run(result.tuning.metric)
            # The worst runs are those that lose most, where it is regret that was measured.
            worst = -worst_decile(-runs) if result.tuning.metric == "regret" else worst_decile(runs)
            mean = interval_text(mean_interval(runs), runs=len(runs))
            table.add_row(world, name, str(len(runs)), mean, decimals(worst))
    return table


def meaning(result: TuningResult) -> str:
    """What the number of each run is."""
    said = MEANING[result.tuning.metric]
    if predicts(result.tuning):
        return f"{said}, of predicted values"
    return f"{said}, as mean returns of episodes" if result.tuning.is_sampled else said


def predicts(tuning: Tuning) -> bool:
    """Whether scores are of predicted values, and not of a policy."""
    return tuning.metric != "regret" and not tuning.is_sampled and kind_of_agent(tuning.named_agent.name) == "values"


def contenders(result: TuningResult) -> dict[str, Contender]:
    """Who is compared: the default, and the best if it is another."""
    both = {"default": result.default}
    return {**both, "best": result.best} if result.found_better else both


def explanation(result: TuningResult) -> list[str]:
    """Sentences on what was found, and the settings to paste."""
    fresh = [curve for contender in contenders(result).values() for curve in contender.held_out.values()]
    few = few_runs_text(len(curve.of_each_run(result.tuning.metric)) for curve in fresh)
    lines = [*filter(None, [few]), *meaning_of_predictions(result.tuning), account_of_trials(result)]
    if result.finished == 1:
        return [*lines, f"Only the default was tried, {result.default.agent}: more --trials search."]
    if not result.found_better:
        return [*lines, f"No trial was better than the default, {result.default.agent}."]
    metric = result.tuning.metric.replace("_", " ")
    for name, contender in contenders(result).items():
        value = contender.outcome.value
        said = contender.outcome.reason if value is None else decimals(value)
        lines.append(f"{name} (trial {contender.trial}): {metric} {said} on the runs of the search.")
    lines.append("The best of many is flattered by the runs it was chosen by: report fresh runs, as in the table.")
    lines += [verdict(world, interval, result) for world, interval in result.differences.items()]
    if result.importance:
        shares = ", ".join(f"{field} {share:.0%}" for field, share in result.importance.items())
        lines.append(f"How much each setting matters in this search: {shares}.")
    best = result.best.agent
    return [
        *lines,
        "The best settings, to paste, and as a table of a comparison's file:",
        shlex.quote(best.label),
        as_toml(best),
    ]


def meaning_of_predictions(tuning: Tuning) -> list[str]:
    """What a score is where it is not of a policy, in a sentence or none."""
    if not predicts(tuning):
        return []
    return [f"Score: {tuning.named_agent.name} learns to predict values; it is {MEANINGS['values']}."]


def account_of_trials(result: TuningResult) -> str:
    """How many trials there were, and how they ended."""
    trials = "1 trial" if result.finished == 1 else f"{result.finished} trials"
    others = "".join(f", {number} {kind}" for kind, number in result.shortfalls.items())
    said = f"{trials}: {result.complete} went all the way{others}."
    if result.kept:
        were = "It was" if result.finished == 1 else f"{result.kept} of them were"
        said += f" {were} kept from earlier."
    if result.interrupted:
        said += f" {result.interrupted} more {'was' if result.interrupted == 1 else 'were'} interrupted and "
        said += "does not count." if result.interrupted == 1 else "do not count."
    return said


def verdict(world: str, difference: Interval, result: TuningResult) -> str:
    """Whether the best is better than the default on fresh runs.

    Args:
        world: where.
        difference: best minus default.
        result: of `tune`.
    """
    sign = -1 if result.tuning.metric == "regret" else 1
    if min(sign * difference.low, sign * difference.high) > 0:
        said = "the best is better than the default"
    elif max(sign * difference.low, sign * difference.high) < 0:
        said = "the best is worse than the default"
    else:
        said = "the fresh runs do not tell the best from the default"
    return f"{world}: {said}, difference in {meaning(result)} {_with_ends(difference, signed=True)}."


def _with_ends(interval: Interval, *, signed: bool = False) -> str:
    estimate, low, high = (decimals(end, sign=signed) for end in (interval.estimate, interval.low, interval.high))
    return f"{estimate} ({low} to {high})"
