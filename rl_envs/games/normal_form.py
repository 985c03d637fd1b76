"""Normal-form games: a payoff table for any number of players, and quantities computed from it directly.

A game is its table, `payoffs [N, A1, ..., AN]`: `payoffs[i, a1, ..., aN]` is what player i gets when player 1 plays a1,
player 2 plays a2 and so on. This file holds the table and everything that is a sum or a maximum over it: expected
payoffs, best responses, NashConv, pure equilibria, the social optimum. Each algorithm has a separate file:
`equilibria` (all equilibria of two-player games), `security_level`, `correlated`, `dominance`, `anarchy`.

Strategies are mixed: a sequence of N arrays, `strategies[i] [..., A_i]`, each a distribution over player i's actions.
Leading axes are a batch, so that a whole population of learners is evaluated in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.games.payoff_checks import checked_action_names, checked_payoffs, checked_strategy


@dataclass(frozen=True, eq=False)
class NormalFormGame:
    """A game in normal form: simultaneous choice, one payoff per player for every joint action.

    Two games are equal if their payoffs, their action names and their name are; the arrays are read-only copies.

    Args:
        payoffs: [N, A1, ..., AN], finite. Any number of players N >= 1, any number of actions A_i >= 1.
        action_names: one sequence of A_i distinct names per player, or one sequence for all players, or `None` for
            a, b, c, ... (numbers from 0 where a player has more than 26 actions).
        name: what the game is called in drawings and messages.

    Raises:
        ValueError: if the table is not [N, A1, ..., AN], holds NaN, infinity or a number too large for a float, or
            the names do not fit it.
        TypeError: if the payoffs are not numbers, or a name is not a string.
    """

    payoffs: np.ndarray  # [N, A1, ..., AN] float64
    action_names: tuple[tuple[str, ...], ...]  # N tuples of A_i names
    name: str

    def __init__(
        self, payoffs: Any, action_names: Sequence[Sequence[str]] | Sequence[str] | None = None, name: str = "game"
    ) -> None:
        table = checked_payoffs(payoffs)
        if not isinstance(name, str):
            raise TypeError(f"a game's name must be a string, but got {name!r}")
        object.__setattr__(self, "payoffs", table)
        object.__setattr__(self, "action_names", checked_action_names(action_names, table.shape[1:]))
        object.__setattr__(self, "name", name)

    @property
    def num_players(self) -> int:
        """The number of players, N."""
        return self.payoffs.shape[0]

    @property
    def num_actions(self) -> tuple[int, ...]:
        """The number of actions of each player, (A1, ..., AN)."""
        return self.payoffs.shape[1:]

    @property
    def has_integer_payoffs(self) -> bool:
        """Whether every payoff is an integer."""
        return bool(np.all(self.payoffs == np.round(self.payoffs)))

    @property
    def is_zero_sum(self) -> bool:
        """Whether the payoffs of every joint action sum to exactly 0."""
        return bool(np.all(self.payoffs.sum(axis=0) == 0.0))

    @property
    def is_common_interest(self) -> bool:
        """Whether every joint action pays all players alike."""
        return bool(np.all(self.payoffs == self.payoffs[0]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NormalFormGame):
            return NotImplemented
        return (
            self.name == other.name
            and self.action_names == other.action_names
            and np.array_equal(self.payoffs, other.payoffs)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.action_names, self.payoffs.shape, self.payoffs.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: an array restored by pickle or deepcopy would be writable again.
        return (NormalFormGame, (self.payoffs, self.action_names, self.name))

    def action_values(self, player: int, strategies: Sequence[Any]) -> np.ndarray:
        """What each action of `player` is worth against the mixed strategies of the others.

        Args:
            player: 0 to N - 1.
            strategies: N arrays [..., A_i]; the player's own is checked and then ignored.

        Returns:
            [..., A_player], expected payoffs.
        """
        self._check_player(player)
        return self._action_values(player, self.validated_strategies(strategies))

    def expected_payoffs(self, strategies: Sequence[Any]) -> np.ndarray:
        """What each player expects when all play the given mixed strategies independently.

        Args:
            strategies: N arrays [..., A_i].

        Returns:
            [..., N], expected payoffs.
        """
        mixed = self.validated_strategies(strategies)
        return self._expected_payoffs(mixed)

    def best_responses(self, player: int, strategies: Sequence[Any], tolerance: float = 1e-9) -> tuple[int, ...]:
        """The actions of `player` that are best against the others' mixed strategies, ties included.

        Args:
            player: 0 to N - 1.
            strategies: N arrays [A_i], no batch.
            tolerance: an action within `tolerance`, times the largest absolute payoff where that is above 1, of the
                best counts as best.

        Returns:
            The best actions in rising order, at least one.

        Raises:
            ValueError: if the strategies carry a batch axis.
        """
        values = self.action_values(player, strategies)
        if values.ndim != 1:
            raise ValueError(
                f"best_responses takes one strategy per player, but got a batch of shape {values.shape[:-1]}"
            )
        slack = tolerance * max(1.0, float(np.abs(self.payoffs).max()))
        return tuple(int(action) for action in np.flatnonzero(values >= values.max() - slack))

    def deviation_gains(self, strategies: Sequence[Any]) -> np.ndarray:
        """How much each player could gain by deviating alone to a best response.

        Args:
            strategies: N arrays [..., A_i].

        Returns:
            [..., N], at least 0 up to rounding; all 0 exactly at an equilibrium.
        """
        mixed = self.validated_strategies(strategies)
        best = [self._action_values(player, mixed).max(axis=-1) for player in range(self.num_players)]
        return np.maximum(np.stack(best, axis=-1) - self._expected_payoffs(mixed), 0.0)

    def nash_conv(self, strategies: Sequence[Any]) -> np.ndarray:
        """NashConv: the sum of all players' gains from deviating alone to a best response.

        Args:
            strategies: N arrays [..., A_i].

        Returns:
            [...], at least 0; 0 at equilibria and only there.

        Source:
            Lanctot et al. (2017), A Unified Game-Theoretic Approach to Multiagent Reinforcement Learning.
        """
        return self.deviation_gains(strategies).sum(axis=-1)

    def exploitability(self, strategies: Sequence[Any]) -> np.ndarray:
        """NashConv divided by the number of players: the average gain from deviating alone.

        In a two-player zero-sum game this is half of what best-responding opponents take from the pair together, the
        convention of OpenSpiel.

        Args:
            strategies: N arrays [..., A_i].

        Returns:
            [...], at least 0; 0 at equilibria and only there.
        """
        return self.nash_conv(strategies) / self.num_players

    def pure_equilibria(self) -> tuple[tuple[int, ...], ...]:
        """Every joint action from which no player gains by deviating alone, for any number of players.

        Returns:
            Joint actions in lexicographic order, possibly none. The comparison is exact.
        """
        stable = np.ones(self.num_actions, dtype=bool)
        for player in range(self.num_players):
            own = self.payoffs[player]
            stable &= own == own.max(axis=player, keepdims=True)
        return tuple(tuple(int(action) for action in joint) for joint in np.argwhere(stable))

    def social_optimum(self) -> SocialOptimum:
        """The largest sum of payoffs, and every joint action that reaches it (compared exactly)."""
        welfare = self.payoffs.sum(axis=0)
        best = welfare.max()
        joint_actions = tuple(tuple(int(action) for action in joint) for joint in np.argwhere(welfare == best))
        return SocialOptimum(welfare=float(best), joint_actions=joint_actions)

    def joint_name(self, joint_action: Sequence[int]) -> str:
        """A joint action by its names, such as `(a, c)`."""
        names = (self.action_names[player][action] for player, action in enumerate(joint_action))
        return "(" + ", ".join(names) + ")"

    def validated_strategies(self, strategies: Sequence[Any]) -> list[np.ndarray]:
        """The strategies as float64 arrays, or an error that says what is wrong with them.

        Args:
            strategies: N arrays [..., A_i] whose leading axes broadcast together.

        Returns:
            N float64 arrays.

        Raises:
            ValueError: if there are not N of them, or one has the wrong length, a negative or non-finite entry, or
                does not sum to 1.
        """
        if len(strategies) != self.num_players:
            raise ValueError(
                f"{self.name} needs one strategy for each of its {self.num_players} players, but got {len(strategies)}"
            )
        return [
            checked_strategy(strategy, player, self.num_actions[player]) for player, strategy in enumerate(strategies)
        ]

    def _action_values(self, player: int, mixed: Sequence[np.ndarray]) -> np.ndarray:
        # Integer subscripts instead of letters: einsum's alphabet would end at 52 players' worth of them anyway, but
        # the reader need not count letters. Axis k of the table is player k; Ellipsis is the batch.
        others = [other for other in range(self.num_players) if other != player]
        operands: list[Any] = [self.payoffs[player], list(range(self.num_players))]
        for other in others:
            operands += [mixed[other], [Ellipsis, other]]
        values = np.einsum(*operands, [Ellipsis, player])
        batch = np.broadcast_shapes(*(strategy.shape[:-1] for strategy in mixed))
        return np.broadcast_to(values, (*batch, self.num_actions[player]))

    def _expected_payoffs(self, mixed: Sequence[np.ndarray]) -> np.ndarray:
        payoffs = [
            (self._action_values(player, mixed) * mixed[player]).sum(axis=-1) for player in range(self.num_players)
        ]
        return np.stack(payoffs, axis=-1)

    def _check_player(self, player: int) -> None:
        if not 0 <= player < self.num_players:
            raise ValueError(f"{self.name} has players 0 to {self.num_players - 1}, but was asked for player {player}")


@dataclass(frozen=True)
class SocialOptimum:
    """The best sum of payoffs in a game.

    Attributes:
        welfare: the largest sum of payoffs over joint actions.
        joint_actions: every joint action that reaches it.
    """

    welfare: float
    joint_actions: tuple[tuple[int, ...], ...]


def two_player(
    row_payoffs: Any,
    column_payoffs: Any,
    action_names: Sequence[Sequence[str]] | Sequence[str] | None = None,
    name: str = "game",
) -> NormalFormGame:
    """A two-player game from the two matrices it is usually printed as.

    Args:
        row_payoffs: [A1, A2], what the row player gets.
        column_payoffs: [A1, A2], what the column player gets.
        action_names: as for `NormalFormGame`.
        name: as for `NormalFormGame`.

    Returns:
        The game with payoffs [2, A1, A2].

    Raises:
        ValueError: if the two matrices differ in shape.
    """
    row, column = np.asarray(row_payoffs), np.asarray(column_payoffs)
    if row.shape != column.shape or row.ndim != 2:
        raise ValueError(
            f"the payoffs of two players must be two matrices of one shape, but got {row.shape} and {column.shape}"
        )
    return NormalFormGame(np.stack([row, column]), action_names, name)
