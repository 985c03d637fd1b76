"""Games in a comparison: a cell for each game and game agent."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from baselines.comparison.cells import Cell, decisive
from baselines.comparison.measures import complete
from baselines.games.loop import GameRecord, play
from baselines.games.registry import GAME_AGENTS, players_of
from baselines.games.specification import GameSpecification
from baselines.training.registration import AgentSpecification
from baselines.training.specification import each_once
from rl_envs.mdp.finite_mdp import check_integer
from rl_envs.specification import named


@dataclass(frozen=True)
class GameCell(Cell):
    """All runs of one game agent in one game.

    Args:
        game: the game.
        agent: the game agent.
        num_runs: number of runs.
        rounds: rounds of each run.
        checkpoints: number of evaluations, evenly spaced, besides the one at the start.
        seed: the base seed.
    """

    game: GameSpecification
    agent: AgentSpecification
    num_runs: int
    rounds: int
    checkpoints: int
    seed: int

    ARRAYS: ClassVar[Set[str]] = frozenset(field.name for field in fields(GameRecord))

    @property
    def runs(self) -> range:
        """The numbers of the runs."""
        return range(self.num_runs)

    @property
    def title(self) -> str:
        """The game and the agent."""
        return f"{self.game} · {self.agent}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the result: agent, table, rounds, seed and versions."""
        task = self.game.task
        return {**self.plain(), **decisive(self.agent), "table": task.table_hash, "max_cycles": task.max_cycles}

    @property
    def cost(self) -> float:
        """The runs advance together."""
        return self.rounds

    def compute(self) -> dict[str, np.ndarray]:
        """Play the runs."""
        agent = self.agent.make(self.game.task, runs=self.num_runs, seed=self.seed)
        record = play(agent, steps=self.rounds, checkpoints=self.checkpoints)
        complete(record.exploitability, f"{self.agent} in {self.game}", self.runs)
        return {name: np.asarray(getattr(record, name)) for name in self.ARRAYS}


def game_cells(
    games: Sequence[GameSpecification],
    agents: Sequence[AgentSpecification],
    *,
    runs: int,
    rounds: int,
    checkpoints: int,
    seed: int,
) -> list[GameCell]:
    """All cells of games, in the order of the table.

    Args:
        games: the games.
        agents: the game agents; none for all that can play the game.
        runs: independent runs of each.
        rounds: rounds of each run.
        checkpoints: number of evaluations per run, besides the one at the start.
        seed: the base seed.

    Raises:
        ValueError: a number out of range, a name given twice, agents without a game, or an unknown game, agent or
            setting, naming the nearest.
        TypeError: an agent that cannot play one of the games.
    """
    for name, number in (("runs", runs), ("rounds", rounds), ("checkpoints", checkpoints)):
        check_integer(name, number, low=1)
    check_integer("seed", seed, low=0)
    given = each_once("game agents", agents)
    if given and not games:
        raise ValueError(f"game agents must have games to play, but games is empty beside {', '.join(map(str, given))}")
    cells = []
    for game in each_once("games", games):
        for agent in given or map(GAME_AGENTS.read, players_of(game.task)):
            with named(agent.specification):
                agent.make(game.task)  # raises here what would otherwise be raised in the middle of the night
            cells.append(GameCell(game, agent, runs, rounds, checkpoints, seed))
    return cells
