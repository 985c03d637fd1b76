"""Ids in PettingZoo's registry, and a package that works without PettingZoo."""

import subprocess
import sys

import numpy as np
import pettingzoo
import pytest

import rl_envs.games
from rl_envs.games.registration import IDS, register_games


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("game_id", IDS)
def test_pettingzoo_makes_the_games_by_their_ids(game_id):
    parallel = pettingzoo.make("parallel", game_id, max_cycles=4)
    assert isinstance(parallel, pettingzoo.ParallelEnv)
    assert parallel.max_cycles == 4
    turns = pettingzoo.make("aec", game_id, render_mode="ansi")
    assert isinstance(turns, pettingzoo.AECEnv)
    assert turns.render_mode == "ansi"
    unversioned = game_id.removesuffix("-v0")
    assert type(pettingzoo.make("parallel", unversioned)) is type(parallel)


def test_arguments_reach_the_game():
    env = pettingzoo.make("parallel", "rl_envs/matrix_game-v0", game="penalty", k=-10)
    assert env.game == rl_envs.games.named_game("penalty", k=-10)
    env = pettingzoo.make("parallel", "rl_envs/matrix_game-v0", payoffs=[[1, 2]])
    assert np.array_equal(env.game.payoffs, [[1, 2]])


def test_registering_again_changes_nothing_and_warns_of_nothing():
    before = dict(pettingzoo.parallel_registry)
    assert register_games()
    assert dict(pettingzoo.parallel_registry) == before


def test_an_older_pettingzoo_without_a_registry_is_no_error(monkeypatch):
    monkeypatch.delattr(pettingzoo, "register")
    assert not register_games()


def test_without_pettingzoo_games_are_solved_all_the_same():
    code = """
import sys
sys.modules["pettingzoo"] = None
sys.modules["pygame"] = None
from rl_envs.games import all_equilibria, named_game, solve_markov_game, soccer_table, maximin
print(len(all_equilibria(named_game("climbing"))), maximin(named_game("chicken"), 0).value)
"""
    assert run(code).split() == ["3", "2.0"]


def test_heavy_libraries_wait_until_they_are_used():
    code = """
import sys
import rl_envs.games
print([name for name in ("scipy", "pygame", "torch", "matplotlib") if name in sys.modules])
import rl_envs.games.matrix_game
print([name for name in ("scipy", "pygame", "torch", "matplotlib") if name in sys.modules])
"""
    assert run(code).split("\n")[:2] == ["[]", "[]"]
