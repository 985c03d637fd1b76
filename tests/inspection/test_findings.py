"""One environment for each finding, and the environments that have none."""

import math
import random
import re
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import faulty_environments as faulty

import rl_envs
from rl_envs.inspection.finding import Fact, Finding
from rl_envs.inspection.inspection import Inspection, exact_values, inspect_env
from rl_envs.registry import WORLDS
from rl_envs.worlds.observation import Index

HERE = "faulty_environments.py"


def line_of(kind: type, text: str) -> int:
    """The line of this text inside a class of faulty_environments.py, counted here and not by the code under test."""
    lines = (Path(__file__).parent / HERE).read_text().splitlines()
    first = lines.index(f"class {kind.__name__}(Corridor):")
    return next(number for number in range(first, len(lines)) if text in lines[number]) + 1


@dataclass
class Case:
    """An environment, the finding that it must give, and what it must say."""

    kind: type
    key: str
    severity: str
    says: str
    cost: float | None = None
    line: str | None = None  # a text on the line that the finding must name
    settings: dict[str, Any] | None = None


def uniform_in_the_corridor() -> float:
    """The value of uniform play from cell 1 of 5: a linear system over the cells that are not the goal."""
    p = (np.eye(4, k=1) + np.eye(4, k=-1)) / 2
    p[0, 0] = 0.5  # the wall at the left
    return float(np.linalg.solve(np.eye(4) - 0.99 * p, [0, 0, 0, 0.5])[1])


# Costs are worked out by hand, at discount 0.99 unless the settings say otherwise. In the corridor of 5 cells the goal
# is worth 0.99^(steps - 1): 0.99^2 from cell 1, 0.99^3 from cell 0.
CASES = [
    Case(faulty.Pit, "trap", "warning", r"1 state of 4 can never end.*seen as 0", 0.99**2),
    Case(faulty.Closed, "no_reward", "fault", "Every reward is 0", 0.0),
    Case(faulty.Silent, "no_reward", "fault", "Every reward is 0", 0.0),
    Case(faulty.WrongWay, "goal_unreachable", "warning", "in which 0.5 of all episodes start", 1.0),
    # 2^0 + ... + 2^29: the expected number of tosses until 29 heads in a row, plus ones: 2 (2^29 - 1).
    Case(faulty.Far, "goal_never_seen", "warning", r"takes 1,073,741,822 steps"),
    Case(faulty.Hasty, "goal_beyond_time_limit", "fault", "within the time limit of 5 steps", 0.99**7),
    Case(faulty.OneWay, "dead_end", "note", r"From 1 state of 5", 0.99**3),
    Case(faulty.Deaf, "no_choice_matters", "warning", "Every action is optimal", 0.0),
    Case(
        faulty.Impatient,
        "ending_early_pays",
        "fault",
        r"In 4 states of 10, in which 1 of all.*worth -1 at discount 1, playing on at best -8",
        7.0,
        settings={"discount": 1.0},
    ),
    Case(faulty.Slippery, "ending_early_pays", "fault", "although the goal"),
    Case(
        faulty.Boat,
        "loop_pays_for_ever",
        "fault",
        "again and again from .* pays about 0.5 a round",
        0.5 / (1 - 0.99**2) - (0.5 + 0.99**2),
    ),
    Case(
        faulty.Sulking,
        "doing_nothing_is_optimal",
        "warning",
        r"action 2.*score of 1.000 of 1, and so no score",
    ),
    # A deterministic policy that does not see the coin is right for one side of it; uniform play gets there in the end.
    Case(
        faulty.Coin,
        "hidden_state",
        "warning",
        r"Attribute Coin.swapped is False in one and True.*that was found is worth 0.49.*the uniform one 0.8",
        0.99**2 - uniform_in_the_corridor(),
    ),
    Case(faulty.Colour, "hidden_state", "note", r"Colour.bonus is 0.0 in one and 1.0 .* costs nothing", 0.0),
    Case(faulty.Fading, "reward_depends_on_time", "note", "depends on steps, which counts", line="self.steps >= 20"),
    Case(faulty.Counting, "counter_terminates", "fault", "ends it after 30", 0.99, line="self.elapsed >= 30"),
    Case(faulty.Paying, "steps_after_the_end", "note", r"step\(\) after the end of an episode still pays 1:"),
    Case(faulty.SharedDice, "global_random", "fault", "module random", 0.0, line="random.random()"),
    Case(faulty.OwnDice, "own_generator", "fault", "of its own, dice", 0.0, line="self.dice = "),
    Case(faulty.Unseeded, "seed_ignored", "fault", r"does not seed self.np_random", 0.0, line="def reset"),
    Case(faulty.Keeping, "reset_keeps", "fault", "door is first False and later True", 1.0, line="def reset"),
    Case(faulty.Elsewhere, "seed_does_not_repeat", "fault", "a class attribute"),
    Case(faulty.Buffer, "observation_changes_later", "fault", r"became \[\d\]", line="return self.at, reward"),
    Case(faulty.Infinite, "reward_not_finite", "fault", "returned -inf", math.inf, line="return cell, float"),
    Case(faulty.Textual, "reward_not_a_number", "fault", r"returned 1 \(str\)", line='"1"'),
    Case(faulty.Outside, "observation_outside_space", "fault", r"Discrete\(4\), after \d+ steps: 4"),
    Case(faulty.Table, "table_differs", "fault", "where P has state 4 with reward 2"),
    Case(faulty.Old, "check_env", "fault", "`options`", line="def reset"),
    Case(faulty.Broken, "step_fails", "fault", "RuntimeError: the engine is out of fuel", line="raise RuntimeError"),
    Case(faulty.Ancient, "reset_fails", "fault", "unexpected keyword argument 'seed'"),
    Case(
        faulty.Four,
        "step_fails",
        "fault",
        "not observation, reward, terminated, truncated and info",
        line="return cell",
    ),
    Case(faulty.Inert, "no_action_space", "fault", "has no action_space", line="def __init__"),
    Case(faulty.Blind, "no_observation_space", "fault", "has no observation_space", line="def __init__"),
    Case(faulty.Unready, "reset_fails", "fault", "FileNotFoundError: level.txt", line="raise FileNotFoundError"),
]

# What these faults bring along, by the key of the fault: a second finding that is right, too.
BESIDE = {
    "goal_unreachable": {"trap", "no_time_limit"},
    "goal_never_seen": {"no_time_limit"},
    "trap": {"no_time_limit"},
    "goal_beyond_time_limit": set(),
}


def inspected(kind: type, settings: dict[str, Any] | None = None) -> Inspection:
    env = gym.wrappers.TimeLimit(kind(), 5) if kind is faulty.Hasty else kind()
    return inspect_env(env, **{"max_states": 2_000, "check_steps": 500, "max_seconds": 300, **(settings or {})})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind.__name__)
def test_a_fault_is_found_named_and_measured(case: Case) -> None:
    inspection = inspected(case.kind, case.settings)
    finding = inspection.found(case.key)
    assert finding is not None, [one.key for one in inspection.findings]
    assert finding.severity == case.severity
    assert re.search(case.says, finding.what), finding.what
    assert finding.change
    if case.cost is not None:
        assert finding.cost == pytest.approx(case.cost, abs=1e-9)
        assert finding.cost_of
    if case.line is not None:
        assert finding.where == f"{HERE}:{line_of(case.kind, case.line)}"
    # Nothing else is found but what the fault brings along, and what every corridor does after its end.
    others = {one.key for one in inspection.findings} - {case.key, "steps_after_the_end"}
    assert others <= BESIDE.get(case.key, set())


ADVICE = {
    faulty.Broken: r"^Fix the exception at faulty_environments.py:\d+\.$",
    faulty.Ancient: r"^Declare def reset\(self, \*, seed=None, options=None\)",
    faulty.Four: r"^Let step\(\) return observation, reward, terminated, truncated and info\.$",
}


@pytest.mark.parametrize("kind", ADVICE, ids=lambda kind: kind.__name__)
def test_a_failure_is_advised_as_it_needs(kind: type) -> None:
    assert re.search(ADVICE[kind], inspected(kind).findings[0].change)


def test_an_environment_without_a_fault_has_none() -> None:
    for kind in (faulty.Corridor, faulty.Strict):
        inspection = inspected(kind)
        assert inspection.verdict == "clean"
        assert {one.key for one in inspection.findings} <= {"steps_after_the_end"}
    assert inspection.findings == ()  # Strict refuses a step after the end


def test_a_time_limit_that_is_reported_as_one_is_no_fault() -> None:
    class Timed(faulty.Counting):
        def step(self, action):
            cell, reward, terminated, _, info = super().step(action)
            home = cell == self.size - 1
            return cell, reward, home, terminated and not home, info

    inspection = inspected(Timed)
    assert inspection.found("counter_terminates") is None
    assert inspection.fact("time_limit") == 30


def test_a_loop_that_does_not_pay_yet_is_warned_of() -> None:
    """At discount 0.5 going round is worth 0.5 / 0.75 = 0.667, finishing 0.5 + 0.25 = 0.75."""
    finding = inspected(faulty.Boat, {"discount": 0.5}).found("loop_pays_for_ever")
    assert finding is not None
    assert finding.severity == "warning"
    assert "with a discount nearer to 1 it is not" in finding.what


def test_a_carried_table_that_no_step_shows_to_be_wrong_is_found_by_its_optimum() -> None:
    """From FrozenLake's start, a table whose last step pays 0.9 with probability 1: a sample may never come there."""

    class Rare(gym.Env):
        def __init__(self):
            self.observation_space = gym.spaces.Discrete(15)
            self.action_space = gym.spaces.Discrete(2)
            self.initial_state_distrib = np.eye(15)[0]
            # Only 14 times action 1 in a row come to the end; the table promises 2, and step() pays 1.
            self.P = {
                s: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, s + 1, 2.0 * (s == 13), s == 13)]}
                if s < 14
                else {a: [(1.0, s, 0.0, True)] for a in range(2)}
                for s in range(15)
            }

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.s = 0
            return 0, {}

        def step(self, action):
            self.s = self.s + 1 if action == 1 else 0
            return self.s, float(self.s == 14), self.s == 14, False, {}

    finding = inspected(Rare).found("table_differs")
    assert finding is not None
    assert finding.cost == pytest.approx(0.99**13)


def test_a_threshold_that_nobody_reaches_and_one_that_chance_reaches() -> None:
    """Taxi's is 8, but its best policy has 7.93: +20 - 12.07 steps on average, over all 300 starts."""
    inspection = inspect_env("Taxi-v4" if "Taxi-v4" in gym.registry else "Taxi-v3", check_steps=500, max_seconds=300)
    finding = inspection.found("threshold_out_of_reach")
    assert finding is not None
    assert finding.cost == pytest.approx(0.07)
    assert [one.key for one in inspection.findings if one.severity != "note"] == ["threshold_out_of_reach"]
    gym.register("tests/Easy-v0", lambda: faulty.Corridor(), max_episode_steps=200, reward_threshold=0.1)
    try:
        finding = inspect_env("tests/Easy-v0", check_steps=500).found("threshold_met_by_chance")
    finally:
        del gym.registry["tests/Easy-v0"]
    assert finding is not None
    assert "between" in finding.change


# What is no fault ----------------------------------------------------------------------------------------------------

TOY_TEXT = {
    "FrozenLake-v1": set(),
    "FrozenLake-v1:is_slippery=false": set(),
    "FrozenLake8x8-v1": set(),
    "CliffWalking-v1:is_slippery=true": {"no_time_limit"},
    "CliffWalking-v1": {"no_time_limit"},
    "Taxi-v4:is_rainy=true": {"threshold_out_of_reach"},
    # The flag that says whether the passenger is fickle is in no observation, and in no table P.
    "Taxi-v4:fickle_passenger=true": {"hidden_state", "table_incomplete"},
    "Taxi-v4:is_rainy=true,fickle_passenger=true": {"hidden_state", "table_incomplete", "threshold_out_of_reach"},
}

# These take some seconds each.
SLOW = [name for name in TOY_TEXT if "fickle" in name] + [
    "RandomWalk",
    "RobotGrasp",
    "RobotGraspMulti",
    "RobotGraspJoint",
]


def names(all_names: Any) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.proofs) if name in SLOW else name for name in all_names]


@pytest.mark.parametrize("name", names(TOY_TEXT))
def test_gymnasiums_own_environments_have_no_finding_that_is_wrong(name: str) -> None:
    inspection = inspect_env(name, check_steps=500, max_seconds=300)
    assert inspection.reason is None
    assert {one.key for one in inspection.findings} - {"steps_after_the_end"} == TOY_TEXT[name]


def test_blackjack_is_told_why_it_has_no_table_and_keeps_the_contract() -> None:
    inspection = inspect_env("Blackjack-v1", max_branches=2_000, check_steps=500)
    if inspection.reason is not None:
        assert "max_branches" in inspection.reason
    assert {one.severity for one in inspection.findings} <= {"note"}


def test_physics_has_no_table_and_keeps_the_contract() -> None:
    """CartPole warns of a step after the end; what check_env says of its bounds is a recommendation."""
    inspection = inspect_env("CartPole-v1", check_steps=100)
    assert inspection.reason is not None
    assert "cartpole.py:" in inspection.reason
    assert inspection.verdict == "not walked"
    assert {(one.key, one.severity) for one in inspection.findings} == {("check_env", "note")}
    assert {one.change for one in inspection.findings} == {"Nothing, if the quantity has no bound."}


OURS = {"LineBalance": {"ending_early_pays", "doing_nothing_is_optimal"}, "BanditTestbed": {"hidden_state"}}


@pytest.mark.parametrize("name", names(WORLDS))
def test_our_own_worlds_have_the_findings_that_their_pages_tell_of(name: str) -> None:
    inspection = inspect_env(name)
    assert {one.key for one in inspection.findings} == OURS.get(name, set())
    assert inspection.fact("optimal_value") == pytest.approx(rl_envs.truth(name).optimal_value)


def test_line_balance_shows_what_ending_early_earns() -> None:
    """The world's page: at 4 walking off is worth -5, and walking back -5.8025 at discount 0.95."""
    finding = inspect_env("LineBalance").found("ending_early_pays")
    assert finding is not None
    assert finding.cost == pytest.approx(0.8025)
    assert finding.severity == "warning"
    # Where only some episodes start there, to give those up may be meant.
    sometimes = inspect_env("LineBalance:start=uniform").found("ending_early_pays")
    assert sometimes is not None
    assert sometimes.severity == "warning"


def test_a_step_after_the_end_is_not_judged_by_a_reward_that_is_no_number() -> None:
    inspection = inspected(faulty.Textual)
    assert inspection.found("reward_not_a_number") is not None
    assert inspection.found("steps_after_the_end") is None
    note = inspected(faulty.Corridor).found("steps_after_the_end")
    assert note is not None
    assert note.cost is None


def test_a_start_from_which_no_goal_can_be_reached_is_a_fault() -> None:
    """State 0 pays nothing and leads nowhere; the goal is beyond state 1, in which no episode starts."""
    mdp = rl_envs.tabulate(
        lambda s, a: [(1.0, 2, float(s == 1), True)] if a else [(1.0, s, -0.1, s == 2)],
        num_states=3,
        num_actions=2,
        start=[1.0, 0.0, 0.0],
        discount=0.9,
    )
    world = rl_envs.build("LineWalk")
    goals = np.array([False, False, True])
    table = replace(
        world, mdp=mdp, goal_states=None, action_names=("stay", "go"), observation=Index(3), keys={}, layout=None
    )
    inspection = inspect_env(table)
    assert inspection.untried is not None
    assert "a World has no steps of its own".casefold() in str(inspection).casefold()
    assert inspection.fact("goal") == "the episode ends with the highest reward for ending"
    # With a goal of its own that the start does not lead to, no state does.
    assert inspect_env(replace(table, goal_states=~goals)).fact("goal") == "none"


# What is not walked --------------------------------------------------------------------------------------------------

NOT_WALKED = {
    faulty.Continuous: r"at most max_states=2,000 states.*Continuous.x",
    faulty.Normal: r"a normal number drawn at faulty_environments.py:\d+ is kept in Normal.drift",
    faulty.TwoKinds: r"the first state is shown as \[1\] \(int64\) and as \[1.0\] \(float32\): reset\(\) and step",
    faulty.Rejecting: r"at most max_branches=2,000 ways",
    faulty.Growing: r"Growing.past \(\d+",
    faulty.Broken: r"step\(\) must not fail",
    faulty.Unready: r"reset\(\) must not fail",
    faulty.Inert: r"must have an action_space, but Inert has none: set self.action_space in __init__\(\)",
    faulty.Blind: r"must have an observation_space, but Blind has none: set self.observation_space",
}


@pytest.mark.parametrize("kind", NOT_WALKED, ids=lambda kind: kind.__name__)
def test_what_cannot_be_walked_is_told_why_and_left_as_it_was(kind: type) -> None:
    env = kind()
    if kind is not faulty.Unready:
        env.reset(seed=3)
    before = dict(env.__dict__)
    state = None if env._np_random is None else repr(env._np_random.bit_generator.state)
    shared = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    began = time.process_time()
    inspection = inspect_env(env, max_states=2_000, max_branches=2_000, check_steps=500)
    assert time.process_time() - began < 10
    assert inspection.reason is not None
    assert re.search(NOT_WALKED[kind], inspection.reason), inspection.reason
    assert inspection.facts == ()
    assert inspection.verdict in ("not walked", "fault", "warning")
    assert str(inspection).splitlines()[0].endswith("no exact table")
    assert env.__dict__.keys() == before.keys()
    assert all(env.__dict__[name] is value for name, value in before.items())
    assert state == (None if env._np_random is None else repr(env._np_random.bit_generator.state))
    assert (random.getstate(), np.random.get_state()[1].tolist()) == shared  # noqa: NPY002


def test_an_environment_that_was_walked_is_left_as_it_was_too() -> None:
    env = faulty.Keeping()
    env.reset(seed=3)
    env.action_space.seed(7)
    before, drawn = dict(env.__dict__), repr(env.action_space.np_random.bit_generator.state)
    inspect_env(env, check_steps=200)
    assert all(env.__dict__[name] is value for name, value in before.items())
    assert env.__dict__.keys() == before.keys()
    assert repr(env.action_space.np_random.bit_generator.state) == drawn
    assert env.door is False


def test_what_cannot_be_copied_is_asked_for_a_function_that_makes_it() -> None:
    env = faulty.Generating()
    env.reset(seed=0)
    inspection = inspect_env(env, max_states=500, check_steps=200)
    assert inspection.untried is not None
    assert "inspect_env(make_env)" in inspection.untried
    assert inspection.verdict == "not walked"
    assert inspect_env(faulty.Generating, max_states=500, check_steps=200).untried is None


def test_a_rejection_loop_with_few_branches_is_walked_up_to_what_is_left_out() -> None:
    class Seldom(faulty.Corridor):
        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            while True:
                self.cell = int(self.np_random.integers(5))
                if self.cell < 4:
                    return self.cell, {}

    inspection = inspected(Seldom, {"skip_below": 1e-4})
    assert inspection.reason is None
    assert "to" in inspection.fact("optimum_interval")


def test_a_walk_that_takes_too_long_is_ended() -> None:
    inspection = inspect_env(faulty.Growing(), max_seconds=0.2, max_states=10**6)
    assert inspection.reason is not None
    assert "must end within 0.2 seconds" in inspection.reason


# Input ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "arguments", "error", "message"),
    [
        (3, {}, TypeError, "takes a name, an id, an environment, a function that makes one or a World, not 3"),
        (lambda: 3, {}, TypeError, "must make a gymnasium.Env, but makes 3"),
        ("LineWolk", {}, ValueError, "Did you mean 'LineWalk'"),
        ("LineWalk", {"sise": 3}, TypeError, "sise"),
        ("LineWalk", {"discount": 2}, ValueError, r"discount must be in \[0, 1\], but is 2"),
        ("LineWalk", {"max_states": 0}, ValueError, "max_states must be at least 1, but is 0"),
        ("LineWalk", {"max_seconds": 0}, ValueError, "max_seconds must be above 0, but is 0"),
        ("FrozenLake-v1", {"clock": "ticking"}, ValueError, "clock must be one of layers, stopped or None"),
        ("FrozenLake-v1", {"ignore": "colour"}, ValueError, "it has no 'colour'"),
        (faulty.Corridor(), {"size": 3}, TypeError, "arguments are for a name or an id, but got size"),
        (rl_envs.build("LineWalk"), {"size": 3}, TypeError, "arguments are for a name or an id, but got size"),
    ],
)
def test_bad_input_is_refused(environment: Any, arguments: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        inspect_env(environment, **arguments)


def test_a_vector_of_environments_is_refused() -> None:
    with pytest.raises(TypeError, match="takes one environment, not a vector"):
        inspect_env(gym.make_vec("FrozenLake-v1", num_envs=2, vectorization_mode="sync"))


def test_discount_1_without_an_optimum_asks_for_another() -> None:
    inspection = inspect_env("RandomMDP", discount=1.0)
    assert inspection.reason is not None
    assert "pass a discount below 1" in inspection.reason


def test_a_finding_of_an_unknown_severity_or_section_is_refused() -> None:
    with pytest.raises(ValueError, match="severity must be one of fault, warning, note, but is 'bad'"):
        Finding("key", "bad", "size", "", "")
    with pytest.raises(ValueError, match=r"section must be one of .*, but is 'looks'"):
        Finding("key", "note", "looks", "", "")
    assert Fact("key", "size", "label", None).value is None


def test_the_facts_are_those_of_truth() -> None:
    inspection = exact_values("FrozenLake-v1", check_steps=200)
    assert inspection.findings == ()
    answers = rl_envs.truth("FrozenLake-v1", discount=0.99)
    assert inspection.fact("optimal_value") == pytest.approx(answers.optimal_value)
    assert inspection.fact("random_value") == pytest.approx(answers.random_value)
    assert inspection.fact("best_return") == pytest.approx(answers.optimal_episode_return(horizon=100))
    assert inspection.fact("reward_threshold") == 0.7
    with pytest.raises(KeyError, match="no fact 'colour'; there are: states"):
        inspection.fact("colour")
