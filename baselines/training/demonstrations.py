"""Demonstrations: episodes of an expert, the input of inverse reinforcement learning.

They hold states, actions and next states, but no rewards, which are to be inferred.

    shown = baselines.demonstrations("LineWalk", policy, 20, seed=0)
    shown.save("walks.npz")
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from baselines.learning.exploration import sample_action
from baselines.system.atomic_files import StorageError, write_atomically
from baselines.training.rollout import true_next_observation
from baselines.training.seeding import integer_seeds, run_seeds
from baselines.training.task import Task, TaskLike, make_task
from rl_envs.envs.random_streams import Streams
from rl_envs.mdp.finite_mdp import check_discount, check_integer

# Rises when the layout of the files changes.
FILE_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """Steps of whole episodes, one after the other, in states and actions of a table.

    Attributes:
        state: where each step was taken, [N] int64.
        action: the action taken, [N] int64.
        next_state: the state after it, [N] int64.
        terminated: whether the episode ended with it by the world's rules, [N] bool.
        truncated: whether it was cut off there, [N] bool.
        discount: gamma of the world, which a learner must use too.
        table: the hash of the world's table.

    Raises:
        ValueError: columns of different length, no step at all, or steps that do not follow from one another; the
            message names the step.
        TypeError: a column of the wrong kind.
    """

    state: np.ndarray
    action: np.ndarray
    next_state: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    discount: float
    table: str

    def __post_init__(self) -> None:
        kinds = {"state": "i", "action": "i", "next_state": "i", "terminated": "b", "truncated": "b"}
        for name, kind in kinds.items():
            column = np.array(getattr(self, name))
            if column.dtype.kind != kind:
                raise TypeError(f"{name} must hold {'integers' if kind == 'i' else 'bools'}, but has {column.dtype}")
            if column.shape != np.shape(self.state) or column.ndim != 1 or column.size == 0:
                raise ValueError(f"{name} must have one entry a step, {np.shape(self.state)}, but has {column.shape}")
            if kind == "i" and column.min() < 0:
                raise ValueError(f"{name} must not be negative, but is {column.min()} at step {column.argmin()}")
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        check_discount(self.discount)
        if not self.ended[-1]:
            raise ValueError("the last step must end its episode, but is neither terminated nor truncated")
        broken = ~self.ended[:-1] & (self.next_state[:-1] != self.state[1:])
        if broken.any():
            step = int(np.argmax(broken))
            raise ValueError(
                f"each step must begin where the one before it led, but step {step} led to state "
                f"{self.next_state[step]} and step {step + 1} begins in state {self.state[step + 1]}"
            )

    @property
    def ended(self) -> np.ndarray:
        """Whether a step is the last of its episode, [N] bool."""
        return self.terminated | self.truncated

    @property
    def num_episodes(self) -> int:
        """How many episodes there are."""
        return int(self.ended.sum())

    @property
    def time(self) -> np.ndarray:
        """How many steps of its episode came before each step, [N] int64."""
        index = np.arange(len(self.state))
        begins = np.concatenate([[0], np.flatnonzero(self.ended)[:-1] + 1])
        return index - np.repeat(begins, np.diff(np.append(begins, len(index))))

    def visitation(self, num_states: int, num_actions: int) -> np.ndarray:
        """The mean discounted count of each action in each state: a step at time t counts gamma^t.

        The same count as `rl_envs.mdp.evaluation.occupancy` gives exactly, but for what a time limit has cut off.

        Args:
            num_states: S.
            num_actions: A.

        Returns:
            [S, A].

        Raises:
            ValueError: a state or action that does not exist.
        """
        for name, count in (("state", num_states), ("next_state", num_states), ("action", num_actions)):
            column = getattr(self, name)
            if column.max() >= count:
                raise ValueError(f"{name} must be below {count}, but is {column.max()} at step {column.argmax()}")
        visits = np.zeros((num_states, num_actions))
        np.add.at(visits, (self.state, self.action), self.discount**self.time)
        return visits / self.num_episodes

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save atomically to an npz file without pickle.

        Args:
            path: the file; an existing one is replaced.

        Raises:
            StorageError: the file cannot be written.
        """
        arrays: dict[str, Any] = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        content = io.BytesIO()
        np.savez(content, format=np.array(FILE_FORMAT), **arrays)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Demonstrations:
        """Load what `save` wrote.

        Args:
            path: the file.

        Returns:
            The demonstrations, equal to those saved.

        Raises:
            StorageError: no such file, a truncated or foreign file, or steps that are no episodes.
        """
        path = Path(path)
        try:
            # Without pickle a file holds no code.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
            raise StorageError(f"{path} is cut short or is no npz file: {error}") from error
        expected = {field.name for field in fields(cls)} | {"format"}
        if arrays.keys() != expected:
            raise StorageError(f"{path} must hold the arrays {sorted(expected)}, but holds {sorted(arrays)}")
        if int(arrays["format"]) != FILE_FORMAT:
            raise StorageError(f"{path} has file format {arrays['format']}, but this version reads {FILE_FORMAT}")
        del arrays["format"]
        try:
            return cls(**{**arrays, "discount": float(arrays["discount"]), "table": str(arrays["table"])})
        except (ValueError, TypeError) as error:
            raise StorageError(f"{path} holds no demonstrations: {error}") from error


def demonstrations(world: TaskLike, policy: Any, n: int, seed: int = 0, *, max_length: int = 10_000) -> Demonstrations:
    """Record whole episodes of a policy.

    Episode i is the same however many there are.

    Args:
        world: a task, world or name, with a table.
        policy: whatever `Truth.policy_table` takes: actions [S], probabilities [S, A], a function of observations, or
        an
            object with `predict`. It may tell apart states that look alike.
        n: number of episodes.
        seed: the base seed.
        max_length: longest episode, whatever the world's own limit.

    Returns:
        The episodes, one after the other.

    Raises:
        TypeError: the world has no table, or nothing that can be asked for actions.
        ValueError: no policy of this world, or a number out of range.
    """
    check_integer("n", n, low=1)
    check_integer("max_length", max_length, low=1)
    task = make_task(world).revealed()
    table = policy_table(make_task(world), policy)
    choices = Streams.from_seeds(run_seeds(seed, task.name, "demonstrations", range(n), "choice"))
    envs: Any = task.make_vector(n)
    state, _ = envs.reset(seed=integer_seeds(run_seeds(seed, task.name, "demonstrations", range(n), "environment")))
    steps: list[tuple[np.ndarray, ...]] = []
    running, recorded = np.ones(n, dtype=np.bool_), []
    while running.any():
        action = sample_action(table[state], choices.next())
        before = state
        state, _, terminated, truncated, infos = envs.step(_for_the_space(action, task))
        after = true_next_observation(state, terminated | truncated, infos)
        if len(steps) + 1 == max_length:
            truncated = truncated | ~terminated
        steps.append((before, action, after, terminated, truncated))
        recorded.append(running)
        running = running & ~(terminated | truncated)
    envs.close()
    # Transposed to [n, T], so that the steps of an episode follow one another.
    mine = np.array(recorded).T
    state, action, next_state, terminated, truncated = (np.array(column).T[mine] for column in zip(*steps))
    return Demonstrations(
        state, action, next_state, terminated, truncated, discount=task.discount, table=str(task.table_hash)
    )


def policy_table(task: Task, policy: Any) -> np.ndarray:
    """One policy as a table of action probabilities, [S, A]; refuses a batch of several."""
    if task.truth is None:
        raise TypeError(f"{task.name} has no table, so nothing can be demonstrated in it")
    table = task.truth.policy_table(policy, hidden_state=True)
    if table.ndim != 2:
        raise ValueError(f"a demonstration needs one policy, but these are {len(table)}")
    return table


def _for_the_space(action: np.ndarray, task: Task) -> np.ndarray:
    """The table's actions [n] in the environment's format."""
    if isinstance(task.action_space, spaces.MultiDiscrete):
        return np.stack(np.unravel_index(action, tuple(task.action_space.nvec)), axis=1)
    return action
