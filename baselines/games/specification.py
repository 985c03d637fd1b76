"""A game by name, with the task that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from baselines.games.task import GameTask, make_named
from baselines.training.specification import Resolved
from rl_envs.specification import Specification, named


@dataclass(frozen=True)
class GameSpecification(Resolved):
    """A game, by name."""

    @classmethod
    def read(cls, game: str | GameSpecification) -> GameSpecification:
        """Take a game as a user gives it.

        Raises:
            ValueError: text that is no name with settings. Whether there is such a game is known with `task`.
        """
        return game if isinstance(game, GameSpecification) else cls(Specification.parse(game))

    @cached_property
    def task(self) -> GameTask:
        """The task; raises ValueError and TypeError as `make_game_task`."""
        with named(self.specification):
            return make_named(self.specification)

    @property
    def meaning(self) -> object:
        return self.task.game, self.task.table_hash, self.task.max_cycles

    def __getstate__(self) -> dict[str, Any]:
        return {"specification": self.specification}  # a table is sooner built than sent
