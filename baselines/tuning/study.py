"""The study of a tuning: Optuna's database of its trials, which suggests what to try and records the outcomes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.registry import AGENTS
from baselines.system.atomic_files import StorageError
from baselines.system.workers import JobError
from baselines.training.registration import AgentSpecification
from baselines.training.seeding import stable_hash
from baselines.tuning.trials import Outcome, Tuning
from rl_envs.specification import Specification

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

# Rises when the layout of `tuning.json` or of the study changes.
FORMAT = 1

# Completed trials before any may be pruned.
TRIALS_BEFORE_PRUNING = 5

# How long to wait for a database that another program (a dashboard, say) is using, in seconds.
PATIENCE = 60

# What the database holds of each trial beside Optuna's own: the number of the suggestion that it tries, the settings,
# and why it did not complete.
SUGGESTION, SPECIFICATION, REASON = "suggestion", "specification", "reason"

# The suggestion that is not the sampler's: the agent's current hyperparameters.
DEFAULT = 0

# Called with a trial's new state ("reused", "started", "finished"), its number, specification and outcome.
Progress = Callable[[str, int, str, "Outcome | None"], None]


class Asker:
    """Asks a study what to try, and records the outcomes."""

    def __init__(self, study: Study, tuning: Tuning, trials: int, tell: Progress) -> None:
        self._study = study
        self._tuning = tuning
        self._trials = trials
        self._tell = tell
        self._running: dict[int, tuple[Trial, AgentSpecification]] = {}
        self._end_interrupted()
        finished = finished_trials(study)
        self.finished = len(finished)
        # The suggestions that are finished or running; the first of all is the default.
        self._suggestions = {int(trial.user_attrs[SUGGESTION]) for trial in finished}
        for trial in finished:
            tell("reused", trial.number, trial.user_attrs[SPECIFICATION], outcome_of(trial))

    def ask(self) -> tuple[int, AgentSpecification] | None:
        """The number of a new trial and the agent to try; None if there are enough."""
        if self.finished + len(self._running) >= self._trials:
            return None
        # The first missing suggestion: that of an interrupted trial, or a new one.
        suggestion = next(number for number in count() if number not in self._suggestions)
        self._suggestions.add(suggestion)
        trial, agent = self._ask_default() if suggestion == DEFAULT else self._ask_sampler(suggestion)
        trial.set_user_attr(SUGGESTION, suggestion)
        trial.set_user_attr(SPECIFICATION, agent.label)
        self._running[trial.number] = trial, agent
        self._tell("started", trial.number, agent.label, None)
        return trial.number, agent

    def should_prune(self, number: int, checkpoint: int, value: float) -> bool:
        """Whether to prune a trial, by the median of the completed ones; the default is never pruned."""
        trial, _ = self._running[number]
        trial.report(value, checkpoint)
        return self._tuning.can_prune and not is_default(trial) and trial.should_prune()

    def tell(self, number: int, outcome: Outcome | JobError) -> None:
        """Record how a trial ended; raises JobError if training failed with the default hyperparameters."""
        from optuna.trial import TrialState

        trial, agent = self._running.pop(number)
        if isinstance(outcome, JobError):
            if is_default(trial):
                raise JobError(f"trial {number} ({agent}) failed:\n{outcome}")
            outcome = Outcome(None, f"failed: {str(outcome).strip().splitlines()[-1]}")
        if outcome.reason:
            trial.set_user_attr(REASON, outcome.reason)
        state = TrialState.PRUNED if outcome.value is None else TrialState.COMPLETE
        self._study.tell(trial, outcome.value, state=state)
        self.finished += 1
        self._tell("finished", number, agent.label, outcome)

    def _ask_sampler(self, suggestion: int) -> tuple[Trial, AgentSpecification]:
        """A trial of the sampler's suggestion, with random numbers that depend on the suggestion only."""
        from optuna.samplers import TPESampler

        seed = self._tuning.derived_seed(f"suggestion {suggestion}") % 2**32
        self._study.sampler = TPESampler(seed=seed, multivariate=False)
        trial = self._study.ask()
        suggested = {field: where.suggest(trial, field) for field, where in self._tuning.space.items()}
        return trial, self._tuning.named_agent.with_settings(suggested)

    def _ask_default(self) -> tuple[Trial, AgentSpecification]:
        """A trial of the agent's current hyperparameters, where they lie inside the search space."""
        from optuna.trial import TrialState

        present = self._tuning.named_agent.values
        inside = {field: where for field, where in self._tuning.space.items() if present[field] in where}
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):  # of a process that was killed
            self._study.enqueue_trial({field: where.stored(present[field]) for field, where in inside.items()})
        trial = self._study.ask()
        for field, where in inside.items():
            where.suggest(trial, field)
        return trial, self._tuning.named_agent

    def _end_interrupted(self) -> None:
        """Mark running trials as failed: this process has locked the folder, so theirs has ended."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)


@contextlib.contextmanager
def open_study(tuning: Tuning, database: Path) -> Iterator[Study]:
    """The study of this tuning, new or resumed; errors of the database become StorageErrors."""
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
        study.set_user_attr("tuning", json.dumps(plan(tuning)))
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
    """The study's name in the database; it ends with a hash of everything that determines the trials but libraries.

    Args:
        tuning: what is tuned.
    """
    digest = stable_hash(json.dumps(plan(tuning), sort_keys=True)) % 16**8
    return f"{tuning.name}: {tuning.metric} after {tuning.steps:,} steps [{digest:08x}]"


def plan(tuning: Tuning) -> dict[str, Any]:
    """Everything that determines the trials and their outcomes, as plain values."""
    agent = tuning.named_agent
    return {
        "format": FORMAT,
        **asdict(tuning),
        "agent": agent.label,
        "agent_version": agent.agent_class.version,
        "config": Specification(agent.name, agent.values).label,
        "space": {field: str(where) for field, where in tuning.space.items()},
        "tables": {world: named.task.table_hash for world, named in zip(tuning.worlds, tuning.named_worlds)},
    }


def finished_trials(study: Study) -> list[FrozenTrial]:
    """The trials that count, in their order."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def is_default(trial: FrozenTrial | Trial) -> bool:
    """Whether a trial is that of the agent's current hyperparameters."""
    return trial.user_attrs[SUGGESTION] == DEFAULT


def agent_of(trial: FrozenTrial) -> AgentSpecification:
    """The agent that a trial tries, read from the database."""
    return AGENTS.read(str(trial.user_attrs[SPECIFICATION]))


def outcome_of(trial: FrozenTrial) -> Outcome:
    """How a trial ended."""
    reason = trial.user_attrs.get(REASON, "")
    return Outcome(None if reason else trial.value, reason)
