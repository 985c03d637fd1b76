"""Small reinforcement-learning environments with exact solutions.

`import rl_envs` registers the worlds with Gymnasium, so that `gym.make("rl_envs/LineWalk-v0")` works; everything else
is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rl_envs.registry import register_entry_points, register_worlds

if TYPE_CHECKING:  # for type checkers and editors, which do not run __getattr__
    from rl_envs.diagnosis.exam import Diagnosis as Diagnosis
    from rl_envs.diagnosis.exam import diagnose as diagnose
    from rl_envs.envs.tabular_env import TabularEnv as TabularEnv
    from rl_envs.envs.tabular_vector_env import TabularVectorEnv as TabularVectorEnv
    from rl_envs.exact import Truth as Truth
    from rl_envs.exact import truth as truth
    from rl_envs.extraction.explored import tabulate_env as tabulate_env
    from rl_envs.inspection.inspection import Inspection as Inspection
    from rl_envs.inspection.inspection import inspect_env as inspect_env
    from rl_envs.mdp.finite_mdp import FiniteMDP as FiniteMDP
    from rl_envs.mdp.finite_mdp import Outcome as Outcome
    from rl_envs.mdp.finite_mdp import from_transitions as from_transitions
    from rl_envs.mdp.finite_mdp import tabulate as tabulate
    from rl_envs.registry import WORLDS as WORLDS
    from rl_envs.registry import build as build
    from rl_envs.registry import register_world as register_world
    from rl_envs.rendering.keyboard import play as play
    from rl_envs.worlds.world import World as World

__version__ = "0.1.0"

# Public names and the modules that hold them, imported on first use so that `import rl_envs` stays light.
_HOMES = {
    "Diagnosis": "rl_envs.diagnosis.exam",
    "FiniteMDP": "rl_envs.mdp.finite_mdp",
    "Inspection": "rl_envs.inspection.inspection",
    "Outcome": "rl_envs.mdp.finite_mdp",
    "TabularEnv": "rl_envs.envs.tabular_env",
    "TabularVectorEnv": "rl_envs.envs.tabular_vector_env",
    "Truth": "rl_envs.exact",
    "WORLDS": "rl_envs.registry",
    "World": "rl_envs.worlds.world",
    "build": "rl_envs.registry",
    "diagnose": "rl_envs.diagnosis.exam",
    "from_transitions": "rl_envs.mdp.finite_mdp",
    "inspect_env": "rl_envs.inspection.inspection",
    "play": "rl_envs.rendering.keyboard",
    "register_world": "rl_envs.registry",
    "tabulate": "rl_envs.mdp.finite_mdp",
    "tabulate_env": "rl_envs.extraction.explored",
    "truth": "rl_envs.exact",
}

# Without the native vector environment, which old versions of Gymnasium refuse: `from rl_envs import *` works with all.
__all__ = [*(name for name in _HOMES if name != "TabularVectorEnv"), "__version__"]

register_worlds()
register_entry_points()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
