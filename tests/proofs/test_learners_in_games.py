"""Learning in games over longer times than the default suite allows: soccer by exact exploitability."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.comparison.statistics import mean_interval
from baselines.games.fictitious_play import FictitiousPlay
from baselines.games.independent_q import IndependentQ
from baselines.games.loop import play
from baselines.games.minimax_q import MinimaxQ, MinimaxQConfig
from baselines.games.regret_matching import RegretMatching
from rl_envs.games import coarse_correlated_gain

pytestmark = pytest.mark.proofs


def test_minimax_q_comes_near_the_minimax_policies_of_soccer() -> None:
    """Littman (1994) plays learned policies against challengers trained to beat them; here the best of all challengers
    is computed. Uniform play loses 0.554 a game, discounted, to a best response; minimax play nothing.
    """
    agent = MinimaxQ("grid_soccer", runs=4, config=MinimaxQConfig(num_envs=64))
    exploitability = play(agent, steps=1_200_000).exploitability[-1]
    print(f"\nMinimaxQ in grid_soccer, 1,200,000 rounds: exploitability {mean_interval(exploitability)} in 4 runs")
    assert exploitability.max() < 0.08  # found 0.011 to 0.041


def test_independent_q_learners_stay_exploitable_in_soccer() -> None:
    """Deterministic policies guarantee nothing: Littman's Q-learners lost every game to their challengers."""
    exploitability = play(IndependentQ("grid_soccer", runs=20), steps=60_000).exploitability[-1]
    print(f"\nIndependentQ in grid_soccer, 60,000 rounds: exploitability {mean_interval(exploitability)} in 20 runs")
    assert exploitability.mean() > 0.35  # found 0.457; minimax-Q has 0.03


@pytest.mark.parametrize("game", ["matching_pennies", "rock_paper_scissors"])
def test_errors_fall_as_one_over_the_root_of_the_rounds(game: str) -> None:
    """A hundred times the rounds, a tenth of the error: between 1/5 and 1/20 of it in the mean of 100 runs."""
    for cls in (FictitiousPlay, RegretMatching):
        agent = cls(game, runs=100)
        early, late = (play(agent, steps=steps).exploitability[-1].mean() for steps in (300, 29_700))
        print(f"\n{cls.__name__} in {game}: mean exploitability {early:.4f} after 300 rounds, {late:.5f} after 30,000")
        assert 1 / 20 < late / early < 1 / 5


def test_joint_play_of_regret_matching_comes_ever_nearer_to_coarse_correlated_equilibrium() -> None:
    agent = RegretMatching("chicken", runs=100)
    record = play(agent, steps=40_000)
    gaps = np.array([coarse_correlated_gain(agent.task.payoffs, one) for one in record.joint_frequency])
    print(f"\nRegretMatching in chicken, 40,000 rounds: largest gap of 100 runs {gaps.max():.5f}")
    assert gaps.max() < 0.01
