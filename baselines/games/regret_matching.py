"""Regret matching: play each action in proportion to its positive regret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from baselines.games.agent import GameAgent
from baselines.games.rollout import JointTransition
from baselines.games.task import GameTask
from baselines.learning.exploration import sample_action
from baselines.learning.updates import regret_matching_strategy
from baselines.training.population import NoConfig
from rl_envs.games import NormalFormGame


@final
class RegretMatching(GameAgent):
    """Unconditional regret matching in a matrix game (Hart & Mas-Colell 2000, theorem B; Hannan 1957).

        R_i(a) <- R_i(a) + u_i(a, a_-i) - u_i(a_i, a_-i),    pi_i(a) ~ max(R_i(a), 0), uniform where none is positive

    Every player adds up what each action would have earned more than what it did, against what the others really
    played. It knows its own payoffs and sees the others' actions; it never sees their payoffs.

    Against any others a player's mean regret falls to 0 at least as 1 / sqrt(t). So the joint play of all of them, as
    one distribution over joint actions, approaches the coarse correlated equilibria, in every game; in a two-player
    zero-sum game the average strategies then approach equilibrium. Play itself need not settle, and the average
    strategies of a general game need not be an equilibrium.

    Args:
        task: what to play; a matrix game.
        runs: see `GameAgent`.
        seed: see `GameAgent`.
        config: nothing to set.

    Attributes:
        regret: the sums of regret, one array [R, A_i] float64 a player, in units of payoff.
        strategy_sum: the sums of the mixed strategies played, one array [R, A_i] a player.

    Raises:
        TypeError: a game with states.

    Differences from the paper: the paper's main procedure has a regret for every pair of actions and approaches the
    correlated equilibria; this is its simpler relative, known from counterfactual regret minimisation.
    """

    Config = NoConfig

    def __init__(
        self,
        task: GameTask | NormalFormGame | str,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: NoConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        self.regret = [np.zeros((self.num_runs, count)) for count in self.task.num_actions]
        self.strategy_sum = [np.zeros((self.num_runs, count)) for count in self.task.num_actions]
        self._alternatives = [_alternatives(self.task.payoffs, player) for player in range(self.task.num_players)]
        self._rows = np.arange(self.num_runs)
        self._strategy = [regret_matching_strategy(regret) for regret in self.regret]

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        if not isinstance(task.table, NormalFormGame):
            raise TypeError(f"RegretMatching plays matrix games, but {task.name} has states")

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        """Drawn from the regrets; or greedily, from the average strategies."""
        choice = self.uniform(greedy=greedy)
        played = self.strategies() if greedy else self._strategy
        return np.stack([sample_action(one, choice[:, player]) for player, one in enumerate(played)], axis=1)

    def update(self, transition: JointTransition) -> dict[str, np.ndarray]:
        """Add each action's regret; a round with an absent player does not count.

        Args:
            transition: one round of every run.

        Returns:
            "largest_regret": the largest mean regret a round, [R, N], in units of payoff.
        """
        complete = transition.present.all(axis=1, keepdims=True)
        action = np.where(complete, transition.action, 0)
        joint = np.ravel_multi_index(tuple(action.T), self.task.num_actions)
        self.steps += 1
        largest = np.empty(transition.reward.shape)
        for player, (regret, total) in enumerate(zip(self.regret, self.strategy_sum)):
            total += complete * self._strategy[player]
            alternatives = self._alternatives[player][joint]  # [R, A_i]
            regret += complete * (alternatives - alternatives[self._rows, action[:, player], None])
            self._strategy[player] = regret_matching_strategy(regret)
            largest[:, player] = regret.max(axis=1) / self.steps
        return {"largest_regret": largest}

    def strategies(self) -> tuple[np.ndarray, ...]:
        """The averages of the mixed strategies played; uniform before the first round."""
        return tuple(_average(total) for total in self.strategy_sum)

    def parts(self) -> dict[str, object]:
        return {"regret": self.regret, "strategy_sum": self.strategy_sum}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        super().restore(state)
        self._strategy = [regret_matching_strategy(regret) for regret in self.regret]


def _alternatives(game: NormalFormGame, player: int) -> np.ndarray:
    """What each action of a player would earn against the others' part of every joint action, [J, A_player]."""
    own_last = np.moveaxis(game.payoffs[player], player, -1)  # [others, A_player]
    with_own_axis = np.broadcast_to(np.expand_dims(own_last, player), (*game.num_actions, game.num_actions[player]))
    return with_own_axis.reshape(-1, game.num_actions[player])


def _average(total: np.ndarray) -> np.ndarray:
    weight = total.sum(axis=-1, keepdims=True)
    return np.where(weight > 0, total, 1.0) / np.where(weight > 0, weight, total.shape[-1])
