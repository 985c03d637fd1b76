"""How fast the games are: one round of the parallel environments, and the vector forms.

PettingZoo's rock-paper-scissors (rps_v2) is the measure, played with the same actions in the same process; every number
is the median of several repetitions, taken in turns so that a busy moment of the machine hits all alike.

    python benchmarks/games.py
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from statistics import median

import numpy as np

from rl_envs.games import VectorMarkovGame, VectorMatrixGame, named_game, soccer_table
from rl_envs.games.grid_soccer import parallel_env as grid_soccer
from rl_envs.games.matrix_game import parallel_env as matrix_game

NO_LIMIT = 10**9


def rps_v2():
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # PettingZoo 1.27 would rather be asked through its registry
        from pettingzoo.classic import rps_v2 as module
    return module.parallel_env(max_cycles=NO_LIMIT)


def rounds_of(env, num_actions: int, num_rounds: int) -> Callable[[], None]:
    """A function that plays so many rounds with actions fixed beforehand."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(num_actions, size=(num_rounds, 2)).tolist()
    actions = [dict(zip(env.possible_agents, pair)) for pair in drawn]

    def play() -> None:
        env.reset(seed=0)
        step = env.step
        for joint_action in actions:
            step(joint_action)
            if not env.agents:
                env.reset()

    return play


def batches_of(game, num_actions: int, num_copies: int, num_rounds: int) -> Callable[[], None]:
    """A function that plays so many rounds in every copy of a vector form."""
    actions = np.random.default_rng(0).integers(num_actions, size=(num_rounds, num_copies, 2))

    def play() -> None:
        game.reset()
        for joint_actions in actions:
            game.step(joint_actions)

    return play


def seconds(play: Callable[[], None]) -> float:
    begun = time.perf_counter()
    play()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3_000, help="rounds a repetition, one environment")
    parser.add_argument("--repetitions", type=int, default=9, help="repetitions, at least 5")
    arguments = parser.parse_args()
    num_rounds, num_copies, vector_rounds = arguments.rounds, 4_096, 200

    # name -> (what plays, rounds played by one call)
    rows = {
        "PettingZoo rps_v2": (rounds_of(rps_v2(), 3, num_rounds), num_rounds),
        "matrix_game, rock_paper_scissors": (
            rounds_of(matrix_game("rock_paper_scissors", max_cycles=NO_LIMIT), 3, num_rounds),
            num_rounds,
        ),
        "grid_soccer": (rounds_of(grid_soccer(max_cycles=NO_LIMIT), 5, num_rounds), num_rounds),
        f"VectorMatrixGame, {num_copies} copies": (
            batches_of(
                VectorMatrixGame(named_game("rock_paper_scissors"), num_copies, NO_LIMIT), 3, num_copies, vector_rounds
            ),
            num_copies * vector_rounds,
        ),
        f"VectorMarkovGame (soccer), {num_copies} copies": (
            batches_of(VectorMarkovGame(soccer_table(), num_copies), 5, num_copies, vector_rounds),
            num_copies * vector_rounds,
        ),
    }
    for play, _ in rows.values():
        play()  # warm up
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(max(arguments.repetitions, 5)):
        for name, (play, _) in rows.items():
            times[name].append(seconds(play))

    reference = median(times["PettingZoo rps_v2"]) / num_rounds
    print(f"{'':44}{'us/round':>10}{'rounds/s':>14}{'x rps_v2':>10}")
    for name, (_, played) in rows.items():
        each = median(times[name]) / played
        print(f"{name:44}{each * 1e6:10.3f}{1 / each:14,.0f}{reference / each:10.1f}")


if __name__ == "__main__":
    main()
