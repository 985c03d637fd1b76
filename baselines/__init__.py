"""Agents written by hand, trained as populations beside Stable-Baselines3 and scored against the exact optimum."""

from __future__ import annotations

import importlib
from typing import Any

# Public names and the modules that hold them, imported on first use.
_HOMES = {
    "AGENTS": "baselines.registry",
    "GAME_AGENTS": "baselines.game_registry",
    "Agent": "baselines.agent",
    "GameAgent": "baselines.game_agent",
    "GameRecord": "baselines.game_loop",
    "GameTask": "baselines.game_task",
    "LearningCurve": "baselines.loop",
    "LibraryAgent": "baselines.agent",
    "Task": "baselines.task",
    "Transition": "baselines.agent",
    "evaluate": "baselines.loop",
    "make_agent": "baselines.registry",
    "make_game_agent": "baselines.game_registry",
    "make_game_task": "baselines.game_task",
    "make_task": "baselines.task",
    "play": "baselines.game_loop",
    "Comparison": "baselines.comparison",
    "compare": "baselines.comparison",
    "Demonstrations": "baselines.demonstration",
    "demonstrations": "baselines.demonstration",
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
