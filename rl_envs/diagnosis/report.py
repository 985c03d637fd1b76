"""A diagnosis in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rl_envs.diagnosis.exam import Diagnosis
    from rl_envs.diagnosis.verdict import Finding


def headline(diagnosis: Diagnosis) -> str:
    """The verdict in one line."""
    if diagnosis.verdict == "right":
        return "right"
    if diagnosis.verdict == "cannot_tell":
        return f"cannot tell: {diagnosis.reason}"
    keys = diagnosis.findings[0].keys
    also = f" (also possible: {', '.join(keys[1:])})" if len(keys) > 1 else ""
    return f"wrong: {keys[0]}{also}"


def as_text(diagnosis: Diagnosis) -> str:
    """The whole report as plain text."""
    lines = [headline(diagnosis), ""]
    for finding in diagnosis.findings:
        lines += [*_finding(finding), ""]
    lines.append(
        f"{diagnosis.trainings} trainings of {diagnosis.steps:,} steps in {diagnosis.seconds:.0f} s, "
        f"read from {diagnosis.source}"
    )
    return "\n".join(lines)


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """The report as an object for JSON."""
    return {
        "verdict": diagnosis.verdict,
        "reason": diagnosis.reason,
        "findings": [
            {
                "keys": list(finding.keys),
                "probe": finding.probe,
                "learned": finding.learned,
                "right": finding.right,
                "advice": finding.reason,
            }
            for finding in diagnosis.findings
        ],
    }


def _finding(finding: Finding) -> list[str]:
    lines = [f"{', '.join(finding.keys)}: {finding.reason}"]
    if finding.learned:
        for name, numbers in (("learned", finding.learned), ("right", finding.right), ("bug", finding.would_be)):
            lines.append(f"  {name:8s}" + "  ".join(f"{key} {value:.3f}" for key, value in numbers.items()))
    return lines
