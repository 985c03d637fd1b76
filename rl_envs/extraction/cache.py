"""Walks kept in a folder, under a name that changes with whatever the table depends on.

That is: the source of the environment's classes, wrappers and of the modules beside them; what its attributes hold
after its construction; the settings of its registration; the arguments of the walk; and the versions of Python, NumPy,
Gymnasium and this package. What an environment reads from elsewhere, such as a file of a map, is not noticed.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import platform
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.extraction.content import References, Unkeyable, fingerprint
from rl_envs.extraction.explored_world import ExploredWorld
from rl_envs.extraction.layers import Around
from rl_envs.extraction.walk import Limits
from rl_envs.extraction.world_file import FORMAT, load_world, save_world


def cached_file(
    folder: str | Path, name: str, env: Any, discount: float, limits: Limits, options: Sequence[Any]
) -> Path:
    """Where the walk of an environment is kept.

    Args:
        folder: to keep walks in.
        name: of the world.
        env: the environment, as it is before it is walked.
        discount: of the world.
        limits: how far the walk goes.
        options: what else it depends on: plain values and functions.

    Returns:
        A file in the folder, which need not be there.

    Raises:
        ValueError: an environment or a function whose source is not in a file.
    """
    import rl_envs

    layers = _layers(env)
    parts: list[Any] = [FORMAT, platform.python_version(), np.__version__, gym.__version__, rl_envs.__version__, name]
    for layer in layers:
        parts += [type(layer).__module__, type(layer).__qualname__, *_sources(type(layer)), *_content(layer, layers)]
    spec = getattr(env, "spec", None)
    parts.append(None if spec is None else [spec.id, repr(spec.kwargs)])
    for value in (discount, limits, *options):
        parts.append(_function(value) if callable(value) else repr(value))
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
    return Path(folder) / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}-{digest}.npz"


def load_cached(file: Path) -> ExploredWorld | None:
    """The world that is kept in a file; None where there is none yet."""
    return load_world(file) if file.is_file() else None


def keep(world: ExploredWorld, file: Path) -> None:
    """Keep a world in a file; its folder is made. The file appears at once and whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=file.parent, suffix=".npz")
    os.close(handle)
    try:
        save_world(world, unfinished)
        os.replace(unfinished, file)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _layers(env: Any) -> list[Any]:
    """An environment with all its wrappers, outermost first."""
    layers = [env]
    while isinstance(layers[-1], (gym.Wrapper, Around)):
        layers.append(layers[-1].env)
    return layers


def _sources(kind: type) -> list[str]:
    """Hashes of the files of a class, its bases and the modules beside them, by name."""
    files: set[Path] = set()
    for base in kind.__mro__:
        if base.__module__ in ("builtins", "typing", "abc"):
            continue
        files |= _files_of(base.__module__, base.__qualname__)
    return [f"{file.name}:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in sorted(files)]


def _files_of(module: str, what: str) -> set[Path]:
    """The file of a module, and those of what is loaded of its package, or from its folder where it has none."""
    own = getattr(sys.modules.get(module), "__file__", None)
    if own is None:
        raise ValueError(f"a walk can be kept if its source is in a file, but {what} of {module} is in none")
    path = Path(own).resolve()
    package = module.partition(".")[0] if "." in module else None
    files = {path}
    if package in ("gymnasium", "rl_envs"):
        return files  # whose versions count
    for name, loaded in list(sys.modules.items()):
        file = getattr(loaded, "__file__", None)
        if not file or not str(file).endswith(".py"):
            continue
        if package is not None:
            counts = name.partition(".")[0] == package
        else:
            counts = Path(file).resolve().parent == path.parent and not path.parent.name.endswith("-packages")
        if counts:
            files.add(Path(file).resolve())
    return files


def _content(layer: Any, layers: list[Any]) -> list[str]:
    """What the attributes of a layer hold, as far as it can be written down; generators and other layers count not."""
    references = References(None, random.Random(0), layers)
    found = []
    for name, value in sorted(vars(layer).items()):
        if isinstance(value, gym.Space):
            found.append(f"{name}={value!r}")
            continue
        if callable(value) and hasattr(value, "__code__"):
            found += [name, *_function(value)]
            continue
        try:
            found.append(f"{name}={fingerprint(value, references).hex()}")
        except (Unkeyable, ValueError, RecursionError):
            found.append(name)  # a window or a file: it is part of no state
    return found


def _function(function: Any) -> list[str]:
    """A function as what it does: its code, its defaults and what it holds from around it."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        raise ValueError(f"a walk can be kept if state= is a function written in Python, but it is {function!r}")
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    found = [hashlib.sha256(marshal.dumps(code)).hexdigest(), repr(function.__defaults__)]
    for value in held:
        found += _function(value) if callable(value) else [repr(value)]
    if getattr(sys.modules.get(function.__module__), "__file__", None):
        files = _files_of(function.__module__, function.__qualname__)
        found += [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return found
