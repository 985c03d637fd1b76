"""Where a function comes from: a result is kept as long as nothing that decides it has changed, and no longer."""

from __future__ import annotations

import importlib.util
import linecache
import random
import subprocess
import sys
from abc import ABC, abstractmethod
from argparse import Namespace
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from baselines.training.origin import origin_of

SIZE = 3


def plain(env_fn: Any, steps: int, seed: int) -> int:
    return SIZE


def of_size(size: Any) -> Any:
    def train(env_fn: Any, steps: int, seed: int) -> Any:
        return size

    return train


def with_size(env_fn: Any, steps: int, seed: int, *, size: Any) -> None:
    """A function with a setting."""


class Trainer:
    def __init__(self, size: Any) -> None:
        self.size = size

    def train(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size

    def __call__(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size


@dataclass
class Settings:
    size: Any

    def __call__(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size


KINDS = {
    "closure": of_size,
    "method": lambda size: Trainer(size).train,
    "object": Trainer,
    "dataclass": Settings,
    "partial": lambda size: partial(with_size, size=size),
    "default": lambda size: lambda env_fn, steps, seed, size=size: size,
}
VALUES = [0, 1, 1.0, "1", (1,), [1], {"a": 1}, {"a": 2}, np.arange(3), np.arange(3.0), np.arange(4), plain, np.tanh]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_function_was_given_tells_it_from_others(kind: str) -> None:
    sources = [origin_of(KINDS[kind](value)).source for value in VALUES]
    assert len(set(sources)) == len(VALUES)
    assert sources == [origin_of(KINDS[kind](value)).source for value in VALUES]


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_told_from_another_is_refused(kind: str) -> None:
    for value in (np.random.default_rng(0), object(), iter([1]), np.array([object()]), torch.zeros(2)):
        with pytest.raises(ValueError, match=r"rests on .*, and it cannot be told whether that is the same"):
            origin_of(KINDS[kind](value))


GENERATOR: Any = None


def draws(env_fn: Any, steps: int, seed: int) -> Any:
    def policy() -> Any:
        return GENERATOR

    return policy


@pytest.mark.parametrize(
    "generator",
    [
        pytest.param(np.random.default_rng(0), id="numpy"),
        pytest.param(np.random.RandomState(0), id="legacy"),
        pytest.param(random.Random(0), id="python"),
        pytest.param(torch.Generator(), id="torch"),
        pytest.param({"rng": [random.Random(0)]}, id="nested"),
    ],
)
def test_a_generator_outside_of_a_function_is_refused(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "GENERATOR", generator)
    with pytest.raises(ValueError, match="draws uses GENERATOR, a random generator outside of it"):
        origin_of(draws)


def test_a_global_value_that_was_changed_makes_another_function(monkeypatch: pytest.MonkeyPatch) -> None:
    before = origin_of(plain)
    monkeypatch.setattr(sys.modules[__name__], "SIZE", 4)
    assert origin_of(plain).source != before.source
    assert before.name == "plain"


def test_libraries_are_those_that_its_file_imports() -> None:
    assert {"numpy", "pytest"} <= set(origin_of(plain).libraries)
    assert not {"rl-envs", "rl_envs", "gymnasium"} & set(origin_of(plain).libraries)


def test_the_same_function_is_the_same_in_another_process() -> None:
    imports = "from tests.baselines.training.test_origin import KINDS, VALUES"
    call = f"{imports}; from baselines.training.origin import origin_of; print(%s)"
    every = "[origin_of(KINDS[kind](value)).source for kind in KINDS for value in VALUES]"
    found = subprocess.run([sys.executable, "-c", call % every], capture_output=True, text=True, check=True)
    module = importlib.import_module("tests.baselines.training.test_origin")
    here = [origin_of(module.KINDS[kind](value)).source for kind in module.KINDS for value in module.VALUES]
    assert found.stdout.strip() == str(here)


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("a_module_that_changes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TEXT = """
class Agent:
    @property
    def size(self):
        return ACTION

def action():
    return 1

def train(env_fn, steps, seed):
    return [action()] * 11

ACTION = 3
"""


def test_a_file_that_has_changed_since_it_was_imported_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "changing.py"
    path.write_text(TEXT)
    module = imported(path)
    before = origin_of(module.train)
    path.write_text("# A comment moves what follows.\n" + TEXT)
    assert origin_of(module.train).source != before.source  # the text may matter, and what runs is what stands there
    for changed in (
        TEXT.replace("11", "12"),
        TEXT.replace("return 1\n", "return 0\n"),
        TEXT.replace("ACTION", "WHATEVER"),
        "def train(\n",
    ):
        path.write_text(changed)
        with pytest.raises(
            ValueError, match=r"changing\.py has changed since [\w.]+ was imported from it: start again"
        ):
            origin_of(module.train)


def test_a_byte_order_mark_and_another_encoding_are_no_change(tmp_path: Path) -> None:
    for content in (b"\xef\xbb\xbf" + TEXT.encode(), b"# coding: latin-1\n# caf\xe9\n" + TEXT.encode()):
        path = tmp_path / "encoded.py"
        path.write_bytes(content)
        assert origin_of(imported(path).train).name == "train"


def test_functions_of_one_name_are_told_apart() -> None:
    both = {"left": lambda env_fn, steps, seed: 0, "right": lambda env_fn, steps, seed: 1}
    assert origin_of(both["left"]).source != origin_of(both["right"]).source


def test_what_is_met_again_is_told_by_which_it_is() -> None:
    def of(values: list[Any]) -> str:
        return origin_of(partial(with_size, size=values)).source

    x, y = [1], [2]
    assert len({of([x, y, x]), of([x, y, y]), of([np.tanh, np.sin, np.sin]), of([np.tanh, np.sin, np.tanh])}) == 4
    assert of([{"a": 1}.get]) != of([{"a": 2}.get])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(Namespace(action=0), Namespace(action=1), id="argparse"),
        pytest.param(SimpleNamespace(action=0), SimpleNamespace(action=1), id="namespace"),
        pytest.param(Settings(0), Settings(1), id="dataclass"),
        pytest.param(np.zeros(3), np.ones(3), id="array"),
        pytest.param({"a": [1, (2,)]}, {"a": [1, (3,)]}, id="nested"),
        pytest.param({"b", "a"}, {"b", "c"}, id="set"),
    ],
)
def test_globals_that_hold_settings_are_looked_into(one: Any, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = []
    for value in (one, other, one):
        monkeypatch.setattr(sys.modules[__name__], "SIZE", value)
        sources.append(origin_of(plain).source)
    assert sources[0] == sources[2] != sources[1]


def test_a_class_that_a_function_uses_is_followed_into_its_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(env_fn: Any, steps: int, seed: int) -> Any:
        return Trainer(0).train(env_fn, steps, seed)

    before = origin_of(train).source
    monkeypatch.setattr(Trainer, "train", Trainer.__call__)
    assert origin_of(train).source != before


class Above(ABC):
    """Abstract classes have slots, with nothing in them."""

    @abstractmethod
    def __call__(self, env_fn: Any, steps: int, seed: int) -> int:
        """Train."""


def test_abstract_classes_and_their_like_are_no_obstacle() -> None:
    class Below(Above):
        def __call__(self, env_fn: Any, steps: int, seed: int) -> int:
            return 0

    assert "Below" in origin_of(Below()).name


def test_a_function_of_a_notebook_is_told_by_its_own_text_and_that_of_those_it_calls() -> None:
    def cell(text: str, namespace: dict[str, Any]) -> None:
        """Run a text as notebooks do, which keep it where tracebacks look for it."""
        name = f"<cell {hash(text)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), namespace)

    train = "def train(env_fn, steps, seed):\n    return help_me(STEP)\n"
    sources = set()
    for helper, step in (("x + 1", 1), ("x + 2", 1), ("x + 1", 2)):
        notebook: dict[str, Any] = {"__name__": "a_notebook", "STEP": step}
        cell(f"def help_me(x):\n    return {helper}\n", notebook)
        cell(train, notebook)
        sources.add(origin_of(notebook["train"]).source)
    assert len(sources) == 3


def test_a_function_without_a_source_is_refused() -> None:
    namespace: dict[str, Any] = {}
    exec("def train(env_fn, steps, seed): return None", namespace)
    with pytest.raises(ValueError, match="the source of train cannot be read"):
        origin_of(namespace["train"])


def test_a_function_that_calls_itself_comes_to_an_end() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> Any:
        return train(env_fn, steps - 1, seed) if steps else other

    def other() -> Any:
        return train

    assert origin_of(train) == origin_of(train)
