"""The file with the result of tuning, and how to repeat it."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from baselines.system.atomic_files import write_atomically
from baselines.training.agent_file import versions
from baselines.training.registration import AgentSpecification
from baselines.tuning.result import Contender, TuningResult
from baselines.tuning.study import FORMAT, plan
from baselines.tuning.trials import Tuning

DATABASE, REPORT = "tuning.db", "tuning.json"


def write_report(result: TuningResult, folder: Path, trials: int, held_out_runs: int) -> None:
    """Write the result of tuning, and how to repeat it; raises StorageError if the file cannot be written."""
    content = {
        "format": FORMAT,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "repeat": repeat_command(result.tuning, folder, trials, held_out_runs),
        "database": DATABASE,
        "study": result.study,
        "tuning": plan(result.tuning),
        "trials": {
            "finished": result.finished,
            "complete": result.complete,
            **result.shortfalls,
            "interrupted": result.interrupted,
        },
        "default": _contender_record(result.default, result.tuning),
        "best": _contender_record(result.best, result.tuning),
        "difference": {world: interval._asdict() for world, interval in result.differences.items()},
        "importance": dict(result.importance),
        "versions": {
            **versions(),
            **{library: version(library) for library in ("optuna", *result.tuning.named_agent.entry.libraries)},
        },
    }
    write_atomically(folder / REPORT, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def _contender_record(contender: Contender, tuning: Tuning) -> dict[str, Any]:
    return {
        "specification": contender.agent.label,
        "trial": contender.trial,
        "value": contender.outcome.value,
        "reason": contender.outcome.reason or contender.failure,
        "held_out": {world: curve.of_each_run(tuning.metric).tolist() for world, curve in contender.held_out.items()},
    }


def repeat_command(tuning: Tuning, folder: Path, trials: int, held_out_runs: int) -> str:
    """A complete command that repeats or resumes the same tuning.

    Args:
        tuning: what is tuned.
        folder: where its database lies.
        trials: total number of trials.
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


def as_toml(agent: AgentSpecification) -> str:
    """An agent's settings as a table of a comparison's TOML file.

    Args:
        agent: with its settings.

    Returns:
        Lines of TOML: the agent's name, and each field that is set or is not the agent's default.
    """
    settings, values, defaults = agent.specification.settings, agent.values, agent.default.values
    chosen = {field: value for field, value in values.items() if field in settings or value != defaults[field]}
    return "\n".join([f"[{agent.name}]", *(f"{field} = {_toml(value)}" for field, value in sorted(chosen.items()))])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value)
