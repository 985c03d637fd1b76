"""Solve a matrix game exactly, play it at random, and compute the exploitability of the play.

python examples/matrix_game.py --game penalty --k -10
"""

from __future__ import annotations

import argparse

import numpy as np

from rl_envs.games import (
    GAMES,
    all_equilibria,
    correlated_equilibrium,
    maximin,
    named_game,
)
from rl_envs.games.matrix_game import parallel_env


def print_solution(game) -> None:
    found = all_equilibria(game)
    kind = "degenerate" if found.degenerate else "nondegenerate"
    print(f"{game.name}: {len(found)} extreme equilibria in {len(found.components)} components, {kind}")
    for equilibrium in found:
        strategies = " against ".join("(" + ", ".join(map(str, s)) + ")" for s in equilibrium.strategies)
        payoffs = ", ".join(map(str, equilibrium.payoffs))
        print(f"  {strategies}  pays {payoffs}; the best deviation gains {equilibrium.max_deviation_gain}")
    values = ", ".join(f"{round(maximin(game, player).value, 9) + 0.0:.6g}" for player in (0, 1))
    print(f"  each alone guarantees {values}")
    optimum = game.social_optimum()
    print(f"  social optimum {optimum.welfare:g} at {' '.join(map(game.joint_name, optimum.joint_actions))}")
    print(f"  best correlated equilibrium {correlated_equilibrium(game).value:.6g}")


def play_at_random(env, num_cycles: int) -> list[np.ndarray]:
    """Empirical frequencies of each player's actions over one episode of the uniform policy."""
    rng = np.random.default_rng(0)
    counts = [np.zeros(env.action_space(agent).n) for agent in env.possible_agents]
    env.reset(seed=0)
    while env.agents:
        actions = {agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents}
        env.step(actions)
        for player, action in enumerate(actions.values()):
            counts[player][action] += 1
    return [count / num_cycles for count in counts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--game", choices=GAMES, default="climbing")
    parser.add_argument("--k", type=float, help="the penalty of the penalty game")
    arguments = parser.parse_args()
    game = named_game(arguments.game, **({} if arguments.k is None else {"k": arguments.k}))
    print_solution(game)

    env = parallel_env(game, max_cycles=1_000, render_mode="ansi")
    frequencies = play_at_random(env, num_cycles=1_000)
    print(f"\nafter 1,000 rounds of the uniform policy, exploitability {game.exploitability(frequencies):.4g}\n")
    print(env.render())


if __name__ == "__main__":
    main()
