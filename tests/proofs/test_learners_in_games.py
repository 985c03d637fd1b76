"""Learning in games over longer times than the default suite allows: soccer by exact exploitability."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from baselines.comparison.statistics import Interval, mean_interval
from baselines.games.fictitious_play import FictitiousPlay
from baselines.games.independent_q import IndependentQ
from baselines.games.loop import play
from baselines.games.minimax_q import MinimaxQ, MinimaxQConfig
from baselines.games.regret_matching import RegretMatching
from rl_envs.games import coarse_correlated_gain

pytestmark = pytest.mark.proofs


def shown(interval: Interval) -> str:
    return f"{interval.estimate:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def test_minimax_q_approaches_the_minimax_policies_of_soccer(reproduced: Callable[..., None]) -> None:
    """Littman (1994) plays learned policies against challengers trained to beat them; here the best of all challengers
    is computed. The uniform policy loses 0.554 per game, discounted, to a best response; the minimax policy nothing.
    """
    agent = MinimaxQ("grid_soccer", runs=4, config=MinimaxQConfig(num_envs=64))
    exploitability = play(agent, steps=1_200_000).exploitability[-1]
    found = shown(mean_interval(exploitability))
    result = "MinimaxQ, grid soccer, 1,200,000 rounds: exploitability"
    reproduced(result, published="0 at minimax policies (Littman 1994)", ours=found)
    print(f"\nMinimaxQ in grid_soccer, 1,200,000 rounds: exploitability {found} in 4 runs")
    assert exploitability.max() < 0.08  # found 0.011 to 0.041


def test_independent_q_learners_stay_exploitable_in_soccer(reproduced: Callable[..., None]) -> None:
    """Deterministic policies guarantee nothing: Littman's Q-learners lost every game to their challengers."""
    exploitability = play(IndependentQ("grid_soccer", runs=20), steps=60_000).exploitability[-1]
    found = shown(mean_interval(exploitability))
    result = "IndependentQ, grid soccer, 60,000 rounds: exploitability"
    reproduced(result, published="loses every game to a challenger (Littman 1994)", ours=found)
    print(f"\nIndependentQ in grid_soccer, 60,000 rounds: exploitability {found} in 20 runs")
    assert exploitability.mean() > 0.35  # found 0.457; minimax-Q has 0.03


@pytest.mark.parametrize("game", ["matching_pennies", "rock_paper_scissors"])
def test_exploitability_falls_with_the_square_root_of_the_rounds(game: str, reproduced: Callable[..., None]) -> None:
    """A hundred times the rounds, a tenth of the error: between 1/5 and 1/20 of it in the mean of 100 runs."""
    for cls in (FictitiousPlay, RegretMatching):
        agent = cls(game, runs=100)
        early, late = (play(agent, steps=steps).exploitability[-1].mean() for steps in (300, 29_700))
        reproduced(
            f"{cls.__name__}, {game}: mean exploitability after 300 and 30,000 rounds",
            published="proportional to 1 / sqrt(rounds)",
            ours=f"{early:.4f} and {late:.5f}",
        )
        print(f"\n{cls.__name__} in {game}: mean exploitability {early:.4f} after 300 rounds, {late:.5f} after 30,000")
        assert 1 / 20 < late / early < 1 / 5


def test_joint_play_of_regret_matching_approaches_coarse_correlated_equilibrium(
    reproduced: Callable[..., None],
) -> None:
    agent = RegretMatching("chicken", runs=100)
    record = play(agent, steps=40_000)
    gaps = np.array([coarse_correlated_gain(agent.task.payoffs, one) for one in record.joint_frequency])
    reproduced(
        "RegretMatching, chicken, 40,000 rounds: largest gap to coarse correlated equilibrium",
        published="approaches 0 (Hart & Mas-Colell 2000)",
        ours=f"{gaps.max():.5f}",
    )
    print(f"\nRegretMatching in chicken, 40,000 rounds: largest gap of 100 runs {gaps.max():.5f}")
    assert gaps.max() < 0.01
