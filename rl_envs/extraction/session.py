"""An environment while it is being walked: connected to the enumerating generators, and restored afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from rl_envs.extraction.chance import Chance
from rl_envs.extraction.content import References
from rl_envs.extraction.contents import Contents
from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.global_random import GlobalGenerators
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.python_random import EnumeratingRandom
from rl_envs.extraction.stepping import Stepper
from rl_envs.extraction.walk import Limits


class Session:
    """An environment while it is being walked; afterwards it is as it was.

    Args:
        env: the environment.
        limits: how far to go.
        state: what tells states apart.
        seed: for reset.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        limits: Limits,
        *,
        state: Callable[[Any], Any] | Sequence[str] | str | None,
        seed: int | None,
    ) -> None:
        self.layers = Layers(env)
        self.shared = GlobalGenerators(self.layers.unwrapped)
        self.seed = seed
        self._limits = limits
        self._state = _state_function(state)

    def __enter__(self) -> Session:
        self.layers.connect()
        try:
            chance = Chance(skip_below=self._limits.skip_below, max_branches=self._limits.max_branches)
            generator = EnumeratingGenerator(chance)
            contents = Contents(self.layers, References(generator, EnumeratingRandom(generator), self.layers.parts))
            self.stepper = Stepper(self.layers, contents, generator, chance, self._state, self.seed)
            self.layers.seed_spaces(generator)
        except BaseException:
            self.layers.give_back()
            raise
        return self

    def play_for_real(self, seed: int) -> None:
        """Make the environment as it came, so that it draws as it does for its user."""
        self._real_seed = seed
        self.layers.give_back()
        self.layers.connect()
        self.stepper.contents.rewind((np.random.default_rng(seed), random.Random(seed)))

    def real_reset(self, episode: int, rng: np.random.Generator) -> Any:
        """Start an episode as the user would; the first one seeds the environment."""
        if self.seed is not None:
            observation, _ = self.layers.outermost.reset(seed=self.seed)
            # The same seed would let chance fall the same in every episode.
            self.layers.unwrapped.np_random = np.random.default_rng(int(rng.integers(2**31)))
            return observation
        observation, _ = (
            self.layers.outermost.reset(seed=self._real_seed) if episode == 0 else self.layers.outermost.reset()
        )
        return observation

    def real_key(self, observation: Any) -> Any:
        """The key of the state that the real environment is in."""
        return (
            self.stepper.key(observation)
            if self.stepper.state is not None
            else self.stepper.contents.take(own=False)[1]
        )

    def __exit__(self, *exception: Any) -> None:
        self.layers.give_back()
        self.shared.restore()


def _state_function(state: Any) -> Callable[[Any, Any], Any] | None:
    """What `state=` asks for, as a function of the unwrapped environment and its observation."""
    if state is None:
        return None
    if callable(state):
        return lambda env, observation: state(env)
    if state == "observation":
        return lambda env, observation: observation
    names = (state,) if isinstance(state, str) else tuple(state)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"state must be a function, names of attributes or 'observation', but is {state!r}")

    def attributes(env: Any, observation: Any) -> Any:
        missing = [name for name in names if not hasattr(env, name)]
        if missing:
            raise ValueError(f"state must name attributes of the environment, but it has no {missing[0]!r}")
        return tuple(getattr(env, name) for name in names)

    return attributes
