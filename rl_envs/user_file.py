"""Functions in a user's file, "path/to/file.py:function"."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym

from rl_envs.names import unknown


def is_in_file(name: str) -> bool:
    """Whether a name is "file.py:function"."""
    file, _, function = name.rpartition(":")
    return file.endswith(".py") and function.isidentifier()


def load_from_file(place: str) -> Any:
    """What stands under a name in a file, which is imported once a process.

    Args:
        place: "path/to/file.py:name".

    Returns:
        The function, or whatever it is.

    Raises:
        ValueError: no such file, one that cannot be imported, or no such name in it, naming the nearest.
    """
    file, _, name = place.rpartition(":")
    module = _module(file)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise ValueError(unknown(f"function of {file}", name, known))
    return getattr(module, name)


def environments_in(file: str) -> list[str]:
    """The names of the environments' classes that a file defines, in its order.

    Args:
        file: its path; it is imported once a process.

    Raises:
        ValueError: no such file, or one that cannot be imported.
    """
    module = _module(file)
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, gym.Env) and value.__module__ == module.__name__
    ]


def _module(file: str) -> ModuleType:
    """The module of a file, imported once a process."""
    path = Path(file).resolve()
    if not path.is_file():
        raise ValueError(f"cannot read {file}: there is no such file")
    module_name = f"rl_envs_file_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}_{path.stem}"
    return sys.modules.get(module_name) or _import(path, module_name)


@lru_cache
def imported_modules(text: bytes) -> frozenset[str]:
    """The modules that a file's text imports, anywhere in it, by the first part of their names; none if no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return frozenset()
    nodes = list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module]
    return frozenset(name.partition(".")[0] for name in names)


def _import(path: Path, module_name: str) -> ModuleType:
    """Import a file as a module of this name, and files beside it as it would import them if it were run."""
    for name in sorted(imported_modules(path.read_bytes())):
        neighbour, loaded = path.parent / f"{name}.py", getattr(sys.modules.get(name), "__file__", None)
        if neighbour.is_file() and loaded is not None and Path(loaded).resolve() != neighbour:
            raise ValueError(
                f"{path} imports {name}, but another module of that name was imported from {loaded} before: give one "
                "of them another name"
            )
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script without a guard may end with sys.exit
        del sys.modules[module_name]
        raise ValueError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    return module
