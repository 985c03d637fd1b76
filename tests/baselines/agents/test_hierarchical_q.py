"""HierarchicalQ: its arithmetic by hand, what it must never do, and that it gets to the exact optimum, and sooner."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.agents import hierarchical_q
from baselines.agents.hierarchical_q import NONE, HierarchicalQ, HierarchicalQConfig
from baselines.agents.q_learning import QLearning
from baselines.comparison.measures import steps_to
from baselines.comparison.statistics import difference_interval
from baselines.learning.transition import Transition
from baselines.learning.updates import option_value_on_arrival, smdp_target
from baselines.registry import make_agent
from baselines.system.atomic_files import StorageError
from baselines.training.loop import evaluate, score, train
from baselines.training.task import make_task
from rl_envs.options import evaluate_options, flat_policy, hallway_options, plan, subtask_options
from rl_envs.registry import build

HALF = {"step_size": 0.5, "step_size_half_life": np.inf}
KEY, DOOR, GOAL = range(3)  # the options of SubtaskGrid's subtasks
UP, RIGHT, DOWN, LEFT = range(4)


def at(world: Any, row: int, column: int, stage: int = 0) -> int:
    """The state of a cell, in a stage."""
    layout = world.layout
    return int(np.flatnonzero((layout.cell == layout.grid.cell_at("cell", (row, column))) & (layout.stage == stage))[0])


def step(
    state: int, action: int, reward: float, next_state: int, *, terminated: bool = False, truncated: bool = False
) -> Transition:
    """One step of one run."""
    return Transition(
        np.array([state]),
        np.array([action]),
        np.array([reward]),
        np.array([next_state]),
        np.array([terminated]),
        np.array([truncated]),
    )


def beginning(agent: HierarchicalQ, option: int, state: int) -> None:
    """Let the only run begin an option."""
    agent.option[:], agent.started_in[:], agent.earned[:], agent.duration[:] = option, state, 0.0, 0


# What must hold, as functions that raise: run as tests, and as those that catch the planted faults ---------------


def an_option_of_three_steps_counts_three_steps() -> None:
    agent = HierarchicalQ("SubtaskGrid", config=HierarchicalQConfig(intra_option=False, **HALF))
    world = agent.task.world
    first, second, third = (at(world, 1, column) for column in (4, 3, 2))
    key = at(world, 1, 1, stage=1)
    agent.q[:] = 1.0
    agent.q[0, key, DOOR] = 10.0
    agent.q[0, key, [KEY, GOAL]] = 100.0  # may not start there, so they are never read
    beginning(agent, KEY, first)
    assert agent.update(step(first, LEFT, 1.0, second))["td_error"] == 0
    assert agent.update(step(second, LEFT, 2.0, third))["td_error"] == 0
    assert np.count_nonzero(agent.q != 1.0) == 3  # nothing is learned on the way
    assert agent.option[0] == KEY
    td_error = agent.update(step(third, LEFT, 4.0, key))["td_error"]
    # 1 + 0.95 * 2 + 0.9025 * 4 + 0.857375 * 10 - 1 = 14.08375
    np.testing.assert_allclose(td_error, [14.08375], rtol=1e-12)
    np.testing.assert_allclose(agent.q[0, first, KEY], 1 + 0.5 * 14.08375, rtol=1e-12)
    assert agent.option[0] == NONE
    assert np.count_nonzero(agent.q != 1.0) == 4
    assert agent.updates.sum() == 1


def a_terminal_state_inside_an_option_ends_both() -> None:
    # The goal stands in the middle of a room, where the way to a hallway leads on.
    world = build("FourRooms", goal=(3, 3))
    for intra_option in (False, True):
        agent = HierarchicalQ(world, config=HierarchicalQConfig(intra_option=intra_option, **HALF))
        agent.q[:] = 100.0
        before, goal = at(world, 3, 2), at(world, 3, 3)
        to_hallway = next(o for o, part in enumerate(agent.subtasks) if part.goal[at(world, 3, 6)] and part.region[0])
        assert agent.subtasks[to_hallway].region[goal]  # the option itself would go on
        beginning(agent, to_hallway, before)
        agent.update(step(before, RIGHT, 1.0, goal, terminated=True))
        assert agent.option[0] == NONE
        assert agent.q[0, before, to_hallway] == 50.5  # halfway from 100 to 1


def the_time_limit_ends_an_option_and_bootstraps_from_going_on() -> None:
    agent = HierarchicalQ("SubtaskGrid", config=HierarchicalQConfig(intra_option=False, **HALF))
    first, second = (at(agent.task.world, 1, column) for column in (4, 3))
    agent.q[0, second] = [2.0, 9.0, 9.0, 7.0, 7.0, 7.0, 7.0]
    beginning(agent, KEY, first)
    td_error = agent.update(step(first, LEFT, 1.0, second, truncated=True))["td_error"]
    # The option would have gone on in the last state, where it is worth 2, and not been chosen anew: 1 + 0.95 * 2
    np.testing.assert_allclose(td_error, [2.9], rtol=1e-12)
    assert agent.option[0] == NONE
    beginning(agent, KEY, first)
    agent.q[:] = 0.0
    agent.q[0, second] = 9.0
    both = agent.update(step(first, LEFT, 1.0, second, terminated=True, truncated=True))
    np.testing.assert_allclose(both["td_error"], [1.0], rtol=1e-12)  # the end by the rules counts


def an_option_ends_where_it_arrives() -> None:
    agent = HierarchicalQ("FourRooms", config=HierarchicalQConfig(intra_option=False, **HALF))
    world = agent.task.world
    hallway, inside, other = at(world, 3, 6), at(world, 3, 5), at(world, 6, 2)
    out = next(o for o, part in enumerate(agent.subtasks) if part.goal[other] and part.region[inside])
    beginning(agent, out, hallway)  # it begins in the room's other hallway, where it would end on arriving
    agent.update(step(hallway, LEFT, 0.0, inside))
    assert agent.option[0] == out
    agent.update(step(inside, UP, 0.0, at(world, 2, 5)))
    agent.update(step(inside, RIGHT, 0.0, hallway))  # carried off into the wrong hallway: it has failed, and ends
    assert agent.option[0] == NONE
    assert agent.updates[0, hallway, out] == 1


def only_options_that_may_start_are_chosen() -> None:
    for world in ("SubtaskGrid", "FourRooms"):
        agent = HierarchicalQ(world, runs=5, seed=3)
        may_start = np.stack([option.initiation for option in agent.options], axis=1)
        for _ in range(400):
            action = agent.act(agent.rollout.observation)
            assert may_start[agent.started_in, agent.option].all()
            agent.update(agent.rollout.step(action))


def a_chosen_option_is_followed_to_its_end() -> None:
    agent = HierarchicalQ("SubtaskGrid", runs=4, seed=0)
    for _ in range(300):
        state = agent.rollout.observation
        before = agent.option.copy()
        action = agent.act(state)
        assert (agent.option[before != NONE] == before[before != NONE]).all()
        policies = np.stack([option.policy for option in agent.options])
        assert (policies[agent.option, state, action] == 1).all()
        agent.update(agent.rollout.step(action))


def every_option_that_would_do_the_same_learns_inside() -> None:
    agent = HierarchicalQ("FourRooms", config=HierarchicalQConfig(**HALF))
    world = agent.task.world
    state, next_state = at(world, 3, 4), at(world, 3, 5)
    east = next(o for o, part in enumerate(agent.subtasks) if part.goal[at(world, 3, 6)] and part.region[state])
    agent.q[0, next_state] = np.arange(12.0)
    agent.q[0, next_state, 8:] = [20.0, 30.0, 40.0, 50.0]
    may_start = [option.initiation[next_state] for option in agent.options]
    agent.q[0, next_state, ~np.array(may_start)] = 1000.0
    before = agent.q.copy()
    beginning(agent, 8 + RIGHT, state)  # a single action, yet the way east learns with it
    td_error = agent.update(step(state, RIGHT, 1.0, next_state))["td_error"]
    would_go_right = [o for o, option in enumerate(agent.options) if option.runs[state] and option.policy[state, RIGHT]]
    assert would_go_right == [east, 8 + RIGHT]
    # The way east goes on: 1 + 0.9 * Q(s', east). The single step is over: 1 + 0.9 * the best that may start, 50.
    goes_on, over = 1 + 0.9 * east, 46.0
    np.testing.assert_allclose(agent.q[0, state, would_go_right], [goes_on / 2, over / 2], rtol=1e-12)
    np.testing.assert_allclose(td_error, [(goes_on + over) / 2], rtol=1e-12)
    assert np.argwhere(agent.q != before)[:, 2].tolist() == would_go_right


def subtasks_learn_from_their_own_reward() -> None:
    config = HierarchicalQConfig(option_policies="learned", **HALF)
    agent = HierarchicalQ("FourRooms", config=config)
    world = agent.task.world
    inside, hallway = at(world, 3, 5), at(world, 3, 6)
    east, south = (
        next(o for o, part in enumerate(agent.subtasks) if part.goal[at(world, *cell)] and part.region[inside])
        for cell in ((3, 6), (6, 2))
    )
    agent.subtask_q[:] = 4.0
    beginning(agent, 8 + RIGHT, inside)
    agent.update(step(inside, RIGHT, 7.0, hallway))  # the world's own reward has no part in it
    # The way east is done: 4 + (1 - 4) / 2 = 2.5. The way south has failed: 4 + (0 - 4) / 2 = 2.
    assert agent.subtask_q[0, [east, south], inside, RIGHT].tolist() == [2.5, 2.0]
    agent.subtask_q[0, south, at(world, 4, 5), UP] = 10.0
    beginning(agent, 8 + DOWN, inside)
    agent.update(step(inside, DOWN, 7.0, at(world, 4, 5)))
    # Inside the room it goes on: 4 + (0.9 * 4 - 4) / 2 = 3.8, and 4 + (0.9 * 10 - 4) / 2 = 6.5
    np.testing.assert_allclose(agent.subtask_q[0, [east, south], inside, DOWN], [3.8, 6.5], rtol=1e-12)
    beginning(agent, 8 + UP, inside)
    agent.update(step(inside, UP, 7.0, at(world, 2, 5), terminated=True))
    assert agent.subtask_q[0, [east, south], inside, UP].tolist() == [2.0, 2.0]  # the episode's end is a failure
    elsewhere = [o for o in range(8) if o not in (east, south)]
    assert (agent.subtask_q[0, elsewhere] == 4.0).all()
    assert agent.subtask_updates.sum() == 6


CHECKS = (
    an_option_of_three_steps_counts_three_steps,
    a_terminal_state_inside_an_option_ends_both,
    the_time_limit_ends_an_option_and_bootstraps_from_going_on,
    an_option_ends_where_it_arrives,
    only_options_that_may_start_are_chosen,
    a_chosen_option_is_followed_to_its_end,
    every_option_that_would_do_the_same_learns_inside,
    subtasks_learn_from_their_own_reward,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_options_are_learned_about_soundly(check: Callable[[], None]) -> None:
    check()


# Deliberate faults ----------------------------------------------------------------------------------------------------


def plant_target(**wrong: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """An SMDP target of which one argument is not what it should be; each is computed from the right ones."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def target(reward: Any, duration: Any, terminated: Any, next_value: Any, discount: float) -> np.ndarray:
            right = {"reward": reward, "duration": duration, "terminated": terminated, "next_value": next_value}
            changed = {name: change(right[name]) for name, change in wrong.items()}
            return smdp_target(**{**right, **changed}, discount=discount)

        patch.setattr(hierarchical_q, "smdp_target", target)

    return plant


def plant_maximum_over_all_options(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        hierarchical_q,
        "option_value_on_arrival",
        lambda going_on_value, next_q, may_start, termination: option_value_on_arrival(
            going_on_value, next_q, np.ones_like(may_start), termination
        ),
    )


def plant_options_that_always_choose_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        hierarchical_q,
        "option_value_on_arrival",
        lambda going_on_value, next_q, may_start, termination: option_value_on_arrival(
            going_on_value, next_q, may_start, np.ones_like(termination)
        ),
    )


def plant_end_judged_where_it_was(patch: pytest.MonkeyPatch) -> None:
    over = HierarchicalQ._over
    patch.setattr(
        HierarchicalQ, "_over", lambda self, transition, next_state: over(self, transition, transition.observation)
    )


def plant_end_forgotten(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        over = HierarchicalQ._over

        def forgetful(self: HierarchicalQ, transition: Transition, next_state: np.ndarray) -> np.ndarray:
            return over(self, replace(transition, **{name: np.zeros(1, dtype=bool) for name in names}), next_state)

        patch.setattr(HierarchicalQ, "_over", forgetful)

    return plant


def plant_choice_among_all_options(patch: pytest.MonkeyPatch) -> None:
    init = HierarchicalQ.__init__

    def everywhere(self: HierarchicalQ, *args: Any, **given: Any) -> None:
        init(self, *args, **given)
        self._may_start = np.ones_like(self._may_start)

    patch.setattr(HierarchicalQ, "__init__", everywhere)


def plant_interruption(patch: pytest.MonkeyPatch) -> None:
    choose = HierarchicalQ._choose

    def anew(self: HierarchicalQ, state: np.ndarray) -> None:
        self.option = np.full_like(self.option, NONE)
        choose(self, state)

    patch.setattr(HierarchicalQ, "_choose", anew)


def plant_learning_only_of_the_running_option(patch: pytest.MonkeyPatch) -> None:
    acting = HierarchicalQ._acting

    def only_its_own(self: HierarchicalQ, state: np.ndarray) -> np.ndarray:
        return acting(self, state) * (np.arange(len(self.options)) == self.option[:, None])[:, :, None]

    patch.setattr(HierarchicalQ, "_acting", only_its_own)


def plant_subtasks_paid_by_the_world(patch: pytest.MonkeyPatch) -> None:
    def target(reached: Any, goes_on: Any, terminated: Any, next_q: Any, discount: float) -> np.ndarray:
        return np.where(reached, 7.0, 0.0) + discount * np.where(terminated | ~goes_on, 0.0, next_q.max(axis=-1))

    patch.setattr(hierarchical_q, "subtask_target", target)


def plant_subtasks_that_never_fail(patch: pytest.MonkeyPatch) -> None:
    right = hierarchical_q.subtask_target
    patch.setattr(
        hierarchical_q,
        "subtask_target",
        lambda reached, goes_on, terminated, next_q, discount: right(
            reached, np.ones_like(goes_on), terminated, next_q, discount
        ),
    )


FAULTS = {
    "discount^1 for an option of three steps": (
        plant_target(duration=np.ones_like),
        an_option_of_three_steps_counts_three_steps,
    ),
    "discount^(k-1)": (plant_target(duration=lambda k: k - 1), an_option_of_three_steps_counts_three_steps),
    "maximum over options that may not start, at the end": (
        plant_maximum_over_all_options,
        an_option_of_three_steps_counts_three_steps,
    ),
    "maximum over options that may not start, inside": (
        plant_maximum_over_all_options,
        every_option_that_would_do_the_same_learns_inside,
    ),
    "bootstrap through a terminal step": (
        plant_target(terminated=np.zeros_like),
        a_terminal_state_inside_an_option_ends_both,
    ),
    "no bootstrap at the time limit": (
        plant_target(terminated=np.ones_like),
        the_time_limit_ends_an_option_and_bootstraps_from_going_on,
    ),
    "what was cut off counts as ended": (
        plant_options_that_always_choose_anew,
        the_time_limit_ends_an_option_and_bootstraps_from_going_on,
    ),
    "an option survives the end of its episode": (
        plant_end_forgotten("terminated"),
        a_terminal_state_inside_an_option_ends_both,
    ),
    "an option survives the time limit": (
        plant_end_forgotten("truncated"),
        the_time_limit_ends_an_option_and_bootstraps_from_going_on,
    ),
    "the end judged where the option was": (plant_end_judged_where_it_was, an_option_ends_where_it_arrives),
    "any option may start anywhere": (plant_choice_among_all_options, only_options_that_may_start_are_chosen),
    "a new choice at every step": (plant_interruption, a_chosen_option_is_followed_to_its_end),
    "inside, every option ends at every step": (
        plant_options_that_always_choose_anew,
        every_option_that_would_do_the_same_learns_inside,
    ),
    "inside, only the running option learns": (
        plant_learning_only_of_the_running_option,
        every_option_that_would_do_the_same_learns_inside,
    ),
    "subtasks earn the world's reward": (plant_subtasks_paid_by_the_world, subtasks_learn_from_their_own_reward),
    "subtasks go on outside their region": (plant_subtasks_that_never_fail, subtasks_learn_from_their_own_reward),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check()


# What is promised of every agent --------------------------------------------------------------------------------------

KINDS = {
    "intra-option": HierarchicalQConfig(),
    "SMDP": HierarchicalQConfig(intra_option=False),
    "options alone": HierarchicalQConfig(primitives=False, intra_option=False),
    "learned": HierarchicalQConfig(option_policies="learned"),
}


def learned_arrays(agent: HierarchicalQ, run: int = 0) -> list[np.ndarray]:
    return [array[run] for array in (agent.q, agent.updates, agent.subtask_q, agent.subtask_updates, agent.option)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_same_in_any_population(kind: str) -> None:
    found = []
    for runs in (range(5), range(9), range(3, 4)):
        agent = HierarchicalQ("FourRooms", runs=runs, seed=1, config=KINDS[kind])
        scores = train(agent, steps=300, checkpoints=2).scores[:, 3 - runs.start]
        found.append([*learned_arrays(agent, 3 - runs.start), scores])
    for other in found[1:]:
        assert all(np.array_equal(one, another) for one, another in zip(found[0], other))


def test_no_two_runs_learn_the_same() -> None:
    agent = HierarchicalQ("FourRooms", runs=9, seed=1)
    train(agent, steps=300, checkpoints=1)
    assert len(np.unique(agent.q.reshape(9, -1), axis=0)) == 9


def test_the_seed_decides() -> None:
    tables = []
    for seed in (1, 1, 2):
        agent = HierarchicalQ("SubtaskGrid", runs=2, seed=seed)
        train(agent, steps=150, checkpoints=1)
        tables.append(agent.q.tobytes())
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_equals_an_unbroken_one_byte_for_byte(kind: str, tmp_path: Path) -> None:
    unbroken, broken = (HierarchicalQ("FourRooms", runs=3, seed=0, config=KINDS[kind]) for _ in range(2))
    train(unbroken, steps=250, checkpoints=1)
    train(broken, steps=101, checkpoints=1)
    assert (broken.option != NONE).any()  # saved in the middle of an option
    broken.save(tmp_path / "agent.safetensors")
    resumed = HierarchicalQ.load(tmp_path / "agent.safetensors")
    train(resumed, steps=149, checkpoints=1)
    unbroken.save(tmp_path / "unbroken.safetensors")
    resumed.save(tmp_path / "resumed.safetensors")
    assert (tmp_path / "unbroken.safetensors").read_bytes() == (tmp_path / "resumed.safetensors").read_bytes()


def test_a_file_with_given_policies_is_no_file_with_learned_ones(tmp_path: Path) -> None:
    HierarchicalQ("SubtaskGrid").save(tmp_path / "agent.safetensors")
    with pytest.raises(StorageError, match="holds an agent of class HierarchicalQ, not QLearning"):
        QLearning.load(tmp_path / "agent.safetensors")


def test_looking_changes_nothing() -> None:
    looked_at, left_alone = (HierarchicalQ("FourRooms", runs=2, seed=0) for _ in range(2))
    for agent in (looked_at, left_alone):
        train(agent, steps=120, checkpoints=1)
    before = [array.copy() for array in looked_at.state().values()]
    score(looked_at)
    evaluate(looked_at, episodes=1, max_steps=30)
    drawn = list(looked_at.state()).index("drawn.greedy")
    for position, (now, then) in enumerate(zip(looked_at.state().values(), before)):
        assert position == drawn or np.array_equal(now, then)
    for agent in (looked_at, left_alone):
        train(agent, steps=120, checkpoints=1)
    assert np.array_equal(looked_at.q, left_alone.q)


def test_greedy_play_is_the_policy() -> None:
    agent = HierarchicalQ("SubtaskGrid", runs=2, seed=0)
    train(agent, steps=2_000, checkpoints=1)
    np.testing.assert_array_equal(agent.task.truth.score(agent.policy()), 1.0)
    np.testing.assert_array_equal(evaluate(agent, episodes=3), 1.0)
    observation = np.full(2, at(agent.task.world, 3, 3))
    actions = np.array([agent.act(observation, greedy=True) for _ in range(50)])
    assert (agent.policy()[np.arange(2), observation, actions] > 0).all()


# Scores ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", ["SubtaskGrid:slip=0.2", "FourRooms"])
@pytest.mark.parametrize("primitives", [True, False])
def test_the_score_is_that_of_following_the_options_to_their_ends(world: str, primitives: bool) -> None:
    agent = make_agent(f"HierarchicalQ:primitives={primitives}", make_task(world), runs=3)
    agent.q[:] = np.random.default_rng(0).random(agent.q.shape)
    agent.q[1] = 0.0  # all tied
    mdp, truth = agent.task.truth.mdp, agent.task.truth
    for run, found in enumerate(agent.exact_score()):
        v = evaluate_options(mdp, agent.options, agent.option_policy()[run])
        worth = (mdp.start @ v - truth.random_value) / (truth.optimal_value - truth.random_value)
        assert found == pytest.approx(worth, abs=1e-10)
        anew = flat_policy(mdp, agent.options, agent.option_policy()[run])
        np.testing.assert_allclose(agent.policy()[run], anew, atol=1e-12)


def test_learned_policies_are_scored_as_options_of_their_own() -> None:
    agent = HierarchicalQ("SubtaskGrid", runs=3, seed=0, config=HierarchicalQConfig(option_policies="learned"))
    train(agent, steps=4_000, checkpoints=1)
    agent.q[:] = np.random.default_rng(0).random(agent.q.shape)  # so that the choice among options is not the best
    mdp, truth = agent.task.truth.mdp, agent.task.truth
    for run, found in enumerate(agent.exact_score()):
        options = agent.options_of(run)
        v = evaluate_options(mdp, options, agent.option_policy()[run])
        worth = (mdp.start @ v - truth.random_value) / (truth.optimal_value - truth.random_value)
        assert found == pytest.approx(worth, abs=1e-9)
        anew = flat_policy(mdp, options, agent.option_policy()[run])
        np.testing.assert_allclose(agent.policy()[run], anew, atol=1e-12)


def test_a_learned_policy_that_walks_in_circles_is_worth_nothing() -> None:
    agent = HierarchicalQ("SubtaskGrid", config=HierarchicalQConfig(option_policies="learned", primitives=False))
    agent.subtask_q[..., UP] = 1.0  # up and up, against the wall
    truth = agent.task.truth
    floor = -truth.random_value / (truth.optimal_value - truth.random_value)
    np.testing.assert_allclose(agent.exact_score(), [floor], rtol=1e-12)


def test_given_options_are_those_of_rl_envs() -> None:
    for world, derive in (("SubtaskGrid", subtask_options), ("FourRooms", hallway_options)):
        agent = HierarchicalQ(world, config=HierarchicalQConfig(primitives=False))
        expected = derive(agent.task.world)
        assert [option.name for option in agent.options] == [option.name for option in expected]
        for own, theirs in zip(agent.options, expected):
            np.testing.assert_array_equal(own.initiation, theirs.initiation)
            np.testing.assert_array_equal(own.policy, theirs.policy)
            np.testing.assert_array_equal(own.termination, theirs.termination)
            assert set(own.termination) <= {0.0, 1.0}  # as the agent takes for granted
    assert len(HierarchicalQ("FourRooms").options) == 8 + 4


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "message"),
    [
        ("LineWalk", "needs a world with subtasks or hallways, .* but LineWalk has neither"),
        ("RobotGrasp", "but RobotGrasp has neither"),
        ("FourRooms:observation=view", "must see the state itself, .* but FourRooms:observation=view"),
        ("SubtaskGrid:observation=one_hot", "must see the state itself"),
        (
            "FourRooms:map=#####\n#..G#\n#...#\n#####",
            "needs a world with subtasks or hallways: the map must have hallways",
        ),
    ],
)
def test_worlds_without_parts_are_refused(world: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        HierarchicalQ(make_task(world))


def test_a_world_in_which_nothing_is_to_be_gained_has_no_score() -> None:
    with pytest.raises(ValueError, match="a score needs an optimal policy that is better than the uniform one"):
        HierarchicalQ(make_task("SubtaskGrid:discount=0.0")).exact_score()


def test_an_unknown_kind_of_option_policies_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown option_policies 'exakt'\. Did you mean 'exact'"):
        HierarchicalQConfig(option_policies="exakt")


def test_options_alone_must_start_wherever_an_episode_goes_on() -> None:
    # Two rooms and one hallway: whoever stands in it is in no room, and no other hallway leads out.
    world = build("FourRooms", map="#######\n#..#..#\n#.....#\n#..#.G#\n#######")
    with pytest.raises(ValueError, match=r"some option must start in every state .* but in state .* none may"):
        HierarchicalQ(world, config=HierarchicalQConfig(primitives=False))
    assert len(HierarchicalQ(world).options) == 2 + 4


# Learning -------------------------------------------------------------------------------------------------------------


def test_at_least_95_of_100_runs_solve_the_subtask_grid_and_faster_than_flat_q_learning() -> None:
    # Every run of all three gets there: about 600 and 300 steps against 5,900. The proofs tell more, of FourRooms too.
    counts = []
    for specification, steps in (
        ("HierarchicalQ", 1_500),
        ("HierarchicalQ:intra_option=False", 1_500),
        ("QLearning", 12_000),
    ):
        agent = make_agent(specification, "SubtaskGrid", runs=100, seed=0)
        curve = train(agent, steps=steps, checkpoints=steps // 500)
        assert (curve.scores[-1] >= 0.99).mean() >= 0.95
        counts.append(steps_to(curve.steps, curve.scores))
    for hierarchical in counts[:2]:
        assert difference_interval(hierarchical, counts[2]).high < -3_000


@pytest.mark.parametrize("primitives", [True, False])
def test_options_whose_policies_are_learned_solve_the_subtask_grid(primitives: bool) -> None:
    config = HierarchicalQConfig(option_policies="learned", primitives=primitives)
    agent = HierarchicalQ("SubtaskGrid", runs=10, seed=0, config=config)
    assert (train(agent, steps=6_000, checkpoints=1).scores[-1] >= 0.99).all()


@pytest.mark.parametrize(("intra_option", "steps"), [(True, 9_000), (False, 16_000)])
def test_without_chance_options_alone_come_to_exactly_their_own_optimum(intra_option: bool, steps: int) -> None:
    # With step size 1 a value is exact once what follows it is; everything is tried.
    always = {"step_size": 1.0, "step_size_half_life": np.inf, "epsilon": 1.0, "final_epsilon": 1.0}
    config = HierarchicalQConfig(primitives=False, intra_option=intra_option, **always)
    world = replace(build("FourRooms", noise=0.0), max_episode_steps=6)  # begins often, and so everywhere
    agent = HierarchicalQ(world, runs=3, seed=0, config=config)
    train(agent, steps=steps, checkpoints=1)
    best = plan(agent.task.world.mdp, agent.options).q
    may_start = np.isfinite(best)
    np.testing.assert_allclose(agent.q[:, may_start], np.tile(best[may_start], (3, 1)), atol=1e-12)


def test_with_chance_options_alone_come_near_their_own_optimum() -> None:
    agent = make_agent("HierarchicalQ:primitives=False,preset=FourRooms", "FourRooms", runs=10)
    mdp, truth = agent.task.truth.mdp, agent.task.truth
    own = (mdp.start @ plan(mdp, agent.options).v - truth.random_value) / (truth.optimal_value - truth.random_value)
    assert 0.99 < own < 1  # better ways than through the middle of hallways exist, but hardly better
    final = train(agent, steps=8_000, checkpoints=1).scores[-1]
    assert (final <= own + 1e-12).all()
    assert final.mean() > own - 0.02  # measured 0.010 below after 10,000 steps, standard error of a run 0.009


def test_the_example_shows_that_options_are_faster(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(Path(__file__).parents[3] / "examples" / "learn_with_options.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == [
        "HierarchicalQ",
        "HierarchicalQ:option_policies=learned",
        "QLearning",
    ]
    sooner = [int(line.split("is ")[1].split()[0].replace(",", "")) for line in lines[3:]]
    assert sooner[0] > sooner[1] > 1_500
