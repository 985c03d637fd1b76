"""An inspection as text for a terminal and as an object for JSON: the verdict first, then findings, then numbers."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from rl_envs.inspection.finding import SECTIONS, SEVERITIES, Fact, Finding
from rl_envs.inspection.table_view import counted, number

if TYPE_CHECKING:
    from rl_envs.inspection.outcome import Outcome

# The verdict, as a colour.
TONES = {"fault": "wrong", "warning": "unsure", "clean": "right", "not walked": "unsure"}
WIDTH = 100


def headline(inspection: Outcome) -> str:
    """The verdict in one line."""
    if not inspection.looked:
        return f"{inspection.name}: {'exact values' if inspection.reason is None else 'no exact table'}"
    counts = [
        counted(count, severity)
        for severity in SEVERITIES
        if (count := sum(finding.severity == severity for finding in inspection.findings))
    ]
    said = ", ".join(counts) or "nothing found"
    return f"{inspection.name}: {said}{'' if inspection.reason is None else '; no exact table'}"


def remarks(inspection: Outcome) -> list[str]:
    """What to know before the findings: why a part is missing."""
    said = []
    if inspection.reason is not None:
        tried = (
            ""
            if inspection.untried is not None or not inspection.looked
            else " What follows was seen in its steps alone."
        )
        said.append(f"It has no exact table: {_sentence(inspection.reason)}{tried}")
        if inspection.found("reset_keeps") is not None:
            said.append(
                "Fix reset_keeps first and inspect again: optimum, incentives, hidden state and step counters need the "
                "table and were not checked."
            )
    if inspection.untried is not None:
        said.append(_capital(_sentence(inspection.untried)))
    return said


def closing(inspection: Outcome) -> str:
    """The last line: how long it took, and what was not done."""
    if inspection.looked:
        return f"Inspected in {inspection.seconds:.1f} s."
    command = f"python -m rl_envs inspect {inspection.name}"
    return f"Computed in {inspection.seconds:.1f} s. Faults were not looked for: {command}"


def how_bad(finding: Finding) -> str | None:
    """A finding's cost in words; None where it has none."""
    if finding.cost is None:
        return None
    return f"{written(finding.cost)} of return: {finding.cost_of}."


def written(value: float | int | str | None) -> str:
    """A fact's value as a text."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return number(value)


def by_section(facts: tuple[Fact, ...]) -> list[tuple[str, list[Fact]]]:
    """The titles of the sections that have facts, with those facts."""
    grouped = [(title, [fact for fact in facts if fact.section == key]) for key, title in SECTIONS.items()]
    return [(title, some) for title, some in grouped if some]


def as_text(inspection: Outcome) -> str:
    """The whole report as plain text."""
    lines = [headline(inspection), ""]
    for remark in remarks(inspection):
        lines += [*textwrap.wrap(remark, WIDTH), ""]
    for place, finding in enumerate(inspection.findings, start=1):
        lines += [*_finding(place, finding), ""]
    for title, facts in by_section(inspection.facts):
        width = max(len(fact.label) for fact in facts)
        lines.append(title)
        for fact in facts:
            remark = f"  ({fact.remark})" if fact.remark else ""
            lines.append(f"  {fact.label:{width}}  {written(fact.value)}{remark}")
        lines.append("")
    lines.append(closing(inspection))
    return "\n".join(lines)


def as_json(inspection: Outcome) -> dict[str, Any]:
    """The report as an object for JSON; what is infinite is a text, as JSON has no such number."""
    facts: dict[str, dict[str, Any]] = {}
    for fact in inspection.facts:
        facts.setdefault(fact.section, {})[fact.key] = _plain(fact.value)
    return {
        "name": inspection.name,
        "verdict": inspection.verdict,
        "reason": inspection.reason,
        "untried": inspection.untried,
        "findings": [
            {
                "key": finding.key,
                "severity": finding.severity,
                "section": finding.section,
                "what": finding.what,
                "where": finding.where,
                "cost": _plain(finding.cost),
                "cost_of": finding.cost_of,
                "change": finding.change,
            }
            for finding in inspection.findings
        ],
        "facts": facts,
        "seconds": round(inspection.seconds, 1),
    }


def _finding(place: int, finding: Finding) -> list[str]:
    bad = how_bad(finding)
    parts = [
        finding.what,
        *([f"Where: {finding.where}."] if finding.where else []),
        *([f"How bad: {bad}"] if bad else []),
        f"Change: {finding.change}",
    ]
    lines = [f"{place}. {finding.severity}: {finding.key}"]
    for part in parts:
        lines += textwrap.wrap(part, WIDTH, initial_indent="   ", subsequent_indent="   ", break_on_hyphens=False)
    return lines


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
