"""A diagnosis as one HTML page that needs nothing beside itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rl_envs.diagnosis.bugs import BUG_TABLE
from rl_envs.diagnosis.report import DEPTHS, headline

if TYPE_CHECKING:
    from rl_envs.diagnosis.outcome import Outcome
    from rl_envs.diagnosis.verdict import Finding

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #6b7685; --line: #d8dee6;
  --right: #1a7f4b; --wrong: #b3261e; --cannot_tell: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181e; --faint: #97a3b3; --line: #333c48;
  --right: #5fd39a; --wrong: #ff8a80; --cannot_tell: #f0c14b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
h1.right { color: var(--right); } h1.wrong { color: var(--wrong); } h1.cannot_tell { color: var(--cannot_tell); }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .8rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
pre { background: color-mix(in srgb, var(--ink) 6%, transparent); padding: .7rem 1rem; overflow-x: auto; }
.before { color: var(--wrong); } .after { color: var(--right); } .small { color: var(--faint); font-size: .9rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
"""
BAR, GAP, HEIGHT = 22, 26, 150


def as_html(diagnosis: Outcome) -> str:
    """The page, a whole HTML document.

    Args:
        diagnosis: what to show.

    Returns:
        HTML with its style and pictures inside.
    """
    parts = [f'<h1 class="{diagnosis.verdict}">{escape(headline(diagnosis))}</h1>']
    if diagnosis.verdict == "right":
        parts.append(f"<p>{escape(diagnosis.reason[:1].upper() + diagnosis.reason[1:])}.</p>")
    for finding in diagnosis.findings:
        parts.append(_finding(finding, diagnosis.pictures.get(finding.probe, "")))
    parts.append(
        f'<p class="small">Looked at {escape(diagnosis.source)}: {escape(DEPTHS[diagnosis.depth])}. '
        f"{diagnosis.trainings} trainings of up to {diagnosis.steps:,} steps in {diagnosis.seconds:.0f} s.</p>"
    )
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(headline(diagnosis))}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _finding(finding: Finding, picture: str) -> str:
    entry = BUG_TABLE[finding.keys[0]]
    parts = [
        f"<h2>{escape(', or '.join(finding.keys))}</h2>",
        f"<p>{escape(entry.sentence)} Seen: {escape(finding.reason)}.</p>",
    ]
    if finding.learned:
        parts += [f"<p>In {escape(finding.probe)}:</p>", f"<pre>{escape(picture)}</pre>", _bars(finding)]
        parts.append(_table(finding))
    if finding.fault:
        parts.append(
            f'<p>Look {escape(entry.where)}:</p><pre><span class="before">{escape(entry.before)}</span>\n'
            f'<span class="after">{escape(entry.after)}</span></pre>'
        )
        if entry.cases:
            parts.append(f'<p class="small">It happened in {escape(", ".join(entry.cases))}.</p>')
    return "\n".join(parts)


def _rows(finding: Finding) -> tuple[tuple[str, dict[str, float], str], ...]:
    return (
        ("learned", finding.learned, "var(--ink)"),
        ("right", finding.right, "var(--right)"),
        (finding.keys[0], finding.would_be, "var(--wrong)"),
    )


def _table(finding: Finding) -> str:
    names = list(finding.learned)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = [
        f"<tr><td>{escape(title)}</td>"
        + "".join(f"<td>{numbers[name]:.4g}</td>" if name in numbers else "<td>-</td>" for name in names)
        + "</tr>"
        for title, numbers, _ in _rows(finding)
    ]
    return f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"


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
        f'<svg viewBox="0 0 {width} {HEIGHT + 26}" width="{width}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
        '<p class="small">Bars: learned (dark), right (green), what the bug would give (red).</p>'
    )
