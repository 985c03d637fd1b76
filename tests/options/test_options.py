"""Options: their exact models, exact planning with them, and where they come from."""

import pickle
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import FiniteMDP, Outcome, tabulate
from rl_envs.mdp.solve import solve
from rl_envs.options import (
    Option,
    evaluate_options,
    flat_policy,
    hallway_options,
    hallways,
    interrupted,
    option_model,
    plan,
    primitive_options,
    subtask_options,
    subtasks,
    sweep_values,
)
from rl_envs.worlds.four_rooms import four_rooms
from rl_envs.worlds.line_walk import line_walk
from rl_envs.worlds.random_mdp import random_mdp
from rl_envs.worlds.subtask_grid import subtask_grid
from tests import second_method
from tests.random_maps import distances, rooms_maps, subtask_maps

UP, RIGHT, DOWN, LEFT = range(4)
EXACT = 1e-9
HALLWAYS = [(3, 6), (6, 2), (7, 9), (10, 6)]


def corridor(cells="....G", *, goal=None, **arguments):
    return four_rooms(map=[cells], goal=goal, noise=0, **arguments)


def option_of(mdp, name="option", *, starts, does, ends):
    """An option from plain lists: where it may start, {state: action}, and {state: termination}, 1 where not said."""
    policy = np.zeros((mdp.num_states, mdp.num_actions))
    for state, action in does.items():
        policy[state, action] = 1
    termination = np.array([float(ends.get(state, 1)) for state in range(mdp.num_states)])
    return Option(name, np.isin(np.arange(mdp.num_states), starts), policy, termination)


def random_option(mdp, rng, share=0.6):
    """Anything at all: starts in a share of the states, any policy, any termination, some of them certain."""
    initiation = ~mdp.terminal_states & (rng.random(mdp.num_states) < share)
    initiation[np.flatnonzero(~mdp.terminal_states)[0]] = True
    policy = rng.dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    termination = np.clip(rng.uniform(-0.5, 1.5, mdp.num_states), 0, 1)
    return Option("random", initiation, policy, termination)


def random_weights(mdp, options, rng):
    """A random policy over the options that may start."""
    weights = rng.exponential(size=(mdp.num_states, len(options))) * np.stack([o.initiation for o in options], axis=1)
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


# What an option is ----------------------------------------------------------------------------------------------------


def fields(**changed):
    given = {
        "initiation": np.array([True, False, False]),
        "policy": np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 0.0]]),
        "termination": np.array([0.0, 0.5, 1.0]),
    }
    return {**given, **changed}


def test_an_option_runs_where_it_may_start_or_go_on_and_stores_no_policy_elsewhere():
    option = Option("o", **fields(policy=[[0.5, 0.5], [1, 0], [7, -7]]))
    assert option.runs.tolist() == [True, True, False]
    assert option.policy.tolist() == [[0.5, 0.5], [1, 0], [0, 0]]
    with pytest.raises(ValueError, match="read-only"):
        option.policy[0, 0] = 1
    assert pickle.loads(pickle.dumps(option)).policy.tolist() == option.policy.tolist()
    assert repr(option) == "Option('o', starts in 1 of 3 states)"


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"initiation": np.array([1, 0, 0])},
            TypeError,
            "initiation of option 'o' must hold bools, but has dtype int64",
        ),
        ({"policy": np.full((3, 2), "a")}, TypeError, "policy of option 'o' must hold real numbers, but has dtype <U1"),
        ({"termination": np.array([True] * 3)}, TypeError, "termination of option 'o' must hold real numbers"),
        ({"initiation": np.zeros(3, bool)}, ValueError, "option 'o' must start in some state, but may start in none"),
        ({"policy": np.ones((2, 2))}, ValueError, "they have shapes (3,) and (2, 2)"),
        ({"termination": np.ones(2)}, ValueError, "must have initiation's shape (3,), but has (2,)"),
        (
            {"termination": [0, 1.5, 1]},
            ValueError,
            "termination of option 'o' must be in [0, 1], but in state 1 is 1.5",
        ),
        ({"termination": [0, 1, np.nan]}, ValueError, "must be in [0, 1], but in state 2 is nan"),
        ({"policy": [[1, 0], [0.5, 0.4], [0, 0]]}, ValueError, "wherever it runs, but in state 1 is [0.5, 0.4]"),
        ({"policy": [[2, -1], [1, 0], [0, 0]]}, ValueError, "wherever it runs, but in state 0 is [2.0, -1.0]"),
        ({"policy": [[np.nan, 1], [1, 0], [0, 0]]}, ValueError, "wherever it runs, but in state 0 is [nan, 1.0]"),
    ],
)
def test_a_wrong_option_is_refused_by_name_and_state(changed, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Option("o", **fields(**changed))


# Models ---------------------------------------------------------------------------------------------------------------


def test_an_option_that_walks_three_cells_is_discounted_by_its_real_length():
    mdp = corridor().mdp  # cells 0 1 2 3 and the goal 4
    option = option_of(mdp, starts=[0, 1], does={0: RIGHT, 1: RIGHT, 2: RIGHT}, ends={0: 0, 1: 0, 2: 0})
    model = option_model(mdp, option)
    assert model.transition.toarray()[:, 3] == pytest.approx([0.9**3, 0.9**2, 0.9, 0, 0], abs=EXACT)
    assert model.transition.nnz == 3
    assert model.reward.tolist() == [0] * 5
    assert model.duration == pytest.approx([3, 2, 1, 0, 0], abs=EXACT)
    assert model.episode_ends.tolist() == [0] * 5


def test_a_terminal_state_inside_an_option_ends_both():
    world = corridor(".....", goal=[0, 2])  # cells 0 1, the goal 2, and cells 3 4 behind it
    does = dict.fromkeys(range(4), RIGHT)
    option = option_of(world.mdp, starts=[0], does=does, ends=dict.fromkeys(range(4), 0))
    model = option_model(world.mdp, option)
    assert model.transition.nnz == 0
    assert model.reward[:2] == pytest.approx([0.9, 1], abs=EXACT)
    assert model.duration[:2] == pytest.approx([2, 1], abs=EXACT)
    assert model.episode_ends[:2] == pytest.approx([1, 1], abs=EXACT)
    assert not model.reward[3:].any()  # it never gets there


def test_termination_is_judged_where_it_arrives_and_not_where_it_starts():
    mdp = corridor().mdp
    # In cell 0 it would end for certain, but that is where it starts; it bumps into the wall and so arrives there.
    bump = option_of(mdp, starts=[0], does={0: LEFT}, ends={})
    assert option_model(mdp, bump).transition.toarray()[0] == pytest.approx([0.9, 0, 0, 0, 0], abs=EXACT)
    assert option_model(mdp, bump).duration[0] == 1


def test_a_model_has_no_rows_where_the_option_never_gets_to():
    mdp = corridor().mdp
    # It would go on in 3, but starts in 0 and ends in 1.
    option = option_of(mdp, starts=[0], does={0: RIGHT, 3: LEFT}, ends={3: 0})
    assert option.runs.tolist() == [True, False, False, True, False]
    model = option_model(mdp, option)
    assert model.transition.toarray()[0] == pytest.approx([0, 0.9, 0, 0, 0], abs=EXACT)
    assert model.transition.nnz == 1
    assert model.duration.tolist() == [1, 0, 0, 0, 0]


def test_an_option_that_ends_half_the_time_lasts_two_steps_on_average():
    mdp = corridor().mdp
    bump = option_of(mdp, starts=[0], does={0: LEFT}, ends={0: 0.5})
    model = option_model(mdp, bump)
    # Sum over k of (discount / 2)^k.
    assert model.transition.toarray()[0, 0] == pytest.approx(0.45 / (1 - 0.45), abs=EXACT)
    assert model.duration[0] == pytest.approx(2, abs=EXACT)


def test_a_primitive_option_is_the_action():
    mdp = random_mdp(num_states=6, num_actions=3).mdp
    for a, option in enumerate(primitive_options(mdp)):
        model = option_model(mdp, option)
        expected = np.zeros((6, 6))
        np.add.at(expected, (np.arange(6)[:, None], mdp.next_state[:, a]), mdp.probability[:, a])
        np.testing.assert_allclose(model.transition.toarray(), 0.95 * expected, rtol=0, atol=1e-15)
        np.testing.assert_allclose(model.reward, mdp.mean_reward[:, a], rtol=1e-14)
        assert (model.duration == 1).all()


def test_an_option_whose_policy_never_ends_is_refused_with_the_state_where_it_is_trapped():
    mdp = corridor().mdp
    left = option_of(mdp, "to the wall", starts=[2], does={0: LEFT, 1: LEFT, 2: LEFT}, ends={0: 0, 1: 0})
    with pytest.raises(ValueError, match=r"'to the wall' must end with probability 1.*but is trapped in state 0"):
        option_model(mdp, left)
    for plans in (plan, lambda mdp, options: sweep_values(mdp, options, 1)):
        with pytest.raises(ValueError, match="trapped in state 0"):
            plans(mdp, (*primitive_options(mdp), left))


def test_an_option_that_may_get_trapped_is_refused_even_if_it_may_also_end():
    mdp = four_rooms(map=["....G"], noise=0.3).mdp
    # From 1 it slips on to 2, where it ends, or gets to 0 and stays there: noise goes along the corridor or into wall.
    world = tabulate(
        lambda s, a: [Outcome(0.5, 1), Outcome(0.5, 2)] if s == 0 else [Outcome(1.0, s)],
        num_states=3,
        num_actions=1,
        start=0,
        discount=0.9,
    )
    option = Option("o", np.array([True, False, False]), np.ones((3, 1)), np.array([0.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match=r"option 'o' .* trapped in state 2"):
        option_model(world, option)
    # With noise nothing traps it, however hard it pushes against the wall: it slips along the corridor to the goal.
    push = option_of(mdp, starts=[0], does=dict.fromkeys(range(4), LEFT), ends=dict.fromkeys(range(4), 0))
    assert option_model(mdp, push).episode_ends[0] == pytest.approx(1, abs=EXACT)


def test_an_option_over_another_table_is_refused():
    mdp = corridor().mdp
    with pytest.raises(ValueError, match="must be over 5 states and 4 actions, but is over 11 and 2"):
        option_model(mdp, primitive_options(line_walk().mdp)[0])


@given(rooms_maps(), st.integers(0, 10_000))
@settings(max_examples=40)
def test_a_model_is_the_sum_over_lengths_of_powers_of_the_chain(rows, seed):
    rng = np.random.default_rng(seed)
    mdp = four_rooms(map=rows, noise=0.2).mdp
    option = random_option(mdp, rng)
    step, paid = second_method.chain(mdp, option.policy)
    model = option_model(mdp, option)
    # After k steps: where it is running, where it has ended, and what it was paid, each discounted.
    running, ended, earned, steps = np.eye(mdp.num_states), 0.0, 0.0, 0.0
    for k in range(3000):
        earned = earned + 0.9**k * running @ paid
        steps = steps + running @ option.runs
        arrived = running @ step
        ended = ended + 0.9 ** (k + 1) * arrived * option.termination
        running = arrived * (1 - option.termination)
    alive = option.initiation & ~mdp.terminal_states
    assert alive.any()
    np.testing.assert_allclose(model.reward[alive], earned[alive], rtol=0, atol=EXACT)
    np.testing.assert_allclose(model.transition.toarray()[alive], ended[alive], rtol=0, atol=EXACT)
    np.testing.assert_allclose(model.duration[alive], steps[alive], rtol=1e-8)
    assert (model.transition @ np.ones(mdp.num_states) <= 0.9 + 1e-12).all()
    assert (model.transition.data > 0).all()


def simulate(mdp, option, state, num_episodes, rng):
    """Sampled discounted rewards [n] and discounted last states, as (discount^k or 0, state), each [n]."""
    states = np.full(num_episodes, state)
    factor, earned = np.ones(num_episodes), np.zeros(num_episodes)
    running, ended = np.ones(num_episodes, bool), np.zeros(num_episodes)
    while running.any():
        i = np.flatnonzero(running)
        action = (option.policy[states[i]].cumsum(axis=1) <= rng.random((len(i), 1))).sum(axis=1)
        k = (mdp.cumulative[states[i], action] <= rng.random((len(i), 1))).sum(axis=1)
        outcome = states[i], action, k
        earned[i] += factor[i] * mdp.reward[outcome]
        factor[i] *= mdp.discount
        over = mdp.terminated[outcome]
        states[i] = mdp.next_state[outcome]
        stops = ~over & (rng.random(len(i)) < option.termination[states[i]])
        ended[i[stops]] = factor[i[stops]]
        running[i] = ~(over | stops)
    return earned, ended, states


def test_a_model_agrees_with_sampled_runs_of_the_option():
    """40,000 runs at a fixed seed; the tolerance is four standard errors, each below 0.002."""
    world = four_rooms()
    grid = world.layout.grid
    name = "room 1 to hallway 7,9"
    (option,) = [option for option in hallway_options(world) if option.name == name]
    model = option_model(world.mdp, option)
    first, other, num_episodes = grid.cell_at("cell", (2, 8)), grid.cell_at("cell", (3, 6)), 40_000
    earned, ended, last = simulate(world.mdp, option, first, num_episodes, np.random.default_rng(0))
    for samples, exact in (
        (earned, model.reward[first]),
        (np.where(last == other, ended, 0.0), model.transition.toarray()[first, other]),
    ):
        standard_error = samples.std(ddof=1) / np.sqrt(num_episodes)
        assert 0 < standard_error < 0.002
        assert abs(samples.mean() - exact) < 4 * standard_error


# Planning -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"noise": 0}, {"goal": [9, 9]}, {"goal": [3, 6], "discount": 0.99}])
def test_options_with_primitive_actions_plan_as_well_as_primitive_actions(arguments):
    mdp = four_rooms(**arguments).mdp
    options = (*hallway_options(four_rooms(**arguments)), *primitive_options(mdp))
    best = plan(mdp, options)
    expected = second_method.best_values(mdp, 4000)
    np.testing.assert_allclose(best.v, expected, rtol=0, atol=EXACT)
    np.testing.assert_allclose(best.v, solve(mdp).v_star, rtol=0, atol=EXACT)
    np.testing.assert_allclose(evaluate_options(mdp, options, best.policy), expected, rtol=0, atol=EXACT)
    alone = plan(mdp, hallway_options(four_rooms(**arguments))).v
    assert (alone <= expected + EXACT).all()


@given(
    rooms_maps(), st.integers(0, 10_000), st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0])
)
@settings(max_examples=60)
def test_no_option_whatever_changes_what_primitive_actions_can_reach(rows, seed, noise, discount):
    rng = np.random.default_rng(seed)
    mdp = four_rooms(map=rows, noise=noise, discount=discount).mdp
    options = (*primitive_options(mdp), random_option(mdp, rng), random_option(mdp, rng))
    np.testing.assert_allclose(plan(mdp, options).v, solve(mdp).v_star, rtol=0, atol=EXACT)


def test_a_world_that_never_ends_is_planned_as_well():
    mdp = random_mdp(num_states=8, num_actions=3, model_seed=4).mdp
    rng = np.random.default_rng(1)
    options = (*primitive_options(mdp), random_option(mdp, rng))
    np.testing.assert_allclose(plan(mdp, options).v, solve(mdp).v_star, rtol=0, atol=EXACT)


@pytest.mark.parametrize("goal", HALLWAYS)
def test_without_noise_options_alone_are_exact_after_two_sweeps(goal):
    world = four_rooms(noise=0, goal=goal)
    steps = distances(list(world.layout.grid.rows), goal)
    v_star = np.array([0.9 ** (steps[tuple(place)] - 1) for place in world.layout.grid.cells.tolist()])
    v_star[world.goal_states] = 0
    values = sweep_values(world.mdp, hallway_options(world), 3)
    assert values.shape == (4, 104)
    assert not values[0].any()
    np.testing.assert_allclose(values[2], v_star, rtol=0, atol=EXACT)
    np.testing.assert_allclose(values[3], v_star, rtol=0, atol=EXACT)
    # The first sweep is exact in the two rooms beside the goal and has nothing for the two others.
    known = values[1] > 0
    np.testing.assert_allclose(values[1][known], v_star[known], rtol=0, atol=EXACT)
    assert 40 < known.sum() < 60


def test_options_carry_values_room_by_room_and_single_actions_cell_by_cell():
    world = four_rooms()
    with_options = sweep_values(world.mdp, hallway_options(world), 2)
    alone = sweep_values(world.mdp, primitive_options(world.mdp), 14)
    assert (with_options > 0).sum(axis=1).tolist() == [0, 52, 103]
    assert (alone[13] > 0).sum() == 99
    assert (alone[14] > 0).sum() == 103


def test_sweeps_approach_the_plan_and_their_number_is_checked():
    world = four_rooms()
    options = hallway_options(world)
    np.testing.assert_allclose(sweep_values(world.mdp, options, 40)[-1], plan(world.mdp, options).v, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="num_sweeps must be at least 0, but is -1"):
        sweep_values(world.mdp, options, -1)


def test_the_maximum_goes_only_over_options_that_may_start():
    mdp = corridor().mdp  # cells 0 1 2 3 and the goal 4
    ahead = option_of(mdp, starts=[0], does=dict.fromkeys(range(4), RIGHT), ends=dict.fromkeys(range(4), 0))
    back = option_of(mdp, starts=[1, 2, 3], does={1: LEFT, 2: LEFT, 3: LEFT}, ends={})
    best = plan(mdp, (ahead, back))
    # From cells 1 to 3 the goal is nearer, and the option runs there, but only from 0 may it start: back to 0 first.
    v_0 = 0.9**3
    assert best.v == pytest.approx([v_0, 0.9 * v_0, 0.9**2 * v_0, 0.9**3 * v_0, 0], abs=EXACT)
    assert best.q[1:4, 0].tolist() == [-np.inf] * 3
    assert best.q[4].tolist() == [-np.inf] * 2
    assert best.policy.tolist() == [[1, 0], [0, 1], [0, 1], [0, 1], [0, 0]]
    np.testing.assert_allclose(sweep_values(mdp, (ahead, back), 5)[-1], best.v, rtol=0, atol=EXACT)


def test_a_state_without_an_option_is_refused():
    mdp = corridor().mdp
    some = option_of(mdp, starts=[0, 1, 3], does=dict.fromkeys(range(4), RIGHT), ends={})
    with pytest.raises(ValueError, match="in state 2 none may; primitive_options"):
        plan(mdp, [some])
    with pytest.raises(ValueError, match="options must hold at least one option, but are empty"):
        plan(mdp, [])


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (np.ones((5, 2)), "policy must have shape [states, options] (5, 4), but has (5, 2)"),
        (np.full((5, 4), 0.2), "policy must sum to 1 in every state, but in state 0 sums to 0.8"),
        (np.tile([2.0, -1.0, 0, 0], (5, 1)), "but in state 0 gives option 1 -1"),
        (np.tile([np.nan, 1.0, 0, 0], (5, 1)), "but in state 0 gives option 0 nan"),
    ],
)
def test_a_policy_over_options_must_be_probabilities(policy, message):
    mdp = corridor().mdp
    options = primitive_options(mdp)
    for function in (evaluate_options, interrupted, flat_policy):
        with pytest.raises(ValueError, match=re.escape(message)):
            function(mdp, options, policy)


def test_a_policy_over_options_may_not_choose_one_that_may_not_start():
    mdp = corridor().mdp
    options = (*primitive_options(mdp), option_of(mdp, starts=[0], does={0: RIGHT}, ends={}))
    policy = np.tile([0.0, 0, 0, 0, 1], (5, 1))
    with pytest.raises(ValueError, match="in state 1 gives option 4 1, which may not start there"):
        evaluate_options(mdp, options, policy)


def test_primitive_options_evaluate_as_the_policy_over_actions():
    mdp = four_rooms().mdp
    rng = np.random.default_rng(2)
    options = primitive_options(mdp, ["up", "right", "down", "left"])
    policy = random_weights(mdp, options, rng)
    flat = flat_policy(mdp, options, policy)
    np.testing.assert_allclose(flat.sum(axis=1), 1)
    np.testing.assert_allclose(
        evaluate_options(mdp, options, policy), second_method.values(mdp, flat), rtol=0, atol=EXACT
    )
    assert [option.name for option in options] == ["up", "right", "down", "left"]
    with pytest.raises(ValueError, match="names must name 4 actions, but there are 1"):
        primitive_options(mdp, ["up"])


@pytest.mark.parametrize("discount", [0.0, 0.5, 1.0])
def test_every_discount_from_none_at_all_to_none_left_is_planned(discount):
    world = four_rooms(discount=discount)
    options = (*hallway_options(world), *primitive_options(world.mdp))
    np.testing.assert_allclose(plan(world.mdp, options).v, solve(world.mdp).v_star, rtol=0, atol=EXACT)
    # At discount 0 only the move beside the goal counts, at 1 only getting there: the eight options alone do both.
    alone = plan(world.mdp, hallway_options(world)).v
    lost = second_method.best_values(world.mdp, 3000) - alone
    assert lost.min() >= -EXACT
    assert (lost.max() < 1e-8) == (discount in (0, 1))


def test_at_discount_1_a_policy_that_never_ends_is_refused_with_the_state():
    mdp = corridor(discount=1.0).mdp
    options = primitive_options(mdp)
    right = np.tile(np.eye(4)[RIGHT], (5, 1))
    assert evaluate_options(mdp, options, right).tolist() == [1, 1, 1, 1, 0]
    right[1] = np.eye(4)[LEFT]
    with pytest.raises(ValueError, match="at discount 1 every episode must end, but from state 0 it never ends"):
        evaluate_options(mdp, options, right)
    with pytest.raises(ValueError, match="at discount 1 every episode must end, but from state 0 it never ends"):
        plan(mdp, options[3:])
    endless = random_mdp(discount=1.0).mdp
    with pytest.raises(ValueError, match="at discount 1 every episode must end, but from state 0"):
        plan(endless, primitive_options(endless))


def test_at_discount_1_the_way_of_a_million_steps_is_not_chosen_where_a_short_one_is_worth_as_much():
    world = four_rooms(map=["G....."], noise=0.1, discount=1.0)
    # It pushes away from the goal until noise has brought it there, against odds of 27 to 1 for each cell.
    does = dict.fromkeys(range(1, 6), RIGHT)
    push = option_of(world.mdp, starts=[1, 2, 3, 4, 5], does=does, ends=dict.fromkeys(range(1, 6), 0))
    assert option_model(world.mdp, push).duration[5] > 1e6
    best = plan(world.mdp, (push, *primitive_options(world.mdp)))
    assert not best.policy[:, 0].any()
    np.testing.assert_allclose(best.v[1:], 1, rtol=0, atol=EXACT)


def test_at_discount_1_being_paid_for_ever_is_refused():
    def outcomes(state, action):
        if state == 2:
            return [Outcome(1.0, 2, terminated=True)]
        return [Outcome(1.0, 1 - state, 1.0)] if action == 0 else [Outcome(1.0, 2, terminated=True)]

    mdp = tabulate(outcomes, num_states=3, num_actions=2, start=0, discount=1.0)
    with pytest.raises(ValueError, match="at discount 1 every episode must end, but from state 0 it never ends"):
        plan(mdp, primitive_options(mdp))


# Interruption ---------------------------------------------------------------------------------------------------------


def landmarks():
    """A short cut that an option walks past.

        0 1 2
        3 G 5

    "ahead" goes from 0 over 1 to 2; "home" goes from anywhere but 0 to the goal, from 2 by way of 5.
    """
    mdp = four_rooms(map=["...", ".G."], noise=0).mdp
    ahead = option_of(mdp, "ahead", starts=[0], does={0: RIGHT, 1: RIGHT}, ends={1: 0})
    home = option_of(
        mdp, "home", starts=[1, 2, 3, 5], does={1: DOWN, 2: DOWN, 3: RIGHT, 5: LEFT}, ends={1: 0, 2: 0, 3: 0, 5: 0}
    )
    return mdp, (ahead, home)


def test_interruption_takes_the_short_cut():
    mdp, options = landmarks()
    best = plan(mdp, options)
    assert best.v[[0, 1, 2]] == pytest.approx([0.9**3, 1, 0.9], abs=EXACT)  # 2 steps ahead, 2 steps home
    shortened = interrupted(mdp, options, best.policy)
    assert shortened[0].termination.tolist() == [1, 1, 1, 1, 1, 1]  # in 1, home is worth 1 and going on 0.9^2
    np.testing.assert_array_equal(shortened[1].termination, options[1].termination)
    assert [option.name for option in shortened] == ["ahead", "home"]
    v = evaluate_options(mdp, shortened, best.policy)
    assert v[[0, 1, 2]] == pytest.approx([0.9, 1, 0.9], abs=EXACT)
    # Choosing anew at every step comes to the same here.
    flat = flat_policy(mdp, options, best.policy)
    np.testing.assert_allclose(evaluate_policy(mdp, flat), v, rtol=0, atol=EXACT)


@given(rooms_maps(), st.integers(0, 10_000))
@settings(max_examples=40)
def test_interruption_is_never_worse(rows, seed):
    rng = np.random.default_rng(seed)
    mdp = four_rooms(map=rows, noise=0.2).mdp
    options = (random_option(mdp, rng), random_option(mdp, rng), primitive_options(mdp)[seed % 4])
    policy = random_weights(mdp, options, rng)
    v = evaluate_options(mdp, options, policy)
    shortened = interrupted(mdp, options, policy)
    assert (evaluate_options(mdp, shortened, policy) >= v - 1e-12).all()


@given(rooms_maps(), st.integers(0, 10_000))
@settings(max_examples=20)
def test_choosing_anew_at_every_step_is_never_worse_where_options_may_start_wherever_they_go_on(rows, seed):
    rng = np.random.default_rng(seed)
    mdp = four_rooms(map=rows, noise=0.2).mdp
    options = (random_option(mdp, rng, share=1), random_option(mdp, rng, share=1))
    best = plan(mdp, options)
    flat = flat_policy(mdp, options, best.policy)
    assert (evaluate_policy(mdp, flat) >= best.v - 1e-10).all()


def test_interruption_gains_in_four_rooms_when_options_are_chosen_at_random():
    world = four_rooms()
    options = hallway_options(world)
    policy = np.stack([option.initiation for option in options], axis=1)
    policy = policy / np.maximum(policy.sum(axis=1, keepdims=True), 1)
    v = evaluate_options(world.mdp, options, policy)
    better = evaluate_options(world.mdp, interrupted(world.mdp, options, policy), policy)
    assert (better >= v - 1e-12).all()
    assert world.mdp.start @ better > world.mdp.start @ v + 0.01


# Subtasks and hallways ------------------------------------------------------------------------------------------------


def best_chance(mdp, task):
    """The best discounted chance of each state to get to the goal: value iteration on the task's own reward."""
    runs = task.initiation | task.region
    v = np.zeros(mdp.num_states)
    for _ in range(2000):
        worth = np.where(task.goal, 1.0, np.where(task.region, mdp.discount * v, 0.0))[mdp.next_state]
        worth = np.where(mdp.terminated & ~task.goal[mdp.next_state], 0.0, worth)
        v = np.where(runs, (mdp.probability * worth).sum(axis=2).max(axis=1), 0.0)
    return v


def chance(mdp, task):
    """The same under the task's own policy, by its option's model: discounted arrivals in the goal."""
    paid = FiniteMDP(
        mdp.probability,
        mdp.next_state,
        np.where(task.goal[mdp.next_state] & ~mdp.terminal_states[:, None, None], 1.0, 0.0),
        mdp.terminated,
        mdp.start,
        mdp.discount,
    )
    return option_model(paid, task.option()).reward


@pytest.mark.parametrize("slip", [0.0, 0.1, 0.5])
def test_a_subtask_has_its_exact_optimal_policy_and_together_they_solve_the_task(slip):
    world = subtask_grid(slip=slip)
    for task in subtasks(world):
        np.testing.assert_allclose(chance(world.mdp, task), best_chance(world.mdp, task), rtol=0, atol=EXACT)
        np.testing.assert_array_equal(task.policy.sum(axis=1), task.initiation)
        assert set(task.policy.ravel()) == {0, 1}
    # Each subtask ends in one cell, so nothing is lost by doing them one after the other.
    np.testing.assert_allclose(plan(world.mdp, subtask_options(world)).v, solve(world.mdp).v_star, rtol=0, atol=EXACT)


@given(subtask_maps(), st.sampled_from([0.0, 0.3]))
@settings(max_examples=30)
def test_the_subtasks_of_any_map_together_solve_the_task(rows, slip):
    world = subtask_grid(map=rows, slip=slip)
    np.testing.assert_allclose(plan(world.mdp, subtask_options(world)).v, solve(world.mdp).v_star, rtol=0, atol=EXACT)


def test_three_sweeps_over_the_subtasks_are_enough():
    world = subtask_grid(slip=0.1)
    values = sweep_values(world.mdp, subtask_options(world), 3)
    stage = world.layout.stage
    v_star = solve(world.mdp).v_star
    for sweep, known in ((1, stage == 2), (2, stage >= 1), (3, stage >= 0)):
        np.testing.assert_allclose(values[sweep][known], v_star[known], rtol=0, atol=EXACT)
        assert not values[sweep][~known].any()


def test_four_rooms_has_eight_hallway_options_two_a_room():
    world = four_rooms()
    grid = world.layout.grid
    options = hallway_options(world)
    assert [option.name for option in options] == [
        "room 0 to hallway 3,6",
        "room 0 to hallway 6,2",
        "room 1 to hallway 3,6",
        "room 1 to hallway 7,9",
        "room 2 to hallway 6,2",
        "room 2 to hallway 10,6",
        "room 3 to hallway 7,9",
        "room 3 to hallway 10,6",
    ]
    # The first starts in the 25 cells of the upper left room and in the hallway below it, and ends outside the room.
    room = [(row, column) for row in range(1, 6) for column in range(1, 6)]
    first = options[0]
    assert {tuple(grid.cells[s]) for s in np.flatnonzero(first.initiation)} == {*room, (6, 2)}
    assert {tuple(grid.cells[s]) for s in np.flatnonzero(first.termination == 0)} == set(room)
    assert set(first.termination) == {0, 1}


@pytest.mark.parametrize(("noise", "discount"), [(0, 0.9), (1 / 3, 0.9), (0, 0.0), (0, 1.0)])
def test_a_hallway_option_follows_a_shortest_path_in_its_room(noise, discount):
    world = four_rooms(noise=noise, discount=discount)
    grid = world.layout.grid
    rows = list(grid.rows)
    for task in hallways(world):
        (target,) = np.flatnonzero(task.goal)
        room = {tuple(place) for place in grid.cells[task.initiation | task.goal].tolist()}
        own = ["".join(g if (r, c) in room else "#" for c, g in enumerate(line)) for r, line in enumerate(rows)]
        steps = distances(own, tuple(grid.cells[target]))
        for state in np.flatnonzero(task.initiation):
            ahead = grid.neighbours[state, task.policy[state].argmax()]
            assert steps[tuple(grid.cells[ahead])] == steps[tuple(grid.cells[state])] - 1
        np.testing.assert_array_equal(task.policy.sum(axis=1), task.initiation)


@pytest.mark.parametrize("noise", [0.0, 1 / 3, 0.6])
def test_no_policy_arrives_in_a_hallway_sooner_than_its_option(noise):
    world = four_rooms(noise=noise, goal=[1, 1])
    for task in hallways(world):
        if task.initiation[0]:  # the goal is in this room, where it ends episodes; the options know nothing of it
            continue
        np.testing.assert_allclose(chance(world.mdp, task), best_chance(world.mdp, task), rtol=0, atol=EXACT)


def test_hallway_options_are_the_same_for_every_goal_but_never_start_at_it():
    here, there = four_rooms(goal=[2, 2]), four_rooms(goal=[10, 6])
    goals = here.goal_states | there.goal_states
    for one, other in zip(hallway_options(here), hallway_options(there)):
        np.testing.assert_array_equal(one.initiation[~goals], other.initiation[~goals])
        np.testing.assert_array_equal(one.policy[~goals], other.policy[~goals])
        assert not one.initiation[here.goal_states].any()
        assert not other.initiation[there.goal_states].any()


def test_a_goal_inside_a_room_ends_the_options_that_run_over_it():
    world = four_rooms(goal=[3, 5], noise=0)  # just before the hallway at row 3, column 6
    grid = world.layout.grid
    model = option_model(world.mdp, hallway_options(world)[0])
    first = grid.cell_at("cell", (3, 1))  # four steps along the row
    assert model.reward[first] == pytest.approx(0.9**3, abs=EXACT)
    assert model.episode_ends[first] == pytest.approx(1, abs=EXACT)
    assert model.transition[[first]].nnz == 0


def test_hallway_options_of_ones_own_map_are_planned_with():
    world = four_rooms(map=["...#...#...", "...........", "...#...#..G"], noise=0.1)
    options = hallway_options(world)
    assert [option.name for option in options] == [
        "room 0 to hallway 1,3",
        "room 1 to hallway 1,3",
        "room 1 to hallway 1,7",
        "room 2 to hallway 1,7",
    ]
    np.testing.assert_allclose(
        plan(world.mdp, (*options, *primitive_options(world.mdp))).v, solve(world.mdp).v_star, rtol=0, atol=EXACT
    )


def test_a_room_of_the_goal_alone_has_no_option():
    world = four_rooms(map=["..##", "...G", "..##"], noise=0)
    # The hallway joins the room on the left and the goal's own cell; from the goal no option may start.
    assert [option.name for option in hallway_options(world)] == ["room 0 to hallway 1,2"]
    assert [task.name for task in hallways(world)] == ["room 0 to hallway 1,2", "room 1 to hallway 1,2"]


def test_maps_and_worlds_without_hallways_or_stages_are_refused():
    with pytest.raises(ValueError, match=re.escape("It has 1 room and no hallway:\n...\n...")):
        hallways(four_rooms(map=["...", "..G"]))
    for world in (subtask_grid(), line_walk()):
        with pytest.raises(ValueError, match=f"states are the cells of a map, but {world.name} is not one"):
            hallway_options(world)
    for world in (four_rooms(), line_walk()):
        with pytest.raises(
            ValueError, match=f"a world whose task has stages, such as SubtaskGrid, but {world.name} has none"
        ):
            subtask_options(world)


def test_what_is_no_option_is_refused():
    with pytest.raises(TypeError, match="option must be an Option, but is 3"):
        plan(four_rooms().mdp, [3])


def test_the_example_runs(capsys):
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "options_in_four_rooms.py"))["main"]()
    lines = capsys.readouterr().out.splitlines()
    assert "options               0  103  103  103  103  103  103  103  cells with a value" in lines
    assert "primitive actions 0.32943920" in lines
    assert lines[-1].startswith("at the goal after ")
