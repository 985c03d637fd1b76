"""`python -m baselines tune`: search for better hyperparameters, and test the best on fresh seeds."""

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

# Names of the metrics, in the table and in the verdict.
MEANING = {
    "score": "score at the end",
    "area": "mean score over training",
    "worst_decile": "score at the end",
    "regret": "regret",
}


def command(typed: Sequence[str]) -> Callable[..., int]:
    """The command; its flags depend on nothing."""
    return tune_agent


def tune_agent(
    tuning: tyro.conf.OmitArgPrefixes[Tuning],
    trials: int = 50,
    out: Path = Path("tuning"),
    held_out_runs: int = 30,
    workers: int = 1,
) -> int:
    """Search for better hyperparameters of an agent, and compare the best with the default on fresh seeds.

    Run the same command again to resume an interrupted search, up to the same total number of trials.

    Args:
        tuning: what to tune.
        trials: total number of trials, earlier ones included.
        out: folder for the database and the result.
        held_out_runs: fresh runs of the default and of the best hyperparameters at the end, per world.
        workers: number of processes. With more than one, trials also depend on which one ends first.
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
    """Print the result of tuning.

    Args:
        result: of `tune`.
        console: where to print.
    """
    console.print(contenders_table(result))
    for line in explanation(result):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def contenders_table(result: TuningResult) -> Table:
    """The fresh runs of the default and of the best, side by side."""
    from rich.table import Table

    table = Table(
        "world", "settings", "runs", f"{meaning(result)} (95%)", "worst tenth of the runs", title_justify="left"
    )
    table.title = "Fresh runs, not seen by the search"
    for world in (named.label for named in result.tuning.named_worlds):
        for name, contender in contenders(result).items():
            if not contender.held_out:
                table.add_row(world, name, "0", contender.failure, "")
                continue
            runs = contender.held_out[world].of_each_run(result.tuning.metric)
            # With regret, the worst runs are those with the most.
            worst = -worst_decile(-runs) if result.tuning.metric == "regret" else worst_decile(runs)
            mean = interval_text(mean_interval(runs), runs=len(runs))
            table.add_row(world, name, str(len(runs)), mean, decimals(worst))
    return table


def meaning(result: TuningResult) -> str:
    """The metric, in words."""
    name = MEANING[result.tuning.metric]
    if predicts(result.tuning):
        return f"{name}, of predicted values"
    return f"{name}, as mean returns of episodes" if result.tuning.is_sampled else name


def predicts(tuning: Tuning) -> bool:
    """Whether scores are those of predicted values and not of a policy."""
    return (
        tuning.metric != "regret"
        and not tuning.is_sampled
        and kind_of_agent(tuning.named_agent.specification) == "values"
    )


def contenders(result: TuningResult) -> dict[str, Contender]:
    """What is compared: the default, and the best if it differs."""
    both = {"default": result.default}
    return {**both, "best": result.best} if result.found_better else both


def explanation(result: TuningResult) -> list[str]:
    """The findings in sentences, and the hyperparameters to paste."""
    fresh = [curve for contender in contenders(result).values() for curve in contender.held_out.values()]
    few = few_runs_text(len(curve.of_each_run(result.tuning.metric)) for curve in fresh)
    lines = [*filter(None, [few]), *meaning_of_predictions(result.tuning), summary_of_trials(result)]
    if result.finished == 1:
        return [*lines, f"Only the default was tried, {result.default.agent}; use more --trials to search."]
    if not result.found_better:
        return [*lines, f"No trial was better than the default, {result.default.agent}."]
    metric = result.tuning.metric.replace("_", " ")
    for name, contender in contenders(result).items():
        value = contender.outcome.value
        measured = contender.outcome.reason if value is None else decimals(value)
        lines.append(f"{name} (trial {contender.trial}): {metric} {measured} on the runs of the search.")
    lines.append("The best of many trials looks better on the runs that chose it: report the fresh runs in the table.")
    lines += [verdict(world, interval, result) for world, interval in result.differences.items()]
    if result.importance:
        shares = ", ".join(f"{field} {share:.0%}" for field, share in result.importance.items())
        lines.append(f"Importance of each hyperparameter in this search: {shares}.")
    best = result.best.agent
    return [
        *lines,
        "The best hyperparameters, as a specification and as a table for a comparison's TOML file:",
        shlex.quote(best.label),
        as_toml(best),
    ]


def meaning_of_predictions(tuning: Tuning) -> list[str]:
    """A sentence on what a score means where it is not a policy's; empty where it is."""
    if not predicts(tuning):
        return []
    return [f"Score: {MEANINGS['values']}."]


def summary_of_trials(result: TuningResult) -> str:
    """How many trials there were, and how they ended."""
    trials = "1 trial" if result.finished == 1 else f"{result.finished} trials"
    others = "".join(f", {number} {kind}" for kind, number in result.shortfalls.items())
    text = f"{trials}: {result.complete} completed{others}."
    if result.reused:
        were = "It was" if result.finished == 1 else f"{result.reused} of them were"
        text += f" {were} from an earlier command."
    if result.interrupted:
        text += f" {result.interrupted} more {'was' if result.interrupted == 1 else 'were'} interrupted and "
        text += "does not count." if result.interrupted == 1 else "do not count."
    return text


def verdict(world: str, difference: Interval, result: TuningResult) -> str:
    """Whether the best is better than the default on fresh runs.

    Args:
        world: where.
        difference: best minus default.
        result: of `tune`.
    """
    sign = -1 if result.tuning.metric == "regret" else 1
    if min(sign * difference.low, sign * difference.high) > 0:
        finding = "the best is better than the default"
    elif max(sign * difference.low, sign * difference.high) < 0:
        finding = "the best is worse than the default"
    else:
        finding = "the fresh runs show no difference between the best and the default"
    return f"{world}: {finding}, difference in {meaning(result)} {_with_ends(difference, signed=True)}."


def _with_ends(interval: Interval, *, signed: bool = False) -> str:
    estimate, low, high = (decimals(end, sign=signed) for end in (interval.estimate, interval.low, interval.high))
    return f"{estimate} ({low} to {high})"
