"""The report as Markdown: tables, cross-check, figures, and how to reproduce it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from baselines.comparison.summary import HOW_CHECKED
from baselines.report.contents import Contents
from baselines.report.provenance import computing_of, machines_of
from baselines.report.scores import title_of
from baselines.report.tables import GAME_COLUMNS, Column, across_columns, fewest_runs, world_columns
from baselines.report.wording import few_runs_somewhere_text, few_runs_text


def markdown(contents: Contents, pictures: Mapping[str, str], left_out: str = "") -> str:
    """The whole report.

    Args:
        contents: what it shows.
        pictures: file names of the figures, by their titles.
        left_out: a sentence on the worlds without figures.

    Returns:
        Markdown as GitHub reads it.
    """
    parts = ["# Comparison"]
    if contents.summaries:
        columns = world_columns(contents.summaries)
        few = few_runs_text(summary.runs for summary in contents.summaries)
        parts += [f"## {title_of(contents.summaries)}", *_table(columns, contents.summaries, few)]
    if contents.across:
        fewest = fewest_runs(contents.summaries)
        few = few_runs_somewhere_text(fewest[line.agent] for line in contents.across)
        parts += ["## Over all worlds", *_table(across_columns(contents.summaries), contents.across, few)]
    if contents.game_summaries:
        few = few_runs_text(summary.runs for summary in contents.game_summaries)
        parts += ["## Final play in games", *_table(GAME_COLUMNS, contents.game_summaries, few)]
    if contents.checks or contents.not_checked:
        parts.append("## Cross-check against Stable-Baselines3")
    if contents.checks:
        parts += [HOW_CHECKED, "\n".join(f"- {plain(check.sentence)}" for check in contents.checks)]
    if contents.not_checked:
        parts.append(plain(contents.not_checked))
    if pictures or contents.single_states:
        parts.append("## Pictures")
        parts += [plain(left_out)] if left_out else []
        parts += [f"![{plain(title)}]({name})" for title, name in pictures.items()]
        parts += map(plain, contents.single_states.values())
    parts += ["## How to reproduce it", *_reproduction(contents.provenance_shown)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text with Markdown's special characters escaped: names may hold any."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&$])", r"\\\1", re.sub(r"[\r\n]+", " ", text))


def code(text: str) -> str:
    """A command in a code block, fenced so that nothing in it can end the block."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}sh\n{text}\n{fence}"


def _table(columns: Sequence[Column[Any]], lines: Sequence[Any], note: str = "") -> list[str]:
    """A table, a note on it, and the meaning of its columns."""
    heads = [column.heading for column in columns]
    rules = ["---:" if column.is_number(lines) else "---" for column in columns]
    rows = [[plain(column.text(line)) for column in columns] for line in lines]
    meanings = "\n".join(f"- **{column.heading}**: {column.meaning}" for column in columns if column.meaning)
    return ["\n".join("| " + " | ".join(row) + " |" for row in (heads, rules, *rows)), *filter(None, [note]), meanings]


def _reproduction(provenance: Mapping[str, Any]) -> list[str]:
    """The command, and everything else that decides the results."""
    parts = []
    if "repeat" in provenance:
        parts += ["This command reproduces the comparison:", code(str(provenance["repeat"]))]
    if "command" in provenance:
        parts += ["Command as typed:", code(str(provenance["command"]))]
    facts = computing_of(provenance)
    for name, machine in machines_of(provenance).items():
        facts[name.lower()] = _settings(machine)
    for group in ("comparison", "versions"):
        facts.update(provenance.get(group, {}))
    for group in ("configs", "game_configs", "functions"):
        for agent, settings in provenance.get(group, {}).items():
            facts[f"settings of {agent}"] = _settings(settings)
    if facts:
        parts.append("\n".join(f"- {plain(str(name))}: {plain(_text(value))}" for name, value in facts.items()))
    return parts


def _settings(settings: Any) -> str:
    if not isinstance(settings, Mapping):
        return str(settings)
    return ", ".join(f"{name} {_text(value)}" for name, value in settings.items()) or "none"


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value)
