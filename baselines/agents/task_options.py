"""The options that a task offers, and the exact values of following them to their ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from baselines.learning.option_values import (
    OptionModels,
    call_and_return_values,
    option_models,
    transition_probabilities,
)
from baselines.training.task import Task
from rl_envs.exact import Truth
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.options import Option, Subtask, hallways, primitive_options, subtasks
from rl_envs.worlds.world import World


def parts_of(task: Task) -> tuple[World, Truth, tuple[Subtask, ...]]:
    """The subtasks of a task: those of its stages, or to get from room to room.

    Args:
        task: in a world with stages, or with rooms and hallways, that shows its state.

    Returns:
        Its world, the exact answers, and the subtasks that may begin where an episode can go on.

    Raises:
        TypeError: a task of another kind.
    """
    world, truth = task.world, task.truth
    if world is None or truth is None or world.layout is None:
        raise TypeError(
            "HierarchicalQ needs a world with subtasks or hallways, as SubtaskGrid and FourRooms are, "
            f"but {task.name} has neither"
        )
    if not np.array_equal(task.observation_index_in_state, np.arange(world.mdp.num_states)):
        raise TypeError(
            f"HierarchicalQ must see the state itself, for options start and end in states, but {task.name} "
            f'does not show it; observation="index" does'
        )
    try:
        parts = subtasks(world) if world.layout.subtasks else hallways(world)
    except ValueError as error:
        raise TypeError(f"HierarchicalQ needs a world with subtasks or hallways: {error}") from error
    return world, truth, tuple(part for part in parts if (part.initiation & ~world.mdp.terminal_states).any())


def options_of(world: World, parts: Sequence[Subtask], *, primitives: bool) -> tuple[Option, ...]:
    """The options of subtasks, with their exact policies, and perhaps the single actions.

    Args:
        world: the world.
        parts: the subtasks.
        primitives: whether each single action follows as an option that lasts one step.
    """
    mdp = world.mdp
    options = tuple(
        Option(part.name, part.initiation & ~mdp.terminal_states, part.policy, part.option().termination)
        for part in parts
    )
    return (*options, *primitive_options(mdp, world.action_names)) if primitives else options


def refuse_dead_ends(task: Task, world: World, options: Sequence[Option]) -> None:
    """Raise ValueError for a state in which an episode can go on and no option may start."""
    may_start = np.stack([option.initiation for option in options], axis=1)  # [S, O]
    stuck = np.flatnonzero(~may_start.any(axis=1) & ~world.mdp.terminal_states)
    if len(stuck):
        raise ValueError(
            f"some option must start in every state where an episode can go on, but in state {stuck[0]} of "
            f"{task.name} none may; primitives=True offers every single action everywhere"
        )


class FollowedOptions:
    """Exact values of following options to their ends, where the policies of the first few are learned.

    Args:
        mdp: the dynamics.
        policies: what each option does, [S, O, A].
        termination: the probability that it ends on arriving in a state, [S, O].
        runs: where it may be the one that acts, [S, O] bool.
        num_learned: G, of how many options, the first ones, other policies are given each time.
    """

    def __init__(
        self, mdp: FiniteMDP, policies: np.ndarray, termination: np.ndarray, runs: np.ndarray, num_learned: int
    ) -> None:
        self._mdp, self._policies, self._termination, self._runs = mdp, policies, termination, runs
        self._num_learned = num_learned

    def values(self, option_policy: np.ndarray, learned_policies: np.ndarray) -> np.ndarray:
        """The value of each state.

        Args:
            option_policy: the probability of choosing each option in each state, [S, O].
            learned_policies: what the first options do, [G, S, A].

        Returns:
            Values [S].
        """
        return call_and_return_values(self._models(learned_policies), option_policy)

    def _models(self, learned_policies: np.ndarray) -> OptionModels:
        if not self._num_learned:
            return self._given_models
        first = slice(self._num_learned)
        learned = option_models(
            self._mdp,
            self._step,
            learned_policies.transpose(1, 0, 2),
            self._termination[:, first],
            self._runs[:, first],
        )
        return OptionModels(
            np.concatenate([learned.reward, self._given_models.reward[:, self._num_learned :]], axis=1),
            np.concatenate([learned.transition, self._given_models.transition[self._num_learned :]]),
        )

    @cached_property
    def _step(self) -> np.ndarray:
        return transition_probabilities(self._mdp)

    @cached_property
    def _given_models(self) -> OptionModels:
        return option_models(self._mdp, self._step, self._policies, self._termination, self._runs)
