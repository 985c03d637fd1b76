"""What a check says: right, wrong or cannot tell, the mistake by name, and the smallest example that shows it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

# Columns of a report's sentences; tables of examples are as wide as they must be.
WIDTH = 100


class WrongFunctionError(AssertionError):
    """A checked function is wrong, or could not be checked; the message is the whole report."""


@dataclass(frozen=True)
class Example:
    """The smallest thing tried on which the function is wrong.

    Attributes:
        settings: the numbers, as {"discount": 0.5}.
        rows: what stood there, step by step or transition by transition, as {"reward": [1.0, 10.0]}.
        gave: what the function gave, or None where it gave nothing.
        right: what is right.
    """

    settings: dict[str, float]
    rows: dict[str, list[Any]]
    gave: list[float] | None
    right: list[float]

    def __str__(self) -> str:
        table: dict[str, list[Any]] = dict(self.rows)
        if self.gave is not None:
            table["it gave"] = self.gave
        table["right"] = self.right
        cells = {name: [_cell(value) for value in values] for name, values in table.items()}
        width = max(len(name) for name in cells)
        column = max(len(cell) for row in cells.values() for cell in row)
        settings = ", ".join(f"{name} {_cell(value)}" for name, value in self.settings.items())
        lines = [f"Smallest example ({settings}):"]
        for name, row in cells.items():
            lines.append(f"  {name:<{width}}  " + "  ".join(f"{cell:>{column}}" for cell in row))
        return "\n".join(lines)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        keys: the names of the mistake; several where nothing that was tried tells them apart.
        sentence: what the function does.
        advice: where to look.
        example: the smallest thing tried that shows it; None where there is nothing to show.
        part: which of its outputs is meant, as "returns".
    """

    keys: tuple[str, ...]
    sentence: str
    advice: str
    example: Example | None = None
    part: str = ""

    def __str__(self) -> str:
        keys = f"[{', '.join(self.keys)}] " if self.keys else ""
        part = f"{self.part}: " if self.part else ""
        lines = [_wrapped(f"{keys}{part}{self.sentence}.")]
        if self.example is not None:
            lines.append(str(self.example))
        if self.advice:
            lines.append(_wrapped(f"Where to look: {self.advice}."))
        return "\n".join(lines)


@dataclass(frozen=True)
class CheckResult:
    """What a check found out about one function.

    Attributes:
        what: what was checked, as "GAE".
        function: its name.
        verdict: "right", "wrong" or "cannot_tell".
        findings: what is wrong, the likeliest first; empty if it is right.
        notes: what the function could not be tried on, and what else is worth knowing.
        reason: why nothing can be told, where it cannot.
        tried: on what it was tried, and how its arguments were read.
    """

    what: str
    function: str
    verdict: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    tried: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all mistakes found, each once."""
        return tuple(dict.fromkeys(key for finding in self.findings for key in finding.keys))

    def raise_if_wrong(self) -> None:
        """Raise unless the function was found right.

        Raises:
            WrongFunctionError: it is wrong, or could not be checked; an AssertionError whose message is the report.
        """
        __tracebackhide__ = True  # pytest shows the report, not this line
        if self.verdict != "right":
            raise WrongFunctionError(str(self))

    def __str__(self) -> str:
        verdict = self.verdict.replace("_", " ")
        lines = [f"{self.what} of {self.function}: {verdict}"]
        if self.reason:
            lines.append(_indented(_wrapped(f"{self.reason}.")))
        for finding in self.findings:
            lines += ["", _indented(str(finding))]
        if self.notes:
            lines.append("")
        lines += [_indented(_wrapped(f"Note: {note}.")) for note in self.notes]
        if self.tried:
            lines += ["", _indented(_wrapped(f"Tried: {self.tried}."))]
        return "\n".join(lines)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.5g}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.splitlines())
