"""What the walk saw: a time limit reported as an end, rewards that depend on time, a carried table that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rl_envs.exact import NoTableError, truth
from rl_envs.extraction.explored_world import ExploredWorld
from rl_envs.inspection.finding import Finding
from rl_envs.inspection.source import comparison_line, method_line
from rl_envs.inspection.subject import Subject
from rl_envs.inspection.table_view import TableView, number
from rl_envs.inspection.walking import Walked
from rl_envs.mdp.bellman import Dynamics


def findings(subject: Subject, walked: Walked, view: TableView | None) -> Iterator[Finding]:
    """What the walk says of the contract.

    Args:
        subject: the environment.
        walked: how it was walked.
        view: its table; None where there is none.

    Yields:
        Findings.
    """
    if view is not None and isinstance(walked.world, ExploredWorld):
        yield from _counter(subject, walked.world, view)
    if walked.clock_pays is not None and isinstance(walked.world, ExploredWorld):
        yield _reward_by_clock(subject, walked.world, walked.clock_pays, view)
    yield from _carried_table(subject, view)


def _counter(subject: Subject, world: ExploredWorld, view: TableView) -> Iterator[Finding]:
    account = world.account
    if not account.clock_terminates or account.clock is None:
        return
    yield Finding(
        key="counter_terminates",
        severity="fault",
        section="contract",
        what=f"Attribute {account.clock} counts the steps of an episode and ends it after {account.clock_limit:,}, "
        "which step() reports as terminated. A time limit is no end of the task: agents take what comes later to be "
        "worth 0, and the count is not in the observation.",
        change=f"Return truncated=True and terminated=False when {account.clock} reaches the limit, or leave the limit "
        "to max_episode_steps.",
        where=comparison_line(subject.unwrapped, account.clock),
        cost=_largest_lost(view),
        cost_of="the most that a target of learning at the limit is wrong by",
    )


def _largest_lost(view: TableView) -> float:
    """The largest discounted value that a step leads to, which a wrong end takes away."""
    v = np.where(view.playing, view.solution.v_star, 0.0)
    ahead = view.mdp.discount * (Dynamics.of(view.mdp).p @ np.where(np.isfinite(v), v, 0.0))
    later = np.abs(np.asarray(ahead)).reshape(view.mdp.mean_reward.shape)[view.playing]
    return float(later.max(initial=0.0))


def _reward_by_clock(subject: Subject, world: ExploredWorld, said: str, view: TableView | None) -> Finding:
    clock = world.account.clock or "a counter"
    what = said.partition('. clock="layers"')[0]
    return Finding(
        key="reward_depends_on_time",
        severity="note",
        section="hidden",
        what=f"The reward depends on {clock}, which counts the steps of the episode and is not seen: {what}. All "
        "values here are those of the first step of an episode, for ever.",
        change='If it is meant, nothing; for the exact values with time, inspect it with clock="layers".',
        where=comparison_line(subject.unwrapped, clock),
        cost=None if view is None else abs(view.truth.optimal_value),
        cost_of="" if view is None else "the optimum if the reward were always that of the first step",
    )


def _carried_table(subject: Subject, view: TableView | None) -> Iterator[Finding]:
    """Whether a table P that the environment carries is what step() does."""
    env: Any = subject.unwrapped
    if not hasattr(env, "P") or not hasattr(env, "initial_state_distrib"):
        return
    try:
        carried = truth(env, discount=None if view is None else view.mdp.discount)
    except NoTableError as error:
        yield Finding(
            key="table_incomplete",
            severity="warning",
            section="contract",
            what=f"It carries a table P that is not all of its dynamics: {error}.",
            change="Do not plan with P; tabulate_env finds the table that step() has.",
            where=method_line(env, "step"),
        )
        return
    except ValueError as error:
        yield _differs(subject, str(error), None)
        return
    if view is None:
        return
    value, optimum = carried.optimal_value, view.truth.optimal_value
    if abs(value - optimum) > 1e-6 * max(1.0, abs(optimum)):
        said = f"its optimum is {number(value)}, that of step() {number(optimum)} (discount {view.mdp.discount:g})"
        yield _differs(subject, said, abs(value - optimum))


def _differs(subject: Subject, said: str, cost: float | None) -> Finding:
    return Finding(
        key="table_differs",
        severity="fault",
        section="contract",
        what=f"It carries a table P that is not what step() does: {said}.",
        change="Build P and step() from the same rule, or leave P out.",
        where=method_line(subject.unwrapped, "step"),
        cost=cost,
        cost_of="" if cost is None else "the difference between the optima",
    )
