"""Playing with the keyboard: `rl_envs.play("LineWalk")` opens a window and reads the keys."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from rl_envs.drawing.picture import pygame_module
from rl_envs.names import unknown
from rl_envs.registry import WORLDS, environment_id
from rl_envs.worlds.actions import action_index

# How often per second the keyboard is read. At a world's own low frame rate, a short tap would be missed.
READS_PER_SECOND = 60

# How long the last picture of an episode stays, in seconds.
PAUSE_AT_THE_END = 1.0

# The arrow keys equivalent to letters. They are pygame's numbers, which have no names before pygame is imported.
ARROW_KEYS = {"w": 1073741906, "a": 1073741904, "s": 1073741905, "d": 1073741903}
ARROW_ACTIONS = {"w": "up", "a": "left", "s": "down", "d": "right"}

WAIT = object()  # the action that gymnasium.utils.play sends while no key is pressed


def play(
    world: str | gym.Env[Any, Any],
    *,
    seed: int | None = None,
    zoom: float = 1.0,
    keys: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> None:
    """Play a world in a window, with the keyboard, until the window is closed or Esc is pressed.

    Nothing happens until a key is pressed. A tap is one step; holding a key repeats it. The keys are printed first.

    Args:
        world: a world's name ("LineWalk") or Gymnasium id, or an environment made with `render_mode="rgb_array"`.
        seed: seeds the first episode.
        zoom: size of the window, as a multiple of the picture's.
        keys: an action for each string of keys that are held down together; by default the world's own.
        **arguments: for the environment (size=7, slip=0.1, render_overlay="value", ...).

    Raises:
        DependencyNotInstalled: pygame is missing.
        ValueError: an unknown name, a world without keys, or an environment that returns no pictures.
        TypeError: neither a name nor an environment, or arguments for an environment that already exists.
        gymnasium.error.Error: an unknown id.
    """
    pygame_module()  # if it is missing, our message says what to install
    ours = isinstance(world, str)
    env = _make(world, arguments)
    try:
        if env.render_mode != "rgb_array":
            raise ValueError(f'play() needs an environment with render_mode="rgb_array", but has {env.render_mode!r}')
        keys = getattr(env.unwrapped, "get_keys_to_action", dict)() if keys is None else keys
        if not keys:
            raise ValueError("this world has no keys: pass keys={...} with a key for each action")
        print(f"{describe_keys(keys, env)}. Esc ends the game.")
        gymnasium_play()(
            StepsOnKeys(env),
            keys_to_action=with_arrow_keys(keys, env),
            noop=WAIT,
            fps=READS_PER_SECOND,
            zoom=zoom,
            seed=seed,
        )
    finally:
        if ours:
            env.close()


def describe_keys(keys: Mapping[str, Any], env: gym.Env[Any, Any]) -> str:
    """What each key does, in one line.

    Args:
        keys: an action for each string of keys that are held down together.
        env: whose actions they are.
    """
    names = getattr(env.unwrapped, "action_names", None)
    described = []
    for key, action in keys.items():
        if len(key) == 1:
            name = action if names is None else names[_index(action, env)]
            described.append(f"{key} {name}")
    chords = ", several at a time where that has a meaning" if any(len(key) > 1 for key in keys) else ""
    return f"Keys: {'; '.join(described)}{chords}"


def with_arrow_keys(keys: Mapping[str, Any], env: gym.Env[Any, Any]) -> dict[Any, Any]:
    """The keys and, where w, a, s or d mean a direction, the arrow key of that direction as well.

    Args:
        keys: an action for each string of keys that are held down together.
        env: the environment that they control.

    Returns:
        Keys in the form that `gymnasium.utils.play` takes.
    """
    names = getattr(env.unwrapped, "action_names", ())
    arrows: dict[Any, Any] = {
        (code,): keys[letter]
        for letter, code in ARROW_KEYS.items()
        if letter in keys and names and names[_index(keys[letter], env)] == ARROW_ACTIONS[letter]
    }
    return {**keys, **arrows}


def _index(action: Any, env: gym.Env[Any, Any]) -> int:
    """The number of an action among the environment's `action_names`."""
    space: Any = env.unwrapped.action_space  # only a TabularEnv has action names
    return action_index(action, space)


def _make(world: str | gym.Env[Any, Any], arguments: dict[str, Any]) -> gym.Env[Any, Any]:
    """The environment to play, made from its name or id, or the given one."""
    if isinstance(world, str):
        if world not in WORLDS and world not in gym.registry and "/" not in world:
            raise ValueError(unknown("world", world, WORLDS))
        return gym.make(environment_id(world), render_mode="rgb_array", **arguments)
    if arguments:
        raise TypeError(f"an existing environment takes no arguments, but got {', '.join(arguments)}")
    if not isinstance(world, gym.Env):
        raise TypeError(f"play() takes a world's name, an id or an environment, not {world!r}")
    return world


def gymnasium_play() -> Callable[..., None]:
    """Gymnasium's `play`, without its side effect on matplotlib: its import makes all figures open windows."""
    try:
        import matplotlib
    except ImportError:
        settings: Any = {}
    else:
        settings = matplotlib.rcParams
    # As it is stored: asking for it in the usual way would choose one.
    before = dict.get(settings, "backend")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no matplotlib, which only its plots of a game would need
        from gymnasium.utils.play import play as played
    if dict.get(settings, "backend") is not before:
        if isinstance(before, str):
            matplotlib.use(before)
        else:
            dict.__setitem__(settings, "backend", before)  # none was chosen yet, and none is now
    return played


class StepsOnKeys(gym.Wrapper[Any, Any, Any, Any]):
    """Turns key presses into steps: one when a key is pressed, and more while it is held.

    Gymnasium's `play` steps at every frame, with or without a key, and starts the next episode at once. Here the
    environment waits, and the end of an episode stays visible.

    Args:
        env: the environment to play.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        fps = env.metadata.get("render_fps", READS_PER_SECOND)
        self._repeat = max(1, round(READS_PER_SECOND / fps))  # readings between two steps of a key held down
        self._held: Any = WAIT
        self._readings = 0  # since the key went down, or since the end
        self._over = False
        self._result: Any = None
        self._stepped = False
        self._picture: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; only the first one uses the seed, otherwise all would be equal."""
        observation, info = self.env.reset(seed=None if self._stepped else seed, options=options)
        self._over = False
        self._picture = None
        self._result = (observation, 0.0, False, False, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Read the keyboard once: `WAIT` or the action of the pressed keys."""
        if self._result is None:
            raise ResetNeeded("no episode is running: call reset() first")
        self._readings += 1
        if self._over:
            if self._readings < PAUSE_AT_THE_END * READS_PER_SECOND:
                return self._waiting()
            return self._result
        if action is WAIT or not np.array_equal(action, self._held):
            self._readings = 0
        self._held = action
        if action is WAIT or self._readings % self._repeat:
            return self._waiting()
        self._stepped = True
        self._picture = None
        self._result = self.env.step(action)
        if self._result[2] or self._result[3]:
            self._over, self._readings = True, 0
        return self._waiting()

    def _waiting(self) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """The last result, as if the episode continued."""
        observation, reward, _, _, info = self._result
        return observation, reward, False, False, info

    def render(self) -> Any:
        """The picture, redrawn only after a step."""
        if self._picture is None:
            self._picture = self.env.render()
        return self._picture
