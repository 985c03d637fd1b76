"""The table as it grows: outcomes added pair by pair, in columns of plain numbers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import numpy as np

from rl_envs.mdp.finite_mdp import FiniteMDP


class GrowingTable:
    """Outcomes of pairs of state and action, added in the order of the states.

    Args:
        num_actions: A.
    """

    def __init__(self, num_actions: int) -> None:
        self.num_actions = num_actions
        self.ends = array("q")  # where each pair's outcomes end
        self.branches = array("q")  # in how many ways chance can fall in each pair
        self.probability = array("d")
        self.next_state = array("q")
        self.reward = array("d")
        self.reward_std = array("d")
        self.terminated = array("b")

    def __len__(self) -> int:
        return len(self.ends)

    def add(self, outcomes: Mapping[tuple[int, float, float, bool], float], branches: int) -> None:
        """Add the next pair's outcomes.

        Args:
            outcomes: from next state, reward, its noise and whether it ends, to probability.
            branches: how many ways for chance to fall they come from.
        """
        self.branches.append(branches)
        for (next_state, reward, reward_std, terminated), probability in outcomes.items():
            self.probability.append(probability)
            self.next_state.append(next_state)
            self.reward.append(reward)
            self.reward_std.append(reward_std)
            self.terminated.append(terminated)
        self.ends.append(len(self.probability))

    def outcomes(self, pair: int) -> list[tuple[float, int, float, float, bool]]:
        """The outcomes of a pair: probability, next state, mean reward, its noise, and whether the episode ends."""
        first = self.ends[pair - 1] if pair else 0
        return [
            (
                self.probability[i],
                self.next_state[i],
                self.reward[i],
                self.reward_std[i],
                bool(self.terminated[i]),
            )
            for i in range(first, self.ends[pair])
        ]

    def number_ends(self, num_states: int) -> None:
        """Give the ends, numbered -1, -2, ... so far, the numbers from num_states on."""
        for i, state in enumerate(self.next_state):
            if state < 0:
                self.next_state[i] = num_states - 1 - state

    def mdp(self, start: np.ndarray, discount: float) -> FiniteMDP:
        """The table of all states: those added, then as many that only stand for the end as start has beyond them.

        Args:
            start: distribution of the first state, [S].
            discount: gamma.

        Returns:
            The table.
        """
        num_states, num_actions = len(start), self.num_actions
        ends = np.frombuffer(self.ends, dtype=np.int64)
        counts = np.diff(ends, prepend=0)
        width = int(counts.max())
        pair = np.repeat(np.arange(len(ends)), counts)
        place = np.arange(len(pair)) - np.repeat(ends - counts, counts)
        shape = (num_states * num_actions, width)

        probability, reward, reward_std = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        terminated = np.zeros(shape, dtype=np.bool_)
        next_state = np.repeat(np.arange(num_states), num_actions)[:, None].repeat(width, axis=1)
        probability[len(ends) :, 0] = 1.0
        terminated[len(ends) :, 0] = True
        probability[pair, place] = np.frombuffer(self.probability)
        next_state[pair, place] = np.frombuffer(self.next_state, dtype=np.int64)
        reward[pair, place] = np.frombuffer(self.reward)
        reward_std[pair, place] = np.frombuffer(self.reward_std)
        terminated[pair, place] = np.frombuffer(self.terminated, dtype=np.int8).astype(np.bool_)
        full = (num_states, num_actions, width)
        return FiniteMDP(
            probability=probability.reshape(full),
            next_state=next_state.reshape(full),
            reward=reward.reshape(full),
            terminated=terminated.reshape(full),
            start=start,
            discount=discount,
            reward_std=reward_std.reshape(full) if reward_std.any() else None,
        )
