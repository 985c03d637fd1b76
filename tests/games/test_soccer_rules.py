"""Littman's soccer: its rules move by move, its symmetries, and its exact solution."""

import numpy as np
import pytest

from rl_envs.games import best_response_value, soccer_table, solve_markov_game
from rl_envs.games.soccer_rules import (
    ACTION_NAMES,
    KICK_OFF,
    NUM_STATES,
    Position,
    mirrored,
    moved,
    position_of,
    state_of,
)
from rl_envs.games.soccer_rules import (
    soccer_table as build,
)
from rl_envs.games.zero_sum import solve_by_linear_program

NORTH, EAST, SOUTH, WEST, STAND = range(5)


@pytest.fixture(scope="module")
def table():
    return soccer_table()


@pytest.fixture(scope="module")
def solution(table):
    return solve_markov_game(table)


def test_states_and_positions_are_one_to_one():
    positions = [position_of(state) for state in range(NUM_STATES)]
    assert [state_of(position) for position in positions] == list(range(NUM_STATES))
    assert len(set(positions)) == NUM_STATES == 2 * 20 * 19 + 2
    assert all(p.squares[0] != p.squares[1] for p in positions)


def test_turning_the_pitch_twice_is_no_change():
    assert [mirrored(mirrored(state)) for state in range(NUM_STATES)] == list(range(NUM_STATES))
    assert mirrored(state_of(Position(KICK_OFF, 0))) == state_of(Position(KICK_OFF, 1))


@pytest.mark.parametrize(
    ("action", "square"), [(NORTH, (0, 3)), (EAST, (1, 4)), (SOUTH, (2, 3)), (WEST, (1, 2)), (STAND, (1, 3))]
)
def test_actions_move_by_one_square(action, square):
    assert moved(Position(KICK_OFF, 1), 0, action).squares == (square, KICK_OFF[1])
    assert ACTION_NAMES[action] in ("north", "east", "south", "west", "stand")


def test_running_into_the_other_player_loses_the_ball_and_does_not_move():
    position = Position(((1, 1), (1, 2)), ball=0)
    assert moved(position, 0, EAST) == Position(((1, 1), (1, 2)), ball=1)


def test_running_into_the_player_with_the_ball_changes_nothing():
    position = Position(((1, 1), (1, 2)), ball=1)
    assert moved(position, 0, EAST) == position


def test_the_edge_of_the_pitch_stops_everybody():
    corner = Position(((0, 0), (3, 4)), ball=0)
    assert moved(corner, 0, NORTH) == corner
    assert moved(corner, 0, WEST) == corner  # row 0 is beside the goal
    assert moved(Position(((3, 4), (1, 0)), ball=0), 1, WEST).squares == ((3, 4), (1, 0))  # no ball, no goal


def test_each_player_scores_on_its_own_side_only():
    assert moved(Position(((1, 0), (3, 3)), ball=0), 0, WEST).scorer == 0
    assert moved(Position(((2, 0), (3, 3)), ball=0), 0, WEST).scorer == 0
    assert moved(Position(((0, 0), (1, 4)), ball=1), 1, EAST).scorer == 1
    own_goal = Position(((1, 4), (3, 3)), ball=0)
    assert moved(own_goal, 0, EAST) == own_goal


def test_the_order_of_the_moves_decides_who_gets_an_empty_square(table):
    # A at (1, 1) goes east and B at (1, 3) west, both into (1, 2): the first mover gets it, and the second runs into
    # it. A has the ball: moving first it keeps it; moving second it runs into B and loses it.
    state = state_of(Position(((1, 1), (1, 3)), ball=0))
    outcomes = table.next_state[state, EAST, WEST]
    assert table.probability[state, EAST, WEST].tolist() == [0.5, 0.5]
    assert position_of(outcomes[0]) == Position(((1, 2), (1, 3)), ball=0)
    assert position_of(outcomes[1]) == Position(((1, 1), (1, 2)), ball=1)


def test_a_player_may_follow_into_a_square_just_left(table):
    state = state_of(Position(((1, 1), (1, 2)), ball=0))
    outcomes = table.next_state[state, EAST, EAST]
    assert position_of(outcomes[0]) == Position(((1, 1), (1, 3)), ball=1)  # A ran into B first
    assert position_of(outcomes[1]) == Position(((1, 2), (1, 3)), ball=0)  # B had gone


def test_a_goal_ends_the_round_before_the_other_moves(table):
    state = state_of(Position(((1, 0), (1, 1)), ball=0))
    assert table.reward[state, WEST, WEST].tolist() == [1, 1]
    assert table.terminated[state, WEST, WEST].all()
    assert position_of(table.next_state[state, WEST, WEST, 0]).scorer == 0


def test_rewards_come_with_goals_and_with_nothing_else(table):
    in_play = table.reward[:760]
    assert set(np.unique(in_play)) == {-1, 0, 1}
    assert (table.terminated[:760] == (in_play != 0)).all()
    scorers = table.next_state[:760][in_play != 0]
    assert (np.where(in_play[in_play != 0] > 0, 760, 761) == scorers).all()
    assert (table.reward[760:] == 0).all()
    assert table.terminated[760:].all()


def test_the_ball_starts_with_either(table):
    starts = np.flatnonzero(table.start)
    assert {position_of(state) for state in starts} == {Position(KICK_OFF, 0), Position(KICK_OFF, 1)}
    assert table.start[starts].tolist() == [0.5, 0.5]


def test_the_table_looks_the_same_to_both_players(table):
    turned = np.array([mirrored(state) for state in range(NUM_STATES)])
    flipped = [SOUTH, WEST, NORTH, EAST, STAND]
    # Player 1's view: states turned, players and their compass exchanged, the other player moving first.
    next_state = table.next_state[turned][:, flipped][:, :, flipped].swapaxes(1, 2)[..., ::-1]
    reward = table.reward[turned][:, flipped][:, :, flipped].swapaxes(1, 2)[..., ::-1]
    assert (turned[next_state] == table.next_state).all()
    assert (-reward == table.reward).all()


def test_the_value_of_a_state_is_the_negative_of_the_turned_one(solution):
    turned = np.array([mirrored(state) for state in range(NUM_STATES)])
    np.testing.assert_allclose(solution.value, -solution.value[turned], atol=1e-10)


def test_the_start_is_worth_nothing_and_the_ball_there_what_the_docs_say(table, solution):
    assert table.start @ solution.value == pytest.approx(0, abs=1e-10)
    assert solution.value[state_of(Position(KICK_OFF, 0))] == pytest.approx(0.21848444, abs=5e-9)


def test_the_solution_is_certified_from_both_sides(solution):
    assert solution.bound <= 1e-10
    assert (solution.lower <= solution.value).all()
    assert (solution.value <= solution.upper).all()
    assert 0 < solution.gap < 1e-8


def test_scipy_solves_every_states_program_to_the_same_value(table, solution):
    for state, matrix in enumerate(table.stage_games(solution.value)):
        row, column = solve_by_linear_program(matrix)
        assert (row @ matrix).min() == pytest.approx(solution.value[state], abs=1e-8)
        assert (matrix @ column).max() == pytest.approx(solution.value[state], abs=1e-8)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (Position(((1, 0), (1, 1)), ball=0), 1.0),  # west scores at once, whatever B does
        (Position(((1, 1), (3, 4)), ball=0), 0.9),  # two steps, and B is too far away
        (Position(((0, 0), (3, 4)), ball=0), 0.9),  # south, west
        (Position(((0, 2), (3, 4)), ball=0), 0.9**3),  # west, west, south and west in some order: four steps
        (Position(((3, 0), (1, 4)), ball=1), -1.0),  # B scores at once
        (Position(KICK_OFF, ball=0, scorer=0), 0.0),
    ],
)
def test_an_unstoppable_player_is_worth_the_discount_of_its_steps(solution, position, value):
    assert solution.value[state_of(position)] == pytest.approx(value, abs=1e-9)


def test_no_deterministic_player_is_sure_of_anything_at_the_kick_off(table, solution):
    # The best deterministic policy against an opponent who sees it coming: max over own actions before min over theirs.
    value = np.zeros(NUM_STATES)
    for _ in range(300):
        value = table.stage_games(value).min(axis=2).max(axis=1)
    kick_off = state_of(Position(KICK_OFF, 0))
    assert value[kick_off] <= 1e-9 < 0.2 < solution.value[kick_off]


def test_the_minimax_policy_is_not_beaten_and_a_greedy_one_is(table, solution):
    rng = np.random.default_rng(0)
    assert (best_response_value(table, solution.policies[0], responder=1) >= solution.value - 1e-8).all()
    random_policy = rng.dirichlet(np.ones(5), size=NUM_STATES)
    assert table.start @ best_response_value(table, random_policy, responder=1) < -0.2


def test_the_table_is_built_once_a_discount():
    assert build(0.9) is build(0.9)
    assert build(0.5).discount == 0.5


@pytest.mark.parametrize(
    ("position", "message"),
    [
        (Position(((4, 0), (1, 1)), 0), r"on the 4 x 5 pitch, but player 0 is at \(4, 0\)"),
        (Position(((0, 0), (1, -1)), 0), r"but player 1 is at \(1, -1\)"),
        (Position(((1, 1), (1, 1)), 0), r"squares must differ, but both are \(1, 1\)"),
        (Position(((1, 1), (1, 2)), 2), r"the ball is player 0's or 1's, but got 2"),
    ],
)
def test_impossible_positions_are_refused(position, message):
    with pytest.raises(ValueError, match=message):
        state_of(position)


@pytest.mark.parametrize("state", [-1, 762])
def test_unknown_states_are_refused(state):
    with pytest.raises(ValueError, match=rf"soccer has states 0 to 761, but got {state}"):
        position_of(state)
