"""A table for the terminal that truncates no name and breaks no number, however narrow it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table

# Where text may be folded: names stay whole between commas and colons. Where not even the first two columns of numbers
# would have room it may be folded inside of them too, but not inside a number.
BREAKS = r"[,:\s]"
MORE_BREAKS = r"[,:\s=_]"
IMPORTANT = 2

# A column of text is never wider than so much because of a part that may not be folded.
LONGEST_PART = 30

# Frame and room that a column takes beside what stands in it.
FRAME = 3


class ConsoleTable:
    """A table with a section for each world or game. Where room is short, text is wrapped.

    Where it is still short, the last columns are left out, and a line below the table names them.

    Args:
        title: its title.
        headings: of its columns.
        text: which of them hold text, left-aligned and wrapped where needed; the others hold numbers.
        lines: its cells; a new section begins with a new first cell, which is written once.
        legend: explanations by heading, each printed only with its column.
        notes: further lines below the table.
    """

    def __init__(
        self,
        title: str,
        headings: Sequence[str],
        text: Sequence[str],
        lines: Sequence[Sequence[str]],
        *,
        legend: Sequence[tuple[str, str]] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self._title = title
        self._headings = headings
        self._text = text
        self._lines = lines
        self._legend = legend
        self._notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        """For rich: the table with as many columns as fit, and their meanings."""
        from rich.text import Text

        important = len(self._text) + IMPORTANT
        breaks = BREAKS if self._least_width(important, BREAKS) <= options.max_width else MORE_BREAKS
        shown = len(self._headings)
        while shown > len(self._text) and self._least_width(shown, breaks) > options.max_width:
            shown -= 1
        yield self._table(shown, breaks, options.max_width)
        explained = [line for heading, line in self._legend if heading in self._headings[:shown]]
        for line in (*explained, *self._notes):
            yield Text(line)

    def _least_width(self, shown: int, breaks: str) -> int:
        """The width in characters of the first columns with all text wrapped."""
        return 1 + sum(FRAME + self._least_of(number, breaks) for number in range(min(shown, len(self._headings))))

    def _least_of(self, number: int, breaks: str) -> int:
        """The smallest width of a column."""
        if self._headings[number] not in self._text:
            return self._width_of(number)
        parts = [part for cell in self._cells(number) for part in parts_of(cell, breaks)]
        return min(max(map(_width, parts)), LONGEST_PART)

    def _width_of(self, number: int) -> int:
        """The width of a column without wrapping."""
        return max(map(_width, self._cells(number)))

    def _cells(self, number: int) -> list[str]:
        return [cells[number] for cells in (self._headings, *self._lines)]

    def _widths(self, shown: int, breaks: str, room: int) -> list[int]:
        """The widths of the columns: the widest text is wrapped first, until all columns fit."""
        widths = [self._width_of(number) for number in range(shown)]
        least = [self._least_of(number, breaks) for number in range(shown)]
        while sum(widths) + FRAME * shown + 1 > room and widths != least:
            widest = max((number for number in range(shown) if widths[number] > least[number]), key=widths.__getitem__)
            widths[widest] -= 1
        return widths

    def _table(self, shown: int, breaks: str, room: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        left_out = self._headings[shown:]
        caption = f"No room for: {', '.join(left_out)}" if left_out else None
        table = Table(title=self._title, title_style="bold", header_style="bold", caption=caption)
        widths = self._widths(shown, breaks, room)
        for heading, width in zip(self._headings, widths):
            if heading in self._text:
                table.add_column(heading, overflow="fold", width=width)
            else:
                table.add_column(heading, justify="right", no_wrap=True)
        before = None
        for first, *others in self._lines:
            if before is not None and first != before:
                table.add_section()
            cells = ("" if first == before else first, *others)
            # Text, not markup: a name may hold square brackets.
            table.add_row(*(Text(folded(cell, width, breaks)) for cell, width in zip(cells, widths)))
            before = first
        return table


def parts_of(text: str, breaks: str) -> list[str]:
    """Text split where it may be wrapped."""
    return re.findall(rf".*?{breaks}+|.+", text, re.DOTALL) or [""]


def folded(text: str, width: int, breaks: str) -> str:
    """Text in lines of limited width; only a longer part is broken inside."""
    lines = [""]
    for part in parts_of(text, breaks):
        if lines[-1] and _width(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    """The width of text in a terminal, without trailing space."""
    from rich.cells import cell_len

    return cell_len(text.rstrip())
