"""Semi-gradient TD: the arithmetic of one update, its own fixed point, and what it may not depend on."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents import td_value
from baselines.agents.td_value import TDValue, TDValueConfig
from baselines.learning.transition import Transition
from baselines.training.exact_prediction import least_squares_weights, td_fixed_point
from baselines.training.loop import train
from baselines.training.task import make_task
from rl_envs.mdp.finite_mdp import Outcome
from tests.baselines.agents.value_agents import every_transition, learn
from tests.baselines.checks import small_world

LINEAR = ("table", "aggregation", "tiles", "fourier")

# A walk of 19 states with jumps of up to 4: small, and coarse features cannot say its values exactly.
WALK = make_task("RandomWalk", num_states=19, max_jump=4)


def test_one_update_by_hand() -> None:
    agent = TDValue("LineWalk", runs=3, config=TDValueConfig(approximation="table", step_size=0.5))
    weights = agent.function.weights
    weights[:] = 1.0
    weights[0, 6] = 3.0
    weights[1, 10] = 100.0  # the terminal row: never read
    metrics = agent.update(
        Transition(
            observation=np.array([5, 9, 0]),
            action=np.array([1, 1, 0]),
            reward=np.array([0.0, 1.0, 0.0]),
            next_observation=np.array([6, 10, 1]),
            terminated=np.array([False, True, False]),
            truncated=np.array([False, False, True]),
        )
    )
    # 0 + 0.95 * 3 - 1 = 1.85;   1 - 1 = 0 at the end;   cut off, and yet 0 + 0.95 * 1 - 1 = -0.05
    np.testing.assert_allclose(metrics["td_error"], [1.85, 0.0, -0.05], rtol=1e-12)
    assert weights[0, 5] == pytest.approx(1 + 0.5 * 1.85)
    assert weights[0, 6] == 3.0  # no gradient flows through the target
    assert weights[2, 0] == pytest.approx(1 - 0.5 * 0.05)  # state 0 is a state
    assert np.count_nonzero(weights != 1.0) == 4  # 2 put there, 2 learned


def test_the_step_size_is_divided_by_the_number_of_tilings() -> None:
    agent = TDValue("LineWalk", runs=1, config=TDValueConfig(approximation="tiles", tilings=4, step_size=1.0))
    agent.update(
        Transition(*(np.array([x]) for x in (9, 1, 1.0, 10)), terminated=np.array([True]), truncated=np.array([False]))
    )
    # A step size of 1 removes the error of 1 where it was seen: each of 4 tiles takes a quarter of it.
    assert sorted(agent.function.weights[0][agent.function.weights[0] != 0]) == [0.25] * 4
    assert agent.values()[0, 9] == 1.0


def test_traces_by_hand() -> None:
    config = TDValueConfig(approximation="table", step_size=0.5, step_size_half_life=np.inf, trace_decay=0.8)
    agent = TDValue("LineWalk", runs=1, config=config)
    walk = [(7, 8, 0.0, False), (8, 9, 0.0, False), (9, 10, 1.0, True)]
    for state, after, reward, ends in walk:
        agent.update(
            Transition(
                *(np.array([x]) for x in (state, 1, reward, after)),
                terminated=np.array([ends]),
                truncated=np.array([False]),
            )
        )
    # The only error is the last one, 1; gamma lambda = 0.76, so states 9, 8, 7 get 0.5, 0.5 * 0.76, 0.5 * 0.76^2.
    np.testing.assert_allclose(agent.function.weights[0, 7:10], [0.2888, 0.38, 0.5], rtol=1e-12)
    assert not agent.trace.any()  # and the next episode begins anew


def test_where_it_is_cut_off_the_trace_ends_too() -> None:
    agent = TDValue("RandomMDP", runs=1, config=TDValueConfig(trace_decay=0.9))
    learn(agent, 99)
    assert agent.trace.any()
    learn(agent, 1)  # the time limit
    assert not agent.trace.any()


@pytest.mark.parametrize("approximation", LINEAR)
def test_at_its_fixed_point_the_mean_update_over_all_transitions_is_zero(approximation: str) -> None:
    config = TDValueConfig(approximation=approximation, groups=5, tilings=3, tiles=2, order=2)
    single = TDValue(WALK, config=config)
    mdp = WALK.truth.mdp
    uniform = single.policy()[0]
    rows, often = every_transition(mdp, single.weight)
    agent = TDValue(WALK, runs=len(often), config=config)
    weights = td_fixed_point(mdp, uniform, single.function.features, single.weight)
    agent.function.weights[:] = weights
    agent.update(rows)
    change = agent.function.weights - weights
    assert np.abs(change).max() > 1e-3
    np.testing.assert_allclose(often @ change, 0.0, atol=1e-14)

    # It is a point of its own: where Monte Carlo ends, TD goes on, unless the features can say the values exactly.
    other = least_squares_weights(single.function.features, single.v, single.weight)
    agent.function.weights[:] = other
    agent.update(rows)
    drift = np.abs(often @ (agent.function.weights - other)).max()
    assert drift < 1e-14 if approximation == "table" else drift > 1e-5


def test_a_bootstrap_through_the_end_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(td_value, "td_target", lambda reward, terminated, value, discount: reward + discount * value)
    with pytest.raises(AssertionError):
        test_at_its_fixed_point_the_mean_update_over_all_transitions_is_zero("aggregation")
    with pytest.raises(AssertionError):
        test_one_update_by_hand()


@pytest.mark.parametrize("approximation", LINEAR)
def test_it_gets_near_its_fixed_point(approximation: str) -> None:
    config = TDValueConfig(approximation=approximation, groups=5, tilings=3, tiles=2, order=2, step_size_half_life=500)
    agent = TDValue(WALK, runs=100, config=config, seed=0)
    learn(agent, 3_000)
    weights = td_fixed_point(WALK.truth.mdp, agent.policy()[0], agent.function.features, agent.weight)
    there = agent.function.features[1:-1] @ weights
    # 100 runs: 4 standard errors of their mean, and 0.02 for what is left of the start.
    learned = agent.values()[:, 1:-1]
    error = learned.std(axis=0, ddof=1) / 10
    assert (np.abs(learned.mean(axis=0) - there) < 4 * error + 0.02).all()


def test_a_table_learns_the_exact_values_of_a_world_that_is_cut_off() -> None:
    """One state, reward 1, discount 0.9, limit 10: the value is 10 and not 5.26, which needs two actions that agree."""
    world = small_world(lambda s, a: [Outcome(1.0, 0, 1.0)], num_states=1, num_actions=2, limit=10)
    agent = TDValue(world, runs=2, config=TDValueConfig(step_size_half_life=np.inf))
    learn(agent, 400)
    np.testing.assert_allclose(agent.values()[:, 0], 10.0, rtol=1e-6)
    np.testing.assert_allclose(agent.exact_score(), 1.0, atol=1e-6)


def test_a_network_learns_the_values_of_a_walk() -> None:
    walk = make_task("RandomWalk", num_states=19, max_jump=4, observation="position")
    agent = TDValue(walk, runs=8, config=TDValue.PRESETS["network"])
    before = agent.value_error().mean()
    learn(agent, 600)
    # About 0.4 of it is left; runs differ by 0.07 each, so the standard error of this mean is below 0.03 of 0.39.
    assert agent.value_error().mean() < 0.6 * before


@pytest.mark.parametrize("approximation", [*LINEAR, "network"])
def test_a_run_learns_the_same_whatever_the_others_are(approximation: str) -> None:
    learned = {}
    for runs in (range(3), range(7), range(2, 3)):
        agent = TDValue(WALK, runs=runs, seed=1, config=TDValueConfig(approximation=approximation, trace_decay=0.5))
        curve = train(agent, steps=200, checkpoints=2)
        learned[runs] = agent.function.weights[2 - runs.start], curve.scores[:, 2 - runs.start]
    (first, scores), *others = learned.values()
    assert first.any()
    for other, other_scores in others:
        if approximation == "network":
            np.testing.assert_allclose(first, other, atol=1e-5)
        else:
            assert np.array_equal(first, other)
            assert np.array_equal(scores, other_scores)


@pytest.mark.parametrize("approximation", ["tiles", "network"])
def test_a_resumed_run_equals_an_unbroken_one(approximation: str, tmp_path) -> None:
    config = TDValueConfig(approximation=approximation, trace_decay=0.7)
    whole, part = (TDValue("LineWalk", runs=3, seed=2, config=config) for _ in range(2))
    train(whole, steps=250, checkpoints=1)
    train(part, steps=120, checkpoints=1)
    part.save(tmp_path / "agent.safetensors")
    resumed = TDValue.load(tmp_path / "agent.safetensors")
    train(resumed, steps=130, checkpoints=1)
    assert whole.function.weights.tobytes() == resumed.function.weights.tobytes()
    assert whole.trace.tobytes() == resumed.trace.tobytes()
    assert whole.step_size == resumed.step_size


def test_where_episodes_cannot_be_saved_traces_begin_anew() -> None:
    agent, other = (TDValue("FrozenLake-v1", config=TDValueConfig(trace_decay=0.9)) for _ in range(2))
    agent.trace[:] = 1.0
    other.restore({name: array for name, array in agent.state().items() if not name.startswith("environment.")})
    assert not other.trace.any()


def test_the_score_is_the_error_of_the_values() -> None:
    agent = TDValue(WALK, runs=2, config=TDValueConfig(approximation="table"))
    np.testing.assert_array_equal(agent.exact_score(), 0.0)  # before learning everything is 0
    agent.function.weights[1] = agent.v
    agent.function.weights[1, 0] = 50.0  # where an episode is over, nothing is predicted
    np.testing.assert_array_equal(agent.exact_score(), [0.0, 1.0])
    np.testing.assert_array_equal(agent.values()[1], agent.v)
    agent.function.weights[0, 10] = 0.5  # the middle is worth 0, so this is the only error there
    rest = (agent.v**2) @ agent.weight
    assert agent.value_error()[0] == pytest.approx(np.sqrt(rest + agent.weight[10] * 0.25))


def test_it_acts_uniformly_and_says_so() -> None:
    agent = TDValue("RandomMDP", runs=500)
    actions = np.concatenate([agent.act(np.zeros(500, dtype=np.int64), greedy=greedy) for greedy in (True, False) * 4])
    assert np.abs(np.bincount(actions, minlength=3) - 4000 / 3).max() < 4 * np.sqrt(4000 * 2 / 9)
    np.testing.assert_array_equal(agent.policy(), np.full((500, 5, 3), 1 / 3))


@pytest.mark.parametrize(
    ("world", "error", "message"),
    [
        ("CartPole-v1", TypeError, "TDValue needs a world with a table, .* but CartPole-v1 has none"),
        ("RobotGraspMulti", TypeError, "the actions of RobotGraspMulti must be Discrete"),
    ],
)
def test_worlds_that_it_cannot_take_are_refused(world: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TDValue(world)


def test_values_that_are_all_0_are_refused() -> None:
    world = small_world(lambda s, a: [Outcome(1.0, 0, 0.0)], num_states=1, num_actions=2, limit=10)
    with pytest.raises(ValueError, match=r"TDValue needs values to predict, finite and not all 0, .* from 0 to 0"):
        TDValue(world)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"approximation": "tile"}, "unknown approximation 'tile'. Did you mean 'tiles'"),
        ({"step_size": 0.0}, "step_size must be positive, but is 0.0"),
        ({"step_size_half_life": 0.0}, "step_size_half_life must be positive, but is 0.0"),
        ({"trace_decay": 1.5}, r"trace_decay must be in \[0, 1\], but is 1.5"),
        ({"groups": 0}, "groups must be at least 1, but is 0"),
        ({"order": -1}, "order must be at least 0, but is -1"),
        ({"hidden": (0,)}, "hidden must be at least 1, but is 0"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TDValueConfig(**setting)
