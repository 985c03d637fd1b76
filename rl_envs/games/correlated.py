"""Correlated and coarse correlated equilibria: the best ones, and a joint distribution's distance from them.

A mediator draws a joint action from a known distribution and tells each player only its own part. The distribution is
a CORRELATED equilibrium if no player gains by answering any recommendation with another action. It is a COARSE
correlated equilibrium if no player gains by always playing one fixed action instead. Both conditions are linear in the
distribution, so the best and the worst equilibrium by any weighting of the payoffs is one linear program, for any
number of players. The empirical play of no-regret learners approaches the coarse set.

Sources: Aumann (1974), Subjectivity and correlation in randomized strategies; Moulin & Vial (1978); Hart &
Mas-Colell (2000), A simple adaptive procedure leading to correlated equilibrium.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.games.linear_program import as_distribution, maximise
from rl_envs.games.normal_form import NormalFormGame


@dataclass(frozen=True)
class CorrelatedEquilibrium:
    """An optimal (coarse) correlated equilibrium with its certificate.

    Attributes:
        distribution: [A1, ..., AN], the mediator's draw.
        payoffs: [N], what each player expects from obeying.
        value: the weighted sum of the payoffs that was optimised.
        max_deviation_gain: the certificate: the most any player gains by disobeying, recomputed from the distribution;
            0 up to the solver's rounding.
    """

    distribution: np.ndarray  # [A1, ..., AN]
    payoffs: np.ndarray  # [N]
    value: float
    max_deviation_gain: float


def correlated_equilibrium(
    game: NormalFormGame, weights: Sequence[float] | None = None, *, worst: bool = False
) -> CorrelatedEquilibrium:
    """The correlated equilibrium with the largest weighted sum of payoffs.

    Args:
        game: any number of players.
        weights: [N], one weight per player; `None` for the social welfare, all 1.
        worst: whether to look for the smallest sum instead.

    Returns:
        An optimal equilibrium; where several are optimal, the one the solver ends at.

    Raises:
        ValueError: if the weights are not N finite numbers.
    """
    distribution = _optimum(game, _obedience_rows(game), weights, worst)
    return _certified(game, distribution, weights, correlated_gain(game, distribution))


def coarse_correlated_equilibrium(
    game: NormalFormGame, weights: Sequence[float] | None = None, *, worst: bool = False
) -> CorrelatedEquilibrium:
    """The coarse correlated equilibrium with the largest weighted sum of payoffs.

    Args:
        game: any number of players.
        weights: [N], one weight per player; `None` for the social welfare, all 1.
        worst: whether to look for the smallest sum instead.

    Returns:
        An optimal equilibrium; where several are optimal, the one the solver ends at.

    Raises:
        ValueError: if the weights are not N finite numbers.
    """
    distribution = _optimum(game, _commitment_rows(game), weights, worst)
    return _certified(game, distribution, weights, coarse_correlated_gain(game, distribution))


def correlated_gain(game: NormalFormGame, distribution: Any) -> float:
    """The most any player gains by answering one recommendation with another action.

    Args:
        game: any number of players.
        distribution: [A1, ..., AN], a joint distribution, such as the empirical play of learners.

    Returns:
        The largest expected gain (weighted by how often the recommendation comes); 0 or less exactly at correlated
        equilibria.

    Raises:
        ValueError: if the distribution has another shape, a negative or non-finite entry, or does not sum to 1.
    """
    joint = _validated_distribution(game, distribution)
    rows = _obedience_rows(game)
    return float((rows @ joint.ravel()).max()) if len(rows) else 0.0


def coarse_correlated_gain(game: NormalFormGame, distribution: Any) -> float:
    """The most any player gains by playing one fixed action and ignoring the mediator.

    For the empirical play of learners this is the largest average external regret.

    Args:
        game: any number of players.
        distribution: [A1, ..., AN], a joint distribution.

    Returns:
        The largest expected gain; 0 or less exactly at coarse correlated equilibria.

    Raises:
        ValueError: if the distribution has another shape, a negative or non-finite entry, or does not sum to 1.
    """
    joint = _validated_distribution(game, distribution)
    return float((_commitment_rows(game) @ joint.ravel()).max())


def _obedience_rows(game: NormalFormGame) -> np.ndarray:
    """[sum of A_i (A_i - 1), joint actions]: gain of answering recommendation a with b, times a's probability."""
    rows = []
    for player, count in enumerate(game.num_actions):
        own = np.moveaxis(game.payoffs[player], player, 0)  # [A_i, ...]
        for recommended in range(count):
            for deviation in range(count):
                if deviation != recommended:
                    gain = np.zeros_like(own)
                    gain[recommended] = own[deviation] - own[recommended]
                    rows.append(np.moveaxis(gain, 0, player).ravel())
    return np.array(rows).reshape(len(rows), game.payoffs[0].size)


def _commitment_rows(game: NormalFormGame) -> np.ndarray:
    """[sum of A_i, joint actions]: gain of always playing one action instead of obeying."""
    rows = []
    for player, count in enumerate(game.num_actions):
        own = game.payoffs[player]
        for deviation in range(count):
            committed = np.take(own, [deviation], axis=player)  # broadcasts along the player's own axis
            rows.append((committed - own).ravel())
    return np.array(rows)


def _optimum(game: NormalFormGame, rows: np.ndarray, weights: Sequence[float] | None, worst: bool) -> np.ndarray:
    objective = np.tensordot(_validated_weights(game, weights), game.payoffs, axes=1).ravel()
    # The solver's tolerance is absolute. Every row and the objective may be scaled without changing what is optimal.
    solution = maximise(
        objective=(-objective if worst else objective) / _largest(objective),
        inequality_rows=rows / _largest(rows, axis=1),
        inequality_bounds=np.zeros(len(rows)),
        equality_rows=np.ones((1, objective.size)),
        equality_values=np.ones(1),
    )
    return as_distribution(solution.point).reshape(game.num_actions)


def _largest(array: np.ndarray, axis: int | None = None) -> np.ndarray:
    """The largest absolute value along an axis, which is kept; 1 where all are 0."""
    largest = np.abs(array).max(axis=axis, keepdims=True, initial=0.0)
    return np.where(largest > 0, largest, 1.0)


def _certified(
    game: NormalFormGame, distribution: np.ndarray, weights: Sequence[float] | None, gain: float
) -> CorrelatedEquilibrium:
    payoffs = (game.payoffs * distribution).reshape(game.num_players, -1).sum(axis=1)
    return CorrelatedEquilibrium(
        distribution=distribution,
        payoffs=payoffs,
        value=float(_validated_weights(game, weights) @ payoffs),
        max_deviation_gain=max(gain, 0.0),
    )


def _validated_weights(game: NormalFormGame, weights: Sequence[float] | None) -> np.ndarray:
    if weights is None:
        return np.ones(game.num_players)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (game.num_players,) or not np.isfinite(array).all():
        raise ValueError(f"weights must be {game.num_players} finite numbers, one per player, but got {weights!r}")
    return array


def _validated_distribution(game: NormalFormGame, distribution: Any) -> np.ndarray:
    joint = np.asarray(distribution, dtype=np.float64)
    if joint.shape != game.num_actions:
        raise ValueError(
            f"a joint distribution of {game.name} must have shape {game.num_actions}, but has {joint.shape}"
        )
    if not np.isfinite(joint).all() or joint.min() < -1e-6 or abs(joint.sum() - 1.0) > 1e-6:
        raise ValueError(
            "a joint distribution must be finite, at least 0 and sum to 1, "
            f"but its smallest entry is {joint.min():.9g} and its sum {joint.sum():.9g}"
        )
    return joint
