"""What is inspected: an environment, of which copies as good as new can be had, and which is left as it was."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.extraction.content import References
from rl_envs.extraction.contents import Contents
from rl_envs.extraction.global_random import GlobalGenerators
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.refusal import NotTabular


class Subject:
    """An environment to inspect.

    Args:
        env: the environment.
        name: what to call it.
        make: makes a new copy of it; None where there is only this one.

    Attributes:
        env: the environment as it was given, or one made for this.
        name: what to call it.
    """

    def __init__(self, env: gym.Env[Any, Any], name: str, make: Callable[[], gym.Env[Any, Any]] | None = None) -> None:
        self.env = env
        self.name = name
        self._make = make

    @property
    def unwrapped(self) -> Any:
        """The environment itself, without wrappers."""
        return self.env.unwrapped

    @property
    def threshold(self) -> float | None:
        """The return at which it counts as solved."""
        spec = getattr(self.env, "spec", None)
        return None if spec is None else spec.reward_threshold

    @contextmanager
    def fresh(self) -> Iterator[Any]:
        """An environment as it is before its first reset, without the wrappers that change nothing.

        Raises:
            NotTabular: there is only one of it, and what it holds cannot be copied.
        """
        shared = GlobalGenerators(self.unwrapped)
        try:
            if self._make is not None:
                made = self._make()
                try:
                    layers = _layers(made)
                    layers.connect()
                    yield layers.outermost
                finally:
                    made.close()
            else:
                with _borrowed(self.env) as env:
                    yield env
        finally:
            shared.restore()


@contextmanager
def _borrowed(env: Any) -> Iterator[Any]:
    """The environment itself, with copies of everything that it holds, which are taken away again."""
    layers = _layers(env)
    layers.connect()
    try:
        contents = Contents(layers, References(np.random.default_rng(0), random.Random(0), layers.parts))
        contents.rewind((np.random.default_rng(0), random.Random(0)))
        for part in layers.parts:
            for name in ("action_space", "observation_space", "_action_space", "_observation_space"):
                space = part.__dict__.get(name)
                if isinstance(space, gym.Space):
                    part.__dict__[name] = copy.deepcopy(space)
        yield layers.outermost
    finally:
        layers.give_back()


def _layers(env: Any) -> Layers:
    """The layers of an environment; of one whose wrappers never repeat, the environment inside them alone."""
    try:
        return Layers(env)
    except NotTabular:
        return Layers(env.unwrapped)
