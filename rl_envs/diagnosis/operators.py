"""What a learner makes of a probe world: right, or with a bug.

A learner turns a stream of steps into targets, one a step. Each is a constant plus coefficients times the values of
other observations, so that what it learns in the end is the solution of a linear system: the value of an observation
is the mean of its targets. A bug changes what the learner takes from a step, or the target that it makes. Every bug is
written once here, and serves every family of learners, every probe and every discount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rl_envs.diagnosis.probes import Probe

# Fixed points of targets that are not linear are found by repetition, at most so often.
REPETITIONS = 2_000
# What grows beyond so many times the largest reward is taken to run away.
RUNAWAY = 1e4


@dataclass(frozen=True)
class Family:
    """How a learner without a bug forms its targets.

    Args:
        kind: "one_step", "n_step" or "rollout".
        length: n of n-step targets, or the number of steps of a rollout; 1 for one-step targets.
        trace_decay: lambda of rollouts; 1 sums rewards until the rollout or the episode ends.
    """

    kind: str
    length: int = 1
    trace_decay: float = 1.0

    def __str__(self) -> str:
        if self.kind == "one_step":
            return "one-step targets"
        if self.kind == "n_step":
            return f"{self.length}-step targets"
        return f"rollouts of {self.length} steps with lambda {self.trace_decay:g}"


ONE_STEP = Family("one_step")


@dataclass(frozen=True)
class Experience:
    """What a learner takes from each step of a stream, and how it forms its targets; bugs change fields of it.

    The stream is a cycle: after the last step comes the first.

    Args:
        family: how targets are formed.
        num_observations: N.
        state: observation before the step, [T] int.
        reward: reward of the step, [T].
        next_state: observation that a target bootstraps from, [T] int.
        after_reset: observation that the next step starts from, [T] int.
        terminated: whether the episode ended there, [T] bool.
        truncated: whether the time limit cut it there, [T] bool.
        bootstrap: weight of the next value in the target, [T]; 0 where nothing follows.
        carry: weight of the next step's return or advantage, [T]; 0 where the episode is over.
        discount: gamma as the learner has it.
        reward_weight: what a reward k steps on counts in an n-step target; discount^k when None.
        bootstrap_exponent: exponent of the discount of an n-step target's last value after k steps; k when None.
        next_values: what the learner takes for the values that it bootstraps from, given all values [N].
        mix_targets: what is done to the targets of a batch, as constants [T] and coefficients [T, N].
        squashes: whether errors larger than 1 have no gradient.
        detached: whether the target is held fixed while the prediction moves.
    """

    family: Family
    num_observations: int
    state: np.ndarray
    reward: np.ndarray
    next_state: np.ndarray
    after_reset: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    bootstrap: np.ndarray
    carry: np.ndarray
    discount: float
    reward_weight: Callable[[int], float] | None = None
    bootstrap_exponent: Callable[[int], int] | None = None
    next_values: str = "own"  # "own", "zero" or "largest"
    mix_targets: str = "none"  # "none" or "batch_mean"
    squashes: bool = False
    detached: bool = True


@dataclass(frozen=True)
class Bug:
    """A way to be wrong.

    Args:
        key: its name in reports.
        variant: which of several ways to write it, or "".
        change: turns the right experience into the wrong one.
        families: kinds of families in which it can occur.
        squashes: whether errors larger than 1 have no gradient, so that there are values that never move.
    """

    key: str
    variant: str
    change: Callable[[Experience], Experience]
    families: tuple[str, ...] = ("one_step", "n_step", "rollout")
    squashes: bool = False


@lru_cache(maxsize=256)
def experience(probe: Probe, family: Family) -> Experience:
    """The stream of steps that a learner gets in a probe world where actions do not differ, and its right targets.

    Args:
        probe: the world.
        family: how the learner forms targets.

    Returns:
        A cycle of steps: a whole number of the world's own cycles, and of rollouts.
    """
    mdp, labels = probe.mdp, probe.labels
    taken = np.zeros(mdp.probability.shape)  # [S, A, K] how often each outcome came
    rows: list[tuple[int, float, int, int, bool, bool]] = []
    # Chance comes in halves at most, so twice the starts make a cycle of it.
    halves = 2 if (np.count_nonzero(mdp.probability[:, 0] > 0, axis=1) > 1).any() else 1
    starts = probe.starts * halves
    for index, start in enumerate(starts):
        state, elapsed = start, 0
        while True:
            outcome = probe.outcome_due(taken, state, 0)
            following, elapsed = int(mdp.next_state[state, 0, outcome]), elapsed + 1
            terminated = bool(mdp.terminated[state, 0, outcome])
            truncated = not terminated and elapsed >= probe.max_episode_steps
            over = terminated or truncated
            begins = starts[(index + 1) % len(starts)] if over else following
            reward = float(mdp.reward[state, 0, outcome])
            rows.append((labels[state], reward, labels[following], labels[begins], terminated, truncated))
            if over:
                break
            state = following
    times = family.length // np.gcd(len(rows), family.length) if family.kind == "rollout" else 1
    state_, reward_, next_, after, terminated_, truncated_ = (np.tile(column, times) for column in zip(*rows))
    return Experience(
        family=family,
        num_observations=probe.num_observations,
        state=state_,
        reward=reward_,
        next_state=next_,
        after_reset=after,
        terminated=terminated_,
        truncated=truncated_,
        bootstrap=1.0 - terminated_,
        carry=1.0 - (terminated_ | truncated_),
        discount=mdp.discount,
    )


def learned_values(steps: Experience) -> np.ndarray:
    """What a learner's values settle on.

    Returns:
        Values [N]; NaN for observations that are never trained or hang on such ones, infinite ones where the values run
        away.
    """
    if steps.next_values != "own" or steps.squashes:
        return _repeat(steps)
    constant, matrix = targets(steps)
    if steps.mix_targets == "batch_mean":
        constant, matrix = _batch_means(steps, constant), _batch_means(steps, matrix)
    return _solve(steps, constant, matrix)


def targets(steps: Experience) -> tuple[np.ndarray, np.ndarray]:
    """Every step's target as a linear function of the values.

    Returns:
        Constants [T] and coefficients [T, N]: target[t] = constant[t] + coefficients[t] @ values.
    """
    if steps.family.kind == "rollout":
        return _rollout_targets(steps)
    return _n_step_targets(steps)


def _n_step_targets(steps: Experience) -> tuple[np.ndarray, np.ndarray]:
    """Rewards of n steps and the value after them, or of as many as the episode has."""
    count, length, gamma = len(steps.state), steps.family.length, steps.discount
    reward_weight = steps.reward_weight or (lambda k: gamma**k)
    exponent = steps.bootstrap_exponent or (lambda k: k)
    sees = np.eye(steps.num_observations)[steps.next_state]  # [T, N]
    constant = np.zeros(count)
    matrix = np.zeros((count, steps.num_observations))
    going = np.ones(count)  # [T] 1 while the window has not met an end
    for k in range(length):
        at = (np.arange(count) + k) % count
        constant += going * reward_weight(k) * steps.reward[at]
        last = going * (1.0 - steps.carry[at]) if k < length - 1 else going
        matrix += (last * gamma ** exponent(k + 1) * steps.bootstrap[at])[:, None] * sees[at]
        going = going * steps.carry[at]
    return constant, matrix


def _rollout_targets(steps: Experience) -> tuple[np.ndarray, np.ndarray]:
    """Generalised advantage estimates plus the values that they are advantages over (Schulman et al. 2016, eq. 16)."""
    length, gamma, n = steps.family.length, steps.discount, steps.num_observations
    decay = gamma * steps.family.trace_decay

    def by_rollout(column: np.ndarray) -> np.ndarray:
        return column.reshape(-1, length, *column.shape[1:])

    own = np.eye(n)[steps.state]  # [T, N]
    delta = (gamma * steps.bootstrap)[:, None] * np.eye(n)[steps.next_state] - own  # [T, N]
    delta = np.concatenate([steps.reward[:, None], delta], axis=1)  # [T, 1 + N] constant first
    delta, carry = by_rollout(delta), by_rollout(steps.carry)
    advantage = np.zeros_like(delta)
    following = np.zeros(delta[:, 0].shape)
    for t in reversed(range(length)):
        following = delta[:, t] + decay * carry[:, t, None] * following
        advantage[:, t] = following
    advantage = advantage.reshape(-1, 1 + n)
    return advantage[:, 0], advantage[:, 1:] + own


def _solve(steps: Experience, constant: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The values at which every observation's value is the mean of its targets, or the squared error is smallest."""
    n = steps.num_observations
    own = np.eye(n)[steps.state]  # [T, N]
    visits = own.sum(axis=0)
    trained = visits > 0
    if steps.detached:
        system = np.diag(visits) - own.T @ matrix
        right = own.T @ constant
    else:
        difference = own - matrix
        system, right = difference.T @ difference, difference.T @ constant
    values = np.full(n, np.nan)
    system = system[np.ix_(trained, trained)]
    if steps.detached and not _contracts(system, visits[trained]):
        values[trained] = np.inf
        return values
    values[trained] = np.linalg.lstsq(system, right[trained], rcond=None)[0]
    values[_hang_on(~trained, own.T @ np.abs(matrix))] = np.nan
    return values


def _hang_on(unknown: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Which values are made of unknown ones, directly or by others, [N] bool.

    What is never trained keeps its first value in a table, but in a network it moves with all the others.
    """
    makes = coefficients > 1e-12
    while True:
        more = unknown | makes[:, unknown].any(axis=1)
        if (more == unknown).all():
            return more
        unknown = more


def _contracts(system: np.ndarray, visits: np.ndarray) -> bool:
    """Whether small steps towards the targets lead to the fixed point: the mean step's matrix is stable."""
    eigenvalues = np.linalg.eigvals(-system / visits[:, None])
    return bool((eigenvalues.real < -1e-9).all())


def _repeat(steps: Experience) -> np.ndarray:
    """The fixed point of targets that are not linear in the values, from values of 0 in small steps."""
    constant, matrix = targets(steps)
    # The same step comes many times in a cycle: once is enough, with its count.
    rows = np.round(np.column_stack([steps.state, constant, matrix]), 12)
    rows, counts = np.unique(rows, axis=0, return_counts=True)
    state, constant, matrix = rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2:]
    n = steps.num_observations
    own = np.eye(n)[state] * counts[:, None]
    visits = own.sum(axis=0)
    trained = visits > 0
    following = np.unique(steps.next_state)
    values = np.zeros(n)
    limit = RUNAWAY * max(1.0, float(np.abs(steps.reward).max()))
    for _ in range(REPETITIONS):
        sees = values
        if steps.next_values == "zero":
            sees = np.zeros(n)
        elif steps.next_values == "largest":
            sees = np.full(n, values[following].max())
        error = constant + matrix @ sees - values[state]
        if steps.squashes:
            error = np.where(np.abs(error) > 1, 0.0, error)
        change = np.divide(own.T @ error, visits, out=np.zeros(n), where=trained)
        values = values + 0.5 * change
        if np.abs(values).max() > limit:
            return np.where(trained, np.inf, np.nan)
        if np.abs(change).max() < 1e-12 * limit:
            break
    return np.where(trained, values, np.nan)


def _batch_means(steps: Experience, rows: np.ndarray) -> np.ndarray:
    """Each row [T, ...] replaced by its batch's mean: of its rollout, or of a sample of all steps."""
    length = steps.family.length if steps.family.kind == "rollout" else len(rows)
    means = rows.reshape(-1, length, *rows.shape[1:]).mean(axis=1)
    return np.repeat(means, length, axis=0)


# ---- the bugs -------------------------------------------------------------------------------------------------------


def _over(steps: Experience) -> np.ndarray:
    return steps.terminated | steps.truncated


def _unmasked(steps: Experience) -> Experience:
    return replace(steps, bootstrap=np.ones(len(steps.state)))


def _unmasked_after_reset(steps: Experience) -> Experience:
    return replace(_unmasked(steps), next_state=steps.after_reset)


def _timeout_ends(steps: Experience) -> Experience:
    return replace(steps, bootstrap=1.0 - _over(steps))


def _reset_observation(steps: Experience) -> Experience:
    return replace(steps, next_state=steps.after_reset)


def _autoreset_row(steps: Experience) -> Experience:
    """After every end comes one more row: from the last observation to the first of the next episode, for nothing."""
    over = _over(steps)
    place = np.repeat(np.arange(len(over)), 1 + over)
    extra = np.zeros(len(place), dtype=bool)
    extra[np.cumsum(1 + over)[over] - 1] = True

    def rows(column: np.ndarray, instead: np.ndarray | float) -> np.ndarray:
        return np.where(extra, instead, column[place])

    return replace(
        steps,
        state=rows(steps.state, steps.next_state[place]).astype(np.int64),
        reward=rows(steps.reward, 0.0),
        next_state=rows(steps.next_state, steps.after_reset[place]).astype(np.int64),
        after_reset=rows(steps.after_reset, steps.after_reset[place]).astype(np.int64),
        terminated=rows(steps.terminated, 0.0).astype(bool),
        truncated=rows(steps.truncated, 0.0).astype(bool),
        bootstrap=rows(steps.bootstrap, 1.0),
        carry=rows(steps.carry, 1.0),
    )


def _autoreset_row_in_rollouts(steps: Experience) -> Experience:
    """The same in rollouts, whose cuts then fall elsewhere: the stream is repeated until it fits them again."""
    longer = _autoreset_row(steps)
    count, length = len(longer.state), steps.family.length
    times = length // np.gcd(count, length)
    names = ("state", "reward", "next_state", "after_reset", "terminated", "truncated", "bootstrap", "carry")
    columns: dict[str, Any] = {name: np.tile(getattr(longer, name), times) for name in names}
    return replace(longer, **columns)


def _leak(steps: Experience) -> Experience:
    """Returns go on over the end of an episode, and bootstrapping is masked as it should be."""
    return replace(steps, carry=np.ones(len(steps.state)))


def _leak_unmasked(steps: Experience) -> Experience:
    return replace(_unmasked_after_reset(steps), carry=np.ones(len(steps.state)))


def _mask_early(steps: Experience) -> Experience:
    return replace(steps, bootstrap=1.0 - np.roll(steps.terminated, -1))


def _mask_early_everywhere(steps: Experience) -> Experience:
    shifted = np.roll(steps.terminated, -1)
    return replace(steps, bootstrap=1.0 - shifted, carry=1.0 - np.roll(_over(steps), -1), next_state=steps.after_reset)


def _mask_early_in_rollouts(steps: Experience) -> Experience:
    """Flags moved one step to the front within each rollout, whose last step then has none."""
    last = _last_of_rollout(steps)
    return replace(
        steps,
        bootstrap=np.where(last, 1.0, 1.0 - np.roll(steps.terminated, -1)),
        carry=np.where(last, 1.0, 1.0 - np.roll(_over(steps), -1)),
        next_state=np.where(last, steps.next_state, steps.after_reset),
    )


def _mask_early_in_advantages(steps: Experience) -> Experience:
    """The same where each step's own next observation is bootstrapped from."""
    return replace(_mask_early_in_rollouts(steps), next_state=steps.next_state)


def _last_of_rollout(steps: Experience) -> np.ndarray:
    return np.arange(len(steps.state)) % steps.family.length == steps.family.length - 1


def _mask_late_everywhere(steps: Experience) -> Experience:
    return replace(
        steps,
        bootstrap=1.0 - np.roll(steps.terminated, 1),
        carry=1.0 - np.roll(_over(steps), 1),
        next_state=steps.after_reset,
    )


def _reward_late(steps: Experience) -> Experience:
    first = np.roll(_over(steps), 1)
    return replace(steps, reward=np.where(first, 0.0, np.roll(steps.reward, 1)))


def _reward_late_over_reset(steps: Experience) -> Experience:
    return replace(steps, reward=np.roll(steps.reward, 1))


def _last_value_wrong(steps: Experience) -> Experience:
    return replace(steps, next_state=np.where(_last_of_rollout(steps), steps.state, steps.next_state))


def _last_value_zero(steps: Experience) -> Experience:
    return replace(steps, bootstrap=np.where(_last_of_rollout(steps), 0.0, steps.bootstrap))


def _stale_after_reset(steps: Experience) -> Experience:
    """The observation is not renewed at a reset: the first step is taken to start where the last episode ended."""
    first = np.roll(_over(steps), 1)
    return replace(steps, state=np.where(first, np.roll(steps.next_state, 1), steps.state))


def _stale_always(steps: Experience) -> Experience:
    """Every step is stored with the observation of the step before."""
    first = np.roll(_over(steps), 1)
    earlier = np.where(first, steps.state, np.roll(steps.state, 1))
    return replace(steps, state=earlier, next_state=steps.state)


def _overwritten(steps: Experience) -> Experience:
    """The stored observation is overwritten by the one after it."""
    return replace(steps, state=steps.next_state)


def _one_array(steps: Experience) -> Experience:
    """All observations of a rollout are one array, which shows the last of them when it is learned from."""
    last = np.repeat(steps.after_reset.reshape(-1, steps.family.length)[:, -1], steps.family.length)
    return replace(steps, state=last, next_state=np.where(_over(steps), steps.next_state, last))


def _seen_alike(steps: Experience) -> Experience:
    return replace(steps, state=np.zeros_like(steps.state), next_state=np.zeros_like(steps.next_state))


_N_STEP = ("n_step",)
_ROLLOUT = ("rollout",)
_TD = ("one_step", "n_step")

BUGS: tuple[Bug, ...] = (
    Bug("terminal_not_masked", "the end's own observation", _unmasked),
    Bug("terminal_not_masked", "the observation after the reset", _unmasked_after_reset),
    Bug("timeout_as_terminal", "", _timeout_ends),
    Bug("reset_observation_as_next", "", _reset_observation),
    Bug("autoreset_row_learned", "", _autoreset_row, _TD),
    Bug("autoreset_row_learned", "", _autoreset_row_in_rollouts, _ROLLOUT),
    Bug("return_leaks_across_episodes", "masked bootstrapping", _leak, ("n_step", "rollout")),
    Bug("return_leaks_across_episodes", "nothing masked", _leak_unmasked, ("n_step", "rollout")),
    Bug("mask_one_step_early", "", _mask_early),
    Bug("mask_one_step_early", "in the carry too", _mask_early_everywhere, _ROLLOUT),
    Bug("mask_one_step_early", "in each rollout", _mask_early_in_rollouts, _ROLLOUT),
    Bug("mask_one_step_early", "in each rollout's advantages", _mask_early_in_advantages, _ROLLOUT),
    Bug("mask_one_step_early", "one step late", _mask_late_everywhere, _ROLLOUT),
    Bug("target_never_synced", "", lambda steps: replace(steps, next_values="zero"), _TD),
    Bug("reward_one_step_late", "0 at a reset", _reward_late),
    Bug("reward_one_step_late", "over resets", _reward_late_over_reset),
    Bug("n_step_discount", "discount", lambda s: replace(s, bootstrap_exponent=lambda k: 1), _N_STEP),
    Bug("n_step_discount", "one power more", lambda s: replace(s, bootstrap_exponent=lambda k: k + 1), _N_STEP),
    Bug("n_step_discount", "n at early ends too", lambda s: replace(s, bootstrap_exponent=_always(s)), _N_STEP),
    Bug("n_step_rewards_undiscounted", "", lambda s: replace(s, reward_weight=lambda k: 1.0), _N_STEP),
    Bug("last_value_of_wrong_state", "the last observation again", _last_value_wrong, _ROLLOUT),
    Bug("last_value_of_wrong_state", "none", _last_value_zero, _ROLLOUT),
    Bug("stale_observation", "not renewed at a reset", _stale_after_reset),
    Bug("stale_observation", "always one step old", _stale_always),
    Bug("observation_aliased", "overwritten by the next one", _overwritten),
    Bug("observation_aliased", "one array for a whole rollout", _one_array, _ROLLOUT),
    Bug("observation_ignored", "all look alike", _seen_alike),
    Bug("observation_ignored", "all are taken for the first", _seen_alike),
    Bug("broadcast_mean", "", lambda steps: replace(steps, mix_targets="batch_mean")),
    Bug("max_over_batch", "", lambda steps: replace(steps, next_values="largest"), _TD),
    Bug("gradient_vanishes_on_large_errors", "", lambda steps: replace(steps, squashes=True), squashes=True),
    Bug("target_not_detached", "", lambda steps: replace(steps, detached=False)),
    Bug("rewards_clipped", "to [-1, 1]", lambda steps: replace(steps, reward=np.clip(steps.reward, -1, 1))),
    Bug("rewards_clipped", "to their sign", lambda steps: replace(steps, reward=np.sign(steps.reward))),
    Bug("discount_ignored", "", lambda steps: replace(steps, discount=1.0)),
    Bug("discount_twice", "", lambda steps: replace(steps, discount=steps.discount**2)),
    Bug("entropy_at_terminal", "", lambda steps: steps, _TD),  # shows only with a bonus: see `wrong_values`
)


def with_bonus(steps: Experience, bonus: float) -> Experience:
    """The steps of a learner that adds so much for its policy's entropy to every step but those into an end."""
    return replace(steps, reward=steps.reward + bonus * steps.bootstrap) if bonus else steps


def _always(steps: Experience) -> Callable[[int], int]:
    return lambda k: steps.family.length


@lru_cache(maxsize=256)
def right_values(probe: Probe, bonus: float = 0.0) -> np.ndarray:
    """The values of a probe's observations that every correct learner settles on.

    Args:
        probe: a world where actions do not differ.
        bonus: what a learner that values its policy's entropy too adds to every step but those into an end: the
            discount times its temperature times the logarithm of the number of actions.

    Returns:
        Values [N]; NaN for observations that are never trained.
    """
    values = learned_values(with_bonus(experience(probe, ONE_STEP), bonus))
    values.flags.writeable = False  # whoever asks again gets the same array
    return values


def wrong_values(probe: Probe, family: Family, bug: Bug, bonus: float = 0.0) -> np.ndarray:
    """What a learner of the family with the bug settles on; arguments and result as for `right_values`."""
    steps = experience(probe, family)
    if bug.key == "entropy_at_terminal":
        return learned_values(replace(steps, reward=steps.reward + bonus))
    wrong = learned_values(bug.change(with_bonus(steps, bonus)))
    if bug.key == "observation_ignored" and bug.variant == "all look alike":
        return np.where(np.isnan(right_values(probe)), np.nan, wrong[0])
    return wrong
