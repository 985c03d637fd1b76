"""A diagnosis made without training: Q-learning without a terminal mask, as the arithmetic of Ruler has it."""

from __future__ import annotations

from typing import Any

from rl_envs.diagnosis import probes
from rl_envs.diagnosis.exam import Diagnosis
from rl_envs.diagnosis.verdict import Finding

RULER = probes.ruler(scale=10.0)
# Discount 1/2 and an end that looks like s1: V2 = 10 + V1/2 and V1 = 1 + V2/2 without a mask, so 8 and 14.
UNMASKED = Finding(
    keys=("terminal_not_masked", "autoreset_row_learned"),
    probe="Ruler",
    learned={"s0": 4.08, "s1": 7.97, "s2": 13.96},
    right={"s0": 3.1, "s1": 6.0, "s2": 10.0},
    would_be={"s0": 4.1, "s1": 8.0, "s2": 14.0},
    reason="the values learned in Ruler are those of terminal_not_masked with one-step targets",
)
UNSEEDED = Finding(keys=("unseeded",), probe="Contexts", reason="the same seed gave two different trainings")


def diagnosis(*findings: Finding, **changes: Any) -> Diagnosis:
    """A diagnosis of an agent with these findings; of a correct one where there are none."""
    fields: dict[str, Any] = {
        "verdict": "wrong" if findings else "right",
        "reason": findings[0].reason if findings else "every learned value is what it should be, to within noise",
        "findings": findings,
        "depth": "values",
        "source": "an array of action values",
        "steps": 6_000 if findings else 3_000,
        "trainings": 37,
        "seconds": 9.4,
        "pictures": {"Ruler": RULER.picture},
        "worlds": {"Ruler": RULER},
    }
    return Diagnosis(**(fields | changes))
