"""Dominated actions, and their iterated elimination.

An action is STRICTLY dominated if some strategy of the same player, pure or mixed, earns more against everything the
others can do. It is WEAKLY dominated if some strategy never earns less and sometimes earns more. No
equilibrium plays a strictly dominated action, and removing such actions in any order ends at the same game.

Source: Osborne & Rubinstein (1994), A Course in Game Theory, chapter 4.
"""

from __future__ import annotations

import numpy as np

from rl_envs.games.linear_program import as_distribution, maximise
from rl_envs.games.normal_form import NormalFormGame

# A dominating mixture must win by this share of the payoffs' range, so that rounding cannot cause dominance.
_MARGIN = 1e-9


def dominated_actions(game: NormalFormGame, player: int, *, strict: bool = True) -> tuple[int, ...]:
    """The actions of `player` that another strategy of theirs dominates.

    Dominance by a pure action is compared exactly; by a mixture, with linear programming (SciPy) and to 1e-9 of the
    range of the payoffs.

    Args:
        game: any number of players.
        player: 0 to N - 1.
        strict: strict dominance, or weak.

    Returns:
        The dominated actions in rising order.

    Raises:
        ValueError: if there is no such player.
    """
    if not 0 <= player < game.num_players:
        raise ValueError(f"{game.name} has players 0 to {game.num_players - 1}, but was asked for player {player}")
    own_first = np.moveaxis(game.payoffs[player], player, 0)
    matrix = own_first.reshape(own_first.shape[0], -1)  # [A_i, joint actions of the others]
    dominates = _strictly_dominated if strict else _weakly_dominated
    return tuple(action for action in range(matrix.shape[0]) if dominates(matrix, action))


def iterated_elimination(game: NormalFormGame) -> tuple[tuple[int, ...], ...]:
    """The actions that survive repeated removal of strictly dominated ones.

    Args:
        game: any number of players.

    Returns:
        N tuples of surviving actions in rising order, none empty. The order of removal does not matter.
    """
    surviving = [list(range(count)) for count in game.num_actions]
    while True:
        reduced = NormalFormGame(game.payoffs[np.ix_(range(game.num_players), *surviving)])
        dominated = [dominated_actions(reduced, player) for player in range(game.num_players)]
        if not any(dominated):
            return tuple(tuple(actions) for actions in surviving)
        surviving = [
            [action for position, action in enumerate(actions) if position not in dominated[player]]
            for player, actions in enumerate(surviving)
        ]


def _strictly_dominated(matrix: np.ndarray, action: int) -> bool:
    others = np.delete(matrix, action, axis=0)
    if (others > matrix[action]).all(axis=1).any():
        return True
    if len(others) < 2:  # a mixture needs two actions to mix
        return False
    others, target = _in_unit_range(matrix, action)
    mixture = _widest_winner(others, target)
    return bool((mixture @ others - target).min() > _MARGIN)


def _weakly_dominated(matrix: np.ndarray, action: int) -> bool:
    others = np.delete(matrix, action, axis=0)
    if ((others >= matrix[action]).all(axis=1) & (others > matrix[action]).any(axis=1)).any():
        return True
    if len(others) < 2:
        return False
    others, target = _in_unit_range(matrix, action)
    mixture = _largest_never_worse(others, target)
    if mixture is None:
        return False
    advantage = mixture @ others - target
    return bool(advantage.min() >= -_MARGIN and advantage.sum() > len(advantage) * _MARGIN)


def _widest_winner(others: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The mixture whose smallest advantage over `target` is largest."""
    count, num_columns = others.shape
    solution = maximise(
        objective=np.append(np.zeros(count), 1.0),
        inequality_rows=np.column_stack([-others.T, np.ones(num_columns)]),
        inequality_bounds=-target,
        equality_rows=np.append(np.ones(count), 0.0)[None],
        equality_values=np.ones(1),
        free=1,
    )
    return as_distribution(solution.point[:count])


def _largest_never_worse(others: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """Of the mixtures that are nowhere worse than `target`, the one with the largest total; `None` if there is none."""
    if (_widest_winner(others, target) @ others - target).min() < -_MARGIN:
        return None
    solution = maximise(
        objective=others.sum(axis=1),
        inequality_rows=-others.T,
        inequality_bounds=-target,
        equality_rows=np.ones((1, len(others))),
        equality_values=np.ones(1),
    )
    return as_distribution(solution.point)


def _in_unit_range(matrix: np.ndarray, action: int) -> tuple[np.ndarray, np.ndarray]:
    """The payoffs of the other actions and of `action`, moved to [0, 1]: the solver's tolerance is absolute."""
    span = np.ptp(matrix)
    unit = (matrix - matrix.min()) / (span if span > 0 else 1.0)
    return np.delete(unit, action, axis=0), unit[action]
