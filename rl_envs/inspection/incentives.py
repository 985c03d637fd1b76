"""What an environment rewards that nobody meant: to end early, to go round in circles, or to do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rl_envs.inspection.finding import Fact, Finding
from rl_envs.inspection.table_view import TableView, counted, number
from rl_envs.mdp.end_components import Choices, end_components
from rl_envs.mdp.evaluation import evaluate_policy
from rl_envs.mdp.finite_mdp import FiniteMDP
from rl_envs.mdp.solve import solve

# An agent has given the goal up where its chance of reaching it is less than this share of the largest chance there is.
GIVEN_UP = 0.1

# The most sweeps of value iteration that are spent on whether a loop pays; those that pay visibly need few.
LOOP_SWEEPS = 2_000


def facts(view: TableView) -> Iterator[Fact]:
    """The numbers of this part.

    Args:
        view: the table.

    Yields:
        One fact at a time.
    """
    if view.mdp.num_actions == 1:
        return
    action, value = best_constant(view)
    yield Fact(
        "best_single_action",
        "incentives",
        "best value of always the same action",
        value,
        f"always {view.action(action)}{_score(view, value)}",
    )


def findings(view: TableView) -> Iterator[Finding]:
    """What the rewards lead to that is unlikely to be meant.

    Args:
        view: the table.

    Yields:
        Findings.
    """
    if view.optimal_pairs[view.playing].all():
        return  # nothing that is done matters, which is a finding of its own
    yield from _ending_early(view)
    yield from _loops(view)
    yield from _doing_nothing(view)


def best_constant(view: TableView) -> tuple[int, float]:
    """The action that is best if it is taken in every state, and its value from the start."""
    mdp = view.mdp
    values = []
    for action in range(mdp.num_actions):
        try:
            values.append(view.from_start(evaluate_policy(mdp, np.full(mdp.num_states, action))))
        except ValueError:  # at discount 1 its total does not exist
            values.append(-np.inf)
    best = int(np.argmax(values))
    return best, values[best]


def _score(view: TableView, value: float) -> str:
    """How far a value is from the uniform policy's to the optimum, as an addition to a remark."""
    try:
        low, high = view.truth.random_value, view.truth.optimal_value
    except ValueError:
        return ""
    if not np.isfinite([low, high, value]).all() or high - low <= view.tolerance:
        return ""
    return f", a score of {(value - low) / (high - low):.3f} of 1"


def _ending_early(view: TableView) -> Iterator[Finding]:
    """States in which the optimal policy ends the episode without the goal, though it could go for the goal."""
    if not view.ends.any():
        return
    goal = view.goal
    if goal is not None:
        could, aims = _chance(view, goal.hit), _chance(view, goal.hit, view.optimal_pairs)
        gives_up = view.playing & (aims < GIVEN_UP * could) & view.backward(view.ends, view.optimal_pairs)
        purpose = f"the goal ({goal.rule}) can be reached"
        unwanted = view.ends & ~goal.hit
    else:
        # Where optimal play goes on for ever in most episodes, going on is the purpose.
        if view.lasting_share < 0.5:
            return
        lasting = view.playing & ~view.backward(view.ends, view.optimal_pairs)
        stays = np.zeros_like(view.possible)
        stays[view.goes_on & lasting[view.mdp.next_state]] = True
        could, aims = _chance(view, stays), _chance(view, stays, view.optimal_pairs)
        gives_up = view.playing & ~lasting & (aims < GIVEN_UP * could)
        purpose = "it could go on for ever, as optimal play does from most starts"
        unwanted = view.ends
    states = np.flatnonzero(gives_up)
    if not len(states):
        return
    on = _value_of_playing_on(view, unwanted)
    loss = view.solution.v_star - on
    states = states[loss[states] > view.tolerance]
    if not len(states):
        return
    at_start = float(view.mdp.start[states].sum())
    worst = int(states[np.argmax(loss[states])])
    share = f", in which {at_start:.3g} of all episodes start" if at_start > 0 else ""
    ending, playing = number(view.solution.v_star[worst]), number(on[worst])
    yield Finding(
        key="ending_early_pays",
        severity="fault" if at_start > 1 - 1e-9 else "warning",  # to give up hopeless cases may be meant
        section="incentives",
        what=f"In {counted(len(states), 'state')} of {int(view.playing.sum()):,}{share}, it is optimal to end the "
        f"episode although {purpose}. In {view.describe(worst)} ending it is worth {ending} at discount "
        f"{view.mdp.discount:g}, playing on at best {playing}. {_would_score(view, unwanted)}",
        change="Let the end that is not wanted cost more than playing on, or let each step cost less.",
        where=view.describe(worst),
        cost=float(loss[worst]),
        cost_of="how much more ending the episode earns than playing on",
    )


def _chance(view: TableView, hit: np.ndarray, pairs: np.ndarray | None = None) -> np.ndarray:
    """The largest probability [S] of coming to some outcomes [S, A, K], with all actions or some [S, A]."""
    mdp = view.mdp
    counted_once = replace(
        mdp, reward=hit.astype(np.float64), terminated=mdp.terminated | hit, discount=1.0, reward_std=None
    )
    return np.asarray(solve(counted_once if pairs is None else _only(counted_once, pairs)).v_star)


def _value_of_playing_on(view: TableView, unwanted: np.ndarray) -> np.ndarray:
    """The best values [S] with only the actions least likely to end the episode in an unwanted way."""
    chance = np.where(unwanted, view.mdp.probability, 0.0).sum(axis=2)  # [S, A]
    kept = chance <= chance.min(axis=1, keepdims=True) + 1e-12
    try:
        return np.asarray(solve(_only(view.mdp, kept)).v_star)
    except ValueError:  # at discount 1 its total does not exist
        return np.full(view.mdp.num_states, -np.inf)


def _would_score(view: TableView, unwanted: np.ndarray) -> str:
    """The score by which one would notice: that of an agent that plays on."""
    value = view.from_start(_value_of_playing_on(view, unwanted))
    score = _score(view, value)
    return f"An agent that always plays on has a value of {number(value)} from the start{score}." if score else ""


def _loops(view: TableView) -> Iterator[Finding]:
    """A loop that pays for ever, where finishing is what pays most at once."""
    mdp = view.mdp
    prizes = mdp.reward[view.ends & (view.goal.hit if view.goal is not None else False)]
    along = mdp.reward[view.goes_on & view.playing[:, None, None]]
    finish = prizes.max(initial=-np.inf)
    if not prizes.size or finish <= 0 or not along.size or (view.world.goal_states is None and finish <= along.max()):
        return
    loop = _paying_states(view)
    if not loop.any():
        return
    without = np.where((mdp.reward > 0) & ~mdp.terminated, 0.0, mdp.reward)
    finisher = solve(replace(mdp, reward=without)).policy
    value = view.from_start(evaluate_policy(mdp, finisher))
    best = view.truth.optimal_value
    lured = bool((view.mdp.start > 0)[_never_ends(view)].any()) and best > value + view.tolerance
    states = np.flatnonzero(loop)
    cycle, inside = _cycle(view, states)
    at = f"at discount {mdp.discount:g}"
    comparison = (
        f"Going round is worth {number(best)} {at}, going straight for the end {number(value)}"
        if lured
        else f"{at[0].upper()}{at[1:]} going for the end is still optimal; with a discount nearer to 1 it is not"
    )
    yield Finding(
        key="loop_pays_for_ever",
        severity="fault" if lured else "warning",
        section="incentives",
        what=f"An agent can collect reward for ever without ending the episode: {cycle}. {comparison}.",
        change="Pay each reward once, or pay the change of a potential (Ng, Harada & Russell 1999), which no loop can "
        "add up.",
        where=view.describe(inside),
        cost=best - value if lured else None,
        cost_of="how much more the loop earns than finishing" if lured else "",
    )


def _paying_states(view: TableView) -> np.ndarray:
    """States [S] of bool of end components in which some policy has a positive average reward."""
    choices = Choices.of(view.dynamics)
    component, inside = end_components(choices, np.ones(len(choices.state), dtype=np.bool_))
    paying = np.zeros(view.mdp.num_states, dtype=np.bool_)
    label = np.where(inside, component[choices.state], -1)
    for one in np.unique(label[inside & (choices.reward > view.tolerance)]):
        members = (component == one) & view.reachable
        if not members.any():
            continue
        part = choices.only(label == one, component == one)
        v = np.zeros(part.num_states)
        for _ in range(LOOP_SWEEPS):
            # Each choice is made aperiodic, as in `rl_envs.mdp.end_components.gain_sign`.
            change = (part.best(part.reward + part.p @ v) - v) / 2
            if change.min() > 1e-9 * np.abs(part.reward).max():
                paying |= members
                break
            if change.max() <= 0:
                break
            v += change - change.max()
    return paying


def _never_ends(view: TableView) -> np.ndarray:
    """The states [S] of bool from which the optimal policy never ends the episode."""
    mdp, policy = view.mdp, view.solution.policy
    chosen = np.zeros(mdp.mean_reward.shape, dtype=np.bool_)
    chosen[np.arange(mdp.num_states), policy] = True
    return ~view.backward(view.ends, chosen)


def _cycle(view: TableView, loop: np.ndarray) -> tuple[str, int]:
    """A loop in words: what the optimal policy does inside it, along the most likely outcomes; and a state of it."""
    mdp = view.mdp
    without_end = np.where(mdp.terminated, -np.abs(mdp.reward).max() * 100 - 1, mdp.reward)
    policy = solve(replace(mdp, reward=without_end, discount=min(mdp.discount, 0.99))).policy
    state = int(loop[0])
    seen: list[int] = []
    names: list[str] = []
    while state not in seen and len(seen) < mdp.num_states:
        seen.append(state)
        action = int(policy[state])
        names.append(view.world.action_names[action])
        k = int(np.where(view.goes_on[state, action], mdp.probability[state, action], -1).argmax())
        state = int(mdp.next_state[state, action, k])
    first = seen.index(state) if state in seen else 0
    names, seen = names[first:], seen[first:]
    total = sum(mdp.mean_reward[s, policy[s]] for s in seen)
    if len(names) > 12:
        names = [*names[:11], f"... ({len(names)} actions)"]
    words = f"{', '.join(names)}, again and again from {view.describe(seen[0])}, pays about {number(total)} a round"
    return words, seen[0]


def _doing_nothing(view: TableView) -> Iterator[Finding]:
    """Whether it is optimal never to leave the state that an episode starts in."""
    mdp = view.mdp
    here = np.arange(mdp.num_states)[:, None, None]
    stays = ~((view.possible & (mdp.next_state != here)) | (view.possible & mdp.terminated)).any(axis=2)  # [S, A]
    can_leave = ~stays.all(axis=1)
    idle = (stays & (_paid_for_ever(mdp) >= view.solution.v_star[:, None] - view.tolerance)).any(axis=1)
    idle &= can_leave & view.playing & (view.solution.v_star > view.worst + view.tolerance)
    share = float(mdp.start[idle].sum())
    if not share:
        return
    state = int(np.flatnonzero(idle & (mdp.start > 0))[0])
    action = int(np.flatnonzero((view.optimal_pairs & stays)[state])[0])
    everywhere = share > 1 - 1e-9
    score = _score(view, view.truth.optimal_value)
    also = (
        f" An agent that never moves has a value of {number(view.truth.optimal_value)}{score}, and so no score from "
        "the start shows it."
        if everywhere
        else ""
    )
    until = "for ever" if view.world.max_episode_steps is None else "up to the time limit"
    yield Finding(
        key="doing_nothing_is_optimal",
        severity="warning",
        section="incentives",
        what=f"In {'every episode' if everywhere else f'{share:.3g} of all episodes'} it is optimal never to move: "
        f"{view.action(action)} in {view.describe(state)} stays there {until}, and nothing is "
        f"worth more.{also}",
        change="If the agent is meant to move, start elsewhere, or pay more for what it is to do than moving costs.",
        where=view.describe(state),
    )


def _paid_for_ever(mdp: FiniteMDP) -> np.ndarray:
    """What it is worth to collect a pair's reward in every step for ever, [S, A]."""
    if mdp.discount < 1:
        return np.asarray(mdp.mean_reward / (1 - mdp.discount))
    return np.where(mdp.mean_reward == 0, 0.0, np.copysign(np.inf, mdp.mean_reward))


def _only(mdp: FiniteMDP, kept: np.ndarray) -> FiniteMDP:
    """The table in which pairs that are not kept [S, A] do what the state's first kept pair does."""
    action = np.where(kept, np.arange(kept.shape[1]), kept.argmax(axis=1)[:, None])
    rows = np.arange(len(action))[:, None]
    return replace(
        mdp,
        probability=mdp.probability[rows, action],
        next_state=mdp.next_state[rows, action],
        reward=mdp.reward[rows, action],
        terminated=mdp.terminated[rows, action],
        reward_std=None,
    )
