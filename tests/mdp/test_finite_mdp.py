"""FiniteMDP, tabulate and from_transitions: what they hold, what they refuse, and in which words."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_envs.mdp.finite_mdp import (
    FiniteMDP,
    Outcome,
    check_discount,
    check_integer,
    from_transitions,
    start_distribution,
    tabulate,
)


def tables(**changes: Any) -> dict[str, Any]:
    """Two states, two actions, two outcomes: action 0 tosses a coin, action 1 ends the episode in state 1 for 3."""
    base: dict[str, Any] = {
        "probability": [[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]]],
        "next_state": [[[0, 1], [1, 0]], [[0, 1], [1, 1]]],
        "reward": [[[1.0, 2.0], [3.0, 99.0]], [[-4.0, 0.0], [3.0, 99.0]]],
        "terminated": [[[False, False], [True, False]], [[False, False], [True, False]]],
        "start": [1.0, 0.0],
        "discount": 0.9,
    }
    return {name: np.array(value) if isinstance(value, list) else value for name, value in (base | changes).items()}


def changed(name: str, index: tuple[int, ...], value: float) -> dict[str, Any]:
    """The tables with one entry of one of them changed."""
    given = tables()
    if name == "reward_std":
        given[name] = np.zeros((2, 2, 2))
    given[name][index] = value
    return given


def coin(state: int, action: int) -> list[tuple[Any, ...]]:
    """The rule behind `tables`."""
    if action == 1:
        return [(1.0, 1, 3.0, True)]
    return [(0.5, 0, 1.0), (0.5, 1, 2.0)] if state == 0 else [(0.25, 0, -4.0), (0.75, 1)]


def test_a_table_holds_what_it_was_given_in_the_types_it_promises() -> None:
    mdp = FiniteMDP(**tables())
    assert (mdp.num_states, mdp.num_actions, mdp.num_outcomes) == (2, 2, 2)
    assert mdp.probability.dtype == mdp.reward.dtype == mdp.start.dtype == np.float64
    assert mdp.next_state.dtype == np.int64
    assert mdp.terminated.dtype == np.bool_
    assert mdp.reward_std is None
    assert mdp.discount == 0.9
    assert type(FiniteMDP(**tables(discount=1)).discount) is float
    np.testing.assert_array_equal(mdp.next_state, tables()["next_state"])


def test_mean_reward_weighs_outcomes_and_ignores_padding() -> None:
    # 0.5 * 1 + 0.5 * 2, 3, 0.25 * -4 + 0.75 * 0, 3; the padding's reward of 99 has probability 0
    np.testing.assert_array_equal(FiniteMDP(**tables()).mean_reward, [[1.5, 3.0], [-1.0, 3.0]])


def test_cumulative_probabilities_end_at_exactly_1_and_never_fall_on_padding() -> None:
    np.testing.assert_array_equal(
        FiniteMDP(**tables()).cumulative, [[[0.5, 1.0], [1.0, 1.0]], [[0.25, 1.0], [1.0, 1.0]]]
    )


def test_a_uniform_number_just_below_1_draws_an_outcome_that_can_happen() -> None:
    tenths = [0.1] * 10  # their sum is 0.9999999999999999
    mdp = tabulate(
        lambda s, a: [(p, k) for k, p in enumerate(tenths)], num_states=12, num_actions=1, start=0, discount=1
    )
    assert sum(tenths) < 1
    drawn = np.searchsorted(mdp.cumulative[0, 0], np.nextafter(1.0, 0.0), side="right")
    assert mdp.probability[0, 0, drawn] > 0


def test_padding_before_an_outcome_is_never_drawn_either() -> None:
    given = tables(probability=[[[0.0, 1.0], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]]])
    mdp = FiniteMDP(**given)
    np.testing.assert_array_equal(mdp.cumulative[0, 0], [0.0, 1.0])
    assert np.searchsorted(mdp.cumulative[0, 0], 0.0, side="right") == 1


def test_terminal_states_are_those_that_end_at_once_in_place_for_nothing() -> None:
    ended = [(1.0, 1, 0.0, True)]

    def terminal(rule: Any, start: int = 0, **changes: Any) -> list[bool]:
        mdp = tabulate(rule, num_states=2, num_actions=1, start=start, discount=0.5)
        return (replace(mdp, **changes) if changes else mdp).terminal_states.tolist()

    assert terminal(lambda s, a: ended) == [False, True]  # state 0 ends elsewhere
    assert terminal(lambda s, a: ended, start=1) == [False, False]  # an episode can begin there
    assert terminal(lambda s, a: [(1.0, 1, 2.0, True)]) == [False, False]  # the last step is paid
    assert terminal(lambda s, a: [(1.0, 1, 0.0, False)]) == [False, False]  # it goes on
    assert terminal(lambda s, a: [(1.0, 1, 0.0, True, 1.0)]) == [False, False]  # the last step is paid by chance
    assert terminal(lambda s, a: ended, reward_std=np.zeros((2, 1, 1))) == [False, True]


def test_no_array_can_be_written_to_and_none_is_shared_with_the_caller() -> None:
    given = tables(reward_std=np.zeros((2, 2, 2)))
    mdp = FiniteMDP(**given)
    given["reward"][0, 0, 0] = 7.0
    assert mdp.reward[0, 0, 0] == 1.0
    arrays = [mdp.probability, mdp.next_state, mdp.reward, mdp.terminated, mdp.start, mdp.reward_std]
    for array in [*arrays, mdp.mean_reward, mdp.cumulative, mdp.terminal_states]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(FrozenInstanceError):
        mdp.discount = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("probability", (0, 0), [0.25, 0.75]),
        ("next_state", (0, 0, 0), 1),
        ("reward", (1, 1, 0), 3.5),
        ("terminated", (0, 0, 0), True),
        ("reward_std", (0, 0, 0), 1.0),
        ("start", slice(None), [0.5, 0.5]),
    ],
)
def test_tables_that_differ_in_one_entry_are_not_equal(name: str, index: Any, value: Any) -> None:
    other = changed(name, index, value)
    base = FiniteMDP(**tables(reward_std=np.zeros((2, 2, 2)) if name == "reward_std" else None))
    assert base != FiniteMDP(**other)
    assert base.content_hash != FiniteMDP(**other).content_hash


def test_equality_and_hash_go_by_content() -> None:
    one, other = FiniteMDP(**tables()), FiniteMDP(**tables())
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1
    assert one != FiniteMDP(**tables(discount=0.8))
    assert one != FiniteMDP(**tables(reward_std=np.zeros((2, 2, 2)))), "noise of 0 is still a table of noise"
    assert one != "FiniteMDP"
    assert one.__eq__(3) is NotImplemented


def test_the_hash_names_the_content_on_every_machine() -> None:
    # Written down once: a change of it would make every stored result look like another world's.
    mdp = FiniteMDP(**tables())
    assert len(mdp.content_hash) == 64
    assert mdp.content_hash == FiniteMDP(**dict(reversed(tables().items()))).content_hash
    swapped = {
        name: value.astype(value.dtype.newbyteorder())
        for name, value in tables(discount=None).items()
        if name != "discount"
    }
    assert FiniteMDP(**swapped, discount=0.9).content_hash == mdp.content_hash


def test_zero_and_minus_zero_are_the_same_content() -> None:
    assert FiniteMDP(**changed("reward", (1, 0, 1), -0.0)) == FiniteMDP(**tables())


@pytest.mark.parametrize("again", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy])
def test_copies_and_pickles_are_equal_and_stay_read_only(again: Any) -> None:
    mdp = FiniteMDP(**tables(reward_std=np.full((2, 2, 2), 0.5)))
    other = again(mdp)
    assert other == mdp
    assert not other.reward.flags.writeable
    assert not other.reward_std.flags.writeable


def test_replacing_a_field_validates_again() -> None:
    assert replace(FiniteMDP(**tables()), discount=0.5).discount == 0.5
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], but is 2"):
        replace(FiniteMDP(**tables()), discount=2)


def test_its_repr_says_its_size() -> None:
    assert repr(FiniteMDP(**tables())) == "FiniteMDP(num_states=2, num_actions=2, num_outcomes=2, discount=0.9)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            tables(probability=np.ones((2, 2))),
            r"probability must have shape \[states, actions, outcomes\], none of them 0, but has \(2, 2\)",
        ),
        (tables(probability=np.ones((2, 0, 2))), r"none of them 0, but has \(2, 0, 2\)"),
        (tables(reward=np.ones((2, 2, 3))), r"reward must have probability's shape \(2, 2, 2\), but has \(2, 2, 3\)"),
        (tables(next_state=np.ones((2, 2), int)), r"next_state must have probability's shape .* but has \(2, 2\)"),
        (tables(terminated=np.ones((2, 2, 1), bool)), r"terminated must have probability's shape"),
        (tables(reward_std=np.ones(2)), r"reward_std must have probability's shape \(2, 2, 2\), but has \(2,\)"),
        (tables(start=[1.0]), r"start must have shape \(2,\), but has \(1,\)"),
        (changed("probability", (1, 0, 0), 0.15), r"probabilities must sum to 1, but state 1, action 0 sums to 0\.9$"),
        (
            changed("probability", (1, 1), [1.5, -0.5]),
            r"probability must not be negative, but state 1, action 1, outcome 1 has -0\.5",
        ),
        (changed("next_state", (0, 1, 0), 2), r"next_state must be in 0\.\.1, but state 0, action 1, outcome 0 has 2"),
        (
            changed("next_state", (1, 1, 1), -1),
            r"next_state must be in 0\.\.1, but state 1, action 1, outcome 1 has -1",
        ),
        (changed("reward", (0, 1, 1), np.inf), r"reward must be finite, but state 0, action 1, outcome 1 has inf"),
        (changed("probability", (0, 0, 0), np.nan), r"probability must be finite, but state 0, .* outcome 0 has nan"),
        (changed("reward_std", (1, 0, 1), -2.0), r"reward_std must not be negative, but state 1, .* has -2"),
        (changed("start", (0,), np.nan), r"start must be finite, but state 0 has nan"),
        (changed("start", (1,), 0.5), r"start must sum to 1, but sums to 1\.5"),
        (tables(start=[1.5, -0.5]), r"start must not be negative, but state 1 has -0\.5"),
        (tables(discount=1.5), r"discount must be in \[0, 1\], but is 1\.5"),
        (tables(discount=-0.1), r"discount must be in \[0, 1\], but is -0\.1"),
        (tables(discount=float("nan")), r"discount must be in \[0, 1\], but is nan"),
    ],
)
def test_a_broken_rule_is_named_with_its_offender(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FiniteMDP(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (tables(next_state=np.ones((2, 2, 2))), r"next_state must hold integers, but has dtype float64"),
        (tables(terminated=np.ones((2, 2, 2), int)), r"terminated must hold bools, but has dtype int64"),
        (tables(reward=np.array([["a"]])), r"reward must hold real numbers, but has dtype <U1"),
        (tables(probability=np.ones((2, 2, 2), complex)), r"probability must hold real numbers, but has dtype complex"),
        (tables(discount="0.9"), r"discount must be a number, but is '0\.9'"),
        (tables(discount=True), r"discount must be a number, but is True"),
    ],
)
def test_numbers_of_the_wrong_kind_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        FiniteMDP(**given)


def test_tabulate_builds_the_table_of_a_rule() -> None:
    mdp = tabulate(coin, num_states=2, num_actions=2, start=0, discount=0.9)
    expected = FiniteMDP(**tables(reward=[[[1.0, 2.0], [3.0, 0.0]], [[-4.0, 0.0], [3.0, 0.0]]]))
    # Padding stays where it is, with reward 0: only that differs from the tables written out above.
    np.testing.assert_array_equal(mdp.next_state[0, 1], [1, 0])
    assert mdp == expected
    assert mdp.reward_std is None


def test_tabulate_adds_up_outcomes_that_are_alike_and_drops_impossible_ones() -> None:
    def rule(state: int, action: int) -> list[Outcome]:
        return [
            Outcome(0.25, 1, 2.0),
            Outcome(0.25, 0),
            Outcome(0.0, 1, 77.0),
            Outcome(0.25, 1, 2.0),
            Outcome(0.25, 1, 2.0, terminated=True),
        ]

    mdp = tabulate(rule, num_states=2, num_actions=1, start=[0.5, 0.5], discount=0.5)
    assert mdp.num_outcomes == 3
    np.testing.assert_array_equal(mdp.probability[0, 0], [0.5, 0.25, 0.25])  # in the order first given
    np.testing.assert_array_equal(mdp.next_state[0, 0], [1, 0, 1])
    np.testing.assert_array_equal(mdp.terminated[0, 0], [False, False, True])
    np.testing.assert_array_equal(mdp.start, [0.5, 0.5])


def test_tabulate_keeps_outcomes_apart_that_differ_in_their_noise() -> None:
    mdp = tabulate(
        lambda s, a: [(0.5, 0, 0.0, False, 1.0), (0.5, 0, 0.0, False, 2.0)],
        num_states=1,
        num_actions=1,
        start=0,
        discount=0.5,
    )
    assert mdp.reward_std is not None
    np.testing.assert_array_equal(mdp.reward_std[0, 0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("outcomes", "error", "message"),
    [
        ([], ValueError, r"a pair must have an outcome that can happen, but state 0, action 0 has none"),
        ([(0.0, 0)], ValueError, r"a pair must have an outcome that can happen, but state 0, action 0 has none"),
        ([(-0.5, 0), (1.5, 0)], ValueError, r"must not be negative or NaN, but state 0, action 0 has -0\.5"),
        ([(float("nan"), 0)], ValueError, r"must not be negative or NaN, but state 0, action 0 has nan"),
        (None, TypeError, "outcomes must be a list of them, but state 0, action 0 has None"),
        ([(1.0,)], TypeError, r"an outcome must be \(probability, .*\), .* but state 0, action 0 has \(1\.0,\)"),
        ([(1.0, 0, 0.0, False, 0.0, 7)], TypeError, "an outcome must be .* but state 0, action 0 has .* 7"),
        ([7], TypeError, "an outcome must be .* but state 0, action 0 has 7"),
        ([(1.0, 0, 0.0, "False")], TypeError, "terminated must be a bool, but state 0, action 0 has 'False'"),
        ([(1.0, 0, 0.0, None)], TypeError, "terminated must be a bool, but state 0, action 0 has None"),
        ([(1.0, 0, 0.0, 2)], TypeError, "terminated must be a bool, but state 0, action 0 has 2"),
        ([("all", 0)], TypeError, r"reward_std must be numbers, but state 0, action 0 has \('all', 0\)"),
        ([(1.0, 0, None)], TypeError, "reward_std must be numbers, but state 0, action 0 has .* None"),
        ([(1.0, 0.0)], TypeError, r"next_state must be an integer, but state 0, action 0 leads to 0\.0"),
        ([(1.0, True)], TypeError, r"next_state must be an integer, but state 0, action 0 leads to True"),
        ([(1.0, 5)], ValueError, r"next_state must be in 0\.\.0, but state 0, action 0, outcome 0 has 5"),
        ([(0.5, 0)], ValueError, r"probabilities must sum to 1, but state 0, action 0 sums to 0\.5"),
    ],
)
def test_tabulate_names_the_pair_whose_outcomes_break_a_rule(outcomes: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        tabulate(lambda s, a: outcomes, num_states=1, num_actions=1, start=0, discount=0.5)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"num_states": 0}, ValueError, "num_states must be at least 1, but is 0"),
        ({"num_actions": -2}, ValueError, "num_actions must be at least 1, but is -2"),
        ({"num_states": 2.0}, TypeError, r"num_states must be an integer, but is 2\.0"),
        ({"num_actions": True}, TypeError, "num_actions must be an integer, but is True"),
        ({"start": 2}, ValueError, r"start must be a state 0\.\.1, but is 2"),
        ({"start": -1}, ValueError, r"start must be a state 0\.\.1, but is -1"),
        ({"start": [1.0]}, ValueError, r"start must be a state or have shape \(2,\), but has \(1,\)"),
        ({"start": "left"}, TypeError, "start must be a state or probabilities, one per state, but is 'left'"),
        (
            {"start": [1.0, [0.0]]},
            TypeError,
            "start must be a state or probabilities, one per state, but is .1.0, .0.0..",
        ),
    ],
)
def test_tabulate_names_an_argument_that_is_wrong(changes: dict[str, Any], error: Any, message: str) -> None:
    arguments: dict[str, Any] = {"num_states": 2, "num_actions": 2, "start": 0, "discount": 0.9} | changes
    with pytest.raises(error, match=message):
        tabulate(coin, **arguments)


def test_toy_text_tables_come_back_as_they_went() -> None:
    mdp = tabulate(coin, num_states=2, num_actions=2, start=[0.25, 0.75], discount=1.0)
    table = mdp.transitions()
    assert table[0][1] == [(1.0, 1, 3.0, True)], "no padding"
    assert table[1][0] == [(0.25, 0, -4.0, False), (0.75, 1, 0.0, False)]
    assert [type(number) for number in table[0][1][0]] == [float, int, float, bool]
    assert from_transitions(table, [0.25, 0.75]) == mdp


def test_toy_text_tables_may_be_lists_and_hold_numpy_numbers() -> None:
    table = [[[(np.float64(1.0), np.int64(0), np.float32(2.0), np.bool_(True))]]]
    mdp = from_transitions(table, np.array([1.0]), discount=0.5)
    assert mdp.reward[0, 0, 0] == 2.0
    assert mdp.terminated[0, 0, 0]
    assert mdp.discount == 0.5
    assert from_transitions(table, 0).discount == 1.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "transitions must have at least one state, but is empty"),
        ({1: {0: []}}, r"transitions must have the states 0\.\.0, but state 0 is missing"),
        ({0: {0: [(1.0, 0, 0.0, False)]}, 2: {}}, r"must have the states 0\.\.1, but state 1 is missing"),
        (
            {0: {0: [(1.0, 0, 0.0, False)]}, 1: {}},
            "every state must have the same number of actions, but state 0 has 1 and state 1 has 0",
        ),
        (
            {0: {0: [(1.0, 0, 0.0, False)], 2: [(1.0, 0, 0.0, False)]}},
            r"transitions must have the actions 0\.\.1, but state 0 lacks 1",
        ),
    ],
)
def test_a_toy_text_table_with_holes_is_refused(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_transitions(table, 0)


def test_argument_checks_return_plain_numbers() -> None:
    assert type(check_integer("n", np.int32(3), low=0)) is int
    assert type(check_discount(np.float32(0.5))) is float
    assert start_distribution(np.int64(1), 3).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(ValueError, match=r"n must be in 0\.\.4, but is 5"):
        check_integer("n", 5, low=0, high=4)


@given(
    num_states=st.integers(1, 6),
    num_actions=st.integers(1, 4),
    num_outcomes=st.integers(1, 5),
    seed=st.integers(0, 999),
)
def test_any_random_table_survives_the_way_to_toy_text_and_back(
    num_states: int, num_actions: int, num_outcomes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, num_outcomes)
    mdp = FiniteMDP(
        probability=rng.dirichlet(np.ones(num_outcomes), size=shape[:2]),
        next_state=rng.integers(num_states, size=shape),
        reward=rng.standard_normal(shape),  # all different, so nothing is merged
        terminated=rng.random(shape) < 0.2,
        start=rng.dirichlet(np.ones(num_states)),
        discount=0.5,
    )
    assert from_transitions(mdp.transitions(), mdp.start, discount=0.5) == mdp
    assert pickle.loads(pickle.dumps(mdp)) == mdp


def test_a_hundred_thousand_sparse_states_stay_compact() -> None:
    rng = np.random.default_rng(0)
    shape = (100_000, 4, 3)
    mdp = FiniteMDP(
        probability=rng.dirichlet(np.ones(3), size=shape[:2]),
        next_state=rng.integers(shape[0], size=shape),
        reward=rng.standard_normal(shape),
        terminated=np.zeros(shape, dtype=bool),
        start=np.full(shape[0], 1 / shape[0]),
        discount=0.95,
    )
    arrays = [mdp.probability, mdp.next_state, mdp.reward, mdp.terminated, mdp.start, mdp.cumulative, mdp.mean_reward]
    assert sum(array.nbytes for array in arrays) < 50e6
