"""Fictitious play: answer what the others have played so far, as if they drew from it for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from baselines.games.agent import GameAgent
from baselines.games.rollout import JointTransition
from baselines.games.task import GameTask
from baselines.learning.exploration import argmax_random_ties
from baselines.learning.hyperparameters import Hyperparameters, PositiveFinite
from rl_envs.games import NormalFormGame


@dataclass(frozen=True)
class FictitiousPlayConfig(Hyperparameters):
    """Hyperparameters.

    Attributes:
        prior: prior count of each action of the other players, above 0.
    """

    prior: PositiveFinite = 1.0


@final
class FictitiousPlay(GameAgent):
    """Fictitious play in a matrix game (Brown 1951; Robinson 1951; Fudenberg & Levine 1998, chapter 2).

        a_i(t) = argmax_a sum over a_-i of u_i(a, a_-i) prod over j of count_j(a_j)

    Every player counts the actions of each of the others and plays a best response to the product of their empirical
    frequencies. It knows its own payoffs and sees the others' actions; it never sees their payoffs. The counts and not
    their frequencies stand in the sum, which is the same argmax and exact where payoffs are whole numbers.

    What converges is the empirical frequency of play: to equilibrium in two-player zero-sum games (Robinson), in 2 x 2
    games and in games that dominance solves; in Shapley's 3 x 3 game it cycles for ever. Play itself need not settle.

    Args:
        task: what to play; a matrix game.
        runs: see `GameAgent`.
        seed: see `GameAgent`.
        config: a `FictitiousPlay.Config`.

    Attributes:
        counts: how often each player has played each action, one array [R, A_i] float64 a player, without the prior.

    Raises:
        TypeError: a game with states.

    Differences from the paper: all players move at once, where Brown's take turns; ties are broken at random; a prior
    count stands for the first round's belief. With more than two players each is believed to mix independently.
    """

    Config = FictitiousPlayConfig

    def __init__(
        self,
        task: GameTask | NormalFormGame | str,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: FictitiousPlayConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.counts = [np.zeros((self.num_runs, count)) for count in self.task.num_actions]
        self._payoffs = self.task.payoffs.payoffs
        self._rows = np.arange(self.num_runs)

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        if not isinstance(task.table, NormalFormGame):
            raise TypeError(f"FictitiousPlay plays matrix games, but {task.name} has states")

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """A best response to the counts, ties broken at random; play explores nothing in any case."""
        choice = self.uniform(greedy=greedy)
        action = np.empty(choice.shape, dtype=np.int64)
        for player in range(self.task.num_players):
            action[:, player] = argmax_random_ties(self._values(player), choice[:, player])
        return action

    def update(self, transition: JointTransition) -> dict[str, np.ndarray]:
        """Count the actions played; a round with an absent player does not count.

        Args:
            transition: one round of every run.

        Returns:
            No metrics.
        """
        complete = transition.present.all(axis=1)
        for player, counts in enumerate(self.counts):
            counts[self._rows, transition.action[:, player]] += complete
        self.steps += 1
        return {}

    def strategies(self) -> tuple[np.ndarray, ...]:
        """The empirical frequencies of play; uniform before the first round."""
        return tuple(_frequencies(counts) for counts in self.counts)

    def parts(self) -> dict[str, object]:
        return {"counts": self.counts}

    def _values(self, player: int) -> np.ndarray:
        """What each action of a player is worth against the others' counts, times those counts, [R, A_player]."""
        num_players, run = self.task.num_players, self.task.num_players
        operands: list[Any] = [self._payoffs[player], list(range(num_players))]
        for other, counts in enumerate(self.counts):
            if other != player:
                operands += [counts + self.config.prior, [run, other]]
        values = np.einsum(*operands, [*([run] if num_players > 1 else []), player])
        return np.broadcast_to(values, (self.num_runs, self.task.num_actions[player]))


def _frequencies(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=-1, keepdims=True)
    return np.where(total > 0, counts, 1.0) / np.where(total > 0, total, counts.shape[-1])
