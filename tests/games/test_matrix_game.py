"""What only the matrix game's environment does: payoffs, observations, regrets."""

import numpy as np
import pytest

from rl_envs.games import NormalFormGame, named_game
from rl_envs.games.matrix_game import parallel_env


def play(env, *joint_actions):
    env.reset(seed=0)
    return [env.step(dict(zip(env.possible_agents, joint))) for joint in joint_actions]


def test_rewards_are_the_payoffs_of_the_table():
    game = named_game("battle_of_the_sexes")
    env = parallel_env(game, max_cycles=4)
    joints = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for joint, (_, rewards, *_) in zip(joints, play(env, *joints)):
        assert list(rewards.values()) == game.payoffs[(slice(None), *joint)].tolist()


def test_the_observation_is_one_before_the_first_round_and_then_tells_the_joint_action():
    env = parallel_env(payoffs=np.zeros((3, 2, 3, 2)).tolist(), max_cycles=12)
    assert env.observation_space("player_0").n == 2 + 12
    observations, _ = env.reset()
    assert [int(observation) for observation in observations.values()] == [1, 1, 1]
    for index, joint in enumerate(np.ndindex(2, 3, 2)):
        observations = env.step(dict(zip(env.agents, joint)))[0]
        assert {int(observation) for observation in observations.values()} == {2 + index}
    observations, _ = env.reset()
    assert {int(observation) for observation in observations.values()} == {1}


def test_the_one_hot_observation_marks_the_same_state():
    env = parallel_env("climbing", observation="one_hot")
    assert env.observation_space("player_1").shape == (10,)
    assert env.reset()[0]["player_0"].tolist() == [1] + [0] * 9
    observation = env.step({"player_0": 1, "player_1": 2})[0]["player_1"]
    assert observation.dtype == np.float32
    assert observation.argmax() == 1 + 1 * 3 + 2
    assert observation.sum() == 1


def test_infos_tell_the_joint_action_and_both_regrets():
    # Climbing, row player's view. (a, b): -30, b would have earned 7. (c, c): 5, b would have earned 6.
    env = parallel_env("climbing")
    _, infos = env.reset()
    assert infos["player_0"]["joint_action"].tolist() == [-1, -1]
    first, second = (step[4] for step in play(env, (0, 1), (2, 2)))
    assert first["player_0"]["joint_action"].tolist() == [0, 1]
    assert first["player_0"]["round_regret"] == 37
    assert first["player_0"]["external_regret"] == 37
    assert first["player_1"]["round_regret"] == 41  # a would have earned 11
    assert second["player_0"]["round_regret"] == 1
    # Always b would have earned 7 + 6 = 13 instead of -25; always a for player_1 11 + 0 instead of -25.
    assert second["player_0"]["external_regret"] == 38
    assert second["player_1"]["round_regret"] == 0
    assert second["player_1"]["external_regret"] == 36


def test_external_regret_is_the_gain_of_the_best_fixed_action_in_hindsight():
    game = NormalFormGame(np.random.default_rng(0).normal(size=(3, 2, 3, 4)))
    env = parallel_env(game, max_cycles=50)
    rng = np.random.default_rng(1)
    joints = [tuple(int(rng.integers(count)) for count in game.num_actions) for _ in range(50)]
    steps = play(env, *joints)
    for rounds in (1, 2, 50):
        for player, agent in enumerate(env.possible_agents):
            earned = sum(game.payoffs[(player, *joint)] for joint in joints[:rounds])
            fixed = [
                sum(game.payoffs[(player, *joint[:player], action, *joint[player + 1 :])] for joint in joints[:rounds])
                for action in range(game.num_actions[player])
            ]
            regret = steps[rounds - 1][4][agent]["external_regret"]
            assert regret == pytest.approx(max(fixed) - earned, abs=1e-9)


def test_episodes_are_truncated_after_max_cycles_and_never_terminated():
    env = parallel_env("chicken", max_cycles=3)
    steps = play(env, (0, 0), (0, 1), (1, 1))
    assert [step[3] for step in steps] == [{"player_0": t, "player_1": t} for t in (False, False, True)]
    assert all(not any(step[2].values()) for step in steps)
    assert env.agents == []


def test_a_table_replaces_the_named_game():
    env = parallel_env(payoffs=[[[1, 2]], [[3, 4]]])
    assert env.game.num_actions == (1, 2)
    assert env.game.name == "payoffs"
    assert parallel_env("penalty", k=-10).game == named_game("penalty", k=-10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"game": "climbin"}, ValueError, r"unknown game 'climbin'\. Did you mean 'climbing'\?"),
        ({"game": "climbing", "k": -10}, TypeError, r"the game climbing takes no parameters, but got k=-10"),
        ({"payoffs": [[1, 2], [3, 4]]}, ValueError, r"payoffs must have shape \[N, A1, \.\.\., AN\]"),
        ({"payoffs": [[1, float("nan")]]}, ValueError, r"payoffs must be finite, but player 0's"),
        ({"payoffs": [[1, 2]], "k": -10}, TypeError, r"only a named game takes parameters, but got k beside a table"),
        (
            {"game": "chicken", "payoffs": [[1, 2]]},
            TypeError,
            r"a game or payoffs and not both, but got the game 'chicken' beside payoffs",
        ),
        ({"game": named_game("chicken"), "payoffs": [[1, 2]]}, TypeError, r"but got the game 'chicken' beside payoffs"),
        ({"game": named_game("chicken"), "k": 1}, TypeError, r"only a named game takes parameters"),
    ],
)
def test_games_that_are_none_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        parallel_env(**arguments)
