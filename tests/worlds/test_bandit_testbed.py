"""Facts about BanditTestbed: two thousand problems that look alike."""

import numpy as np
import pytest
from gymnasium import spaces
from scipy import integrate, stats

from rl_envs.envs.tabular_env import TabularEnv
from rl_envs.mdp.finite_horizon import best_finite_horizon_values
from rl_envs.mdp.solve import solve
from rl_envs.worlds.bandit_testbed import bandit_testbed

EXACT = 1e-9


def test_arm_means_are_standard_normal_numbers_of_the_model_seed():
    mdp = bandit_testbed(num_arms=3, num_problems=4, model_seed=9).mdp
    assert np.array_equal(mdp.mean_reward, np.random.default_rng(9).standard_normal((4, 3)))
    means = bandit_testbed().mdp.mean_reward
    assert means.shape == (2000, 10)
    assert stats.kstest(means.ravel(), stats.norm.cdf).pvalue > 1e-4


def test_a_problem_stays_the_same_whatever_is_pulled():
    mdp = bandit_testbed().mdp
    assert mdp.num_outcomes == 1
    assert (mdp.next_state[:, :, 0] == np.arange(2000)[:, None]).all()
    assert not mdp.terminated.any()


def test_every_problem_is_as_likely_as_any_other():
    assert (bandit_testbed(num_problems=8).mdp.start == 1 / 8).all()


def test_rewards_have_unit_noise():
    assert (bandit_testbed().mdp.reward_std == 1).all()


def test_resets_draw_another_problem_and_hide_it():
    env = TabularEnv("BanditTestbed")
    assert env.observation_space == spaces.Discrete(1)
    observations, problems = [], set()
    env.reset(seed=0)
    for _ in range(100):
        observations.append(env.reset()[0])
        problems.add(env.get_state()["state"])
        observations.append(env.step(0)[0])
    assert set(observations) == {0}
    assert len(problems) > 90  # 100 draws of 2,000 repeat about twice


def test_the_problem_can_be_shown_on_request():
    env = TabularEnv("BanditTestbed", observation="index")
    assert env.observation_space == spaces.Discrete(2000)
    assert env.reset(options={"state": 1234})[0] == 1234
    assert env.step(0)[0] == 1234


def test_regret_counts_from_the_best_arm_of_the_same_problem():
    env = TabularEnv("BanditTestbed")
    means = env.world.mdp.mean_reward
    for problem in (0, 77, 1999):
        env.reset(seed=0, options={"state": problem})
        for arm in range(10):
            assert env.step(arm)[4]["regret"] == pytest.approx(max(means[problem]) - means[problem, arm], abs=1e-15)


def test_knowing_the_problem_the_best_arm_for_ever_is_the_optimum():
    mdp = bandit_testbed().mdp
    v_star = solve(mdp).v_star
    np.testing.assert_allclose(v_star, mdp.mean_reward.max(axis=1) / (1 - 0.95), rtol=0, atol=EXACT)
    assert mdp.start @ best_finite_horizon_values(mdp, 1) == pytest.approx(1.534830, abs=5e-7)


def test_the_largest_of_ten_standard_normal_numbers_is_1_538753_on_average():
    def density(x):
        return 10 * x * stats.norm.pdf(x) * stats.norm.cdf(x) ** 9

    expected = integrate.quad(density, -10, 10)[0]
    assert expected == pytest.approx(1.538753, abs=5e-7)
    best = bandit_testbed().mdp.mean_reward.max(axis=1)
    assert best.mean() == pytest.approx(expected, abs=5 * best.std() / np.sqrt(2000))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_arms": 0}, ValueError, "num_arms must be at least 1, but is 0"),
        ({"num_arms": "ten"}, TypeError, "num_arms must be an integer, but is 'ten'"),
        ({"num_problems": 0}, ValueError, "num_problems must be at least 1, but is 0"),
        ({"num_problems": 2e3}, TypeError, "num_problems must be an integer, but is 2000.0"),
        ({"model_seed": -1}, ValueError, "model_seed must be at least 0, but is -1"),
        ({"model_seed": None}, TypeError, "model_seed must be an integer, but is None"),
        ({"discount": 1.5}, ValueError, r"discount must be in \[0, 1\], but is 1.5"),
        ({"observation": "hiden"}, ValueError, "unknown observation 'hiden'. Did you mean 'hidden'?"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        bandit_testbed(**arguments)
