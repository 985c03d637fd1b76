"""What a player can guarantee alone, whatever the others do.

The maximin value of player i is max over own mixed strategies of min over the others' joint actions. The others choose
against a known strategy, so a pure joint action is as bad as any mixture of theirs, even a correlated one. So one
linear program is enough for any number of players. Its dual is the correlated mixture of the others that limits the
player to that value. Both are returned, and the gap between their bounds is the certificate.

Source: von Neumann (1928), Zur Theorie der Gesellschaftsspiele; the program is in Osborne & Rubinstein (1994), 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_envs.games.normal_form import NormalFormGame
from rl_envs.games.zero_sum import solve_by_linear_program


@dataclass(frozen=True)
class Maximin:
    """A player's maximin value with strategies that prove it from both sides.

    Attributes:
        value: what `strategy` guarantees, the smallest of its expected payoffs over the others' joint actions.
        strategy: [A_i], the guaranteeing mixture.
        punishment: the others' joint actions in the order of the remaining axes, a distribution: against it no action
            of the player earns more than `value + gap`.
        gap: upper bound minus `value`, at least 0 up to rounding; no strategy guarantees more than `value + gap`.
    """

    value: float
    strategy: np.ndarray  # [A_i]
    punishment: np.ndarray  # [A_1, ..., A_N] without axis i
    gap: float


def maximin(game: NormalFormGame, player: int) -> Maximin:
    """The largest payoff that `player` can guarantee alone, by linear programming (SciPy).

    Args:
        game: any number of players.
        player: 0 to N - 1.

    Returns:
        The value, a strategy that guarantees it and the others' answer that allows no more.

    Raises:
        ValueError: if there is no such player.
    """
    if not 0 <= player < game.num_players:
        raise ValueError(f"{game.name} has players 0 to {game.num_players - 1}, but was asked for player {player}")
    own_first = np.moveaxis(game.payoffs[player], player, 0)
    others_shape = own_first.shape[1:]
    matrix = own_first.reshape(own_first.shape[0], -1)  # [A_i, joint actions of the others]
    strategy, punishment = solve_by_linear_program(matrix)
    value = float((strategy @ matrix).min())
    return Maximin(
        value=value,
        strategy=strategy,
        punishment=punishment.reshape(others_shape),
        gap=float((matrix @ punishment).max()) - value,
    )
