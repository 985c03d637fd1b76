"""Games as learners meet them."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.games.task import make_game_task
from rl_envs.games import GAMES, NormalFormGame, markov_exploitability, named_game, soccer_table


@pytest.mark.parametrize("name", GAMES)
def test_a_matrix_game_has_one_state_and_no_future(name: str) -> None:
    task = make_game_task(name)
    assert (task.num_players, task.num_states, task.discount, task.max_cycles) == (2, 1, 0.0, 25)
    assert task.payoffs == named_game(name)
    assert task.num_actions == task.payoffs.num_actions


def test_soccer_has_states_and_a_future() -> None:
    task = make_game_task("grid_soccer", discount=0.8, max_cycles=7)
    assert (task.num_players, task.num_states, task.discount, task.max_cycles) == (2, 762, 0.8, 7)
    assert task.name == "grid_soccer:discount=0.8,max_cycles=7"
    with pytest.raises(TypeError, match=r"grid_soccer:discount=0\.8,max_cycles=7 has states, so it is no matrix game"):
        _ = task.payoffs


def test_names_carry_their_settings_and_tasks_are_given_back() -> None:
    task = make_game_task("penalty", k=-10)
    assert (task.name, task.game, dict(task.arguments)) == ("penalty:k=-10", "penalty", {"k": -10})
    assert make_game_task(task) is task
    own = make_game_task(NormalFormGame(np.zeros((2, 2, 2)), name="nothing"), max_cycles=3)
    assert (own.name, own.max_cycles) == ("nothing:max_cycles=3", 3)


def test_numbers_of_numpy_mean_the_same_as_plain_ones() -> None:
    task = make_game_task("penalty", k=np.int64(-10), max_cycles=np.int64(3))
    assert task.name == make_game_task("penalty", k=-10, max_cycles=3).name
    assert all(type(value) is int for value in task.arguments.values())


def test_everything_in_a_table_changes_its_hash() -> None:
    hashes = [
        make_game_task(game, **arguments).table_hash
        for game, arguments in (
            ("penalty", {}),
            ("penalty", {"k": -10}),
            ("climbing", {}),
            ("matching_pennies", {}),
            ("grid_soccer", {}),
            ("grid_soccer", {"discount": 0.8}),
        )
    ]
    assert len(set(hashes)) == 6
    assert hashes[0] == make_game_task("penalty", k=-100.0).table_hash


def test_exploitability_is_that_of_the_table() -> None:
    task = make_game_task("rock_paper_scissors")
    rock, uniform = [1.0, 0.0, 0.0], [1 / 3] * 3
    # Rock against the uniform player loses 1 to paper; the uniform one cannot be exploited.
    np.testing.assert_allclose(task.exploitability([np.array([rock, uniform]), np.array([uniform] * 2)]), [0.5, 0.0])
    soccer = make_game_task("grid_soccer")
    uniform_policy = np.full((1, 762, 5), 0.2)
    exact = markov_exploitability(soccer_table(), (uniform_policy[0], uniform_policy[0]))
    np.testing.assert_allclose(soccer.exploitability([uniform_policy, uniform_policy]), [exact], atol=1e-3)


@pytest.mark.parametrize(
    ("game", "arguments", "error", "message"),
    [
        ("climbin", {}, ValueError, "unknown game 'climbin'"),
        ("grid_socer", {}, ValueError, "unknown game 'grid_socer'"),
        ("climbing", {"k": 1}, TypeError, "the game climbing takes no parameters, but got k=1"),
        ("penalty", {"k": 1}, ValueError, "the penalty k must be finite and at most 0, but got 1"),
        ("grid_soccer", {"k": 1}, TypeError, "the game grid_soccer takes discount, but got k=1"),
        ("climbing", {"max_cycles": 0}, ValueError, "max_cycles must be at least 1, but is 0"),
        (3, {}, TypeError, "game must be a name or a NormalFormGame, but is 3"),
        (named_game("climbing"), {"k": 1}, TypeError, "a payoff table takes no arguments, but got k"),
    ],
)
def test_what_is_no_game_is_refused(game: object, arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_game_task(game, **arguments)
