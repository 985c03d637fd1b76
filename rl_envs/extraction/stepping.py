"""One step of an environment from a given content, with everything that chance can make of it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from rl_envs.extraction.attributes import Content
from rl_envs.extraction.chance import Chance
from rl_envs.extraction.content import ATOMS, fingerprint
from rl_envs.extraction.contents import Contents
from rl_envs.extraction.draws import Draw
from rl_envs.extraction.generator import EnumeratingGenerator
from rl_envs.extraction.layers import Layers
from rl_envs.extraction.refusal import BranchLeftOut, NotTabular


class Arrival(NamedTuple):
    """One way that a step or a reset can go."""

    probability: float
    key: Any  # of the state arrived in; None where the episode terminates
    content: Content | None  # of that state; an end is taken down only if somebody asks, while it lasts
    reward: float  # mean
    reward_std: float
    terminated: bool
    truncated: bool
    observation: Any
    seen: Any  # the observation's fingerprint


class Stepper:
    """Runs resets and steps of an environment from any content.

    Args:
        layers: the environment and its wrappers.
        contents: takes down and puts back.
        generator: stands in for the environment's.
        chance: makes the choices.
        state: gives the key of the state that the environment is in now, or None for its whole content.
        seed: passed to reset; None lets chance fall in every way.
    """

    def __init__(
        self,
        layers: Layers,
        contents: Contents,
        generator: EnumeratingGenerator,
        chance: Chance,
        state: Callable[[Any, Any], Any] | None,
        seed: int | None,
    ) -> None:
        self._layers = layers
        self.contents = contents
        self.generator = generator
        self.chance = chance
        self.state = state
        contents.keyed = state is None
        self._seed = seed
        self.before_reset: Content | None = None
        self.steps = 0  # run so far

    def starts(self) -> list[Arrival]:
        """All the ways in which an episode can start."""
        return list(self.each_start())

    def each_start(self) -> Iterator[Arrival]:
        """The ways in which an episode can start, each run when it is asked for."""
        if self.before_reset is None:
            raise ValueError("before_reset must be set first")
        return self._runs(self.before_reset, self._reset, None)

    def steps_from(self, content: Content, action: Any) -> list[Arrival]:
        """All the ways in which a step can go."""
        return list(self.each_step_from(content, action))

    def each_step_from(self, content: Content, action: Any) -> Iterator[Arrival]:
        """The ways in which a step can go, each run when it is asked for."""
        step = self._layers.outermost.step
        return self._runs(content, step, action)

    def _reset(self, _: None) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.reset(), 0.0, False, False, {}

    def reset(self) -> Any:
        """Start an episode as the environment does; returns the observation."""
        reset = self._layers.outermost.reset
        try:
            made = reset() if self._seed is None else reset(seed=self._seed)
        except NotTabular:
            raise
        except Exception as error:
            raise NotTabular(f"reset() must not fail, but raises {type(error).__name__}: {error}") from error
        if not isinstance(made, tuple) or len(made) != 2:
            raise NotTabular(f"reset() must return an observation and info, but returned {_short(made)}")
        self.give_generator()
        return made[0]

    def play(self, action: Any) -> bool:
        """Take one step as chance falls; returns whether it ends the episode."""
        self.steps += 1
        _, reward, terminated, truncated = _five(self._layers.outermost.step(action))[:4]
        _reward(reward)
        return bool(terminated or truncated)

    def give_generator(self) -> None:
        """Put the stand-in where the environment keeps its random generator."""
        for part in self._layers.parts:
            for name, value in part.__dict__.items():
                if type(value) is random.Random:
                    part.__dict__[name] = self.contents.references.python_generator
                if isinstance(value, (np.random.Generator, np.random.RandomState)) and value is not self.generator:
                    if self._seed is None and name not in ("_np_random", "np_random"):
                        raise NotTabular(
                            f"draws must come from self.np_random, but {type(part).__name__}.{name} is a random "
                            "generator that reset() makes anew: draw from self.np_random, which reset(seed=) seeds"
                        )
                    part.__dict__[name] = self.generator
            if part is self._layers.unwrapped:
                part.__dict__["_np_random"] = self.generator

    def _runs(self, content: Content, run: Callable[[Any], Any], action: Any) -> Iterator[Arrival]:
        contents, chance = self.contents, self.chance
        chance.begin()
        while True:
            contents.put_back(content)
            self.steps += 1
            try:
                observation, reward, terminated, truncated, _ = _five(run(action))
            except BranchLeftOut:
                pass
            else:
                mean, std = (reward, 0.0) if type(reward) is float else _reward(reward)
                if not isfinite(mean):
                    raise NotTabular(f"a reward must be finite, but is {mean}")
                seen = self.see(observation)
                if terminated:
                    yield Arrival(chance.mass, None, None, mean, std, True, bool(truncated), observation, seen)
                else:
                    taken, key = contents.take()
                    if self.state is not None:
                        key = self.key(observation)
                    if contents.keeps_objects:
                        observation = copied(observation)
                    yield Arrival(chance.mass, key, taken, mean, std, False, bool(truncated), observation, seen)
            if not chance.advance():
                return

    def key(self, observation: Any) -> Any:
        """The key that the user's `state=` gives the state that the environment is in now."""
        assert self.state is not None
        key = self.state(self._layers.unwrapped, observation)
        try:
            hash(key)
        except TypeError:
            return fingerprint(key, self.contents.references)
        return key

    def see(self, observation: Any) -> Any:
        """A fingerprint of an observation."""
        kind = type(observation)
        if kind is np.ndarray and not observation.dtype.hasobject:
            return observation.tobytes()
        if kind in (int, str, bool) or isinstance(observation, np.integer):
            return observation if kind is str else int(observation)
        if isinstance(observation, dict):
            return tuple([self.see(part) for part in observation.values()])
        if kind in (tuple, list):
            return tuple([self.see(part) for part in observation])
        if isinstance(observation, Draw):
            raise NotTabular(f"an observation must be a function of the state, but {observation.origin} is shown in it")
        if isinstance(observation, np.ndarray):
            return tuple([self.see(part) for part in observation.ravel().tolist()])
        return fingerprint(observation, self.contents.references)


def copied(observation: Any) -> Any:
    """A copy of an observation, that no later step changes."""
    kind = type(observation)
    if kind in ATOMS:
        return observation
    if kind is np.ndarray and not observation.dtype.hasobject:
        return observation.copy()
    if kind is dict:
        return {name: copied(part) for name, part in observation.items()}
    if kind is tuple:
        return tuple([copied(part) for part in observation])
    return copy.deepcopy(observation)


def _five(made: Any) -> Any:
    """What a step returned, if it is what a step returns."""
    if type(made) is tuple and len(made) == 5:
        return made
    raise NotTabular(
        f"step() must return observation, reward, terminated, truncated and info, but returned {_short(made)}"
    )


def _reward(reward: Any) -> tuple[float, float]:
    """Mean and standard deviation of a reward."""
    if isinstance(reward, np.ndarray) and reward.dtype == object and reward.size == 1:
        reward = reward.item()
    if isinstance(reward, Draw):
        normal = reward.normal()
        if normal is None:
            raise NotTabular(
                f"noise on the reward must be normal, but {reward.origin} is part of it: replace it by its mean"
            )
        return normal
    try:
        return float(reward), 0.0
    except (TypeError, ValueError):
        raise NotTabular(f"a reward must be a number, but is {_short(reward)}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
