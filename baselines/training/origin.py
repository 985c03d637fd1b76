"""Where a function comes from: what tells it from another of the same name, and from itself after a change.

A result of a user's function is kept as long as nothing that decides it has changed, as far as that can be read: the
file it stands in, what it was given beforehand (a closure, an object's attributes, `functools.partial`, the globals it
uses), and the versions of the libraries that its source imports.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import hashlib
import inspect
import random
import sys
import textwrap
import tokenize
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

# Of exactly these types, for a class made from one of them may hold more than its value.
PLAIN = (type(None), bool, int, float, complex, str, bytes)

OURS = {"rl_envs", "baselines"}


@dataclass(frozen=True)
class Origin:
    """Where a function comes from; a change of any of this makes it another agent.

    Attributes:
        name: of the function.
        source: a hash of the text that it and what it was given stand in, and of the values among them.
        libraries: distributions that the text imports; their versions decide too.
    """

    name: str
    source: str
    libraries: tuple[str, ...]


def origin_of(function: Any) -> Origin:
    """Tell where a function, a method, a `partial` or an object that can be called comes from.

    Raises:
        ValueError: its source cannot be read or has changed since it was imported, it was given something beforehand
            that cannot be told from another of its kind, or it draws from a generator outside of it.
    """
    plain = without_partial(function)
    name = getattr(plain, "__qualname__", type(plain).__qualname__)
    account = _Account(name)
    account.add(function)
    return Origin(name, account.digest(), tuple(sorted(account.libraries())))


def without_partial(function: Any) -> Any:
    """What is called in the end."""
    while isinstance(function, partial):
        function = function.func
    return function


class _Account:
    """Gathers everything that a function rests on, as text.

    Args:
        name: of the function, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._texts: dict[str, None] = {}  # in the order in which they were met
        self._met: dict[int, tuple[int, Any]] = {}  # by id, with the value, so that no other gets its id
        self._modules: set[str] = set()

    def digest(self) -> str:
        """A hash of all of it."""
        return hashlib.sha256("\0".join([*self._texts, *self._parts]).encode(errors="surrogatepass")).hexdigest()

    def libraries(self) -> set[str]:
        """Distributions whose modules are imported or used; those of this project are left out."""
        modules = self._modules.union(*map(imported, self._texts)) - OURS
        return {owner.lower() for module in modules for owner in _owners().get(module, ())}

    def add(self, value: Any) -> None:
        """Take account of a value and of all that is in it."""
        if type(value) in PLAIN or isinstance(value, PurePath):
            self._parts.append(f"{type(value).__name__} {value!r}")
            return
        if id(value) in self._met:
            self._parts.append(f"again {self._met[id(value)][0]}")
            return
        self._met[id(value)] = (len(self._met), value)
        kind = type(value)
        if kind in (np.ndarray, np.dtype) or isinstance(value, np.generic):
            self._add_array(value)
        elif kind in (list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields")):
            self._add_all(kind.__name__, value)
        elif kind in (set, frozenset):
            self._add_unordered(kind.__name__, value)
        elif kind is dict:
            self._add_all("dict", [part for item in value.items() for part in item])
        elif isinstance(value, partial):
            self._add_all("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, MethodType):
            self._add_all("method", [value.__func__, value.__self__])
        elif isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, enum.Enum):
            self._add_all(f"enum {value.name}", [kind])
        elif kind in (BuiltinFunctionType, ModuleType):
            self._add_named(value)
        elif isinstance(value, type):
            self._add_class(value)
        elif hasattr(value, "__dict__") and _is_python(kind):
            self._add_all("object", [kind, vars(value)])
        else:
            raise self._cannot_tell(value)

    def _cannot_tell(self, value: Any) -> ValueError:
        return ValueError(
            f"{self._name} rests on {value!r}, and it cannot be told whether that is the same the next time: give it "
            "plain values, or make what it needs inside of it"
        )

    def _add_all(self, kind: str, values: Any) -> None:
        self._parts.append(f"{kind} {len(values)}")
        for value in values:
            self.add(value)

    def _add_unordered(self, kind: str, values: Iterable[Any]) -> None:
        """In an order that does not depend on the process."""
        digests = []
        for value in values:
            alone = _Account(self._name)
            alone.add(value)
            self._modules |= alone._modules
            digests.append(alone.digest())
        self._parts.append(f"{kind} {sorted(digests)}")

    def _add_array(self, value: Any) -> None:
        if isinstance(value, np.dtype):
            self._parts.append(f"dtype {value!r}")
            return
        if value.dtype.hasobject:
            raise self._cannot_tell(value)
        array = np.ascontiguousarray(value)
        self._parts.append(f"array {array.dtype} {np.shape(value)} {hashlib.sha256(array.tobytes()).hexdigest()}")

    def _add_named(self, value: Any) -> None:
        """A module, or a function written in another language; it is told by its name, and its library's version."""
        module = value if isinstance(value, ModuleType) else None
        home = value.__name__ if module else str(getattr(value, "__module__", None))
        self._modules.add(home.partition(".")[0])
        self._parts.append(f"named {home} {value.__name__}")
        bound = None if module else getattr(value, "__self__", None)
        if bound is not None and not isinstance(bound, ModuleType):
            self.add(bound)

    def _add_function(self, function: FunctionType) -> None:
        text = self._text_of(function, function.__qualname__)
        self._texts[text] = None
        code = function.__code__
        self._parts.append(f"function {function.__qualname__} {code.co_firstlineno} {_code_text(code)}")
        for given in (function.__defaults__, function.__kwdefaults__, vars(function)):
            self.add(given)
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError as error:
                if str(error) != "Cell is empty":
                    raise
        for name in sorted(_names_in(code)):
            self._add_global(name, function)

    def _add_global(self, name: str, function: FunctionType) -> None:
        """What a function finds under a name outside of itself, as far as that can be told."""
        found = function.__globals__.get(name)
        if isinstance(found, ModuleType):
            self._modules.add(found.__name__.partition(".")[0])
        elif isinstance(found, (FunctionType, type)):
            if found.__module__ == function.__module__:
                self.add(found)  # in a notebook it stands in a text of its own
            else:
                self._modules.add(found.__module__.partition(".")[0])
        elif _is_generator(found):
            raise ValueError(
                f"{self._name} uses {name}, a random generator outside of it: a run would depend on those before it in "
                "the same process. Make one inside of it, from the seed that it is given"
            )
        elif found is not None and _can_be_told(found):
            self.add((name, found))

    def _add_class(self, cls: type) -> None:
        self._parts.append(f"class {cls.__qualname__}")
        if not _written_in_python(cls) or _is_installed(sys.modules.get(cls.__module__)):
            self._modules.add(cls.__module__.partition(".")[0])
            self._parts.append(cls.__module__)  # a library's, which is told by its version
            return
        self._texts[self._text_of(cls, cls.__qualname__)] = None
        for name, value in sorted(vars(cls).items()):
            for function in _functions_of(value):
                if not _is_generated(function):
                    self.add(function)
            if type(value) in PLAIN and not name.startswith("__"):
                self._parts.append(f"{name} {value!r}")
        for above in cls.__bases__:
            if above is not object:
                self.add(above)

    def _text_of(self, thing: Any, qualname: str) -> str:
        """The text of the file in which it stands, for it may rest on anything there; else its own text."""
        try:
            file = inspect.getsourcefile(thing)
            if file is None or not Path(file).is_file():
                return textwrap.dedent(inspect.getsource(thing))
            with tokenize.open(file) as opened:
                text = opened.read()
        except (OSError, TypeError, SyntaxError, UnicodeDecodeError):
            raise ValueError(
                f"the source of {qualname} cannot be read, so its results could not be told from those of another "
                "version of it: define it in a file"
            ) from None
        _check_unchanged(thing, text, file)
        return text


_owners = lru_cache(metadata.packages_distributions)


def _can_be_told(value: Any) -> bool:
    """Whether a global is a value that can be told from another; what cannot, such as a logger, is left out."""
    if isinstance(value, (Namespace, SimpleNamespace)) or (dataclasses.is_dataclass(value) and _is_python(type(value))):
        return all(map(_can_be_told, vars(value).values()))
    if type(value) is dict:
        return all(_can_be_told(part) for item in value.items() for part in item)
    if type(value) in (list, tuple, set, frozenset):
        return all(map(_can_be_told, value))
    if isinstance(value, (np.ndarray, np.generic)):
        return not value.dtype.hasobject
    return type(value) in PLAIN or isinstance(value, (PurePath, enum.Enum))


def _is_generator(value: Any) -> bool:
    """Whether it gives random numbers, and so is another after each, or holds something that does."""
    if type(value) in (dict, list, tuple):
        return any(map(_is_generator, value.values() if type(value) is dict else value))
    torch = sys.modules.get("torch")
    kinds = (random.Random, np.random.Generator, np.random.RandomState, np.random.BitGenerator, np.random.SeedSequence)
    return isinstance(value, kinds) or (torch is not None and isinstance(value, torch.Generator))


def _is_python(cls: type) -> bool:
    """Whether objects of a class hold nothing but attributes: all classes above it are written in Python, and so."""
    above = [one for one in cls.__mro__ if one is not object]
    return bool(above) and all(_written_in_python(one) and not vars(one).get("__slots__") for one in above)


def _written_in_python(cls: type) -> bool:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return cls.__module__ == "__main__" or file is None or str(file).endswith(".py")


def _is_installed(module: ModuleType | None) -> bool:
    """Whether a module belongs to a library or to Python itself, and not to the user."""
    file = getattr(module, "__file__", None)
    if file is None:
        return module is not None and module.__name__ in sys.builtin_module_names
    return _is_below(Path(file), _library_folders())


def _is_generated(function: FunctionType) -> bool:
    """Whether a library has made it, as dataclasses make methods from what stands in a class."""
    file = function.__code__.co_filename
    return file == "<string>" or (Path(file).is_absolute() and _is_below(Path(file), _library_folders()))


@lru_cache
def _library_folders() -> tuple[Path, ...]:
    import sysconfig

    return tuple({Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib", "purelib", "platlib")})


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder in path.resolve().parents for folder in folders)


def user_modules(function: Any) -> list[ModuleType]:
    """The modules that a function comes with: its own, and those beside it that it uses, as far as they are no library.

    `__main__` is left out, which every pickler takes along by itself.
    """
    plain = without_partial(function)
    if isinstance(plain, MethodType):
        plain = plain.__func__
    name = getattr(plain, "__module__", None) or type(plain).__module__
    found: list[ModuleType] = []
    waiting = [sys.modules.get(name)]
    while waiting:
        module = waiting.pop()
        if module is None or module in found or _is_installed(module) or module.__name__.partition(".")[0] in OURS:
            continue
        found.append(module)
        waiting += [value for value in vars(module).values() if isinstance(value, ModuleType)]
        homes = {getattr(value, "__module__", None) for value in vars(module).values() if callable(value)}
        waiting += [sys.modules.get(home) for home in homes if isinstance(home, str)]
    return [module for module in found if module.__name__ != "__main__" and hasattr(module, "__file__")]


def _check_unchanged(thing: Any, text: str, file: str) -> None:
    """Refuse a file that has changed since: what runs would be stored under the name of what now stands there."""
    loaded: dict[str, CodeType] = {}
    if isinstance(thing, FunctionType):
        loaded[thing.__qualname__] = thing.__code__
        home, beside = thing.__code__.co_filename, thing.__globals__
    else:
        home, beside = file, vars(sys.modules.get(thing.__module__, SimpleNamespace()))
    for value in list(beside.values()):
        for function in _functions_in(value, thing.__module__):
            if function.__code__.co_filename == home:
                loaded[function.__qualname__] = function.__code__
    try:
        now = {_code_text(code) for code in _codes_in(compile(text, file, "exec", dont_inherit=True))}
    except SyntaxError:
        now = set()
    for name, code in loaded.items():
        if any(used.startswith("@py") for used in _names_in(code)):
            continue  # pytest has rewritten its assertions
        if _code_text(code) not in now:
            raise ValueError(
                f"{file} has changed since {name} was imported from it: start again, so that what runs is what stands "
                "there"
            )


def _functions_in(value: Any, module: str) -> Iterator[FunctionType]:
    """A function of a module, or those of a class of it."""
    if getattr(value, "__module__", None) != module:
        return
    if isinstance(value, type):
        for part in vars(value).values():
            yield from _functions_of(part)
    else:
        yield from _functions_of(value)


def _functions_of(value: Any) -> Iterator[FunctionType]:
    """The functions that are in what stands in a module or a class."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    parts = [value.fget, value.fset, value.fdel] if isinstance(value, property) else [value]
    yield from (part for part in parts if isinstance(part, FunctionType))


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _code_text(code: CodeType) -> str:
    """What a compiled function does, as text, wherever in its file it stands."""
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_code.hex())
    return f"{names} {[_constant_text(constant) for constant in code.co_consts]}"


def _constant_text(constant: Any) -> str:
    if isinstance(constant, CodeType):
        return _code_text(constant)
    if isinstance(constant, (tuple, frozenset)):
        parts = [_constant_text(part) for part in constant]
        return f"{type(constant).__name__} {sorted(parts) if isinstance(constant, frozenset) else parts}"
    return f"{type(constant).__name__} {constant!r}"


def _names_in(code: CodeType) -> set[str]:
    """Names of globals that a function and the functions in it may use."""
    return set(code.co_names).union(*(set(inner.co_names) for inner in _codes_in(code)))


def imported(text: str) -> set[str]:
    """The modules that a text imports, anywhere in it, by the first part of their names."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a piece of a notebook's text, a lambda say, need not be a whole
        return set()
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            modules.add(node.module.partition(".")[0])
    return modules
