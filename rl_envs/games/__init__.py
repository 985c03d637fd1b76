"""Games with exact solutions: payoff tables and Markov games, and PettingZoo environments for both.

    from rl_envs.games import all_equilibria, named_game
    all_equilibria(named_game("climbing"))          # exactly three, as fractions, each with its certificate

    from rl_envs.games import matrix_game           # needs PettingZoo
    env = matrix_game.parallel_env(game="climbing")

Importing this package registers `rl_envs/matrix_game-v0` and `rl_envs/grid_soccer-v0` with PettingZoo if it is
installed and has a registry. Nothing else here needs PettingZoo; SciPy and pygame are imported where they are used.
"""

from __future__ import annotations

from rl_envs.games.anarchy import price_of_anarchy, worst_equilibrium_welfare
from rl_envs.games.catalogue import GAMES, named_game
from rl_envs.games.correlated import (
    CorrelatedEquilibrium,
    coarse_correlated_equilibrium,
    coarse_correlated_gain,
    correlated_equilibrium,
    correlated_gain,
)
from rl_envs.games.dominance import dominated_actions, iterated_elimination
from rl_envs.games.equilibria import Equilibrium, EquilibriumSet, NashSubset, all_equilibria
from rl_envs.games.markov_game import (
    MarkovGameSolution,
    ZeroSumMarkovGame,
    best_response_value,
    markov_exploitability,
    policy_value,
    solve_markov_game,
)
from rl_envs.games.normal_form import NormalFormGame, SocialOptimum, two_player
from rl_envs.games.registration import register_games
from rl_envs.games.security_level import Maximin, maximin
from rl_envs.games.soccer_rules import soccer_table
from rl_envs.games.vector_markov_game import VectorMarkovGame
from rl_envs.games.vector_matrix_game import VectorMatrixGame
from rl_envs.games.zero_sum import MatrixGameSolutions, solve_matrix_games

__all__ = [
    "GAMES",
    "CorrelatedEquilibrium",
    "Equilibrium",
    "EquilibriumSet",
    "MarkovGameSolution",
    "MatrixGameSolutions",
    "Maximin",
    "NashSubset",
    "NormalFormGame",
    "SocialOptimum",
    "VectorMarkovGame",
    "VectorMatrixGame",
    "ZeroSumMarkovGame",
    "all_equilibria",
    "best_response_value",
    "coarse_correlated_equilibrium",
    "coarse_correlated_gain",
    "correlated_equilibrium",
    "correlated_gain",
    "dominated_actions",
    "iterated_elimination",
    "markov_exploitability",
    "maximin",
    "named_game",
    "policy_value",
    "price_of_anarchy",
    "soccer_table",
    "solve_markov_game",
    "solve_matrix_games",
    "two_player",
    "worst_equilibrium_welfare",
]

register_games()
