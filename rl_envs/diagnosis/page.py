"""A diagnosis as one HTML page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from rl_envs.diagnosis.bugs import BUG_TABLE
from rl_envs.diagnosis.drawing import draw
from rl_envs.diagnosis.report import DEPTHS, deviating, headline

if TYPE_CHECKING:
    from rl_envs.diagnosis.outcome import Outcome
    from rl_envs.diagnosis.verdict import Finding

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #5d6876; --line: #d8dee6;
  --right: #1a7f4b; --wrong: #b3261e; --cannot_tell: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181e; --faint: #97a3b3; --line: #333c48;
  --right: #5fd39a; --wrong: #ff8a80; --cannot_tell: #f0c14b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin-bottom: .3rem; } h2, h3, li { overflow-wrap: anywhere; }
.right { color: var(--right); } .wrong { color: var(--wrong); } .cannot_tell { color: var(--cannot_tell); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .8rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; font-weight: 600; }
td.off { color: var(--wrong); font-weight: 700; outline: 1.5px solid var(--wrong); outline-offset: -3px; }
pre { background: color-mix(in srgb, var(--ink) 6%, transparent); padding: .7rem 1rem; overflow-x: auto; }
.before { color: var(--wrong); } .after { color: var(--right); } .small { color: var(--faint); font-size: .9rem; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .note { fill: var(--faint); font-size: 12px; } svg .pays { font-weight: 600; }
"""
BAR, GAP, HEIGHT = 22, 26, 110


def as_html(diagnosis: Outcome | Mapping[str, Outcome]) -> str:
    """The page, a whole HTML document.

    Args:
        diagnosis: what to show, or several by the name of what was examined.

    Returns:
        HTML with its style and pictures inside.
    """
    diagnoses = diagnosis if isinstance(diagnosis, Mapping) else {"": diagnosis}
    titles = {name: f"{name}: {headline(one)}" if name else headline(one) for name, one in diagnoses.items()}
    parts = []
    if len(diagnoses) > 1:
        lines = "".join(f'<li class="{diagnoses[name].verdict}">{escape(title)}</li>' for name, title in titles.items())
        parts.append(f"<ul>{lines}</ul>")
    parts += [_report(one, titles[name]) for name, one in diagnoses.items()]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape("; ".join(titles.values()))}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _report(diagnosis: Outcome, title: str) -> str:
    """One diagnosis: the verdict, the findings, and what it looked at."""
    parts = [f'<h1 class="{diagnosis.verdict}">{escape(title)}</h1>']
    if diagnosis.verdict == "right":
        parts.append(f"<p>{escape(diagnosis.reason[:1].upper() + diagnosis.reason[1:])}.</p>")
    parts += [_finding(finding, diagnosis) for finding in diagnosis.findings]
    parts.append(
        f'<p class="small">Looked at {escape(diagnosis.source)}: {escape(DEPTHS[diagnosis.depth])}. '
        f"{diagnosis.trainings} trainings of up to {diagnosis.steps:,} steps in {diagnosis.seconds:.0f} s.</p>"
    )
    return "\n".join(parts)


def _finding(finding: Finding, diagnosis: Outcome) -> str:
    entry = BUG_TABLE[finding.keys[0]]
    kind = "" if finding.fault else " (a note, not a fault)"
    parts = [
        f"<h2>{escape(', or '.join(finding.keys) + kind)}</h2>",
        f"<p>{escape(entry.sentence)} Seen: {escape(finding.reason)}.</p>",
    ]
    if finding.learned:
        parts += [*_world(finding.probe, diagnosis), _table(finding), _bars(finding)]
    if finding.fault:
        parts.append(
            f"<h3>Where to look</h3><p>{escape(entry.where[:1].upper() + entry.where[1:])}:</p><pre>"
            f'<span class="before">{_code("-", entry.before)}</span>\n'
            f'<span class="after">{_code("+", entry.after)}</span></pre>'
        )
        if entry.cases:
            cases = "".join(f"<li>{escape(case)}</li>" for case in entry.cases)
            parts.append(f'<div class="small">It happened in<ul>{cases}</ul></div>')
    return "\n".join(parts)


def _world(name: str, diagnosis: Outcome) -> list[str]:
    """The probe world: what it is for, and a drawing, or the picture in text where the world itself is not there."""
    if name not in diagnosis.worlds:
        return [f"<h3>{escape(name)}</h3>", f"<pre>{escape(diagnosis.pictures.get(name, ''))}</pre>"]
    world = diagnosis.worlds[name]
    return [
        f"<h3>{escape(name)}: {escape(world.purpose)}</h3>",
        f'<div class="scroll">{draw(world)}</div>',
        '<p class="small">Circles are what is seen, numbers on arrows what is paid.</p>',
    ]


def _code(mark: str, text: str) -> str:
    return "\n".join(f"{mark} {escape(line)}" for line in text.splitlines())


def _rows(finding: Finding) -> tuple[tuple[str, dict[str, float], str], ...]:
    return (
        ("learned", finding.learned, "var(--ink)"),
        ("right", finding.right, "var(--right)"),
        (finding.keys[0], finding.would_be, "var(--wrong)"),
    )


def _table(finding: Finding) -> str:
    names, marked = list(finding.learned), deviating(finding)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for title, numbers, _ in _rows(finding):
        cells = []
        for name in names:
            off = ' class="off"' if title == "learned" and name in marked else ""
            cells.append(f"<td{off}>{numbers[name]:.4g}</td>" if name in numbers else "<td>-</td>")
        lines.append(f"<tr><td>{escape(title)}</td>{''.join(cells)}</tr>")
    note = '<p class="small">Framed: nearer to the bug\'s value than to the right one.</p>' if marked else ""
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{"".join(lines)}</table></div>{note}'


def _bars(finding: Finding) -> str:
    """A group of three bars for each observation: learned, right, and what the bug would give."""
    rows = _rows(finding)
    names = list(finding.learned)
    every = [abs(number) for _, numbers, _ in rows for number in numbers.values()]
    highest = max(every, default=0.0) or 1.0
    parts = []
    for column, name in enumerate(names):
        left = column * (3 * BAR + GAP)
        for place, (title, numbers, colour) in enumerate(rows):
            if name in numbers:
                height = HEIGHT * min(1.0, max(0.0, numbers[name] / highest))
                parts.append(
                    f'<rect x="{left + place * BAR}" y="{HEIGHT - height:.1f}" width="{BAR - 3}" '
                    f'height="{max(height, 1):.1f}" fill="{colour}"><title>{escape(title)}: '
                    f"{numbers[name]:.4g}</title></rect>"
                )
        parts.append(f'<text x="{left + 1.5 * BAR}" y="{HEIGHT + 18}" text-anchor="middle">{escape(name)}</text>')
    width = len(names) * (3 * BAR + GAP)
    label = f"Values learned, right, and with {finding.keys[0]}, by observation"
    return (
        f'<div class="scroll"><svg viewBox="0 0 {width} {HEIGHT + 26}" width="{width}" height="{HEIGHT + 26}" '
        f'role="img" aria-label="{escape(label)}">{"".join(parts)}</svg></div>'
        '<p class="small">Bars: learned (dark), right (green), what the bug would give (red).</p>'
    )
