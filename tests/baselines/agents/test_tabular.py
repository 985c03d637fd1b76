"""What must hold of every agent with tables of action values, and that the tests of it can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from baselines.agents.tabular import TabularAgent, TabularConfig
from baselines.learning import exploration
from baselines.learning.transition import Transition
from baselines.registry import AGENTS, make_agent
from baselines.training import population, rollout
from baselines.training.loop import evaluate, score, train
from baselines.training.task import Task, make_task
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.checks import small_world

FOUR = ("QLearning", "Sarsa", "ExpectedSarsa", "DoubleQLearning")
ALL = (*FOUR, "JointQ")

# Constant step sizes and exploration throughout.
PLAIN = {"step_size": 0.5, "step_size_half_life": np.inf, "epsilon": 1.0, "final_epsilon": 1.0}


def make(name: str, world: object, runs: int | range = 1, seed: int = 0, **settings: object) -> TabularAgent:
    cls = AGENTS.load(name)
    return cls(world, runs=runs, seed=seed, config=replace(cls.Config(), **settings))


def learn(agent: TabularAgent, steps: int) -> None:
    """Train without scores, which a world with one policy does not have."""
    for _ in range(steps):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))


@cache
def world_of(name: str) -> Task:
    """A world in which there is much to learn; JointQ has several joints to command."""
    return make_task("RobotGraspMulti", num_angles=4, target=(2, 2)) if name == "JointQ" else make_task("RandomMDP")


# Checks: functions that raise -----------------------------------------------------------------------------------------


def value_of_staying(name: str) -> None:
    """One state, reward 1, discount 0.9, episodes cut off after 10 steps: 1 / (1 - 0.9) = 10, and not 5.26."""
    agent = make(name, small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, limit=10), runs=2, **PLAIN)
    learn(agent, 1_000)
    np.testing.assert_allclose(agent.q[..., 0, 0], 10.0, rtol=1e-6)


def value_of_ending(name: str) -> None:
    """State 0 pays 1 and ends the episode in state 1, which looks as if it were worth 100: Q(0) is 1 all the same."""
    agent = make(
        name, small_world(lambda s, a: [Outcome(1.0, 1, 1.0, True)], num_states=2, limit=None), runs=2, **PLAIN
    )
    agent.q[..., 1, :] = 100.0
    learn(agent, 200)
    np.testing.assert_allclose(agent.q[..., 0, 0], 1.0, rtol=1e-6)


def value_of_being_cut_off_elsewhere(name: str) -> None:
    """A step from 0 to 1 pays 1 and is cut off there. Q(1) stays 5, so Q(0) = 1 + 0.9 * 5 = 5.5, and not 10."""
    agent = make(name, small_world(lambda s, a: [Outcome(1.0, 1, 1.0)], num_states=2, limit=1), runs=2, **PLAIN)
    agent.q[..., 1, :] = 5.0
    learn(agent, 200)
    np.testing.assert_allclose(agent.q[..., 0, 0], 5.5, rtol=1e-6)


def runs_do_not_depend_on_their_number(name: str) -> None:
    """Run 3 learns the same, bit for bit, among 5 runs, among 12, and alone; and no two runs learn the same."""
    learned = {}
    for runs in (range(5), range(12), range(3, 4)):
        agent = make(name, world_of(name), runs=runs, seed=1, epsilon=0.5, final_epsilon=0.5)
        learn(agent, 450)
        learned[runs] = {key: array[3 - runs.start] for key, array in tables(agent).items()}
    first, *others = learned.values()
    for other in others:
        for key, array in first.items():
            np.testing.assert_array_equal(array, other[key], err_msg=key)
    agent = make(name, world_of(name), runs=12, seed=1, epsilon=0.5, final_epsilon=0.5)
    learn(agent, 450)
    assert len(np.unique(agent.updates.reshape(12, -1), axis=0)) == 12


def tables(agent: TabularAgent) -> dict[str, np.ndarray]:
    """What the runs have learned, by name, each [R, ...]."""
    about = ("steps", "drawn.", "environment.")
    return {name: array.copy() for name, array in agent.state().items() if not name.startswith(about)}


def seeds_decide(name: str) -> None:
    """The same seed gives the same bytes, another seed does not."""
    learned = []
    for seed in (1, 1, 2):
        agent = make(name, world_of(name), runs=2, seed=seed)
        learn(agent, 200)
        learned.append(agent.q.tobytes() + agent.updates.tobytes())
    assert learned[0] == learned[1] != learned[2]


def looking_changes_nothing(name: str) -> None:
    """A run that is evaluated and scored along the way goes on like one that is not, and is itself not changed."""
    looked_at, left_alone = (make(name, world_of(name), runs=3) for _ in range(2))
    for agent in (looked_at, left_alone):
        learn(agent, 150)
    before = tables(looked_at)
    score(looked_at)
    evaluate(looked_at, episodes=2, max_steps=40)
    for key, array in tables(looked_at).items():
        np.testing.assert_array_equal(array, before[key], err_msg=key)
    for agent in (looked_at, left_alone):
        learn(agent, 150)
    assert looked_at.q.tobytes() == left_alone.q.tobytes()


def ties_are_broken_at_random(name: str) -> None:
    """With all values equal, each of two actions is taken in about half of 2,000 runs (standard error 0.011)."""
    agent = make(name, "LineWalk", runs=2_000, epsilon=0.0, final_epsilon=0.0)
    for greedy in (False, True):
        shares = np.bincount(agent.act(np.full(2_000, 5), greedy=greedy), minlength=2) / 2_000
        np.testing.assert_allclose(shares, 0.5, atol=0.05)


CHECKS = (
    value_of_staying,
    value_of_ending,
    value_of_being_cut_off_elsewhere,
    runs_do_not_depend_on_their_number,
    seeds_decide,
    looking_changes_nothing,
    ties_are_broken_at_random,
)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_learning_is_sound(check: Callable[[str], None], name: str) -> None:
    check(name)


# Planted faults -------------------------------------------------------------------------------------------------------


def change_transition(change: Callable[[Transition], Transition]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        step = rollout.Rollout.step
        patch.setattr(rollout.Rollout, "step", lambda self, action: change(step(self, action)))

    return plant


def every_end_a_truncation(t: Transition) -> Transition:
    return replace(t, terminated=np.zeros_like(t.terminated), truncated=t.terminated | t.truncated)


def every_end_a_termination(t: Transition) -> Transition:
    return replace(t, terminated=t.terminated | t.truncated)


def plant_reset_observation_as_next(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rollout, "true_next_observation", lambda observation, ended, infos: observation)


def plant_seeds_by_position(patch: pytest.MonkeyPatch) -> None:
    def run_seeds(seed: int, world: str, agent: str, runs: range, purpose: str) -> list[np.random.SeedSequence]:
        return np.random.SeedSequence([seed, len(runs), len(purpose)]).spawn(len(runs))

    patch.setattr(population, "run_seeds", run_seeds)


def plant_first_index_ties(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exploration, "argmax_random_ties", lambda values, uniform: values.argmax(axis=-1))


FAULTS = {
    "bootstrap through a terminal step": (change_transition(every_end_a_truncation), value_of_ending),
    "no bootstrap at a truncation": (change_transition(every_end_a_termination), value_of_staying),
    "the reset's observation as the next one": (plant_reset_observation_as_next, value_of_being_cut_off_elsewhere),
    "seeds depend on how many runs there are": (plant_seeds_by_position, runs_do_not_depend_on_their_number),
    "ties go to the first index": (plant_first_index_ties, ties_are_broken_at_random),
}


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        check(name)


# Going on after a pause -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_resumed_run_equals_an_unbroken_one_byte_for_byte(name: str, tmp_path: Path) -> None:
    unbroken = make(name, world_of(name), runs=3, seed=4)
    train(unbroken, steps=730, checkpoints=1)
    first = make(name, world_of(name), runs=3, seed=4)
    train(first, steps=313, checkpoints=1)
    first.save(tmp_path / "agent")
    resumed = type(first).load(tmp_path / "agent")
    assert resumed.config == first.config
    train(resumed, steps=417, checkpoints=1)
    expected, found = unbroken.state(), resumed.state()
    assert expected.keys() == found.keys()
    for key, array in expected.items():
        assert array.tobytes() == found[key].tobytes(), key


# Worlds that can and cannot be learned --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_observations_that_cannot_be_counted_are_refused(name: str) -> None:
    with pytest.raises(
        TypeError, match="observations of LineWalk:observation=one_hot must be Discrete or MultiDiscrete"
    ):
        make_agent(name, make_task("LineWalk", observation="one_hot"))


@pytest.mark.parametrize("name", FOUR)
def test_several_actions_at_once_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match="the actions of RobotGraspMulti must be Discrete"):
        make_agent(name, "RobotGraspMulti")


@pytest.mark.parametrize(("world", "steps"), [("LineWalk", 2_000), ("LineBalance", 2_000), ("RandomMDP", 6_000)])
@pytest.mark.parametrize("name", FOUR)
def test_at_least_95_of_100_runs_reach_the_optimum(name: str, world: str, steps: int) -> None:
    agent = make_agent(name, world, runs=100)
    final = train(agent, steps=steps, checkpoints=1).scores[-1]
    assert (final >= 0.99).mean() >= 0.95


# Settings -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("step_size", 0.0, r"step_size must be in \(0, 1\], but is 0.0"),
        ("step_size", 1.5, r"step_size must be in \(0, 1\], but is 1.5"),
        ("step_size_half_life", 0.0, "step_size_half_life must be positive, but is 0.0"),
        ("epsilon", 1.1, r"epsilon must be in \[0, 1\], but is 1.1"),
        ("final_epsilon", -0.1, r"final_epsilon must be in \[0, 1\], but is -0.1"),
        ("epsilon_steps", -1, "epsilon_steps must be at least 0, but is -1"),
        ("initial_value", np.inf, "initial_value must be finite, but is inf"),
    ],
)
def test_a_setting_out_of_range_is_refused(name: str, field: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(AGENTS.load(name).Config(), **{field: value})


def test_the_step_size_of_each_value_falls_with_its_own_updates() -> None:
    agent = make("QLearning", "LineWalk", step_size=0.8, step_size_half_life=2.0)
    # Targets of 1, 0, 0 for a value that starts at 0: alpha is 0.8, 0.8 / 1.5, 0.8 / 2.
    for target in (1.0, 0.0, 0.0):
        agent.update(
            Transition(
                observation=np.array([1]),
                action=np.array([1]),
                reward=np.array([target]),
                next_observation=np.array([2]),
                terminated=np.array([True]),
                truncated=np.array([False]),
            )
        )
    assert agent.q[0, 1, 1] == pytest.approx(0.8 * (1 - 0.8 / 1.5) * (1 - 0.4), rel=1e-12)
    assert agent.updates[0, 1, 1] == agent.updates.sum() == 3
    assert np.count_nonzero(agent.q) == 1


@pytest.mark.parametrize("name", FOUR)
def test_presets_bear_the_names_of_worlds(name: str) -> None:
    cls = AGENTS.load(name)
    assert set(cls.PRESETS) == {"SubtaskGrid", "FourRooms", "RobotGrasp"}
    assert all(type(config) is cls.Config and isinstance(config, TabularConfig) for config in cls.PRESETS.values())
