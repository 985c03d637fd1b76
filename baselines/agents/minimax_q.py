"""Minimax-Q: Q-learning for two-player zero-sum games, where the best policy is a mixed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from baselines.exploration import sample_action, uniform_action
from baselines.game_agent import GameAgent
from baselines.game_surroundings import JointTransition
from baselines.game_task import GameTask
from baselines.schedules import geometric
from baselines.updates import td_target
from rl_envs.games import NormalFormGame, solve_matrix_games
from rl_envs.mdp import check_integer, check_probability


@dataclass(frozen=True)
class MinimaxQConfig:
    """What can be set. Steps are rounds of each run.

    Attributes:
        step_size: alpha at step 0, in (0, 1].
        final_step_size: alpha at step `step_size_steps` and from then on, in (0, 1].
        step_size_steps: steps over which alpha falls, each time by the same factor.
        epsilon: probability of a uniformly random action, of each player by itself.
        initial_value: every entry of Q before anything is learned, in units of discounted reward.
        copies: in how many copies of the game a run plays at the same time, all filling the same tables.
    """

    step_size: float = 1.0
    final_step_size: float = 0.01
    step_size_steps: int = 1_000_000
    epsilon: float = 0.2
    initial_value: float = 1.0
    copies: int = 16

    def __post_init__(self) -> None:
        for name in ("step_size", "final_step_size"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], but is {getattr(self, name)}")
        check_probability("epsilon", self.epsilon)
        check_integer("step_size_steps", self.step_size_steps, low=0)
        check_integer("copies", self.copies, low=1)
        if not np.isfinite(self.initial_value):
            raise ValueError(f"initial_value must be finite, but is {self.initial_value}")


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
        runs: as for every `GameAgent`.
        seed: as for every `GameAgent`.
        config: a `MinimaxQ.Config`.

    Attributes:
        q: one table a player, its own action before the opponent's, [R, S, A_i, A_other] float64.
        value: V, one array [R, S] a player, in units of its own discounted reward.
        policy: the mixtures, one array [R, S, A_i] a player.

    Raises:
        TypeError: a game that is not for two players or not zero-sum.

    Differences from the paper: a run may play in several copies of the game at once, and where they meet in one entry
    of Q it moves towards the mean of their targets; both players learn by minimax-Q, where the paper also trains
    against a random opponent and against Q-learning; a goal ends the episode instead of leading to a new kick-off.
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
        self.value = [np.full(shape, initial) for _ in counts]
        self.policy = [np.full((*shape, count), 1.0 / count) for count in counts]
        self._rows = np.repeat(np.arange(self.num_runs), self.copies)  # [R * C] the run of each copy

    @classmethod
    def check_task(cls, task: GameTask) -> None:
        if isinstance(task.table, NormalFormGame) and not (task.num_players == 2 and task.table.is_zero_sum):
            raise TypeError(f"MinimaxQ plays two-player zero-sum games, but {task.name} is none")

    @property
    def copies(self) -> int:
        """In how many copies of the game each run plays at the same time, C."""
        return self.config.copies

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
        """Move the entries of what was done towards their targets, and solve the states' matrix games anew.

        Args:
            transition: one round of every copy; one that a player had left teaches neither anything.

        Returns:
            "td_error", [R * C, 2], before the update; 0 where somebody had left.
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
            _move_towards_means(q, entry, target, self.step_size)
        solved = _solve([q[rows, state] for q in self.q])
        for value, policy, (mixture, worth) in zip(self.value, self.policy, solved):
            value[rows, state] = worth
            policy[rows, state] = mixture
        self.steps += self.copies
        return {"td_error": td_error}

    def strategies(self) -> tuple[np.ndarray, ...]:
        """The minimax mixtures of the learned tables."""
        if isinstance(self.task.table, NormalFormGame):
            return tuple(policy[:, 0].copy() for policy in self.policy)
        return tuple(policy.copy() for policy in self.policy)

    @property
    def step_size(self) -> float:
        """Alpha at this step."""
        config = self.config
        return geometric(self.steps, config.step_size, config.final_step_size, config.step_size_steps)

    def state(self) -> dict[str, np.ndarray]:
        """Tables, values and policies, beside what every game agent saves."""
        own = {}
        for player in range(2):
            own[f"q.{player}"] = self.q[player]
            own[f"value.{player}"], own[f"policy.{player}"] = self.value[player], self.policy[player]
        return {**super().state(), **own}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over saved tables."""
        super().restore(state)
        self.q = [np.array(state[f"q.{player}"]) for player in range(2)]
        self.value = [np.array(state[f"value.{player}"]) for player in range(2)]
        self.policy = [np.array(state[f"policy.{player}"]) for player in range(2)]


def _move_towards_means(q: np.ndarray, entry: np.ndarray, target: np.ndarray, step_size: float) -> None:
    """Move each entry of the flat table that is named by a step towards the mean of its targets."""
    named, which = np.unique(entry, return_inverse=True)
    mean = np.bincount(which, weights=target) / np.bincount(which)
    flat = q.reshape(-1)
    flat[named] += step_size * (mean - flat[named])


def _solve(games: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Optimal mixtures [n, A_i] and values [n] of both players' matrix games, [n, A_i, A_other] each."""
    first, second = games
    if first.shape == second.shape:  # one batch takes hardly longer than half of one
        both = solve_matrix_games(np.concatenate([first, second]))
        middle = len(first)
        return [(both.row[:middle], both.value[:middle]), (both.row[middle:], both.value[middle:])]
    solutions = [solve_matrix_games(matrices) for matrices in games]
    return [(solution.row, solution.value) for solution in solutions]
