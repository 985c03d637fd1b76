"""Bandit theory against arithmetic by hand and against other ways to compute the same number."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import rel_entr

from rl_envs.mdp.bandit_theory import (
    bernoulli_divergence,
    gaps,
    lai_robbins_bernoulli,
    lai_robbins_gaussian,
    ucb1_regret_bound,
    uniform_regret,
)

EXACT = 1e-9
GAUSSIAN = (0.0, 0.2, 0.5, 0.1, 1.0)  # Bandit's default arms
BERNOULLI = (0.1, 0.2, 0.5, 0.1, 0.9)  # BernoulliBandit's


def test_gaps_are_what_an_arm_lacks_of_the_best():
    np.testing.assert_allclose(gaps(GAUSSIAN), [1.0, 0.8, 0.5, 0.9, 0.0])
    np.testing.assert_allclose(gaps([[1.0, 3.0], [5.0, 4.0]]), [[2.0, 0.0], [0.0, 1.0]])


def test_uniform_play_of_a_thousand_pulls_has_a_regret_of_640():
    # Gaps 1 + 0.8 + 0.5 + 0.9 + 0 = 3.2, a fifth of a thousand pulls each.
    assert uniform_regret(GAUSSIAN, 1000) == pytest.approx(640, abs=EXACT)
    # 0.8 + 0.7 + 0.4 + 0.8 + 0 = 2.7
    assert uniform_regret(BERNOULLI, 1000) == pytest.approx(540, abs=EXACT)
    assert uniform_regret(GAUSSIAN, 0) == 0


def test_the_gaussian_constant_is_twice_the_variance_over_each_gap():
    # 2 (1/1 + 1/0.8 + 1/0.5 + 1/0.9) = 10.7222...
    assert lai_robbins_gaussian(GAUSSIAN) == pytest.approx(193 / 18, abs=EXACT)
    assert round(lai_robbins_gaussian(GAUSSIAN), 4) == 10.7222
    assert lai_robbins_gaussian(GAUSSIAN, std=0.5) == pytest.approx(193 / 72, abs=EXACT)


def test_the_gaussian_constant_agrees_with_the_divergence_integrated():
    def divergence(mean, best):
        p, q = stats.norm(mean, 1), stats.norm(best, 1)
        return integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), mean - 12, mean + 12)[0]

    by_integral = sum((1 - mean) / divergence(mean, 1.0) for mean in GAUSSIAN[:4])
    assert lai_robbins_gaussian(GAUSSIAN) == pytest.approx(by_integral, abs=1e-7)


def test_the_bernoulli_constant_sums_gap_over_divergence():
    def divergence(p, q):
        return rel_entr([p, 1 - p], [q, 1 - q]).sum()

    by_scipy = sum((0.9 - p) / divergence(p, 0.9) for p in (0.1, 0.2, 0.5, 0.1))
    assert lai_robbins_bernoulli(BERNOULLI) == pytest.approx(by_scipy, abs=EXACT)
    assert lai_robbins_bernoulli(BERNOULLI) == pytest.approx(2.2069571352, abs=EXACT)


def test_the_divergence_of_a_half_from_a_quarter_is_half_the_log_of_four_thirds():
    # 1/2 ln((1/2)/(1/4)) + 1/2 ln((1/2)/(3/4)) = 1/2 ln(4/3)
    assert bernoulli_divergence(0.5, 0.25) == pytest.approx(math.log(4 / 3) / 2, abs=1e-15)


@pytest.mark.parametrize(
    ("p", "q", "divergence"),
    [(0.3, 0.3, 0.0), (0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.5, math.log(2)), (1.0, 0.25, math.log(4))],
)
def test_a_probability_of_nothing_adds_nothing_to_the_divergence(p, q, divergence):
    assert bernoulli_divergence(p, q) == pytest.approx(divergence, abs=1e-15)


@pytest.mark.parametrize(("p", "q"), [(0.5, 1.0), (0.5, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_what_the_other_distribution_rules_out_makes_the_divergence_infinite(p, q):
    assert bernoulli_divergence(p, q) == math.inf


def test_infinite_information_makes_the_constants_0():
    assert lai_robbins_bernoulli(GAUSSIAN) == 0  # the best arm always pays, so one 0 shows another to be another
    assert lai_robbins_gaussian(GAUSSIAN, std=0.0) == 0


def test_arms_as_good_as_the_best_add_nothing():
    assert lai_robbins_gaussian([1.0, 1.0]) == 0
    assert lai_robbins_bernoulli([0.4]) == 0
    assert ucb1_regret_bound([0.5, 0.5], 100) == 0
    assert uniform_regret([2.0, 2.0], 100) == 0
    assert lai_robbins_gaussian([1.0, 0.0, 1.0]) == lai_robbins_gaussian([1.0, 0.0]) == 2


def test_the_bound_of_ucb1_by_hand():
    # Gaps 1/2 and 1/4 at T = e^2 rounded down, 7: 8 ln 7 (2 + 4) + (1 + pi^2/3) 3/4
    expected = 48 * math.log(7) + 0.75 * (1 + math.pi**2 / 3)
    assert ucb1_regret_bound([0.5, 1.0, 0.75], 7) == pytest.approx(expected, abs=EXACT)
    assert ucb1_regret_bound([0.0, 1.0], 1) == pytest.approx(1 + math.pi**2 / 3, abs=EXACT)


def test_the_bound_of_ucb1_is_above_what_ucb1_does_and_what_must_be():
    regret = _regret_of_ucb1(BERNOULLI, pulls=500, runs=200)
    assert regret < ucb1_regret_bound(BERNOULLI, 500)
    assert ucb1_regret_bound(BERNOULLI, 500) > lai_robbins_bernoulli(BERNOULLI) * math.log(500)


def _regret_of_ucb1(probabilities, pulls, runs):
    """Mean pseudo-regret of UCB1 as Auer, Cesa-Bianchi & Fischer state it, over so many runs side by side."""
    generator = np.random.default_rng(0)
    arms = np.array(probabilities)
    counts, sums, regret = np.zeros((runs, len(arms))), np.zeros((runs, len(arms))), 0.0
    row = np.arange(runs)
    for t in range(pulls):
        if t < len(arms):
            arm = np.full(runs, t)
        else:
            arm = (sums / counts + np.sqrt(2 * math.log(t) / counts)).argmax(axis=1)
        counts[row, arm] += 1
        sums[row, arm] += generator.random(runs) < arms[arm]
        regret += (arms.max() - arms[arm]).mean()
    return regret


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: uniform_regret([], 10), ValueError, "means must be a list with a number for each of at least one arm"),
        (lambda: uniform_regret([0.0, math.inf], 10), ValueError, "means must be finite, but arm 1 has inf"),
        (lambda: uniform_regret(["a"], 10), TypeError, "means must be numbers, one per arm, but is"),
        (lambda: uniform_regret([0.0], -1), ValueError, "pulls must be at least 0, but is -1"),
        (lambda: lai_robbins_gaussian([[1.0]]), ValueError, "means must be a list with a number for each"),
        (lambda: lai_robbins_gaussian([1.0], std=-1), ValueError, "std must be finite and at least 0, but is -1"),
        (
            lambda: lai_robbins_bernoulli([0.1, 1.1]),
            ValueError,
            r"probabilities must be in \[0, 1\], but arm 1 has 1.1",
        ),
        (lambda: bernoulli_divergence(0.5, 1.5), ValueError, r"probabilities must be in \[0, 1\], but are 0.5 and 1.5"),
        (lambda: ucb1_regret_bound([0.5, 2.0], 10), ValueError, r"means must be in \[0, 1\], but arm 1 has 2.0"),
        (lambda: ucb1_regret_bound([0.5], 0), ValueError, "pulls must be at least 1, but is 0"),
    ],
)
def test_bad_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
