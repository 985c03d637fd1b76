"""The environment and the wrappers that are part of its dynamics; those that change nothing are stepped around."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from rl_envs.extraction.refusal import NotTabular
from rl_envs.extraction.transparent import TRANSPARENT, is_one_of

# Wrappers whose running statistics make every state new, by the start of their module and their name.
_NEVER_REPEATS = {
    "NormalizeObservation": "keeps running statistics",
    "NormalizeReward": "keeps running statistics",
    "Autoreset": "starts the next episode by itself",
    "AutoResetWrapper": "starts the next episode by itself",
    "AsyncVectorEnv": "runs in other processes",
}


class Around(gym.Env[Any, Any]):
    """Shows something of another kind as a Gymnasium environment; what is inside, as `env`, holds the state."""

    env: Any


class Layers:
    """An environment with the wrappers around it that its dynamics pass through.

    Args:
        env: the environment, wrapped or not.

    Attributes:
        parts: outermost first, the environment itself last.
        max_episode_steps: the time limit of its wrappers, or None.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self.parts: list[Any] = []
        self.max_episode_steps: int | None = None
        limits: list[int] = []
        while isinstance(env, (gym.Wrapper, Around)):
            if is_one_of(env, TRANSPARENT):
                if type(env).__name__ == "TimeLimit":
                    limits.append(env.get_wrapper_attr("_max_episode_steps"))
            else:
                reason = _NEVER_REPEATS.get(type(env).__name__)
                if reason is not None:
                    raise NotTabular(
                        f"the wrapper {type(env).__name__} {reason}, so its states never repeat: pass the environment "
                        "inside it"
                    )
                self.parts.append(env)
            env = env.env
        self.parts.append(env)
        self.max_episode_steps = min(limits, default=None)
        self._space_generators: list[tuple[Any, Any]] = []
        self._saved = [dict(part.__dict__) for part in self.parts]

    @property
    def outermost(self) -> Any:
        """What is stepped."""
        return self.parts[0]

    @property
    def unwrapped(self) -> Any:
        """The environment itself."""
        return self.parts[-1]

    def connect(self) -> None:
        """Let each layer call the next one directly, past the wrappers between them that change nothing."""
        for outer, inner in zip(self.parts, self.parts[1:]):
            outer.env = inner

    def seed_spaces(self, generator: Any) -> None:
        """Let what is sampled from a space of the environment come from a generator."""
        self._space_generators = []
        for part in self.parts:
            for space in _spaces(part):
                self._space_generators.append((space, space._np_random))
                space._np_random = generator

    def keep_as_is(self) -> None:
        """Let `give_back` go back to what the layers hold now."""
        self._saved = [dict(part.__dict__) for part in self.parts]

    def give_back(self) -> None:
        """Leave every layer with the attributes that it came with."""
        for space, generator in reversed(self._space_generators):
            space._np_random = generator
        self._space_generators = []
        for part, saved in zip(self.parts, self._saved, strict=True):
            part.__dict__.clear()
            part.__dict__.update(saved)


def _spaces(part: Any) -> list[Any]:
    """The spaces of a layer: one of each kind, or one for each agent of a game."""
    if isinstance(part, gym.Env):
        return [part.observation_space, part.action_space]
    return [space for name in ("observation_spaces", "action_spaces") for space in getattr(part, name, {}).values()]
