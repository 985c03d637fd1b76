"""ActorCritic: the arithmetic of one update, its copies of the world, and that it gets to the exact optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.agents.actor_critic import ActorCritic, ActorCriticConfig
from baselines.learning.transition import Transition
from baselines.training.loop import evaluate, score, train
from baselines.training.task import make_task
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.checks import small_world

# Networks without hidden layers are tables: logits and values are weights [s, a] and [s] plus biases.
TABLE = ActorCriticConfig(hidden=(), num_envs=1, n_step=1, entropy_weight=0.0, max_gradient_norm=np.inf)

QUICK = ActorCriticConfig(hidden=(16,), num_envs=2, n_step=4)

# The probability of going right where its logit is ln 3 above that of going left.
RIGHT = 0.75


def known_agent(config: ActorCriticConfig) -> ActorCritic:
    """An agent for LineWalk that goes right with probability 3/4, and values states 5, 6, ... at 50, 60, ..."""
    agent = ActorCritic("LineWalk", runs=3, config=config)
    agent.networks.parameters.zero_()
    policy, value = parts(agent.networks.parameters)
    policy[:, :, 1] = np.log(3.0)
    value[:] = 10.0 * value.new_tensor(np.arange(11.0))
    return agent


def parts(values):
    """The weights of the policy [R, 11, 2] and of the value [R, 11]; each network's biases follow its weights."""
    return values[:, :22].unflatten(1, (11, 2)), values[:, 24:35]


def steps() -> Transition:
    """From 5 right to 6; from 9 right to 10, which terminates and pays 1; from 0 left to 1, where it is cut off."""
    return Transition(
        observation=np.array([5, 9, 0]),
        action=np.array([1, 1, 0]),
        reward=np.array([0.0, 1.0, 0.0]),
        next_observation=np.array([6, 10, 1]),
        terminated=np.array([False, True, False]),
        truncated=np.array([False, False, True]),
    )


def check_one_update(transition: Transition) -> None:
    agent = known_agent(TABLE)
    metrics = agent.update(transition)
    # 0.95 * 60 - 50 = 7;   1 - 90 = -89, for nothing follows;   0.95 * 10 - 0 = 9.5, although cut off
    advantage = np.array([7.0, -89.0, 9.5])
    policy, value = parts(agent.networks.gradient)
    rows = np.arange(3), [5, 9, 0]
    # d(-A ln pi(a)) / d logits = A (pi - 1[a]); the advantage is a number.
    score = np.array([[1 - RIGHT, RIGHT - 1]] * 2 + [[-RIGHT, RIGHT]])
    np.testing.assert_allclose(policy[rows], advantage[:, None] * score, rtol=1e-5)
    # d(0.5 (target - v)^2) / dv = -A; the target is a number, so nothing reaches the states that followed.
    np.testing.assert_allclose(value[rows], -advantage, rtol=1e-5)
    assert np.count_nonzero(policy) == 6
    assert np.count_nonzero(value) == 3
    np.testing.assert_allclose(metrics["value_loss"], advantage**2, rtol=1e-5)
    np.testing.assert_allclose(metrics["policy_loss"], -advantage * np.log([0.75, 0.75, 0.25]), rtol=1e-5)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    np.testing.assert_allclose(metrics["entropy"], entropy, rtol=1e-5)


def test_one_update_by_hand() -> None:
    check_one_update(steps())


@pytest.mark.parametrize(
    "change",
    [
        lambda t: replace(t, terminated=t.terminated & False, truncated=t.terminated | t.truncated),
        lambda t: replace(t, terminated=t.terminated | t.truncated),
    ],
    ids=["bootstrap through the end", "no bootstrap at the limit"],
)
def test_wrong_advantages_are_noticed(change: Callable[[Transition], Transition]) -> None:
    with pytest.raises(AssertionError):
        check_one_update(change(steps()))


def test_losses_are_means_over_the_steps_and_copies_of_a_run() -> None:
    single = known_agent(TABLE)
    single.update(steps())
    agent = known_agent(replace(TABLE, num_envs=2, trace_decay=0.0, n_step=2))
    twice = Transition(*(np.repeat(array, 2, axis=0) for array in vars(steps()).values()))
    assert agent.update(twice) == {}
    agent.update(twice)
    np.testing.assert_allclose(agent.networks.gradient, single.networks.gradient, rtol=1e-5)


def test_entropy_pulls_the_policy_towards_even_chances() -> None:
    agent = known_agent(replace(TABLE, entropy_weight=1.0))
    plain = known_agent(TABLE)
    for one in (agent, plain):
        one.update(steps())
    pull = (parts(agent.networks.gradient)[0] - parts(plain.networks.gradient)[0])[0, 5]
    # dH / d logit(a) = -pi(a) (ln pi(a) + H)
    policy = np.array([0.25, 0.75])
    entropy = -(policy @ np.log(policy))
    np.testing.assert_allclose(pull, policy * (np.log(policy) + entropy), rtol=1e-4)


def test_a_step_that_is_cut_off_is_worth_what_would_have_followed() -> None:
    # Reward 1 for ever, cut off after 10 steps: 1 / (1 - 0.9) = 10, and not 5.26.
    world = small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, limit=10)
    for n_step, trace_decay in ((1, 0.0), (4, 1.0)):
        config = replace(TABLE, n_step=n_step, learning_rate=0.05, trace_decay=trace_decay)
        agent = ActorCritic(world, runs=2, config=config)
        for _ in range(1_000):
            agent.update(agent.rollout.step(agent.act(agent.rollout.observation)))
        # One logit and its bias, then one value and its bias.
        np.testing.assert_allclose(agent.networks.parameters[:, 2:].sum(dim=1), 10.0, rtol=0.02)


def test_each_copy_goes_its_own_way_and_the_first_as_it_would_alone() -> None:
    config = replace(QUICK, num_envs=3)
    several = ActorCritic("RandomMDP", runs=4, seed=1, config=config)
    single = ActorCritic("RandomMDP", runs=4, seed=1, config=replace(QUICK, num_envs=1))
    first, alone = (agent.rollout.step(np.ones(n, dtype=int)) for agent, n in ((several, 12), (single, 4)))
    np.testing.assert_array_equal(first.observation[::3], alone.observation)
    np.testing.assert_array_equal(first.next_observation[::3], alone.next_observation)
    several.uniform()
    assert len(np.unique(several.uniform())) == 12


def test_steps_are_counted_over_all_copies() -> None:
    agent = ActorCritic("LineWalk", runs=2, config=replace(QUICK, num_envs=3))
    seen = []
    curve = train(agent, steps=10, checkpoints=2, on_step=lambda transition, _: seen.append(transition.reward.shape))
    assert seen == [(6,)] * 4  # ten steps do not divide by three
    assert agent.steps == 12
    np.testing.assert_array_equal(curve.steps, [0, 5, 10])


def test_learning_comes_every_n_steps_of_each_copy() -> None:
    agent = ActorCritic("LineWalk", runs=2, config=QUICK)
    learned = [bool(agent.update(agent.rollout.step(np.array([0, 1, 0, 1])))) for _ in range(9)]
    assert learned == [False, False, False, True] * 2 + [False]


def test_actions_are_drawn_from_the_policy_and_the_most_probable_one_is_played() -> None:
    agent = known_agent(replace(TABLE, num_envs=4))
    observation = np.full(12, 5)
    drawn = np.array([agent.act(observation) for _ in range(500)])
    # 6,000 draws: the standard error is sqrt(0.75 * 0.25 / 6000) = 0.0056; four of them are allowed.
    assert abs(drawn.mean() - RIGHT) < 0.0224
    assert (agent.act(np.full(3, 5), greedy=True) == 1).all()
    np.testing.assert_allclose(agent.probabilities(), np.broadcast_to([0.25, 0.75], (3, 11, 2)), rtol=1e-6)
    np.testing.assert_array_equal(agent.policy(), np.broadcast_to([0.0, 1.0], (3, 11, 2)))


@pytest.mark.parametrize("world", ["LineWalk", "LineBalance"])
def test_every_run_reaches_the_optimum(world: str) -> None:
    agent = ActorCritic(world, runs=20, seed=0)
    assert (train(agent, steps=3_000, checkpoints=1).scores[-1] >= 0.99).all()


def test_generalised_advantages_get_there_as_well() -> None:
    agent = ActorCritic("LineWalk", runs=20, seed=0, config=ActorCriticConfig(trace_decay=0.9, n_step=8))
    assert (train(agent, steps=3_000, checkpoints=1).scores[-1] >= 0.99).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    results = []
    for seed in (1, 1, 2):
        agent = ActorCritic("RandomMDP", runs=2, seed=seed, config=QUICK)
        train(agent, steps=200, checkpoints=2)
        results.append(agent.networks.parameters.numpy().tobytes())
    assert results[0] == results[1] != results[2]


def test_a_run_learns_the_same_in_any_population() -> None:
    values = {}
    for runs in (range(5), range(12), range(3, 4)):
        agent = ActorCritic("RandomMDP", runs=runs, seed=1, config=QUICK)
        train(agent, steps=200, checkpoints=1)
        values[runs] = agent.networks.parameters[3 - runs.start].numpy()
    first, *others = values.values()
    for other in others:
        np.testing.assert_allclose(first, other, rtol=1e-4, atol=1e-6)


def test_looking_at_a_run_changes_nothing() -> None:
    looked_at, left_alone = (ActorCritic("RandomMDP", runs=3, seed=0, config=QUICK) for _ in range(2))
    for agent in (looked_at, left_alone):
        train(agent, steps=60, checkpoints=1)
        if agent is looked_at:
            score(agent)
            evaluate(agent, episodes=2, max_steps=20)
        train(agent, steps=60, checkpoints=1)
    np.testing.assert_array_equal(looked_at.networks.parameters, left_alone.networks.parameters)


@pytest.mark.parametrize("world", ["RandomMDP", "CartPole-v1"])
def test_training_in_two_calls_equals_training_in_one(world: str) -> None:
    config = replace(QUICK, learning_rate_steps=400)
    once, twice = (ActorCritic(world, runs=3, seed=0, config=config) for _ in range(2))
    train(once, steps=300, checkpoints=1, episodes=1)
    train(twice, steps=110, checkpoints=1, episodes=1)
    train(twice, steps=190, checkpoints=1, episodes=1)
    assert once.learning_rate == twice.learning_rate < config.learning_rate
    np.testing.assert_array_equal(once.networks.parameters, twice.networks.parameters)


@pytest.mark.parametrize("world", ["RandomMDP", "RobotGrasp", "CartPole-v1"])
def test_a_run_resumed_from_a_file_equals_an_unbroken_one(world: str, tmp_path: Path) -> None:
    unbroken, broken = (ActorCritic(world, runs=range(2, 5), seed=4, config=QUICK) for _ in range(2))
    for agent in (unbroken, broken):
        train(agent, steps=150, checkpoints=1, episodes=1)  # in the middle of a rollout
    broken.save(tmp_path / "broken")
    resumed = ActorCritic.load(tmp_path / "broken")
    for agent, name in ((unbroken, "unbroken"), (resumed, "resumed")):
        train(agent, steps=200, checkpoints=1, episodes=1)
        agent.save(tmp_path / name)
    assert (tmp_path / "unbroken").read_bytes() == (tmp_path / "resumed").read_bytes()


def test_where_the_environment_cannot_be_saved_nothing_is_carried_over_the_break() -> None:
    task = make_task("MountainCar-v0")
    agent, other = (ActorCritic(task, runs=2, config=QUICK) for _ in range(2))
    train(agent, steps=4, checkpoints=1, episodes=1)
    other.restore(agent.state())
    np.testing.assert_array_equal(other.state()["rollout.ended"][:, :, 0], [[False, True, False, False]] * 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1, but is 0"),
        ({"hidden": (0,)}, "hidden must be at least 1, but is 0"),
        ({"learning_rate": -1.0}, "learning_rate must be positive, but is -1.0"),
        ({"trace_decay": 1.5}, r"trace_decay must be .*1\.5"),
        ({"entropy_weight": -0.1}, "entropy_weight must not be negative, but is -0.1"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ActorCriticConfig(**settings)
