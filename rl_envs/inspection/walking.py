"""The table of an environment: the world that it is made of, or a walk through it that ends in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from rl_envs.extraction.explored import actions_of, tabulate_env
from rl_envs.extraction.explored_world import ExploredWorld
from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.session import Session
from rl_envs.extraction.walk import Limits, Walker
from rl_envs.inspection.table_view import shown
from rl_envs.worlds.world import World

# How `tabulate_env` begins to say that rewards depend on a count of steps.
_REWARD_BY_CLOCK = "the reward must not depend on how long the episode has lasted"

# How a `World` begins to say that an observation is none of its space.
_OUTSIDE_SPACE = "observation must lie in"

# States of larger walks are not walked again to say what differs between them.
LARGEST_AGAIN = 20_000


@dataclass(frozen=True)
class Walked:
    """What a walk came to.

    Attributes:
        world: the table; None where there is none.
        reason: why there is none.
        clock_pays: what the walk said of rewards that depend on a count of steps; the table is that of the first step.
        settings: what the walk was told.
    """

    world: World | None
    reason: str | None = None
    clock_pays: str | None = None
    settings: dict[str, Any] | None = None


def with_deadline(env: gym.Env[Any, Any], seconds: float) -> gym.Env[Any, Any]:
    """The environment, whose steps raise NotTabular after a time, so that a walk ends.

    Args:
        env: the environment.
        seconds: how long it may take.
    """
    until = time.monotonic() + seconds

    # The time is no attribute, which would be one more of those that the walk looks at.
    class Deadline(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, **given: Any) -> Any:
            return self.env.reset(**given)

        def step(self, action: Any) -> Any:
            if time.monotonic() > until:
                raise NotTabular(
                    f"the walk must end within {seconds:g} seconds, but went on: max_seconds= gives it more, state= or "
                    "ignore= may leave fewer states"
                )
            return self.env.step(action)

    return Deadline(env)


def walk(
    env: gym.Env[Any, Any], *, name: str, discount: float, max_seconds: float, progress: bool, **settings: Any
) -> Walked:
    """Find the table of an environment.

    A reward that depends on a count of steps is taken as it is in the first step, unless `clock` says otherwise.

    Args:
        env: the environment; it is left as it was.
        name: of the world.
        discount: gamma.
        max_seconds: the walk ends there at the latest.
        progress: whether to print how far it is.
        **settings: for `tabulate_env`.

    Returns:
        The table, or why there is none.
    """
    own = getattr(env.unwrapped, "world", None)
    if isinstance(own, World) and type(env.unwrapped).step.__module__ == "rl_envs.envs.tabular_env":
        return Walked(own)

    def tabulated(**more: Any) -> ExploredWorld:
        guarded = with_deadline(env, max_seconds)
        return tabulate_env(guarded, name=name, discount=discount, progress=progress, **{**settings, **more})

    try:
        try:
            return Walked(tabulated(), settings=settings)
        except NotTabular as error:
            if settings.get("clock") is not None or not str(error).startswith(_REWARD_BY_CLOCK):
                raise
            said = str(error)
        return Walked(tabulated(clock="stopped"), clock_pays=said, settings={**settings, "clock": "stopped"})
    except (NotTabular, TypeError) as error:
        return Walked(None, reason=str(error))
    except ValueError as error:
        if not str(error).startswith(_OUTSIDE_SPACE):
            raise
        return Walked(None, reason=str(error))


def differences_by_walking_again(
    env: gym.Env[Any, Any], walked: Walked
) -> Callable[[int, int], list[tuple[str, str, str]]] | None:
    """A function that says which attributes differ between two states of a walk, and what they are in each.

    Args:
        env: the environment that was walked; it is left as it was.
        walked: the walk.

    Returns:
        The function; None where the states are not those of a walk, or too many.
    """
    world, settings = walked.world, walked.settings
    if not isinstance(world, ExploredWorld) or settings is None or world.account.states > LARGEST_AGAIN:
        return None
    ignore = settings.get("ignore", ())

    def differences(one: int, other: int) -> list[tuple[str, str, str]]:
        limits = Limits(settings["max_states"], settings["max_branches"], settings["skip_below"])
        with Session(env, limits, state=settings.get("state"), seed=settings.get("seed")) as session:
            contents = session.stepper.contents
            walker = Walker(
                session.stepper,
                actions_of(env)[0],
                limits,
                ignore=(ignore,) if isinstance(ignore, str) else tuple(ignore),
                clock=settings.get("clock"),
                check=session.shared.check,
                progress=None,
            )
            found = walker.walk().contents
            slots = contents.differences(found[one], found[other])
            kept = [slot for slot in slots if slot not in contents.ignored]

            def values(slot: Any) -> tuple[str, str]:
                pair = [contents.value(found[state], slot) for state in (one, other)]
                if any(" object at 0x" in repr(value) for value in pair):
                    return f"one {type(pair[0]).__name__}", f"another {type(pair[1]).__name__}"
                return shown(pair[0]), shown(pair[1])

            return [(contents.name(slot), *values(slot)) for slot in kept]

    return differences
