"""Reinforce: its mean update is the exact policy gradient, and it gets to the exact optimum."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.agents import softmax_policies
from baselines.agents.reinforce import Reinforce, ReinforceConfig
from baselines.agents.softmax_policies import NetworkPolicy, TablePolicy
from baselines.learning.exploration import softmax
from baselines.learning.transition import Transition
from baselines.training.loop import evaluate, score, train
from baselines.training.task import make_task
from rl_envs.mdp.evaluation import action_values, evaluate_policy, occupancy
from rl_envs.mdp.finite_mdp import Outcome
from rl_envs.registry import build
from tests.baselines.checks import small_world
from tests.baselines.short_corridor import BEST_PROBABILITY, BEST_VALUE, going_right, short_corridor

# No time limit, so that every episode ends by the world's rules.
CORRIDOR = replace(build("LineWalk", size=3, slip=0.2, discount=0.8), max_episode_steps=None)

PRECISE = ReinforceConfig(step_size=1.0, baseline=False)
BY_NETWORK = replace(PRECISE, policy="network", hidden=(3,), optimiser="descent")

RUNS = 2_000


def preferences() -> np.ndarray:
    """A policy that is neither even nor certain, [S, A]."""
    return np.random.default_rng(0).normal(size=(7, 2))


def gradient_by_preference(policy: np.ndarray) -> np.ndarray:
    """The exact gradient of the value from the start, [S, A]: visits of state and action times q - v."""
    mdp = CORRIDOR.mdp
    v = evaluate_policy(mdp, policy)
    return occupancy(mdp, policy) * (action_values(mdp, v) - v[:, None])


def first_updates(agent: Reinforce, weights: np.ndarray) -> np.ndarray:
    """How each run's weights move after its first episode, [R, ...]. Later ones would count short episodes twice."""
    moves, missing = np.zeros_like(weights), np.ones(agent.num_runs, dtype=bool)
    before = weights.copy()
    while missing.any():
        metrics = agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
        first = ~np.isnan(metrics["return"]) & missing
        moves[first] = (weights - before)[first]
        missing[first] = False
        weights[:] = before
    return moves


def largest_deviation(moves: np.ndarray, exact: np.ndarray) -> float:
    """How far the mean is from the exact one, in standard errors, in the entry where it is farthest."""
    error = moves.std(axis=0) / np.sqrt(len(moves))
    assert (np.abs(moves.mean(axis=0) - exact)[error == 0] < 1e-6).all()
    return float(np.max(np.abs(moves.mean(axis=0) - exact)[error > 0] / error[error > 0]))


def moves_of_table(config: ReinforceConfig) -> np.ndarray:
    agent = Reinforce(CORRIDOR, runs=RUNS, seed=0, config=config)
    assert isinstance(agent.learner, TablePolicy)
    agent.learner.theta[:] = preferences()
    agent.learner.values[:] = evaluate_policy(CORRIDOR.mdp, softmax(preferences()))
    if not config.baseline:
        agent.learner.values[:] = 0.0
    return first_updates(agent, agent.learner.theta)


@pytest.mark.parametrize("baseline", [False, True])
def test_the_mean_update_of_a_table_is_the_exact_policy_gradient(baseline: bool) -> None:
    # 10 numbers from 2,000 runs: a correct one is 4 standard errors off in one of 1,600 seeds; this seed is fixed.
    moves = moves_of_table(replace(PRECISE, baseline=baseline))
    assert largest_deviation(moves, gradient_by_preference(softmax(preferences()))) < 4.0


def test_the_exact_gradient_is_that_of_finite_differences() -> None:
    exact = gradient_by_preference(softmax(preferences()))
    for state, action in np.ndindex(7, 2):
        step = np.zeros((7, 2))
        step[state, action] = 1e-5
        ends = [CORRIDOR.mdp.start @ evaluate_policy(CORRIDOR.mdp, softmax(preferences() + s * step)) for s in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(exact[state, action], abs=1e-9)


def test_where_nothing_can_be_seen_the_exact_gradient_ends_at_the_textbooks_probability() -> None:
    mdp = short_corridor().mdp
    values = {p: evaluate_policy(mdp, going_right(p))[0] for p in (BEST_PROBABILITY, 0.05, 0.95)}
    assert values[BEST_PROBABILITY] == pytest.approx(BEST_VALUE, abs=1e-12)
    assert values[0.05] == pytest.approx(-82.1, abs=0.1)  # the book's epsilon-greedy policies: below -82 and below -44
    assert values[0.95] == pytest.approx(-44.2, abs=0.1)
    policy = going_right(BEST_PROBABILITY)
    q = action_values(mdp, evaluate_policy(mdp, policy))
    merit = (occupancy(mdp, policy) * (q - (policy * q).sum(axis=1, keepdims=True))).sum(axis=0)
    np.testing.assert_allclose(merit, 0.0, atol=1e-12)


def plant_no_weights(patch: pytest.MonkeyPatch) -> ReinforceConfig:
    return replace(PRECISE, weight_visits=False)


def plant_the_whole_return(patch: pytest.MonkeyPatch) -> ReinforceConfig:
    returns = softmax_policies.Episodes.returns
    patch.setattr(
        softmax_policies.Episodes, "returns", lambda *args: np.broadcast_to(returns(*args)[0], returns(*args).shape)
    )
    return PRECISE


def plant_a_score_without_its_mean(patch: pytest.MonkeyPatch) -> ReinforceConfig:
    patch.setattr(softmax_policies, "score_of_softmax", lambda policy, action: np.eye(2)[action])
    return PRECISE


@pytest.mark.parametrize("plant", [plant_no_weights, plant_the_whole_return, plant_a_score_without_its_mean])
def test_an_update_that_is_not_the_gradient_is_noticed(plant, monkeypatch: pytest.MonkeyPatch) -> None:
    moves = moves_of_table(plant(monkeypatch))
    assert largest_deviation(moves, gradient_by_preference(softmax(preferences()))) > 6.0


def test_a_baseline_makes_updates_less_noisy() -> None:
    noise = {baseline: moves_of_table(replace(PRECISE, baseline=baseline)).var(axis=0).sum() for baseline in (0, 1)}
    assert noise[True] < 0.7 * noise[False]


@pytest.mark.parametrize("baseline", [False, True])
def test_the_mean_update_of_a_network_is_the_exact_policy_gradient(baseline: bool) -> None:
    agent = Reinforce(CORRIDOR, runs=RUNS, seed=0, config=replace(BY_NETWORK, baseline=baseline))
    assert isinstance(agent.learner, NetworkPolicy)
    networks = agent.learner.networks
    # Every run gets the weights of the first one, the last layer larger, so that the policy is far from even.
    one = networks.parameters[0].clone()
    size = 7 * 3 + 3 + 3 * 2 + 2
    one[24:30] *= 200.0
    networks.parameters[:] = one
    policy = agent.probabilities()[0]
    assert 0.05 < policy.min() < 0.4
    moves = first_updates(agent, networks.parameters.numpy())[:, :size]

    # The same gradient through the network: d/dw sum_s visits(s) sum_a pi(a|s; w) q(s, a), visits and q held still.
    visits = occupancy(CORRIDOR.mdp, policy).sum(axis=1)
    q = action_values(CORRIDOR.mdp, evaluate_policy(CORRIDOR.mdp, policy))
    logits = networks.output("policy", torch.eye(7).expand(RUNS, -1, -1))[:1]
    value = (torch.tensor(visits[:, None] * q, dtype=torch.float32) * logits.softmax(dim=2)).sum()
    parameters = [part for layer in networks._layers["policy"] for part in layer]
    exact = torch.cat([part[0].flatten() for part in torch.autograd.grad(value, parameters)]).numpy()
    # 32 numbers that hang together: 4 standard errors would be passed in at most one of 500 seeds.
    assert largest_deviation(moves, exact) < 4.0


def test_one_update_by_hand() -> None:
    agent = Reinforce("LineWalk", runs=2, config=ReinforceConfig(step_size=0.5, baseline_step_size=0.5))
    agent.learner.values[:, 5] = 0.4
    agent.learner.values[:, 7] = 1.0
    # Run 0 walks 5, 6, 5 and is cut off in 7; run 1 goes on.
    for state, after, reward, cut in ((5, 6, 0.0, False), (6, 5, 2.0, False), (5, 7, 1.0, True)):
        metrics = agent.update(
            Transition(
                observation=np.array([state, state]),
                action=np.array([1, 0]),
                reward=np.array([reward, reward]),
                next_observation=np.array([after, after]),
                terminated=np.zeros(2, dtype=bool),
                truncated=np.array([cut, False]),
            )
        )
    # Returns: 1 + 0.95 * 1 = 1.95;   2 + 0.95 * 1.95 = 3.8525;   0.95 * 3.8525 = 3.659875
    np.testing.assert_allclose(metrics["return"], [3.659875, np.nan])
    error = np.array([3.659875 - 0.4, 3.8525, 1.95 - 0.4])
    # pi = 1/2, so each step moves the action taken by alpha gamma^t error / 2 and the other by minus that.
    np.testing.assert_allclose(agent.learner.theta[0, 5, 1], 0.5 * (error[0] + 0.95**2 * error[2]) / 2)
    np.testing.assert_allclose(agent.learner.theta[0, 6], [-0.5 * 0.95 * error[1] / 2, 0.5 * 0.95 * error[1] / 2])
    assert np.count_nonzero(agent.learner.theta) == 4  # nothing else, and nothing of run 1
    np.testing.assert_allclose(agent.learner.values[0, 5:8], [0.4 + 0.5 * (error[0] + error[2]) / 2, 3.8525 / 2, 1.0])
    np.testing.assert_allclose(agent.learner.values[1, 5:8], [0.4, 0.0, 1.0])


def test_a_step_that_is_cut_off_is_worth_what_would_have_followed() -> None:
    # Reward 1 for ever, cut off after 10 steps: 1 / (1 - 0.9) = 10 by the baseline, and not 5.26.
    world = small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, limit=10)
    table = Reinforce(world, runs=2, config=ReinforceConfig(baseline_step_size=0.5))
    for _ in range(600):
        table.update(table.rollout.step(table.act(table.rollout.observation)))
    np.testing.assert_allclose(table.learner.values, 10.0, rtol=1e-3)


def test_an_episode_without_an_end_is_cut_off_at_the_stated_length() -> None:
    agent = Reinforce(CORRIDOR, runs=1, config=ReinforceConfig(max_length=5))
    flags = np.zeros(1, dtype=bool)
    step = Transition(np.array([3]), np.array([0]), np.ones(1), np.array([3]), flags, flags)
    ended = [not np.isnan(agent.update(step)["return"][0]) for _ in range(11)]
    assert [number for number, end in enumerate(ended, start=1) if end] == [5, 10]


@pytest.mark.parametrize(("world", "steps"), [("LineWalk", 1_500), ("LineBalance", 6_000)])
def test_at_least_95_of_100_runs_reach_the_optimum(world: str, steps: int) -> None:
    agent = Reinforce(world, runs=100, seed=0)
    assert (train(agent, steps=steps, checkpoints=1).scores[-1] >= 0.99).mean() >= 0.95


@pytest.mark.parametrize("baseline", [False, True])
def test_a_network_reaches_the_optimum(baseline: bool) -> None:
    config = ReinforceConfig(policy="network", step_size=3e-3, baseline=baseline)
    agent = Reinforce("LineWalk", runs=8, seed=0, config=config)
    assert (train(agent, steps=1_000, checkpoints=1).scores[-1] >= 0.99).all()


QUICK = (ReinforceConfig(), ReinforceConfig(policy="network", hidden=(8,), step_size=3e-3))


@pytest.mark.parametrize("config", QUICK, ids=["table", "network"])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(config: ReinforceConfig) -> None:
    results = []
    for seed in (1, 1, 2):
        agent = Reinforce("LineWalk", runs=2, seed=seed, config=config)
        train(agent, steps=200, checkpoints=2)
        results.append(b"".join(array.tobytes() for array in agent.learner.state().values()))
    assert results[0] == results[1] != results[2]


def check_populations(config: ReinforceConfig) -> None:
    tables = []
    for runs in (range(5), range(12), range(3, 4)):
        agent = Reinforce("LineBalance", runs=runs, seed=1, config=config)
        train(agent, steps=150, checkpoints=1)
        tables.append(agent.learner.preferences_by_state()[3 - runs.start])
    for other in tables[1:]:
        if config.policy == "table":
            np.testing.assert_array_equal(tables[0], other)
        else:
            np.testing.assert_allclose(tables[0], other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("config", QUICK, ids=["table", "network"])
def test_a_run_learns_the_same_in_any_population(config: ReinforceConfig) -> None:
    check_populations(config)


@pytest.mark.parametrize("config", QUICK, ids=["table", "network"])
def test_padding_that_counts_is_noticed(config: ReinforceConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        softmax_policies.Episodes, "inside", property(lambda self: np.ones(self.reward.shape, dtype=bool))
    )
    with pytest.raises(AssertionError):
        check_populations(config)


def test_looking_at_a_run_changes_nothing() -> None:
    looked_at, left_alone = (Reinforce("LineBalance", runs=3, seed=0) for _ in range(2))
    for agent in (looked_at, left_alone):
        train(agent, steps=65, checkpoints=1)
        if agent is looked_at:
            score(agent)
            evaluate(agent, episodes=2, max_steps=20)
        train(agent, steps=60, checkpoints=1)
    np.testing.assert_array_equal(looked_at.learner.theta, left_alone.learner.theta)


@pytest.mark.parametrize("config", QUICK, ids=["table", "network"])
@pytest.mark.parametrize("world", ["LineBalance", "RobotGrasp"])
def test_a_run_resumed_from_a_file_equals_an_unbroken_one(world: str, config: ReinforceConfig, tmp_path: Path) -> None:
    unbroken, broken = (Reinforce(world, runs=range(2, 5), seed=4, config=config) for _ in range(2))
    for agent in (unbroken, broken):
        train(agent, steps=107, checkpoints=1)
    broken.save(tmp_path / "broken")
    resumed = Reinforce.load(tmp_path / "broken")
    for agent, name in ((unbroken, "unbroken"), (resumed, "resumed")):
        train(agent, steps=250, checkpoints=1)
        agent.save(tmp_path / name)
    assert (tmp_path / "unbroken").read_bytes() == (tmp_path / "resumed").read_bytes()


def test_where_the_environment_cannot_be_saved_unfinished_episodes_are_forgotten() -> None:
    task = make_task("MountainCar-v0")
    agent, other = (Reinforce(task, runs=2, config=QUICK[1]) for _ in range(2))
    train(agent, steps=4, checkpoints=1, episodes=1)
    assert (agent.state()["length"] == 4).all()
    other.restore(agent.state())
    assert (other.state()["length"] == 0).all()


def test_the_policy_and_its_probabilities_in_every_state() -> None:
    agent = Reinforce("LineWalk", runs=1)
    agent.learner.theta[0, 3] = [np.log(3.0), 0.0]
    np.testing.assert_allclose(agent.probabilities()[0, 3:5], [[0.75, 0.25], [0.5, 0.5]])
    np.testing.assert_allclose(agent.policy()[0, 3:5], [[1.0, 0.0], [0.5, 0.5]])


def test_what_the_policy_cannot_take_is_refused() -> None:
    with pytest.raises(TypeError, match="the observations of CartPole-v1 must be Discrete or MultiDiscrete"):
        Reinforce("CartPole-v1")
    with pytest.raises(TypeError, match="the actions of RobotGraspMulti must be Discrete"):
        Reinforce("RobotGraspMulti")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policy": "linear"}, """policy must be "table" or "network", but is 'linear'"""),
        ({"optimiser": "sgd"}, """optimiser must be "adam" or "descent", but is 'sgd'"""),
        ({"step_size": 0.0}, "step_size must be positive, but is 0.0"),
        ({"baseline_step_size": 1.5}, r"baseline_step_size must be in \(0, 1\], but is 1.5"),
        ({"max_length": 0}, "max_length must be at least 1, but is 0"),
        ({"hidden": (8, 0)}, "hidden must be at least 1, but is 0"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReinforceConfig(**settings)
