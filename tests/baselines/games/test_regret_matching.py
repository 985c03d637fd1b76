"""Regret matching: sums of regret by hand, and the coarse correlated equilibria that joint play approaches."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.games.loop import play
from baselines.games.regret_matching import RegretMatching
from baselines.games.rollout import JointTransition
from rl_envs.games import NormalFormGame, coarse_correlated_gain, named_game


def played(agent: RegretMatching, actions: list[int], present: bool = True) -> dict[str, np.ndarray]:
    """Let one run see one round."""
    shape, zero = (1, len(actions)), np.zeros(1, dtype=int)
    nothing, here = np.zeros(shape, dtype=bool), np.full(shape, present)
    return agent.update(JointTransition(zero, np.array([actions]), np.zeros(shape), zero, nothing, nothing, here))


def test_regrets_add_up_by_hand() -> None:
    agent = RegretMatching("climbing")
    metrics = played(agent, [1, 2])  # both get 6
    # Against c, player 0 would have got 0, 6, 5; against b, player 1 would have got -30, 7, 6.
    np.testing.assert_array_equal(agent.regret[0], [[-6.0, 0.0, -1.0]])
    np.testing.assert_array_equal(agent.regret[1], [[-36.0, 1.0, 0.0]])
    np.testing.assert_array_equal(metrics["largest_regret"], [[0.0, 1.0]])
    played(agent, [1, 0])  # -30: player 0 would have got 11, -30, 0; player 1 -30, 7, 6
    np.testing.assert_array_equal(agent.regret[0], [[35.0, 0.0, 29.0]])
    np.testing.assert_array_equal(agent.regret[1], [[-36.0, 38.0, 36.0]])
    np.testing.assert_allclose(agent._strategy[0], [[35 / 64, 0.0, 29 / 64]])
    # The strategies that were played: uniform in both, then player 1's all on b.
    np.testing.assert_allclose(agent.strategies()[0], [[1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(agent.strategies()[1], [[1 / 6, 4 / 6, 1 / 6]])


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (3,)])
def test_alternatives_are_read_off_the_table(shape: tuple[int, ...]) -> None:
    game = NormalFormGame(np.random.default_rng(0).normal(size=(len(shape), *shape)))
    agent = RegretMatching(game)
    for joint in np.ndindex(shape):
        before = [regret.copy() for regret in agent.regret]
        played(agent, list(joint))
        for player, regret in enumerate(agent.regret):
            own = [
                game.payoffs[(player, *joint[:player], action, *joint[player + 1 :])] for action in range(shape[player])
            ]
            np.testing.assert_allclose((regret - before[player])[0], np.array(own) - own[joint[player]], atol=1e-12)


def test_a_round_that_somebody_had_left_is_not_regretted() -> None:
    agent = RegretMatching("climbing")
    played(agent, [1, -1], present=False)
    assert not any(regret.any() for regret in agent.regret)
    assert not any(total.any() for total in agent.strategy_sum)


def three_players() -> NormalFormGame:
    return NormalFormGame(np.random.default_rng(5).uniform(-1, 1, size=(3, 3, 3, 3)), name="three_players")


@pytest.mark.parametrize(
    "game", [named_game("chicken"), named_game("rock_paper_scissors"), three_players()], ids=lambda game: game.name
)
def test_joint_play_approaches_the_coarse_correlated_equilibria(game: NormalFormGame) -> None:
    agent = RegretMatching(game, runs=100)
    counts = np.zeros((100, *game.num_actions))
    gaps = []
    for steps in (400, 3_600):
        counts += play(agent, steps=steps).joint_play
        frequencies = counts / agent.steps
        gaps.append(np.array([coarse_correlated_gain(game, frequency) for frequency in frequencies]))
    # Mean regret falls at least as 1 / sqrt(rounds). After 4,000 rounds all of 100 runs are below 0.08, where even the
    # regret of playing rock, paper, scissors at random has a standard deviation of sqrt(2 / 3) / sqrt(4,000) = 0.013;
    # the largest found is 0.06. After 400 rounds the mean run is at least twice as far away.
    assert gaps[1].max() < 0.08
    assert np.maximum(gaps[1], 0).mean() < 0.5 * np.maximum(gaps[0], 0).mean()


@pytest.mark.parametrize("game", ["matching_pennies", "rock_paper_scissors"])
def test_average_strategies_approach_equilibrium_in_zero_sum_games(game: str) -> None:
    # All of 100 runs; the largest found after 4,000 rounds is about 0.03.
    assert play(RegretMatching(game, runs=100), steps=4_000).exploitability[-1].max() < 0.06


def test_the_metric_is_the_gap_of_joint_play() -> None:
    agent = RegretMatching("chicken", runs=5)
    last: list[np.ndarray] = []
    record = play(agent, steps=300, on_step=lambda _, metrics: last.append(metrics["largest_regret"]))
    gaps = [coarse_correlated_gain(agent.task.payoffs, one) for one in record.joint_frequency]
    np.testing.assert_allclose(last[-1].max(axis=1), gaps, atol=1e-12)


def test_the_prisoners_defect() -> None:
    record = play(RegretMatching("prisoners_dilemma", runs=100), steps=300)
    assert (record.final_joint_action == 1).all()


def test_acting_greedily_is_drawn_from_the_average() -> None:
    agent = RegretMatching("matching_pennies", runs=400)
    for total, weights in zip(agent.strategy_sum, ([1.0, 0.0], [1.0, 3.0])):
        total[:] = weights
    action = agent.act(np.zeros(400, dtype=int), greedy=True)
    assert (action[:, 0] == 0).all()
    assert 0.65 <= action[:, 1].mean() <= 0.85  # 3/4 of 400: standard error 0.022


def test_a_game_with_states_is_refused() -> None:
    with pytest.raises(TypeError, match="RegretMatching plays matrix games, but grid_soccer has states"):
        RegretMatching("grid_soccer")
