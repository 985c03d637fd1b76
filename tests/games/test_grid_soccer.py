"""What only the soccer environment does: it walks its table."""

import numpy as np
import pytest

from rl_envs.games import soccer_table, solve_markov_game
from rl_envs.games.grid_soccer import parallel_env
from rl_envs.games.soccer_rules import KICK_OFF, Position, position_of, state_of

NORTH, EAST, SOUTH, WEST, STAND = range(5)


def test_a_goal_ends_the_episode_with_one_point_for_the_scorer():
    env = parallel_env()
    env.reset(options={"state": state_of(Position(((1, 0), (3, 3)), ball=0))})
    observations, rewards, terminations, truncations, infos = env.step({"player_0": WEST, "player_1": STAND})
    assert rewards == {"player_0": 1.0, "player_1": -1.0}
    assert terminations == {"player_0": True, "player_1": True}
    assert truncations == {"player_0": False, "player_1": False}
    assert {int(observation) for observation in observations.values()} == {1 + 760}
    assert [int(info["is_success"]) for info in infos.values()] == [1, 0]
    assert env.agents == []


def test_a_round_without_a_goal_pays_nothing_and_infos_tell_who_has_the_ball():
    env = parallel_env(max_cycles=1)
    _, infos = env.reset(options={"state": state_of(Position(KICK_OFF, ball=1))})
    assert [int(info["has_ball"]) for info in infos.values()] == [0, 1]
    assert infos["player_0"]["joint_action"].tolist() == [-1, -1]
    _, rewards, terminations, truncations, infos = env.step({"player_0": NORTH, "player_1": STAND})
    assert [str(reward) for reward in rewards.values()] == ["0.0", "0.0"]
    assert terminations == {"player_0": False, "player_1": False}
    assert truncations == {"player_0": True, "player_1": True}
    assert infos["player_1"]["joint_action"].tolist() == [NORTH, STAND]


def test_a_goal_in_the_last_round_terminates_and_truncates():
    env = parallel_env(max_cycles=1)
    env.reset(options={"state": state_of(Position(((1, 0), (3, 3)), ball=0))})
    _, _, terminations, truncations, _ = env.step({"player_0": WEST, "player_1": STAND})
    assert all(terminations.values())
    assert all(truncations.values())


def test_sampled_rounds_have_the_frequencies_of_the_table():
    env = parallel_env()
    state = state_of(Position(((1, 1), (1, 3)), ball=0))
    reached = []
    env.reset(seed=0)
    for _ in range(4000):
        env.reset(options={"state": state})
        env.step({"player_0": EAST, "player_1": WEST})
        reached.append(int(env.state()) - 1)
    first, second = env.table.next_state[state, EAST, WEST]
    assert set(reached) == {first, second}
    # 4,000 fair coins: five standard deviations are 158.
    assert abs(reached.count(first) - 2000) < 158


def test_either_player_kicks_off_half_of_the_time():
    env = parallel_env()
    env.reset(seed=1)
    balls = []
    for _ in range(4000):
        env.reset()
        position = position_of(int(env.state()) - 1)
        assert position.squares == KICK_OFF
        balls.append(position.ball)
    assert abs(sum(balls) - 2000) < 158


def test_minimax_players_draw_on_average():
    solution = solve_markov_game(soccer_table())
    env, rng = parallel_env(max_cycles=1_000), np.random.default_rng(0)
    returns = []
    env.reset(seed=0)
    for _ in range(400):
        env.reset()
        discounted, weight = 0.0, 1.0
        while env.agents:
            state = int(env.state()) - 1
            actions = {
                agent: int(rng.choice(5, p=policy[state])) for agent, policy in zip(env.agents, solution.policies)
            }
            discounted += weight * env.step(actions)[1]["player_0"]
            weight *= 0.9
        returns.append(discounted)
    # The exact mean is 0; no return exceeds 1, so five standard errors are at most 0.25.
    assert abs(np.mean(returns)) < 0.25
    assert np.std(returns) > 0.1


@pytest.mark.parametrize("state", [-1, 760, 1.5, "kick-off", True])
def test_options_with_a_state_not_in_play_are_refused(state):
    with pytest.raises(ValueError, match=r"the state in options must be an integer from 0 to 759, but is"):
        parallel_env().reset(options={"state": state})


def test_a_discount_of_one_is_refused():
    with pytest.raises(ValueError, match=r"discount must be at least 0 and below 1, but is 1\.0"):
        parallel_env(discount=1.0)
