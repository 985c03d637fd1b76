"""Value errors by state: those of all agents on a world, with the pictures they are shown in and their scale."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

from baselines.comparison.rows import Row
from baselines.report.scores import Kind, kind_of_agent
from baselines.report.world_pictures import CutOut, cut_outs, grid, squares
from baselines.training.task import Task
from rl_envs.drawing.palette import rgb

# Colour of an infinite error.
INFINITE = rgb("bad")

# Errors below this share of the rewards, or of the worst error, are rounding errors of linear solves.
ROUNDING = 1e-9

# Legend of the terminal states.
ENDED_WORDS = "the episode is over"

NO_TILES = "This world's picture does not show its states, so each is a square, row by row in numerical order."


@dataclass(frozen=True, eq=False)
class ValueMaps:
    """The value errors of all agents on one world, with the pictures they are shown in.

    Attributes:
        world: its name.
        errors: by agent, [S]: at least 0, infinite where the suboptimality is, NaN for terminal states.
        pictures: which together show every state.
        note: why the pictures are not the world's own; empty where they are.
        worst_of_all: the largest finite error.
        worst_of_learners: the largest finite error of the agents that learn, the upper end of the colour scale; that of
            all agents where no agent learns or none makes an error.
        kinds: what the agents are scored by: their policies, their predicted values or both.
    """

    world: str
    errors: Mapping[str, np.ndarray]
    pictures: Sequence[CutOut]
    note: str
    worst_of_all: float
    worst_of_learners: float
    kinds: Set[Kind]

    @property
    def infinite(self) -> bool:
        """Whether some error is infinite."""
        return any(bool(np.isinf(error).any()) for error in self.errors.values())

    @property
    def shows_ended(self) -> bool:
        """Whether a picture shows tiles of terminal states."""
        return any(picture.shows_ended for picture in self.pictures)

    def upper_end(self, highest: float) -> str:
        """The label at the upper end of a scale up to `highest`, or the label instead of a scale of zeros."""
        if self.worst_of_all == 0:
            return "0 elsewhere" if self.infinite else "0 everywhere"
        return f"{highest:.4g}{' and more' if self.worst_of_all > highest else ''}"


def value_maps(world: str, rows: Sequence[Row], not_learning: Container[str]) -> ValueMaps | None:
    """The value errors of the agents on a world.

    Args:
        world: its name.
        rows: of that world.
        not_learning: agents that do not learn, which the scale ignores.

    Returns:
        The maps; None where no row has a value error, or the world has a single state, which makes no picture.

    Raises:
        ValueError: value errors on a world without a table, or not one for each of its states.
    """
    known = {row.agent: row.value_error for row in rows if row.value_error is not None}
    if not known:
        return None
    task = rows[0].where.task
    errors = _errors(world, task, known)
    if len(_alive(errors)) == 1:
        return None
    worst_of_all = _worst(list(errors.values()))
    worst_of_learners = _worst([error for agent, error in errors.items() if agent not in not_learning])
    pictures: list[CutOut] = []
    note = NO_TILES
    if task.world is not None:
        try:
            pictures = cut_outs(task.world)
        except DependencyNotInstalled as error:
            note = f"Each state is a square, row by row in numerical order, because {error}"
    if not pictures and (columns := _map_columns(task)):
        pictures = [grid(columns, np.isnan(next(iter(errors.values()))))]
    return ValueMaps(
        world=world,
        errors=errors,
        pictures=pictures or [squares(_alive(errors))],
        note="" if pictures else note,
        worst_of_all=worst_of_all,
        worst_of_learners=worst_of_learners if worst_of_learners > ROUNDING * worst_of_all else worst_of_all,
        kinds={kind_of_agent(row.who) for row in rows if row.value_error is not None},
    )


def single_state(world: str, rows: Sequence[Row]) -> str:
    """A sentence on the value errors of a world with a single state; empty for others, or where none are known."""
    known = {row.agent: row.value_error for row in rows if row.value_error is not None}
    if not known:
        return ""
    task = rows[0].where.task
    errors = _errors(world, task, known)
    alive = _alive(errors)
    if len(alive) > 1:
        return ""
    numbers = ", ".join(f"{agent} {error[alive[0]]:.3g}" for agent, error in errors.items())
    return f"{world} has a single state and so no map. Its value error: {numbers}."


def _map_columns(task: Task) -> int:
    """How many cells a row of a toy-text environment's map has; 0 where states are not the cells of a map."""
    env = task.make_single()
    bare: Any = env.unwrapped
    env.close()
    if not type(bare).__module__.startswith("gymnasium.envs.toy_text"):
        return 0
    _, columns = bare.shape if hasattr(bare, "shape") else (0, getattr(bare, "ncol", 0))
    return int(columns)


def _alive(errors: Mapping[str, np.ndarray]) -> list[int]:
    """The states from which something can be lost."""
    return np.flatnonzero(~np.isnan(next(iter(errors.values())))).tolist()


def _errors(world: str, task: Task, known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Value errors by agent, [S]: at least 0, without what linear solves leave, NaN for states of ended episodes."""
    if task.truth is None:
        raise ValueError(f"value errors are of states in a table, but {world} has none")
    ended = task.truth.mdp.terminal_states
    for agent, error in known.items():
        if error.shape != ended.shape:
            raise ValueError(
                f"every state must have a value error, but {agent} on {world} has {error.shape} for {ended.shape}"
            )
    nothing = ROUNDING * np.abs(task.truth.mdp.mean_reward).max()
    return {agent: np.where(ended, np.nan, np.where(error > nothing, error, 0.0)) for agent, error in known.items()}


def _worst(errors: Sequence[np.ndarray]) -> float:
    """The largest finite error, or 0."""
    return max((float(error[np.isfinite(error)].max(initial=0.0)) for error in errors), default=0.0)
