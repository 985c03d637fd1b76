"""Every Nash equilibrium of a two-player game, exactly.

A pair of strategies is an equilibrium if and only if every action of either player is unplayed or a best response.
The pairs of VERTICES of the two best-response polytopes with that property are the extreme equilibria; all others are
mixtures of these. All arithmetic is in integers and fractions, so nothing depends on a tolerance: equilibria of
degenerate games are neither lost nor doubled.

    extreme equilibria   fully labelled pairs of vertices (x, y)
    maximal subsets      maximal sets X, Y of vertices such that every (x, y) is an equilibrium: conv X times conv Y
                         then consists of equilibria, and every equilibrium lies in one of these sets
    components           subsets that touch, joined: the connected pieces of the set of all equilibria

Floats are fractions too, with a power of two below the line: equilibria of a game with payoffs such as 0.1 are exact
for the numbers as stored. Give integers (payoffs times 10) to see short fractions.

Sources: Mangasarian (1964), Equilibrium points of bimatrix games; von Stengel (2007), Equilibrium computation for
two-player games in strategic and extensive form, sections 3.3 to 3.6; Avis, Rosenberg, Savani & von Stengel (2010),
Enumeration of Nash equilibria for two-player games, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from rl_envs.games.normal_form import NormalFormGame
from rl_envs.games.vertex_enumeration import Vertex, vertices

Strategy = tuple[Fraction, ...]


@dataclass(frozen=True)
class Equilibrium:
    """A Nash equilibrium of a two-player game with its certificate.

    Attributes:
        strategies: one exact distribution per player, ([A1], [A2]).
        payoffs: what each player expects, exact.
        deviation_gains: the certificate, ([A1], [A2]): what each player would gain by moving to each pure action,
            computed from the payoff table and not from the enumeration. None is positive.
    """

    strategies: tuple[Strategy, Strategy]
    payoffs: tuple[Fraction, Fraction]
    deviation_gains: tuple[tuple[Fraction, ...], tuple[Fraction, ...]]

    @property
    def max_deviation_gain(self) -> Fraction:
        """The largest gain any player has from deviating: exactly 0."""
        return max(max(gains) for gains in self.deviation_gains)

    @property
    def is_pure(self) -> bool:
        """Whether both players play one action for certain."""
        return all(max(strategy) == 1 for strategy in self.strategies)

    @property
    def welfare(self) -> Fraction:
        """The sum of the payoffs, exact."""
        return sum(self.payoffs, Fraction(0))

    def probabilities(self) -> tuple[np.ndarray, np.ndarray]:
        """The strategies as float64 arrays, ([A1], [A2])."""
        first, second = self.strategies
        return np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)


@dataclass(frozen=True)
class NashSubset:
    """A maximal Nash subset: every mixture of `first` against every mixture of `second` is an equilibrium.

    Attributes:
        first: extreme strategies of player 0, [*][A1].
        second: extreme strategies of player 1, [*][A2].
    """

    first: tuple[Strategy, ...]
    second: tuple[Strategy, ...]

    @property
    def is_point(self) -> bool:
        """Whether the subset is a single equilibrium."""
        return len(self.first) == len(self.second) == 1


@dataclass(frozen=True)
class EquilibriumSet:
    """All Nash equilibria of a two-player game.

    Iterating, indexing and `len` go over the extreme equilibria, player 0's earlier actions first.

    Attributes:
        extreme: the extreme equilibria; all equilibria if the set is finite.
        degenerate: whether some strategy has more pure best responses than actions it plays. Only then can there be
            infinitely many equilibria, or an even number.
        subsets: the maximal Nash subsets; their union is the set of all equilibria.
        components: the connected components, each a tuple of maximal Nash subsets.
    """

    extreme: tuple[Equilibrium, ...]
    degenerate: bool
    subsets: tuple[NashSubset, ...]
    components: tuple[tuple[NashSubset, ...], ...]

    @property
    def is_finite(self) -> bool:
        """Whether the extreme equilibria are all equilibria."""
        return all(subset.is_point for subset in self.subsets)

    def __len__(self) -> int:
        return len(self.extreme)

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.extreme)

    def __getitem__(self, index: int) -> Equilibrium:
        return self.extreme[index]


def all_equilibria(game: NormalFormGame) -> EquilibriumSet:
    """Every Nash equilibrium of a two-player game, in exact fractions.

    Args:
        game: two players. The work grows exponentially with the number of actions: up to about 10 each.

    Returns:
        The extreme equilibria with certificates, whether the game is degenerate, maximal subsets and components.

    Raises:
        ValueError: if the game does not have two players.
    """
    if game.num_players != 2:
        raise ValueError(
            f"all equilibria are computed for two players only, but {game.name} has {game.num_players}; "
            "pure_equilibria() and correlated_equilibrium() take any number"
        )
    first, second = _exact(game.payoffs[0]), _exact(game.payoffs[1])
    count_first, count_second = game.num_actions
    # Player 0's strategies are bounded by player 1's payoffs, and the other way about.
    of_first = vertices(_positive_integers(_transposed(second)))
    of_second = vertices(_positive_integers(first))
    pairs = _fully_labelled(of_first, of_second, count_first, count_second)
    subsets = _maximal_subsets(pairs)
    return EquilibriumSet(
        extreme=tuple(_certified(first, second, x, y) for x, y in sorted(pairs, reverse=True)),
        degenerate=_has_degenerate_vertex(of_first, count_first) or _has_degenerate_vertex(of_second, count_second),
        subsets=subsets,
        components=_connected(subsets),
    )


def _exact(payoffs: np.ndarray) -> list[list[Fraction]]:
    return [[Fraction(float(payoff)) for payoff in row] for row in payoffs]


def _transposed(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    return [list(column) for column in zip(*matrix, strict=True)]


def _positive_integers(matrix: list[list[Fraction]]) -> list[list[int]]:
    # Adding a constant to a player's payoffs and multiplying them by another changes no best response.
    scale = lcm(*(entry.denominator for row in matrix for entry in row))
    lowest = min(entry for row in matrix for entry in row)
    return [[int((entry - lowest) * scale) + 1 for entry in row] for row in matrix]


def _fully_labelled(
    of_first: Sequence[Vertex], of_second: Sequence[Vertex], count_first: int, count_second: int
) -> list[tuple[Strategy, Strategy]]:
    """Pairs of vertices at which every action of either player is unplayed or a best response."""
    every_action = (1 << (count_first + count_second)) - 1
    own_actions = (1 << count_second) - 1
    # Labels of player 1's vertices come with player 1's own actions first: move player 0's to the front.
    labelled_second = [
        (vertex.point, (vertex.tight >> count_second) | ((vertex.tight & own_actions) << count_first))
        for vertex in of_second
    ]
    return [
        (_distribution(vertex.point), _distribution(point))
        for vertex in of_first
        for point, labels in labelled_second
        if vertex.tight | labels == every_action and any(vertex.point) and any(point)
    ]


def _distribution(point: Sequence[Fraction]) -> Strategy:
    total = sum(point, Fraction(0))
    return tuple(coordinate / total for coordinate in point)


def _has_degenerate_vertex(found: Sequence[Vertex], dimension: int) -> bool:
    # A strategy with more best responses than played actions lies on a face whose vertices have extra tight rows.
    return any(vertex.tight.bit_count() > dimension for vertex in found)


def _certified(first: list[list[Fraction]], second: list[list[Fraction]], x: Strategy, y: Strategy) -> Equilibrium:
    values_first = [_inner(row, y) for row in first]
    values_second = [_inner(column, x) for column in _transposed(second)]
    payoffs = (_inner(values_first, x), _inner(values_second, y))
    gains = (
        tuple(value - payoffs[0] for value in values_first),
        tuple(value - payoffs[1] for value in values_second),
    )
    return Equilibrium(strategies=(x, y), payoffs=payoffs, deviation_gains=gains)


def _inner(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _maximal_subsets(pairs: Sequence[tuple[Strategy, Strategy]]) -> tuple[NashSubset, ...]:
    """The maximal complete bipartite subgraphs of the graph whose edges are the extreme equilibria."""
    partners: dict[Strategy, frozenset[Strategy]] = {}
    for x, y in pairs:
        partners[x] = partners.get(x, frozenset()) | {y}
    # Every maximal subset's second side is an intersection of partner sets, and every such intersection is one.
    second_sides: set[frozenset[Strategy]] = set()
    for of_x in partners.values():
        second_sides |= {of_x} | {side & of_x for side in second_sides if side & of_x}
    subsets = []
    for second in second_sides:
        first = [x for x, of_x in partners.items() if second <= of_x]
        subsets.append(NashSubset(tuple(sorted(first, reverse=True)), tuple(sorted(second, reverse=True))))
    return tuple(sorted(subsets, key=lambda subset: (subset.first, subset.second), reverse=True))


def _connected(subsets: Sequence[NashSubset]) -> tuple[tuple[NashSubset, ...], ...]:
    """The subsets grouped by whether a chain of common equilibria joins them."""
    components: list[list[NashSubset]] = []
    for subset in subsets:
        touching = [group for group in components if any(_share_an_equilibrium(subset, other) for other in group)]
        merged = [member for group in touching for member in group] + [subset]
        components = [group for group in components if group not in touching] + [merged]
    return tuple(tuple(group) for group in components)


def _share_an_equilibrium(one: NashSubset, other: NashSubset) -> bool:
    return bool(set(one.first) & set(other.first)) and bool(set(one.second) & set(other.second))
