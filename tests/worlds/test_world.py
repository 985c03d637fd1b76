"""A world checks that its parts fit together."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from rl_envs.registry import build
from rl_envs.worlds.observation import Features, Index, Labels
from rl_envs.worlds.world import Drawing, Frame, StateNumber, World, initial_state
from tests.strategies import random_table

MDP = random_table(1, num_states=3, num_actions=4)


def world(**changes: Any) -> World:
    parts: dict[str, Any] = {
        "name": "Test",
        "mdp": MDP,
        "max_episode_steps": 10,
        "action_names": ("a", "b", "c", "d"),
        "observation": Index(3),
        "drawing": StateNumber(3),
    }
    return World(**{**parts, **changes})


class OddShape(Index):
    """Says one shape and gives another."""

    def batch(self, states: np.ndarray) -> np.ndarray:
        return super().batch(states)[:, None]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"max_episode_steps": 0}, ValueError, "max_episode_steps must be at least 1, but is 0"),
        ({"max_episode_steps": 2.5}, TypeError, "max_episode_steps must be an integer, but is 2.5"),
        ({"action_names": ("a", "b")}, ValueError, "action_names must name 4 actions, but has 2"),
        ({"simultaneous": (2, 3)}, ValueError, r"simultaneous choices \(2, 3\) must make up 4 actions"),
        ({"observation": Index(2)}, ValueError, "observation must show 3 states, but shows 2"),
        ({"observation": Index(4)}, ValueError, "observation must show 3 states, but shows 4"),
        ({"observation": Labels([0, 1])}, ValueError, "observation must show 3 states, but has none for state 2"),
        ({"observation": OddShape(3)}, ValueError, r"observation must lie in Discrete\(3\), but state 0 shows array"),
        ({"goal_states": np.zeros(2, bool)}, ValueError, r"goal_states must have shape \(3,\), but has \(2,\)"),
        ({"goal_states": np.zeros(3)}, TypeError, "goal_states must hold bools, but has dtype float64"),
        ({"action_info": {"x": np.zeros(3)}}, ValueError, r"action_info 'x' must have shape \(3, 4\), but has \(3,\)"),
        ({"action_info": {"is_success": np.zeros((3, 4))}}, ValueError, "must not be called 'is_success'"),
        ({"keys": {"q": 4}}, ValueError, "the action of key 'q' must be in 0..3, but is 4"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        world(**changes)


def test_the_action_space_is_discrete_or_made_of_simultaneous_choices() -> None:
    assert world().action_space == spaces.Discrete(4)
    space = world(simultaneous=(2, 2)).action_space
    assert space == spaces.MultiDiscrete([2, 2])
    assert space.dtype == np.int64


def test_a_world_without_end_goal_or_limit_is_fine() -> None:
    plain = world(max_episode_steps=None)
    assert plain.goal_states is None
    assert plain.action_info == {}


def test_a_copy_in_memory_is_the_world_itself_and_a_pickle_is_equal() -> None:
    original = build("LineWalk", slip=0.1)
    assert copy.deepcopy(original) is original
    again = pickle.loads(pickle.dumps(original))
    assert again.mdp == original.mdp
    assert again.action_space == original.action_space
    np.testing.assert_array_equal(again.goal_states, original.goal_states)


def frame(state: int) -> Frame:
    zeros = np.zeros(3, dtype=np.int64)
    return Frame(
        state=state, action=None, reward=None, steps=0, total_reward=0.0, action_counts=zeros, state_counts=zeros
    )


def test_the_plainest_drawing_is_the_number_of_the_state() -> None:
    assert StateNumber(3).text(frame(2)) == "state 2 of 3"


def test_a_drawing_that_only_writes_paints_its_text() -> None:
    class Words(Drawing):
        def text(self, frame: Frame) -> str:
            return f"here: {frame.state}"

    class Paper:
        def lines_of_text(self, text: str) -> None:
            self.text = text

    paper = Paper()
    Words().paint(paper, frame(1))  # type: ignore[arg-type]
    assert paper.text == "here: 1"
    assert Words().size == (520, 150)


def test_options_without_a_state_ask_for_none() -> None:
    for options in (None, {}, {"else": 3}):
        assert initial_state(world(), options) is None


def test_options_may_ask_for_any_state_in_which_an_episode_can_go_on() -> None:
    line = build("LineWalk")
    for state in (1, np.int64(5), np.int32(9)):
        assert initial_state(line, {"state": state}) == state
        assert type(initial_state(line, {"state": state})) is int


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (-1, ValueError, r"options\['state'\] must be in 0..10, but is -1"),
        (11, ValueError, r"options\['state'\] must be in 0..10, but is 11"),
        (0, ValueError, r"options\['state'\] must be a nonterminal state, but 0 is terminal"),
        (2.0, TypeError, r"options\['state'\] must be an integer, but is 2.0"),
        (True, TypeError, r"options\['state'\] must be an integer, but is True"),
        ("start", TypeError, r"options\['state'\] must be an integer, but is 'start'"),
        (None, TypeError, r"options\['state'\] must be an integer, but is None"),
    ],
)
def test_options_that_ask_for_an_impossible_state_are_refused(state: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        initial_state(build("LineWalk"), {"state": state})


def test_a_box_that_shows_every_state_is_accepted() -> None:
    assert world(observation=Features([[0.0], [0.5], [1.0]])).observation.space.shape == (1,)
