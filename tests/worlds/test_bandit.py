"""Facts about Bandit that follow from its rules by hand."""

import numpy as np
import pytest

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_horizon import best_finite_horizon_values, finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.worlds.bandit import bandit
from tests import second_method

EXACT = 1e-9


def test_an_arm_pays_its_mean_and_leads_back():
    mdp = bandit(means=[3.0, -1.5]).mdp
    assert mdp.transitions() == {0: {0: [(1.0, 0, 3.0, False)], 1: [(1.0, 0, -1.5, False)]}}
    assert mdp.reward_std is None


def test_the_best_arm_for_ever_is_worth_its_mean_over_one_minus_the_discount():
    # 1 / (1 - 0.95) = 20
    assert solve(bandit().mdp).v_star[0] == pytest.approx(20, abs=EXACT)
    assert solve(bandit().mdp).optimal_actions.tolist() == [[False, False, False, False, True]]


def test_a_thousand_pulls_are_worth_1000_at_best_and_360_at_random():
    mdp = bandit().mdp
    assert best_finite_horizon_values(mdp, 1000)[0] == pytest.approx(1000, abs=EXACT)
    assert finite_horizon_values(mdp, second_method.uniform(mdp), 1000)[0] == pytest.approx(360, abs=EXACT)


def test_info_tells_the_regret_of_the_pull():
    env = TabularEnv("Bandit")
    _, info = env.reset(seed=0)
    assert info == {"regret": 0.0}
    regrets = [env.step(arm)[4]["regret"] for arm in range(5)]
    np.testing.assert_allclose(regrets, [1.0, 0.8, 0.5, 0.9, 0.0], rtol=0, atol=1e-15)
    assert {type(regret) for regret in regrets} == {np.float64}


def test_the_regret_is_of_means_and_not_of_noisy_rewards():
    env = TabularEnv("Bandit", means=[0.0, 1.0], std=5.0)
    env.reset(seed=0)
    rows = [env.step(0) for _ in range(50)]
    assert {row[4]["regret"] for row in rows} == {1.0}
    assert len({row[1] for row in rows}) == 50


def test_noise_has_the_standard_deviation_given():
    env = TabularEnv("Bandit", means=[2.0], std=3.0)
    env.reset(seed=0)
    rewards = np.array([env.step(0)[1] for _ in range(4000)])
    assert rewards.mean() == pytest.approx(2, abs=5 * 3 / np.sqrt(4000))
    assert rewards.std() == pytest.approx(3, abs=5 * 3 / np.sqrt(2 * 4000))


def test_the_text_counts_pulls_and_marks_the_last_arm():
    env = TabularEnv("Bandit", render_mode="ansi")
    env.reset(seed=0)
    for arm in (4, 4, 2):
        env.step(arm)
    rows = [line.split() for line in env.render().splitlines()]
    assert [">", "2", "1", "+0.500"] in [row[:4] for row in rows]  # marked, arm 2, one pull, its mean
    assert ["4", "2", "+1.000"] in [row[:3] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"means": []}, ValueError, "means must be a list with a number for each of at least one arm, but is"),
        ({"means": 1.0}, ValueError, "means must be a list with a number for each of at least one arm, but is 1.0"),
        ({"means": [[1.0], [2.0]]}, ValueError, "means must be a list with a number for each of at least one arm"),
        ({"means": [0.0, float("nan")]}, ValueError, "means must be finite, but arm 1 has nan"),
        ({"means": ["one", "two"]}, TypeError, "means must be numbers, one per arm, but is"),
        ({"means": None}, TypeError, "means must be numbers, one per arm, but is None"),
        ({"means": [[1.0], [2.0, 3.0]]}, TypeError, "means must be numbers, one per arm, but is"),
        ({"std": -0.5}, ValueError, "std must be finite and at least 0, but is -0.5"),
        ({"std": float("inf")}, ValueError, "std must be finite and at least 0, but is inf"),
        ({"std": None}, TypeError, "std must be a number, but is None"),
        ({"discount": 1.5}, ValueError, r"discount must be in \[0, 1\], but is 1.5"),
        ({"observation": "means"}, ValueError, "unknown observation 'means'. Known: index, one_hot"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        bandit(**arguments)
