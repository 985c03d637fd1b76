"""Checks of what a user gives as a game: payoffs, names of actions, mixed strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Probabilities that come from float arithmetic sum to 1 only nearly; more than this is a mistake.
_SUM_TOLERANCE = 1e-6


def checked_payoffs(payoffs: Any) -> np.ndarray:
    """The payoffs as a read-only float64 table [N, A1, ..., AN].

    Args:
        payoffs: what a user gives as such a table.

    Raises:
        TypeError: no array of numbers.
        ValueError: another shape, a player without actions, or a number that is not finite as a float.
    """
    try:
        given = np.asarray(payoffs)
        # Kind O: fractions and other number types, which the conversion checks one by one.
        table = np.array(given, dtype=np.float64) if given.dtype.kind in "biufO" and payoffs is not None else None
    except OverflowError as error:
        raise ValueError(f"payoffs must be finite as floats, but one is too large: {error}") from error
    except (TypeError, ValueError) as error:
        raise TypeError(f"payoffs must be an array of numbers, but NumPy cannot make one of them: {error}") from error
    if table is None:
        raise TypeError(f"payoffs must be an array of numbers, but got {payoffs!r}")
    num_players = table.shape[0] if table.ndim else 0
    if table.ndim < 2 or table.ndim != num_players + 1:
        raise ValueError(
            "payoffs must have shape [N, A1, ..., AN], one axis for the N players and one for the actions of each, "
            f"but got shape {table.shape}: {num_players} players and {max(table.ndim - 1, 0)} action axes"
        )
    if 0 in table.shape:
        player = table.shape[1:].index(0)
        raise ValueError(
            f"every player must have at least one action, but player {player} has none: shape {table.shape}"
        )
    if not np.isfinite(table).all():
        player, *joint = (int(index) for index in np.argwhere(~np.isfinite(table))[0])
        raise ValueError(
            f"payoffs must be finite, but player {player}'s payoff at joint action {tuple(joint)} is "
            f"{table[(player, *joint)]}"
        )
    table += 0.0  # turns -0.0 into 0.0, which equality does not see but the hash of the bytes would
    table.setflags(write=False)
    return table


def checked_action_names(names: Any, num_actions: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    """The names of each player's actions.

    Args:
        names: one sequence for each player, or one for all; None for letters, or numbers where there are too many.
        num_actions: A_i of each player.

    Raises:
        TypeError: no sequences of strings.
        ValueError: too many or too few, or the same name twice.
    """
    if names is None:
        return tuple(_default_names(count) for count in num_actions)
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"action_names must be sequences of strings, but got {names!r}")
    if len(names) and all(isinstance(entry, str) for entry in names):  # one sequence for all players
        names = [names] * len(num_actions)
    if len(names) != len(num_actions):
        raise ValueError(f"action_names must name the actions of {len(num_actions)} players, but names {len(names)}")
    return tuple(_names_of_player(entry, player, num_actions[player]) for player, entry in enumerate(names))


def _names_of_player(names: Any, player: int, count: int) -> tuple[str, ...]:
    is_sequence = isinstance(names, Sequence) and not isinstance(names, str)
    if not is_sequence or not all(isinstance(name, str) for name in names):
        raise TypeError(f"action_names must be sequences of strings, but player {player}'s are {names!r}")
    if len(names) != count:
        raise ValueError(f"player {player} has {count} actions, but action_names gives {len(names)}: {list(names)}")
    if len(set(names)) != count:
        twice = next(name for name in names if list(names).count(name) > 1)
        raise ValueError(f"a player's action names must be distinct, but player {player} has {twice!r} twice")
    return tuple(names)


def _default_names(count: int) -> tuple[str, ...]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return tuple(letters[:count]) if count <= len(letters) else tuple(str(action) for action in range(count))


def checked_strategy(strategy: Any, player: int, count: int) -> np.ndarray:
    """A mixed strategy as float64 probabilities [..., A].

    Args:
        strategy: what a user gives as one.
        player: whose, for the message.
        count: A.

    Raises:
        ValueError: another number of actions, a probability that is negative or not finite, or a sum other than 1.
    """
    probabilities = np.asarray(strategy, dtype=np.float64)
    if probabilities.ndim < 1 or probabilities.shape[-1] != count:
        raise ValueError(
            f"a strategy of player {player} must give {count} probabilities on its last axis, "
            f"but has shape {probabilities.shape}"
        )
    if not np.isfinite(probabilities).all() or (probabilities < -_SUM_TOLERANCE).any():
        wrong = probabilities[~(probabilities >= -_SUM_TOLERANCE) | ~np.isfinite(probabilities)][0]
        raise ValueError(f"probabilities must be finite and at least 0, but player {player}'s strategy holds {wrong}")
    sums = probabilities.sum(axis=-1)
    if (np.abs(sums - 1.0) > _SUM_TOLERANCE).any():
        worst = sums.flat[np.abs(sums - 1.0).argmax()]
        raise ValueError(f"probabilities must sum to 1, but player {player}'s strategy sums to {worst:.9g}")
    return probabilities
