"""A world as a Gymnasium environment."""

from __future__ import annotations

import copy
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from rl_envs.envs.random_streams import noise_generator
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.registry import build
from rl_envs.worlds.actions import action_index
from rl_envs.worlds.observation import Index
from rl_envs.worlds.world import World, initial_state

if TYPE_CHECKING:
    from rl_envs.options import Option
    from rl_envs.rendering.renderer import History, Renderer

# One outcome of a state and action: next state, reward, its noise, whether the episode continues, and info. They are
# Python numbers, because a single one is many times faster to read than an entry of an array.
Outcome = tuple[int, float, float, bool, dict[str, Any]]


class TabularEnv(gym.Env[Any, Any]):
    """A world as a Gymnasium environment that samples from the table.

    In a stochastic world, every step draws one uniform number from `np_random`; with several first states, so does
    every reset. A deterministic world draws nothing. Noise on rewards comes from a second generator, seeded from
    `np_random`. Each copy of the native vector environment draws in the same way.

    Args:
        world: a `World`, or the name of a registered one ("LineWalk").
        render_mode: "human", "rgb_array", "ansi" or None.
        render_overlay: "value", "policy" or "visits" drawn over the picture, or None.
        **arguments: for the builder of a registered world (size=7, slip=0.1, observation="one_hot", discount=0.9, ...).

    Raises:
        ValueError: an unknown world or render mode; the message lists those known.
        TypeError: arguments that the world's builder does not take.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 4}

    def __init__(
        self,
        world: World | str,
        *,
        render_mode: str | None = None,
        render_overlay: str | None = None,
        **arguments: Any,
    ) -> None:
        self.world = build(world, **arguments)
        # Copies, because spaces carry a generator: environments of one world must not draw each other's samples.
        self.observation_space = copy.deepcopy(self.world.observation.space)
        self.action_space = copy.deepcopy(self.world.action_space)
        self.action_names = self.world.action_names
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be one of {self.metadata['render_modes']}, but is {render_mode!r}")
        self.render_mode = render_mode
        mdp = self.world.mdp
        self._renderer: Renderer | None = None
        self._history: History | None = None  # kept only if something is drawn
        if render_mode is not None or render_overlay is not None:
            from rl_envs.rendering.renderer import History, Renderer

            self._renderer = Renderer(self.world, render_mode, self.metadata["render_fps"], render_overlay)
            self._history = History(mdp.num_states, mdp.num_actions)

        self._num_actions = mdp.num_actions
        self._joint = bool(self.world.simultaneous)
        self._chance = mdp.num_outcomes > 1
        self._noisy = mdp.reward_std is not None
        self._observe = None if isinstance(self.world.observation, Index) else self.world.observation.of
        self._starts = np.flatnonzero(mdp.start).tolist()
        self._start_cumulative = [*np.cumsum(mdp.start[self._starts])[:-1].tolist(), 1.0]
        self._start_info: dict[str, Any] = {name: np.float64(0.0) for name in self.world.action_info}
        if self.world.goal_states is not None:
            self._start_info["is_success"] = np.int8(0)
        # By pair, state * num_actions + action; filled when a pair is first met, so a huge table costs nothing up
        # front.
        self._outcomes: dict[int, list[Outcome]] = {}
        self._cumulative: dict[int, list[float]] = {}

        self._state = 0
        self._running = False  # between a reset and the end that follows it
        self._seeded: np.random.Generator | None = None  # the generator that the noise was seeded from
        self._noise: np.random.Generator | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: seeds `np_random`; None keeps the current generator.
            options: `{"state": s}` starts in state s instead of drawing one; other keys are ignored.

        Returns:
            The first observation and info.

        Raises:
            ValueError: a state out of range, or a terminal one.
            TypeError: a state that is not an integer.
        """
        state = initial_state(self.world, options)
        super().reset(seed=seed)
        generator = self.np_random
        if self._noisy and generator is not self._seeded:
            self._noise = noise_generator(generator)
            self._seeded = generator
        if state is None:
            if len(self._starts) == 1:
                state = self._starts[0]
            else:
                state = self._starts[bisect_right(self._start_cumulative, generator.random())]
        self._state = state
        self._running = True
        if self._history is not None:
            self._history.begin(state)
            if self.render_mode == "human":
                self.render()
        return self.world.observation.of(state), self._start_info.copy()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action.

        Args:
            action: an integer of the action space (any integer type, also a 0-d array), or a row of them if the space
                is MultiDiscrete.

        Returns:
            Observation, reward, terminated, truncated (always False: time limits are Gymnasium's wrapper) and info.

        Raises:
            ResetNeeded: no episode is running: before the first reset, or after the end of one.
            InvalidAction: an action out of range or of the wrong type or shape. The environment does not change.
        """
        if not self._running:
            raise ResetNeeded("no episode is running: call reset() first, and again after each end of an episode")
        # A Python int in range is by far the most common action, so it skips the checks.
        if type(action) is not int or not 0 <= action < self._num_actions or self._joint:
            action = action_index(action, self.world.action_space)
        pair = self._state * self._num_actions + action
        outcomes = self._outcomes.get(pair) or self._look_up(pair)
        if self._chance:
            k = bisect_right(self._cumulative[pair], self.np_random.random())
            state, reward, reward_std, self._running, info = outcomes[k]
        else:
            state, reward, reward_std, self._running, info = outcomes[0]
        self._state = state
        if self._noise is not None:
            reward += reward_std * self._noise.standard_normal()
        if self._history is not None:
            self._history.add(action, reward, state)
            if self.render_mode == "human":
                self.render()
        observation = state if self._observe is None else self._observe(state)
        return observation, reward, not self._running, False, info.copy()

    def render(self) -> str | np.ndarray | None:
        """Draw the current state of the episode.

        Returns:
            Lines of text in mode "ansi", a picture uint8 [H, W, 3] in mode "rgb_array", None in mode "human".

        Raises:
            ResetNeeded: nothing to draw before the first reset.
        """
        if self._renderer is None or self.render_mode is None:
            gym.logger.warn('render() draws nothing without a mode: pass render_mode="ansi" or "rgb_array" to gym.make')
            return None
        if self._history is None or not self._history.begun:
            raise ResetNeeded("there is nothing to draw before the first reset()")
        return self._renderer.draw(self._history.frame())

    def overlay(self, *, values: Any = None, policy: Any = None, title: str = "the agent's") -> None:
        """Draw an agent's values or policy over the picture from now on, instead of `render_overlay`.

        Args:
            values: of states [S], or of states and actions [S, A], as a heat map; None for none.
            policy: an action for every state [S] or probabilities [S, A], as arrows; None for none. With neither, the
                picture shows `render_overlay` again.
            title: what they are, for the legend.

        Raises:
            ValueError: an array of the wrong shape or with impossible entries, or an environment that draws nothing.
        """
        if self._renderer is None:
            raise ValueError('overlay() needs a picture to draw on: pass render_mode="rgb_array" to gym.make')
        self._renderer.lay_over(values, policy, title)

    def show_option(self, option: Option | str | None) -> None:
        """Show in the picture which option the agent is following, until the next call or reset.

        Args:
            option: the option, whose moves are drawn by worlds with a map; or just its name; None for none.

        Raises:
            TypeError: neither an option nor a name.
            ValueError: an option of another world, or an environment that draws nothing.
        """
        if self._history is None:
            raise ValueError('show_option() needs a picture to show it in: pass render_mode="rgb_array" to gym.make')
        self._history.follow(option)

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """The table in toy-text form, `P[state][action] = [(probability, next_state, reward, terminated)]`."""
        return self.world.mdp.transitions()

    @property
    def initial_state_distrib(self) -> np.ndarray:
        """The distribution of the first state, [S]."""
        return self.world.mdp.start

    def get_state(self) -> dict[str, Any]:
        """The complete state of the environment, for `set_state`.

        Returns:
            A dictionary of plain numbers, strings and dictionaries.
        """
        return {
            "world": self.world.mdp.content_hash,
            "state": self._state,
            "running": self._running,
            "generator": self.np_random.bit_generator.state,
            "noise": None if self._noise is None else self._noise.bit_generator.state,
        }

    def set_state(self, saved: dict[str, Any]) -> None:
        """Restore a state from `get_state`, in this environment or another one of the same world.

        Args:
            saved: what `get_state` returned.

        Raises:
            ValueError: the state of another world, or not a state.
            TypeError: a part of it has the wrong type.
        """
        if not isinstance(saved, dict) or saved.get("world") != self.world.mdp.content_hash:
            raise ValueError(f"the state must come from get_state() of {self.world.name} with the same table")
        missing = sorted({"state", "running", "generator", "noise"} - saved.keys())
        if missing:
            raise ValueError(f"the state must come from get_state(), but has no {missing[0]!r}")
        state = check_integer("the saved state", saved["state"], low=0, high=self.world.mdp.num_states - 1)
        if not isinstance(saved["running"], bool):
            raise TypeError(f"whether the saved episode is running must be a bool, but is {saved['running']!r}")
        if saved["running"] and (saved["noise"] is not None) != self._noisy:
            raise ValueError(f"the state must come from get_state() of {self.world.name}, but its noise does not fit")
        noise = None
        if saved["noise"] is not None:
            noise = np.random.default_rng(0)
            noise.bit_generator.state = saved["noise"]
        self.np_random.bit_generator.state = saved["generator"]
        self._noise = noise
        self._seeded = None if noise is None else self.np_random
        self._state = state
        self._running = saved["running"]
        if self._history is not None:
            self._history.begin(self._state)

    def get_keys_to_action(self) -> dict[str, Any]:
        """The keyboard's keys for `gymnasium.utils.play`.

        Returns:
            The action for each string of keys that are held down together.
        """
        if not self._joint:
            return dict(self.world.keys)
        sizes = self.world.simultaneous
        return {
            keys: np.array(np.unravel_index(action, sizes), dtype=np.int64) for keys, action in self.world.keys.items()
        }

    def _look_up(self, pair: int) -> list[Outcome]:
        """Read a pair's outcomes from the table's arrays, and keep them."""
        mdp = self.world.mdp
        at = divmod(pair, self._num_actions)
        info: dict[str, Any] = {name: np.float64(table[at]) for name, table in self.world.action_info.items()}
        std = np.zeros(mdp.num_outcomes) if mdp.reward_std is None else mdp.reward_std[at]
        columns = (mdp.next_state[at].tolist(), mdp.reward[at].tolist(), std.tolist(), mdp.terminated[at].tolist())
        outcomes = self._outcomes[pair] = []
        for next_state, reward, reward_std, terminated in zip(*columns, strict=True):
            outcome_info = dict(info)
            if self.world.goal_states is not None:
                outcome_info["is_success"] = np.int8(terminated and self.world.goal_states[next_state])
            outcomes.append((next_state, reward, reward_std, not terminated, outcome_info))
        self._cumulative[pair] = mdp.cumulative[at].tolist()
        return outcomes
