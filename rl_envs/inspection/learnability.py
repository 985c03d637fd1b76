"""Whether an environment can be learned: can the goal be reached, from where not, how long until it is first seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rl_envs.inspection.finding import Fact, Finding
from rl_envs.inspection.lookahead import FURTHEST, lookahead
from rl_envs.inspection.sizes import in_reach_of_a_sum
from rl_envs.inspection.table_view import TableView, counted, number
from rl_envs.inspection.waiting import expected_wait
from rl_envs.mdp.bellman import Dynamics
from rl_envs.mdp.finite_mdp import FiniteMDP

# Uniform play that needs more steps than this to see the goal once will not find it: few trainings last longer.
PATIENCE = 1_000_000


def facts(view: TableView) -> Iterator[Fact]:
    """The numbers of this part.

    Args:
        view: the table.

    Yields:
        One fact at a time.
    """
    goal = view.goal
    yield Fact("goal", "learnability", "goal", "none" if goal is None else goal.rule)
    if goal is not None:
        within = view.playing & view.backward(goal.hit)
        yield Fact(
            "states_with_goal",
            "learnability",
            "states from which the goal can be reached",
            int(within.sum()),
            f"of {int(view.playing.sum()):,}",
        )
    for key, label, wait in waits(view):
        yield Fact(key, "learnability", label, wait, "it may never happen" if np.isinf(wait) else "")
    yield _lookahead(view)
    gap, state = smallest_gap(view)
    where = "" if state is None else f"in {view.describe(state)}"
    yield Fact("action_gap", "learnability", "smallest gap between the best action and a worse one", gap, where)


def findings(view: TableView) -> Iterator[Finding]:
    """What keeps an agent from learning.

    Args:
        view: the table.

    Yields:
        Findings.
    """
    if view.rewarded.any():
        yield from _no_choice(view)
    else:
        yield _no_reward()
    stuck = stuck_states(view)
    goal = view.goal
    if goal is not None:
        within = view.backward(goal.hit)
        lost = float(view.mdp.start[~within].sum())
        if lost > 0:
            yield _unreachable(view, lost, within)
        yield from _dead_ends(view, within, stuck)
        yield from _beyond_limit(view, within)
        yield from _rare(view)
    yield from _traps(view, stuck)
    yield from _no_limit(view)


def waits(view: TableView) -> Iterator[tuple[str, str, float]]:
    """Expected steps of uniform play to the first reward that is not 0, and to the goal: key, label and steps."""
    mdp, limit = view.mdp, view.world.max_episode_steps
    if not in_reach_of_a_sum(limit):
        limit = None
    rewarded = view.rewarded
    label = "steps of uniform play to the first reward that is not 0"
    yield "steps_to_reward", label, expected_wait(mdp, rewarded, limit)
    goal = view.goal
    if goal is not None and (goal.hit != rewarded).any():
        yield "steps_to_goal", "steps of uniform play to the goal", expected_wait(mdp, goal.hit, limit)


def smallest_gap(view: TableView) -> tuple[float | None, int | None]:
    """The smallest v*(s) - q*(s, a) over actions that are not optimal, and the state; None where all are."""
    gaps = view.solution.v_star[:, None] - view.solution.q_star
    gaps = np.where(view.playing[:, None] & ~view.optimal_pairs & np.isfinite(gaps), gaps, np.inf)
    state = int(gaps.min(axis=1).argmin())
    smallest = float(gaps[state].min())
    return (None, None) if np.isinf(smallest) else (smallest, state)


def stuck_states(view: TableView) -> np.ndarray:
    """States [S] of bool in which an episode is caught: it cannot end, and whatever is done earns the same."""
    if not view.ends.any():
        return np.zeros(view.mdp.num_states, dtype=np.bool_)
    free = view.backward(view.ends)
    v = view.solution.v_star
    with np.errstate(invalid="ignore"):
        same = (v - view.worst <= view.tolerance) | (v == view.worst)
    return np.asarray(view.playing & ~free & same)


def most_probable(mdp: FiniteMDP, hit: np.ndarray, steps: int) -> np.ndarray:
    """The largest probability [S] of coming to an outcome [S, A, K] within so many steps."""
    chance = np.einsum("sak,sak->sa", mdp.probability, hit)
    go_on = np.where(hit | mdp.terminated, 0.0, mdp.probability)
    v = np.zeros(mdp.num_states)
    for _ in range(steps):
        v = (chance + np.einsum("sak,sak->sa", go_on, v[mdp.next_state])).max(axis=1)
    return v


def _lookahead(view: TableView) -> Fact:
    label = "smallest k for which it is k-QVI-solvable (Laidlaw et al. 2023)"
    try:
        k = lookahead(view)
    except ValueError as error:
        return Fact("effective_horizon", "learnability", label, None, str(error))
    remark = "greedy for what uniform play is worth is optimal" if k == 1 else ""
    return Fact("effective_horizon", "learnability", label, f"more than {FURTHEST}" if k is None else k, remark)


def _no_reward() -> Finding:
    return Finding(
        key="no_reward",
        severity="fault",
        section="learnability",
        what="Every reward is 0: no step that an episode can come to pays or costs anything.",
        change="Pay for what the agent is to do, or open the way to what pays.",
        cost=0.0,
        cost_of="the difference between the best and the worst policy",
    )


def _no_choice(view: TableView) -> Iterator[Finding]:
    if view.mdp.num_actions > 1 and view.optimal_pairs[view.playing].all():
        yield Finding(
            key="no_choice_matters",
            severity="warning",
            section="learnability",
            what="Every action is optimal in every state: whatever an agent does, it earns the same.",
            change="See that step() uses its action, and that rewards depend on what it does.",
            cost=0.0,
            cost_of="the difference between the best and the worst policy",
        )


def _unreachable(view: TableView, lost: float, within: np.ndarray) -> Finding:
    assert view.goal is not None
    starts = np.flatnonzero((view.mdp.start > 0) & ~within)
    return Finding(
        key="goal_unreachable",
        severity="fault" if lost > 1 - 1e-9 else "warning",
        section="learnability",
        what=f"The goal ({view.goal.rule}) cannot be reached from {view.listed(starts)}, in which "
        f"{lost:.3g} of all episodes start.",
        change="Start elsewhere, or open a way to the goal.",
        where=view.describe(int(starts[0])),
        cost=_best_of(view, within),
        cost_of="the largest value of a state from which the goal can be reached, lost in these episodes",
    )


def _dead_ends(view: TableView, within: np.ndarray, stuck: np.ndarray) -> Iterator[Finding]:
    assert view.goal is not None
    states = np.flatnonzero(view.playing & ~within & ~stuck & (view.mdp.start == 0))
    if len(states):
        cost, pair = _entry(view, states)
        yield Finding(
            key="dead_end",
            severity="note",
            section="learnability",
            what=f"From {counted(len(states), 'state')} of {int(view.playing.sum()):,} the goal ({view.goal.rule}) can "
            f"no longer be reached, but the episode goes on: {view.listed(states)}.",
            change="Nothing, if they are meant; episodes are shorter if these states end them.",
            where=pair,
            cost=cost,
            cost_of="the most that a step into one of them loses",
        )


def _beyond_limit(view: TableView, within: np.ndarray) -> Iterator[Finding]:
    limit = view.world.max_episode_steps
    assert view.goal is not None
    if not in_reach_of_a_sum(limit) or limit is None or not (within & (view.mdp.start > 0)).any():
        return
    chance = view.from_start(most_probable(view.mdp, view.goal.hit, limit))
    if chance == 0:
        yield Finding(
            key="goal_beyond_time_limit",
            severity="fault",
            section="learnability",
            what=f"The goal ({view.goal.rule}) cannot be reached within the time limit of {limit:,} steps, "
            "whatever is done.",
            change="Raise max_episode_steps.",
            cost=view.truth.optimal_value,
            cost_of="the optimum without a time limit",
        )


def _rare(view: TableView) -> Iterator[Finding]:
    wait = [steps for _, _, steps in waits(view)][-1]
    goal = view.goal
    if np.isfinite(wait) and wait > PATIENCE and goal is not None:
        uniform = view.truth.random_value
        yield Finding(
            key="goal_never_seen",
            severity="warning",
            section="learnability",
            what=f"Uniform random play takes {number(wait)} steps on average to see the goal ({goal.rule}) once: an "
            "agent that explores at random does not find it.",
            change="Start nearer to the goal, pay on the way to it, or use an agent that explores in another way.",
            cost=view.truth.optimal_value - uniform if np.isfinite(uniform) else None,
            cost_of="what the optimum has more than uniform play",
        )


def _traps(view: TableView, stuck: np.ndarray) -> Iterator[Finding]:
    states = np.flatnonzero(stuck)
    if not len(states):
        return
    cost, where = _entry(view, states)
    yield Finding(
        key="trap",
        severity="warning",
        section="learnability",
        what=f"An episode that comes to {counted(len(states), 'state')} of {int(view.playing.sum()):,} can never end, "
        f"and nothing that is done there matters: {view.listed(states)}.",
        change="Return terminated=True on arriving there, or open a way out: the steps there teach nothing.",
        where=where,
        cost=cost,
        cost_of="the most that a step into one of them loses",
    )


def _no_limit(view: TableView) -> Iterator[Finding]:
    if view.world.max_episode_steps is not None or not view.ends.any():
        return
    wait = expected_wait(view.mdp, view.ends, None)
    dynamics = Dynamics.of(view.mdp)
    may_never_end = not dynamics.ends[view.playing].all()
    if may_never_end and wait > 1000:
        length = "may never end" if np.isinf(wait) else f"lasts {number(wait)} steps on average"
        yield Finding(
            key="no_time_limit",
            severity="note",
            section="learnability",
            what=f"There is no time limit, and an episode of uniform random play {length}.",
            change="Register it with max_episode_steps, or put gymnasium.wrappers.TimeLimit around it.",
        )


def _entry(view: TableView, states: np.ndarray) -> tuple[float | None, str | None]:
    """The most that a step into some states loses, and the pair that loses it, in words."""
    mdp = view.mdp
    caught = np.zeros(mdp.num_states, dtype=np.bool_)
    caught[states] = True
    into = view.goes_on & caught[mdp.next_state] & (view.playing & ~caught)[:, None, None]
    if not into.any():
        return None, None
    chances = np.where(into, mdp.probability, 0).sum(axis=2)
    loss = view.solution.v_star[:, None] - view.solution.q_star
    loss = np.where((chances > 0) & np.isfinite(loss), loss, -np.inf)
    state, action = np.unravel_index(int(loss.argmax()), loss.shape)
    return float(loss.max()), f"{view.action(int(action))} in {view.describe(int(state))}"


def _best_of(view: TableView, within: np.ndarray) -> float | None:
    values = view.solution.v_star[within & view.playing]
    values = values[np.isfinite(values)]
    return float(values.max()) if values.size else None
