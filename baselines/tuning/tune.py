"""Tuning an agent's settings with Optuna, in a SQLite database from which any interrupted tuning goes on.

Needs the extra `tune`: `pip install 'rl-envs[tune]'`.
"""

from __future__ import annotations

import os

from baselines.system.atomic_files import make_folder, remove_leftovers
from baselines.system.folder_lock import locked
from baselines.tuning.result import TuningResult, result_of
from baselines.tuning.study import Asker, Progress, open_study
from baselines.tuning.trial_workers import run_trials
from baselines.tuning.trials import Outcome, Tuning
from baselines.tuning.tuning_file import DATABASE, write_report
from rl_envs.mdp.finite_mdp import check_integer


class OptunaMissingError(Exception):
    """The extra `tune` is not installed; the message says how to install it."""


def tune(
    tuning: Tuning,
    folder: str | os.PathLike[str],
    *,
    trials: int = 50,
    held_out_runs: int = 30,
    workers: int = 1,
    on_trial: Progress | None = None,
) -> TuningResult:
    """Search for settings of an agent that do better than those it has, and judge the best by runs of its own.

    The same call again goes on where the last one ended, up to the same number of trials in all. What a trial tries is
    decided by the seed and by the trials that have finished, so with one worker a tuning that was interrupted ends with
    the same trials as one that was not.

    Args:
        tuning: what is tuned.
        folder: where `tuning.db` and `tuning.json` lie; made if need be. One process at a time may tune there.
        trials: how many trials there are to be in all, those of earlier calls among them. The first tries the settings
            that the agent has now.
        held_out_runs: fresh runs of the default and of the best at the end, on each world; at least 2.
        workers: how many processes. With more than one the trials depend on which of them ends first; and a script's
            own code needs `if __name__ == "__main__":`.
        on_trial: told what becomes of each trial.

    Returns:
        What it came to; it is in `tuning.json` too.

    Raises:
        OptunaMissingError: the extra `tune` is not installed.
        ValueError: as `Tuning.check`; numbers out of range; or no trial went all the way.
        TypeError: as `Tuning.check`.
        StorageError: the folder or database cannot be used, or another process tunes there.
        JobError: training failed with the settings that the agent has now. Where it fails with others, that is
            noted and the search goes on.
        WorkerError: a process died.
    """
    _need_optuna()
    for name, number, low in (("trials", trials, 1), ("held_out_runs", held_out_runs, 2), ("workers", workers, 1)):
        check_integer(name, number, low=low)
    tuning.check()
    folder = make_folder(folder)
    tell = on_trial or _silence
    with locked(folder, f"tuning {tuning.name}"), open_study(tuning, folder / DATABASE) as study:
        remove_leftovers(folder)
        asker = Asker(study, tuning, trials, tell)
        kept = asker.finished
        if kept < trials:
            run_trials(tuning, asker, min(workers, trials - kept))
        result = result_of(study, tuning, kept, held_out_runs)
        write_report(result, folder, trials, held_out_runs)
    return result


def _need_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise OptunaMissingError("tuning needs Optuna: pip install 'rl-envs[tune]'") from error


def _silence(what: str, number: int, specification: str, outcome: Outcome | None) -> None:
    pass
