"""Where game agents play: many copies of a game in NumPy, or PettingZoo environments.

Both give the same transitions for the same seeds, so agents learn the same in either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.games.task import GameTask
from rl_envs.games import NormalFormGame, VectorMarkovGame, VectorMatrixGame


@dataclass(frozen=True)
class JointTransition:
    """One round of every run, in which all players act simultaneously.

    Attributes:
        observation: the state that all players saw, [R] int64.
        action: what each did, [R, N] int64; -1 for a player that had left.
        reward: what each got, [R, N] float64; 0 for a player that had left.
        next_observation: the state after the round, [R]: where the episode ended its last one, never the first of the
            episode after it.
        terminated: whether the episode ended for a player by the game's rules, [R, N] bool.
        truncated: whether it was cut off by the limit on rounds, [R, N] bool.
        present: whether a player was still in the episode when the round began, [R, N] bool. Nothing is to be learned
            for one that had left.
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    next_observation: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    present: np.ndarray


class GameRollout(ABC):
    """A game for each run, reset within the round that ends its episode.

    Attributes:
        observation: the state of each copy now, [R] int64.
    """

    observation: np.ndarray

    @abstractmethod
    def step(self, action: np.ndarray) -> JointTransition:
        """Play one round in every copy.

        Args:
            action: [R, N].

        Returns:
            What happened.
        """

    def state(self) -> dict[str, np.ndarray]:
        """The arrays to resume the episodes from; empty where the environments cannot be saved."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:  # noqa: B027 - where nothing was given
        """Resume from what `state` returned."""


class MatrixGameRollout(GameRollout):
    """Many copies of a matrix game, whose players see no state.

    Args:
        game: the payoffs.
        num_copies: how many copies.
        max_cycles: rounds an episode.
    """

    def __init__(self, game: NormalFormGame, num_copies: int, max_cycles: int) -> None:
        self._game = VectorMatrixGame(game, num_copies, max_cycles)
        self._game.reset()
        self.observation = np.zeros(num_copies, dtype=np.int64)
        self._all = np.ones((num_copies, game.num_players), dtype=np.bool_)
        self._none = np.zeros((num_copies, game.num_players), dtype=np.bool_)
        for array in (self.observation, self._all, self._none):
            array.setflags(write=False)  # one array stands in every transition

    def step(self, action: np.ndarray) -> JointTransition:
        _, reward, truncated, _ = self._game.step(action)
        if truncated:
            self._game.reset()
        cut = self._all if truncated else self._none
        return JointTransition(self.observation, action, reward, self.observation, self._none, cut, self._all)

    def state(self) -> dict[str, np.ndarray]:
        return self._game.get_state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self._game.set_state(state)


class MarkovGameRollout(GameRollout):
    """Many copies of a two-player zero-sum Markov game, each with a random stream of its own.

    Args:
        task: the game.
        num_copies: how many copies.
        first_seed: copy i is seeded `first_seed + i`.
    """

    def __init__(self, task: GameTask, num_copies: int, first_seed: int) -> None:
        if isinstance(task.table, NormalFormGame):
            raise TypeError(f"{task.name} is a matrix game and has no states")
        self._game = VectorMarkovGame(task.table, num_copies, task.max_cycles)
        self.observation = self._game.reset(seed=first_seed)
        self._all = np.ones((num_copies, 2), dtype=np.bool_)
        self._all.setflags(write=False)

    def step(self, action: np.ndarray) -> JointTransition:
        observation = self.observation
        self.observation, reward, terminated, truncated, reached = self._game.step(action)
        return JointTransition(
            observation,
            action,
            np.stack([reward, 0.0 - reward], axis=1),
            reached,
            np.stack([terminated, terminated], axis=1),
            np.stack([truncated, truncated], axis=1),
            self._all,
        )

    def state(self) -> dict[str, np.ndarray]:
        return {"observation": self.observation, **self._game.get_state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self.observation = np.array(state["observation"])
        self._game.set_state({name: array for name, array in state.items() if name != "observation"})


class PettingZooRollout(GameRollout):
    """A PettingZoo parallel environment for each run: dictionaries outside, arrays inside.

    A player that has left an episode is missing in the dictionaries. It is asked for no action, and `present` is False
    in its row. The episode is over when no player is left, and the next begins at once.

    Args:
        envs: one environment a run, with the same agents.
        seeds: one a run, for the first reset.
        state_seen: the number of the state in an agent's observation.
    """

    def __init__(self, envs: Sequence[Any], seeds: Sequence[int], state_seen: Callable[[Any], int]) -> None:
        self._envs = list(envs)
        self._agents = list(envs[0].possible_agents)
        self._state_seen = state_seen
        first = [env.reset(seed=seed)[0] for env, seed in zip(self._envs, seeds, strict=True)]
        self.observation = np.array([self._state(observations) for observations in first], dtype=np.int64)

    def step(self, action: np.ndarray) -> JointTransition:
        shape = (len(self._envs), len(self._agents))
        reward, present = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        terminated, truncated = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        before, reached = self.observation, np.empty_like(self.observation)
        now = np.empty_like(before)
        for run, env in enumerate(self._envs):
            chosen = {name: int(action[run, self._agents.index(name)]) for name in env.agents}
            observations, rewards, terminations, truncations, _ = env.step(chosen)
            for name in chosen:
                player = self._agents.index(name)
                present[run, player] = True
                reward[run, player] = rewards[name]
                terminated[run, player], truncated[run, player] = terminations[name], truncations[name]
            now[run] = reached[run] = self._state(observations)
            if not env.agents:
                now[run] = self._state(env.reset()[0])
        self.observation = now
        taken = np.where(present, action, -1)
        return JointTransition(before, taken, reward, reached, terminated, truncated, present)

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()

    def _state(self, observations: Mapping[str, Any]) -> int:
        """The state, from any agent's observation: all agents see the same."""
        return self._state_seen(next(iter(observations.values())))
