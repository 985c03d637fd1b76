"""Tables of PettingZoo environments: grid soccer's from its own steps is the table that it samples from."""

import numpy as np
import pytest

pytest.importorskip("pettingzoo")
from gymnasium import spaces
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv
from scipy.sparse import coo_matrix

from rl_envs.extraction.refusal import NotTabular
from rl_envs.games import grid_soccer, solve_markov_game
from rl_envs.games.tabulated_game import tabulate_game


def law(game, number):
    """All outcomes as a sparse matrix: from pairs of state and actions to what may come of them, named by `number`."""
    shape = game.probability.shape
    pair = np.ravel_multi_index((number[:, None, None], *np.ogrid[: shape[1], : shape[2]]), (len(number), *shape[1:3]))
    kind = 2 * (game.reward + 1).astype(int) + game.terminated  # rewards are -1, 0 and 1
    outcome = 6 * np.where(game.terminated, 0, number[game.next_state]) + kind
    pairs = np.broadcast_to(pair[..., None], shape)
    entries = game.probability.ravel(), (pairs.ravel(), outcome.ravel())
    return coo_matrix(entries, shape=(len(number) * shape[1] * shape[2], 6 * len(number))).tocsr()


def test_grid_soccer_walked_by_its_steps_has_its_own_table() -> None:
    env = grid_soccer.parallel_env()
    walked = tabulate_game(env, discount=0.9, check_steps=1_000)
    assert walked.players == ("player_0", "player_1")
    assert walked.world.max_episode_steps == 100
    game, own = walked.zero_sum(), env.table
    assert walked.world.account.states == 760  # all but the two after a goal
    number = np.zeros(game.num_states, int)
    for seen, state in walked.state_of.items():
        number[state] = seen[0] - 1  # s is shown as s + 1
    difference = law(game, number) - law(own, np.arange(762))
    assert abs(difference[: 760 * 25]).max() < 1e-12
    assert game.start[np.argsort(number)] == pytest.approx(own.start)


class Pennies(ParallelEnv):
    """Matching pennies until somebody has won two more than the other; the coin lies wrong with probability 0.1."""

    metadata = {"name": "pennies"}

    def __init__(self, tax=0.0, leaving=False, players=2):
        self.possible_agents = [f"p{i}" for i in range(players)]
        self.tax, self.leaving = tax, leaving
        self.np_random, _ = seeding.np_random()

    def observation_space(self, agent):
        return spaces.Discrete(5, start=-2)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.np_random, _ = seeding.np_random(seed)
        self.agents = self.possible_agents[:]
        self.lead = 0
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions):
        same = actions["p0"] == actions["p1"]
        if self.np_random.random() < 0.1:
            same = not same
        self.lead += 1 if same else -1
        done = abs(self.lead) == 2
        pay = np.sign(self.lead) * float(done)
        agents = self.agents
        rewards = {agent: (pay if agent == "p0" else -pay) - self.tax for agent in agents}
        ends = {agent: done or (self.leaving and agent == "p1") for agent in agents}
        if done:
            self.agents = []
        return dict.fromkeys(agents, self.lead), rewards, ends, dict.fromkeys(agents, False), {a: {} for a in agents}


def test_matching_pennies_is_worth_nothing_by_its_symmetry() -> None:
    walked = tabulate_game(Pennies(), discount=0.9, check_steps=300)
    assert walked.world.account.states == 3
    solution = solve_markov_game(walked.zero_sum())
    value = {seen[0]: solution.value[state] for seen, state in walked.state_of.items() if state < 3}
    assert value[0] == pytest.approx(0, abs=1e-8)
    # One ahead: the next throw is worth 1 or 0.9 * v(0) = 0 with probability 1/2 each, whatever is played.
    assert value[1] == pytest.approx(0.5) == pytest.approx(-value[-1])


def test_a_game_that_is_not_zero_sum_has_a_joint_table_alone() -> None:
    walked = tabulate_game(Pennies(tax=0.25), discount=0.9, check_steps=300)
    assert walked.rewards.shape[0] == 2
    live = walked.world.mdp.probability[:3] > 0
    assert walked.rewards.sum(axis=0)[:3][live] == pytest.approx(-0.5)
    with pytest.raises(ValueError, match=r"must add up to 0, but in state 0 actions 0, 0 pay -0.25 and -0.25"):
        walked.zero_sum()


def test_three_players_have_no_zero_sum_game() -> None:
    walked = tabulate_game(Pennies(players=3), check_steps=0)
    assert walked.num_actions == (2, 2, 2)
    with pytest.raises(ValueError, match="must have two players, but this one has 3"):
        walked.zero_sum()


def test_players_who_leave_early_are_refused() -> None:
    with pytest.raises(NotTabular, match="all players must act until all are done, but p1 is done before the others"):
        tabulate_game(Pennies(leaving=True), check_steps=0)


def test_what_is_no_parallel_game_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes a parallel environment of PettingZoo, not 3"):
        tabulate_game(3)
    with pytest.raises(TypeError, match=r"takes a parallel environment .* aec_to_parallel"):
        tabulate_game(grid_soccer.env())
    env = Pennies()
    env.action_space = lambda agent: spaces.Box(0, 1, (1,))  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="the actions of p0 must be numbered from 0 to be counted, but are Box"):
        tabulate_game(env)
