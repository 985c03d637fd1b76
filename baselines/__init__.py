"""Agents written by hand, trained as populations beside Stable-Baselines3 and scored against the exact optimum."""

from __future__ import annotations

import importlib
from typing import Any

# Public names and the modules that hold them, imported on first use.
_HOMES = {
    "AGENTS": "baselines.registry",
    "Agent": "baselines.agent",
    "LearningCurve": "baselines.loop",
    "LibraryAgent": "baselines.agent",
    "Task": "baselines.task",
    "Transition": "baselines.agent",
    "evaluate": "baselines.loop",
    "make_agent": "baselines.registry",
    "make_task": "baselines.task",
    "Comparison": "baselines.compare",
    "score": "baselines.loop",
    "train": "baselines.loop",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
