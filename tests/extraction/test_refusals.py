"""Environments that have no finite table: each is refused within seconds, with the line or attribute."""

import random
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

sys.path.insert(0, str(Path(__file__).parent))
import small_environments as small

from rl_envs import tabulate_env, truth
from rl_envs.extraction.refusal import NotTabular

REFUSED = {
    small.ContinuousState: r"a normal number drawn at small_environments.py:\d+ is kept in ContinuousState.cell",
    small.UniformState: r"a uniform number drawn at small_environments.py:\d+ is kept in UniformState.position",
    small.NoisyObservation: r"a function of the state, but a uniform number drawn at small_env\S+:\d+ is shown",
    small.GlobalRandom: r"from the generator of the module random, which the whole process shares at small_env\S+:\d+",
    small.GlobalNumpy: r"from the generator of the module np.random, which the whole process shares at small_e\S+:\d+",
    small.NewGenerator: r"NewGenerator.rng is a random generator that reset\(\) makes anew",
    small.Growing: r"at most max_states=500 states.*Growing.past \(\d+ values",
    small.Unhashable: r"Unhashable.counter holds a generator, whose place is hidden",
    small.Failing: r"step\(\) must not fail, but action \d in the .*raises RuntimeError: the engine is out of fuel",
    small.NoFive: r"step\(\) must return observation, reward, terminated, truncated and info, but returned \(0, 0.0, F",
    small.Truncating: r"must be truncated by a count of steps, but action \d in the .*state",
    small.ModuleState: r"every real step must be possible in the table|one law of outcomes|something outside",
}


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_an_environment_without_a_finite_table_is_refused_and_left_as_it_was(kind: type) -> None:
    env = kind()
    env.reset(seed=1)
    before = dict(env.__dict__)
    shared = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    began = time.process_time()
    with pytest.raises(NotTabular, match=REFUSED[kind]):
        tabulate_env(env, max_states=500, check_steps=1_000)
    assert time.process_time() - began < 10
    assert env.__dict__.keys() == before.keys()
    assert all(env.__dict__[name] is value for name, value in before.items())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == shared  # noqa: NPY002


def test_what_is_no_environment_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes a Gymnasium environment or its id, not 3"):
        tabulate_env(3)  # type: ignore[arg-type]


class Steering(small.Line):
    """Actions are real numbers."""

    def __init__(self):
        super().__init__()
        self.action_space = spaces.Box(-1, 1, (1,))


def test_actions_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(TypeError, match=r"must be Discrete or MultiDiscrete to be counted, but those of Steering"):
        tabulate_env(Steering())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"clock": "ticking"}, ValueError, "clock must be one of layers, stopped or None, but is 'ticking'"),
        ({"observation": "all"}, ValueError, 'observation must be "own" or "index", but is \'all\''),
        ({"ignore": "colour"}, ValueError, "ignore must name attributes of the environment, but it has no 'colour'"),
        ({"state": ("colour",)}, ValueError, "state must name attributes of the environment, but it has no 'colour'"),
        ({"state": (3,)}, TypeError, r"state must be a function, names of attributes or 'observation', but is \(3,\)"),
        ({"discount": 2}, ValueError, r"discount must be in \[0, 1\], but is 2"),
        ({"max_states": 0}, ValueError, "max_states must be at least 1, but is 0"),
        ({"max_branches": 0}, ValueError, "max_branches must be at least 1, but is 0"),
        ({"skip_below": -1}, ValueError, r"skip_below must be in \[0, 1\], but is -1"),
        ({"check_steps": -1}, ValueError, "check_steps must be at least 0, but is -1"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        tabulate_env(small.Line(), **arguments)


class PythonsOwn(small.Line):
    """Draws from a generator of Python's, its own."""

    def __init__(self):
        super().__init__()
        self.rng = random.Random(0)

    def move(self, action):
        way = (1 if action else -1) * self.rng.choices([1, -1], weights=[9, 1])[0]
        self.cell = min(max(self.cell + way, 0), 4)


def test_a_generator_of_pythons_is_walked_where_it_is_the_environments_own() -> None:
    plain, own = tabulate_env(small.Line(), check_steps=0), tabulate_env(PythonsOwn(), check_steps=2_000)
    assert truth(own).v_star[0] == pytest.approx(truth(plain).v_star[0])
    assert own.account.proof is not None
    assert own.account.proof.p_value > 1e-4


class Tampered(gym.Wrapper):
    """Its steps depend on the time of day."""

    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward + float(time.perf_counter() % 1 > 0.5), terminated, truncated, info


def test_what_depends_on_the_time_of_day_is_noticed() -> None:
    with pytest.raises(NotTabular, match=r"must be possible in the table|one law of outcomes|depend on how long"):
        tabulate_env(Tampered(small.Line()), check_steps=200_000)
