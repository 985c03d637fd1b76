"""Walks kept in a folder: loaded while nothing has changed, and made anew when anything has."""

import importlib.util
import sys
from pathlib import Path

import pytest

from rl_envs import tabulate_env
from rl_envs.extraction import explored

SOURCE = """
import gymnasium as gym
from beside import GOAL

class Walkway(gym.Env):
    def __init__(self, size=4, pay=1.0):
        self.size, self.pay = size, pay
        self.observation_space = gym.spaces.Discrete(size)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        return 0, {}

    def step(self, action):
        self.cell = min(max(self.cell + 2 * int(action) - 1, 0), self.size - 1)
        end = self.cell == self.size - GOAL
        return self.cell, self.pay * end, end, False, {}
"""


def load(folder: Path, source: str = SOURCE):
    """The class in a file of its own, as `import` would load it."""
    for name, text in (("beside", "GOAL = 1\n"), ("walkway", source)):
        (folder / f"{name}.py").write_text(text)
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.Walkway


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch):
    """How many walks were made."""
    made = []
    walk = explored.Walker.walk
    monkeypatch.setattr(explored.Walker, "walk", lambda self: (made.append(1), walk(self))[1])
    yield made
    for name in ("beside", "walkway"):
        sys.modules.pop(name, None)


def test_the_second_time_it_is_loaded_and_equal(tmp_path: Path, walks: list) -> None:
    kind = load(tmp_path)
    first, again = (tabulate_env(kind(), cache=tmp_path / "walks", check_steps=50) for _ in range(2))
    assert len(walks) == 1
    assert again.mdp == first.mdp
    assert again.account == first.account
    assert [file.name[:8] for file in (tmp_path / "walks").iterdir()] == ["Walkway-"]


def test_what_the_table_depends_on_makes_another_walk(tmp_path: Path, walks: list) -> None:
    kind, options = load(tmp_path), {"cache": tmp_path / "walks", "check_steps": 0}
    tabulate_env(kind(), **options)
    tabulate_env(kind(size=5), **options)
    tabulate_env(kind(pay=2.0), **options)
    tabulate_env(kind(), discount=0.5, **options)
    tabulate_env(kind(), state=lambda env: env.cell, **options)
    tabulate_env(kind(), state=lambda env: (env.cell,), **options)
    assert len(walks) == 6
    tabulate_env(load(tmp_path, SOURCE + "# another line\n")(), **options)
    assert len(walks) == 7
    load(tmp_path)
    (tmp_path / "beside.py").write_text("GOAL = 1  # the module beside it\n")
    tabulate_env(sys.modules["walkway"].Walkway(), **options)
    assert len(walks) == 8
    load(tmp_path)
    tabulate_env(sys.modules["walkway"].Walkway(), **options)
    assert len(walks) == 8  # as it was at first


def test_what_has_no_source_cannot_be_kept(tmp_path: Path, walks: list) -> None:
    kind = load(tmp_path)
    kind.__module__ = "nowhere"
    with pytest.raises(ValueError, match="kept if its source is in a file, but Walkway of nowhere is in none"):
        tabulate_env(kind(), cache=tmp_path)
    with pytest.raises(ValueError, match=r"kept if state= is a function written in Python, but it is <built-in"):
        tabulate_env(load(tmp_path)(), state=id, cache=tmp_path)
