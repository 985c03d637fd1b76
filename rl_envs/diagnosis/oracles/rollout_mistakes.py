"""The known mistakes in what is computed from a rollout: advantages, lambda-returns, n-step and discounted returns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from rl_envs.diagnosis.oracles.mistakes import Mistake, Variant, computes, gives, reads, reads_instead
from rl_envs.diagnosis.oracles.rollout import Rollout, n_step_returns, steps_used


def _masks(terminated: np.ndarray, truncated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two masks that follow from flags, whatever flags they are: bootstraps and continues."""
    continues = 1.0 - (terminated | truncated)
    continues[-1] = 0.0
    return 1.0 - terminated, continues


def _shifted(array: np.ndarray, by: int, fill: np.ndarray) -> np.ndarray:
    """Row t + by in place of row t; `fill` where there is none."""
    return np.concatenate([array[1:], fill[None]] if by == 1 else [fill[None], array[:-1]])


def _shifted_masks(
    x: Rollout, by: int, fill: str, which: str, *, but_last: bool = False, but_truncated: bool = False
) -> Rollout:
    """The rollout with its masks read from the flags of another step."""
    masks = {}
    flags = []
    for flag in (x.terminated, x.truncated):
        edge = flag[-1 if by == 1 else 0] if fill == "own" else np.full_like(flag[0], fill == "ended")
        flags.append(_shifted(flag, by, edge))
    bootstraps, continues = _masks(flags[0], x.truncated if but_truncated else flags[1])
    if but_last:
        bootstraps[-1] = x.bootstraps[-1]
    if which != "carry":
        masks["bootstraps"] = bootstraps
    if which != "bootstrap":
        masks["continues"] = continues
    return replace(x, **masks)


def _all_shifts(by: int, **exceptions: bool) -> tuple[Variant, ...]:
    return tuple(
        reads_instead(partial(_shifted_masks, by=by, fill=fill, which=which, **exceptions))
        for which in ("both", "bootstrap", "carry")
        for fill in ("own", "going on", "ended")
    )


def _ones_but_last(x: Rollout) -> np.ndarray:
    ones = np.ones_like(x.continues)
    ones[-1] = 0.0
    return ones


def _with_last(array: np.ndarray, last: np.ndarray | float) -> np.ndarray:
    changed = array.copy()
    changed[-1] = last
    return changed


def _per_call(x: Rollout, array: np.ndarray, statistic: np.ufunc | None, axes: tuple[int, ...]) -> np.ndarray:
    """A statistic over the copies that were handed over together; the mean where no ufunc is given."""
    groups = array.reshape(len(array), -1, x.copies_at_once)
    result = groups.mean(axis=axes, keepdims=True) if statistic is None else statistic.reduce(groups, axes[0], keepdims=True)
    return np.broadcast_to(result, groups.shape).reshape(array.shape)


def _normalised(x: Rollout, array: np.ndarray, ddof: int) -> np.ndarray:
    groups = array.reshape(len(array), -1, x.copies_at_once)
    mean = groups.mean(axis=(0, 2), keepdims=True)
    std = groups.std(axis=(0, 2), keepdims=True, ddof=ddof)
    return ((groups - mean) / (std + 1e-8)).reshape(array.shape)


def _after_reset(x: Rollout) -> np.ndarray:
    """The value of the next row at an end, where an automatic reset has put the next episode's first observation."""
    following = _shifted(x.value, 1, x.next_value[-1])
    return np.where(x.ended, following, x.next_value)


LEAK = Mistake(
    ("return_leaks_across_episodes",),
    "returns leak over the end: the next value is masked, what is carried back is not",
    "multiply what is carried back from the next step by (1 - (terminated or truncated))",
    (
        reads(continues=_ones_but_last),
        reads(continues=lambda x: np.ones_like(x.continues)),
    ),
)

ENDS = (
    Mistake(
        ("terminal_not_masked",),
        "it bootstraps through the end: after a termination the next value still counts",
        "multiply the next value by (1 - terminated)",
        (reads(bootstraps=lambda x: np.ones_like(x.bootstraps)),),
    ),
    Mistake(
        ("terminal_not_masked",),
        "the last step of the rollout bootstraps even where it terminated",
        "mask the last value by the flag of the last step, as every other value",
        (reads(bootstraps=lambda x: _with_last(x.bootstraps, 1.0)),),
    ),
    Mistake(
        ("terminal_not_masked", "return_leaks_across_episodes"),
        "ends are not looked at: the next value counts after a termination, and returns run on into the next episode",
        "multiply the next value by (1 - terminated), and what is carried back by (1 - (terminated or truncated))",
        (
            reads(bootstraps=lambda x: np.ones_like(x.bootstraps), continues=_ones_but_last),
            reads(
                bootstraps=lambda x: np.ones_like(x.bootstraps),
                continues=lambda x: np.ones_like(x.continues),
                next_value=lambda x: np.concatenate([_after_reset(x)[:-1], x.next_value[-1:]]),
            ),
        ),
    ),
    Mistake(
        ("timeout_as_terminal",),
        "time limits are not bootstrapped: a truncated step is taken for the end of the world",
        "mask the next value by terminated alone; truncated only cuts what is carried back",
        (reads(bootstraps=lambda x: 1.0 - x.ended),),
    ),
    Mistake(
        ("timeout_as_terminal", "terminal_not_masked"),
        "the two ends are exchanged: terminations bootstrap and time limits do not",
        "see which flag is which where they are handed over; Gymnasium gives terminated first",
        (reads(bootstraps=lambda x: 1.0 - x.truncated),),
    ),
    LEAK,
    Mistake(
        ("return_leaks_across_episodes",),
        "returns leak over time limits: what is carried back is cut by terminated alone",
        "cut what is carried back where the episode ended either way, (1 - (terminated or truncated))",
        (
            reads(continues=lambda x: _with_last(1.0 - x.terminated, 0.0)),
            reads(continues=lambda x: 1.0 - x.terminated),
        ),
    ),
    Mistake(
        ("return_leaks_across_episodes", "timeout_as_terminal"),
        "the flags have changed places: time limits are not bootstrapped, and only terminations cut what is carried back",
        "mask the next value by terminated, and what is carried back by terminated or truncated",
        (reads(bootstraps=lambda x: 1.0 - x.ended, continues=lambda x: _with_last(1.0 - x.terminated, 0.0)),),
    ),
    Mistake(
        ("reset_observation_as_next",),
        "at an end it bootstraps from the observation after the reset, which belongs to the next episode",
        "take the value of the final observation (Gymnasium: info['final_obs']), not that of the next row",
        (
            reads(next_value=_after_reset),
            reads(next_value=_after_reset, bootstraps=lambda x: 1.0 - x.terminated),
        ),
    ),
    Mistake(
        ("mask_one_step_early",),
        "the mask of step t is taken from step t+1",
        "use the flag that step t itself returned; where flags are stored before the step, say so (episode_starts)",
        (*_all_shifts(1), *_all_shifts(1, but_truncated=True)),
    ),
    Mistake(
        ("mask_one_step_late",),
        "the mask of step t is taken from step t-1",
        "use the flag that step t itself returned: dones[t + 1], where dones[t] is the flag before step t",
        (*_all_shifts(-1), *_all_shifts(-1, but_last=True), *_all_shifts(-1, but_truncated=True)),
    ),
    Mistake(
        ("mask_inverted",),
        "the mask is upside down: the next value counts where the episode ended, and nowhere else",
        "multiply by (1 - done), not by done",
        (
            reads(bootstraps=lambda x: 1.0 * x.terminated, continues=lambda x: _with_last(1.0 * x.ended, 0.0)),
            reads(bootstraps=lambda x: 1.0 * x.ended, continues=lambda x: _with_last(1.0 * x.ended, 0.0)),
            reads(bootstraps=lambda x: 1.0 * x.terminated),
        ),
    ),
    Mistake(
        ("reward_lost_at_end",),
        "the reward of a step that ends the episode is masked with what follows it",
        "mask the next value alone: reward + discount * (1 - terminated) * next_value",
        (
            reads(reward=lambda x: x.reward * (1.0 - x.ended)),
            reads(reward=lambda x: x.reward * (1.0 - x.terminated)),
        ),
    ),
)

VALUES = (
    Mistake(
        ("last_value_of_wrong_state",),
        "the value after the last step is not used: the rollout counts as ended where it is only cut off",
        "start from the value of the observation after the last step",
        (reads(next_value=lambda x: _with_last(x.next_value, 0.0)),),
    ),
    Mistake(
        ("last_value_of_wrong_state",),
        "the last step bootstraps from its own observation's value, not from the one after it",
        "use the value of the observation after the last step, values[T] or last_value",
        (reads(next_value=lambda x: _with_last(x.next_value, x.value[-1])),),
    ),
    Mistake(
        ("value_of_wrong_state",),
        "it bootstraps from the value of the state it left, V(s_t), not of the one it reached, V(s_{t+1})",
        "shift the values by one: values[t + 1], or next_values[t]",
        (
            reads(next_value=lambda x: x.value),
            reads(next_value=lambda x: _with_last(x.value, x.next_value[-1])),
        ),
    ),
    Mistake(
        ("reward_one_step_late",),
        "each step counts the reward of the step before it",
        "the reward of step t is the one that the action of step t earned",
        (
            reads(reward=lambda x: _shifted(x.reward, -1, np.zeros_like(x.reward[0]))),
            reads(reward=lambda x: _shifted(x.reward, -1, x.reward[-1])),
        ),
    ),
    Mistake(
        ("reward_one_step_early",),
        "each step counts the reward of the step after it",
        "the reward of step t is the one that the action of step t earned",
        (
            reads(reward=lambda x: _shifted(x.reward, 1, np.zeros_like(x.reward[0]))),
            reads(reward=lambda x: _shifted(x.reward, 1, x.reward[0])),
            reads(reward=lambda x: _shifted(x.reward, 1, x.reward[-1])),
        ),
    ),
)

DISCOUNTS = (
    Mistake(
        ("discount_ignored",),
        "the discount is not used",
        "multiply by the discount wherever something is taken over from the next step",
        (reads(discount=lambda x: 1.0, carry_discount=lambda x: 1.0),),
    ),
    Mistake(
        ("discount_ignored",),
        "the next value is not discounted, only what is carried back",
        "delta = reward + discount * next_value - value",
        (reads(discount=lambda x: 1.0),),
    ),
    Mistake(
        ("discount_ignored",),
        "what is carried back from the next step is not discounted",
        "carry back discount * lambda times the next step's",
        (reads(carry_discount=lambda x: 1.0),),
    ),
    Mistake(
        ("discount_ignored",),
        "the value after the last step is not discounted",
        "it is one step away: discount * last_value",
        (reads(next_value=lambda x: _with_last(x.next_value, x.next_value[-1] / x.discount)),),
    ),
    Mistake(
        ("discount_twice",),
        "the discount is applied twice",
        "multiply by the discount once a step",
        (reads(discount=lambda x: x.discount**2, carry_discount=lambda x: x.discount**2),),
    ),
    Mistake(
        ("discount_twice",),
        "the next value is discounted twice",
        "multiply the next value by the discount once",
        (reads(discount=lambda x: x.discount**2),),
    ),
    Mistake(
        ("discount_twice",),
        "what is carried back from the next step is discounted twice",
        "carry back discount * lambda times the next step's",
        (reads(carry_discount=lambda x: x.discount**2),),
    ),
    Mistake(
        ("discount_twice",),
        "the value after the last step is discounted twice",
        "it is one step away from the last step: discount * last_value",
        (reads(next_value=lambda x: _with_last(x.next_value, x.next_value[-1] * x.discount)),),
    ),
)

TRACES = (
    Mistake(
        ("lambda_ignored",),
        "lambda is not used: it counts as 1",
        "carry back discount * lambda times the next step's",
        (reads(trace_decay=lambda x: 1.0),),
    ),
    Mistake(
        ("nothing_carried_back",),
        "nothing is carried back from the next step: each step has its one-step error or target alone",
        "add discount * lambda times what the next step has",
        (reads(trace_decay=lambda x: 0.0),),
    ),
    Mistake(
        ("lambda_squared",),
        "lambda is applied twice",
        "multiply by lambda once a step",
        (reads(trace_decay=lambda x: x.trace_decay**2),),
    ),
    Mistake(
        ("lambda_and_discount_swapped",),
        "lambda and the discount have changed places",
        "see the order of the arguments where they are handed over",
        (
            reads(
                discount=lambda x: x.trace_decay,
                carry_discount=lambda x: x.trace_decay,
                trace_decay=lambda x: x.discount,
            ),
        ),
    ),
    Mistake(
        ("lambda_complemented",),
        "lambda is taken for 1 - lambda",
        "lambda weighs what is carried back, 1 - lambda the value",
        (reads(trace_decay=lambda x: 1.0 - x.trace_decay),),
    ),
)

OUTCOMES = (
    Mistake(
        ("wrong_sign",),
        "the sign is wrong: everything is negated",
        "what earned more than expected is positive",
        (gives(lambda right, x: -right),),
    ),
    Mistake(
        ("wrong_sign",),
        "the next value is subtracted, not added",
        "reward + discount * next_value",
        (reads(next_value=lambda x: -x.next_value),),
    ),
    Mistake(
        ("time_reversed",),
        "the result is in reversed order of time",
        "turn it around once more after collecting it backwards, or write to its own index",
        (gives(lambda right, x: right[::-1]),),
    ),
    Mistake(
        ("broadcast_mean",),
        "the next values of all copies are averaged: [B, 1] meets [B]",
        "make the shapes equal before adding, and see that the result has the shape of the rewards",
        (reads(next_value=lambda x: _per_call(x, x.next_value, None, (2,))),),
    ),
    Mistake(
        ("max_over_batch",),
        "it takes the largest next value of all copies",
        "name the axis of a maximum",
        (reads(next_value=lambda x: _per_call(x, x.next_value, np.maximum, (2,))),),
    ),
)


def _forwards(x: Rollout, mask_of: int) -> np.ndarray:
    """Errors summed from the first step on, as a loop does that runs the wrong way."""
    delta = x.reward + x.discount * x.bootstraps * x.next_value - x.value
    carried, result = np.zeros_like(delta[0]), np.empty(delta.shape)
    for t in range(len(delta)):
        mask = 1.0 - x.ended[t + mask_of] if t + mask_of >= 0 else np.ones_like(carried)
        carried = delta[t] + x.carry_discount * x.trace_decay * mask * carried
        result[t] = carried
    return result


def _without_last(x: Rollout) -> Rollout:
    """The last step made worth exactly its value: its error is 0."""
    return replace(
        x, reward=_with_last(x.reward, x.value[-1]), bootstraps=_with_last(x.bootstraps, 0.0)
    )


ADVANTAGES = (
    Mistake(
        ("return_for_advantage",),
        "it gives the return where the advantage is asked for: the value is not subtracted",
        "subtract the value of each step's own observation",
        (gives(lambda right, x: right + x.value),),
    ),
    Mistake(
        ("value_not_subtracted",),
        "the errors lack the value that was expected: reward + discount * next_value stands alone",
        "delta = reward + discount * next_value - value",
        (reads(value=lambda x: np.zeros_like(x.value)),),
    ),
    Mistake(
        ("wrong_sign",),
        "the value is added, not subtracted",
        "delta = reward + discount * next_value - value",
        (reads(value=lambda x: -x.value),),
    ),
    Mistake(
        ("advantages_normalised",),
        "the advantages are normalised to mean 0 and standard deviation 1",
        "have the function checked before that step: normalise a minibatch where it is used",
        (
            gives(lambda right, x: _normalised(x, right, 0)),
            gives(lambda right, x: _normalised(x, right, 1)),
        ),
    ),
    Mistake(
        ("time_reversed",),
        "the sum runs forwards: each step has what came before it, not what comes after",
        "run the loop backwards, from the last step to the first",
        (computes(lambda x: _forwards(x, -1)), computes(lambda x: _forwards(x, 0))),
    ),
    Mistake(
        ("last_step_forgotten",),
        "the last step is left out: its advantage is 0 and nothing is carried back from it",
        "let the loop begin at step T - 1, reversed(range(T))",
        (reads_instead(_without_last),),
    ),
)

RETURNS = (
    Mistake(
        ("advantage_for_return",),
        "it gives the advantage where the return is asked for: values are not added",
        "returns = advantages + values",
        (gives(lambda right, x: right - x.value),),
    ),
    Mistake(
        ("values_added_twice",),
        "the values are added twice",
        "returns = advantages + values, once",
        (gives(lambda right, x: right + x.value),),
    ),
    Mistake(
        ("value_of_wrong_state",),
        "the values added to the advantages are those of the next observations",
        "returns = advantages + values, each step's own",
        (gives(lambda right, x: right - x.value + x.next_value),),
    ),
    Mistake(
        ("returns_normalised",),
        "the returns are normalised to mean 0 and standard deviation 1",
        "have the function checked before that step",
        (
            gives(lambda right, x: _normalised(x, right, 0)),
            gives(lambda right, x: _normalised(x, right, 1)),
        ),
    ),
    Mistake(
        ("undiscounted_episode_return",),
        "every step has the return of the whole episode, not of what is still to come",
        "add up what comes after each step (rewards to go)",
        (gives(lambda right, x: _episode_return(right, x)),),
    ),
)


def _episode_return(right: np.ndarray, x: Rollout) -> np.ndarray:
    """The return of the first step of each step's episode."""
    result = right.copy()
    for t in range(1, len(result)):
        result[t] = np.where(x.continues[t - 1] > 0, result[t - 1], right[t])
    return result


def _n_step(**changes: object) -> Variant:
    return computes(partial(n_step_returns, **changes))  # type: ignore[arg-type]


N_STEP = (
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted once, by gamma^1 for gamma^n",
        "discount the value by gamma to the number of rewards before it",
        (_n_step(value_discount=lambda discount, used, n: discount),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n-1), as the last reward is",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: discount ** (used - 1)),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n+1)",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: discount ** (used + 1)),),
    ),
    Mistake(
        ("n_step_discount",),
        "where fewer than n rewards are left, the value is still discounted by gamma^n",
        "discount the value by gamma to the number of rewards that were really added up",
        (_n_step(value_discount=lambda discount, used, n: discount**n),),
    ),
    Mistake(
        ("n_step_discount", "discount_ignored"),
        "the value after n steps is not discounted",
        "discount the value by gamma to the number of rewards before it, n",
        (_n_step(value_discount=lambda discount, used, n: 1.0),),
    ),
    Mistake(
        ("n_step_rewards_undiscounted",),
        "the rewards inside the n steps are not discounted",
        "multiply the reward k steps later by gamma^k",
        (_n_step(reward_discount=lambda discount, k: 1.0),),
    ),
    Mistake(
        ("discount_twice",),
        "the first reward is discounted already",
        "multiply the reward k steps later by gamma^k, so the first by 1",
        (_n_step(reward_discount=lambda discount, k: discount ** (k + 1)),),
    ),
    Mistake(
        ("return_leaks_across_episodes",),
        "rewards are added up over the end of the episode",
        "stop adding rewards at the first step that ended the episode",
        (_n_step(blind_rewards=True),),
    ),
    Mistake(
        ("terminal_not_masked",),
        "the value n steps later is added although the episode ended on the way",
        "mask the value by every flag inside the n steps, not by the last alone",
        (
            _n_step(blind_bootstrap=True),
            lambda rule, x: n_step_returns(
                replace(x, bootstraps=np.ones_like(x.bootstraps)), blind_bootstrap=True
            ),
        ),
    ),
    Mistake(
        ("return_leaks_across_episodes",),
        "the n steps run over the end of the episode: only the flag of the last of them is looked at",
        "stop at the first step that ended the episode, and mask the value if it terminated there",
        (_n_step(blind_rewards=True, blind_bootstrap=True), *LEAK.variants),
    ),
    Mistake(
        ("last_value_of_wrong_state",),
        "where fewer than n rewards are left, no value is added",
        "bootstrap from the last observation, discounted by the number of rewards before it",
        (_n_step(value_discount=lambda discount, used, n: discount**n if used == n else 0.0),),
    ),
    Mistake(
        ("n_step_length",),
        "it adds up n + 1 rewards",
        "add up the rewards t to t + n - 1, and the value of the observation after them",
        (reads(n=lambda x: x.n + 1),),
    ),
    Mistake(
        ("n_step_length",),
        "it adds up n - 1 rewards",
        "add up the rewards t to t + n - 1, and the value of the observation after them",
        (reads(n=lambda x: max(1, x.n - 1)),),
    ),
)

SHARED = (*ENDS, *VALUES, *DISCOUNTS, *OUTCOMES)
OF_ADVANTAGES = (*SHARED, *TRACES, *ADVANTAGES)
OF_LAMBDA_RETURNS = (*SHARED, *TRACES, *RETURNS)
OF_DISCOUNTED_RETURNS = (*SHARED, *RETURNS)
OF_N_STEP_RETURNS = (*(mistake for mistake in SHARED if mistake is not LEAK), *N_STEP, *RETURNS)
OF_STEPS_USED = (
    Mistake(
        ("n_step_discount",),
        "it counts n steps where fewer rewards were added up",
        "count the rewards that were really added up: the value after them is discounted by gamma to that number",
        (
            computes(lambda x: np.full(x.reward.shape, float(x.n))),
            computes(lambda x: np.full(x.reward.shape, x.discount**x.n)),
        ),
    ),
    Mistake(
        ("n_step_discount",),
        "it counts one step too few",
        "the value after k rewards is discounted by gamma^k",
        (computes(lambda x: steps_used(x) - 1), computes(lambda x: x.discount ** (steps_used(x) - 1))),
    ),
    Mistake(
        ("n_step_discount",),
        "it counts one step too many",
        "the value after k rewards is discounted by gamma^k",
        (computes(lambda x: steps_used(x) + 1), computes(lambda x: x.discount ** (steps_used(x) + 1))),
    ),
)
