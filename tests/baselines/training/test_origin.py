"""Where a function comes from: its results are kept as long as nothing has changed that decides them and is noticed."""

from __future__ import annotations

import enum
import importlib.util
import linecache
import os
import random
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from baselines.training.origin import origin_of

SIZE: Any = 3


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
        self.lock = threading.Lock()  # which cannot be pickled

    def train(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size

    def __call__(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size


@dataclass
class Settings:
    size: Any

    def __call__(self, env_fn: Any, steps: int, seed: int) -> Any:
        return self.size


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@cache
def halved(x: int) -> bool:
    return x in {"a", "b", "c", "d"}


def network(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())


KINDS: dict[str, Callable[[Any], Any]] = {
    "closure": of_size,
    "method": lambda size: Trainer(size).train,
    "object": Trainer,
    "dataclass": Settings,
    "partial": lambda size: partial(with_size, size=size),
    "default": lambda size: lambda env_fn, steps, seed, size=size: size,
}

# Each makes its value anew, so that no value is told by where it lies in memory.
VALUES: list[Callable[[], Any]] = [
    *(lambda value=value: value for value in (0, 1, 1.0, "1", (1,), Colour.RED, Colour.BLUE, plain, np.tanh, halved)),
    lambda: [1],
    lambda: {"a": 1},
    lambda: {"a": 2},
    lambda: {"a", "b", "c", "d"},
    lambda: frozenset({"a", "b", "c", "d"}),
    lambda: np.arange(3),
    lambda: np.arange(3.0),
    lambda: np.arange(4),
    lambda: np.array([None, 1]),
    lambda: np.random.default_rng(0),
    lambda: np.random.default_rng(1),
    lambda: random.Random(0),
    lambda: torch.zeros(2),
    lambda: torch.ones(2),
    lambda: network(0),
    lambda: network(1),
    lambda: {"schedule": lambda x: x},
    lambda: {"schedule": lambda x: 2 * x},
    lambda: Trainer(1),
    lambda: Trainer(2),
    lambda: object(),
    lambda: Trainer,
    lambda: Settings,
    lambda: torch.device("cpu"),
    lambda: torch,
    lambda: [{"a": 1}.get],
    lambda: [{"a": 2}.get],
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_function_was_given_tells_it_from_others(kind: str) -> None:
    sources = [origin_of(KINDS[kind](make())).source for make in VALUES]
    assert len(set(sources)) == len(VALUES)
    assert sources == [origin_of(KINDS[kind](make())).source for make in VALUES]


def test_the_same_function_is_the_same_in_another_process() -> None:
    call = (
        "from tests.baselines.training.test_origin import KINDS, VALUES, origin_of; "
        "print([origin_of(KINDS[kind](make())).source for kind in KINDS for make in VALUES])"
    )
    # Hashes of strings have another seed there, by which sets have another order.
    command = [sys.executable, "-c", call]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "1"}
    )
    module = importlib.import_module("tests.baselines.training.test_origin")
    here = [origin_of(module.KINDS[kind](make())).source for kind in module.KINDS for make in module.VALUES]
    assert found.stdout == f"{here}\n"


@pytest.mark.parametrize("kind", KINDS)
def test_of_what_cannot_be_pickled_the_type_alone_counts(kind: str) -> None:
    def source(value: Any) -> str:
        return origin_of(KINDS[kind](value)).source

    assert source(x for x in "a") == source(x for x in "b")
    assert source(x for x in "a") != source(threading.Lock())
    assert source([threading.Lock(), 1]) == source([threading.Lock(), 1]) != source([threading.Lock(), 2])


def test_an_object_that_refuses_to_be_pickled_is_no_obstacle() -> None:
    class Refuses:
        def __reduce__(self) -> Any:
            raise RuntimeError("not this one")

    assert origin_of(of_size(Refuses())).source == origin_of(of_size(Refuses())).source


def test_what_is_another_in_each_process_is_another_function() -> None:
    first, second = (origin_of(of_size(np.random.default_rng())).source for _ in range(2))
    assert first != second


def test_a_global_value_that_was_changed_makes_another_function(monkeypatch: pytest.MonkeyPatch) -> None:
    before = origin_of(plain)
    monkeypatch.setattr(sys.modules[__name__], "SIZE", 4)
    assert origin_of(plain).source != before.source
    assert before.name == "plain"


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


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(np.random.default_rng, id="generator"),
        pytest.param(lambda: {"rng": [random.Random()]}, id="nested"),
        pytest.param(lambda: network(np.random.default_rng().integers(2**31).item()), id="network"),
    ],
)
def test_globals_that_are_no_settings_are_not_noticed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = set()
    for value in (make(), make()):
        monkeypatch.setattr(sys.modules[__name__], "SIZE", value)
        sources.add(origin_of(plain).source)
    assert len(sources) == 1


def test_libraries_are_those_that_its_file_imports() -> None:
    assert {"numpy", "pytest", "torch"} <= set(origin_of(plain).libraries)
    assert not {"rl-envs", "rl_envs", "matplotlib"} & set(origin_of(plain).libraries)


def test_of_a_function_of_a_library_the_version_counts() -> None:
    origin = origin_of(partial(torch.nn.init.constant_, val=0.0))
    assert (origin.name, origin.libraries) == ("constant_", ("torch",))


def imported(path: Path) -> ModuleType:
    """A file as a module that others find by its name, as `import` makes it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


TEXT = """
import a_neighbour_that_changes

class Agent:
    rate = 0.5

    @property
    def size(self):
        return ACTION

def action():
    return Agent().size

def train(env_fn, steps, seed):
    import matplotlib
    return [action()] * 11

ACTION = 3
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a function, and a neighbour that it imports; both are forgotten afterwards."""
    path = tmp_path / "a_module_that_changes.py"
    path.write_text(TEXT)
    (tmp_path / "a_neighbour_that_changes.py").write_text("import moviepy\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("a_module_that_changes", "a_neighbour_that_changes"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    return path


def test_an_edit_of_its_file_makes_another_function(file: Path) -> None:
    sources = set()
    texts = [TEXT, f"# A comment.\n{TEXT}", TEXT.replace("11", "12"), TEXT.replace("0.5", "0.6"), f"{TEXT}print(1)\n"]
    for text in texts:
        file.write_text(text)
        module = imported(file)
        sources |= {origin_of(module.train).source}
        assert origin_of(module.train) == origin_of(imported(file).train)
    assert len(sources) == len(texts)


def test_an_edit_of_a_file_of_the_users_that_its_file_imports_makes_another_function(file: Path) -> None:
    before = origin_of(imported(file).train)
    assert {"matplotlib", "moviepy"} <= set(before.libraries)
    file.with_name("a_neighbour_that_changes.py").write_text("import imageio\n")
    assert origin_of(imported(file).train).source != before.source


def test_where_its_file_lies_does_not_matter(file: Path, tmp_path: Path) -> None:
    before = origin_of(imported(file).train)
    (tmp_path / "elsewhere").mkdir()
    moved = file.rename(tmp_path / "elsewhere" / "another_name.py")
    assert origin_of(imported(moved).train) == before
    del sys.modules["another_name"]


@pytest.mark.parametrize(
    "change",
    [("11", "12"), ("0.5", "0.6"), ("return ACTION", "return 1"), ("().size", "().size + 1"), ("N = 3", "N = 4")],
    ids=["function", "class", "property", "helper", "global"],
)
def test_what_runs_is_told_from_what_has_come_to_stand_in_its_file_since(change: tuple[str, str], file: Path) -> None:
    """Results of the old code must not be taken for those of the new after a restart."""
    assert change[0] in TEXT
    old = imported(file)
    file.write_text(TEXT.replace(*change))
    assert origin_of(old.train).source != origin_of(imported(file).train).source


def test_a_byte_order_mark_and_another_encoding_are_no_obstacle(tmp_path: Path) -> None:
    text = b"import yaml\ndef train(env_fn, steps, seed): pass\n"
    for content in (b"\xef\xbb\xbf" + text, b"# coding: latin-1\n# caf\xe9\n" + text):
        path = tmp_path / "encoded_in_another_way.py"
        path.write_bytes(content)
        assert "pyyaml" in origin_of(imported(path).train).libraries
    del sys.modules["encoded_in_another_way"]


def test_functions_of_one_name_are_told_apart() -> None:
    both = {"left": lambda env_fn, steps, seed: 0, "right": lambda env_fn, steps, seed: 1}
    assert origin_of(both["left"]).source != origin_of(both["right"]).source


def test_what_is_met_again_is_told_by_which_it_is() -> None:
    def of(values: list[Any]) -> str:
        return origin_of(partial(with_size, size=values)).source

    x, y = [1], [2]
    assert len({of([x, y, x]), of([x, y, y]), of([np.tanh, np.sin, np.sin]), of([np.tanh, np.sin, np.tanh])}) == 4


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


def test_classes_made_in_functions_are_told_apart_by_their_methods() -> None:
    class Below(Above):
        def __call__(self, env_fn: Any, steps: int, seed: int) -> int:
            return 0

    class Beneath(Above):
        def __call__(self, env_fn: Any, steps: int, seed: int) -> int:
            return 1

    Beneath.__qualname__ = Below.__qualname__
    assert "Below" in origin_of(Below()).name
    assert origin_of(Below()).source == origin_of(Below()).source != origin_of(Beneath()).source


def test_a_function_of_a_notebook_is_told_by_its_code_and_that_of_those_it_calls() -> None:
    def cell(text: str, namespace: dict[str, Any]) -> None:
        """Run a text as notebooks do, which keep it where tracebacks look for it."""
        name = f"<cell {hash(text)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), namespace)

    train = "def train(env_fn, steps, seed):\n    return help_me(STEP), Helper().help()\n"
    sources = set()
    for helper, step, constant in (("x + 1", 1, 0), ("x + 2", 1, 0), ("x + 1", 2, 0), ("x + 1", 1, 1)):
        notebook: dict[str, Any] = {"__name__": "a_notebook", "STEP": step}
        cell(f"def help_me(x):\n    return {helper}\n", notebook)
        cell(f"class Helper:\n    @staticmethod\n    def help():\n        return {constant}\n", notebook)
        cell(train, notebook)
        sources.add(origin_of(notebook["train"]).source)
    assert len(sources) == 4


def test_a_function_without_a_source_is_told_by_its_code() -> None:
    namespaces: list[dict[str, Any]] = [{}, {}, {}]
    for namespace, answer in zip(namespaces, (1, 1, 2)):
        exec(f"def train(env_fn, steps, seed): return {answer}", namespace)
    first, again, other = (origin_of(namespace["train"]) for namespace in namespaces)
    assert first == again != other


def test_a_function_that_calls_itself_comes_to_an_end() -> None:
    def train(env_fn: Any, steps: int, seed: int) -> Any:
        return train(env_fn, steps - 1, seed) if steps else other

    def other() -> Any:
        return train

    assert origin_of(train) == origin_of(train)
