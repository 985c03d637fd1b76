"""Tuning an agent's settings with Optuna, in a SQLite database from which any interrupted tuning goes on.

Needs the extra `tune`: `pip install 'rl-envs[tune]'`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from functools import cached_property
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from baselines.comparison.statistics import Interval, difference_interval
from baselines.registry import AGENTS, agent_class, make_config, normal_form
from baselines.system.atomic_files import StorageError, make_folder, remove_leftovers, write_atomically
from baselines.system.folder_lock import locked
from baselines.system.threads import one_thread
from baselines.system.workers import JobError
from baselines.training.agent_file import versions
from baselines.training.seeding import stable_hash
from baselines.training.specification import label, parse
from baselines.training.task import named_task
from baselines.tuning.trial_workers import run_trials
from baselines.tuning.trials import Curve, Outcome, Stopped, Tuning, train_on_worlds
from rl_envs.mdp.finite_mdp import check_integer

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

DATABASE, REPORT = "tuning.db", "tuning.json"

# Rises when the layout of `tuning.json` or of the study changes.
FORMAT = 1

# Trials that run to their end before any may be given up.
TRIALS_BEFORE_PRUNING = 5

# Fewer that ran to their end do not tell which field matters.
TRIALS_FOR_IMPORTANCE = 10

# How long to wait for a database that somebody else is reading or writing (a dashboard, say), in seconds.
PATIENCE = 60

# Values that differ by less come from the last digits of linear solves; of two such trials the earlier is the best.
TIE = 1e-9

# What the database holds of each trial beside Optuna's own: the number of the suggestion that it tries, the settings,
# and why it did not go all the way.
SUGGESTION, SPECIFICATION, REASON = "suggestion", "specification", "reason"

# The suggestion that is not the sampler's: the settings that the agent has now.
DEFAULT = 0

# Told of each trial: what became of it ("kept", "started", "finished"), its number, its settings and its outcome.
Progress = Callable[[str, int, str, "Outcome | None"], None]


class OptunaMissingError(Exception):
    """The extra `tune` is not installed; the message says how to install it."""


@dataclass(frozen=True, eq=False)
class Contender:
    """The settings that the search began with, or the best that it found.

    Attributes:
        specification: the agent with its settings.
        trial: the number of its trial.
        outcome: of that trial.
        held_out: a curve of fresh runs for each world; empty where they could not be trained, and `failure` says why.
        failure: why there are no such runs.
    """

    specification: str
    trial: int
    outcome: Outcome
    held_out: Mapping[str, Curve]
    failure: str = ""


@dataclass(frozen=True, eq=False)
class TuningResult:
    """What tuning came to.

    Attributes:
        tuning: what was tuned.
        study: the study's name in the database.
        finished: trials that count.
        complete: how many of them went all the way.
        shortfalls: how many of the others there are of each kind: "pruned", "refused", "diverged", "failed".
        kept: how many of them earlier calls had finished.
        interrupted: trials that a kill, Ctrl-C or an error ended; they do not count.
        default: the settings that the search began with.
        best: the settings with the best value; those of `default` where nothing was better.
        importance: the share of each searched field in how good a trial is, where enough trials went all the way.
    """

    tuning: Tuning
    study: str
    finished: int
    complete: int
    shortfalls: Mapping[str, int]
    kept: int
    interrupted: int
    default: Contender
    best: Contender
    importance: Mapping[str, float]

    @property
    def found_better(self) -> bool:
        """Whether a trial was better than the default, on the runs of the search."""
        return self.best.trial != self.default.trial

    @cached_property
    def differences(self) -> dict[str, Interval]:
        """How much more fresh runs of the best have than fresh runs of the default, by world.

        With several worlds there is "all worlds" too, of the mean of the n-th run on each. Empty where one of the two
        has no fresh runs, or there is nothing to compare.
        """
        if not (self.found_better and self.best.held_out and self.default.held_out):
            return {}
        pairs = {
            world: tuple(one.held_out[world].of_each_run(self.tuning.metric) for one in (self.best, self.default))
            for world in self.tuning.worlds
        }
        if len(pairs) > 1:
            pairs["all worlds"] = tuple(np.mean(runs, axis=0) for runs in zip(*pairs.values()))
        return {world: difference_interval(*runs) for world, runs in pairs.items()}


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
    with locked(folder, f"tuning {tuning.name}"), _open_study(tuning, folder / DATABASE) as study:
        remove_leftovers(folder)
        asker = _Asker(study, tuning, trials, tell)
        kept = asker.finished
        if kept < trials:
            run_trials(tuning, asker, min(workers, trials - kept))
        result = _result(study, tuning, kept, held_out_runs)
        _write_report(result, folder, trials, held_out_runs)
    return result


class _Asker:
    """Asks a study what to try, and tells it what came of it."""

    def __init__(self, study: Study, tuning: Tuning, trials: int, tell: Progress) -> None:
        self._study = study
        self._tuning = tuning
        self._trials = trials
        self._tell = tell
        self._running: dict[int, tuple[Trial, str]] = {}
        self._end_interrupted()
        kept = _finished(study)
        self.finished = len(kept)
        # Which suggestions of the sampler's are done or being tried; the one before all others is the default.
        self._suggestions = {int(trial.user_attrs[SUGGESTION]) for trial in kept}
        for trial in kept:
            tell("kept", trial.number, _specification(trial), _outcome(trial))

    def ask(self) -> tuple[int, str] | None:
        """The number of a new trial and what it tries; None if there are enough."""
        if self.finished + len(self._running) >= self._trials:
            return None
        # The first that is missing: that of an interrupted trial, or a new one.
        suggestion = next(number for number in count() if number not in self._suggestions)
        self._suggestions.add(suggestion)
        trial, specification = self._ask_default() if suggestion == DEFAULT else self._ask_sampler(suggestion)
        trial.set_user_attr(SUGGESTION, suggestion)
        trial.set_user_attr(SPECIFICATION, specification)
        self._running[trial.number] = trial, specification
        self._tell("started", trial.number, specification, None)
        return trial.number, specification

    def judge(self, number: int, checkpoint: int, value: float) -> bool:
        """Whether to give up a trial, by the median of those that went all the way; the default is never given up."""
        trial, _ = self._running[number]
        trial.report(value, checkpoint)
        return self._tuning.can_prune and not _is_default(trial) and trial.should_prune()

    def tell(self, number: int, outcome: Outcome | JobError) -> None:
        """Write down how a trial ended; raises JobError if training failed with the settings that the agent has now."""
        from optuna.trial import TrialState

        trial, specification = self._running.pop(number)
        if isinstance(outcome, JobError):
            if _is_default(trial):
                raise JobError(f"trial {number} ({specification}) failed:\n{outcome}")
            outcome = Outcome(None, f"failed: {str(outcome).strip().splitlines()[-1]}")
        if outcome.reason:
            trial.set_user_attr(REASON, outcome.reason)
        state = TrialState.PRUNED if outcome.value is None else TrialState.COMPLETE
        self._study.tell(trial, outcome.value, state=state)
        self.finished += 1
        self._tell("finished", number, specification, outcome)

    def _ask_sampler(self, suggestion: int) -> tuple[Trial, str]:
        """A trial of what the sampler suggests; its random numbers are the suggestion's own, not the process's."""
        from optuna.samplers import TPESampler

        seed = self._tuning.derived_seed(f"suggestion {suggestion}") % 2**32
        self._study.sampler = TPESampler(seed=seed, multivariate=False)
        trial = self._study.ask()
        name, settings = parse(self._tuning.agent)
        suggested = {field: where.suggest(trial, field) for field, where in self._tuning.space.items()}
        return trial, label(name, {**settings, **suggested})

    def _ask_default(self) -> tuple[Trial, str]:
        """A trial of the settings that the agent has now, so far as they lie where the search is."""
        from optuna.trial import TrialState

        present = _settings(self._tuning.agent)
        inside = {field: where for field, where in self._tuning.space.items() if present[field] in where}
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):  # of a process that was killed
            self._study.enqueue_trial({field: where.stored(present[field]) for field, where in inside.items()})
        trial = self._study.ask()
        for field, where in inside.items():
            where.suggest(trial, field)
        return trial, normal_form(self._tuning.agent)

    def _end_interrupted(self) -> None:
        """Call trials that are still running failed: this process has the folder to itself, so theirs has ended."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)


@contextlib.contextmanager
def _open_study(tuning: Tuning, database: Path) -> Iterator[Study]:
    """The study of this tuning, begun or gone on with; what goes wrong with the database is a StorageError."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None
    try:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{database}", engine_kwargs={"connect_args": {"timeout": PATIENCE}}
        )
        study = optuna.create_study(
            storage=storage,
            study_name=study_name(tuning),
            direction="minimize" if tuning.metric == "regret" else "maximize",
            pruner=optuna.pruners.MedianPruner(TRIALS_BEFORE_PRUNING, n_warmup_steps=tuning.checkpoints // 2),
            load_if_exists=True,
        )
        study.set_user_attr("tuning", json.dumps(_plan(tuning)))
        yield study
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise StorageError(
            f"cannot use the database {database}: {reason}; if it is damaged, remove it or choose another folder"
        ) from error
    except RuntimeError as error:
        if "optuna" not in str(error).lower():
            raise
        raise StorageError(f"cannot use the database {database}, which another Optuna wrote: {error}") from error
    finally:
        optuna.logging.set_verbosity(loudness)
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()


def study_name(tuning: Tuning) -> str:
    """What a tuning is called in the database; the hash at its end is of all that decides its trials but libraries.

    Args:
        tuning: what is tuned.
    """
    digest = stable_hash(json.dumps(_plan(tuning), sort_keys=True)) % 16**8
    return f"{tuning.name}: {tuning.metric} after {tuning.steps:,} steps [{digest:08x}]"


def _plan(tuning: Tuning) -> dict[str, Any]:
    """All that decides what the trials are and what comes of them, as plain values."""
    name = parse(tuning.agent)[0]
    return {
        "format": FORMAT,
        **asdict(tuning),
        "agent": normal_form(tuning.agent),
        "agent_version": agent_class(name).version,
        "config": label(name, _settings(tuning.agent)),
        "space": {field: str(where) for field, where in tuning.space.items()},
        "tables": {world: named_task(world).table_hash for world in tuning.worlds},
    }


def _finished(study: Study) -> list[FrozenTrial]:
    """The trials that count, in their order."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _is_default(trial: FrozenTrial | Trial) -> bool:
    return trial.user_attrs[SUGGESTION] == DEFAULT


def _specification(trial: FrozenTrial) -> str:
    return str(trial.user_attrs[SPECIFICATION])


def _outcome(trial: FrozenTrial) -> Outcome:
    reason = trial.user_attrs.get(REASON, "")
    return Outcome(None if reason else trial.value, reason)


def _settings(specification: str) -> dict[str, Any]:
    """Every field of the Config that a specification stands for."""
    config = make_config(*parse(specification))
    return {field.name: getattr(config, field.name) for field in fields(config)}


def _result(study: Study, tuning: Tuning, kept: int, held_out_runs: int) -> TuningResult:
    """Find the best trial, and train it and the default once more, with fresh seeds."""
    finished = _finished(study)
    complete = [trial for trial in finished if _outcome(trial).value is not None]
    default = next(trial for trial in finished if _is_default(trial))
    if not complete:
        reasons = Counter(_outcome(trial).reason for trial in finished).most_common(1)
        raise ValueError(f"no trial of {tuning.name} went all the way; most often: {reasons[0][0]}")
    best = _best(complete, lower=tuning.metric == "regret")
    contenders = {trial.number: _contend(trial, tuning, held_out_runs) for trial in (default, best)}
    return TuningResult(
        tuning=tuning,
        study=study.study_name,
        finished=len(finished),
        complete=len(complete),
        shortfalls=Counter(re.split("[ :]", _outcome(trial).reason)[0] for trial in finished if _outcome(trial).reason),
        kept=kept,
        interrupted=len(study.get_trials(deepcopy=False)) - len(finished),
        default=contenders[default.number],
        best=contenders[best.number],
        importance=_importance(study) if len(complete) >= TRIALS_FOR_IMPORTANCE else {},
    )


def _best(complete: Sequence[FrozenTrial], *, lower: bool) -> FrozenTrial:
    """The best trial: of equals the default, or else the first."""
    sign = -1 if lower else 1
    top = max(sign * float(trial.value or 0.0) for trial in complete)
    equals = [trial for trial in complete if sign * float(trial.value or 0.0) >= top - TIE * max(1.0, abs(top))]
    return min(equals, key=lambda trial: (not _is_default(trial), trial.number))


def _contend(trial: FrozenTrial, tuning: Tuning, runs: int) -> Contender:
    """Train the settings of a trial with seeds that neither the search nor the other contender has."""
    specification, outcome = _specification(trial), _outcome(trial)
    seed = tuning.derived_seed(f"held out, {'default' if _is_default(trial) else 'best'}")
    try:
        with one_thread():
            curves = train_on_worlds(tuning, specification, seed, runs)
    except Stopped as stopped:
        return Contender(specification, trial.number, outcome, {}, str(stopped))
    return Contender(specification, trial.number, outcome, curves)


def _importance(study: Study) -> dict[str, float]:
    """The share of each field in how good a trial is; empty where trials so alike, or this Optuna, cannot tell."""
    import optuna

    evaluator = getattr(optuna.importance, "PedAnovaImportanceEvaluator", None)
    if evaluator is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it warns of trials that are too much alike
        # Experimental in some versions, which is no news to who runs a command.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            shares = optuna.importance.get_param_importances(study, evaluator=evaluator())
        except (ValueError, RuntimeError, UserWarning):
            return {}
    return {field: float(share) for field, share in shares.items()}


def _write_report(result: TuningResult, folder: Path, trials: int, held_out_runs: int) -> None:
    """Write what tuning came to, and how to repeat it."""
    about = {
        "format": FORMAT,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "repeat": repeat_command(result.tuning, folder, trials, held_out_runs),
        "database": DATABASE,
        "study": result.study,
        "tuning": _plan(result.tuning),
        "trials": {
            "finished": result.finished,
            "complete": result.complete,
            **result.shortfalls,
            "interrupted": result.interrupted,
        },
        "default": _about_contender(result.default, result.tuning),
        "best": _about_contender(result.best, result.tuning),
        "difference": {world: interval._asdict() for world, interval in result.differences.items()},
        "importance": dict(result.importance),
        "versions": {
            **versions(),
            **{library: version(library) for library in ("optuna", *AGENTS[parse(result.tuning.agent)[0]].libraries)},
        },
    }
    write_atomically(folder / REPORT, (json.dumps(about, indent=2, allow_nan=False) + "\n").encode())


def _about_contender(contender: Contender, tuning: Tuning) -> dict[str, Any]:
    return {
        "specification": contender.specification,
        "trial": contender.trial,
        "value": contender.outcome.value,
        "reason": contender.outcome.reason or contender.failure,
        "held_out": {world: curve.of_each_run(tuning.metric).tolist() for world, curve in contender.held_out.items()},
    }


def repeat_command(tuning: Tuning, folder: Path, trials: int, held_out_runs: int) -> str:
    """A complete command that does the same tuning again, or goes on with it.

    Args:
        tuning: what is tuned.
        folder: where its database lies.
        trials: how many trials there are to be in all.
        held_out_runs: fresh runs at the end.
    """
    words = ["python", "-m", "baselines", "tune"]
    for field in fields(tuning):
        value = getattr(tuning, field.name)
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, tuple):
            words += [flag, *value] if value else []
        else:
            words += [flag, str(value)]
    words += ["--trials", str(trials), "--held-out-runs", str(held_out_runs), "--out", str(folder)]
    return shlex.join(words)


def as_toml(specification: str) -> str:
    """A specification as the table of an agent's settings in a comparison's TOML file.

    Args:
        specification: an agent's name with settings.

    Returns:
        Lines of TOML: the agent's name, and each field that is set or is not the agent's default.
    """
    name, settings = parse(specification)
    values, defaults = _settings(specification), _settings(name)
    chosen = {field: value for field, value in values.items() if field in settings or value != defaults[field]}
    return "\n".join([f"[{name}]", *(f"{field} = {_toml(value)}" for field, value in sorted(chosen.items()))])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value)


def _need_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise OptunaMissingError("tuning needs Optuna: pip install 'rl-envs[tune]'") from error


def _silence(what: str, number: int, specification: str, outcome: Outcome | None) -> None:
    pass
