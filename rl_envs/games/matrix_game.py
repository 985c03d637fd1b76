"""Any matrix game as a PettingZoo environment: `parallel_env`, `env` and `raw_env`.

    env = parallel_env(game="climbing", max_cycles=25)
    observations, infos = env.reset(seed=0)
    observations, rewards, terminations, truncations, infos = env.step({"player_0": 0, "player_1": 0})

The game's whole solution is one import away: `all_equilibria(env.game)`, `env.game.exploitability(strategies)`.
"""

from __future__ import annotations

import math
from operator import add
from typing import Any, ClassVar

import numpy as np
from pettingzoo import AECEnv, ParallelEnv

from rl_envs.games import payoff_table_drawing
from rl_envs.games.catalogue import named_game
from rl_envs.games.normal_form import NormalFormGame
from rl_envs.games.simultaneous import SimultaneousGame
from rl_envs.games.turn_taking import OrderEnforced, TurnTakingGame

DEFAULT_GAME = "climbing"


class parallel_env(SimultaneousGame, ParallelEnv):  # PettingZoo's name for it
    """A matrix game played for a number of rounds.

    ## Description
    In every round all players choose an action simultaneously, see the others' actions, and get the payoffs of the
    joint action from the table. A named game of the catalogue, or any table of payoffs for any number of players.

    ## Action Space
    `Discrete(A_i)` for player_i: the actions in the order of the table. All agents have the same space where the table
    gives them equally many actions, as in every named game.

    ## Observation Space
    The same for all agents: the last joint action. `Discrete(J + 2)` for J joint actions, with 1 in the first round
    and 2 + j after joint action j; the last player's action varies fastest, and 0 is never used (see
    `rl_envs.games.simultaneous`). `observation="one_hot"`: a `Box` of J + 1 numbers, the first for the first round.

    ## Starting State
    No joint action has been played. Nothing is random: the seed is accepted and changes nothing.

    ## Rewards
    The payoffs of the joint action, one number per player.

    ## Episode End
    Truncation after `max_cycles` rounds, for all agents together.

    ## Information
    For every agent, at reset and after every round:
    - `joint_action`: int64 [N], what was played; -1 before the first round.
    - `round_regret`: float64, the additional payoff of the agent's best response to the others' actions in this round.
    - `external_regret`: float64, the additional payoff of the best single action in hindsight over all rounds so far,
      given the others' actions. It may be negative.

    ## Arguments
    `game`: a name of the catalogue ("climbing", "penalty", ...) with its parameters as further keywords (`k=-10`), or
    a `NormalFormGame`. `payoffs`: any table [N, A1, ..., AN] instead, as nested lists or an array. `max_cycles`: rounds
    an episode. `render_mode`: "human", "rgb_array" or "ansi". `observation`: "index" or "one_hot".

    ## Exact Solution
    `env.game` is the `NormalFormGame`: its equilibria, maximin values, social optimum and correlated equilibria are
    computed by the functions of `rl_envs.games`. Climbing has exactly three equilibria: (a, a) worth 11, (b, b) worth
    7, and (5/16, 0, 11/16) for both, worth 55/16.

    ## References
    Claus & Boutilier (1998), The dynamics of reinforcement learning in cooperative multiagent systems.

    ## Version History
    v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "matrix_game_v0",
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": 4,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        game: str | NormalFormGame = DEFAULT_GAME,
        max_cycles: int = 25,
        payoffs: Any = None,
        *,
        render_mode: str | None = None,
        observation: str = "index",
        **parameters: Any,
    ) -> None:
        self.game = _chosen_game(game, payoffs, parameters)
        num_joint_actions = math.prod(self.game.num_actions)
        self._set_up(self.game.num_actions, 1 + num_joint_actions, max_cycles, render_mode, observation)
        self._tabulate()

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Begin an episode.

        Args:
            seed: seeds `np_random`, which no rule of a matrix game uses.
            options: ignored.

        Returns:
            Observations and infos, one entry per agent.
        """
        self._seed(seed)
        self.agents = self.possible_agents[:]
        self._state, self._cycle = 0, 0
        self._totals = [0.0] * self.game.num_players
        self._hindsight = [[0.0] * count for count in self.game.num_actions]
        if self.render_mode == "human":
            self.render()
        infos: dict[str, dict[str, Any]] = {
            agent: {
                "joint_action": np.full(self.game.num_players, -1, dtype=np.int64),
                "round_regret": np.float64(0.0),
                "external_regret": np.float64(0.0),
            }
            for agent in self.agents
        }
        return self._observations(), infos

    def _play(self, joint: int) -> tuple[tuple[float, ...], bool, dict[str, dict[str, Any]]]:
        """Pay each player, and compute the regrets."""
        self._state = 1 + joint
        payoffs, round_regrets, joint_action = (
            self._payoffs[joint],
            self._round_regrets[joint],
            self._joint_actions[joint],
        )
        infos: dict[str, dict[str, Any]] = {}
        for player, agent in enumerate(self.agents):
            total = self._totals[player] = self._totals[player] + payoffs[player]
            alternatives = self._alternatives[player][joint]
            # What each action would have earned so far, had the player always played it.
            hindsight = list(map(add, self._hindsight[player], alternatives))
            self._hindsight[player] = hindsight
            infos[agent] = {
                "joint_action": joint_action.copy(),
                "round_regret": round_regrets[player],
                "external_regret": np.float64(max(hindsight) - total),
            }
        return payoffs, False, infos

    def _tabulate(self) -> None:
        """The table once more as Python numbers by joint action: a round is then a few look-ups."""
        self._joint_actions = np.array(list(np.ndindex(self.game.num_actions)), dtype=np.int64)  # [J, N]
        by_joint_action = self.game.payoffs.reshape(self.game.num_players, -1).T  # [J, N]
        self._payoffs: list[tuple[float, ...]] = [tuple(payoffs) for payoffs in by_joint_action.tolist()]
        alternatives = [self._own_alternatives(player) for player in range(self.game.num_players)]
        self._alternatives: list[list[list[float]]] = [of_player.tolist() for of_player in alternatives]
        regrets = np.stack([of_player.max(axis=1) for of_player in alternatives], axis=1) - by_joint_action  # [J, N]
        self._round_regrets = [tuple(of_joint_action) for of_joint_action in regrets]  # NumPy's floats never change

    def _own_alternatives(self, player: int) -> np.ndarray:
        """[J, A_player], what each action of the player would earn against the others' part of each joint action."""
        count = self.game.num_actions[player]
        against: list[Any] = [actions[:, None] for actions in self._joint_actions.T]
        against[player] = np.tile(np.arange(count), (len(self._joint_actions), 1))
        return self.game.payoffs[player][tuple(against)]

    def _scene(self) -> payoff_table_drawing.Scene:
        joint_action = tuple(self._joint_actions[self._state - 1].tolist()) if self._state else None
        return payoff_table_drawing.Scene(self.game, joint_action, self._cycle, self.max_cycles, tuple(self._totals))

    def _as_text(self) -> str:
        return payoff_table_drawing.as_text(self._scene())

    def _as_pixels(self) -> np.ndarray:
        return payoff_table_drawing.as_pixels(self._scene())


class raw_env(TurnTakingGame, AECEnv):  # PettingZoo's name for it
    """The same game with PettingZoo's turn-based AEC interface; all arguments are those of `parallel_env`."""

    def __init__(self, *args: Any, **arguments: Any) -> None:
        super().__init__(parallel_env(*args, **arguments))


def env(*args: Any, **arguments: Any) -> AECEnv:
    """The same game with PettingZoo's turn-based AEC interface, which checks the order of calls.

    Args:
        *args: those of `parallel_env`.
        **arguments: those of `parallel_env`.

    Returns:
        The wrapped environment.
    """
    return OrderEnforced(raw_env(*args, **arguments))


def _chosen_game(game: str | NormalFormGame, payoffs: Any, parameters: dict[str, Any]) -> NormalFormGame:
    if payoffs is None and not isinstance(game, NormalFormGame):
        return named_game(game, **parameters)
    named = repr(game.name if isinstance(game, NormalFormGame) else game)
    if payoffs is not None and not (isinstance(game, str) and game == DEFAULT_GAME):
        raise TypeError(f"give a game or payoffs and not both, but got the game {named} beside payoffs")
    if parameters:
        raise TypeError(f"only a named game takes parameters, but got {', '.join(parameters)} beside a table")
    if isinstance(game, NormalFormGame):
        return game
    return NormalFormGame(payoffs, name="payoffs")
