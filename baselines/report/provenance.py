"""How results were made, as the page and the Markdown tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baselines.report.wording import moment_text


def machines_of(about: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The machines that results were computed on, by what to call them."""
    machines = about.get("machines", [])
    if len(machines) == 1:
        return {"Machine": machines[0]}
    return {f"Machine {number}": machine for number, machine in enumerate(machines, start=1)}


def computing_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """When results were computed, and how by the last command."""
    moments = {f"{which} result": moment_text(about[which]) for which in ("first", "last") if which in about}
    return {**moments, **{name: about[name] for name in ("backend", "workers", "format") if name in about}}
