"""What reports show: computed once, and nothing left out that is missing or NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from baselines.comparison.results import Results
from baselines.comparison.rows import Row
from baselines.report.contents import Contents, check_row, pure_equilibria
from tests.baselines.report.report_results import ABOUT, RUNS, STEPS, WICKED_AGENT, game, results, row


def broken(name: str, value: object) -> Row:
    """A row of Q-learning on LineWalk with another value of one field."""
    return replace(row("LineWalk", "QLearning"), **{name: value})


def with_nan(shape: tuple[int, ...], *at: int) -> np.ndarray:
    numbers = np.zeros(shape)
    numbers[at] = np.nan
    return numbers


def test_a_run_that_is_nan_is_named() -> None:
    wrong = broken("scores", with_nan((len(STEPS), RUNS), 3, 4))
    with pytest.raises(ValueError, match="run 4 of QLearning on LineWalk has nan"):
        Contents(Results((row("LineWalk", "Sarsa"), wrong), (), ABOUT))


def test_a_checkpoint_without_scores_is_named() -> None:
    with pytest.raises(ValueError, match="every checkpoint must have scores, but QLearning on LineWalk has 5 of 11"):
        check_row(broken("scores", np.zeros((5, RUNS))))


def test_a_regret_that_is_nan_or_of_another_shape_is_named() -> None:
    with pytest.raises(ValueError, match="run 2 of the regret of QLearning on LineWalk has nan"):
        check_row(broken("regret", with_nan((len(STEPS), RUNS), 1, 2)))
    with pytest.raises(ValueError, match=r"regret must be \(11, 10\) like the scores, but .* is \(11, 9\)"):
        check_row(broken("regret", np.zeros((len(STEPS), 9))))


def test_a_value_error_that_is_nan_is_named_and_an_infinite_one_is_fine() -> None:
    with pytest.raises(ValueError, match="state 7 has none for QLearning on LineWalk"):
        check_row(broken("value_error", with_nan((11,), 7)))
    check_row(broken("value_error", np.full(11, np.inf)))


def test_a_game_whose_exploitability_is_nan_is_named() -> None:
    wrong = game("climbing", "IndependentQ", 2)
    exploitability = wrong.record.exploitability.copy()
    exploitability[-1, 5] = np.nan
    wrong = replace(wrong, record=replace(wrong.record, exploitability=exploitability))
    with pytest.raises(ValueError, match="run 5 of IndependentQ in climbing has nan"):
        Contents(Results((), (wrong,), ABOUT))


def test_agents_that_do_not_learn_have_no_line_of_their_own() -> None:
    styles = Contents(results()).styles
    assert list(styles) == ["QLearning", "Sarsa", "SB3DQN", WICKED_AGENT, "IndependentQ", "FictitiousPlay"]
    assert list(styles.values()) == list(range(6))


def test_thresholds_reach_down_to_the_worst_run_and_up_to_the_optimum() -> None:
    good = Contents(Results((row("LineWalk", "QLearning"),), (), ABOUT)).thresholds
    np.testing.assert_allclose(good, np.arange(101) / 100)
    for worst, lowest in ((-0.23, -0.3), (-5.0, -1.0)):
        scores = row("LineWalk", "QLearning").scores.copy()
        scores[-1, 0] = worst
        found = Contents(Results((broken("scores", scores),), (), ABOUT)).thresholds
        assert (found[0], found[-1]) == (lowest, 1.0)


def test_a_profile_is_the_share_of_runs_at_the_end() -> None:
    contents = Contents(results())
    found = next(one for one in contents.profiles if (one.world, one.agent) == ("LineWalk", "QLearning"))
    # Ends at 0.9 ... 0.99 in nine runs, and 0 in one.
    at = {round(score, 2): share for score, share in zip(found.profile.thresholds, found.profile.share)}
    assert at[0.0] == 1.0
    assert at[0.5] == 0.9
    assert at[1.0] == 0.0


def test_returns_that_were_sampled_are_profiled_on_a_scale_of_their_own() -> None:
    contents = Contents(results())
    found = next(one for one in contents.profiles if (one.world, one.agent) == ("CartPole-v1", "QLearning"))
    assert found.profile.thresholds[0] == pytest.approx(20.0)
    assert found.profile.thresholds[-1] > 400


def test_only_agents_of_several_worlds_are_profiled_across_them() -> None:
    agents = [profile.agent for profile in Contents(results()).profiles_across]
    assert agents == ["QLearning", "Sarsa", "SB3DQN"]
    assert [agent.worlds for agent in Contents(results()).across if agent.agent == "Sarsa"] == [
        ("LineWalk", "FourRooms", "Bandit")
    ]


def test_regret_comes_with_what_theory_says_at_the_same_checkpoints() -> None:
    regret = Contents(results()).regret
    assert list(regret) == ["Bandit"]
    assert list(regret["Bandit"]) == ["Random", "Optimal", "QLearning", "Sarsa"]
    bounds = regret["Bandit"]["QLearning"].bounds
    np.testing.assert_array_equal(bounds.pulls, STEPS)
    assert bounds.uniform[-1] == pytest.approx(0.64 * STEPS[-1])  # gaps of 1, 0.8, 0.5, 0.9 and 0


def test_pure_equilibria_are_named_and_a_game_with_states_has_none_to_name() -> None:
    assert pure_equilibria(game("climbing", "IndependentQ", 0).task) == ["(a, a)", "(b, b)"]
    from baselines.games.task import make_game_task

    assert pure_equilibria(make_game_task("grid_soccer")) == []
