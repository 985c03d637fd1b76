"""The vector forms of games give their state as arrays, and go on from it."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from rl_envs.games import VectorMarkovGame, VectorMatrixGame, named_game, soccer_table


def test_soccer_goes_on_from_its_state_in_this_and_in_another_object() -> None:
    actions = np.random.default_rng(0).integers(5, size=(400, 6, 2))
    game = VectorMarkovGame(soccer_table(), 6, max_cycles=20)
    game.reset(seed=1)
    for joint in actions[:137]:
        game.step(joint)
    saved = game.get_state()
    expected = [game.step(joint) for joint in actions[137:]]
    game.set_state(saved)
    other = VectorMarkovGame(soccer_table(), 6, max_cycles=20)
    other.set_state(saved)
    for joint, parts in zip(actions[137:], expected):
        for resumed in (game, other):
            for one, another in zip(resumed.step(joint), parts):
                np.testing.assert_array_equal(one, another)


def test_a_matrix_game_goes_on_from_its_round() -> None:
    game = VectorMatrixGame(named_game("climbing"), 2, max_cycles=3)
    assert game.get_state() == {"cycle": -1}
    game.reset()
    game.step([[0, 0], [1, 1]])
    other = VectorMatrixGame(named_game("climbing"), 2, max_cycles=3)
    other.set_state(game.get_state())
    assert [other.step([[0, 0], [1, 1]])[2] for _ in range(2)] == [False, True]


def test_states_that_do_not_fit_are_refused() -> None:
    game = VectorMatrixGame(named_game("climbing"), 2, max_cycles=3)
    for cycle in (-2, 4):
        with pytest.raises(ValueError, match=f"cycle must be from -1 to max_cycles = 3, but is {cycle}"):
            game.set_state({"cycle": np.array(cycle)})
    soccer = VectorMarkovGame(soccer_table(), 2)
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before get_state\(\)"):
        soccer.get_state()
    soccer.reset(seed=0)
    saved = soccer.get_state()
    with pytest.raises(ValueError, match=r"states and cycles must have shape \(3,\), but have \(2,\) and \(2,\)"):
        VectorMarkovGame(soccer_table(), 3).set_state(saved)
    with pytest.raises(ValueError, match=r"states must be from 0 to 761, but are \[0, 762\]"):
        soccer.set_state({**saved, "states": np.array([0, 762])})
