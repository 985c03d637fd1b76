"""The random generators that a whole process shares: an environment that draws from them cannot be walked."""

from __future__ import annotations

import ast
import inspect
import random
from pathlib import Path
from typing import Any

import numpy as np

from rl_envs.extraction.refusal import NotTabular


class GlobalGenerators:
    """The states of `random` and `np.random`, as they were when this was made.

    Args:
        env: the environment, whose code is searched for what draws from them.
    """

    def __init__(self, env: Any) -> None:
        self._env = env
        self._python = random.getstate()
        self._numpy: Any = np.random.get_state()  # noqa: NPY002  (it is looked at, and never drawn from)

    def check(self) -> None:
        """Raise NotTabular if either has been drawn from."""
        now: Any = np.random.get_state()  # noqa: NPY002
        if random.getstate() != self._python:
            raise NotTabular(self._advice("random", "self.np_random"))
        if now[2] != self._numpy[2] or not np.array_equal(now[1], self._numpy[1]):
            raise NotTabular(self._advice("np.random", "self.np_random"))

    def restore(self) -> None:
        """Put both back."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002

    def _advice(self, module: str, instead: str) -> str:
        lines = drawing_lines(self._env, module)
        where = f" at {', '.join(lines[:5])}" if lines else ""
        return (
            f"draws must come from self.np_random, but {type(self._env).__name__} draws from the generator of the "
            f"module {module}, which the whole process shares{where}: draw from {instead}, which reset(seed=) seeds; "
            "episodes then repeat with their seed, too"
        )


def drawing_lines(env: Any, module: str) -> list[str]:
    """The lines of an environment's class that call functions of `random` or `np.random`, as "file.py:12"."""
    found: list[str] = []
    for kind in type(env).__mro__:
        if kind.__module__.startswith(("gymnasium", "builtins", "typing")):
            continue
        try:
            lines, first = inspect.getsourcelines(kind)
            path = Path(inspect.getsourcefile(kind) or "")
            tree = ast.parse(inspect.cleandoc("\n" + "".join(lines)) if lines[0][:1].isspace() else "".join(lines))
        except (OSError, TypeError, SyntaxError):
            continue  # made in a notebook or by a program: there is no line to show
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                drawn = owner == "random" if module == "random" else owner in ("np.random", "numpy.random")
                if drawn and node.func.attr not in ("default_rng", "Generator", "SeedSequence", "Random"):
                    found.append(f"{path.name}:{first + node.lineno - 1}")
    return found
