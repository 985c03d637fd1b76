"""Tables of the page, as HTML: sortable tables, and the final joint actions of games."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from baselines.comparison.game_rows import GameSummary
from baselines.report.tables import Column

# Tables of up to so many lines are shown whole; longer ones scroll in a box.
MOST_LINES = 60


def table(
    columns: Sequence[Column[Any]], lines: Sequence[Any], *, name: str, worlds: Sequence[str] | None = None
) -> str:
    """A table that the reader can sort by any column, with mouse or keyboard.

    Args:
        columns: its columns.
        lines: its lines.
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
    """Text as HTML, with line breaks allowed after an underscore, a comma, a colon or an equals sign."""
    return re.sub(r"([_:=]|,(?!\d))(?=\S)", r"\1<wbr>", escape(text, quote=False))


def _order(key: float | str | None) -> str:
    """The sort key of a cell: empty where unknown, "inf" where never reached."""
    if key is None or key != key:
        return ""
    return key if isinstance(key, str) else f"{key:.10g}"


def column_meanings(columns: Sequence[Column[Any]]) -> str:
    """The meaning of a table's columns, in a fold-out below it."""
    meanings = "".join(
        f"<dt>{escape(column.heading)}</dt><dd>{escape(column.meaning)}</dd>" for column in columns if column.meaning
    )
    return f'<details><summary>What the columns mean</summary><dl class="meanings">{meanings}</dl></details>'


def ends_table(game: str, equilibria: Sequence[str], summaries: Sequence[GameSummary]) -> str:
    """The final joint actions of each agent in a matrix game: a column for each one reached, and each equilibrium."""
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
