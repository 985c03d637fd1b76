"""Thompson: beliefs, and arms drawn from them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from baselines.agents.thompson import Thompson, ThompsonConfig
from baselines.learning.transition import Transition
from baselines.training.regret import regret_curve
from baselines.training.task import make_task
from tests.baselines.agents.test_bandit import play

BETA = ThompsonConfig(prior="beta")


def test_the_gaussian_belief_starts_as_the_prior_and_narrows() -> None:
    config = ThompsonConfig(prior_mean=3.0, prior_std=2.0, noise_std=0.5)
    agent = Thompson(make_task("Bandit", means=(1.0, -1.0)), config=config)
    np.testing.assert_allclose(agent.belief(), [[[3.0, 3.0]], [[2.0, 2.0]]])
    for arm in (0, 0, 0, 1):
        agent.update(Transition(*_pull(arm, 1.0 - 2 * arm)))
    # Precision 1/4 + 3 * 4 = 12.25 and mean (3/4 + 3 * 4) / 12.25 for arm 0; 4.25 and (3/4 - 4) / 4.25 for arm 1.
    mean, std = agent.belief()
    np.testing.assert_allclose(mean[0], [12.75 / 12.25, -3.25 / 4.25], rtol=1e-12)
    np.testing.assert_allclose(std[0], [12.25**-0.5, 4.25**-0.5], rtol=1e-12)


def test_the_beta_belief_counts_ones_and_zeros() -> None:
    agent = Thompson("BernoulliBandit", config=ThompsonConfig(prior="beta", successes=2.0, failures=3.0))
    for arm, reward in ((0, 1.0), (0, 0.0), (0, 1.0), (4, 0.0)):
        agent.update(Transition(*_pull(arm, reward)))
    ones, zeros = agent.belief()
    np.testing.assert_array_equal(ones[0], [4, 2, 2, 2, 2])
    np.testing.assert_array_equal(zeros[0], [4, 3, 3, 3, 4])
    np.testing.assert_allclose(agent.estimates()[0], [0.5, 0.4, 0.4, 0.4, 2 / 6])


def test_two_gaussian_arms_are_pulled_as_often_as_each_is_likely_to_be_the_better() -> None:
    # After 8 pulls of each with noise 1 and prior N(0, 1) the beliefs are N(sum / 9, 1 / 9). With sums 0 and 4.5 the
    # difference is N(0.5, 2 / 9), and P(arm 1 better) = Phi(0.5 / sqrt(2 / 9)) = Phi(1.06066) = 0.8556.
    agent = Thompson(make_task("Bandit", means=(0.0, 1.0)), runs=4_000)
    agent.pulls[:], agent.total[:] = 8, [0.0, 4.5]
    share = agent.act(np.zeros(4_000)).mean()
    assert share == pytest.approx(0.5 * (1 + math.erf(0.5 / math.sqrt(2 / 9) / math.sqrt(2))), abs=0.03)  # se 0.0056


def test_two_beta_arms_are_pulled_as_often_as_each_is_likely_to_be_the_better() -> None:
    # Beta(2, 1) against Beta(1, 1): P(X > U) = E[X] = 2 / 3.
    agent = Thompson(make_task("BernoulliBandit", probabilities=(0.5, 0.5)), runs=4_000, config=BETA)
    agent.pulls[:], agent.total[:] = [1, 0], [1, 0]
    assert (agent.act(np.zeros(4_000)) == 0).mean() == pytest.approx(2 / 3, abs=0.04)  # standard error 0.0075


def test_a_reward_that_is_neither_0_nor_1_is_refused_with_the_beta_prior() -> None:
    agent = Thompson(make_task("Bandit", means=(0.5,)), config=BETA)
    with pytest.raises(
        ValueError, match=r'rewards must be 0 or 1 with prior "beta", but one is 0\.5: use prior "gaussian"'
    ):
        play(agent, 1)


def test_with_the_right_prior_it_loses_less_than_with_a_wide_one() -> None:
    right = regret_curve(Thompson("BernoulliBandit", runs=300, config=BETA)).regret[-1]
    wide = regret_curve(Thompson("BernoulliBandit", runs=300)).regret[-1]
    # 11.5 against 41.5, with standard errors of 0.2 and 0.4.
    assert wide.mean() - right.mean() > 20


def _pull(arm: int, reward: float) -> tuple[np.ndarray, ...]:
    zero, no = np.array([0]), np.array([False])
    return zero, np.array([arm]), np.array([reward]), zero, no, no
