"""Tables of the page, as HTML: sorted by any column, and of where the runs of a game ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from baselines.comparison.game_rows import GameSummary
from baselines.report.tables import Column

# Tables of no more lines than these stand whole on the page; longer ones scroll in a box.
MOST_LINES = 60


def table(
    columns: Sequence[Column[Any]], lines: Sequence[Any], *, name: str, worlds: Sequence[str] | None = None
) -> str:
    """A table that is sorted by any column with a click or a key.

    Args:
        columns: its columns.
        lines: what its lines are about.
        name: its id on the page.
        worlds: the world or game of each line, by which lines are shown or hidden; None where lines belong to none.

    Returns:
        HTML, in a box of its own, in which a table of very many lines scrolls.
    """
    kinds = ["number" if column.is_number(lines) else "name" for column in columns]
    head = "".join(
        f'<th scope="col" class="{kind}" aria-sort="none" title="{escape(column.meaning)}">'
        f'<button type="button">{escape(column.heading)}</button></th>'
        for column, kind in zip(columns, kinds)
    )
    body = []
    for number, line in enumerate(lines):
        cells = "".join(
            f'<td class="{kind}" data-order="{escape(_order(column.order(line)))}">{_breakable(column.text(line))}</td>'
            for column, kind in zip(columns, kinds)
        )
        belongs = "" if worlds is None else f' data-line-world="{escape(worlds[number])}"'
        body.append(f"<tr{belongs}>{cells}</tr>")
    long = " long" if len(lines) > MOST_LINES else ""
    return (
        f'<div class="table{long}" role="region" tabindex="0" aria-label="Table {name}">'
        f'<table class="sortable" id="{name}">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _breakable(text: str) -> str:
    """Text as HTML, in which a long name may be broken behind an underscore, a comma, a colon or an equals sign."""
    return re.sub(r"([_:=]|,(?!\d))(?=\S)", r"\1<wbr>", escape(text, quote=False))


def _order(key: float | str | None) -> str:
    """What a cell is sorted by: empty for what is not known, "inf" for what was never reached."""
    if key is None or key != key:
        return ""
    return key if isinstance(key, str) else f"{key:.10g}"


def column_meanings(columns: Sequence[Column[Any]]) -> str:
    """What the columns of a table mean, to be unfolded below it."""
    meanings = "".join(
        f"<dt>{escape(column.heading)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns if column.meaning
    )
    return f'<details><summary>What the columns mean</summary><dl class="meanings">{meanings}</dl></details>'


def ends_table(game: str, equilibria: Sequence[str], summaries: Sequence[GameSummary]) -> str:
    """Where the runs of each agent ended in a matrix game: a column a joint action that is an equilibrium or an end."""
    ends = list(dict.fromkeys([*equilibria, *(name for line in summaries for name, _ in line.joint_actions)]))
    head = "".join(
        f'<th scope="col" class="number">{"★ " if end in equilibria else ""}{escape(end)}</th>' for end in ends
    )
    lines = []
    for summary in summaries:
        shares = {end: dict(summary.joint_actions).get(end, 0.0) for end in ends}
        cells = "".join(
            f'<td class="number share"><i style="width:{100 * share:.3g}%"></i>{share:.0%}</td>'
            for share in shares.values()
        )
        lines.append(f'<tr><th scope="row">{escape(summary.agent)}</th>{cells}</tr>')
    return (
        f'<div data-line-world="{escape(game)}"><h3>{escape(game)}: share of runs by where they ended</h3>'
        f'<div class="table" role="region" tabindex="0" aria-label="Where {escape(game)} ended"><table class="plain">'
        f'<thead><tr><th scope="col">agent</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div></div>'
    )
