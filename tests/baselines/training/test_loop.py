"""The loop: checkpoints, scores and evaluation. What learning itself must obey is in `checks.py`."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.agents.optimal import Optimal
from baselines.agents.q_learning import QLearning
from baselines.agents.random_policy import Random
from baselines.learning.transition import Transition
from baselines.training.loop import checkpoint_steps, evaluate, score, train
from rl_envs.registry import WORLDS


@pytest.mark.parametrize(
    ("steps", "checkpoints", "marks"),
    [(100, 4, [0, 25, 50, 75, 100]), (10, 3, [0, 3, 7, 10]), (2, 5, [0, 1, 2]), (1, 1, [0, 1])],
)
def test_checkpoints_are_even_and_end_with_the_last_step(steps: int, checkpoints: int, marks: list[int]) -> None:
    np.testing.assert_array_equal(checkpoint_steps(steps, checkpoints), marks)


def test_a_learning_curve_has_the_exact_score_of_each_run_at_each_checkpoint() -> None:
    agent = QLearning("LineWalk", runs=4)
    seen = []
    curve = train(agent, steps=90, checkpoints=3, on_checkpoint=lambda steps: seen.append((steps, score(agent))))
    np.testing.assert_array_equal(curve.steps, [0, 30, 60, 90])
    assert curve.scores.shape == (4, 4)
    assert curve.exact
    assert curve.seconds > 0
    np.testing.assert_allclose(curve.scores[0], 0.0, atol=1e-12)  # all values equal: the uniform policy
    assert [steps for steps, _ in seen] == [30, 60, 90]
    np.testing.assert_array_equal(curve.scores[1:], [scores for _, scores in seen])


def test_a_second_call_counts_on() -> None:
    agent = QLearning("LineWalk")
    train(agent, steps=50, checkpoints=1)
    np.testing.assert_array_equal(train(agent, steps=10, checkpoints=2).steps, [50, 55, 60])


def test_every_step_is_shown_with_the_true_next_observation() -> None:
    steps: list[Transition] = []
    agent = Random("LineWalk", runs=6, seed=0)
    train(agent, steps=400, checkpoints=2, on_step=lambda transition, metrics: steps.append(transition))
    assert len(steps) == 400
    moved = np.array([t.next_observation - t.observation for t in steps])
    np.testing.assert_array_equal(moved, [2 * t.action - 1 for t in steps])
    terminated, truncated = (np.array([getattr(t, name) for t in steps]) for name in ("terminated", "truncated"))
    arrived = np.array([t.next_observation for t in steps])
    np.testing.assert_array_equal(terminated, (arrived == 0) | (arrived == 10))
    assert truncated.any()
    # After an end the next episode begins at the start, which is state 5.
    seen = np.array([t.observation for t in steps])
    np.testing.assert_array_equal(seen[1:], np.where((terminated | truncated)[:-1], 5, arrived[:-1]))


# RandomWalk has no time limit, and no agent of this interface plays RobotGraspMulti's several actions at once.
@pytest.mark.parametrize("world", [world for world in WORLDS if world not in ("RandomWalk", "RobotGraspMulti")])
def test_random_scores_0_and_its_measured_return_is_the_solvers(world: str) -> None:
    np.testing.assert_allclose(score(Random(world, runs=2)), 0.0, atol=1e-12)
    agent = Random(world, runs=500, seed=3)
    returns = evaluate(agent, episodes=4).ravel()
    exact = agent.task.truth.random_episode_return()
    assert abs(returns.mean() - exact) < 4 * returns.std() / np.sqrt(len(returns))


def test_optimal_scores_1_and_earns_the_optimum() -> None:
    for world in ("LineWalk", "LineBalance", "RandomMDP", "Bandit", "BanditTestbed", "FrozenLake-v1"):
        np.testing.assert_allclose(score(Optimal(world, runs=2)), 1.0, atol=1e-9)
    np.testing.assert_array_equal(evaluate(Optimal("LineBalance", runs=3), episodes=2), 0.0)


def test_where_there_is_no_table_scores_are_mean_returns_and_said_to_be_sampled() -> None:
    agent = Random("CartPole-v1", runs=2, seed=0)
    curve = train(agent, steps=40, checkpoints=2, episodes=3)
    assert not curve.exact
    assert curve.scores.shape == (3, 2)
    assert (curve.scores >= 8).all()  # no pole falls sooner
    assert len(np.unique(curve.scores)) > 1


def test_evaluation_is_capped_in_length() -> None:
    # RandomWalk has no time limit of its own.
    agent = Random("RandomWalk", runs=3, seed=0)
    np.testing.assert_array_equal(evaluate(agent, episodes=2, max_steps=3), 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, but is 0"),
        ({"steps": 5, "checkpoints": 0}, "checkpoints must be at least 1, but is 0"),
        ({"steps": 5, "episodes": 0}, "episodes must be at least 1, but is 0"),
    ],
)
def test_no_training_is_no_training(given: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(Random("LineWalk"), **given)


def test_no_evaluation_is_no_evaluation() -> None:
    with pytest.raises(ValueError, match="episodes must be at least 1"):
        evaluate(Random("LineWalk"), episodes=0)
    with pytest.raises(ValueError, match="max_steps must be at least 1"):
        evaluate(Random("LineWalk"), episodes=1, max_steps=0)
