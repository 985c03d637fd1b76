"""The report as Markdown: the tables, the cross-check, how it was made, and the pictures."""

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
        pictures: files beside it, by their titles.
        left_out: what they do not show, in words.

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
        parts += ["## Where games end", *_table(GAME_COLUMNS, contents.game_summaries, few)]
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
    parts += ["## How each number was made", *_made(contents.provenance_shown)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text whose characters mean nothing to Markdown: names may hold any."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&$])", r"\\\1", re.sub(r"[\r\n]+", " ", text))


def code(text: str) -> str:
    """Text to be typed, in a block that nothing in it can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}sh\n{text}\n{fence}"


def _table(columns: Sequence[Column[Any]], lines: Sequence[Any], note: str = "") -> list[str]:
    """A table, a note on it, and what its columns mean."""
    heads = [column.heading for column in columns]
    rules = ["---:" if column.is_number(lines) else "---" for column in columns]
    rows = [[plain(column.text(line)) for column in columns] for line in lines]
    meanings = "\n".join(f"- **{column.heading}**: {column.meaning}" for column in columns if column.meaning)
    return ["\n".join("| " + " | ".join(row) + " |" for row in (heads, rules, *rows)), *filter(None, [note]), meanings]


def _made(about: Mapping[str, Any]) -> list[str]:
    """The command, and everything else that decides what comes out."""
    parts = []
    if "repeat" in about:
        parts += ["This command makes it again:", code(str(about["repeat"]))]
    if "command" in about:
        parts += ["What was typed:", code(str(about["command"]))]
    facts = computing_of(about)
    for name, machine in machines_of(about).items():
        facts[name.lower()] = _settings(machine)
    for group in ("comparison", "versions"):
        facts.update(about.get(group, {}))
    for group in ("configs", "game_configs", "functions"):
        for agent, settings in about.get(group, {}).items():
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
