"""Fictitious play: best responses by hand, and what its averages approach."""

from __future__ import annotations

import numpy as np
import pytest
from nashpy.learning.fictitious_play import fictitious_play

from baselines.games.fictitious_play import FictitiousPlay, FictitiousPlayConfig
from baselines.games.loop import play
from baselines.games.rollout import JointTransition
from rl_envs.games import NormalFormGame, two_player

OBSERVATION = np.zeros(1, dtype=int)


def played(agent: FictitiousPlay, actions: list[int], present: bool = True) -> None:
    """Let one run see one round."""
    shape = (1, len(actions))
    nothing, here = np.zeros(shape, dtype=bool), np.full(shape, present)
    zero = np.zeros(1, dtype=int)
    agent.update(JointTransition(zero, np.array([actions]), np.zeros(shape), zero, nothing, nothing, here))


def test_the_answer_is_best_against_the_counts() -> None:
    agent = FictitiousPlay("climbing")
    played(agent, [1, 2])
    # Player 0 has seen counts (1, 1, 2) of player 1: a is worth 11 - 30, b -30 + 7 + 12 and c 0 + 0 + 10, of 4.
    # Player 1 has seen (1, 2, 1) of player 0: a is worth 11 - 60, b -30 + 14 + 0 and c 0 + 12 + 5.
    np.testing.assert_array_equal(agent._values(0), [[-19.0, -11.0, 10.0]])
    np.testing.assert_array_equal(agent._values(1), [[-49.0, -16.0, 17.0]])
    np.testing.assert_array_equal(agent.act(OBSERVATION), [[2, 2]])
    for _ in range(6):
        played(agent, [1, 2])
    # Against (1, 1, 8): -19, -30 + 7 + 48 = 25 and 40. Against (1, 8, 1): b is -30 + 56 and c 48 + 5.
    np.testing.assert_array_equal(agent._values(0), [[-19.0, 25.0, 40.0]])
    np.testing.assert_array_equal(agent.act(OBSERVATION), [[2, 2]])


def test_the_frequencies_are_those_of_play_without_the_prior() -> None:
    agent = FictitiousPlay("matching_pennies", config=FictitiousPlayConfig(prior=10.0))
    np.testing.assert_array_equal(agent.strategies(), [[[0.5, 0.5]], [[0.5, 0.5]]])
    for actions in ([0, 1], [0, 0], [1, 0], [0, 0]):
        played(agent, actions)
    np.testing.assert_array_equal(agent.strategies(), [[[0.75, 0.25]], [[0.75, 0.25]]])


def test_others_are_believed_to_mix_independently() -> None:
    payoffs = np.zeros((3, 2, 2, 2))
    payoffs[0, 1, 1, 1] = 1.0  # player 0 wants 1 where both others play 1
    payoffs[0, 0] = 0.2
    agent = FictitiousPlay(NormalFormGame(payoffs))
    for actions in ([0, 0, 1], [0, 1, 0]):
        played(agent, actions)
    # Both others have counts (2, 2): together (1, 1) has weight 2 * 2 of 16, though it was never played.
    np.testing.assert_allclose(agent._values(0), [[0.2 * 16, 4.0]])


def test_a_round_that_somebody_had_left_is_not_counted() -> None:
    agent = FictitiousPlay("climbing")
    played(agent, [1, -1], present=False)
    assert not any(counts.any() for counts in agent.counts)
    assert agent.steps == 1


def test_ties_are_broken_at_random() -> None:
    agent = FictitiousPlay("coordination", runs=400)
    first = agent.act(np.zeros(400, dtype=int))
    assert 0.4 <= first.mean() <= 0.6  # a fair coin of 800: standard error 0.018
    assert 0.4 <= (first[:, 0] == first[:, 1]).mean() <= 0.6  # and each player has its own


@pytest.mark.parametrize("game", ["matching_pennies", "rock_paper_scissors"])
def test_averages_approach_equilibrium_in_zero_sum_games(game: str) -> None:
    agent = FictitiousPlay(game, runs=100)
    record = play(agent, steps=10_000, checkpoints=2)
    # All of 100 runs below 0.03; the largest found is below 0.01. The error falls about as 1 / sqrt(rounds).
    assert record.exploitability[-1].max() < 0.03
    assert record.exploitability[-1].mean() < 0.8 * record.exploitability[1].mean()


def test_dominance_is_solved() -> None:
    agent = FictitiousPlay("prisoners_dilemma", runs=100)
    record = play(agent, steps=200)
    assert (record.final_joint_action == 1).all()
    assert record.exploitability[-1].max() == 0.0


def test_shapleys_game_is_cycled_through_for_ever() -> None:
    """A learner that converges here does not play fictitiously: the averages go round and stay away from (1/3, ...)."""
    shapley = two_player([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]], name="shapley")
    record = play(FictitiousPlay(shapley, runs=20), steps=3_000)
    assert record.exploitability[-1].min() > 0.1  # the smallest found is 0.27; an equilibrium has 0


def test_a_prior_must_be_positive() -> None:
    with pytest.raises(ValueError, match="prior must be positive and finite, but is 0"):
        FictitiousPlayConfig(prior=0.0)


def test_a_game_with_states_is_refused() -> None:
    with pytest.raises(TypeError, match="FictitiousPlay plays matrix games, but grid_soccer has states"):
        FictitiousPlay("grid_soccer")


def test_a_player_alone_plays_its_best_action() -> None:
    record = play(FictitiousPlay(NormalFormGame([[0.0, 3.0, 1.0]]), runs=3), steps=20)
    assert (record.final_joint_action == 1).all()


def test_nashpy_plays_the_same_game_round_by_round() -> None:
    """In games without ties nothing is left to chance, so both must count the same actions in every round."""
    rng = np.random.default_rng(0)
    for shape in ((2, 2), (3, 4), (5, 3)):
        row, column = rng.normal(size=(2, *shape))
        agent = FictitiousPlay(two_player(row, column))
        prior = [np.ones(count) for count in shape]
        theirs = fictitious_play(row, column, iterations=60, play_counts=prior)
        assert [counts.tolist() for counts in next(theirs)] == [one.tolist() for one in prior]
        for expected in theirs:
            play(agent, steps=1)
            for counts, beliefs in zip(agent.counts, expected):
                np.testing.assert_array_equal(counts[0] + 1.0, beliefs)
        assert agent.steps == 60
