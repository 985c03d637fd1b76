"""A table for the terminal in which no name is cut short and no number broken, however narrow it is."""

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
    """A table in sections, one a world or game. Where there is too little room text is folded into several lines.

    Where there is still too little the last columns are left out, and what stands below the table says which.

    Args:
        title: what stands above it.
        headings: of its columns.
        text: which of them hold text, that is written to the left and may be folded; the others hold numbers.
        lines: its cells; a new section begins with a new first cell, which is written once.
        legend: lines that explain columns, each with the heading of the column, without which it is not printed.
        notes: what else is printed below.
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
        """What rich prints: the table with as many columns as there is room for, and what they mean."""
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
        """How many characters wide so many columns are if all text is folded."""
        return 1 + sum(FRAME + self._least_of(number, breaks) for number in range(min(shown, len(self._headings))))

    def _least_of(self, number: int, breaks: str) -> int:
        """How wide a column is at least."""
        if self._headings[number] not in self._text:
            return self._width_of(number)
        parts = [part for cell in self._cells(number) for part in parts_of(cell, breaks)]
        return min(max(map(_width, parts)), LONGEST_PART)

    def _width_of(self, number: int) -> int:
        """How wide a column is if nothing is folded."""
        return max(map(_width, self._cells(number)))

    def _cells(self, number: int) -> list[str]:
        return [cells[number] for cells in (self._headings, *self._lines)]

    def _widths(self, shown: int, breaks: str, room: int) -> list[int]:
        """The widths of the columns: the widest text is folded first, until there is room for all."""
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
    """Text in parts that are not folded; what may be folded ends with a break."""
    return re.findall(rf".*?{breaks}+|.+", text, re.DOTALL) or [""]


def folded(text: str, width: int, breaks: str) -> str:
    """Text in lines of at most so many characters; only a part that is longer is broken anywhere."""
    lines = [""]
    for part in parts_of(text, breaks):
        if lines[-1] and _width(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    """How many characters wide it is in a terminal, without a space at its end."""
    from rich.cells import cell_len

    return cell_len(text.rstrip())
