"""A world that was found by walking, saved to one file of NumPy's and loaded without the package that made it.

The file is an npz of plain arrays and one text of JSON; nothing in it is pickled, so loading it runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rl_envs.extraction.explored_world import Account, ExploredWorld
from rl_envs.extraction.observation import Recorded
from rl_envs.extraction.replay import Proof
from rl_envs.extraction.space_description import describe, restored
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.worlds.observation import Index, Observation
from rl_envs.worlds.world import StateNumber

FORMAT = 1
_TABLES = ("probability", "next_state", "reward", "terminated", "start", "reward_std")


def save_world(world: ExploredWorld, path: str | Path) -> None:
    """Save a world to one npz file.

    Args:
        world: what `tabulate_env` gave.
        path: of the file; its folder must be there.

    Raises:
        TypeError: observations of a space that cannot be written down, such as graphs.
    """
    arrays = {name: getattr(world.mdp, name) for name in _TABLES if getattr(world.mdp, name) is not None}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "name": world.name,
        "discount": world.mdp.discount,
        "max_episode_steps": world.max_episode_steps,
        "action_names": list(world.action_names),
        "simultaneous": list(world.simultaneous),
        "start_left_out": world.start_left_out,
        "account": asdict(world.account),
        "observation": None,
    }
    if isinstance(world.observation, Recorded):
        facts["observation"] = describe(world.observation.space)
        arrays["seen"] = world.observation.which
        for name, part in _parts(world.observation.distinct, "observation"):
            arrays[name] = part.astype(str) if part.dtype == object else part
    if world.left_out is not None:
        arrays["left_out"] = world.left_out
    with open(path, "wb") as file:
        np.savez_compressed(file, facts=np.array(json.dumps(facts)), **arrays)


def load_world(path: str | Path) -> ExploredWorld:
    """Load a world that `save_world` saved.

    Args:
        path: of the file.

    Returns:
        The world.

    Raises:
        ValueError: not such a file, or one of a newer format.
    """
    with np.load(path, allow_pickle=False) as file:
        if "facts" not in file:
            raise ValueError(f"a saved world must have a text of facts, but {path} has only {', '.join(file.files)}")
        arrays = {name: file[name] for name in file.files}
    facts = json.loads(str(arrays["facts"]))
    if facts["format"] > FORMAT:
        raise ValueError(f"a saved world must be of format {FORMAT} or older, but {path} is of {facts['format']}")
    mdp = FiniteMDP(**{name: arrays.get(name) for name in _TABLES}, discount=facts["discount"])  # type: ignore[arg-type]
    account = dict(facts["account"])
    account["ignored"] = tuple(account["ignored"])
    account["proof"] = None if account["proof"] is None else Proof(**account["proof"])
    return ExploredWorld(
        name=facts["name"],
        mdp=mdp,
        max_episode_steps=facts["max_episode_steps"],
        action_names=tuple(facts["action_names"]),
        observation=_observation(facts["observation"], arrays, mdp.num_states),
        drawing=StateNumber(mdp.num_states),
        simultaneous=tuple(facts["simultaneous"]),
        account=Account(**account),
        left_out=arrays.get("left_out"),
        start_left_out=facts["start_left_out"],
    )


def _observation(description: Any, arrays: Mapping[str, np.ndarray], num_states: int) -> Observation:
    if description is None:
        return Index(num_states)
    return Recorded(restored(description), _joined(description, arrays, "observation"), arrays["seen"])


def _parts(stack: Any, name: str) -> list[tuple[str, np.ndarray]]:
    """The arrays of what is seen, by a name for each."""
    if isinstance(stack, dict):
        return [part for key, value in stack.items() for part in _parts(value, f"{name}/{key}")]
    if isinstance(stack, tuple):
        return [part for i, value in enumerate(stack) for part in _parts(value, f"{name}/{i}")]
    return [(name, stack)]


def _joined(description: Any, arrays: Mapping[str, np.ndarray], name: str) -> Any:
    """The reverse of `_parts`."""
    if description["kind"] == "Dict":
        return {key: _joined(part, arrays, f"{name}/{key}") for key, part in description["spaces"].items()}
    if description["kind"] == "Tuple":
        return tuple(_joined(part, arrays, f"{name}/{i}") for i, part in enumerate(description["spaces"]))
    stack = arrays[name]
    return stack.astype(object) if description["kind"] == "Text" else stack
