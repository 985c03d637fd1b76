"""Independent Q-learners: the arithmetic of an update, and where populations of them end."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.games.agent import GameAgent
from baselines.games.independent_q import IndependentQ, IndependentQConfig
from baselines.games.loop import play
from baselines.games.rollout import JointTransition
from rl_envs.games import NormalFormGame, named_game

NEVER = np.array([[False, False]])


def ends(agent: IndependentQ, steps: int) -> dict[str, int]:
    """How many runs ended with each joint action."""
    actions = play(agent, steps=steps).final_joint_action
    names, counts = np.unique([agent.task.payoffs.joint_name(joint) for joint in actions], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist()))


def transition(action: list[int], reward: list[float], present: list[bool] | None = None) -> JointTransition:
    """One round of a matrix game in one run."""
    here = np.array([[True, True] if present is None else present])
    return JointTransition(
        np.zeros(1, int), np.array([action]), np.array([reward]), np.zeros(1, int), NEVER, NEVER, here
    )


def test_one_update_of_a_matrix_game_by_hand() -> None:
    agent = IndependentQ("prisoners_dilemma", config=IndependentQConfig(step_size=0.5))
    agent.q[0][0, 0] = [2.0, 4.0]
    metrics = agent.update(transition([1, 0], [4.0, 0.5]))
    # A round is a game by itself, gamma 0: 4 - 4 = 0 and 0.5 - 0 = 0.5, whatever the best next value.
    np.testing.assert_array_equal(metrics["td_error"], [[0.0, 0.5]])
    np.testing.assert_array_equal(agent.q[0], [[[2.0, 4.0]]])
    np.testing.assert_array_equal(agent.q[1], [[[0.25, 0.0]]])


def test_one_update_of_a_game_with_states_by_hand() -> None:
    agent = IndependentQ("grid_soccer", runs=3, config=IndependentQConfig(step_size=0.5))
    for q in agent.q:
        q[:, 7] = [0.0, 1.0, 2.0, 1.0, 0.0]  # where all three runs arrive
    metrics = agent.update(
        JointTransition(
            observation=np.array([0, 0, 3]),
            action=np.array([[1, 2], [1, 2], [0, 0]]),
            reward=np.array([[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]]),
            next_observation=np.array([7, 7, 7]),
            terminated=np.array([[False, False], [True, True], [False, False]]),
            truncated=np.array([[False, False], [False, False], [True, True]]),
            present=np.ones((3, 2), dtype=bool),
        )
    )
    # 0 + 0.9 * 2 = 1.8;   a goal: 1 and -1, nothing after it;   cut off, and yet 0 + 0.9 * 2
    np.testing.assert_allclose(metrics["td_error"], [[1.8, 1.8], [1.0, -1.0], [1.8, 1.8]], rtol=1e-12)
    assert agent.q[0][0, 0, 1] == pytest.approx(0.9)  # state 0 is a state
    assert agent.q[1][1, 0, 2] == -0.5
    assert agent.q[1][2, 3, 0] == pytest.approx(0.9)
    assert sum(np.count_nonzero(q) for q in agent.q) == 2 * 3 * 3 + 6


def test_a_player_that_has_left_learns_nothing_and_counts_for_nothing() -> None:
    for reward in ("own", "common"):
        agent = IndependentQ("prisoners_dilemma", config=IndependentQConfig(reward=reward, step_size=1.0))
        agent.update(transition([1, -1], [3.0, 0.0], present=[True, False]))
        np.testing.assert_array_equal(agent.q[0], [[[0.0, 3.0]]])  # the mean of those who are there is 3, not 1.5
        np.testing.assert_array_equal(agent.q[1], [[[0.0, 0.0]]])


def test_a_common_reward_is_the_mean_of_all_payoffs() -> None:
    agent = IndependentQ("prisoners_dilemma", config=IndependentQConfig(reward="common", step_size=1.0))
    agent.update(transition([1, 0], [4.0, 1.0]))
    assert (agent.q[0][0, 0, 1], agent.q[1][0, 0, 0]) == (2.5, 2.5)


def test_the_prisoners_defect_for_their_own_reward_and_cooperate_for_a_common_one() -> None:
    # 100 runs each, all of them: defecting is worth more whatever the other does, and 1 is a wide gap beside the noise
    # of a step size of 0.05.
    assert ends(IndependentQ("prisoners_dilemma", runs=100), 2_000) == {"(defect, defect)": 100}
    common = IndependentQ("prisoners_dilemma", runs=100, config=IndependentQConfig(reward="common"))
    assert ends(common, 2_000) == {"(cooperate, cooperate)": 100}


def climb() -> dict[str, int]:
    return ends(IndependentQ("climbing", runs=100), 3_000)


def check_that_climbers_are_independent(found: dict[str, int]) -> None:
    """(c, c) in most of 100 runs and (a, a) hardly ever: found 100 and 0, a standard error of at most 5 runs."""
    assert found.get("(c, c)", 0) >= 80
    assert found.get("(a, a)", 0) <= 5


def test_climbers_settle_on_c_and_hardly_ever_find_a() -> None:
    check_that_climbers_are_independent(climb())


def test_players_that_share_a_random_stream_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # With the same numbers both always do the same, never meet -30, and find (a, a) every time.
    own = GameAgent.stream_seeds

    def shared(self: GameAgent, purpose: str, num_envs: int) -> list[np.random.SeedSequence]:
        seeds = own(self, purpose, num_envs)
        return [seed for first in seeds[::2] for seed in (first, first)]

    monkeypatch.setattr(GameAgent, "stream_seeds", shared)
    found = climb()
    assert found["(a, a)"] >= 95
    with pytest.raises(AssertionError):
        check_that_climbers_are_independent(found)


@pytest.mark.parametrize(("epsilon", "better"), [(0.05, "b"), (0.119, "b"), (0.121, "c"), (0.2, "c"), (1.0, "c")])
def test_c_is_the_best_answer_to_an_exploring_c_above_an_epsilon_of_3_in_25(epsilon: float, better: str) -> None:
    game = named_game("climbing")
    other = np.full(3, epsilon / 3) + (1 - epsilon) * np.eye(3)[2]
    assert game.best_responses(0, [np.ones(3) / 3, other]) == ("abc".index(better),)


def test_a_penalty_of_100_drives_them_to_the_safe_pair() -> None:
    # All of 100 runs; found 100, asked for 95.
    assert ends(IndependentQ("penalty", runs=100), 3_000).get("(b, b)", 0) >= 95


def test_greedy_learners_without_exploration_stay_with_what_they_first_liked() -> None:
    greedy = IndependentQConfig(epsilon=0.0, final_epsilon=0.0)
    agent = IndependentQ("coordination", runs=100, config=greedy)
    found = ends(agent, 500)
    # Once a pair has agreed, nothing else is worth more; before that, ties are broken at random.
    assert set(found) == {"(a, a)", "(b, b)"}
    assert min(found.values()) >= 30  # a fair coin: 50, standard error 5
    assert agent.task.exploitability(agent.strategies()).max() == 0.0


def test_softmax_learners_defect_and_agree() -> None:
    softmax = IndependentQConfig(exploration="softmax", final_temperature=0.2)
    assert ends(IndependentQ("prisoners_dilemma", runs=100, config=softmax), 3_000) == {"(defect, defect)": 100}
    agent = IndependentQ("coordination", runs=100, config=softmax)
    found = ends(agent, 3_000)
    # An agreement is worth 1 and a temperature of 0.2 then plays the other action once in 148 times.
    assert found.get("(a, a)", 0) + found.get("(b, b)", 0) >= 95
    np.testing.assert_allclose([one.sum(axis=-1) for one in agent.strategies()], 1.0)


def test_softmax_climbers_mostly_climb_back_to_b_and_some_reach_a() -> None:
    # Found 68 and 11 of 100 runs; standard errors 5 and 3.
    found = ends(IndependentQ("climbing", runs=100, config=IndependentQConfig(exploration="softmax")), 3_000)
    assert found.get("(b, b)", 0) >= 50
    assert 1 <= found.get("(a, a)", 0) <= 25


def test_schedules_go_in_straight_lines_over_rounds() -> None:
    agent = IndependentQ("climbing")
    halfway = 500
    agent.steps = halfway
    assert agent.epsilon == pytest.approx(0.6)  # 1 to 0.2
    assert agent.temperature == pytest.approx(5.25)  # 10 to 0.5
    assert agent.step_size == 0.05


def test_players_may_have_different_numbers_of_actions() -> None:
    game = NormalFormGame(np.random.default_rng(0).normal(size=(3, 2, 3, 4)))
    agent = IndependentQ(game, runs=2)
    record = play(agent, steps=50)
    assert record.joint_play.shape == (2, 2, 3, 4)
    assert [strategy.shape for strategy in agent.strategies()] == [(2, 2), (2, 3), (2, 4)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reward": "mine"}, "unknown reward 'mine'"),
        ({"exploration": "softmx"}, "unknown exploration 'softmx'"),
        ({"step_size": 0.0}, r"step_size must be in \(0, 1\], but is 0"),
        ({"step_size_half_life": 0.0}, "step_size_half_life must be positive, but is 0"),
        ({"temperature": 0.0}, "temperature must be positive, but is 0"),
        ({"final_temperature": -1.0}, "final_temperature must be positive, but is -1"),
        ({"epsilon": 2.0}, r"epsilon must be in \[0, 1\], but is 2"),
        ({"final_epsilon": -0.1}, r"final_epsilon must be in \[0, 1\], but is -0.1"),
        ({"epsilon_steps": -1}, "epsilon_steps must be at least 0, but is -1"),
        ({"temperature_steps": -1}, "temperature_steps must be at least 0, but is -1"),
        ({"initial_value": np.inf}, "initial_value must be finite, but is inf"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IndependentQConfig(**settings)


@pytest.mark.parametrize("game", ["matching_pennies", "grid_soccer"])
def test_a_common_reward_of_nothing_is_refused(game: str) -> None:
    with pytest.raises(ValueError, match=f"the payoffs of {game} sum to 0, so a common reward is always 0"):
        IndependentQ(game, config=IndependentQConfig(reward="common"))
