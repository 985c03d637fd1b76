"""The provenance of results, as the page and the Markdown show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from baselines.report.wording import moment_text


def machines_of(provenance: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The machines that computed the results, by a title for each."""
    machines = provenance.get("machines", [])
    if len(machines) == 1:
        return {"Machine": machines[0]}
    return {f"Machine {number}": machine for number, machine in enumerate(machines, start=1)}


def computing_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """When the results were computed, and how the last command ran."""
    times = {f"{which} result": moment_text(provenance[which]) for which in ("first", "last") if which in provenance}
    return {**times, **{name: provenance[name] for name in ("backend", "workers", "format") if name in provenance}}
