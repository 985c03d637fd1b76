"""Facts about SubtaskGrid that follow from its rules by hand."""

import re

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given

from rl_envs.mdp.solve import solve
from rl_envs.options import subtasks
from rl_envs.registry import WORLDS
from rl_envs.worlds.subtask_grid import MAP, subtask_grid
from rl_envs.worlds.world import Frame
from tests import second_method
from tests.random_maps import distances, subtask_maps

UP, RIGHT, DOWN, LEFT = range(4)
NO_KEY, KEY, OPEN = range(3)
EXACT = 1e-9


def at(world, row, column, stage):
    """The state of a cell and a stage."""
    layout = world.layout
    here = (layout.cell == layout.grid.cell_at("cell", (row, column))) & (layout.stage == stage)
    (state,) = np.flatnonzero(here)
    return int(state)


def test_only_states_that_an_episode_can_come_to_are_states():
    world = subtask_grid()
    # The left room has 20 cells. On the key's cell one has the key; in the door and behind it, the door is open.
    assert np.bincount(world.layout.stage).tolist() == [19, 20, 41]
    assert np.flatnonzero(world.goal_states).tolist() == [at(world, 5, 9, OPEN)]
    assert np.flatnonzero(world.mdp.terminal_states).tolist() == [at(world, 5, 9, OPEN)]
    assert np.flatnonzero(world.mdp.start).tolist() == [at(world, 3, 3, NO_KEY)]


def test_arriving_at_the_key_picks_it_up():
    world = subtask_grid()
    moves = world.mdp.transitions()
    assert moves[at(world, 1, 2, NO_KEY)][LEFT] == [(1.0, at(world, 1, 1, KEY), 0.0, False)]
    assert moves[at(world, 1, 1, KEY)][RIGHT] == [(1.0, at(world, 1, 2, KEY), 0.0, False)]


def test_the_door_stops_whoever_has_no_key_and_opens_for_who_has():
    world = subtask_grid()
    moves = world.mdp.transitions()
    assert moves[at(world, 3, 4, NO_KEY)][RIGHT] == [(1.0, at(world, 3, 4, NO_KEY), 0.0, False)]
    assert moves[at(world, 3, 4, KEY)][RIGHT] == [(1.0, at(world, 3, 5, OPEN), 0.0, False)]
    # Once open it stays open, from either side.
    assert moves[at(world, 3, 5, OPEN)][LEFT] == [(1.0, at(world, 3, 4, OPEN), 0.0, False)]
    assert moves[at(world, 3, 4, OPEN)][RIGHT] == [(1.0, at(world, 3, 5, OPEN), 0.0, False)]


def test_the_goal_pays_one_and_ends_the_episode_and_nothing_else_does():
    world = subtask_grid()
    moves = world.mdp.transitions()
    assert moves[at(world, 5, 8, OPEN)][RIGHT] == [(1.0, at(world, 5, 9, OPEN), 1.0, True)]
    assert moves[at(world, 4, 9, OPEN)][DOWN] == [(1.0, at(world, 5, 9, OPEN), 1.0, True)]
    assert world.mdp.reward.sum() == 2
    assert world.mdp.terminated.sum() == 2 + 4  # the two ways in, and the goal itself


def test_sixteen_moves_solve_it():
    env = gym.make("rl_envs/SubtaskGrid-v0")
    env.reset(seed=0)
    ways = [UP] * 2 + [LEFT] * 2, [DOWN] * 2 + [RIGHT] * 4, [RIGHT] * 4 + [DOWN] * 2
    rows = [env.step(move) for way in ways for move in way]
    assert [row[1] for row in rows] == [0.0] * 15 + [1.0]
    assert [row[2] for row in rows] == [False] * 15 + [True]
    assert rows[-1][4] == {"is_success": 1}


def test_a_slip_goes_to_either_side_with_half_its_probability():
    world = subtask_grid(slip=0.2)
    row = world.mdp.transitions()[at(world, 3, 2, NO_KEY)][UP]
    assert {s: pytest.approx(p, abs=1e-15) for p, s, _, _ in row} == {
        at(world, 2, 2, NO_KEY): 0.8,
        at(world, 3, 1, NO_KEY): 0.1,
        at(world, 3, 3, NO_KEY): 0.1,
    }


def test_a_slip_into_the_door_opens_it_too():
    world = subtask_grid(slip=0.2)
    row = world.mdp.transitions()[at(world, 3, 4, KEY)][DOWN]
    assert {s: pytest.approx(p, abs=1e-15) for p, s, _, _ in row} == {
        at(world, 4, 4, KEY): 0.8,
        at(world, 3, 3, KEY): 0.1,
        at(world, 3, 5, OPEN): 0.1,
    }


def test_the_numbers_of_the_documentation():
    # 4 steps to the key, 6 to the door and 6 to the goal; the reward comes with the last of the 16.
    certain, slippery = subtask_grid().mdp, subtask_grid(slip=0.1).mdp
    assert certain.start @ solve(certain).v_star == pytest.approx(0.95**15, abs=EXACT)
    assert slippery.start @ solve(slippery).v_star == pytest.approx(0.4207405805737, abs=EXACT)
    assert slippery.start @ second_method.best_values(slippery, 3000) == pytest.approx(0.4207405805737, abs=EXACT)


def test_the_registered_threshold_is_95_percent_of_the_way_from_random_to_optimal():
    mdp = subtask_grid().mdp
    best = mdp.start @ second_method.best_within(mdp, 200)
    random = mdp.start @ second_method.uniform_within(mdp, 200)
    assert best == 1
    assert random == pytest.approx(0.1910356289524, abs=EXACT)
    assert WORLDS["SubtaskGrid"].reward_threshold == pytest.approx(random + 0.95 * (best - random), abs=EXACT)


def test_cells_that_only_the_key_leads_to_are_no_states_without_it():
    world = subtask_grid(map=["SK.DG"])
    assert [(int(c), int(s)) for c, s in zip(world.layout.cell, world.layout.stage)] == [
        *((0, NO_KEY), (0, KEY), (1, KEY), (2, KEY)),
        *((cell, OPEN) for cell in range(5)),
    ]


def test_cells_that_only_the_goal_leads_to_are_no_states():
    world = subtask_grid(map=["SKDG."])
    assert world.layout.cell.max() == 3
    assert world.mdp.num_states == 1 + 2 + 4


def test_a_map_may_come_as_one_string_and_through_the_registration():
    drawing = """
        #######
        #S.D.G#
        #K#####
        #######
    """
    env = gym.make("rl_envs/SubtaskGrid-v0", map=drawing, observation="one_hot")
    mdp = env.unwrapped.world.mdp
    # Down to the key and up again are 2 steps, to the door 2, to the goal 2.
    assert mdp.start @ solve(mdp).v_star == pytest.approx(0.95**5, abs=EXACT)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["S.K", "D.."], "must have one G (goal), but has none in rows 0..1, columns 0..2:\nS.K\nD.."),
        ([".K.", "DG."], "must have one S (start), but has none in rows 0..1, columns 0..2"),
        (["SK.", ".G."], "must have one D (door), but has none in rows 0..1, columns 0..2"),
        (["SDG"], "must have one K (key), but has none in rows 0..0, columns 0..2"),
        (["SKDGK"], "must have one K (key), but after row 0, column 1 there is another at row 0, column 4"),
        (["SKDG", "###"], "as long as row 0, 4 columns, but it differs at row 1, column 3, which has 3"),
        (
            ["SKDX"],
            "unknown glyph 'X' at row 0, column 3:\n    SKDX\n       ^\nKnown: # wall, . or a space floor, S start",
        ),
        (
            ["S#K", "DG#"],
            "key must be reachable from the start without the door, but is not: row 0, column 2:\n    S#K",
        ),
        (["SDKG"], "key must be reachable from the start without the door, but is not: row 0, column 2:\n    SDKG"),
        (["SK#D", "##G#"], "door must be reachable from the start, but is not: row 0, column 3:\n    SK#D\n       ^"),
        (["SKD#", "###G"], "goal must be reachable through the door, but is not: row 1, column 3:\n    ###G"),
        (["SKDG", "...."], "must lie behind the door, but can be reached from the start without it: row 0, column 3:"),
    ],
)
def test_a_map_that_cannot_be_done_in_order_is_refused_with_the_place(rows, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        subtask_grid(map=rows)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"slip": 1.01}, ValueError, "slip must be in [0, 1], but is 1.01"),
        ({"slip": None}, TypeError, "slip must be a number, but is None"),
        ({"discount": 2}, ValueError, "discount must be in [0, 1], but is 2"),
        ({"map": 7}, TypeError, "map must be a string or a list of strings, but is 7"),
        ({"observation": "feature"}, ValueError, "unknown observation 'feature'. Did you mean 'features'?"),
    ],
)
def test_bad_arguments_are_refused_with_the_rule_and_the_offender(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        subtask_grid(**arguments)


def test_features_are_row_column_key_and_door():
    world = subtask_grid(observation="features")  # 7 rows, 11 columns
    seen = world.observation.batch(np.array([at(world, 3, 3, NO_KEY), at(world, 1, 1, KEY), at(world, 5, 9, OPEN)]))
    np.testing.assert_allclose(seen, [[3 / 6, 3 / 10, 0, 0], [1 / 6, 1 / 10, 1, 0], [5 / 6, 9 / 10, 1, 1]], rtol=1e-6)
    assert world.observation.space == gym.spaces.Box(0, 1, (4,), np.float32)


def test_features_and_index_tell_every_state_apart():
    for kind in ("index", "features", "one_hot"):
        world = subtask_grid(observation=kind)
        seen = world.observation.batch(np.arange(world.mdp.num_states)).reshape(world.mdp.num_states, -1)
        assert len(np.unique(seen, axis=0)) == world.mdp.num_states


def test_a_view_shows_what_is_near_and_whether_one_has_the_key():
    world = subtask_grid(observation="view")
    seen = {
        place: world.observation.of(at(world, *place)).tolist()
        for place in [
            (2, 2, NO_KEY),
            (2, 2, KEY),
            (3, 4, NO_KEY),
            (3, 4, KEY),
            (3, 4, OPEN),
            (3, 5, OPEN),
            (4, 8, OPEN),
        ]
    }
    floor = [0] * 9
    assert seen[2, 2, NO_KEY] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]  # the key lies to the upper left
    assert seen[2, 2, KEY] == [*floor, 1]
    assert seen[3, 4, NO_KEY] == [0, 0, 1, 0, 0, 3, 0, 0, 1, 0]
    assert seen[3, 4, KEY] == [0, 0, 1, 0, 0, 3, 0, 0, 1, 1]
    assert seen[3, 4, OPEN] == [0, 0, 1, 0, 0, 4, 0, 0, 1, 1]
    assert seen[3, 5, OPEN] == [0, 1, 0, 0, 4, 0, 0, 1, 0, 1]
    assert seen[4, 8, OPEN] == [0, 0, 0, 0, 0, 0, 0, 0, 5, 1]
    assert world.observation.space == gym.spaces.MultiDiscrete([6] * 9 + [2])


def test_the_first_view_hides_where_one_is():
    world = subtask_grid(observation="view")
    inner = [at(world, row, column, OPEN) for row, column in [(2, 2), (4, 3), (2, 7), (2, 8)]]
    assert len(np.unique(world.observation.batch(np.array(inner)), axis=0)) == 1


def text_at(world, row, column, stage):
    state = at(world, row, column, stage)
    return world.drawing.text(Frame(state, None, None, 0, 0.0, np.zeros(4), np.zeros(80)))


def test_the_drawing_shows_what_is_still_to_be_done():
    world = subtask_grid()
    first = text_at(world, 3, 3, NO_KEY).split("\n")
    assert first == [MAP[0], MAP[1], MAP[2], "#..A.D....#", MAP[4], MAP[5], MAP[6], "to do: get the key"]
    assert text_at(world, 1, 1, KEY).split("\n")[1] == "#A...#....#"
    assert text_at(world, 2, 1, KEY).split("\n")[1] == "#....#....#"
    assert text_at(world, 2, 1, KEY).endswith("to do: open the door")
    assert text_at(world, 3, 5, OPEN).split("\n")[3] == "#....A....#"
    assert text_at(world, 3, 6, OPEN).split("\n")[3] == "#.....A...#"
    assert text_at(world, 3, 6, OPEN).endswith("to do: reach the goal")
    assert text_at(world, 5, 9, OPEN).endswith("at the goal")


def test_there_are_three_subtasks_one_a_stage():
    world = subtask_grid()
    get_key, open_door, reach_goal = subtasks(world)
    assert [task.name for task in subtasks(world)] == ["get the key", "open the door", "reach the goal"]
    np.testing.assert_array_equal(get_key.initiation, world.layout.stage == NO_KEY)
    np.testing.assert_array_equal(open_door.initiation, world.layout.stage == KEY)
    np.testing.assert_array_equal(reach_goal.initiation, (world.layout.stage == OPEN) & ~world.goal_states)
    assert get_key.goal[at(world, 1, 1, KEY)]
    assert open_door.goal[at(world, 3, 5, OPEN)]
    np.testing.assert_array_equal(reach_goal.goal, world.goal_states)


@given(subtask_maps())
def test_any_solvable_map_makes_a_valid_world_worth_its_three_shortest_ways(rows):
    world = subtask_grid(map=rows)
    places = {glyph: (r, c) for r, line in enumerate(rows) for c, glyph in enumerate(line) if glyph in "SKDG"}
    # Without the key the door is wall; the key's way and the door's are walked on the left of it alone.
    shut = [line.replace("D", "#") for line in rows]
    to_key = distances(shut, places["K"])[places["S"]]
    to_door = distances(rows, places["D"])[places["K"]]
    to_goal = distances(rows, places["G"])[places["D"]]
    mdp = world.mdp
    assert mdp.start @ solve(mdp).v_star == pytest.approx(0.95 ** (to_key + to_door + to_goal - 1), abs=EXACT)
    # Every state is one that an episode can come to.
    seen = mdp.start > 0
    for _ in range(mdp.num_states):
        seen[mdp.next_state[seen & ~mdp.terminal_states]] = True
    assert seen.all()
    slippery = subtask_grid(map=rows, slip=0.3).mdp
    np.testing.assert_allclose(slippery.probability.sum(axis=2), 1, rtol=1e-12)
    for kind in ("index", "features", "view", "one_hot"):
        observation = subtask_grid(map=rows, observation=kind).observation
        batch = observation.batch(np.arange(mdp.num_states))
        assert all(observation.space.contains(row) for row in batch)
