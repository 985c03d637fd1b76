"""Many copies of one matrix game, played at once in NumPy by populations of learners.

Every copy plays the same rounds as a separate `matrix_game.parallel_env`, with the same observations, rewards and
infos, but as arrays instead of dictionaries. Axis 0 is the copy, axis 1 the player.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded

from rl_envs.games.normal_form import NormalFormGame
from rl_envs.games.vector_game import VectorGame


class VectorMatrixGame(VectorGame):
    """n copies of a matrix game that begin and end their episodes together.

    Args:
        game: the payoff table.
        num_copies: how many copies, at least 1.
        max_cycles: rounds per episode, at least 1.

    Raises:
        ValueError: if there are no copies or no rounds.
    """

    def __init__(self, game: NormalFormGame, num_copies: int, max_cycles: int = 25) -> None:
        super().__init__(game.num_actions, num_copies, max_cycles)
        self.game = game
        self.num_states = 1 + int(np.prod(game.num_actions))  # the first round, and every last joint action
        self._strides = np.cumprod([1, *game.num_actions[:0:-1]])[::-1]  # [N] the last player's action varies fastest
        self._payoffs = np.ascontiguousarray(game.payoffs.reshape(game.num_players, -1).T)  # [J, N]
        best = [
            np.broadcast_to(own.max(axis=player, keepdims=True), own.shape).ravel()
            for player, own in enumerate(game.payoffs)
        ]
        self._round_regrets = np.stack(best, axis=1) - self._payoffs  # [J, N]
        self._cycle = -1

    def reset(self) -> np.ndarray:
        """Begin an episode in every copy.

        Returns:
            [n] int64, the state of every copy: 0, the first round.
        """
        self._cycle = 0
        return np.zeros(self.num_copies, dtype=np.int64)

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, bool, dict[str, np.ndarray]]:
        """Play one round in every copy.

        Args:
            actions: [n, N] integers, player i's action in column i.

        Returns:
            The states [n] int64 (1 + the joint action's index), rewards [n, N] float64, whether all episodes were
            truncated, and infos: `round_regret` [n, N].

        Raises:
            InvalidAction: if the actions have another shape, are not integers, or one is out of range.
            ResetNeeded: before the first reset and after the last round.
        """
        if not 0 <= self._cycle < self.max_cycles:
            raise ResetNeeded("call reset() before step(): no episode is running")
        array = self._checked(actions)
        joint = array.astype(np.int64) @ self._strides
        self._cycle += 1
        infos = {"round_regret": self._round_regrets[joint]}
        return joint + 1, self._payoffs[joint], self._cycle == self.max_cycles, infos

    def get_state(self) -> dict[str, np.ndarray]:
        """The complete state, for `set_state`: "cycle", the rounds played, -1 before the first reset."""
        return {"cycle": np.array(self._cycle)}

    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        cycle = int(saved["cycle"])
        if not -1 <= cycle <= self.max_cycles:
            raise ValueError(f"cycle must be from -1 to max_cycles = {self.max_cycles}, but is {cycle}")
        self._cycle = cycle
