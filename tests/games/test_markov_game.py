"""Zero-sum Markov games: validation, hand-made games, and a second algorithm."""

import copy
import pickle

import numpy as np
import pytest

from rl_envs.games import (
    ZeroSumMarkovGame,
    best_response_value,
    markov_exploitability,
    policy_value,
    solve_markov_game,
)
from rl_envs.games.zero_sum import solve_by_linear_program

PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])


def one_shot(matrix, discount=0.9, terminated=False):
    """One state that leads back to itself."""
    matrix = np.asarray(matrix, dtype=float)[None, :, :, None]
    return ZeroSumMarkovGame(
        np.ones_like(matrix), np.zeros_like(matrix), matrix, np.full(matrix.shape, terminated), [1.0], discount
    )


def random_game(seed, num_states=6, num_actions=(3, 2), num_outcomes=3, discount=0.8):
    rng = np.random.default_rng(seed)
    shape = (num_states, *num_actions, num_outcomes)
    return ZeroSumMarkovGame(
        probability=rng.dirichlet(np.ones(num_outcomes), size=shape[:-1]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.normal(size=shape),
        terminated=rng.random(shape) < 0.1,
        start=rng.dirichlet(np.ones(num_states)),
        discount=discount,
    )


def by_hoffman_and_karp(game):
    """Policy iteration: the minimiser answers the maximiser's current policy exactly, the maximiser improves by LPs."""
    states = np.arange(game.num_states)
    value = np.zeros(game.num_states)
    for _ in range(100):
        row = np.array([solve_by_linear_program(matrix)[0] for matrix in game.stage_games(value)])
        choice = np.zeros(game.num_states, dtype=int)
        while True:  # policy iteration of the minimiser against `row`, each policy evaluated by a linear solve
            weight = row[:, :, None] * game.probability[states, :, choice]
            rewards = (weight * game.reward[states, :, choice]).sum(axis=(1, 2))
            matrix = np.zeros((game.num_states, game.num_states))
            goes_on = weight * ~game.terminated[states, :, choice]
            for state in states:
                np.add.at(matrix[state], game.next_state[state, :, choice[state]], goes_on[state])
            answered = np.linalg.solve(np.eye(game.num_states) - game.discount * matrix, rewards)
            costs = np.einsum("sa,sab->sb", row, game.stage_games(answered))
            better = costs.argmin(axis=1)
            if (costs[states, better] >= costs[states, choice] - 1e-12).all():
                break
            choice = better
        if np.abs(answered - value).max() < 1e-13:
            return answered
        value = answered
    raise AssertionError("no convergence")


def test_a_game_repeated_for_ever_is_worth_its_value_over_one_minus_the_discount():
    matrix = [[3.0, -1.0], [-2.0, 4.0]]  # worth 1, by (3/5, 2/5) and (1/2, 1/2)
    found = solve_markov_game(one_shot(matrix, discount=0.9))
    assert found.value[0] == pytest.approx(10, abs=1e-9)
    np.testing.assert_allclose(found.policies[0], [[0.6, 0.4]], atol=1e-9)
    np.testing.assert_allclose(found.policies[1], [[0.5, 0.5]], atol=1e-9)
    assert solve_markov_game(one_shot(matrix, terminated=True)).value[0] == pytest.approx(1, abs=1e-9)
    assert solve_markov_game(one_shot(matrix, discount=0.0)).value[0] == pytest.approx(1, abs=1e-9)


def test_what_follows_a_termination_is_worth_nothing():
    # State 0: (0, 0) ends the game with 1; anything else leads to state 1, which pays 2 for ever.
    probability = np.ones((2, 2, 2, 1))
    next_state = np.ones((2, 2, 2, 1))
    reward = np.zeros((2, 2, 2, 1))
    terminated = np.zeros((2, 2, 2, 1), dtype=bool)
    reward[0, 0, 0], terminated[0, 0, 0], reward[1] = 1, True, 2
    game = ZeroSumMarkovGame(probability, next_state, reward, terminated, [1, 0], 0.5)
    # State 1 is worth 4. In state 0 player 0 avoids the end by action 1: 0 + 0.5 * 4 = 2.
    assert solve_markov_game(game).value == pytest.approx([2, 4], abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_value_iteration_and_policy_iteration_agree(seed):
    game = random_game(seed)
    found = solve_markov_game(game)
    np.testing.assert_allclose(found.value, by_hoffman_and_karp(game), atol=1e-9)
    assert found.bound <= 1e-10
    assert (found.lower <= found.value + 1e-9).all()
    assert (found.value <= found.upper + 1e-9).all()
    assert 0 <= found.gap <= 1e-8


def test_exchanging_the_players_negates_the_value():
    game = random_game(3)
    swapped = ZeroSumMarkovGame(
        *(field.swapaxes(1, 2) for field in (game.probability, game.next_state)),
        -game.reward.swapaxes(1, 2),
        game.terminated.swapaxes(1, 2),
        game.start,
        game.discount,
    )
    np.testing.assert_allclose(solve_markov_game(swapped).value, -solve_markov_game(game).value, atol=1e-9)


def test_best_responses_bracket_what_two_policies_earn():
    game, rng = random_game(4), np.random.default_rng(0)
    row, column = rng.dirichlet(np.ones(3), size=6), rng.dirichlet(np.ones(2), size=6)
    value = policy_value(game, (row, column))
    assert (best_response_value(game, row, responder=1) <= value + 1e-9).all()
    assert (value <= best_response_value(game, column, responder=0) + 1e-9).all()
    assert markov_exploitability(game, (row, column)) > 0.01
    assert markov_exploitability(game, solve_markov_game(game).policies) == pytest.approx(0, abs=1e-8)


def test_policy_value_solves_the_linear_system_of_the_two_policies():
    game, rng = random_game(5), np.random.default_rng(1)
    row, column = rng.dirichlet(np.ones(3), size=6), rng.dirichlet(np.ones(2), size=6)
    joint = row[:, :, None, None] * column[:, None, :, None] * game.probability
    matrix = np.zeros((6, 6))
    for state in range(6):
        np.add.at(matrix[state], game.next_state[state], joint[state] * ~game.terminated[state])
    expected = np.linalg.solve(np.eye(6) - game.discount * matrix, (joint * game.reward).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(policy_value(game, (row, column)), expected, atol=1e-9)


def test_against_a_deterministic_pennies_player_the_other_always_wins():
    game = one_shot(PENNIES, discount=0.5)
    assert best_response_value(game, [[1, 0]], responder=1)[0] == pytest.approx(-2, abs=1e-9)
    assert best_response_value(game, [[1, 0]], responder=0)[0] == pytest.approx(2, abs=1e-9)
    # NashConv 2 + 2 against a fair start of 0; over two players.
    assert markov_exploitability(game, ([[1, 0]], [[1, 0]])) == pytest.approx(2, abs=1e-9)


def test_a_coarser_tolerance_says_so():
    game = random_game(6)
    rough = solve_markov_game(game, tolerance=1e-2)
    assert rough.num_sweeps < solve_markov_game(game).num_sweeps
    assert rough.bound <= 1e-2
    assert np.abs(rough.value - solve_markov_game(game).value).max() <= rough.bound + 1e-9


def test_a_table_is_a_read_only_copy_and_equal_by_content():
    game = random_game(7)
    for one in (game, copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert one == game
        assert hash(one) == hash(game)
        with pytest.raises(ValueError, match="read-only"):
            one.reward[0] = 0
    assert game != random_game(8)
    assert game != "game"


def changed(**fields):
    game = random_game(0)
    names = ("probability", "next_state", "reward", "terminated", "start", "discount")
    return {name: fields.get(name, getattr(game, name)) for name in names}


def with_entry(field, index, value):
    array = np.array(getattr(random_game(0), field))
    array[index] = value
    return {field: array}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"probability": np.ones((6, 3, 2))}, r"probability must have shape \[S, A1, A2, K\].*but has \(6, 3, 2\)"),
        ({"reward": np.ones((6, 3, 2, 1))}, r"reward must have the shape of probability, \(6, 3, 2, 3\)"),
        (
            with_entry("probability", (2, 1, 0), [0.5, 0.2, 0.2]),
            r"must sum to 1 over the outcomes, but state 2, action of player 0 1, action of player 1 0 has 0\.9",
        ),
        (
            with_entry("probability", (2, 1, 0), [1.5, -0.5, 0]),
            r"probabilities must be at least 0, but state 2.*outcome 1 has -0\.5",
        ),
        (with_entry("next_state", (5, 0, 0, 0), 6), r"next_state must be in range\(0, 6\), but state 5.*has 6"),
        (with_entry("reward", (0, 0, 1, 2), np.inf), r"rewards must be finite, but state 0.*outcome 2 has inf"),
        ({"start": np.ones(5) / 5}, r"start must have shape \(6,\), but has \(5,\)"),
        ({"start": [-1, 2, 0, 0, 0, 0]}, r"start probabilities must be at least 0, but state 0 has -1"),
        ({"start": np.ones(6)}, r"start must sum to 1, but sums to 6"),
        ({"discount": 1.0}, r"discount must be at least 0 and below 1, but is 1\.0"),
        ({"discount": -0.1}, r"discount must be at least 0 and below 1, but is -0\.1"),
    ],
)
def test_tables_that_break_a_rule_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ZeroSumMarkovGame(**changed(**fields))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.ones((6, 2)) / 2, r"a policy of player 0 must have shape \(6, 3\), but has \(6, 2\)"),
        (np.ones((6, 3)), r"must sum to 1 in every state, but state 0 has 3"),
        (np.tile([1.5, -0.5, 0], (6, 1)), r"must be at least 0, but state 0, action of player 0 1 has -0\.5"),
    ],
)
def test_what_is_no_policy_is_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        best_response_value(random_game(0), policy, responder=1)


def test_an_unknown_responder_and_a_tolerance_of_zero_are_refused():
    with pytest.raises(ValueError, match=r"the responder must be player 0 or 1, but got 2"):
        best_response_value(random_game(0), np.ones((6, 3)) / 3, responder=2)
    with pytest.raises(ValueError, match=r"the tolerance must be positive, but is 0"):
        solve_markov_game(random_game(0), tolerance=0)
