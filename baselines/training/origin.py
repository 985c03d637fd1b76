"""The identity of a training function: the rule by which its stored results are reused or recomputed.

Results of a function are reused as long as these stay the same:

- its name and its code;
- the text of its file, and of each of the user's files that this one imports at module level;
- its closure, its defaults, an object's attributes, and the arguments of `functools.partial`;
- the settings among the globals that it uses: numbers, strings, arrays, and lists, dictionaries, dataclasses and
  namespaces of them;
- the versions of the libraries that those files import.

Some changes are not noticed: in data that the function reads, in environment variables, in the user's files that are
imported inside a function, in globals that are no settings (a network, a random generator), and inside objects that
cannot be pickled, such as an open file. After such a change, recompute the results with `compare(..., fresh=True)` or
`--fresh`. A function that differs in each process, with an unseeded generator in its closure say, is recomputed every
time.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path, PurePath
from types import CellType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from joblib.hashing import NumpyHasher

from rl_envs.user_file import imported_modules

OURS = {"rl_envs", "baselines"}

# Besides these, lists, tuples, sets, dictionaries, dataclasses and namespaces of settings are settings.
SETTINGS = (type(None), bool, int, float, complex, str, bytes, PurePath, enum.Enum, np.ndarray, np.generic)


@dataclass(frozen=True)
class Origin:
    """Where a function comes from; a change of any of this makes it another agent.

    Attributes:
        name: of the function.
        source: a hash of its code, its files and what it was given.
        libraries: distributions that the files import; their versions decide too.
    """

    name: str
    source: str
    libraries: tuple[str, ...]


def origin_of(function: Any) -> Origin:
    """The origin of a function, a method, a `partial` or a callable object."""
    called, home = _called(function)
    modules = user_modules(function)
    texts = [_text_of(module) for module in modules]
    hasher = _FunctionHasher({home, *(module.__name__ for module in modules)})
    imports = {_top(home)}.union(*map(imported_modules, texts), *map(_used, modules)) - OURS
    return Origin(
        name=getattr(called, "__qualname__", type(called).__qualname__),
        source=hasher.hash((function, sorted(hashlib.sha256(text).hexdigest() for text in texts))),
        libraries=tuple(sorted({owner.lower() for module in imports for owner in _owners().get(module, ())})),
    )


def user_modules(function: Any) -> list[ModuleType]:
    """The user's modules that a function needs: its own, and those that it uses, without libraries."""
    found: list[ModuleType] = []
    waiting = [sys.modules.get(_called(function)[1])]
    while waiting:
        module = waiting.pop()
        if module is None or module in found or _is_installed(module) or _top(module.__name__) in OURS:
            continue
        found.append(module)
        values = list(vars(module).values())
        waiting += [value for value in values if isinstance(value, ModuleType)]
        homes = {getattr(value, "__module__", None) for value in values if callable(value)}
        waiting += [sys.modules.get(home) for home in homes if isinstance(home, str)]
    return found


class _FunctionHasher(NumpyHasher):
    """joblib's hash of a value, the same in any process, that sees into functions and classes of the user's.

    Args:
        modules: names of the user's modules.
    """

    def __init__(self, modules: Set[str]) -> None:
        super().__init__(hash_name="sha256")
        self._modules = modules

    def save(self, value: Any) -> None:
        torch = sys.modules.get("torch")
        try:
            if isinstance(value, (FunctionType, type)) and not self._is_users(value):
                value = f"{value.__module__}.{value.__qualname__}"
            elif torch is not None and isinstance(value, torch.Tensor):
                value = value.detach().cpu().numpy()  # as torch pickles it, addresses would be in it
            super().save(value)
        except Exception:  # noqa: BLE001 - an object that cannot be pickled may raise anything; its type is what is left
            super().save(type(value).__qualname__)

    def reducer_override(self, value: Any) -> Any:
        """What pickle does not look into, as a name and the parts that count; `save` has left only the user's."""
        parts: Any
        if isinstance(value, FunctionType):
            codes = list(_codes_in(value.__code__))
            given = (value.__defaults__, value.__kwdefaults__, vars(value), value.__closure__)
            parts = (_text_of_codes(codes), given, _globals_of(value, codes))
        elif isinstance(value, type):
            parts = (value.__bases__, {name: part for name, part in vars(value).items() if _is_part(name, part)})
        elif isinstance(value, (staticmethod, classmethod, property)):
            parts = [getattr(value, name, None) for name in ("__func__", "fget", "fset")]
        elif isinstance(value, CellType):
            parts = value.cell_contents
        elif isinstance(value, frozenset):
            parts = set(value)  # which joblib puts in order
        else:
            return NotImplemented
        return str, (getattr(value, "__qualname__", type(value).__name__),), parts

    def _is_users(self, value: FunctionType | type) -> bool:
        """Whether to see into it: it stands in the user's modules, or in a function, where no name leads to it."""
        return str(value.__module__) in self._modules or "<" in value.__qualname__


_owners = lru_cache(metadata.packages_distributions)


def _called(function: Any) -> tuple[Any, str]:
    """What is called in the end, and the name of the module that it stands in."""
    while isinstance(function, (partial, MethodType)):
        function = function.func if isinstance(function, partial) else function.__func__
    return function, str(getattr(function, "__module__", type(function).__module__))


def _is_installed(module: ModuleType) -> bool:
    """Whether a module belongs to a library or to Python itself, and not to the user."""
    libraries = {"site-packages", "dist-packages"}.intersection(Path(getattr(module, "__file__", None) or "").parts)
    return bool(libraries) or _top(module.__name__) in sys.stdlib_module_names


def _text_of(module: ModuleType) -> bytes:
    """What stands in its file; nothing where there is none, as in a notebook."""
    try:
        return Path(getattr(module, "__file__", None) or "").read_bytes()
    except OSError:
        return b""


def _used(module: ModuleType) -> set[str]:
    """The modules that the values in a module come from, by the first part of their names."""
    values = vars(module).values()
    return {_top(one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", "")) for one in values}


def _top(module: object) -> str:
    """The first part of a module's name."""
    return str(module).partition(".")[0]


def _is_data(value: Any) -> bool:
    """Whether it is a setting, and all that is in it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, (Namespace, SimpleNamespace)):
        value = vars(value)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    return isinstance(value, SETTINGS) or (
        isinstance(value, (list, tuple, set, frozenset)) and all(map(_is_data, value))
    )


def _is_part(name: str, value: Any) -> bool:
    """Whether something in a class is a method or a setting; dataclasses and the like add much else."""
    methods = (FunctionType, staticmethod, classmethod, property)
    return isinstance(value, methods) or (not name.startswith("__") and _is_data(value))


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _text_of_codes(codes: Sequence[CodeType]) -> str:
    """What a function does, as text, wherever in its file it stands."""
    bodies = [(code.co_code, code.co_names) for code in codes]
    constants = [one for code in codes for one in code.co_consts if not isinstance(one, CodeType)]
    return repr((bodies, [sorted(map(repr, one)) if isinstance(one, frozenset) else one for one in constants]))


def _globals_of(function: FunctionType, codes: Sequence[CodeType]) -> dict[str, Any]:
    """The functions, classes and settings among the globals that a function uses."""
    names = {name for code in codes for name in code.co_names}
    found = {name: function.__globals__[name] for name in names & function.__globals__.keys()}
    return {name: part for name, part in found.items() if isinstance(part, (FunctionType, type)) or _is_data(part)}
