"""All equilibria of two-player games: known ones, certificates, and the count by other methods."""

import itertools
import warnings
from fractions import Fraction as F

import nashpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rl_envs.games import GAMES, NormalFormGame, all_equilibria, named_game, two_player
from rl_envs.games.vertex_enumeration import vertices


def solved(equations):
    """The unique solution of rows (coefficients..., right side) by elimination in fractions, or None."""
    rows, num_unknowns = [[F(x) for x in row] for row in equations], len(equations[0]) - 1
    for column in range(num_unknowns):
        pivot = next((row for row in rows[column:] if row[column] != 0), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        rows.insert(column, [x / pivot[column] for x in pivot])
        for index, row in enumerate(rows):
            if index != column and row[column] != 0:
                rows[index] = [x - row[column] * y for x, y in zip(row, rows[column])]
    return [row[-1] for row in rows[:num_unknowns]]


def extreme_strategies(payoffs):
    """Vertices of {(y, u): payoffs @ y <= u, y a distribution}: supports and equally many rows that tie, one by one.

    `payoffs[i][j]` is the OTHER player's payoff for playing i against j.
    """
    num_rows, num_columns = len(payoffs), len(payoffs[0])
    found = set()
    for size in range(1, min(num_rows, num_columns) + 1):
        for support in itertools.combinations(range(num_columns), size):
            for ties in itertools.combinations(range(num_rows), size):
                equations = [[*(payoffs[i][j] for j in support), -1, 0] for i in ties]
                solution = solved([*equations, [1] * size + [0, 1]])
                if solution is None:
                    continue
                strategy = [F(0)] * num_columns
                for action, probability in zip(support, solution):
                    strategy[action] = probability
                values = [sum(p * x for p, x in zip(strategy, row)) for row in payoffs]
                if min(strategy) >= 0 and max(values) <= solution[-1]:
                    found.add(tuple(strategy))
    return found


def is_equilibrium(game, x, y):
    first, second = ([[F(float(p)) for p in row] for row in matrix] for matrix in game.payoffs)
    values_first = [sum(p * q for p, q in zip(row, y)) for row in first]
    values_second = [sum(p * q for p, q in zip(column, x)) for column in zip(*second)]
    return all(p == 0 or v == max(values_first) for p, v in zip(x, values_first)) and all(
        p == 0 or v == max(values_second) for p, v in zip(y, values_second)
    )


def by_second_method(game):
    """Extreme equilibria without polytopes: all pairs of extreme strategies, each tested by its best responses."""
    first, second = ([[F(float(p)) for p in row] for row in matrix] for matrix in game.payoffs)
    xs, ys = extreme_strategies([list(column) for column in zip(*second)]), extreme_strategies(first)
    return {(x, y) for x in xs for y in ys if is_equilibrium(game, x, y)}


def strategies_of(equilibria):
    return {equilibrium.strategies for equilibrium in equilibria}


small_games = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.int64, (2, *shape), elements=st.integers(-2, 3)).map(NormalFormGame)
)


def test_climbing_has_exactly_three_equilibria():
    found = all_equilibria(named_game("climbing"))
    mixed = (F(5, 16), F(0), F(11, 16))
    assert [equilibrium.strategies for equilibrium in found] == [
        ((1, 0, 0), (1, 0, 0)),
        (mixed, mixed),
        ((0, 1, 0), (0, 1, 0)),
    ]
    assert [equilibrium.payoffs for equilibrium in found] == [(11, 11), (F(55, 16), F(55, 16)), (7, 7)]
    assert not found.degenerate
    assert found.is_finite
    assert len(found.components) == 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prisoners_dilemma", [((0, 1), (0, 1))]),
        ("stag_hunt", [((1, 0), (1, 0)), ((F(1, 2), F(1, 2)), (F(1, 2), F(1, 2))), ((0, 1), (0, 1))]),
        ("chicken", [((1, 0), (0, 1)), ((F(2, 3), F(1, 3)), (F(2, 3), F(1, 3))), ((0, 1), (1, 0))]),
        ("battle_of_the_sexes", [((1, 0), (1, 0)), ((F(2, 3), F(1, 3)), (F(1, 3), F(2, 3))), ((0, 1), (0, 1))]),
        ("matching_pennies", [((F(1, 2), F(1, 2)), (F(1, 2), F(1, 2)))]),
        ("rock_paper_scissors", [((F(1, 3),) * 3, (F(1, 3),) * 3)]),
        ("coordination", [((1, 0), (1, 0)), ((F(1, 2), F(1, 2)), (F(1, 2), F(1, 2))), ((0, 1), (0, 1))]),
    ],
)
def test_the_textbook_games_have_their_textbook_equilibria(name, expected):
    found = all_equilibria(named_game(name))
    assert [equilibrium.strategies for equilibrium in found] == expected
    assert not found.degenerate


def test_payoffs_are_each_players_own():
    found = all_equilibria(named_game("battle_of_the_sexes"))
    assert [equilibrium.payoffs for equilibrium in found] == [(2, 1), (F(2, 3), F(2, 3)), (1, 2)]
    # At (Bach, Bach) player 0 would lose 2 by moving away and player 1 would lose 1.
    assert found[0].deviation_gains == ((0, -2), (0, -1))


@pytest.mark.parametrize("num_actions", [1, 2, 3, 4, 5])
def test_coordination_has_one_equilibrium_for_every_set_of_actions(num_actions):
    found = all_equilibria(named_game("coordination", num_actions=num_actions))
    assert len(found) == 2**num_actions - 1
    assert all(x == y and len(set(x) - {0}) == 1 for x, y in strategies_of(found))


@pytest.mark.parametrize(("k", "count"), [(0, 7), (-1, 7), (-9.5, 7), (-10, 6), (-11, 5), (-100, 5)])
def test_penalty_has_the_equilibria_its_docstring_derives(k, count):
    game = named_game("penalty", k=k)
    found = all_equilibria(game)
    a, b, c = (1, 0, 0), (0, 1, 0), (0, 0, 1)
    both = {a, b, c, (F(1, 6), F(5, 6), F(0)), (F(0), F(5, 6), F(1, 6))}
    if k >= -10:
        both.add((F(1, 2), F(0), F(1, 2)))
    if k > -10:
        k = F(k)
        both.add((2 / (14 + k), (10 + k) / (14 + k), 2 / (14 + k)))
    assert strategies_of(found) == {(x, x) for x in both}
    assert len(found) == count
    assert found.degenerate == (k == -10)
    assert all(is_equilibrium(game, *equilibrium.strategies) for equilibrium in found)
    assert strategies_of(found) == by_second_method(game)


def test_support_enumeration_loses_an_equilibrium_of_the_penalty_game_with_k_of_minus_ten():
    # Why equilibria are enumerated by vertices here: nashpy's other method skips singular systems.
    matrix = np.array([[10, 0, -10], [0, 2, 0], [-10, 0, 10]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        by_supports = list(nashpy.Game(matrix, matrix).support_enumeration())
    assert len(by_supports) < len(all_equilibria(named_game("penalty", k=-10))) == 6


@pytest.mark.parametrize("name", GAMES)
def test_nashpys_vertex_enumeration_finds_the_same_equilibria(name):
    game = named_game(name)
    theirs = list(nashpy.Game(*game.payoffs).vertex_enumeration())
    ours = [equilibrium.probabilities() for equilibrium in all_equilibria(game)]
    assert len(theirs) == len(ours)
    for x, y in ours:
        assert sum(np.allclose(x, a, atol=1e-9) and np.allclose(y, b, atol=1e-9) for a, b in theirs) == 1


@pytest.mark.parametrize("seed", range(20))
def test_nashpys_vertex_enumeration_agrees_on_random_games(seed):
    payoffs = np.random.default_rng(seed).normal(size=(2, 4, 3))
    ours = all_equilibria(NormalFormGame(payoffs))
    theirs = list(nashpy.Game(*payoffs).vertex_enumeration())
    assert not ours.degenerate
    assert len(theirs) == len(ours)
    for equilibrium in ours:
        x, y = equilibrium.probabilities()
        assert any(np.allclose(x, a, atol=1e-8) and np.allclose(y, b, atol=1e-8) for a, b in theirs)


@given(small_games)
def test_extreme_equilibria_are_those_of_the_second_method(game):
    assert strategies_of(all_equilibria(game)) == by_second_method(game)


@given(small_games)
def test_every_game_has_an_equilibrium_and_each_proves_itself(game):
    found = all_equilibria(game)
    assert len(found) >= 1
    for equilibrium in found:
        assert all(sum(strategy) == 1 and min(strategy) >= 0 for strategy in equilibrium.strategies)
        assert equilibrium.max_deviation_gain == 0
        assert isinstance(equilibrium.max_deviation_gain, F)
        assert is_equilibrium(game, *equilibrium.strategies)
        assert game.exploitability(equilibrium.probabilities()) <= 1e-12
        np.testing.assert_allclose(
            game.expected_payoffs(equilibrium.probabilities()), np.array(equilibrium.payoffs, dtype=float), atol=1e-12
        )
    pure = {tuple(strategy.index(1) for strategy in e.strategies) for e in found if e.is_pure}
    assert pure == set(game.pure_equilibria())


@given(small_games)
def test_the_number_of_equilibria_is_odd_unless_the_game_is_degenerate(game):
    found = all_equilibria(game)
    if not found.degenerate:
        assert len(found) % 2 == 1
        assert found.is_finite
        assert len(found.components) == len(found)


@given(small_games)
def test_a_game_is_degenerate_if_and_only_if_an_extreme_strategy_has_too_many_best_responses(game):
    first, second = ([[F(float(p)) for p in row] for row in matrix] for matrix in game.payoffs)
    transposed = [list(column) for column in zip(*second)]

    def too_many(payoffs, strategy):
        values = [sum(p * x for p, x in zip(strategy, row)) for row in payoffs]
        return values.count(max(values)) > sum(p > 0 for p in strategy)

    expected = any(too_many(first, y) for y in extreme_strategies(first)) or any(
        too_many(transposed, x) for x in extreme_strategies(transposed)
    )
    assert all_equilibria(game).degenerate == expected


@given(small_games, st.integers(0, 2**32 - 1))
def test_mixtures_inside_a_nash_subset_are_equilibria_and_cover_the_extreme_ones(game, seed):
    found, rng = all_equilibria(game), np.random.default_rng(seed)

    def mixture(strategies):
        weights = [F(int(w)) for w in rng.integers(1, 10, len(strategies))]
        return tuple(
            sum(w * s[k] for w, s in zip(weights, strategies)) / sum(weights) for k in range(len(strategies[0]))
        )

    for subset in found.subsets:
        assert is_equilibrium(game, mixture(subset.first), mixture(subset.second))
    covered = {pair for subset in found.subsets for pair in itertools.product(subset.first, subset.second)}
    assert covered == strategies_of(found)
    for one, other in itertools.combinations(found.subsets, 2):
        # Maximal: neither subset lies inside the other.
        assert not (set(one.first) <= set(other.first) and set(one.second) <= set(other.second))
        assert not (set(one.first) >= set(other.first) and set(one.second) >= set(other.second))
    assert sorted(map(id, itertools.chain(*found.components))) == sorted(map(id, found.subsets))


def test_an_edge_of_equilibria_is_one_subset_with_two_corners():
    # Against a, player 1 is indifferent, and a stays best as long as player 1 plays a with probability 1/2 or more: an
    # edge. Against anything else player 1 plays b, and b answers that: the point (b, b) apart from it.
    found = all_equilibria(two_player([[1, 0], [0, 1]], [[1, 1], [0, 1]]))
    assert found.degenerate
    assert not found.is_finite
    assert [(subset.first, subset.second) for subset in found.subsets] == [
        (((1, 0),), ((1, 0), (F(1, 2), F(1, 2)))),
        (((0, 1),), ((0, 1),)),
    ]
    assert found.components == tuple((subset,) for subset in found.subsets)


def test_two_subsets_that_share_a_corner_are_one_component():
    # As above for player 1; player 0 plays a against everything but is indifferent against b: two edges meet in (a, b).
    found = all_equilibria(two_player([[2, 1], [0, 1]], [[1, 1], [0, 1]]))
    assert [(subset.first, subset.second) for subset in found.subsets] == [
        (((1, 0), (0, 1)), ((0, 1),)),
        (((1, 0),), ((1, 0), (0, 1))),
    ]
    assert found.components == (found.subsets,)
    assert strategies_of(found) == {((1, 0), (1, 0)), ((1, 0), (0, 1)), ((0, 1), (0, 1))}


def test_where_nothing_matters_everything_is_one_equilibrium_component():
    found = all_equilibria(NormalFormGame(np.zeros((2, 2, 3))))
    assert len(found) == 6
    assert len(found.subsets) == len(found.components) == 1
    assert found.degenerate


def test_equilibria_do_not_depend_on_scale_or_offset_of_the_payoffs():
    game = named_game("climbing")
    moved = NormalFormGame(np.stack([game.payoffs[0] * 1e6 - 3e9, game.payoffs[1] / 1024 + 5]))
    assert strategies_of(all_equilibria(moved)) == strategies_of(all_equilibria(game))


def test_payoffs_that_are_no_integers_are_solved_exactly_as_stored():
    payoffs = np.random.default_rng(0).normal(size=(2, 5, 5))
    found = all_equilibria(NormalFormGame(payoffs))
    assert len(found) % 2 == 1
    assert all(equilibrium.max_deviation_gain == 0 for equilibrium in found)


def test_iterating_and_indexing_go_over_the_extreme_equilibria():
    found = all_equilibria(named_game("chicken"))
    assert list(found) == [found[0], found[1], found[2]] == list(found.extreme)
    assert found[1].welfare == F(28, 3)
    assert not found[1].is_pure


def test_games_of_other_than_two_players_are_refused():
    with pytest.raises(ValueError, match=r"for two players only, but trio has 3"):
        all_equilibria(NormalFormGame(np.zeros((3, 2, 2, 2)), name="trio"))


@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_vertices_are_the_feasible_solutions_of_as_many_equations_as_coordinates(num_coordinates, num_rows, seed):
    matrix = np.random.default_rng(seed).integers(1, 6, (num_rows, num_coordinates)).tolist()
    # Row k of these says coefficients @ x <= bound.
    half_spaces = [([-int(k == j) for j in range(num_coordinates)], 0) for k in range(num_coordinates)]
    half_spaces += [(row, 1) for row in matrix]
    expected = {}
    for tight in itertools.combinations(half_spaces, num_coordinates):
        point = solved([[*coefficients, bound] for coefficients, bound in tight])
        if point is not None:
            sides = [sum(c * x for c, x in zip(coefficients, point)) - bound for coefficients, bound in half_spaces]
            if max(sides) <= 0:
                expected[tuple(point)] = sum(1 << k for k, side in enumerate(sides) if side == 0)
    found = vertices(matrix)
    assert {vertex.point: vertex.tight for vertex in found} == expected
    assert len(found) == len(expected)


def test_a_cube_has_eight_vertices_with_three_tight_rows_each():
    # x_k <= 1 alone has zeros in its rows; a positive matrix close to it is scaled so that the corners stay apart.
    found = vertices([[10, 1, 1], [1, 10, 1], [1, 1, 10]])
    assert len(found) == 8
    assert all(vertex.tight.bit_count() == 3 for vertex in found)
    assert (F(1, 12),) * 3 in {vertex.point for vertex in found}  # 12 x = 1 in all three rows


def test_rows_that_do_not_bound_the_polytope_are_refused():
    with pytest.raises(ValueError, match=r"bounded only by positive rows"):
        vertices([[1, 0], [0, 1]])
