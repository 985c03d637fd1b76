"""The result of tuning: the default and the best hyperparameters, and how each does in fresh runs."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from baselines.comparison.statistics import Interval, difference_interval
from baselines.system.threads import one_thread
from baselines.training.registration import AgentSpecification
from baselines.tuning.study import agent_of, finished_trials, is_default, outcome_of
from baselines.tuning.trials import Curve, Outcome, Stopped, Tuning, train_on_worlds

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

# Fewer completed trials do not show which hyperparameter matters.
TRIALS_FOR_IMPORTANCE = 10

# Smaller differences are rounding errors of linear solves; of two such trials the earlier is the best.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Contender:
    """The search's starting point, or the best hyperparameters that it found.

    Attributes:
        agent: with its hyperparameters.
        trial: the number of its trial.
        outcome: of that trial.
        held_out: a curve of fresh runs for each world; empty where they could not be trained, and `failure` says why.
        failure: why there are no such runs.
    """

    agent: AgentSpecification
    trial: int
    outcome: Outcome
    held_out: Mapping[str, Curve]
    failure: str = ""


@dataclass(frozen=True, eq=False)
class TuningResult:
    """The result of tuning.

    Attributes:
        tuning: what was tuned.
        study: the study's name in the database.
        finished: trials that count.
        complete: how many of them completed.
        shortfalls: number of the others by kind: "pruned", "refused", "diverged", "failed".
        reused: how many of them earlier calls had finished.
        interrupted: trials that a kill, Ctrl-C or an error ended; they do not count.
        default: the search's starting point.
        best: the hyperparameters with the best value; those of `default` where nothing was better.
        importance: the importance of each searched hyperparameter, summing to 1; empty with too few completed trials.
    """

    tuning: Tuning
    study: str
    finished: int
    complete: int
    shortfalls: Mapping[str, int]
    reused: int
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
        """The difference between fresh runs of the best and of the default, by world.

        With several worlds, "all worlds" compares the means of the n-th run on each. Empty where one of the two has no
        fresh runs, or there is nothing to compare.
        """
        if not (self.found_better and self.best.held_out and self.default.held_out):
            return {}
        pairs = {
            world.label: tuple(
                one.held_out[world.label].of_each_run(self.tuning.metric) for one in (self.best, self.default)
            )
            for world in self.tuning.named_worlds
        }
        if len(pairs) > 1:
            pairs["all worlds"] = tuple(np.mean(runs, axis=0) for runs in zip(*pairs.values()))
        return {world: difference_interval(*runs) for world, runs in pairs.items()}


def result_of(study: Study, tuning: Tuning, reused: int, held_out_runs: int) -> TuningResult:
    """Find the best trial, and train it and the default once more, with fresh seeds.

    Args:
        study: with every trial.
        tuning: what was tuned.
        reused: how many trials earlier calls had finished.
        held_out_runs: fresh runs of each, on each world.

    Raises:
        ValueError: no trial completed.
    """
    finished = finished_trials(study)
    complete = [trial for trial in finished if outcome_of(trial).value is not None]
    default = next(trial for trial in finished if is_default(trial))
    if not complete:
        reasons = Counter(outcome_of(trial).reason for trial in finished).most_common(1)
        raise ValueError(f"no trial of {tuning.name} completed; most often: {reasons[0][0]}")
    best = _best(complete, lower=tuning.metric == "regret")
    contenders = {trial.number: _contend(trial, tuning, held_out_runs) for trial in (default, best)}
    return TuningResult(
        tuning=tuning,
        study=study.study_name,
        finished=len(finished),
        complete=len(complete),
        shortfalls=Counter(
            re.split("[ :]", outcome_of(trial).reason)[0] for trial in finished if outcome_of(trial).reason
        ),
        reused=reused,
        interrupted=len(study.get_trials(deepcopy=False)) - len(finished),
        default=contenders[default.number],
        best=contenders[best.number],
        importance=_importance(study) if len(complete) >= TRIALS_FOR_IMPORTANCE else {},
    )


def _best(complete: Sequence[FrozenTrial], *, lower: bool) -> FrozenTrial:
    """The best trial; among equals the default, else the first."""
    sign = -1 if lower else 1
    top = max(sign * float(trial.value or 0.0) for trial in complete)
    equals = [trial for trial in complete if sign * float(trial.value or 0.0) >= top - TIE * max(1.0, abs(top))]
    return min(equals, key=lambda trial: (not is_default(trial), trial.number))


def _contend(trial: FrozenTrial, tuning: Tuning, runs: int) -> Contender:
    """Train a trial's hyperparameters with seeds that neither the search nor the other contender uses."""
    agent, outcome = agent_of(trial), outcome_of(trial)
    seed = tuning.derived_seed(f"held out, {'default' if is_default(trial) else 'best'}")
    try:
        with one_thread():
            curves = train_on_worlds(tuning, agent, seed, runs)
    except Stopped as stopped:
        return Contender(agent, trial.number, outcome, {}, str(stopped))
    return Contender(agent, trial.number, outcome, curves)


def _importance(study: Study) -> dict[str, float]:
    """The importance of each hyperparameter; empty where trials are too alike, or this Optuna cannot compute it."""
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
