"""`python -m baselines diagnose QLearning SB3DQN`: the exam of `rl_envs.diagnose`, for registered agents by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from baselines.agents.probe_training import ProbeTraining
from baselines.commands.exit_codes import complain
from baselines.registry import AGENTS
from baselines.training.registration import AgentSpecification
from baselines.training.specification import each_once
from rl_envs.diagnosis.command import BAD_INPUT, EXIT_CODES, examine, new_parser, save_page
from rl_envs.diagnosis.report import as_json, headline, show


def main(typed: Sequence[str]) -> int:
    """Examine agents one after the other: a headline for each, then the reports.

    Args:
        typed: what was typed after `diagnose`.

    Returns:
        1 where an agent is wrong, otherwise 3 where one cannot be told, otherwise 0; 2 for what cannot be used.
    """
    parser = new_parser("python -m baselines diagnose")
    parser.add_argument("agents", nargs="+", help='names, perhaps with settings: "QLearning", "DQN:learning_rate=0.01"')
    asked = parser.parse_args(list(typed))
    trainings, refused = _read(asked.agents)
    if refused:
        return complain(*refused)
    try:
        each_once("agents", [training.agent for training in trainings])
    except ValueError as error:
        return complain(f"Error: {error}")
    diagnoses = {}
    for training in trainings:
        label = training.agent.label
        diagnosis = examine(training, label, asked)
        if diagnosis is None:
            return BAD_INPUT
        diagnoses[label] = diagnosis
        if not asked.json:
            print(f"{label}: {headline(diagnosis)}", flush=True)
    if not save_page(diagnoses, asked.html):
        return BAD_INPUT
    if asked.json:
        print(json.dumps({label: as_json(diagnosis) for label, diagnosis in diagnoses.items()}, indent=2))
    else:
        for training, diagnosis in zip(trainings, diagnoses.values()):
            print(f"\n{_heading(training, diagnosis.steps)}")
            show(diagnosis)
    verdicts = {diagnosis.verdict for diagnosis in diagnoses.values()}
    return next(EXIT_CODES[verdict] for verdict in ("wrong", "cannot_tell", "right") if verdict in verdicts)


def _read(names: Sequence[str]) -> tuple[list[ProbeTraining], list[str]]:
    """The agents that can take part, and a line for each name that cannot be used."""
    trainings, refused = [], []
    for name in names:
        try:
            trainings.append(ProbeTraining(AGENTS.read(name)))
        except (ValueError, TypeError, ImportError) as error:
            refused.append(f"Error: {error}")
    return trainings, refused


def _heading(training: ProbeTraining, steps: int) -> str:
    """The agent, and the settings of its training that are not its own defaults."""
    used: AgentSpecification = training.specification(steps)
    chosen: dict[str, Any] = {
        name: value
        for name, value in used.specification.settings.items()
        if name not in training.agent.specification.settings
    }
    note = "".join(f", with {name}={value} in trainings of {steps:,} steps" for name, value in chosen.items())
    line = f"{training.agent.label}{note}"
    return f"{line}\n{'-' * len(line)}"
