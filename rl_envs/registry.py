"""Every world, one line each, and the Gymnasium ids that they are registered under.

Builders are named by strings and imported when a world is built, so that `import rl_envs` stays light and a
registration goes through pickle and JSON. Worlds of others join by `register_world`, or by the entry points of an
installed package (`rl_envs.worlds`), of which nothing is imported before one of its worlds is built:

    [project.entry-points."rl_envs.worlds"]
    "acme.PullLever-v0" = "acme_worlds.levers:pull_lever"
"""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import gymnasium as gym

from rl_envs.names import unknown
from rl_envs.specification import Specification, check_no_word
from rl_envs.worlds.world import World

NAMESPACE = "rl_envs"

# The group of entry points by which a package offers its worlds: "namespace.Name-vVERSION" = "module:builder".
ENTRY_POINTS = "rl_envs.worlds"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_DECLARED = re.compile(r"(?P<namespace>[\w-]+)\.(?P<name>\w+)-v(?P<version>\d+)")


@dataclass(frozen=True)
class Entry:
    """How a world is built and registered.

    Attributes:
        builder: "module:function" of the builder, or for worlds of others also the builder itself.
        max_episode_steps: the time limit in steps, or None; of worlds of others the built world's own counts.
        reward_threshold: the mean return of an episode at which the world counts as solved: the uniform policy's plus
            95% of the best policy's advantage over it, both exact within the time limit. A test recomputes it. None for
            worlds of others that name none.
        arguments: arguments that the builder always gets, beside the user's own.
        version: rises when any entry of the table changes.
        namespace: of the ids.
        source: the package that registered it; None for worlds of this one.
    """

    builder: str | Callable[..., World]
    max_episode_steps: int | None
    reward_threshold: float | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    namespace: str = NAMESPACE
    source: str | None = None


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
    entry = WORLDS[name]
    return f"{entry.namespace}/{name}{'OneHot' if one_hot else ''}-v{entry.version}"


def own_world(name: str) -> tuple[str, Mapping[str, Any]] | None:
    """The registered world that a name or an id stands for, with what it sets; None for what is none of ours.

    Args:
        name: "LineWalk", "LineWalk-v0" or "rl_envs/LineWalk-v0"; ids may be those of the one-hot twin.
    """
    if name in WORLDS:
        return name, {}
    for world, entry in WORLDS.items():
        for one_hot in (False, True) if entry.source is None else (False,):
            full = world_id(world, one_hot=one_hot)
            if name in (full, full.removeprefix(f"{entry.namespace}/")):
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
    builder = _builder(name, entry)
    known = inspect.signature(builder).parameters
    for key, value in given.items():
        if key not in known:
            raise TypeError(unknown(f"argument of {name}", key, known))
        check_no_word(f"{name}'s {key}", value, known[key])
    world = builder(**{**entry.arguments, **given})
    if not isinstance(world, World):
        raise TypeError(f"a builder must return a World, but that of {name} returned {world!r}")
    return world


def register_world(
    name: str,
    builder: str | Callable[..., World],
    *,
    namespace: str = NAMESPACE,
    version: int = 0,
    reward_threshold: float | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> str:
    """Add a world of your own to the registry, to Gymnasium's, to `list`, and to every command.

    Its time limit is that of the world that the builder makes. Processes that were started before, or that import
    `rl_envs` alone, do not know it; a package offers its worlds to all by entry points of the group `rl_envs.worlds`.

    Args:
        name: of the world, "PullLever"; no other world may have it.
        builder: a function that takes settings by keyword and returns a `World`, or "module:function".
        namespace: of its Gymnasium id, "acme" for "acme/PullLever-v0".
        version: of its Gymnasium id; raise it when any entry of the table changes.
        reward_threshold: the mean return of an episode at which it counts as solved, or None.
        arguments: arguments that the builder always gets.

    Returns:
        Its Gymnasium id.

    Raises:
        ValueError: a name, namespace or version that is not of the right form, or a name that is taken.
        TypeError: a builder that cannot be called.
    """
    if not (callable(builder) or (isinstance(builder, str) and re.fullmatch(r"[\w.]+:\w+", builder))):
        raise TypeError(f'a builder must be a function or "module:function", but that of {name} is {builder!r}')
    source = builder.partition(":")[0] if isinstance(builder, str) else str(getattr(builder, "__module__", "?"))
    return _add(name, Entry(builder, None, reward_threshold, dict(arguments or {}), version, namespace, source))


def unregister_world(name: str) -> None:
    """Take a world of others out of the registries again.

    Args:
        name: its name.

    Raises:
        ValueError: an unknown name, or a world of this package.
    """
    if name not in WORLDS:
        raise ValueError(unknown("world", name, WORLDS))
    if WORLDS[name].source is None:
        raise ValueError(f"only worlds of others can be taken out of the registry, but {name} is one of {NAMESPACE}")
    gym.registry.pop(world_id(name), None)
    del WORLDS[name]


def _add(name: str, entry: Entry) -> str:
    """Add a world of others; raises ValueError as `register_world`."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"a world's name must be made of letters, digits and _, but is {name!r}")
    if not _NAMESPACE.fullmatch(entry.namespace):
        raise ValueError(
            f"a namespace must be made of letters, digits, _ and -, but that of {name} is {entry.namespace!r}"
        )
    if isinstance(entry.version, bool) or not isinstance(entry.version, int) or entry.version < 0:
        raise ValueError(f"a version must be an integer of at least 0, but that of {name} is {entry.version!r}")
    if name in WORLDS:
        owner = WORLDS[name].source or NAMESPACE
        raise ValueError(
            f"a world's name must not be taken, but {name} is one of {owner}: it cannot be registered again"
        )
    full = f"{entry.namespace}/{name}-v{entry.version}"
    if full in gym.registry:
        raise ValueError(f"an id must not be taken, but {full} is registered with Gymnasium already")
    WORLDS[name] = entry
    gym.register(
        id=full,
        entry_point="rl_envs.envs.limited:limited_env",
        vector_entry_point="rl_envs.envs.tabular_vector_env:TabularVectorEnv",
        reward_threshold=entry.reward_threshold,
        kwargs={"world": name},
    )
    return full


def register_entry_points(found: Iterable[metadata.EntryPoint] | None = None) -> None:
    """Register the worlds that installed packages offer; one that cannot be is warned of and left out.

    Nothing of a package is imported.

    Args:
        found: the entry points; those installed when left out.
    """
    for point in metadata.entry_points(group=ENTRY_POINTS) if found is None else found:
        package = point.dist.name if point.dist is not None else point.value.partition(":")[0]
        declared = _DECLARED.fullmatch(point.name)
        try:
            if declared is None:
                raise ValueError(f"its name must be like namespace.Name-v0, but is {point.name!r}")
            if not re.fullmatch(r"[\w.]+:\w+", point.value):
                raise ValueError(f'{point.name} must name "module:function", but is {point.value!r}')
            entry = Entry(
                point.value,
                None,
                None,
                version=int(declared["version"]),
                namespace=declared["namespace"],
                source=package,
            )
            _add(declared["name"], entry)
        except ValueError as error:
            warnings.warn(
                f"a world of the package {package} is left out (entry point {ENTRY_POINTS}): {error}",
                UserWarning,
                stacklevel=2,
            )


def register_worlds() -> None:
    """Register every world with Gymnasium, each with its one-hot twin."""
    for name, entry in [item for item in WORLDS.items() if item[1].source is None]:
        for one_hot in (False, True):
            gym.register(
                id=world_id(name, one_hot=one_hot),
                entry_point="rl_envs.envs.tabular_env:TabularEnv",
                vector_entry_point="rl_envs.envs.tabular_vector_env:TabularVectorEnv",
                max_episode_steps=entry.max_episode_steps,
                reward_threshold=entry.reward_threshold,
                kwargs={"world": name, **({"observation": "one_hot"} if one_hot else {})},
            )


def _builder(name: str, entry: Entry) -> Callable[..., World]:
    """The builder of a world; raises ValueError where it cannot be imported from a package of others."""
    if not isinstance(entry.builder, str):
        return entry.builder
    module, function = entry.builder.split(":")
    try:
        return getattr(importlib.import_module(module), function)
    except Exception as error:
        if entry.source is None:
            raise
        raise ValueError(
            f"the world {name} of the package {entry.source} cannot be built, because {entry.builder} cannot be "
            f"imported: {type(error).__name__}: {error}"
        ) from error
