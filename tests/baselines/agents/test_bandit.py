"""What must hold of every bandit agent, and that the tests of it can fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.agents.bandit import BanditAgent
from baselines.registry import AGENTS, make_agent
from baselines.training import population
from baselines.training.loop import evaluate, score, train
from baselines.training.regret import regret_curve
from baselines.training.task import make_task

ALL = ("EpsilonGreedy", "Softmax", "UCB1", "Thompson", "GradientBandit")
EVERY_WAY = (*ALL, "Thompson:preset=Bernoulli", "EpsilonGreedy:epsilon=0,initial_value=2,step_size=0.1")


def play(agent: BanditAgent, steps: int) -> None:
    for _ in range(steps):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))


def learned(agent: BanditAgent) -> dict[str, np.ndarray]:
    """What the runs have learned, by name, each [R, ...]."""
    about = ("steps", "drawn.", "environment.")
    return {name: array.copy() for name, array in agent.state().items() if not name.startswith(about)}


@pytest.mark.parametrize("name", EVERY_WAY)
@pytest.mark.parametrize(("world", "uniform"), [("Bandit", 640.0), ("BernoulliBandit", 540.0)])
def test_little_is_lost_by_not_knowing_the_best_arm(name: str, world: str, uniform: float) -> None:
    if "Bernoulli" in name and world != "BernoulliBandit":
        name = "Thompson"
    curve = regret_curve(make_agent(name, world, runs=200))
    # The largest mean regrets are those of Softmax and EpsilonGreedy, which explore for ever: 85 at most, with standard
    # errors below 2. That is a sixth of what uniform play loses.
    assert curve.mean[-1] < uniform / 5


@pytest.mark.parametrize("name", ALL)
def test_the_hidden_problem_of_each_run_is_learned(name: str) -> None:
    agent = make_agent(name, "BanditTestbed", runs=300)
    curve = regret_curve(agent, checkpoints=10)
    # Uniform play loses 1,530. The largest mean regret is EpsilonGreedy's, 240 with standard error 8.
    assert curve.mean[-1] < 300
    assert (np.diff(curve.regret, axis=0) >= 0).all()


@pytest.mark.parametrize("name", EVERY_WAY)
def test_runs_do_not_depend_on_their_number(name: str) -> None:
    tables = {}
    for runs in (range(5), range(12), range(3, 4)):
        agent = make_agent(name, "BernoulliBandit", runs=runs, seed=1)
        play(agent, 300)
        tables[runs] = {key: array[3 - runs.start] for key, array in learned(agent).items()}
    first, *others = tables.values()
    for other in others:
        for key, array in first.items():
            np.testing.assert_array_equal(array, other[key], err_msg=key)


@pytest.mark.parametrize("name", ALL)
def test_runs_that_depend_on_their_number_would_be_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_seeds(seed: int, world: str, agent: str, runs: range, purpose: str) -> list[np.random.SeedSequence]:
        return np.random.SeedSequence([seed, len(runs), len(purpose)]).spawn(len(runs))

    monkeypatch.setattr(population, "run_seeds", run_seeds)
    with pytest.raises(AssertionError):
        test_runs_do_not_depend_on_their_number(name)


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(name: str) -> None:
    bytes_of = []
    for seed in (1, 1, 2):
        agent = make_agent(name, "BernoulliBandit", runs=3, seed=seed)
        play(agent, 100)
        bytes_of.append(b"".join(array.tobytes() for array in learned(agent).values()))
    assert bytes_of[0] == bytes_of[1] != bytes_of[2]


@pytest.mark.parametrize("name", EVERY_WAY)
def test_a_resumed_run_equals_an_unbroken_one_byte_for_byte(name: str, tmp_path: Path) -> None:
    unbroken = make_agent(name, "BernoulliBandit", runs=3, seed=4)
    play(unbroken, 1_300)  # beyond the end of an episode
    first = make_agent(name, "BernoulliBandit", runs=3, seed=4)
    play(first, 613)
    first.save(tmp_path / "agent")
    resumed = type(first).load(tmp_path / "agent")
    play(resumed, 687)
    expected, found = unbroken.state(), resumed.state()
    assert expected.keys() == found.keys()
    for key, array in expected.items():
        assert array.tobytes() == found[key].tobytes(), key


@pytest.mark.parametrize("name", ALL)
def test_looking_changes_nothing(name: str) -> None:
    looked_at, left_alone = (make_agent(name, "BernoulliBandit", runs=3) for _ in range(2))
    for agent in (looked_at, left_alone):
        play(agent, 100)
    before = learned(looked_at)
    score(looked_at)
    evaluate(looked_at, episodes=1, max_steps=50)
    for key, array in learned(looked_at).items():
        np.testing.assert_array_equal(array, before[key], err_msg=key)
    for agent in (looked_at, left_alone):
        play(agent, 100)
    for key, array in learned(looked_at).items():
        np.testing.assert_array_equal(array, learned(left_alone)[key], err_msg=key)


@pytest.mark.parametrize("name", ALL)
def test_the_first_pull_is_any_arm_and_so_is_the_first_guess(name: str) -> None:
    agent = make_agent(name, "Bandit", runs=2_000)
    observation = np.zeros(2_000, dtype=np.int64)
    for greedy in (False, True):
        shares = np.bincount(agent.act(observation, greedy=greedy), minlength=5) / 2_000
        np.testing.assert_allclose(shares, 0.2, atol=0.04)  # standard error 0.009
    np.testing.assert_allclose(agent.policy(), 0.2)


@pytest.mark.parametrize("name", ALL)
def test_the_greedy_arm_is_the_one_thought_best_in_every_state(name: str) -> None:
    agent = make_agent(name, make_task("BanditTestbed", num_problems=7), runs=2)
    play(agent, 200)
    best = agent.estimates().argmax(axis=1)
    assert agent.policy().shape == (2, 7, 10)
    np.testing.assert_array_equal(agent.policy().argmax(axis=-1), np.tile(best[:, None], 7))
    np.testing.assert_array_equal(agent.act(np.zeros(2, dtype=np.int64), greedy=True), best)


@pytest.mark.parametrize("name", ALL)
def test_large_rewards_give_no_nan(name: str) -> None:
    # Exponentials of 1,000 overflow; of differences of 1,000 they underflow to 0, which is right.
    agent = make_agent(name, make_task("Bandit", means=(1000.0, -1000.0, 999.0), std=1.0), runs=20)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        play(agent, 200)
    assert all(np.isfinite(array).all() for array in learned(agent).values())
    np.testing.assert_array_equal(agent.pulls.sum(axis=1), 200)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("world", "settings", "different"), [("LineWalk", {}, 11), ("BanditTestbed", {"observation": "index"}, 2000)]
)
def test_a_world_with_more_than_one_observation_is_refused(
    name: str, world: str, settings: dict[str, Any], different: int
) -> None:
    task = make_task(world, **settings)
    with pytest.raises(
        TypeError, match=f"{name} is for bandits, where all observations are the same, but .* has {different}"
    ):
        make_agent(name, task)


def test_a_world_of_others_is_refused_too() -> None:
    with pytest.raises(TypeError, match=r"where all observations are the same, but CartPole-v1 has many: Box"):
        make_agent("UCB1", "CartPole-v1")


@pytest.mark.parametrize("name", ALL)
def test_an_observation_that_is_always_the_same_row_of_numbers_will_do(name: str) -> None:
    agent = make_agent(name, make_task("Bandit", observation="one_hot"), runs=2)
    play(agent, 20)
    np.testing.assert_array_equal(agent.pulls.sum(axis=1), 20)


@pytest.mark.parametrize("name", ALL)
def test_one_arm_is_enough(name: str) -> None:
    agent = make_agent(name, make_task("Bandit", means=(0.5,)), runs=2)
    play(agent, 10)
    np.testing.assert_array_equal(agent.pulls, [[10], [10]])


@pytest.mark.parametrize(
    ("name", "field", "value", "message"),
    [
        ("EpsilonGreedy", "epsilon", 1.5, r"epsilon must be in \[0, 1\], but is 1.5"),
        ("EpsilonGreedy", "epsilon_half_life", 0.0, "epsilon_half_life must be positive, but is 0.0"),
        (
            "EpsilonGreedy",
            "step_size",
            -0.1,
            r"step_size must be in \(0, 1\], or 0 for the mean of all rewards, but is -0.1",
        ),
        ("UCB1", "initial_value", np.nan, "initial_value must be finite, but is nan"),
        ("UCB1", "exploration", -1.0, "exploration must be finite and at least 0, but is -1.0"),
        ("Softmax", "temperature", 0.0, "temperature must be positive and finite, but is 0.0"),
        ("Softmax", "temperature_half_life", -1.0, "temperature_half_life must be positive, but is -1.0"),
        ("GradientBandit", "step_size", 0.0, "step_size must be positive and finite, but is 0.0"),
        ("Thompson", "prior", "cauchy", 'prior must be "gaussian" or "beta", but is \'cauchy\''),
        ("Thompson", "prior_mean", np.inf, "prior_mean must be finite, but is inf"),
        ("Thompson", "prior_std", 0.0, "prior_std must be positive and finite, but is 0.0"),
        ("Thompson", "noise_std", -1.0, "noise_std must be positive and finite, but is -1.0"),
        ("Thompson", "failures", 0.0, "failures must be positive and finite, but is 0.0"),
    ],
)
def test_a_setting_out_of_range_is_refused(name: str, field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(AGENTS.load(name).Config(), **{field: value})


def test_training_as_any_other_agent_scores_the_greedy_arm() -> None:
    agent = make_agent("UCB1", "Bandit", runs=50)
    np.testing.assert_allclose(train(agent, steps=300, checkpoints=1).scores[-1], 1.0, atol=1e-9)
