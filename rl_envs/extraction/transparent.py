"""The wrappers of an environment that leave what happens in it as it is."""

from __future__ import annotations

from typing import Any

# Wrappers that leave the rewards, observations and actions of an episode as they are, by the start of their module and
# their name: classes move between modules from one version of Gymnasium to the next.
TRANSPARENT = {
    ("gymnasium.wrappers", "TimeLimit"),
    ("gymnasium.wrappers", "OrderEnforcing"),
    ("gymnasium.wrappers", "PassiveEnvChecker"),
    ("gymnasium.wrappers", "RecordEpisodeStatistics"),
    ("gymnasium.wrappers", "RecordVideo"),
    ("gymnasium.wrappers", "HumanRendering"),
    ("gymnasium.wrappers", "RenderCollection"),
    ("stable_baselines3.common.monitor", "Monitor"),
}


def is_one_of(env: Any, known: set[tuple[str, str]]) -> bool:
    """Whether an object's very class, not one derived from it, is among those known by module and name."""
    module, name = type(env).__module__, type(env).__name__
    return any(name == known_name and module.startswith(start) for start, known_name in known)
