"""DQN: the arithmetic of one update, what stands still and when, and that it gets to the exact optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.agents.dqn import DQN, DQNConfig
from baselines.learning.transition import Transition
from baselines.training.loop import evaluate, score, train
from baselines.training.task import make_task
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.checks import small_world

# A network without hidden layers is a table: Q(s, a) is weight [s, a] plus bias [a].
TABLE = DQNConfig(hidden=(), learning_starts=0, train_every=1, batch_size=1, loss="mse", max_gradient_norm=np.inf)

QUICK = DQNConfig(hidden=(16,), train_every=1, batch_size=16, learning_starts=20, target_every=25, replay_capacity=150)


def weights(values: np.ndarray) -> np.ndarray:
    """The weights of a network without hidden layers on LineWalk, [R, S, A]."""
    return values[:, :22].reshape(-1, 11, 2)


def unchanged(transition: Transition) -> Transition:
    return transition


def errors_of_one_update(
    config: DQNConfig, change: Callable[[Transition], Transition] = unchanged, **world: float
) -> np.ndarray:
    """How far the targets of three runs are below their values, from a known network and a known target network.

    Both networks value (left, right) at (1, 2), but the network has (5, 3) and the target network (10, 20) in states 6,
    10 and 1. The runs go right from 5 to 6, right from 9 to 10, which terminates and pays 1, and left from 0 to 1,
    where the time limit cuts them off.
    """
    agent = DQN(make_task("LineWalk", **world), runs=3, config=config)
    for networks, elsewhere in ((agent.online, [5.0, 3.0]), (agent.target, [10.0, 20.0])):
        networks.parameters.zero_()
        weights(networks.parameters)[:] = networks.parameters.new_tensor([1.0, 2.0])
        weights(networks.parameters)[:, [6, 10, 1]] = networks.parameters.new_tensor(elsewhere)
    transition = Transition(
        observation=np.array([5, 9, 0]),
        action=np.array([1, 1, 0]),
        reward=np.array([0.0, 1.0, 0.0]),
        next_observation=np.array([6, 10, 1]),
        terminated=np.array([False, True, False]),
        truncated=np.array([False, False, True]),
    )
    agent.update(change(transition))
    gradient = weights(agent.online.gradient.numpy())
    touched = gradient[[0, 1, 2], [5, 9, 0], [1, 1, 0]]
    assert np.count_nonzero(gradient) == np.count_nonzero(touched)  # nothing flows through the target
    return touched


def check_one_update(change: Callable[[Transition], Transition] = unchanged, **world: float) -> None:
    # Values 2, 2, 1. Targets 0 + 0.95 * 20 = 19;   1, for it terminated;   0.95 * 20 = 19, although cut off.
    # The derivative of half the squared error is value - target.
    np.testing.assert_allclose(errors_of_one_update(TABLE, change, **world), [2 - 19, 2 - 1, 1 - 19], rtol=1e-5)


def check_one_double_update(*, double: bool = True) -> None:
    # The network prefers left, which the target network values at 10: 0.95 * 10 = 9.5.
    np.testing.assert_allclose(errors_of_one_update(replace(TABLE, double=double)), [2 - 9.5, 1, 1 - 9.5], rtol=1e-5)


@pytest.mark.parametrize("check", [check_one_update, check_one_double_update])
def test_one_update_by_hand(check) -> None:
    check()


def test_the_huber_loss_is_linear_for_large_errors_and_long_gradients_are_shortened() -> None:
    np.testing.assert_allclose(errors_of_one_update(replace(TABLE, loss="huber")), [-1, 1, -1], rtol=1e-5)
    clipped = errors_of_one_update(replace(TABLE, max_gradient_norm=1.0))
    # The weight and the bias of the action have the same gradient, so the norm is sqrt(2) times the error.
    np.testing.assert_allclose(clipped, np.array([-1, 1, -1]) / np.sqrt(2), rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: replace(t, terminated=t.terminated & False),
        lambda t: replace(t, terminated=t.terminated | t.truncated),
        lambda t: replace(t, reward=np.where(t.terminated, 0.0, t.reward)),
        lambda t: replace(t, next_observation=t.observation),
    ],
    ids=["bootstrap through the end", "no bootstrap at the limit", "no reward at the end", "the state before"],
)
def test_a_wrong_target_is_noticed(change: Callable[[Transition], Transition]) -> None:
    with pytest.raises(AssertionError):
        check_one_update(change)


def test_another_discount_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_one_update(discount=1.0)


def test_a_wrong_network_for_the_next_action_is_noticed() -> None:
    with pytest.raises(AssertionError):
        check_one_double_update(double=False)


def test_a_step_that_is_cut_off_is_worth_what_would_have_followed() -> None:
    # Reward 1 for ever, cut off after 10 steps: 1 / (1 - 0.9) = 10, and not 5.26.
    world = small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, limit=10)
    config = replace(TABLE, learning_rate=0.05, target_every=1, batch_size=8)
    agent = DQN(world, runs=2, config=config)
    for _ in range(1_500):
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
    q = agent.online.parameters.sum(dim=1)  # one weight and one bias
    np.testing.assert_allclose(q, 10.0, rtol=0.02)


def test_the_target_network_is_copied_at_step_0_and_then_stands_still_in_between() -> None:
    agent = DQN("LineWalk", runs=2, config=QUICK)
    np.testing.assert_array_equal(agent.target.parameters, agent.online.parameters)
    for step in range(1, 80):
        before = agent.target.parameters.clone()
        agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
        expected = agent.online.parameters if step % 25 == 0 else before
        np.testing.assert_array_equal(agent.target.parameters, expected)
    assert (agent.target.parameters != agent.online.parameters).any()


def test_updates_come_when_they_are_due() -> None:
    agent = DQN("LineWalk", runs=2, config=replace(QUICK, train_every=3, learning_starts=10))
    due = [bool(agent.update(agent.rollout.step(np.array([0, 1])))) for _ in range(20)]
    assert [step for step, learned in enumerate(due, start=1) if learned] == [12, 15, 18]


def test_every_action_is_equally_probable_before_learning_starts_and_epsilon_falls_with_the_steps() -> None:
    config = replace(QUICK, epsilon=0.5, final_epsilon=0.1, epsilon_steps=40, learning_starts=20)
    agent = DQN("LineWalk", runs=1, config=config)
    epsilons = {}
    for steps in (0, 19, 20, 30, 40, 90):
        agent.steps = steps
        epsilons[steps] = agent.epsilon
    assert epsilons == pytest.approx({0: 1.0, 19: 1.0, 20: 0.3, 30: 0.2, 40: 0.1, 90: 0.1})


def test_the_learning_rate_is_constant_or_falls_to_0() -> None:
    agent = DQN("LineWalk", config=replace(QUICK, learning_rate=0.5))
    falling = DQN("LineWalk", config=replace(QUICK, learning_rate=0.5, learning_rate_steps=100))
    agent.steps = falling.steps = 25
    assert (agent.learning_rate, falling.learning_rate) == (0.5, 0.375)
    falling.steps = 1000
    assert falling.learning_rate == 0.0


@pytest.mark.parametrize(("world", "steps"), [("LineWalk", 2_500), ("RandomMDP", 3_000)])
def test_every_run_reaches_the_optimum(world: str, steps: int) -> None:
    agent = DQN(world, runs=10, seed=0)
    assert (train(agent, steps=steps, checkpoints=1).scores[-1] >= 0.99).all()


def test_double_dqn_with_three_steps_reaches_it_as_well() -> None:
    agent = DQN("LineWalk", runs=10, seed=0, config=DQNConfig(double=True, n_step=3, loss="mse"))
    assert (train(agent, steps=2_500, checkpoints=1).scores[-1] >= 0.99).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    results = []
    for seed in (1, 1, 2):
        agent = DQN("RandomMDP", runs=2, seed=seed, config=QUICK)
        train(agent, steps=150, checkpoints=2)
        results.append(agent.online.parameters.numpy().tobytes())
    assert results[0] == results[1] != results[2]


def test_a_run_learns_the_same_in_any_population() -> None:
    values = {}
    for runs in (range(5), range(12), range(3, 4)):
        agent = DQN("RandomMDP", runs=runs, seed=1, config=QUICK)
        train(agent, steps=100, checkpoints=1)
        values[runs] = agent.online.parameters[3 - runs.start].numpy()
    first, *others = values.values()
    for other in others:
        np.testing.assert_allclose(first, other, rtol=1e-4, atol=1e-6)


def test_looking_at_a_run_changes_nothing() -> None:
    looked_at, left_alone = (DQN("RandomMDP", runs=3, seed=0, config=QUICK) for _ in range(2))
    for agent in (looked_at, left_alone):
        train(agent, steps=60, checkpoints=1)
        if agent is looked_at:
            score(agent)
            evaluate(agent, episodes=2, max_steps=20)
        train(agent, steps=60, checkpoints=1)
    np.testing.assert_array_equal(looked_at.online.parameters, left_alone.online.parameters)


@pytest.mark.parametrize("world", ["RandomMDP", "CartPole-v1"])
def test_training_in_two_calls_equals_training_in_one(world: str) -> None:
    once, twice = (DQN(world, runs=3, seed=0, config=replace(QUICK, learning_rate_steps=200)) for _ in range(2))
    train(once, steps=150, checkpoints=1, episodes=1)
    train(twice, steps=60, checkpoints=1, episodes=1)
    train(twice, steps=90, checkpoints=1, episodes=1)
    assert (once.epsilon, once.learning_rate) == (twice.epsilon, twice.learning_rate)
    np.testing.assert_array_equal(once.online.parameters, twice.online.parameters)


def test_the_global_generators_are_left_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002 - to see that nobody draws from it
    train(DQN("RandomMDP", runs=2, config=QUICK), steps=60, checkpoints=1)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1][1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("world", ["RandomMDP", "RobotGrasp", "CartPole-v1"])
@pytest.mark.parametrize("n_step", [1, 3])
def test_a_run_resumed_from_a_file_equals_an_unbroken_one(world: str, n_step: int, tmp_path: Path) -> None:
    config = replace(QUICK, n_step=n_step)
    unbroken, broken = (DQN(world, runs=range(2, 5), seed=4, config=config) for _ in range(2))
    train(unbroken, steps=90, checkpoints=1, episodes=1)
    train(unbroken, steps=160, checkpoints=1, episodes=1)
    train(broken, steps=90, checkpoints=1, episodes=1)
    broken.save(tmp_path / "broken")
    resumed = DQN.load(tmp_path / "broken")
    train(resumed, steps=160, checkpoints=1, episodes=1)
    unbroken.save(tmp_path / "unbroken")
    resumed.save(tmp_path / "resumed")
    assert (tmp_path / "unbroken").read_bytes() == (tmp_path / "resumed").read_bytes()


def test_where_the_environment_cannot_be_saved_returns_stop_at_the_break() -> None:
    config = replace(QUICK, n_step=3)
    agent = DQN(make_task("MountainCar-v0"), runs=2, config=config)
    train(agent, steps=10, checkpoints=1, episodes=1)
    other = DQN(make_task("MountainCar-v0"), runs=2, config=config)
    other.restore(agent.state())
    assert other.replay.state()["ended"][:, 9].all()
    assert not agent.replay.state()["ended"].any()


def test_the_policy_is_greedy_in_every_state_of_the_table() -> None:
    agent = DQN("RobotGrasp", runs=2, seed=0, config=QUICK)
    policy = agent.policy()
    states = np.array([0, 17, 3071])
    seen = agent.task.world.observation.batch(states)
    for state, observation in zip(states, seen):
        action = agent.act(np.stack([observation] * 2), greedy=True)
        np.testing.assert_array_equal(policy[[0, 1], state, action], 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, but is 0"),
        ({"hidden": (64, 0)}, "hidden must be at least 1, but is 0"),
        ({"learning_starts": -1}, "learning_starts must be at least 0, but is -1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, but is 0.0"),
        ({"epsilon": 1.5}, "epsilon must be .*1.5"),
        ({"loss": "l1"}, """loss must be "huber" or "mse", but is 'l1'"""),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DQNConfig(**settings)


def test_actions_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(TypeError, match="the actions of RobotGraspMulti must be Discrete"):
        DQN("RobotGraspMulti")
