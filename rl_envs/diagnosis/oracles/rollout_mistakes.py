"""The known mistakes in what is computed from a rollout, and which of them each quantity may have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rl_envs.diagnosis.oracles.end_mistakes import ENDS, LEAK, shifted, with_last
from rl_envs.diagnosis.oracles.mistakes import Mistake, computes, gives, reads, reads_instead
from rl_envs.diagnosis.oracles.n_step_mistakes import N_STEP, STEPS_USED
from rl_envs.diagnosis.oracles.rollout import Rollout


def _per_call(x: Rollout, array: np.ndarray, statistic: np.ufunc | None, axes: tuple[int, ...]) -> np.ndarray:
    """A statistic over the copies that were handed over together; the mean where no ufunc is given."""
    groups = array.reshape(len(array), -1, x.copies_at_once)
    result = (
        groups.mean(axis=axes, keepdims=True) if statistic is None else statistic.reduce(groups, axes[0], keepdims=True)
    )
    return np.broadcast_to(result, groups.shape).reshape(array.shape)


def _normalised(x: Rollout, array: np.ndarray, ddof: int) -> np.ndarray:
    groups = array.reshape(len(array), -1, x.copies_at_once)
    mean = groups.mean(axis=(0, 2), keepdims=True)
    std = groups.std(axis=(0, 2), keepdims=True, ddof=ddof)
    return ((groups - mean) / (std + 1e-8)).reshape(array.shape)


VALUES = (
    Mistake(
        ("last_value_of_wrong_state",),
        "the value after the last step is not used: the rollout counts as ended where it is only cut off",
        "start from the value of the observation after the last step",
        (reads(next_value=lambda x: with_last(x.next_value, 0.0)),),
    ),
    Mistake(
        ("last_value_of_wrong_state",),
        "the last step bootstraps from its own observation's value, not from the one after it",
        "use the value of the observation after the last step, values[T] or last_value",
        (reads(next_value=lambda x: with_last(x.next_value, x.value[-1])),),
    ),
    Mistake(
        ("value_of_wrong_state",),
        "it bootstraps from the value of the state it left, V(s_t), not of the one it reached, V(s_{t+1})",
        "shift the values by one: values[t + 1], or next_values[t]",
        (
            reads(next_value=lambda x: x.value),
            reads(next_value=lambda x: with_last(x.value, x.next_value[-1])),
        ),
    ),
    Mistake(
        ("next_value_left_out",),
        "the next value is left out: nothing is bootstrapped",
        "reward + discount * next_value",
        (reads(bootstraps=lambda x: np.zeros_like(x.bootstraps)),),
    ),
    Mistake(
        ("reward_left_out",),
        "the reward is left out",
        "reward + discount * next_value",
        (reads(reward=lambda x: np.zeros_like(x.reward)),),
    ),
    Mistake(
        ("reward_one_step_late",),
        "each step counts the reward of the step before it",
        "the reward of step t is the one that the action of step t earned",
        (
            reads(reward=lambda x: shifted(x.reward, -1, np.zeros_like(x.reward[0]))),
            reads(reward=lambda x: shifted(x.reward, -1, x.reward[-1])),
        ),
    ),
    Mistake(
        ("reward_one_step_early",),
        "each step counts the reward of the step after it",
        "the reward of step t is the one that the action of step t earned",
        (
            reads(reward=lambda x: shifted(x.reward, 1, np.zeros_like(x.reward[0]))),
            reads(reward=lambda x: shifted(x.reward, 1, x.reward[0])),
            reads(reward=lambda x: shifted(x.reward, 1, x.reward[-1])),
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
        "the value after the last step is not discounted",
        "it is one step away: discount * last_value",
        (reads(next_value=lambda x: with_last(x.next_value, x.next_value[-1] / x.discount)),),
    ),
    Mistake(
        ("discount_twice",),
        "the discount is applied twice",
        "multiply by the discount once a step",
        (reads(discount=lambda x: x.discount**2, carry_discount=lambda x: x.discount**2),),
    ),
    Mistake(
        ("discount_twice",),
        "the value after the last step is discounted twice",
        "it is one step away from the last step: discount * last_value",
        (reads(next_value=lambda x: with_last(x.next_value, x.next_value[-1] * x.discount)),),
    ),
)

# Of rules that carry something back from the next step: n-step returns do not.
CARRIES = (
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
    return replace(x, reward=with_last(x.reward, x.value[-1]), bootstraps=with_last(x.bootstraps, 0.0))


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


SHARED = (*ENDS, *VALUES, *DISCOUNTS, *OUTCOMES)
OF_ADVANTAGES = (*SHARED, *CARRIES, *TRACES, *ADVANTAGES)
OF_LAMBDA_RETURNS = (*SHARED, *CARRIES, *TRACES, *RETURNS)
OF_DISCOUNTED_RETURNS = (*SHARED, *CARRIES, *RETURNS)
OF_N_STEP_RETURNS = (*(mistake for mistake in SHARED if mistake is not LEAK), *N_STEP, *RETURNS)
OF_STEPS_USED = STEPS_USED
