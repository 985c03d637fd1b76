"""Agents written by hand, trained as populations beside Stable-Baselines3 and scored against the exact optimum."""

from __future__ import annotations

import importlib
from typing import Any

# Public names and the modules that hold them, imported on first use.
_HOMES = {
    "AGENTS": "baselines.registry",
    "GAME_AGENTS": "baselines.games.registry",
    "Agent": "baselines.training.agent",
    "GameAgent": "baselines.games.agent",
    "GameRecord": "baselines.games.loop",
    "GameTask": "baselines.games.task",
    "LearningCurve": "baselines.training.loop",
    "LibraryAgent": "baselines.training.library_agent",
    "Task": "baselines.training.task",
    "Transition": "baselines.learning.transition",
    "evaluate": "baselines.training.loop",
    "make_agent": "baselines.registry",
    "make_game_agent": "baselines.games.registry",
    "make_game_task": "baselines.games.task",
    "make_task": "baselines.training.task",
    "play": "baselines.games.loop",
    "Comparison": "baselines.comparison.comparison",
    "compare": "baselines.comparison.running",
    "Demonstrations": "baselines.training.demonstrations",
    "demonstrations": "baselines.training.demonstrations",
    "score": "baselines.training.loop",
    "train": "baselines.training.loop",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
