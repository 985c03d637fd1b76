"""A diagnosis as text for a terminal and as an object for JSON: the verdict first, then each finding."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from rl_envs.diagnosis.bugs import BUG_TABLE

if TYPE_CHECKING:
    from rl_envs.diagnosis.outcome import Outcome
    from rl_envs.diagnosis.verdict import Finding

DEPTHS = {
    "values": "values were given back and compared with the fixed point of every known bug",
    "policy": "only a policy was given back: its choices were judged, and what the worlds themselves saw",
    "training only": "nothing was given back: judged by what the worlds themselves saw alone",
}


def headline(diagnosis: Outcome) -> str:
    """The verdict in one line."""
    if diagnosis.verdict == "right":
        return "right"
    if diagnosis.verdict == "cannot_tell":
        return f"cannot tell: {diagnosis.reason}"
    first = next(finding for finding in diagnosis.findings if finding.fault)
    also = f" (also possible: {', '.join(first.keys[1:])})" if len(first.keys) > 1 else ""
    return f"wrong: {first.keys[0]}{also}"


def advice(finding: Finding) -> str:
    """What the first key's bug is, and the line of code that it usually is."""
    entry = BUG_TABLE[finding.keys[0]]
    return f"{entry.sentence} Look {entry.where}: `{_one_line(entry.before)}` should be `{_one_line(entry.after)}`."


def deviating(finding: Finding) -> set[str]:
    """The observations at which what was learned is nearer to the bug's value than to the right one.

    Args:
        finding: with numbers.

    Returns:
        Names of observations; where the two values hardly differ, none is marked.
    """
    every = [abs(number) for numbers in (finding.right, finding.would_be) for number in numbers.values()]
    least = 0.01 * max(every, default=0.0)
    marked = set()
    for name, learned in finding.learned.items():
        if name in finding.right and name in finding.would_be:
            right, wrong = finding.right[name], finding.would_be[name]
            if abs(wrong - right) > least and abs(learned - right) > abs(learned - wrong):
                marked.add(name)
    return marked


def as_text(diagnosis: Outcome) -> str:
    """The whole report as plain text."""
    lines = [headline(diagnosis), ""]
    if diagnosis.verdict == "right":
        lines += [f"{_capital(diagnosis.reason)}.", ""]
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += [*_finding(number, finding, diagnosis.pictures.get(finding.probe, "")), ""]
    lines += [
        f"Looked at: {diagnosis.source}; {DEPTHS[diagnosis.depth]}.",
        f"{diagnosis.trainings} trainings of up to {diagnosis.steps:,} steps in {diagnosis.seconds:.0f} s.",
    ]
    return "\n".join(lines)


def as_json(diagnosis: Outcome) -> dict[str, Any]:
    """The report as an object for JSON."""
    return {
        "verdict": diagnosis.verdict,
        "reason": diagnosis.reason,
        "depth": diagnosis.depth,
        "findings": [
            {
                "keys": list(finding.keys),
                "probe": finding.probe,
                "learned": finding.learned,
                "right": finding.right,
                "would_be": finding.would_be,
                "reason": finding.reason,
                "fault": finding.fault,
                "advice": advice(finding),
            }
            for finding in diagnosis.findings
        ],
        "trainings": diagnosis.trainings,
        "steps": diagnosis.steps,
        "seconds": round(diagnosis.seconds, 1),
    }


def show(diagnosis: Outcome) -> None:
    """Print the report on standard output, in colours where rich is installed and a terminal reads."""
    text = as_text(diagnosis)
    if importlib.util.find_spec("rich") is None or not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.text import Text

    first, _, rest = text.partition("\n")
    colour = {"right": "bold green", "wrong": "bold red", "cannot_tell": "bold yellow"}[diagnosis.verdict]
    console = Console(highlight=False)
    body = Text(rest)
    for pattern, style in (
        (r"(?m)^     - .*$", "red"),
        (r"(?m)^     \+ .*$", "green"),
        (r"-?[\d.e+]+\*", "bold red"),
        (r"(?m)^\d+\. .*$", "bold"),
    ):
        body.highlight_regex(pattern, style)
    console.print(Text(first, style=colour))
    console.print(body)


def _finding(number: int, finding: Finding, picture: str) -> list[str]:
    entry = BUG_TABLE[finding.keys[0]]
    kind = "" if finding.fault else " (a note, not a fault)"
    lines = [f"{number}. {', or '.join(finding.keys)}{kind}", f"   {entry.sentence}", f"   Seen: {finding.reason}."]
    if finding.learned:
        lines += ["", f"   The world {finding.probe}:", *(f"     {line}" for line in picture.splitlines()), ""]
        lines += [f"     {line}" for line in _columns(finding)]
        if deviating(finding):
            lines.append("     * nearer to the bug's value than to the right one")
    if finding.fault:
        lines += ["", f"   Look {entry.where}:"]
        lines += [f"     - {line}" for line in entry.before.splitlines()]
        lines += [f"     + {line}" for line in entry.after.splitlines()]
        if entry.cases:
            lines += ["", "   It happened in:"]
            lines += [f"     {case}" for case in entry.cases]
    return lines


def _columns(finding: Finding) -> list[str]:
    """A small table: an observation a column; what was learned, what is right, what the bug would give."""
    names, marked = list(finding.learned), deviating(finding)
    rows = [("", names)]
    for title, numbers in (("learned", finding.learned), ("right", finding.right), (finding.keys[0], finding.would_be)):
        # A column with a mark has room for it in each of its rows, so that its digits stay in line.
        room = {name: " " if name in marked else "" for name in names}
        if title == "learned":
            room = {name: "*" if name in marked else "" for name in names}
        rows.append((title, [(f"{numbers[name]:.4g}" if name in numbers else "-") + room[name] for name in names]))
    title_width = max(len(title) for title, _ in rows)
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(len(names))]
    return [
        "  ".join([title.ljust(title_width), *(cell.rjust(width) for cell, width in zip(cells, widths))]).rstrip()
        for title, cells in rows
    ]


def _one_line(code: str) -> str:
    return "; ".join(line.strip() for line in code.splitlines())


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
