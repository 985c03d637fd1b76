"""The confusion matrix of `rl_envs.diagnose`: every planted bug, every agent without one.

Each exam is one trial; what is repeated has other seeds. `make proofs` writes `docs/diagnose-matrix.md`, which has
every count with its interval. The bars: nine in ten planted bugs that leave a trace are named, and no correct agent is
accused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch

import rl_envs
from tests.diagnosis.planted.table import CORRECT, NO_TRACE, PLANTED, Train
from tests.diagnosis.tutorial import actor_critic, dqn, q_learning
from tests.proofs.diagnose_matrix import Case

pytestmark = pytest.mark.proofs

# Exams with other seeds of agents without a bug that learn in tables; all others are examined once.
IN_TABLES = 5
NETWORKS = ("dqn", "double_dqn", "two_step_dqn", "a2c", "ppo", "shipped DQN", "shipped ActorCritic")
# The four that a first user tried, which no score had shown.
FOUR = ("terminal_not_masked", "timeout_as_terminal", "stale_observation", "target_not_detached")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def with_other_seeds(train: Train, repeat: int) -> Train:
    """The same function with seeds of its own for each repetition."""
    return lambda env_fn, steps, seed: train(env_fn, steps, seed + 1_000 * repeat)


def policy_alone(train: Train) -> Train:
    """The same function, giving back a function of observations and no values."""

    def trained(env_fn: Any, steps: int, seed: int) -> Callable[[Any], np.ndarray]:
        policy = train(env_fn, steps, seed)
        return lambda observations: policy(observations)

    return trained


def examine(
    record: Any, train: Train, agent: str, key: str = "", *, depth: str = "values", traceless: bool = False
) -> Case:
    """One exam, recorded for the page."""
    # What is wrong with arrays can only be seen where observations are arrays.
    settings = {"observation": "one_hot"} if key == "observation_aliased" else {}
    found = rl_envs.diagnose(train, **settings)
    faults = [finding.keys for finding in found.findings if finding.fault]
    case = Case(agent, key, depth, traceless, found.verdict, faults[0] if faults else (), found.seconds)
    record("diagnose", asdict(case))
    print(f"{agent} {key} {depth}: {case.said} {case.named}, {found.seconds:.0f} s")
    return case


@pytest.mark.parametrize("agent", CORRECT)
def test_most_planted_bugs_are_named(agent: str, record_property: Any) -> None:
    cases = [examine(record_property, train, agent, key) for (whose, key), train in PLANTED.items() if whose == agent]
    assert np.mean([case.among for case in cases]) >= 0.9


@pytest.mark.parametrize("key", FOUR)
def test_a_policy_alone_tells_the_four_bugs_of_a_single_file_dqn(key: str, record_property: Any) -> None:
    assert examine(record_property, policy_alone(PLANTED["dqn", key]), "dqn", key, depth="policy").among


@pytest.mark.parametrize(("agent", "key"), NO_TRACE)
def test_what_leaves_no_trace_is_not_named_something_else(agent: str, key: str, record_property: Any) -> None:
    assert examine(record_property, NO_TRACE[agent, key], agent, key, traceless=True).verdict != "wrong"


@pytest.mark.parametrize("agent", CORRECT)
def test_a_correct_agent_is_not_accused(agent: str, record_property: Any) -> None:
    for repeat in range(1 if agent in NETWORKS else IN_TABLES):
        case = examine(record_property, with_other_seeds(CORRECT[agent], repeat), agent)
        assert case.verdict != "wrong"


@pytest.mark.parametrize("agent", ["dqn", "a2c"])
def test_a_correct_agent_of_which_only_the_policy_is_known_is_not_accused(agent: str, record_property: Any) -> None:
    assert examine(record_property, policy_alone(CORRECT[agent]), f"{agent}, policy alone").verdict != "wrong"


def sb3(name: str, **settings: Any) -> Train:
    """An agent of Stable-Baselines3 as its documentation trains it."""

    def train(env_fn: Any, steps: int, seed: int) -> Any:
        import stable_baselines3

        model = getattr(stable_baselines3, name)(
            "MlpPolicy", env_fn(), gamma=env_fn.discount, seed=seed, device="cpu", **settings
        )
        return model.learn(steps)

    return train


# Their defaults are for a million steps; these learn in three thousand.
SB3 = {
    "SB3 DQN": sb3(
        "DQN",
        learning_rate=2e-3,
        learning_starts=100,
        train_freq=2,
        target_update_interval=100,
        exploration_fraction=0.5,
    ),
    "SB3 A2C": sb3("A2C", learning_rate=5e-3),
    "SB3 PPO": sb3("PPO", learning_rate=2e-3, n_steps=64),
    "SB3 DQN, defaults": sb3("DQN"),
    "SB3 A2C, defaults": sb3("A2C"),
    "SB3 PPO, defaults": sb3("PPO"),
}


@pytest.mark.parametrize("repeat", range(10))
@pytest.mark.parametrize("agent", SB3)
def test_stable_baselines3_is_not_accused(agent: str, repeat: int, record_property: Any) -> None:
    case = examine(record_property, with_other_seeds(SB3[agent], repeat), agent)
    # With its defaults DQN copies its target network every 10,000 steps, so within the exam it never does.
    assert case.verdict != "wrong" or (agent == "SB3 DQN, defaults" and "target_never_synced" in case.named)


@pytest.mark.parametrize(
    ("train", "key"),
    [
        (q_learning.train, "terminal_not_masked"),
        (dqn.train, "target_never_synced"),
        (actor_critic.train, "target_not_detached"),
    ],
    ids=["Q-learning", "DQN", "actor-critic"],
)
def test_the_tutorials_agents_are_named(train: Train, key: str, record_property: Any) -> None:
    agent = f"tutorial {train.__module__.rpartition('.')[2]}"
    assert examine(record_property, train, agent, key).among
