"""A world's table as flat arrays, so that one index per copy looks up the outcome of a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from rl_envs.worlds.world import World


class FlatTable:
    """Every outcome of every state and action as one entry; a step looks up all its results at that entry.

    The entries are the K outcomes of each row and action, row by row; the row of a state begins at pair `state * A`. An
    additional row is for copies whose episode has ended: every action there leads to a first state, without reward. So
    an automatic reset is an ordinary step. After the rows, there is one entry for each state, for being reset to it.

    Args:
        world: the world whose table it is.

    Attributes:
        state: the next state, [N] int64.
        reward: mean reward, [N] float64.
        reward_std: standard deviation of its noise, [N] float64; empty for rewards without noise.
        terminated: whether the episode ends here, [N] bool.
        next_row: the pair at which the next state's row begins, [N] int64.
        info: the entries of info by name, [N] each.
        waiting_row: the pair at which the row of ended copies begins.
        begin: the entry for a reset to state 0; state s is at begin + s.
        starts: the states in which an episode may start, [m] int64.
    """

    def __init__(self, world: World) -> None:
        mdp = world.mdp
        self._world = world
        self._num_outcomes = mdp.num_outcomes
        states = np.arange(mdp.num_states)
        waiting = mdp.num_actions * mdp.num_outcomes  # entries of one row
        self.starts = np.flatnonzero(mdp.start)
        self._start_bounds = np.cumsum(mdp.start[self.starts])[:-1]
        self.waiting_row = mdp.num_states * mdp.num_actions
        self.begin = mdp.probability.size + waiting

        def without_resets(table: np.ndarray) -> np.ndarray:
            """A table [S, A, K] and zeros for the entries of resets."""
            return np.concatenate([table.reshape(-1), np.zeros(waiting + mdp.num_states, dtype=table.dtype)])

        self.state = np.concatenate([mdp.next_state.reshape(-1), np.full(waiting, self.starts[0]), states])
        self.reward = without_resets(mdp.reward)
        self.reward_std = np.empty(0) if mdp.reward_std is None else without_resets(mdp.reward_std)
        self.terminated = without_resets(mdp.terminated)
        self.next_row = np.where(self.terminated, self.waiting_row, self.state * mdp.num_actions)
        self.info: dict[str, np.ndarray] = {}
        for name, numbers in world.action_info.items():  # [S, A]
            spread = np.repeat(numbers.astype(np.float64), mdp.num_outcomes)
            self.info[name] = without_resets(spread)
        if world.goal_states is not None:
            self.info["is_success"] = (self.terminated & world.goal_states[self.state]).astype(np.int8)
        # What every step looks up, in one tuple, because attribute access takes time.
        self.columns = (self.state, self.reward, self.terminated, self.next_row)
        self.info_columns = [(name, f"_{name}", table) for name, table in self.info.items()]
        # In the waiting row, every random number draws the first entry.
        self._cumulative = np.concatenate([mdp.cumulative.reshape(-1), np.ones(waiting)])

    def draw(self, pairs: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Draw an outcome for each pair, by inverting the cumulative probabilities.

        Args:
            pairs: row + action, [n] int64.
            numbers: uniform on [0, 1), [n].

        Returns:
            Entries, [n] int64.
        """
        entries = pairs * self._num_outcomes
        # Binary search in all rows at once: the outcome is among the `length` entries from `entries` on.
        length = self._num_outcomes
        while length > 1:
            half = length // 2
            further = (self._cumulative[half - 1 :].take(entries) <= numbers).astype(np.int64)
            if half > 1:
                further *= half
            entries += further
            length -= half
        return entries

    def first_states(self, numbers: np.ndarray) -> np.ndarray:
        """The first state of an episode for each number uniform on [0, 1), [n] int64."""
        return self.starts[np.searchsorted(self._start_bounds, numbers, side="right")]

    def __reduce__(self) -> tuple[Any, ...]:
        return FlatTable, (self._world,)

    def __deepcopy__(self, memo: dict[int, Any]) -> FlatTable:
        return self  # nothing in it changes
