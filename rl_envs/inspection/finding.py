"""One thing found in an environment, and one number about it."""

from __future__ import annotations

from dataclasses import dataclass

# How bad a finding is, the worst first. A fault is never meant; a warning may be; a note is a property worth knowing.
SEVERITIES = ("fault", "warning", "note")

# Parts of a report, in order.
SECTIONS = {
    "size": "Size and values",
    "learnability": "Is it learnable",
    "incentives": "What it rewards",
    "hidden": "What is not seen",
    "contract": "Does it keep Gymnasium's contract",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        key: its name.
        severity: "fault", "warning" or "note".
        section: which part of the report it belongs to.
        what: what was found, in whole sentences.
        change: what to change.
        where: a line of code as "file.py:12", or a state; None where there is no one place.
        cost: how bad it is, in units of return; None where no number says it.
        cost_of: the sentence that the number belongs to.
    """

    key: str
    severity: str
    section: str
    what: str
    change: str
    where: str | None = None
    cost: float | None = None
    cost_of: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {', '.join(SEVERITIES)}, but is {self.severity!r}")
        if self.section not in SECTIONS:
            raise ValueError(f"section must be one of {', '.join(SECTIONS)}, but is {self.section!r}")


@dataclass(frozen=True)
class Fact:
    """One number about an environment.

    Attributes:
        key: its name.
        section: which part of the report it belongs to.
        label: what it is, in words.
        value: the number; infinite where it is; None where there is none; a text where it is one.
        remark: what else to know.
    """

    key: str
    section: str
    label: str
    value: float | int | str | None
    remark: str = ""
