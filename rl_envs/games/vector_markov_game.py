"""Many copies of one zero-sum Markov game, played at once in NumPy.

Copy i has its own generator with seed `seed + i` and draws one number per round and one per kick-off, like a single
environment with that seed: it follows the same trajectory for any number of copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding

from rl_envs.envs.random_streams import Streams
from rl_envs.games.markov_game import ZeroSumMarkovGame
from rl_envs.games.vector_game import VectorGame


class VectorMarkovGame(VectorGame):
    """n copies of a zero-sum Markov game; a copy whose episode has ended starts the next one immediately.

    Args:
        table: the game.
        num_copies: how many copies, at least 1.
        max_cycles: rounds per episode, at least 1.

    Raises:
        ValueError: if there are no copies or no rounds.
    """

    def __init__(self, table: ZeroSumMarkovGame, num_copies: int, max_cycles: int = 100) -> None:
        super().__init__(table.num_actions, num_copies, max_cycles)
        self.table = table
        # The last bound is left out: a uniform number above all the others draws the last outcome, whatever the
        # rounding of the sum.
        self._outcome_bounds = np.cumsum(table.probability, axis=-1)[..., :-1]  # [S, A1, A2, K - 1]
        self._start_bounds = np.cumsum(table.start)[:-1]
        self._states: np.ndarray | None = None  # [n]
        self._cycles = np.zeros(num_copies, dtype=np.int64)

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Begin an episode in every copy.

        Args:
            seed: copy i is seeded with `seed + i`; None keeps the generators (the first time, from entropy).

        Returns:
            [n] int64, the state of every copy.
        """
        if seed is not None or self._states is None:
            seeds = [None if seed is None else seed + copy for copy in range(self.num_copies)]
            self._streams = Streams([seeding.np_random(one)[0] for one in seeds])
        self._cycles[:] = 0
        self._states = self._started(self._streams.next())
        return self._states.copy()

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Play one round in every copy.

        Args:
            actions: [n, 2] integers, player i's action in column i.

        Returns:
            The state to act in next [n] int64, after a new start where an episode ended; rewards to player 0 [n]
            float64; terminated [n] and truncated [n] bool; and the state that the round led to [n] int64, from which a
            truncated episode bootstraps.

        Raises:
            InvalidAction: if the actions have another shape, are not integers, or one is out of range.
            ResetNeeded: before the first reset.
        """
        if self._states is None:
            raise ResetNeeded("call reset() before step(): no episode is running")
        array = self._checked(actions)
        entry = (self._states, array[:, 0], array[:, 1])
        outcome = (self._outcome_bounds[entry] <= self._streams.next()[:, None]).sum(axis=1)
        reached = self.table.next_state[(*entry, outcome)]
        rewards = self.table.reward[(*entry, outcome)]
        terminated = self.table.terminated[(*entry, outcome)]
        self._cycles += 1
        truncated = self._cycles >= self.max_cycles
        self._states = reached.copy()
        ended = np.flatnonzero(terminated | truncated)
        if ended.size:
            self._states[ended] = self._started(self._streams.next_of(ended))
            self._cycles[ended] = 0
        return self._states.copy(), rewards, terminated, truncated, reached

    def get_state(self) -> dict[str, np.ndarray]:
        """The complete state as arrays, for `set_state`.

        Returns:
            "states" [n], "cycles" [n], and the random streams' "numbers", "position" and "generators".

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._states is None:
            raise ResetNeeded("call reset() before get_state(): no episode is running")
        return {"states": self._states.copy(), "cycles": self._cycles.copy(), **self._streams.get_state()}

    def set_state(self, saved: Mapping[str, np.ndarray]) -> None:
        states, cycles = np.array(saved["states"]), np.array(saved["cycles"])
        if states.shape != (self.num_copies,) or cycles.shape != (self.num_copies,):
            raise ValueError(
                f"states and cycles must have shape ({self.num_copies},), but have {states.shape} and {cycles.shape}"
            )
        if not ((states >= 0) & (states < self.table.num_states)).all():
            raise ValueError(f"states must be from 0 to {self.table.num_states - 1}, but are {states.tolist()}")
        if self._states is None:
            self.reset(seed=0)  # so that there are streams to set
        self._streams.set_state(saved)
        self._states, self._cycles = states, cycles

    def _started(self, uniform: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._start_bounds, uniform, side="right")
