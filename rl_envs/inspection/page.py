"""An inspection as one HTML page that needs nothing beside itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from rl_envs.inspection.finding import Finding
from rl_envs.inspection.report import TONES, by_section, closing, headline, how_bad, remarks, written
from rl_envs.reports.html_page import html_page

if TYPE_CHECKING:
    from rl_envs.inspection.outcome import Outcome

SEVERITY_TONES = {"fault": "wrong", "warning": "unsure", "note": "small"}
STYLE = """
dl { margin: .5rem 0 0; } dt { color: var(--faint); font-size: .9rem; } dd { margin: 0 0 .5rem; }
.facts td { vertical-align: top; } .facts td:last-child { text-align: left; }
@media (max-width: 40rem) { .facts, .facts tbody, .facts tr, .facts td { display: block; text-align: left; }
  .facts tr { border-bottom: 1px solid var(--line); padding: .3rem 0; } .facts td { border: 0; padding: 0; }
  .facts td + td { font-weight: 600; } .facts td:last-child { font-weight: 400; } }
"""


def as_html(inspection: Outcome) -> str:
    """The page, a whole HTML document.

    Args:
        inspection: what to show.

    Returns:
        HTML with its style inside.
    """
    parts = [f"<p>{escape(remark)}</p>" for remark in remarks(inspection)]
    parts += [_finding(finding) for finding in inspection.findings]
    for title, facts in by_section(inspection.facts):
        rows = "".join(
            f"<tr><td>{escape(fact.label)}</td><td>{escape(written(fact.value))}</td>"
            f'<td class="small">{escape(fact.remark)}</td></tr>'
            for fact in facts
        )
        parts.append(f'<h2>{escape(title)}</h2><table class="facts"><tbody>{rows}</tbody></table>')
    parts.append(f'<p class="small">{escape(closing(inspection))}</p>')
    return html_page(headline(inspection), "\n".join(parts), tone=TONES[inspection.verdict], style=STYLE)


def _finding(finding: Finding) -> str:
    bad = how_bad(finding)
    rows = [("Where", finding.where), ("How bad", bad), ("Change", finding.change)]
    terms = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    tone = SEVERITY_TONES[finding.severity]
    return (
        f'<h2><span class="{tone}">{escape(finding.severity)}</span> {escape(finding.key)}</h2>'
        f"<p>{escape(finding.what)}</p><dl>{terms}</dl>"
    )
