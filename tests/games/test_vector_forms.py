"""Many copies side by side play what single environments play."""

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded

from rl_envs.games import NormalFormGame, VectorMarkovGame, VectorMatrixGame, named_game, soccer_table
from rl_envs.games.grid_soccer import parallel_env as grid_soccer
from rl_envs.games.matrix_game import parallel_env as matrix_game


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4), (1, 5), (3,)])
def test_copies_of_a_matrix_game_play_what_single_environments_play(shape):
    game = NormalFormGame(np.random.default_rng(0).normal(size=(len(shape), *shape)))
    vector, singles = VectorMatrixGame(game, 5, max_cycles=6), [matrix_game(game, max_cycles=6) for _ in range(5)]
    rng = np.random.default_rng(1)
    for _ in range(2):
        states = vector.reset()
        for copy, env in enumerate(singles):
            assert int(env.reset()[0]["player_0"]) - 1 == states[copy]
        for cycle in range(6):
            actions = rng.integers(shape, size=(5, len(shape)))
            states, rewards, truncated, infos = vector.step(actions)
            assert truncated is (cycle == 5)
            for copy, env in enumerate(singles):
                one = env.step(dict(zip(env.possible_agents, actions[copy])))
                assert int(one[0]["player_0"]) - 1 == states[copy]
                assert list(one[1].values()) == rewards[copy].tolist()
                assert set(one[3].values()) == {truncated}
                assert [info["round_regret"] for info in one[4].values()] == infos["round_regret"][copy].tolist()


def test_copies_of_soccer_walk_the_trajectories_of_single_environments_with_their_seeds():
    num_copies, num_rounds = 7, 600  # beyond one block of numbers drawn ahead
    vector = VectorMarkovGame(soccer_table(), num_copies, max_cycles=9)
    singles = [grid_soccer(max_cycles=9) for _ in range(num_copies)]
    actions = np.random.default_rng(0).integers(5, size=(num_rounds, num_copies, 2))
    states = vector.reset(seed=40)
    for copy, env in enumerate(singles):
        assert int(env.reset(seed=40 + copy)[0]["player_0"]) - 1 == states[copy]
    for joint_actions in actions:
        states, rewards, terminated, truncated, reached = vector.step(joint_actions)
        for copy, env in enumerate(singles):
            one = env.step(dict(zip(env.agents, joint_actions[copy])))
            assert int(one[0]["player_0"]) - 1 == reached[copy]
            assert one[1]["player_0"] == rewards[copy]
            assert one[2]["player_0"] == terminated[copy]
            assert one[3]["player_0"] == truncated[copy]
            if not env.agents:
                env.reset()
            assert int(env.state()) - 1 == states[copy]


def test_a_copy_walks_the_same_way_whatever_the_number_of_copies():
    actions = np.random.default_rng(0).integers(5, size=(50, 8, 2))
    many, few = VectorMarkovGame(soccer_table(), 8), VectorMarkovGame(soccer_table(), 3)
    assert (many.reset(seed=1)[:3] == few.reset(seed=1)).all()
    for joint_actions in actions:
        one, other = many.step(joint_actions), few.step(joint_actions[:3])
        assert all((a[:3] == b).all() for a, b in zip(one, other))


def test_resetting_without_a_seed_goes_on_and_with_one_begins_anew():
    game = VectorMarkovGame(soccer_table(), 64)
    first = game.reset(seed=3)
    later = [game.reset() for _ in range(4)]
    assert not all((first == states).all() for states in later)
    assert (game.reset(seed=3) == first).all()
    assert all((game.reset() == states).all() for states in later)


def test_what_a_step_returns_belongs_to_the_caller():
    game, actions = VectorMarkovGame(soccer_table(), 4), np.zeros((4, 2), dtype=int)
    game.reset(seed=0)[:] = -1
    states = game.step(actions)[0]
    kept = states.copy()
    states[:] = -1
    again = VectorMarkovGame(soccer_table(), 4)
    again.reset(seed=0)
    assert (again.step(actions)[0] == kept).all()
    assert (again.step(actions)[0] == game.step(actions)[0]).all()


@pytest.fixture(params=["matrix", "soccer"])
def make(request):
    if request.param == "matrix":
        return lambda **arguments: VectorMatrixGame(named_game("climbing"), **{"num_copies": 2, **arguments})
    return lambda **arguments: VectorMarkovGame(soccer_table(), **{"num_copies": 2, **arguments})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([[0, 0]], r"integers of shape \(2, 2\), but have shape \(1, 2\)"),
        ([[0.0, 0], [0, 0]], r"integers of shape \(2, 2\), but have shape \(2, 2\) and type float64"),
        ([[0, 0], [0, 5]], r"the action of player_1 must be from 0 to [24], but is 5 in copy 1"),
        ([[-1, 0], [0, 0]], r"the action of player_0 must be from 0 to [24], but is -1 in copy 0"),
    ],
)
def test_actions_that_are_none_are_refused(make, actions, message):
    game = make()
    game.reset()
    with pytest.raises(InvalidAction, match=message):
        game.step(actions)


def test_a_step_without_an_episode_is_refused(make):
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\): no episode is running"):
        make().step([[0, 0], [0, 0]])


def test_a_matrix_game_needs_a_reset_after_its_last_round():
    game = VectorMatrixGame(named_game("climbing"), 1, max_cycles=1)
    game.reset()
    game.step([[0, 0]])
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before step\(\)"):
        game.step([[0, 0]])


@pytest.mark.parametrize("name", ["num_copies", "max_cycles"])
def test_there_must_be_copies_and_rounds(make, name):
    with pytest.raises(ValueError, match=rf"{name} must be at least 1, but got 0"):
        make(**{name: 0})
