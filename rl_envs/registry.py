"""Every world, one line each, and the Gymnasium ids that they are registered under.

Builders are named by strings and imported when a world is built, so that `import rl_envs` stays light and a
registration goes through pickle and JSON.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from rl_envs.names import unknown
from rl_envs.specification import Specification, check_no_word
from rl_envs.worlds.world import World

NAMESPACE = "rl_envs"


@dataclass(frozen=True)
class Entry:
    """How a world is built and registered.

    Attributes:
        builder: "module:function" of the builder.
        max_episode_steps: the time limit in steps, or None.
        reward_threshold: the mean return of an episode at which the world counts as solved: the uniform policy's plus
            95% of the best policy's advantage over it, both exact within the time limit. A test recomputes it.
        arguments: arguments that the builder always gets, beside the user's own.
        version: rises when any entry of the table changes.
    """

    builder: str
    max_episode_steps: int | None
    reward_threshold: float
    arguments: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0


WORLDS: dict[str, Entry] = {
    "LineWalk": Entry("rl_envs.worlds.line_walk:line_walk", 100, 0.974785883473018),
    "LineBalance": Entry("rl_envs.worlds.line_balance:line_balance", 20, -1.3874116555966545),
    "RandomMDP": Entry("rl_envs.worlds.random_mdp:random_mdp", 100, 75.46642278009087),
    "Bandit": Entry("rl_envs.worlds.bandit:bandit", 1000, 968.0),
    "BernoulliBandit": Entry("rl_envs.worlds.bernoulli_bandit:bernoulli_bandit", 1000, 873.0),
    "BanditTestbed": Entry("rl_envs.worlds.bandit_testbed:bandit_testbed", 1000, 1458.3224097469804),
    "RandomWalk": Entry("rl_envs.worlds.random_walk:random_walk", None, 0.949952825215832),
    "SubtaskGrid": Entry("rl_envs.worlds.subtask_grid:subtask_grid", 200, 0.9595517814476185),
    "FourRooms": Entry("rl_envs.worlds.four_rooms:four_rooms", 500, 0.982108833272261),
    "RobotGrasp": Entry("rl_envs.worlds.robot_grasp:robot_grasp", 200, 0.8575018972393462),
    "RobotGraspMulti": Entry(
        "rl_envs.worlds.robot_grasp:robot_grasp", 200, 0.7496527657211414, {"control": "simultaneous"}
    ),
    "RobotGraspJoint": Entry(
        "rl_envs.worlds.robot_grasp:robot_grasp",
        200,
        0.7496527657211414,
        {"control": "simultaneous", "joint_action": True},
    ),
}


def world_id(name: str, *, one_hot: bool = False) -> str:
    """The Gymnasium id of a registered world, or of its twin with one-hot observations."""
    return f"{NAMESPACE}/{name}{'OneHot' if one_hot else ''}-v{WORLDS[name].version}"


def own_world(name: str) -> tuple[str, Mapping[str, Any]] | None:
    """The registered world that a name or an id stands for, with what it sets; None for what is none of ours.

    Args:
        name: "LineWalk", "LineWalk-v0" or "rl_envs/LineWalk-v0"; ids may be those of the one-hot twin.
    """
    if name in WORLDS:
        return name, {}
    for world in WORLDS:
        for one_hot in (False, True):
            full = world_id(world, one_hot=one_hot)
            if name in (full, full.removeprefix(f"{NAMESPACE}/")):
                return world, {"observation": "one_hot"} if one_hot else {}
    return None


def environment_id(name: str) -> str:
    """The Gymnasium id of a registered world's name; any other text unchanged."""
    own = own_world(name)
    return name if own is None else world_id(own[0], one_hot=bool(own[1]))


def build(world: World | str, **arguments: Any) -> World:
    """Build a world by its name.

    Args:
        world: a registered name or id, perhaps with settings ("LineWalk", "LineWalk:size=7"); a `World` is returned
            unchanged.
        **arguments: for the world's builder.

    Returns:
        The world.

    Raises:
        ValueError: an unknown name, or a value that the builder refuses.
        TypeError: an argument that the builder does not have, or given twice, or a word for a number.
    """
    if isinstance(world, World):
        if arguments:
            raise TypeError(f"a World is built already and takes no arguments, but got {', '.join(arguments)}")
        return world
    if not isinstance(world, str):
        raise TypeError(f"world must be a World or the name of a registered one, but is {world!r}")
    specification = Specification.parse(world)
    return build_named(specification.name, specification.also(arguments))


def build_named(name: str, settings: Mapping[str, Any]) -> World:
    """Build a world from a name and settings that were read already; arguments and errors are those of `build`."""
    own = own_world(name)
    if own is None:
        raise ValueError(unknown("world", name, WORLDS))
    name, preset = own
    given = {**preset, **settings}
    entry = WORLDS[name]
    builder = _load(entry.builder)
    known = inspect.signature(builder).parameters
    for key, value in given.items():
        if key not in known:
            raise TypeError(unknown(f"argument of {name}", key, known))
        check_no_word(f"{name}'s {key}", value, known[key])
    return builder(**{**entry.arguments, **given})


def register_worlds() -> None:
    """Register every world with Gymnasium, each with its one-hot twin."""
    for name, entry in WORLDS.items():
        for one_hot in (False, True):
            gym.register(
                id=world_id(name, one_hot=one_hot),
                entry_point="rl_envs.envs.tabular_env:TabularEnv",
                vector_entry_point="rl_envs.envs.tabular_vector_env:TabularVectorEnv",
                max_episode_steps=entry.max_episode_steps,
                reward_threshold=entry.reward_threshold,
                kwargs={"world": name, **({"observation": "one_hot"} if one_hot else {})},
            )


def _load(path: str) -> Callable[..., World]:
    module, function = path.split(":")
    return getattr(importlib.import_module(module), function)
