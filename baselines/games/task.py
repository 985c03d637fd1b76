"""A game as a task: its players, actions and states, and the exact exploitability of strategies.

Agents in games are scored by exploitability: a player's gain from a best response to the others, averaged over the
players. It is 0 exactly at equilibria, and computed from the game's table, never sampled.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rl_envs.games import GAMES, NormalFormGame, ZeroSumMarkovGame, markov_exploitability, named_game, soccer_table
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.names import unknown
from rl_envs.specification import Specification, check_no_word

# Markov games by name: what builds the table, and the rounds of an episode.
MARKOV_GAMES: dict[str, tuple[Callable[..., ZeroSumMarkovGame], int]] = {"grid_soccer": (soccer_table, 100)}

# Rounds of an episode of a matrix game.
MATRIX_GAME_CYCLES = 25

# How exactly the exploitability of policies in a Markov game is computed, in units of discounted reward.
EXPLOITABILITY_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class GameTask:
    """A game to play.

    Args:
        name: what it is called in tables, files and seeds: "climbing", "penalty:k=-10", "grid_soccer".
        game: the name in the catalogue that this stands for, or that of a table of the user's own.
        arguments: keyword arguments of the game's builder, and `max_cycles` where it was given.
        table: the payoffs, or the Markov game.
        max_cycles: rounds an episode.
    """

    name: str
    game: str
    arguments: Mapping[str, Any]
    table: NormalFormGame | ZeroSumMarkovGame
    max_cycles: int

    @property
    def num_players(self) -> int:
        """N."""
        return len(self.num_actions)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """The number of actions of each player, (A_1, ..., A_N)."""
        return self.table.num_actions

    @property
    def num_states(self) -> int:
        """S; a matrix game has one state, because its learners see no history: every round is a game by itself."""
        return 1 if isinstance(self.table, NormalFormGame) else self.table.num_states

    @property
    def discount(self) -> float:
        """Gamma; 0 in a matrix game, whose rounds have nothing to do with each other."""
        return 0.0 if isinstance(self.table, NormalFormGame) else self.table.discount

    @property
    def payoffs(self) -> NormalFormGame:
        """The payoff table; raises TypeError where the game has states."""
        if not isinstance(self.table, NormalFormGame):
            raise TypeError(f"{self.name} has states, so it is no matrix game with one payoff table")
        return self.table

    @property
    def table_hash(self) -> str:
        """The hash of everything the table says."""
        if isinstance(self.table, NormalFormGame):
            arrays: list[np.ndarray] = [self.table.payoffs]
        else:
            fields = ("probability", "next_state", "reward", "terminated", "start")
            arrays = [getattr(self.table, field) for field in fields]
        digest = hashlib.sha256(repr(self.discount).encode())
        for array in arrays:
            digest.update(f"{array.dtype} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def metadata(self) -> dict[str, Any]:
        """The task's description in a saved agent's file."""
        return {"environment": self.game, "arguments": dict(self.arguments), "table": self.table_hash}

    def exploitability(self, strategies: Sequence[np.ndarray]) -> np.ndarray:
        """A player's exact gain from a best response to the others, averaged over players.

        Args:
            strategies: one a player, [R, A_i] in a matrix game, [R, S, A_i] in a Markov game.

        Returns:
            [R], at least 0; in a Markov game up to `EXPLOITABILITY_TOLERANCE`.
        """
        table = self.table
        if isinstance(table, NormalFormGame):
            return table.exploitability(strategies)
        pairs = zip(*strategies)
        return np.array([markov_exploitability(table, pair, EXPLOITABILITY_TOLERANCE) for pair in pairs])

    def make_parallel_env(self) -> Any:
        """The game as a PettingZoo parallel environment; raises ImportError where PettingZoo is not installed."""
        if isinstance(self.table, NormalFormGame):
            from rl_envs.games import matrix_game

            return matrix_game.parallel_env(self.table, max_cycles=self.max_cycles)
        from rl_envs.games import grid_soccer

        return grid_soccer.parallel_env(max_cycles=self.max_cycles, discount=self.table.discount)

    def state_seen(self, observation: Any) -> int:
        """The number of the state in an agent's observation of the PettingZoo environment, from 0."""
        return 0 if isinstance(self.table, NormalFormGame) else int(observation) - 1


def make_game_task(
    game: GameTask | NormalFormGame | str, *, max_cycles: int | None = None, **arguments: Any
) -> GameTask:
    """Make a task of a named game or of any payoff table.

    Args:
        game: a name of the catalogue or "grid_soccer", perhaps with settings ("climbing", "penalty:k=-10"); or a payoff
            table. A `GameTask` is given back as it is.
        max_cycles: rounds an episode; 25 in a matrix game and 100 in soccer when left out.
        **arguments: settings of the game beside those behind its name, such as `k` of penalty or `discount` of soccer.

    Returns:
        The task.

    Raises:
        ValueError: an unknown name, naming the nearest, or a value that the game refuses.
        TypeError: an argument that the game does not take, one given twice, or a word for a number.
    """
    if isinstance(game, GameTask):
        return game
    given = arguments if max_cycles is None else {**arguments, "max_cycles": max_cycles}
    if isinstance(game, NormalFormGame):
        if arguments:
            raise TypeError(f"a payoff table takes no arguments, but got {', '.join(arguments)}")
        return _matrix_game_task(Specification(game.name, given), game)
    if not isinstance(game, str):
        raise TypeError(f"game must be a name or a NormalFormGame, but is {game!r}")
    specification = Specification.parse(game)
    return make_named(Specification(specification.name, specification.also(given)))


def make_named(specification: Specification) -> GameTask:
    """Make the task of a named game; raises as `make_game_task`."""
    name, arguments = specification.name, dict(specification.settings)
    cycles = _cycles(arguments.pop("max_cycles", None))
    if name in MARKOV_GAMES:
        builder, usual_cycles = MARKOV_GAMES[name]
        table = builder(**_known_arguments(name, builder, arguments))
        return GameTask(specification.label, name, dict(specification.settings), table, cycles or usual_cycles)
    if name not in GAMES:
        raise ValueError(unknown("game", name, [*GAMES, *MARKOV_GAMES]))
    return _matrix_game_task(specification, named_game(name, **arguments))


def _matrix_game_task(specification: Specification, game: NormalFormGame) -> GameTask:
    settings = specification.settings
    cycles = _cycles(settings.get("max_cycles"))
    return GameTask(specification.label, specification.name, dict(settings), game, cycles or MATRIX_GAME_CYCLES)


def _cycles(max_cycles: int | None) -> int | None:
    """The requested rounds per episode; None for the default."""
    return None if max_cycles is None else check_integer("max_cycles", max_cycles, low=1)


def registered_game_task(metadata: Mapping[str, Any]) -> GameTask | None:
    """The task that `GameTask.metadata` describes; None where nothing is registered by its name."""
    game = metadata["environment"]
    return make_game_task(game, **metadata["arguments"]) if game in GAMES or game in MARKOV_GAMES else None


def _known_arguments(game: str, builder: Callable[..., Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    accepted = inspect.signature(builder).parameters
    for name, value in arguments.items():
        if name not in accepted:
            raise TypeError(f"the game {game} takes {', '.join(accepted)}, but got {name}={value!r}")
        check_no_word(f"{game}'s {name}", value, accepted[name])
    return arguments
