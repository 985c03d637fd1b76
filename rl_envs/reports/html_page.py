"""The shell of a report as one HTML page: its style is inside, and nothing is loaded."""

from __future__ import annotations

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #6b7685; --line: #d8dee6;
  --right: #1a7f4b; --wrong: #b3261e; --unsure: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181e; --faint: #97a3b3; --line: #333c48;
  --right: #5fd39a; --wrong: #ff8a80; --unsure: #f0c14b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 3rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.right { color: var(--right); } .wrong { color: var(--wrong); } .unsure { color: var(--unsure); }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .8rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
pre { background: color-mix(in srgb, var(--ink) 6%, transparent); padding: .7rem 1rem; overflow-x: auto; }
.small { color: var(--faint); font-size: .9rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
"""


def html_page(title: str, body: str, *, tone: str = "", style: str = "") -> str:
    """A whole HTML document.

    Args:
        title: of the page, and its first heading; plain text.
        body: HTML below the heading.
        tone: class of the heading: "right", "wrong", "unsure" or none.
        style: further rules of CSS.

    Returns:
        The document, with its style inside.
    """
    heading = f'<h1 class="{tone}">{escape(title)}</h1>' if tone else f"<h1>{escape(title)}</h1>"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}{style}</style>\n</head>\n<body>\n{heading}\n{body}\n</body>\n</html>\n"
    )
