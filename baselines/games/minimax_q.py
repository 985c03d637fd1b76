"""Minimax-Q: Q-learning for two-player zero-sum games, where the best policy is a mixed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.games.agent import GameAgent
from baselines.games.rollout import JointTransition
from baselines.games.task import GameTask
from baselines.learning.exploration import sample_action, uniform_action
from baselines.learning.hyperparameters import Count, Finite, Hyperparameters, Positive, Probability, StepSize
from baselines.learning.schedules import harmonic
from baselines.learning.updates import td_target
from rl_envs.games import NormalFormGame, solve_matrix_games


@dataclass(frozen=True)
class MinimaxQConfig(Hyperparameters):
    """Hyperparameters. Steps are rounds of each run.

    Attributes:
        step_size: alpha of an entry's first update, in (0, 1].
        step_size_half_life: updates of an entry after which half of alpha is left; it decays harmonically. `inf` keeps
            it constant.
        epsilon: probability of a uniformly random action, for each player independently.
        initial_value: initial value of every entry of Q, in units of discounted reward.
        num_envs: parallel games per run, which share its tables.
    """

    step_size: StepSize = 1.0
    step_size_half_life: Positive = 5.0
    epsilon: Probability = 0.5
    initial_value: Finite = 0.0
    num_envs: Count = 32


@final
class MinimaxQ(GameAgent):
    """Minimax-Q in two-player zero-sum games, with or without states (Littman 1994).

        Q(s, a, o) <- (1 - alpha) Q(s, a, o) + alpha [r + gamma V(s')]
        V(s) = max over mixtures pi of min over o of sum_a pi(a) Q(s, a, o)

    Each player keeps a table over its own and the opponent's actions, and after every change of a state's row solves
    that state's matrix game by a linear program: the mixture becomes its policy there and the game's value V(s). Both
    players of a run learn, each from its own payoff and with tables of its own; each sees the other's actions.

    Q-learning's maximum is over what one player controls. Where the opponent learns too, that leaves policies that are
    deterministic, and in soccer a deterministic player can be stopped for ever. The minimax policy guarantees its value
    against every opponent, and the value of the tables does not depend on how the opponent plays while learning.

    Args:
        task: what to play; a two-player zero-sum game.
        runs: see `GameAgent`.
        seed: see `GameAgent`.
        config: a `MinimaxQ.Config`.

    Attributes:
        q: one table a player, its own action before the opponent's, [R, S, A_i, A_other] float64.
        updates: how often each entry of Q was updated, one array [R, S, A_i, A_other] int64 a player.
        value: V, one array [R, S] a player, in units of its own discounted reward.
        policy: the mixtures, one array [R, S, A_i] a player.

    Raises:
        TypeError: a game that is not for two players or not zero-sum.

    Differences from the paper: alpha falls with the updates of each entry, not with time; exploration 0.5 and initial
    values 0, not 0.2 and 1, which in soccer takes fewer rounds; a run may play in several copies of the game at once,
    and where they meet in one entry of Q it moves towards the mean of their targets; both players learn by minimax-Q,
    where the paper also trains against a random opponent and against Q-learning.
    """

    Config = MinimaxQConfig

    def __init__(
        self,
        task: GameTask | NormalFormGame | str,
        *,
        runs: int | range = 1,
        seed: int = 0,
        config: MinimaxQConfig | None = None,
    ) -> None:
        super().__init__(task, runs=runs, seed=seed, config=config)
        shape, counts = (self.num_runs, self.task.num_states), self.task.num_actions
        initial = float(self.config.initial_value)
        self.q = [np.full((*shape, own, other), initial) for own, other in (counts, counts[::-1])]
        self.updates = [np.zeros(q.shape, dtype=np.int64) for q in self.q]
        self.value = [np.full(shape, initial) for _ in counts]
        self.policy = [np.full((*shape, count), 1.0 / count) for count in counts]
        self._rows = np.repeat(np.arange(self.num_runs), self.num_envs)  # [R * C] the run of each copy

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        if isinstance(task.table, NormalFormGame) and not (task.num_players == 2 and task.table.is_zero_sum):
            raise TypeError(f"MinimaxQ plays two-player zero-sum games, but {task.name} is none")

    @property
    def num_envs(self) -> int:
        """In how many copies of the game each run plays at the same time, C."""
        return self.config.num_envs

    def act(self, observation: np.ndarray, *, greedy: bool = False) -> np.ndarray:
        choice = self.uniform(greedy=greedy)
        explore = self.uniform(greedy=greedy)
        rows = np.arange(self.num_runs) if greedy else self._rows
        action = np.empty(choice.shape, dtype=np.int64)
        for player, policy in enumerate(self.policy):
            mixed = sample_action(policy[rows, observation], choice[:, player])
            any_action = uniform_action(policy.shape[-1], choice[:, player])
            exploring = explore[:, player] < (0.0 if greedy else self.config.epsilon)
            action[:, player] = np.where(exploring, any_action, mixed)
        return action

    def update(self, transition: JointTransition) -> dict[str, np.ndarray]:
        """Update the entries of the actions played, and solve the matrix games of their states again.

        Args:
            transition: one round of every copy; one that a player had left teaches neither anything.

        Returns:
            "td_error", [R * C, 2], before the update; 0 where a player was absent.
        """
        complete = transition.present.all(axis=1)
        rows, state = self._rows[complete], transition.observation[complete]
        following, action = transition.next_observation[complete], transition.action[complete]
        td_error = np.zeros(transition.reward.shape)
        for player, (q, value) in enumerate(zip(self.q, self.value)):
            target = td_target(
                transition.reward[complete, player],
                transition.terminated[complete, player],
                value[rows, following],
                self.task.discount,
            )
            entry = np.ravel_multi_index((rows, state, action[:, player], action[:, 1 - player]), q.shape)
            td_error[complete, player] = target - q.take(entry)
            self._move_towards_means(player, entry, target)
        if complete.any():
            solved = _solve([q[rows, state] for q in self.q])
            for value, policy, (mixture, worth) in zip(self.value, self.policy, solved):
                value[rows, state] = worth
                policy[rows, state] = mixture
        self.steps += self.num_envs
        return {"td_error": td_error}

    def strategies(self) -> tuple[np.ndarray, ...]:
        """The minimax mixtures of the learned tables."""
        if isinstance(self.task.table, NormalFormGame):
            return tuple(policy[:, 0].copy() for policy in self.policy)
        return tuple(policy.copy() for policy in self.policy)

    def parts(self) -> dict[str, object]:
        return {"q": self.q, "updates": self.updates, "value": self.value, "policy": self.policy}

    def _move_towards_means(self, player: int, entry: np.ndarray, target: np.ndarray) -> None:
        """Move each entry of a flat table that is named towards the mean of its targets, and count that it was."""
        named, which = np.unique(entry, return_inverse=True)
        mean = np.bincount(which, weights=target) / np.bincount(which)
        flat, updates = self.q[player].reshape(-1), self.updates[player].reshape(-1)
        step_size = harmonic(updates[named], self.config.step_size, self.config.step_size_half_life)
        flat[named] += step_size * (mean - flat[named])
        updates[named] += 1


def _solve(games: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Optimal mixtures [n, A_i] and values [n] of both players' matrix games, [n, A_i, A_other] each."""
    first, second = games
    if first.shape == second.shape:  # one batch takes hardly longer than half of one
        both = solve_matrix_games(np.concatenate([first, second]))
        middle = len(first)
        return [(both.row[:middle], both.value[:middle]), (both.row[middle:], both.value[middle:])]
    solutions = [solve_matrix_games(matrices) for matrices in games]
    return [(solution.row, solution.value) for solution in solutions]
