"""Making any environment by its name: a world of ours, a Gymnasium id, an id of a user's module, a function of a file.

`gymnasium.make` takes whatever an environment takes; here settings are checked against the environment's constructor
first, so that a word where a number is meant, or a misspelt argument, is refused with the nearest.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from rl_envs.names import unknown
from rl_envs.registry import WORLDS, environment_id
from rl_envs.specification import Specification, check_no_word
from rl_envs.user_file import environments_in, is_in_file, load_from_file


def make_environment(name: str, arguments: Mapping[str, Any]) -> gym.Env[Any, Any]:
    """Make one copy of an environment.

    Args:
        name: a registered world's name or id, any Gymnasium id, "module:EnvId-v0", or "file.py:function", a function
            that makes one.
        arguments: for its constructor.

    Returns:
        The environment.

    Raises:
        ValueError: an unknown name, naming the nearest; a module or file that cannot be imported; an environment that
            refuses a value, or whose own packages are not installed.
        TypeError: an argument that the environment does not take, or a word where it takes a bool or a number.
    """
    check_arguments(name, arguments)
    try:
        if is_in_file(name):
            env = _function(name)(**arguments)
            if not isinstance(env, gym.Env):
                raise TypeError(f"{name} must make a gymnasium.Env, but makes {env!r}")
            return env
        return gym.make(environment_id(name), **arguments)
    except (gym.error.Error, ImportError, LookupError) as error:
        # A package that it needs is missing, or it does not know what an argument names.
        label = Specification(name, arguments).label
        raise ValueError(f"cannot make {label}: {type(error).__name__}: {error}") from error


def check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    """See that an environment is known and takes the arguments, as far as its constructor says what it takes.

    Raises:
        ValueError, TypeError: as `make_environment`.
    """
    known = parameters_of(name)
    if known is None:
        return
    for key, value in arguments.items():
        if key not in known:
            raise TypeError(unknown(f"argument of {name}", key, known))
        check_no_word(f"{name}'s {key}", value, known[key])


def parameters_of(name: str) -> Mapping[str, inspect.Parameter] | None:
    """What an environment takes, with the defaults that it is registered with; None where it takes anything.

    Args:
        name: as for `make_environment`.

    Raises:
        ValueError: as `make_environment`.
    """
    registered: Mapping[str, Any] = {}
    if is_in_file(name):
        constructor: Any = _function(name)
    else:
        spec = registered_spec(name)
        registered = spec.kwargs
        constructor = _constructor(spec)
    try:
        parameters = dict(inspect.signature(constructor).parameters)
    except (TypeError, ValueError):  # none, or one that was not written in Python
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return None
    of_gymnasium = {} if is_in_file(name) else dict(inspect.signature(gym.make).parameters)
    for unusable in ("id", "kwargs"):
        of_gymnasium.pop(unusable, None)
    found = {**of_gymnasium, **parameters}
    return {key: parameter.replace(default=registered.get(key, parameter.default)) for key, parameter in found.items()}


def registered_spec(name: str) -> Any:
    """What Gymnasium knows of an id; the module of "module:EnvId-v0" is imported first.

    Raises:
        ValueError: an unknown id, naming the nearest, or a module that cannot be imported.
    """
    module, colon, own_id = name.rpartition(":")
    if colon:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise ValueError(f"the module of {name} cannot be imported: {type(error).__name__}: {error}") from error
    known_id = own_id if colon else environment_id(name)
    if known_id not in gym.registry:
        if colon:
            raise ValueError(f"the module {module} must register {own_id} with Gymnasium, but registers no such id")
        raise ValueError(_unknown_environment(name))
    return gym.spec(known_id)


def _unknown_environment(name: str) -> str:
    """The message for a name that nobody registered: what else may be meant by it."""
    if name.endswith(".py"):
        held = environments_in(name)
        if not held:
            return f"{name} holds no gymnasium.Env: write {name}:FUNCTION with a function that makes one"
        return f"{name} holds {', '.join(held)}: write {' or '.join(f'{name}:{one}' for one in held[:3])}"
    message = unknown("world", name, [*WORLDS, *gym.registry])
    if re.search(r"-v\d+$", name):
        end = "" if message.endswith("?") else "."
        message += f"{end} If a package registers it, name the package, as in minigrid:MiniGrid-Empty-5x5-v0"
    return message


def source_hash(name: str) -> str | None:
    """A hash of the files that a user's environment is in, by its name and its entry point; None for a plain id."""
    if is_in_file(name):
        return hashlib.sha256(Path(name.rpartition(":")[0]).read_bytes()).hexdigest()
    module, colon, _ = name.rpartition(":")
    if not colon or importlib.util.find_spec(module) is None:
        return None
    entry_point = registered_spec(name).entry_point
    home = entry_point.partition(":")[0] if isinstance(entry_point, str) else entry_point.__module__
    specs = [importlib.util.find_spec(one) for one in dict.fromkeys((module, home))]
    files = [Path(one.origin) for one in specs if one is not None and one.origin and Path(one.origin).is_file()]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest() if files else None


def _function(place: str) -> Callable[..., Any]:
    """The function of a user's file; raises ValueError as `load_from_file`, and TypeError for what is none."""
    function = load_from_file(place)
    if not callable(function):
        raise TypeError(f"{place} must be a function that makes an environment, but is {function!r}")
    return function


def _constructor(spec: Any) -> Any:
    """What makes the environment of a registered id; None where it cannot be imported."""
    if callable(spec.entry_point):
        return spec.entry_point
    try:
        return gym.envs.registration.load_env_creator(spec.entry_point)
    except Exception:  # noqa: BLE001 - whatever its module raises: making it will say so
        return None
