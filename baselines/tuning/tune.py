"""Tunes an agent's hyperparameters with Optuna, in a SQLite database that lets an interrupted search resume.

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
    """Search for better hyperparameters of an agent, and compare the best with the default on fresh seeds.

    The same call again resumes the search, up to the same total number of trials. The seed and the finished trials
    decide what a trial tries, so with one worker an interrupted search ends with the same trials as an uninterrupted
    one.

    Args:
        tuning: what to tune.
        folder: where `tuning.db` and `tuning.json` go; made if missing. Only one process at a time may tune there.
        trials: total number of trials, earlier ones included. The first tries the agent's current hyperparameters.
        held_out_runs: fresh runs of the default and of the best at the end, per world; at least 2.
        workers: number of processes. With more than one, the trials also depend on which one ends first, and a script
            needs `if __name__ == "__main__":`.
        on_trial: called when the state of a trial changes.

    Returns:
        The result, which is in `tuning.json` too.

    Raises:
        OptunaMissingError: the extra `tune` is not installed.
        ValueError: as `Tuning.check`; numbers out of range; or no trial completed.
        TypeError: as `Tuning.check`.
        StorageError: the folder or database cannot be used, or another process tunes there.
        JobError: training failed with the agent's current hyperparameters. A failure with others is recorded, and the
            search goes on.
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
        earlier = asker.finished
        if earlier < trials:
            run_trials(tuning, asker, min(workers, trials - earlier))
        result = result_of(study, tuning, earlier, held_out_runs)
        write_report(result, folder, trials, held_out_runs)
    return result


def _need_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise OptunaMissingError("tuning needs Optuna: pip install 'rl-envs[tune]'") from error


def _silence(what: str, number: int, specification: str, outcome: Outcome | None) -> None:
    pass
