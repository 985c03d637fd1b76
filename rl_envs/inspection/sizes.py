"""Size, start, optimum, the uniform and the worst policy, how long an optimal episode takes, and the best return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from rl_envs.exact import Truth
from rl_envs.extraction.explored_world import ExploredWorld
from rl_envs.inspection.finding import Fact, Finding
from rl_envs.inspection.table_view import TableView, number
from rl_envs.mdp.bellman import Dynamics
from rl_envs.mdp.finite_horizon import finite_horizon_values
from rl_envs.mdp.undiscounted import expected_visits

# A time limit beyond which sums over every step would take minutes.
LONGEST_HORIZON = 100_000


def facts(view: TableView) -> Iterator[Fact]:
    """The numbers of a table.

    Args:
        view: the table.

    Yields:
        One fact at a time.
    """
    mdp, answers, world = view.mdp, view.truth, view.world
    running = int(view.playing.sum())
    others = mdp.num_states - int(view.reachable.sum())
    verbs = ("is", "stands") if others == 1 else ("are", "stand")
    unreached = f"{others:,} more {verbs[0]} never reached or only {verbs[1]} for the end" if others else ""
    yield Fact("states", "size", "states in which an episode can be running", running, unreached)
    yield Fact("actions", "size", "actions", mdp.num_actions, ", ".join(world.action_names[:8]))
    yield Fact("outcomes", "size", "outcomes of a step, at most", int(view.possible[view.playing].sum(axis=2).max()))
    yield Fact("starts", "size", "states to start in", int((mdp.start > 0).sum()))
    limit = "none" if world.max_episode_steps is None else world.max_episode_steps
    yield Fact("time_limit", "size", "time limit in steps", limit)
    yield Fact("discount", "size", "discount", mdp.discount)
    if isinstance(world, ExploredWorld) and (world.left_out is not None or world.start_left_out):
        low, high = world.optimum_interval()
        yield Fact(
            "optimum_interval",
            "size",
            "the optimum is certain to lie in",
            f"{number(low)} to {number(high)}",
            f"branches of chance of altogether {world.account.left_out:.1e} a step were left out",
        )
    yield Fact("optimal_value", "size", "optimum, discounted", answers.optimal_value)
    yield Fact("random_value", "size", "uniform random policy, discounted", _or_none(lambda: answers.random_value))
    yield Fact("worst_value", "size", "worst policy, discounted", _or_none(lambda: answers.worst_value))
    yield Fact("optimal_steps", "size", "steps of an optimal episode, on average", *optimal_steps(view))
    best, remark = best_return(view)
    yield Fact("best_return", "size", "highest expected undiscounted return", best, remark)
    if in_reach_of_a_sum(world.max_episode_steps):
        value = answers.random_episode_return()
        yield Fact("random_return", "size", "return of uniform random play, not discounted", value)


def in_reach_of_a_sum(limit: int | None) -> bool:
    """Whether there is a time limit that sums over every step can go up to."""
    return limit is not None and limit <= LONGEST_HORIZON


def optimal_steps(view: TableView) -> tuple[float, str]:
    """How many steps the optimal policy takes on average, and what ends them."""
    mdp, limit = view.mdp, view.world.max_episode_steps
    policy = view.solution.policy
    if limit is not None and in_reach_of_a_sum(limit):
        counting = replace(mdp, reward=np.ones_like(mdp.reward), reward_std=None)
        steps = view.from_start(finite_horizon_values(counting, policy, limit))
        return steps, "up to the time limit" if steps >= limit * (1 - 1e-12) else ""
    p, _ = Dynamics.of(mdp).under_actions(policy)
    ends = view.dynamics.ends[np.arange(mdp.num_states), policy]
    visits = expected_visits(p, ends, mdp.start)
    steps = float(visits[~mdp.terminal_states].sum())
    return steps, "optimal play need not end" if np.isinf(steps) else ""


def best_return(view: TableView) -> tuple[float | None, str]:
    """The largest mean return of an episode, without discount, and how long the episode may be."""
    limit = view.world.max_episode_steps
    if limit is not None and in_reach_of_a_sum(limit):
        return view.truth.optimal_episode_return(), f"within {limit:,} steps"
    try:
        whole = Truth(replace(view.mdp, discount=1.0)).optimal_value
    except ValueError:
        return None, "without a time limit it is not finite"
    return whole, "of a whole episode"


def threshold_findings(view: TableView, threshold: float | None) -> Iterator[Finding]:
    """Whether the return at which the environment counts as solved can be had, and is more than luck.

    Args:
        view: the table.
        threshold: `spec.reward_threshold`, or None.

    Yields:
        Findings.
    """
    best, how = best_return(view)
    if threshold is None or best is None:
        return
    rounding = 1e-9 * max(1.0, abs(best))
    if threshold > best + rounding:
        yield Finding(
            key="threshold_out_of_reach",
            severity="fault",
            section="size",
            what=f"The environment counts as solved at a mean return of {number(threshold)} (reward_threshold), but no "
            f"policy has more than {number(best)} {how}.",
            change=f"Register it with a reward_threshold below {number(best)}.",
            cost=threshold - best,
            cost_of="what the best policy lacks",
        )
    elif in_reach_of_a_sum(view.world.max_episode_steps):
        random = view.truth.random_episode_return()
        if threshold <= random and best > random + rounding:
            yield Finding(
                key="threshold_met_by_chance",
                severity="fault",
                section="size",
                what=f"The environment counts as solved at a mean return of {number(threshold)} (reward_threshold), "
                f"but uniform random play has {number(random)}.",
                change=f"Register it with a reward_threshold between {number(random)} and {number(best)}.",
                cost=best - threshold,
                cost_of="how far below the best return the threshold is",
            )


def _or_none(compute: Callable[[], float]) -> float | None:
    """A value, or None where it does not exist at discount 1."""
    try:
        return compute()
    except ValueError:
        return None
