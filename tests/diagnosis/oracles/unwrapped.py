"""A report with its sentences on one line each, to look for one."""

from __future__ import annotations


def unwrapped(report: object) -> str:
    """The text of a report without the breaks that keep its lines short."""
    return str(report).replace("\n      ", " ").replace("\n    ", " ")
