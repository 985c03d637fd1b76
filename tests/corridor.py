"""A user's own environment, in a module that registers it and in a file with a function that makes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import pytest

# A corridor of so many cells to the right end; with a table or without.
OWN = """
import gymnasium as gym
from gymnasium.envs.registration import register

class Corridor(gym.Env):
    def __init__(self, size: int = 3, walled: bool = False, table: bool = False, render_mode=None):
        self.size, self.walled, self.render_mode = size, walled, render_mode
        self.observation_space = gym.spaces.Discrete(size)
        self.action_space = gym.spaces.Discrete(2)
        if table:
            self.P = {s: {a: [(1.0, t, float(t == size - 1), t == size - 1)]
                          for a, t in ((0, max(s - 1, 0)), (1, min(s + 1, size - 1)))} for s in range(size)}
            self.P[size - 1] = {a: [(1.0, size - 1, 0.0, True)] for a in (0, 1)}
            self.initial_state_distrib = [1.0] + [0.0] * (size - 1)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.state = 0
        return 0, {}

    def step(self, action):
        self.state = min(self.state + 1, self.size - 1) if action else max(self.state - 1, 0)
        end = self.state == self.size - 1
        return self.state, float(end), end, False, {}

def make_env(size: int = 3, walled: bool = False, table: bool = False):
    return gym.wrappers.TimeLimit(Corridor(size, walled, table), 50)

def makes_nothing():
    return 3

def takes_anything(**settings):
    return Corridor(**settings)
"""

REGISTRATION = """
register(id="Corridor-v0", entry_point=Corridor, max_episode_steps=50, kwargs={"size": 4})
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with corridors.py and rooms.py, from which programs are started."""
    (tmp_path / "corridors.py").write_text(OWN + REGISTRATION)
    (tmp_path / "rooms.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("corridors", "rooms"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield tmp_path
    gym.registry.pop("Corridor-v0", None)
    for name in ("corridors", "rooms"):
        sys.modules.pop(name, None)
