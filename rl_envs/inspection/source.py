"""Lines of an environment's own code, as "file.py:12"."""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

_HERE = Path(__file__).parent

# Classes whose lines are nobody's own.
_LIBRARY = ("gymnasium", "builtins", "typing", "abc")


def method_line(env: Any, name: str) -> str | None:
    """Where a method of an environment is defined; None where there is no file to show."""
    for path, node in _nodes(env):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return f"{path}:{node.lineno}"
    return None


def return_line(env: Any, name: str) -> str | None:
    """The first line on which a method of an environment returns; None where there is no file to show."""
    for path, node in _nodes(env):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = [inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Return)]
            return f"{path}:{min(lines, default=node.lineno)}"
    return None


def comparison_line(env: Any, attribute: str) -> str | None:
    """The first line that compares an attribute with something; else the first that mentions it."""
    mentioned = None
    for path, node in _nodes(env):
        if isinstance(node, ast.Compare) and attribute in _attributes(node):
            return f"{path}:{node.lineno}"
        if mentioned is None and isinstance(node, ast.Attribute) and node.attr == attribute:
            mentioned = f"{path}:{node.lineno}"
    return mentioned


def assignment_line(env: Any, attribute: str) -> str | None:
    """The first line that changes an attribute outside the constructor; else the first that sets it."""
    first = None
    for path, method in _nodes(env):
        if not isinstance(method, ast.FunctionDef):
            continue
        for node in ast.walk(method):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
                targets = [node.target]
            names = set().union(*(_attributes(target) for target in targets))
            if attribute in names:
                if method.name != "__init__":
                    return f"{path}:{node.lineno}"  # type: ignore[attr-defined]
                first = first or f"{path}:{node.lineno}"  # type: ignore[attr-defined]
    return first


def raising_line(trace: TracebackType | None) -> str | None:
    """The innermost line outside libraries that an exception came from."""
    frames = [frame for frame in traceback.extract_tb(trace) if "site-packages" not in frame.filename]
    frames = [frame for frame in frames if Path(frame.filename).parent != _HERE]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None


def _attributes(node: ast.AST) -> set[str]:
    return {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def _nodes(env: Any) -> Iterator[tuple[str, ast.AST]]:
    """The nodes of the code of an environment's classes, its own first, each with the name of its file."""
    for kind in type(env).__mro__:
        if kind.__module__.partition(".")[0] in _LIBRARY and kind.__module__ != type(env).__module__:
            continue
        parsed = _parsed(kind)
        if parsed is not None:
            for node in ast.walk(parsed[1]):
                yield parsed[0], node


@lru_cache(maxsize=64)
def _parsed(kind: type) -> tuple[str, ast.Module] | None:
    """A class's code, with the line numbers of its file; None where there is none to show."""
    try:
        lines, first = inspect.getsourcelines(kind)
        path = inspect.getsourcefile(kind)
        tree = ast.parse(inspect.cleandoc("\n" + "".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None  # made in a notebook or by a program
    ast.increment_lineno(tree, first - 1)
    return (Path(path).name, tree) if path else None
