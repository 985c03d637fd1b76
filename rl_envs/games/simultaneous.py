"""The common part of both PettingZoo environments: agents, spaces, seeds, checked actions, rounds, states and pictures.

Every agent observes the state, and all agents act simultaneously. A state s is observed as the number s + 1, or as a
one-hot vector. 0 is never used, because PettingZoo's api_test treats an observation of zeros as an error, and because
sequence models reserve it for padding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import index as as_index
from typing import Any, ClassVar, NoReturn

import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils import seeding

from rl_envs.drawing.window import Window
from rl_envs.names import unknown

OBSERVATIONS = ("index", "one_hot")


class SimultaneousGame(ABC):
    """The common part of a PettingZoo parallel environment in which every agent acts in every round.

    A concrete environment names `pettingzoo.ParallelEnv` among its own bases, keeps its state number in `_state`, and
    provides `reset`, `_play`, `_as_text` and `_as_pixels`.
    """

    metadata: ClassVar[dict[str, Any]]
    possible_agents: list[str]
    agents: list[str]
    max_cycles: int
    render_mode: str | None

    def _set_up(
        self,
        num_actions: tuple[int, ...],
        num_states: int,
        max_cycles: int,
        render_mode: str | None,
        observation: str,
    ) -> None:
        self.max_cycles = _validated_max_cycles(max_cycles)
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(unknown("render mode", render_mode, self.metadata["render_modes"]))
        if observation not in OBSERVATIONS:
            raise ValueError(unknown("observation", observation, OBSERVATIONS))
        self.render_mode = render_mode
        self.observation = observation
        self.possible_agents = [f"player_{player}" for player in range(len(num_actions))]
        self.agents = []
        self.action_spaces = {
            agent: spaces.Discrete(count) for agent, count in zip(self.possible_agents, num_actions, strict=True)
        }
        self.observation_spaces = {agent: self._space_of_states(num_states) for agent in self.possible_agents}
        self.state_space = self._space_of_states(num_states)
        self._num_states = num_states
        # Made once, because copying a small array is twice as fast as making one.
        self._shown = [np.array(state + 1, dtype=np.int64) for state in range(num_states)]
        self._counts = list(zip(self.possible_agents, num_actions))
        self._state: Any = None  # an int from the first reset on
        self._cycle = 0
        self._np_random: np.random.Generator | None = None
        self._window = Window(self.metadata["name"], self.metadata["render_fps"])

    @property
    def np_random(self) -> np.random.Generator:
        """The environment's only random generator; `reset(seed=)` seeds it."""
        if self._np_random is None:
            self._np_random, _ = seeding.np_random()
        return self._np_random

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._np_random = generator

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The observation space of an agent, always the same object."""
        return self.observation_spaces[self._known(agent)]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The action space of an agent, always the same object."""
        return self.action_spaces[self._known(agent)]

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play one round.

        Args:
            actions: one action per live agent; `{}` once the episode is over.

        Returns:
            Observations, rewards, terminations, truncations and infos, one entry per agent; five empty dictionaries
            once the episode is over.

        Raises:
            InvalidAction: if an action is not an integer or out of range.
            ValueError: if a live agent is missing, or an agent is unknown.
            ResetNeeded: before the first reset, and for actions after the end.
        """
        agents = self.agents
        if not agents:
            return self._step_without_agents(actions)
        rewards, terminated, infos = self._play(self._joint_index(actions))
        self._cycle += 1
        truncated = self._cycle >= self.max_cycles
        observations = self._observations()
        if terminated or truncated:
            self.agents = []
        if self.render_mode == "human":
            self.render()
        return (
            observations,
            dict(zip(agents, rewards)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            infos,
        )

    def state(self) -> np.ndarray:
        """The state as a fresh array, in the form in which the agents observe it.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._state is None:
            raise ResetNeeded("call reset() before state(): there is no state yet")
        return self._observed().copy()

    def render(self) -> np.ndarray | str | None:
        """Draw the state by the render mode: a picture, a text, or a window that shows it (and nothing returned).

        Raises:
            ResetNeeded: before the first reset.
            ValueError: if the environment was made without a render mode.
        """
        if self.render_mode is None:
            raise ValueError(
                f"render() needs a render mode: make the environment with one of "
                f"{', '.join(self.metadata['render_modes'])}"
            )
        if self._state is None:
            raise ResetNeeded("call reset() before render(): there is nothing to draw yet")
        if self.render_mode == "ansi":
            return self._as_text()
        if self.render_mode == "rgb_array":
            return self._as_pixels()
        self._window.show(self._as_pixels())
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()

    def check_action(self, agent: str, action: Any) -> int:
        """An agent's action as an int.

        Args:
            agent: one of `possible_agents`.
            action: an int, a NumPy integer, or an array of no dimensions with one.

        Returns:
            The action, from 0.

        Raises:
            InvalidAction: if it is not an integer or out of range.
            ValueError: if there is no such agent.
        """
        count = int(self.action_spaces[self._known(agent)].n)
        try:
            number = as_index(action)
        except TypeError:
            raise InvalidAction(
                f"the action of {agent} must be an integer from 0 to {count - 1}, but is {action!r} of type "
                f"{type(action).__name__}"
            ) from None
        if not 0 <= number < count:
            raise InvalidAction(f"the action of {agent} must be from 0 to {count - 1}, but is {number}")
        return number

    def _seed(self, seed: int | None) -> None:
        if seed is not None:
            self._np_random, _ = seeding.np_random(seed)

    def _joint_index(self, actions: dict[str, Any]) -> int:
        """The joint action's number, the last agent's action varying fastest; each action is checked."""
        joint = 0
        try:
            for agent, count in self._counts:
                action = as_index(actions[agent])
                if not 0 <= action < count:
                    self._refuse(actions)
                joint = joint * count + action
        except (KeyError, TypeError):
            self._refuse(actions)
        if len(actions) != len(self._counts):
            self._refuse(actions)
        return joint

    def _refuse(self, actions: dict[str, Any]) -> NoReturn:
        """Raise the error for invalid actions; separate from the quick check in every round."""
        if not isinstance(actions, dict):
            raise TypeError(f"actions must be a dictionary from agent to action, but got {type(actions).__name__}")
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise ValueError(f"every live agent must act in every round, but {', '.join(missing)} gave no action")
        for agent in actions:
            self._known(agent)
        for agent in self.agents:
            self.check_action(agent, actions[agent])
        raise ValueError(f"these are not actions for {', '.join(self.agents)}: {actions!r}")

    def _step_without_agents(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        if self._state is None:
            raise ResetNeeded("call reset() before step(): no episode has begun")
        if actions:
            raise ResetNeeded(
                f"call reset() before step(): the episode is over and no agent is left, but actions came for "
                f"{', '.join(map(str, actions))}"
            )
        return {}, {}, {}, {}, {}

    def _known(self, agent: str) -> str:
        if agent not in self.possible_agents:
            raise ValueError(unknown("agent", agent, self.possible_agents))
        return agent

    def _space_of_states(self, num_states: int) -> spaces.Space[Any]:
        if self.observation == "one_hot":
            return spaces.Box(0.0, 1.0, (num_states,), np.float32)
        return spaces.Discrete(num_states + 1)

    def _observations(self) -> dict[str, np.ndarray]:
        """The observation of every agent, each in its own array."""
        seen = self._observed()
        return {agent: seen.copy() for agent in self.agents}

    def _observed(self) -> np.ndarray:
        """The state as the agents observe it, in a new array."""
        if self.observation == "index":
            return self._shown[self._state]
        row = np.zeros(self._num_states, dtype=np.float32)
        row[self._state] = 1.0
        return row

    @abstractmethod
    def _play(self, joint: int) -> tuple[tuple[float, ...], bool, dict[str, dict[str, Any]]]:
        """Play the joint action of this number; gives the agents' rewards, whether it ends the episode, and infos."""

    @abstractmethod
    def _as_text(self) -> str:
        """The state as text, for "ansi"."""

    @abstractmethod
    def _as_pixels(self) -> np.ndarray:
        """The state as a picture, uint8 [height, width, 3], for "rgb_array" and "human"."""


def _validated_max_cycles(max_cycles: Any) -> int:
    if isinstance(max_cycles, bool) or not isinstance(max_cycles, (int, np.integer)):
        raise TypeError(f"max_cycles must be an integer, but got {max_cycles!r}")
    if max_cycles < 1:
        raise ValueError(f"max_cycles must be at least 1, but got {max_cycles}")
    return int(max_cycles)
