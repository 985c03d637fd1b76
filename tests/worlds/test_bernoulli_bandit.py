"""Facts about BernoulliBandit that follow from its rules by hand."""

import numpy as np
import pytest

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_horizon import best_finite_horizon_values, finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.worlds.bernoulli_bandit import bernoulli_bandit
from tests import second_method

EXACT = 1e-9


def test_an_arm_pays_1_with_its_probability_and_else_nothing():
    transitions = bernoulli_bandit(probabilities=[0.25, 1.0, 0.0]).mdp.transitions()
    assert sorted(transitions[0][0]) == [(0.25, 0, 1.0, False), (0.75, 0, 0.0, False)]
    assert transitions[0][1] == [(1.0, 0, 1.0, False)]
    assert transitions[0][2] == [(1.0, 0, 0.0, False)]


def test_the_best_arm_for_ever_is_worth_its_mean_over_one_minus_the_discount():
    # 0.9 / (1 - 0.95) = 18
    assert solve(bernoulli_bandit().mdp).v_star[0] == pytest.approx(18, abs=EXACT)
    assert solve(bernoulli_bandit().mdp).optimal_actions.tolist() == [[False, False, False, False, True]]


def test_a_thousand_pulls_are_worth_900_at_best_and_360_at_random():
    mdp = bernoulli_bandit().mdp
    assert best_finite_horizon_values(mdp, 1000)[0] == pytest.approx(900, abs=EXACT)
    assert finite_horizon_values(mdp, second_method.uniform(mdp), 1000)[0] == pytest.approx(360, abs=EXACT)


def test_rewards_are_0_or_1_as_often_as_the_arm_says():
    env = TabularEnv("BernoulliBandit")
    env.reset(seed=0)
    rewards = [env.step(1)[1] for _ in range(4000)]
    assert set(rewards) == {0.0, 1.0}
    assert np.mean(rewards) == pytest.approx(0.2, abs=5 * np.sqrt(0.2 * 0.8 / 4000))


def test_the_regret_of_a_pull_does_not_depend_on_what_it_paid():
    env = TabularEnv("BernoulliBandit")
    _, info = env.reset(seed=0)
    assert info == {"regret": 0.0}
    rows = [env.step(2) for _ in range(50)]
    assert {row[1] for row in rows} == {0.0, 1.0}
    np.testing.assert_allclose([row[4]["regret"] for row in rows], 0.4, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"probabilities": [0.5, 1.5]}, ValueError, r"probabilities must be in \[0, 1\], but arm 1 has 1.5"),
        ({"probabilities": [-0.1]}, ValueError, r"probabilities must be in \[0, 1\], but arm 0 has -0.1"),
        ({"probabilities": [float("nan")]}, ValueError, r"probabilities must be in \[0, 1\], but arm 0 has nan"),
        ({"probabilities": []}, ValueError, "probabilities must be a list with a number for each of at least one arm"),
        ({"probabilities": "half"}, TypeError, "probabilities must be numbers, one per arm, but is 'half'"),
        ({"discount": -1}, ValueError, r"discount must be in \[0, 1\], but is -1"),
        ({"observation": "hidden"}, ValueError, "unknown observation 'hidden'."),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        bernoulli_bandit(**arguments)
