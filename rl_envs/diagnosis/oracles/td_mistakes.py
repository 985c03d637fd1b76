"""The known mistakes in TD targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import rl_envs.diagnosis.oracles.transitions as transitions
from rl_envs.diagnosis.oracles.mistakes import Mistake, Rule, gives, reads, reads_instead
from rl_envs.diagnosis.oracles.transitions import Transitions, Worth


def _entropy_kept(rule: Rule, x: Transitions) -> np.ndarray:
    """The right target, and the bonus of the next observation although the episode terminated before it."""
    through_the_end = replace(x, bootstraps=np.ones_like(x.bootstraps))
    bonus = rule(through_the_end) - rule(replace(through_the_end, temperature=1e-12))
    return rule(x) + np.where(x.terminated, bonus, 0.0)


def _entropy_undiscounted(rule: Rule, x: Transitions) -> np.ndarray:
    """The right target, with the bonus added to the reward as it is."""
    plain = rule(replace(x, temperature=1e-12))
    masked = x.value_discount * x.bootstraps
    bonus = np.divide(rule(x) - plain, masked, out=np.zeros_like(plain), where=masked != 0)
    return plain + bonus


def _one_action(x: Transitions, q: np.ndarray) -> np.ndarray:
    return np.repeat(q[:, None], x.next_q.shape[1], axis=1)


ENDS = (
    Mistake(
        ("terminal_not_masked",),
        "it bootstraps through the end: after a termination the next value still counts",
        "multiply the next value by (1 - terminated)",
        (reads(bootstraps=lambda x: np.ones_like(x.bootstraps)),),
    ),
    Mistake(
        ("timeout_as_terminal",),
        "time limits are not bootstrapped: a truncated step is taken for the end of the world",
        "mask the next value by terminated alone; truncated has no part in a TD target",
        (reads(bootstraps=lambda x: 1.0 - x.ended),),
    ),
    Mistake(
        ("timeout_as_terminal", "terminal_not_masked"),
        "the two ends are exchanged: terminations bootstrap and time limits do not",
        "see which flag is which where they are handed over; Gymnasium gives terminated first",
        (reads(bootstraps=lambda x: 1.0 - x.truncated),),
    ),
    Mistake(
        ("mask_one_step_early",),
        "the mask of a transition is taken from the one after it",
        "use the flag stored with the transition itself",
        (reads(bootstraps=lambda x: np.roll(x.bootstraps, -1)),),
    ),
    Mistake(
        ("mask_one_step_late",),
        "the mask of a transition is taken from the one before it",
        "use the flag stored with the transition itself",
        (reads(bootstraps=lambda x: np.roll(x.bootstraps, 1)),),
    ),
    Mistake(
        ("mask_inverted",),
        "the mask is upside down: the next value counts where the episode ended, and nowhere else",
        "multiply by (1 - terminated), not by terminated",
        (reads(bootstraps=lambda x: 1.0 * x.terminated), reads(bootstraps=lambda x: 1.0 * x.ended)),
    ),
    Mistake(
        ("reward_lost_at_end",),
        "the reward of a step that ends the episode is masked with what follows it",
        "mask the next value alone: reward + discount * (1 - terminated) * next_value",
        (
            reads(reward=lambda x: x.reward * (1.0 - x.terminated)),
            reads(reward=lambda x: x.reward * (1.0 - x.ended)),
        ),
    ),
)

NUMBERS = (
    Mistake(
        ("discount_ignored",),
        "the discount is not used",
        "multiply the next value by the discount",
        (reads(value_discount=lambda x: 1.0),),
    ),
    Mistake(
        ("discount_twice",),
        "the discount is applied twice",
        "multiply the next value by the discount once",
        (reads(value_discount=lambda x: x.value_discount**2),),
    ),
    Mistake(
        ("discount_twice",),
        "the reward is discounted with the next value",
        "discount the next value alone",
        (reads(reward=lambda x: x.discount * x.reward),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted once, by gamma^1 for gamma^n",
        "discount the value by gamma to the number of steps of the transition",
        (reads(value_discount=lambda x: x.discount),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n-1)",
        "discount the value by gamma to the number of steps of the transition, n",
        (reads(value_discount=lambda x: x.discount ** (x.n - 1)),),
    ),
    Mistake(
        ("n_step_discount",),
        "the value after n steps is discounted by gamma^(n+1)",
        "discount the value by gamma to the number of steps of the transition, n",
        (reads(value_discount=lambda x: x.discount ** (x.n + 1)),),
    ),
    Mistake(
        ("wrong_sign",),
        "the next value is subtracted, not added",
        "reward + discount * next_value",
        (reads(value_discount=lambda x: -x.value_discount),),
    ),
    Mistake(
        ("wrong_sign",),
        "the sign is wrong: the whole target is negated",
        "reward + discount * next_value",
        (gives(lambda right, x: -right),),
    ),
    Mistake(
        ("reward_left_out",),
        "the reward is left out",
        "reward + discount * next_value",
        (reads(reward=lambda x: np.zeros_like(x.reward)),),
    ),
    Mistake(
        ("reward_one_step_late",),
        "each transition counts the reward of the one before it",
        "use the reward stored with the transition itself",
        (reads(reward=lambda x: np.roll(x.reward, 1)),),
    ),
    Mistake(
        ("rewards_clipped",),
        "rewards are clipped to [-1, 1]",
        "leave the rewards as they are, or have the function checked without its clipping",
        (reads(reward=lambda x: np.clip(x.reward, -1, 1)), reads(reward=lambda x: np.sign(x.reward))),
    ),
)


def _whole_batch(rule: Rule, x: Transitions, worth: np.ndarray) -> np.ndarray:
    return x.reward + x.value_discount * x.bootstraps * worth


def _worth(rule: Rule, x: Transitions) -> np.ndarray:
    """What the rule takes the next observations to be worth, [B]."""
    bare = replace(x, reward=np.zeros_like(x.reward), bootstraps=np.ones_like(x.bootstraps), value_discount=1.0)
    return rule(bare)


SHAPES = (
    Mistake(
        ("broadcast_mean",),
        "every target mixes the rewards and next values of the whole batch: [B, 1] meets [B]",
        "make the shapes equal before adding (flatten or squeeze), and see that targets have the shape of the rewards",
        (
            lambda rule, x: _whole_batch(rule, x, np.full_like(x.reward, _worth(rule, x).mean())),
            lambda rule, x: x.reward + (x.value_discount * x.bootstraps * _worth(rule, x)).mean(),
            lambda rule, x: x.reward.mean() + x.value_discount * x.bootstraps * _worth(rule, x),
        ),
    ),
    Mistake(
        ("max_over_batch",),
        "the maximum is taken over the whole batch, not over each row's actions",
        "name the axis of the maximum: max(axis=1), or max(dim=1)",
        (
            lambda rule, x: _whole_batch(rule, x, np.full_like(x.reward, x.next_q.max())),
            lambda rule, x: _whole_batch(rule, x, np.full_like(x.reward, _worth(rule, x).max())),
        ),
    ),
)

DOUBLE = (
    Mistake(
        ("double_networks_swapped",),
        "the networks are swapped: the target network chooses and the online network values",
        "argmax over the online network's values, then read the target network's value of that action",
        (reads(next_q=lambda x: x.choosing_q, choosing_q=lambda x: x.next_q),),
    ),
    Mistake(
        ("double_ignored",),
        "one network both chooses and values: the target network's own maximum",
        "take the argmax over the online network's values",
        (reads(choosing_q=lambda x: x.next_q),),
    ),
    Mistake(
        ("no_target_network",),
        "one network both chooses and values: the online network's own maximum",
        "read the value from the target network",
        (reads(next_q=lambda x: x.choosing_q),),
    ),
)

LARGEST = (
    Mistake(
        ("smallest_for_largest",),
        "it takes the smallest action value, not the largest",
        "maximum over actions",
        (reads(next_q=lambda x: _one_action(x, x.next_q.min(axis=1))),),
    ),
    Mistake(
        ("mean_for_largest", "learns_its_exploring_policy"),
        "it takes the mean of the action values, not what the rule asks for",
        "the mean belongs to a uniform policy: take the maximum, or weigh by the policy's probabilities",
        (reads(next_q=lambda x: _one_action(x, x.next_q.mean(axis=1))),),
    ),
)

EXPECTED = (
    Mistake(
        ("largest_for_expected",),
        "it takes the largest action value, not the mean under the policy",
        "sum the action values, each weighted by its probability",
        (reads(next_q=lambda x: _one_action(x, x.next_q.max(axis=1))),),
    ),
    Mistake(
        ("probabilities_left_out",),
        "the action values are added up without their probabilities",
        "sum the action values, each weighted by its probability",
        (reads(policy=lambda x: np.ones_like(x.policy)),),
    ),
)

TWO_CRITICS = (
    Mistake(
        ("larger_of_two_critics",),
        "it takes the larger of the two critics' values",
        "take the smaller of the two",
        (
            reads(
                next_value=lambda x: np.maximum(x.next_value, x.second_value),
                second_value=lambda x: np.full_like(x.second_value, np.inf),
            ),
        ),
    ),
    Mistake(
        ("one_critic_ignored",),
        "one of the two critics is not used",
        "take the smaller of the two",
        (reads(second_value=lambda x: x.next_value), reads(next_value=lambda x: x.second_value)),
    ),
    Mistake(
        ("mean_of_two_critics",),
        "it takes the mean of the two critics' values",
        "take the smaller of the two",
        (
            reads_instead(
                lambda x: replace(
                    x,
                    next_value=(x.next_value + x.second_value) / 2,
                    second_value=(x.next_value + x.second_value) / 2,
                )
            ),
        ),
    ),
)

ENTROPY = (
    Mistake(
        ("entropy_at_terminal",),
        "the entropy bonus of the next observation is added although the episode terminated",
        "mask the bonus with the next value: (1 - terminated) * (next_value - alpha * log_probability)",
        (_entropy_kept,),
    ),
    Mistake(
        ("wrong_sign",),
        "the entropy bonus has the wrong sign",
        "next_value - alpha * log_probability: a log-probability is below 0, so that the bonus is above it",
        (reads(temperature=lambda x: -x.temperature),),
    ),
    Mistake(
        ("entropy_left_out",),
        "the entropy bonus is left out",
        "next_value - alpha * log_probability",
        (reads(temperature=lambda x: 1e-12),),
    ),
    Mistake(
        ("entropy_unweighted",),
        "the entropy bonus is not weighted by alpha",
        "next_value - alpha * log_probability",
        (reads(temperature=lambda x: 1.0),),
    ),
    Mistake(
        ("entropy_undiscounted", "entropy_at_terminal"),
        "the entropy bonus is added to the reward as it is: neither discounted nor masked",
        "the bonus belongs to the next observation, as its value does",
        (
            lambda rule, x: (
                rule(replace(x, temperature=1e-12)) + _worth(rule, x) - _worth(rule, replace(x, temperature=1e-12))
            ),
        ),
    ),
    Mistake(
        ("entropy_undiscounted",),
        "the entropy bonus is not discounted",
        "the bonus belongs to the next observation, as its value does",
        (_entropy_undiscounted,),
    ),
)

OF_ACTIONS: dict[Worth, tuple[Mistake, ...]] = {
    transitions.given_value: (),
    transitions.largest: LARGEST,
    transitions.taken: LARGEST,
    transitions.expected: (*LARGEST, *EXPECTED),
    transitions.double: (*DOUBLE, *LARGEST),
    transitions.smaller_of_two: TWO_CRITICS,
    transitions.soft: ENTROPY,
    transitions.soft_smaller_of_two: (*TWO_CRITICS, *ENTROPY),
    transitions.soft_expected: (*LARGEST, *EXPECTED, *ENTROPY),
    transitions.soft_largest: (*LARGEST, *ENTROPY),
}


def of_td_targets(worth: Worth) -> tuple[Mistake, ...]:
    """The mistakes that can be made in a target, by what the next observation is worth in it."""
    return (*ENDS, *NUMBERS, *SHAPES, *OF_ACTIONS[worth])
