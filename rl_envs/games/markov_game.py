"""Two-player zero-sum Markov games as tables, and their exact minimax solution.

    ZeroSumMarkovGame
      probability  [S, A1, A2, K] float64   sums to 1 over K
      next_state   [S, A1, A2, K] int64
      reward       [S, A1, A2, K] float64   to player 0; player 1 gets the negative
      terminated   [S, A1, A2, K] bool      the episode ends with this outcome
      start        [S] float64              distribution of the first state
      discount     float in [0, 1)

At a state value v every state is a zero-sum matrix game: now's reward plus the discounted value of what follows. The
operator T that maps v to the values of these matrix games is a contraction by the factor `discount`, so iterating it
(value iteration with a linear program a state) approaches the one value v* of the game, and a residual |Tv - v| leaves
an error of at most residual / (1 - discount).

The policies are checked apart from all this: against a fixed policy the other player faces an ordinary decision
problem, whose optimum is what the policy really guarantees.

Source: Shapley (1953), Stochastic games.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rl_envs.games.zero_sum import solve_matrix_games

_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class ZeroSumMarkovGame:
    """A two-player zero-sum Markov game with K weighted outcomes for every state and pair of actions.

    Args:
        probability: [S, A1, A2, K], at least 0, sums to 1 over K.
        next_state: [S, A1, A2, K], states from 0 to S - 1.
        reward: [S, A1, A2, K], finite, to player 0.
        terminated: [S, A1, A2, K], whether the episode ends with the outcome; nothing is earned after that.
        start: [S], distribution of the first state.
        discount: in [0, 1).

    Raises:
        ValueError: if a shape, a probability, a state, a reward or the discount breaks these rules.
    """

    probability: np.ndarray  # [S, A1, A2, K]
    next_state: np.ndarray  # [S, A1, A2, K]
    reward: np.ndarray  # [S, A1, A2, K]
    terminated: np.ndarray  # [S, A1, A2, K]
    start: np.ndarray  # [S]
    discount: float

    def __post_init__(self) -> None:
        for field, dtype in (
            ("probability", np.float64),
            ("next_state", np.int64),
            ("reward", np.float64),
            ("terminated", np.bool_),
            ("start", np.float64),
        ):
            array = np.array(getattr(self, field), dtype=dtype)
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        object.__setattr__(self, "discount", float(self.discount))
        self._validate()

    @property
    def num_states(self) -> int:
        """The number of states, S."""
        return self.probability.shape[0]

    @property
    def num_actions(self) -> tuple[int, int]:
        """The number of actions of the two players, (A1, A2)."""
        return self.probability.shape[1], self.probability.shape[2]

    def stage_games(self, value: np.ndarray) -> np.ndarray:
        """The matrix game of every state if what follows is worth `value`.

        Args:
            value: [S], to player 0.

        Returns:
            [S, A1, A2], expected reward plus discounted value of the next state.
        """
        return self._expected_reward + np.einsum("sabk,sabk->sab", self._continuation, value[self.next_state])

    @cached_property
    def _expected_reward(self) -> np.ndarray:  # [S, A1, A2]
        return (self.probability * self.reward).sum(axis=-1)

    @cached_property
    def _continuation(self) -> np.ndarray:  # [S, A1, A2, K] what a unit of next value adds
        return self.discount * self.probability * ~self.terminated

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ZeroSumMarkovGame):
            return NotImplemented
        return self.discount == other.discount and all(
            np.array_equal(getattr(self, field), getattr(other, field))
            for field in ("probability", "next_state", "reward", "terminated", "start")
        )

    def __hash__(self) -> int:
        return hash((self.probability.shape, self.discount, self.probability.tobytes(), self.next_state.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: an array restored by pickle or deepcopy would be writable again.
        fields = (self.probability, self.next_state, self.reward, self.terminated, self.start, self.discount)
        return (ZeroSumMarkovGame, fields)

    def _validate(self) -> None:
        shape = self.probability.shape
        if len(shape) != 4 or 0 in shape:
            raise ValueError(f"probability must have shape [S, A1, A2, K] without empty axes, but has {shape}")
        for field in ("next_state", "reward", "terminated"):
            if getattr(self, field).shape != shape:
                raise ValueError(
                    f"{field} must have the shape of probability, {shape}, but has {getattr(self, field).shape}"
                )
        _refuse(~(self.probability >= 0), "probabilities must be at least 0", self.probability)
        sums = self.probability.sum(axis=-1)
        _refuse(~(np.abs(sums - 1) <= _SUM_TOLERANCE), "probabilities must sum to 1 over the outcomes", sums)
        states = range(self.num_states)
        outside = (self.next_state < 0) | (self.next_state >= self.num_states)
        _refuse(outside, f"next_state must be in {states}", self.next_state)
        _refuse(~np.isfinite(self.reward), "rewards must be finite", self.reward)
        if self.start.shape != (self.num_states,):
            raise ValueError(f"start must have shape ({self.num_states},), but has {self.start.shape}")
        _refuse(~(self.start >= 0), "start probabilities must be at least 0", self.start)
        if abs(self.start.sum() - 1) > _SUM_TOLERANCE:
            raise ValueError(f"start must sum to 1, but sums to {self.start.sum():.9g}")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount must be at least 0 and below 1, but is {self.discount}")


@dataclass(frozen=True)
class MarkovGameSolution:
    """The minimax solution of a zero-sum Markov game with its certificates.

    Attributes:
        value: [S], the value of each state to player 0.
        policies: ([S, A1], [S, A2]), minimax policies of the two players.
        residual: the largest |Tv - v| over states, T being Shapley's operator.
        bound: residual / (1 - discount): no value is further than this from the true one.
        lower: [S], what policies[0] guarantees player 0 against every opponent, less the rounding of its computation.
        upper: [S], what policies[1] allows player 0 at most, plus likewise. The true value lies between.
        num_sweeps: applications of Shapley's operator.
    """

    value: np.ndarray  # [S]
    policies: tuple[np.ndarray, np.ndarray]  # [S, A1], [S, A2]
    residual: float
    bound: float
    lower: np.ndarray  # [S]
    upper: np.ndarray  # [S]
    num_sweeps: int

    @property
    def gap(self) -> float:
        """The largest upper - lower over states: how far from minimax the policies can be, all errors included."""
        return float((self.upper - self.lower).max())


def solve_markov_game(game: ZeroSumMarkovGame, tolerance: float = 1e-10) -> MarkovGameSolution:
    """The value and minimax policies of a zero-sum Markov game, by Shapley's value iteration.

    Guarantee: every value is within `bound` <= `tolerance` of the true one (up to rounding), and `lower` and `upper`
    bracket the true value by the policies alone.

    Args:
        game: the table.
        tolerance: the largest error of a value, positive.

    Returns:
        Values, policies, and the certificates of both.

    Raises:
        ValueError: if the tolerance is not positive.
    """
    value, num_sweeps = _fixed_point(game, lambda v: solve_matrix_games(game.stage_games(v)).value, tolerance)
    stage = solve_matrix_games(game.stage_games(value))
    residual = float(np.abs(stage.value - value).max())
    policies = (stage.row, stage.column)
    lower = best_response_value(game, policies[0], responder=1, tolerance=tolerance) - tolerance
    upper = best_response_value(game, policies[1], responder=0, tolerance=tolerance) + tolerance
    bound = residual / (1 - game.discount)
    return MarkovGameSolution(value, policies, residual, bound, lower, upper, num_sweeps)


def best_response_value(game: ZeroSumMarkovGame, policy: Any, responder: int, tolerance: float = 1e-10) -> np.ndarray:
    """The value to player 0 if one player keeps to `policy` and the other answers as well as possible.

    Args:
        game: the table.
        policy: [S, A] of the player who does not respond.
        responder: the player who knows the policy and answers it, 0 or 1.
        tolerance: the largest error of a value, positive.

    Returns:
        [S], the exploited value to player 0: with responder 1 what the policy guarantees.

    Raises:
        ValueError: if the policy is not a distribution in every state, or there is no such player.
    """
    if responder not in (0, 1):
        raise ValueError(f"the responder must be player 0 or 1, but got {responder!r}")
    fixed = _validated_policy(game, policy, 1 - responder)
    if responder == 1:
        value, _ = _fixed_point(
            game, lambda v: np.einsum("sa,sab->sb", fixed, game.stage_games(v)).min(axis=1), tolerance
        )
    else:
        value, _ = _fixed_point(
            game, lambda v: np.einsum("sab,sb->sa", game.stage_games(v), fixed).max(axis=1), tolerance
        )
    return value


def policy_value(game: ZeroSumMarkovGame, policies: tuple[Any, Any], tolerance: float = 1e-10) -> np.ndarray:
    """The value to player 0 if both players keep to their policies.

    Args:
        game: the table.
        policies: ([S, A1], [S, A2]).
        tolerance: the largest error of a value, positive.

    Returns:
        [S], values to player 0.

    Raises:
        ValueError: if a policy is not a distribution in every state.
    """
    row, column = (_validated_policy(game, policy, player) for player, policy in enumerate(policies))
    value, _ = _fixed_point(game, lambda v: np.einsum("sa,sab,sb->s", row, game.stage_games(v), column), tolerance)
    return value


def markov_exploitability(game: ZeroSumMarkovGame, policies: tuple[Any, Any], tolerance: float = 1e-10) -> float:
    """The average of what the two players could gain from the start by answering the other's policy best.

    The same convention as `NormalFormGame.exploitability`: NashConv over two, 0 (up to the tolerance) where both
    policies are minimax from the start and only there. What they do in states that are never reached need not be.

    Args:
        game: the table.
        policies: ([S, A1], [S, A2]).
        tolerance: the largest error of a value, positive.

    Returns:
        Half the difference of the two exploited values, in expectation over the start.

    Raises:
        ValueError: if a policy is not a distribution in every state.
    """
    row, column = policies
    against_column = best_response_value(game, column, responder=0, tolerance=tolerance)
    against_row = best_response_value(game, row, responder=1, tolerance=tolerance)
    return float(game.start @ (against_column - against_row)) / 2


def _fixed_point(
    game: ZeroSumMarkovGame, operator: Callable[[np.ndarray], np.ndarray], tolerance: float
) -> tuple[np.ndarray, int]:
    """Iterate a contraction by the factor `discount` until the error bound is within `tolerance`."""
    if not tolerance > 0:
        raise ValueError(f"the tolerance must be positive, but is {tolerance}")
    value, num_sweeps = np.zeros(game.num_states), 0
    while True:
        updated = operator(value)
        num_sweeps += 1
        change = float(np.abs(updated - value).max())
        value = updated
        # The second test ends the loop where rounding allows no smaller change.
        if change * game.discount <= tolerance * (1 - game.discount) or change <= 1e-15 * np.abs(value).max():
            return value, num_sweeps


def _validated_policy(game: ZeroSumMarkovGame, policy: Any, player: int) -> np.ndarray:
    array = np.asarray(policy, dtype=np.float64)
    shape = (game.num_states, game.num_actions[player])
    if array.shape != shape:
        raise ValueError(f"a policy of player {player} must have shape {shape}, but has {array.shape}")
    _refuse(~(array >= -1e-9), "a policy's probabilities must be at least 0", array)
    sums = array.sum(axis=1)
    _refuse(~(np.abs(sums - 1) <= 1e-6), "a policy's probabilities must sum to 1 in every state", sums)
    return array


def _refuse(wrong: np.ndarray, rule: str, values: np.ndarray) -> None:
    """Raise with the rule, the first offending place and its value, if there is one."""
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        axes = ("state", "action of player 0", "action of player 1", "outcome")
        where = ", ".join(f"{axis} {index}" for axis, index in zip(axes, place, strict=False))
        raise ValueError(f"{rule}, but {where} has {values[place]:.9g}")
