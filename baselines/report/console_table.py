"""A table for the terminal in which no name is cut short and no number broken, however narrow it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table

# A column of text is folded into no less than this.
NARROWEST = 10

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
    """

    def __init__(
        self, title: str, headings: Sequence[str], text: Sequence[str], lines: Sequence[Sequence[str]]
    ) -> None:
        self._title = title
        self._headings = headings
        self._text = text
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        """What rich prints: the table with as many columns as there is room for."""
        shown = len(self._headings)
        while shown > len(self._text) and self._least_width(shown) > options.max_width:
            shown -= 1
        yield self._table(shown)

    def _least_width(self, shown: int) -> int:
        """How many characters wide so many columns are if all text is folded."""
        return 1 + sum(FRAME + self._column_width(number) for number in range(shown))

    def _column_width(self, number: int) -> int:
        from rich.cells import cell_len

        width = max(cell_len(cells[number]) for cells in (self._headings, *self._lines))
        return min(width, NARROWEST) if self._headings[number] in self._text else width

    def _table(self, shown: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        left_out = self._headings[shown:]
        caption = f"No room for: {', '.join(left_out)}" if left_out else None
        table = Table(title=self._title, title_style="bold", header_style="bold", caption=caption)
        for heading in self._headings[:shown]:
            if heading in self._text:
                table.add_column(heading, overflow="fold")
            else:
                table.add_column(heading, justify="right", no_wrap=True)
        before = None
        for first, *others in self._lines:
            if before is not None and first != before:
                table.add_section()
            # Text, not markup: a name may hold square brackets.
            table.add_row(*(Text(cell) for cell in ("" if first == before else first, *others)[:shown]))
            before = first
        return table
