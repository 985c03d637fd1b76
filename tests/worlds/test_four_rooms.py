"""Facts about FourRooms that follow from its rules by hand."""

import re

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given

from rl_envs.mdp.solve import solve
from rl_envs.options import hallway_options
from rl_envs.registry import WORLDS
from rl_envs.worlds.four_rooms import four_rooms
from rl_envs.worlds.world import Frame
from tests import second_method
from tests.random_maps import distances, rooms_maps

UP, RIGHT, DOWN, LEFT = range(4)
EXACT = 1e-9


def cell(world, row, column):
    return world.layout.grid.cell_at("cell", (row, column))


def test_there_are_104_cells_and_every_one_but_the_goal_may_be_the_first():
    world = four_rooms()
    assert world.mdp.num_states == 104
    goal = cell(world, 7, 9)
    assert np.flatnonzero(world.goal_states).tolist() == [goal]
    assert np.flatnonzero(world.mdp.terminal_states).tolist() == [goal]
    assert world.mdp.start[goal] == 0
    np.testing.assert_allclose(np.delete(world.mdp.start, goal), 1 / 103, rtol=1e-15)


def test_a_move_goes_as_meant_two_times_in_three_and_each_other_way_one_time_in_nine():
    world = four_rooms()
    row = world.mdp.transitions()[cell(world, 2, 2)][RIGHT]
    assert {s: (pytest.approx(p, abs=1e-15), r, end) for p, s, r, end in row} == {
        cell(world, 2, 3): (2 / 3, 0.0, False),
        cell(world, 1, 2): (1 / 9, 0.0, False),
        cell(world, 3, 2): (1 / 9, 0.0, False),
        cell(world, 2, 1): (1 / 9, 0.0, False),
    }


def test_a_move_into_wall_stays():
    world = four_rooms()
    corner = cell(world, 1, 1)
    row = world.mdp.transitions()[corner][UP]
    assert {s: pytest.approx(p, abs=1e-15) for p, s, _, _ in row} == {
        corner: 2 / 3 + 1 / 9,  # up, and left by noise
        cell(world, 1, 2): 1 / 9,
        cell(world, 2, 1): 1 / 9,
    }


def test_reaching_the_goal_pays_one_and_ends_the_episode():
    world = four_rooms(noise=0)
    assert world.mdp.transitions()[cell(world, 6, 9)][DOWN] == [(1.0, cell(world, 7, 9), 1.0, True)]
    assert world.mdp.transitions()[cell(world, 8, 9)][UP] == [(1.0, cell(world, 7, 9), 1.0, True)]
    assert world.mdp.reward.sum() == 2


@pytest.mark.parametrize("goal", [None, (3, 6), [6, 2], [10, 6], [1, 1], [9, 10]])
def test_without_noise_the_value_is_the_discount_to_the_power_of_steps_before_the_last(goal):
    world = four_rooms(noise=0, goal=goal)
    steps = distances(list(world.layout.grid.rows), tuple(goal or (7, 9)))
    v_star = solve(world.mdp).v_star
    for place, distance in steps.items():
        assert v_star[cell(world, *place)] == pytest.approx(0.9 ** (distance - 1) if distance else 0, abs=EXACT)


def test_the_numbers_of_the_documentation():
    world = four_rooms()
    for v_star in (solve(world.mdp).v_star, second_method.best_values(world.mdp, 2000)):
        assert v_star[cell(world, 1, 1)] == pytest.approx(0.0931093414282, abs=EXACT)
        assert v_star[cell(world, 6, 9)] == pytest.approx(0.8821135234778, abs=EXACT)
        assert world.mdp.start @ v_star == pytest.approx(0.3294392030083, abs=EXACT)
    # From the upper left corner to the goal are 6 steps down and 8 right, 14.
    certain = four_rooms(noise=0)
    assert solve(certain.mdp).v_star[cell(certain, 1, 1)] == pytest.approx(0.9**13, abs=EXACT)


def test_at_noise_of_three_quarters_every_action_is_the_same():
    mdp = four_rooms(noise=0.75).mdp
    q_star = solve(mdp).q_star
    np.testing.assert_allclose(q_star, q_star[:, :1].repeat(4, axis=1), atol=EXACT)


def test_noise_changes_nothing_for_the_uniform_policy():
    certain, noisy = four_rooms(noise=0).mdp, four_rooms().mdp
    uniform = second_method.uniform(certain)
    np.testing.assert_allclose(
        second_method.values(certain, uniform), second_method.values(noisy, uniform), rtol=0, atol=EXACT
    )


def test_the_registered_threshold_is_95_percent_of_the_way_from_random_to_optimal():
    mdp = four_rooms().mdp
    best = mdp.start @ second_method.best_within(mdp, 500)
    random = mdp.start @ second_method.uniform_within(mdp, 500)
    assert random == pytest.approx(0.6421766654452, abs=EXACT)
    assert WORLDS["FourRooms"].reward_threshold == pytest.approx(random + 0.95 * (best - random), abs=EXACT)


def test_the_goal_may_be_anywhere_and_leaves_floor_behind():
    world = four_rooms(goal=[9, 10])
    assert np.flatnonzero(world.goal_states).tolist() == [cell(world, 9, 10)]
    assert world.mdp.num_states == 104
    assert not world.mdp.terminal_states[cell(world, 7, 9)]


def test_a_map_of_ones_own_needs_no_goal_on_it_if_one_is_given():
    env = gym.make("rl_envs/FourRooms-v0", map="..#..\n.....\n..#..", goal=[1, 2], noise=0)
    world = env.unwrapped.world
    assert world.mdp.num_states == 13
    env.reset(options={"state": cell(world, 1, 1)})
    _, reward, terminated, _, info = env.step(RIGHT)
    assert (reward, terminated, info["is_success"]) == (1.0, True, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"goal": [0, 0]}, ValueError, "goal must not be wall, but is row 0, column 0:\n    ####"),
        ({"goal": [13, 1]}, ValueError, "goal must be on the map of 13 rows and 13 columns, but is [13, 1]"),
        ({"goal": "east"}, TypeError, "goal must be a row and a column, as [7, 9], but is 'east'"),
        ({"map": ["..."]}, ValueError, "the map must have one G (goal), but has none in rows 0..0, columns 0..2"),
        (
            {"map": ["G.#.", "..#."]},
            ValueError,
            "reachable from every cell, but is not from row 0, column 3:\n    G.#.",
        ),
        ({"map": ["#G#"]}, ValueError, "must have a cell beside the goal, but has none: row 0, column 1:\n    #G#"),
        ({"map": ["G.S"]}, ValueError, "unknown glyph 'S' at row 0, column 2:\n    G.S\n      ^\nKnown: # wall"),
        ({"noise": 1.5}, ValueError, "noise must be in [0, 1], but is 1.5"),
        ({"noise": "much"}, TypeError, "noise must be a number, but is 'much'"),
        ({"discount": -0.1}, ValueError, "discount must be in [0, 1], but is -0.1"),
        ({"observation": "veiw"}, ValueError, "unknown observation 'veiw'. Did you mean 'view'?"),
    ],
)
def test_bad_arguments_are_refused_with_the_rule_and_the_offender(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        four_rooms(**arguments)


def test_features_are_row_and_column_from_0_to_1():
    world = four_rooms(observation="features")
    np.testing.assert_allclose(world.observation.of(cell(world, 3, 6)), [3 / 12, 6 / 12])
    np.testing.assert_allclose(world.observation.of(cell(world, 11, 1)), [11 / 12, 1 / 12], rtol=1e-6)
    assert world.observation.space == gym.spaces.Box(0, 1, (2,), np.float32)


def test_a_view_shows_walls_floor_and_the_goal_around_the_agent():
    world = four_rooms(observation="view")
    assert world.observation.of(cell(world, 6, 9)).tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 1]
    assert world.observation.of(cell(world, 1, 1)).tolist() == [1, 1, 1, 1, 0, 0, 1, 0, 0]
    assert world.observation.space == gym.spaces.MultiDiscrete([3] * 9)


def test_a_view_hides_which_room_one_is_in():
    world = four_rooms(observation="view")
    assert world.observation.of(cell(world, 2, 2)).tolist() == world.observation.of(cell(world, 9, 10)).tolist()


def frame(state, **said):
    return Frame(state, None, None, 0, 0.0, np.zeros(4), np.zeros(104), **said)


def test_the_drawing_shows_agent_and_goal():
    world = four_rooms()
    lines = world.drawing.text(frame(cell(world, 1, 1))).split("\n")
    assert lines[0] == "#############"
    assert lines[1] == "#A....#.....#"
    assert lines[7] == "#.....###G###"
    assert len(lines) == 13


def test_the_drawing_shows_what_the_active_option_does():
    world = four_rooms(noise=0)
    option = hallway_options(world)[0]  # from the upper left room to the hallway at row 3, column 6
    text = world.drawing.text(frame(cell(world, 2, 2), option=option.name, option_policy=option.policy))
    lines = text.split("\n")
    assert lines[3] == "#>>>>>......#"
    assert lines[2][:3] == "#>A" or lines[2][:3] == "#vA"
    assert lines[6] == "##^####.....#"
    assert lines[8] == "#.....#.....#"


@given(rooms_maps())
def test_any_connected_map_makes_a_valid_world_worth_the_shortest_way(rows):
    world = four_rooms(map=rows, noise=0)
    goal = next((r, line.index("G")) for r, line in enumerate(rows) if "G" in line)
    steps = distances([line.replace(" ", ".") for line in rows], goal)
    assert len(steps) == world.mdp.num_states
    v_star = solve(world.mdp).v_star
    for place, distance in steps.items():
        assert v_star[cell(world, *place)] == pytest.approx(0.9 ** (distance - 1) if distance else 0, abs=EXACT)
    noisy = four_rooms(map=rows, noise=0.6).mdp
    np.testing.assert_allclose(noisy.probability.sum(axis=2), 1, rtol=1e-12)
    for kind in ("index", "features", "view", "one_hot"):
        observation = four_rooms(map=rows, observation=kind).observation
        batch = observation.batch(np.arange(len(steps)))
        assert all(observation.space.contains(row) for row in batch)
