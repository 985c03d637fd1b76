"""Settings beside the defaults, by agent and by the name that stands for them: `DQN:preset=CartPole`.

Each is a mapping from fields of the agent's Config to values; fields left out keep their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DQN: Mapping[str, Mapping[str, Any]] = {}

ACTOR_CRITIC: Mapping[str, Mapping[str, Any]] = {}

REINFORCE: Mapping[str, Mapping[str, Any]] = {}
