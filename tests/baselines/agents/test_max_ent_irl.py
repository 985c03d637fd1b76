"""Maximum causal entropy inverse RL: exact gradients, policies that match, and what they earn under the true reward."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.agents.max_ent_irl import MaxEntIRL, MaxEntIRLConfig
from baselines.learning import maximum_entropy
from baselines.learning.maximum_entropy import (
    Likelihood,
    expected_visits,
    explain,
    log_sum_exp,
    soft_policy,
    soft_values,
    unexplained_visits,
)
from baselines.training.demonstrations import demonstrations
from baselines.training.loop import train
from baselines.training.task import make_task
from rl_envs.mdp.bellman import Dynamics
from rl_envs.mdp.evaluation import occupancy
from rl_envs.registry import build

# Worlds with and without an end, with and without chance.
WORLDS = {
    "ends": build("LineWalk"),
    "ends, with slip": build("LineWalk", slip=0.1),
    "never ends": build("RandomMDP"),
    "traps": build("LineBalance"),
}
REWARDS = ("state_action", "state", "features")


def soft_demonstrator(agent: MaxEntIRL, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Somebody who follows a random reward of the agent's own kind softly: his policy, and his exact visits."""
    theta = np.random.default_rng(seed).normal(size=agent.features.shape[1])
    reward = (agent.features @ theta).reshape(agent.visits.shape[1:])
    dynamics = replace(Dynamics.of(agent.mdp), reward=reward)
    policy = soft_policy(soft_values(dynamics, agent.task.discount))
    return policy, occupancy(agent.mdp, policy)


@pytest.mark.parametrize("world", WORLDS)
def test_soft_values_agree_with_sweeps_of_soft_value_iteration(world: str) -> None:
    mdp = WORLDS[world].mdp
    dynamics = Dynamics.of(mdp)
    v = np.zeros(mdp.num_states)
    for _ in range(800):  # 0.95^800 is 1e-18
        v = log_sum_exp(dynamics.action_values(v, mdp.discount))
    np.testing.assert_allclose(soft_values(dynamics, mdp.discount), dynamics.action_values(v, mdp.discount), atol=1e-9)


def test_soft_values_by_hand() -> None:
    # One state, two actions, rewards 0 and log 3, discount 1/2: v = log(1 + 3) + v / 2, so v = 2 log 4.
    dynamics = Dynamics(p=np.ones((2, 1)), reward=np.array([[0.0, np.log(3)]]), ends=np.zeros((1, 2), dtype=bool))
    q = soft_values(dynamics, 0.5)
    np.testing.assert_allclose(q, [[np.log(4), np.log(3) + np.log(4)]], rtol=1e-12)
    np.testing.assert_allclose(soft_policy(q), [[0.25, 0.75]], rtol=1e-12)


def test_large_rewards_do_not_overflow() -> None:
    dynamics = replace(Dynamics.of(WORLDS["never ends"].mdp), reward=np.array([[1e5, 0.0, -1e5]] * 5))
    q = soft_values(dynamics, 0.95)
    np.testing.assert_allclose(soft_policy(q)[:, 0], 1.0)
    np.testing.assert_allclose(log_sum_exp(q), 1e5 / 0.05, rtol=1e-9)


def test_entropy_for_ever_is_refused() -> None:
    with pytest.raises(ValueError, match="soft values need a discount below 1, but it is 1"):
        soft_values(Dynamics.of(WORLDS["ends"].mdp), 1.0)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_the_gradient_is_that_of_finite_differences(world: str, reward: str) -> None:
    agent = MaxEntIRL(WORLDS[world], config=MaxEntIRLConfig(reward=reward))
    generator = np.random.default_rng(1)
    visits = generator.random(agent.visits.shape[1:])  # of no policy at all: it holds for any
    likelihood = Likelihood(Dynamics.of(agent.mdp), agent.task.discount, agent.features, visits, penalty=0.3)
    theta = generator.normal(size=agent.features.shape[1])
    _, gradient = likelihood.value_and_gradient(theta)
    steps = 1e-5 * np.eye(len(theta))
    differences = [
        (likelihood.value_and_gradient(theta + step)[0] - likelihood.value_and_gradient(theta - step)[0]) / 2e-5
        for step in steps
    ]
    np.testing.assert_allclose(gradient, differences, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("world", WORLDS)
def test_with_exact_visits_the_gradient_is_demonstrator_minus_model_visitation(world: str) -> None:
    agent = MaxEntIRL(WORLDS[world])
    mdp, dynamics = agent.mdp, Dynamics.of(agent.mdp)
    visits = occupancy(mdp, agent.task.truth.optimal_policy)
    np.testing.assert_allclose(unexplained_visits(dynamics, visits, mdp.discount), mdp.start, atol=1e-12)
    likelihood = Likelihood(dynamics, mdp.discount, agent.features, visits, penalty=0.0)
    theta = np.random.default_rng(2).normal(size=agent.features.shape[1])
    model = occupancy(mdp, likelihood.policy(theta))
    np.testing.assert_allclose(likelihood.value_and_gradient(theta)[1], (visits - model).ravel(), atol=1e-10)
    np.testing.assert_allclose(
        expected_visits(dynamics, likelihood.policy(theta), mdp.start, mdp.discount), model, atol=1e-10
    )


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("reward", REWARDS)
def test_trained_on_exact_visitation_the_policy_matches(world: str, reward: str) -> None:
    # A tighter tolerance than 3e-7 is out of reach on some processors: the line search compares losses, and these
    # differ by the square of the gradient, which is then below rounding.
    agent = MaxEntIRL(WORLDS[world], config=MaxEntIRLConfig(reward=reward, penalty=0.0, tolerance=3e-7))
    policy, visits = soft_demonstrator(agent)
    agent.visits[0], agent.episodes[0] = visits, 1
    explanation = agent.explanations()[0]
    assert explanation.converged
    assert explanation.feature_gap <= 3e-7
    seen = visits.sum(axis=1) > 0  # elsewhere nothing was ever shown
    assert seen.sum() >= 5
    np.testing.assert_allclose(explanation.policy[seen], policy[seen], atol=1e-3)


def test_a_maximum_instead_of_the_log_sum_exp_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maximum_entropy, "log_sum_exp", lambda q: q.max(axis=1))
    with pytest.raises(AssertionError):
        test_soft_values_by_hand()
    with pytest.raises(AssertionError):
        test_the_gradient_is_that_of_finite_differences("ends", "state")


def test_another_discount_in_the_visits_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = maximum_entropy.expected_visits
    monkeypatch.setattr(maximum_entropy, "expected_visits", lambda d, p, b, discount: right(d, p, b, 0.9 * discount))
    with pytest.raises(AssertionError):
        test_with_exact_visits_the_gradient_is_demonstrator_minus_model_visitation("ends")


def test_the_horizon_is_counted_once() -> None:
    """Visits of episodes cut off after 20 steps match the model's as well as visits without end do."""
    task = make_task("LineBalance")
    mdp, dynamics, discount = task.truth.mdp, Dynamics.of(task.truth.mdp), task.discount
    agent = MaxEntIRL(task, config=MaxEntIRLConfig(penalty=0.0, tolerance=1e-7))
    policy, _ = soft_demonstrator(agent)
    # The exact discounted visits within 20 steps.
    p, _ = dynamics.under_policy(policy)
    now, visits = mdp.start, np.zeros(mdp.num_states)
    for t in range(20):
        visits = visits + discount**t * now
        now = now @ p
    agent.visits[0], agent.episodes[0] = visits[:, None] * policy, 1
    np.testing.assert_allclose(agent.policy()[0][visits > 0], policy[visits > 0], atol=1e-3)
    np.testing.assert_allclose(
        unexplained_visits(dynamics, agent.visits[0], discount), mdp.start - discount**20 * now, atol=1e-12
    )


@pytest.mark.parametrize(
    ("world", "arguments", "reward", "episodes"),
    [
        ("LineWalk", {}, "state", 10),
        ("LineWalk", {}, "features", 10),
        ("LineWalk", {"slip": 0.1}, "state_action", 100),
        ("LineBalance", {}, "state", 10),
        ("RandomMDP", {}, "state_action", 10),
        ("Bandit", {}, "state_action", 1),
        ("SubtaskGrid", {}, "state", 5),
        ("SubtaskGrid", {"slip": 0.1}, "state", 50),
        ("FourRooms", {}, "state", 100),
    ],
)
def test_the_recovered_policy_earns_the_true_reward(world: str, arguments: dict, reward: str, episodes: int) -> None:
    config = MaxEntIRLConfig(reward=reward, penalty=1e-6)
    agent = MaxEntIRL(make_task(world, **arguments), runs=3, seed=0, config=config)
    best = agent.task.truth.optimal_policy
    agent.watch([demonstrations(agent.task, best, episodes, seed=run) for run in range(3)])
    assert (agent.exact_score() >= 0.99).all()
    assert (agent.feature_gap() < 1e-3).all()


def test_it_learns_more_the_more_it_watches() -> None:
    agent = MaxEntIRL(make_task("LineWalk", slip=0.1), runs=10, seed=0)
    curve = train(agent, steps=600, checkpoints=3)
    assert curve.exact
    assert (curve.scores[-1] >= 0.99).mean() >= 0.9
    assert curve.scores[1].mean() <= curve.scores[-1].mean() + 0.005
    np.testing.assert_allclose(agent.visits.sum(axis=(1, 2)) > 0, True)


def test_watching_in_the_loop_counts_as_demonstrations_do() -> None:
    """An episode that ends, by hand: two steps, then a new one; the discount begins anew with it."""
    agent = MaxEntIRL("LineWalk", runs=1)
    for _ in range(7):  # five steps to the end, and two of the next episode
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
    assert agent.episodes[0] == 2
    expected = np.zeros((11, 2))
    expected[5:10, 1] = 0.95 ** np.arange(5)
    expected[5:7, 1] += 0.95 ** np.arange(2)
    np.testing.assert_allclose(agent.visits[0], expected, rtol=1e-12)


def test_rewards_are_never_looked_at() -> None:
    agent, other = (MaxEntIRL("RandomMDP", runs=2, seed=0) for _ in range(2))
    for _ in range(50):
        transition = agent.rollout.step(agent.act(agent.rollout.observation))
        agent.update(transition)
        other.update(replace(transition, reward=np.full(2, np.nan)))
    assert agent.policy().tobytes() == other.policy().tobytes()


def test_a_shaped_reward_is_the_same_policy_so_rewards_are_not_compared() -> None:
    agent = MaxEntIRL("RandomMDP")
    dynamics = Dynamics.of(agent.mdp)
    potential = np.random.default_rng(0).normal(size=5)
    shaping = 0.95 * (dynamics.p @ potential).reshape(5, 3) - potential[:, None]
    plain = soft_policy(soft_values(dynamics, 0.95))
    shaped = soft_policy(soft_values(replace(dynamics, reward=dynamics.reward + shaping + 7.0), 0.95))
    np.testing.assert_allclose(plain, shaped, atol=1e-10)


def test_a_run_learns_the_same_whatever_the_others_are() -> None:
    policies = {}
    for runs in (range(2), range(4), range(1, 2)):
        agent = MaxEntIRL("RandomMDP", runs=runs, seed=1, config=MaxEntIRLConfig(slip=0.3))
        train(agent, steps=60, checkpoints=1)
        policies[runs] = agent.policy()[1 - runs.start]
    first, *others = policies.values()
    assert all(np.array_equal(first, other) for other in others)


def test_a_resumed_run_equals_an_unbroken_one(tmp_path) -> None:
    config = MaxEntIRLConfig(slip=0.2, reward="state")
    whole, part = (MaxEntIRL("LineWalk", runs=2, seed=2, config=config) for _ in range(2))
    train(whole, steps=90, checkpoints=1)
    train(part, steps=43, checkpoints=4)
    part.save(tmp_path / "agent.safetensors")
    resumed = MaxEntIRL.load(tmp_path / "agent.safetensors")
    train(resumed, steps=47, checkpoints=1)
    assert whole.visits.tobytes() == resumed.visits.tobytes()
    assert whole.policy().tobytes() == resumed.policy().tobytes()


def test_acting_greedily_draws_from_what_was_learned() -> None:
    agent = MaxEntIRL("LineWalk", runs=400, seed=0)
    agent._explanations = [type("Fixed", (), {"policy": np.tile([0.25, 0.75], (11, 1))})()] * 400
    right = agent.act(np.full(400, 5), greedy=True).mean()
    assert abs(right - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 400)
    np.testing.assert_array_equal(agent.act(np.full(400, 5)), 1)  # the demonstrator walks to the end


def test_without_a_penalty_rewards_of_somebody_who_never_errs_only_grow() -> None:
    agent = MaxEntIRL("Bandit")
    visits = occupancy(agent.mdp, agent.task.truth.optimal_policy)
    sizes = []
    for penalty in (1e-2, 1e-4, 1e-6):
        likelihood = Likelihood(Dynamics.of(agent.mdp), agent.task.discount, agent.features, visits, penalty)
        sizes.append(np.ptp(explain(likelihood).theta))
    assert sizes == sorted(sizes)


def test_worlds_that_it_cannot_take_are_refused() -> None:
    with pytest.raises(TypeError, match=r"MaxEntIRL needs a world with a table.* but CartPole-v1 has none"):
        MaxEntIRL("CartPole-v1")
    with pytest.raises(ValueError, match=r"MaxEntIRL needs a discount below 1.* that of RandomWalk is 1"):
        MaxEntIRL("RandomWalk")


def test_demonstrations_of_another_world_are_refused() -> None:
    agent = MaxEntIRL("LineWalk", runs=2)
    shown = demonstrations("LineWalk", np.ones(11, dtype=int), 1)
    with pytest.raises(ValueError, match="demonstrations for each of 2 runs, but there are 1"):
        agent.watch([shown])
    other = demonstrations(make_task("LineWalk", discount=0.9), np.ones(11, dtype=int), 1)
    with pytest.raises(ValueError, match="must be of LineWalk, but those of run 1 are of another table"):
        agent.watch([shown, other])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"reward": "action"}, "unknown reward 'action'"),
        ({"basis": "tile"}, "unknown basis 'tile'. Did you mean 'tiles'"),
        ({"penalty": -1.0}, "penalty must not be negative, but is -1.0"),
        ({"tolerance": 0.0}, "tolerance must be positive, but is 0.0"),
        ({"slip": 2.0}, r"slip must be in \[0, 1\], but is 2"),
        ({"max_iterations": 0}, "max_iterations must be at least 1, but is 0"),
        ({"order": -1}, "order must be at least 0, but is -1"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaxEntIRLConfig(**setting)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[3] / "examples"
    runpy.run_path(str(folder / "learn_from_demonstrations.py"))["main"]()
    assert "score 0.99" in capsys.readouterr().out
