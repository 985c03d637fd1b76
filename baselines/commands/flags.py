"""Flags that depend on the command line: the hyperparameters of the named agent, with the defaults of its preset.

tyro makes a flag of every field of an agent's Config, with the field's docstring as its help.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypedDict, get_type_hints

import tyro

from baselines.commands.exit_codes import complain
from baselines.system.atomic_files import StorageError

# Flags without a default value; None cannot be typed.
OptionalPath = Annotated[Path | None, tyro.conf.arg(metavar="PATH")]
OptionalText = Annotated[str | None, tyro.conf.arg(metavar="STR")]
OptionalInteger = Annotated[int | None, tyro.conf.arg(metavar="INT")]
OptionalFloat = Annotated[float | None, tyro.conf.arg(metavar="FLOAT")]


def check_typed(typed: Sequence[str]) -> None:
    """Refuse repeated flags and empty values.

    Raises:
        ValueError: a flag given twice, of which only the last would count; or an empty value, which as a path would
            mean the current folder.
    """
    seen: set[str] = set()
    last = "what is given"
    for word in typed:
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            last = name.replace("_", "-")
            if last in seen:
                raise ValueError(f"a flag must be given once, followed by all of its values, but {last} is given twice")
            seen.add(last)
        if word == "" or (name.startswith("--") and equals and not value):
            raise ValueError(f"{last} must not be empty, but is ''")


def value_of(typed: Sequence[str], flag: str, default: str) -> str:
    """The value typed after a flag that takes one, read before the other flags are parsed.

    Args:
        typed: the words after the command's name.
        flag: "--agent".
        default: used where the flag was not typed.

    Returns:
        The value.
    """
    return next(reversed(values_of(typed, flag, [default])), default)


def values_of(typed: Sequence[str], flag: str, default: Sequence[str]) -> list[str]:
    """The values typed after a flag that takes several: `--agents A B`, or `--agents=A`.

    Args:
        typed: the words after the command's name.
        flag: "--agents"; it may be typed with underscores for its hyphens.
        default: used where the flag was not typed.

    Returns:
        The values.
    """
    values, collecting = list(default), False
    for word in typed:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            collecting = name.replace("_", "-") == flag
            if collecting:
                values = [value] if equals else []
        elif collecting:
            values.append(word)
    return values


def with_config(function: Callable[..., int], parameter: str, default: Any, *, title: str) -> Callable[..., int]:
    """Make each field of a Config a flag of a command: `--epsilon 0.2`.

    Args:
        function: the command.
        parameter: which of its parameters takes the Config.
        default: the Config whose values are the defaults.
        title: heading of these flags in the help.

    Returns:
        The command, with that default and annotation of the parameter.
    """
    kind: Any = Annotated[type(default), tyro.conf.arg(name=title), tyro.conf.OmitArgPrefixes]
    return _with_parameter(function, parameter, kind, default)


def with_configs(function: Callable[..., int], parameter: str, defaults: Mapping[str, Any]) -> Callable[..., int]:
    """Make each field of several Configs a flag of a command: `--QLearning.epsilon 0.2`.

    Args:
        function: the command; `tyro.conf.OmitArgPrefixes` must not be in force for it.
        parameter: which of its parameters takes the Configs, a dictionary by name.
        defaults: the Configs whose values are the defaults, by the prefix of their flags.

    Returns:
        The command, with that default and annotation of the parameter.
    """
    kinds = {name: Annotated[type(config), tyro.conf.arg(name=name)] for name, config in defaults.items()}
    typed_dict: Any = TypedDict
    kind: Any = Annotated[typed_dict("Configs", kinds), tyro.conf.arg(name="")]
    return _with_parameter(function, parameter, kind, dict(defaults))


def changed_fields(config: Any, default: Any) -> dict[str, Any]:
    """The fields of a Config that differ from another's of its class, as the settings of a specification."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: value for name, value in values.items() if value != getattr(default, name)}


@contextmanager
def mistakes_end_the_command() -> Iterator[None]:
    """Print an error in one line and exit, as tyro does for an unknown flag.

    Raises:
        SystemExit: with the exit code of a mistake, for a ValueError, TypeError or StorageError.
    """
    try:
        yield
    except (ValueError, TypeError, StorageError) as error:
        raise SystemExit(complain(f"Error: {error}")) from error


def _with_parameter(function: Callable[..., int], parameter: str, kind: Any, default: Any) -> Callable[..., int]:
    """The function, with another annotation and default of one parameter."""
    hints = {**get_type_hints(function, include_extras=True), parameter: kind}
    signature = inspect.signature(function)
    changed = [
        p.replace(annotation=hints[p.name], default=default if p.name == parameter else p.default)
        for p in signature.parameters.values()
    ]

    @wraps(function)
    def with_it(*args: Any, **kwargs: Any) -> int:
        return function(*args, **{parameter: default, **kwargs})

    del with_it.__wrapped__  # tyro would look through to the old annotations
    with_it.__annotations__ = hints
    with_it.__signature__ = signature.replace(parameters=changed)  # type: ignore[attr-defined]
    return with_it
