"""Playing: what is counted, where a run is said to end, and players that leave an episode before it is over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv

from baselines.games.fictitious_play import FictitiousPlay
from baselines.games.independent_q import IndependentQ, IndependentQConfig
from baselines.games.loop import play
from baselines.games.minimax_q import MinimaxQ, MinimaxQConfig
from baselines.games.regret_matching import RegretMatching
from baselines.games.rollout import JointTransition, MarkovGameRollout, PettingZooRollout
from baselines.games.task import make_game_task
from rl_envs.games import named_game


class Leaving(ParallelEnv):
    """The prisoner's dilemma; player_1 is gone after two rounds of four, and player_0 then gets 10 for defecting."""

    metadata = {"name": "leaving"}

    def __init__(self) -> None:
        self.possible_agents = ["player_0", "player_1"]
        self.observation_spaces = {agent: spaces.Discrete(1) for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.Discrete(2) for agent in self.possible_agents}
        self.asked: list[set[str]] = []
        self.resets: list[int | None] = []

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        self.resets.append(seed)
        self.agents, self.round = self.possible_agents[:], 0
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        assert set(actions) == set(self.agents), "only those who are there may act"
        self.asked.append(set(actions))
        self.round += 1
        agents = self.agents
        if len(agents) == 2:
            payoffs = named_game("prisoners_dilemma").payoffs[:, actions["player_0"], actions["player_1"]]
            rewards = dict(zip(agents, payoffs.tolist()))
        else:
            rewards = {"player_0": 10.0 * actions["player_0"]}
        terminations = {agent: agent == "player_1" and self.round == 2 for agent in agents}
        truncations = dict.fromkeys(agents, self.round == 4)
        self.agents = [agent for agent in agents if not (terminations[agent] or truncations[agent])]
        return dict.fromkeys(agents, 0), rewards, terminations, truncations, {agent: {} for agent in agents}


def leaving(runs: int) -> tuple[list[Leaving], PettingZooRollout]:
    envs = [Leaving() for _ in range(runs)]
    return envs, PettingZooRollout(envs, range(5, 5 + runs), int)


def test_only_those_who_are_there_are_asked_and_taught() -> None:
    envs, around = leaving(2)
    agent = IndependentQ("prisoners_dilemma", runs=2, config=IndependentQConfig(step_size=1.0))
    seen: list[JointTransition] = []
    play(agent, steps=8, rollout=around, on_step=lambda transition, _: seen.append(transition))
    both, one = {"player_0", "player_1"}, {"player_0"}
    for i, env in enumerate(envs):
        assert env.asked == [both, both, one, one] * 2
        assert env.resets == [5 + i, None, None]  # seeded once, then the generators go on
    present = np.array([transition.present[0] for transition in seen])
    np.testing.assert_array_equal(present, [[True, True], [True, True], [True, False], [True, False]] * 2)
    for transition, here in zip(seen, present):
        assert ((transition.action[0] >= 0) == here).all()
        assert (transition.reward[0][~here] == 0).all()
        assert not transition.terminated[0][~here].any()
    np.testing.assert_array_equal(seen[1].terminated, [[False, True]] * 2)
    np.testing.assert_array_equal(seen[3].truncated, [[True, False]] * 2)


def test_a_player_that_has_left_is_taught_nothing_by_what_the_other_gets() -> None:
    _, around = leaving(3)
    agent = IndependentQ("prisoners_dilemma", runs=3, config=IndependentQConfig(epsilon=1.0, final_epsilon=1.0))
    values: list[np.ndarray] = []
    play(agent, steps=40, rollout=around, on_step=lambda *_: values.append(agent.q[1].copy()))
    for round_number in range(2, 40, 4):
        np.testing.assert_array_equal(values[round_number], values[round_number - 1])
        np.testing.assert_array_equal(values[round_number + 1], values[round_number - 1])
    assert (agent.q[0][:, 0, 1] > 4).all()  # beyond any payoff of the table: rounds alone count for who is there
    assert (agent.q[1] <= 4).all()


@pytest.mark.parametrize("cls", [FictitiousPlay, RegretMatching])
def test_learners_by_the_table_count_complete_rounds_only(cls: type) -> None:
    _, around = leaving(2)
    agent = cls("prisoners_dilemma", runs=2)
    record = play(agent, steps=12, rollout=around)
    assert record.joint_play.sum(axis=(1, 2)).tolist() == [6, 6]
    sums = agent.counts if cls is FictitiousPlay else agent.strategy_sum
    np.testing.assert_allclose([total.sum(axis=1) for total in sums], 6.0)


def test_payoffs_are_means_over_the_rounds_in_which_a_player_was_there() -> None:
    _, around = leaving(1)
    agent = IndependentQ("prisoners_dilemma", config=IndependentQConfig(epsilon=0.0, final_epsilon=0.0))
    for q in agent.q:
        q[0, 0] = [0.0, 1_000.0]  # both defect, for 1 each; alone, player_0 gets 10
    record = play(agent, steps=40, rollout=around)  # the last tenth is one episode
    np.testing.assert_allclose(record.late_payoff, [[(1 + 1 + 10 + 10) / 4, 1.0]])
    np.testing.assert_array_equal(record.final_joint_action, [[1, 1]])


def test_rounds_are_counted_whole_and_at_the_end() -> None:
    agent = IndependentQ("penalty", runs=3)
    seen: list[np.ndarray] = []
    record = play(agent, steps=45, checkpoints=4, on_step=lambda transition, _: seen.append(transition.action))
    assert record.steps.tolist() == [0, 11, 22, 34, 45]
    assert record.exploitability.shape == (5, 3)
    expected = np.zeros((2, 3, 3, 3), dtype=int)
    for t, action in enumerate(seen):
        for run, (row, column) in enumerate(action):
            expected[0, run, row, column] += 1
            expected[1, run, row, column] += t >= 40  # the last tenth, rounded up: 5 rounds
    np.testing.assert_array_equal(record.joint_play, expected[0])
    np.testing.assert_array_equal(record.late_play, expected[1])
    np.testing.assert_allclose(record.joint_frequency.sum(axis=(1, 2)), 1.0)
    table = agent.task.payoffs.payoffs
    mean = [[table[(i, *action[run])] for i in range(2)] for run in range(3) for action in seen[40:]]
    np.testing.assert_allclose(record.late_payoff, np.reshape(mean, (3, 5, 2)).mean(axis=1))


def test_the_exploitability_at_a_checkpoint_is_that_of_the_strategies_then() -> None:
    agent = FictitiousPlay("rock_paper_scissors", runs=4)
    record = play(agent, steps=30)
    np.testing.assert_array_equal(record.exploitability[0], 0.0)  # uniform before the first round
    np.testing.assert_array_equal(record.exploitability[-1], agent.task.exploitability(agent.strategies()))
    assert (record.exploitability[-1] > 0).all()


def test_copies_of_a_run_are_counted_together() -> None:
    agent = MinimaxQ("matching_pennies", runs=2, config=MinimaxQConfig(num_envs=8))
    record = play(agent, steps=60)  # 8 rounds at a time: 64
    assert agent.steps == 64
    assert record.joint_play.sum(axis=(1, 2)).tolist() == [64, 64]
    assert record.late_play.sum(axis=(1, 2)).tolist() == [16, 16]


def test_a_game_with_states_has_no_table_of_joint_actions() -> None:
    record = play(IndependentQ("grid_soccer", runs=2), steps=30)
    assert record.joint_play.shape == record.late_play.shape == (2, 0)
    np.testing.assert_allclose(record.late_payoff.sum(axis=1), 0.0)


def test_a_game_with_states_has_no_final_joint_action() -> None:
    record = play(IndependentQ("grid_soccer"), steps=5)
    with pytest.raises(ValueError, match="joint actions are counted in matrix games only"):
        _ = record.final_joint_action


def test_nothing_to_play_is_refused() -> None:
    agent = IndependentQ("climbing")
    with pytest.raises(ValueError, match="steps must be at least 1, but is 0"):
        play(agent, steps=0)
    with pytest.raises(ValueError, match="checkpoints must be at least 1, but is 0"):
        play(agent, steps=1, checkpoints=0)


def test_a_matrix_game_has_no_states_to_walk_through() -> None:
    with pytest.raises(TypeError, match="climbing is a matrix game and has no states"):
        MarkovGameRollout(make_game_task("climbing"), 1, 0)
